package sdk_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
)

func TestReadOptions(t *testing.T) {
	o, err := sdk.ReadOptions([]byte(` { "size" : -12, "strict":true, "lax": false, "name" : "a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é" } `))
	if err != nil {
		t.Fatal(err)
	}
	if o.Int("size") != -12 || !o.Bool("strict") || o.Bool("lax") || o.String("name") != "a\"\\/\b\f\n\r\té😀é" {
		t.Errorf("read %+v", o)
	}
	if o.Int("name") != 0 || o.Int("missing") != 0 || o.String("size") != "" || o.Bool("size") {
		t.Error("a value of another type, or none, is not the zero value")
	}
	if o, err := sdk.ReadOptions([]byte("{}")); err != nil || len(o) != 0 {
		t.Errorf("no options: %v, %v", o, err)
	}
	for _, bad := range []string{"", "{", "}", "null", "[]", `{"a"}`, `{"a":}`, `{"a":1`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{"a":1}x`, `{"a":{}}`,
		`{"a":[1]}`, `{"a":1.5}`, `{"a":1e3}`, `{"a":--1}`, `{"a":99999999999999999999}`, `{"a":"b}`, `{"a":"\x"}`, `{"a":"\u12"}`, "{\"a\":\"\n\"}", `{"a":tru}`} {
		if o, err := sdk.ReadOptions([]byte(bad)); err == nil {
			t.Errorf("%q is read as %v", bad, o)
		}
	}
}

// FuzzReadOptions compares with encoding/json on what the host writes: objects of bools, integers and strings.
func FuzzReadOptions(f *testing.F) {
	f.Add("name", "va\"l\\ue\u2028", int64(-5), true)
	f.Add("", "\x00\x1f\x7f", int64(1)<<62, false)
	f.Fuzz(func(t *testing.T, name, value string, n int64, b bool) {
		text, err := json.Marshal(map[string]any{"s" + name: value, "i" + name: n, "b" + name: b})
		if err != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		for k, v := range want {
			if _, ok := v.(float64); ok {
				want[k] = n
			}
		}
		got, err := sdk.ReadOptions(text)
		if err != nil || !maps.Equal(map[string]any(got), want) {
			t.Errorf("%s: read %v, %v; want %v", text, got, err, want)
		}
		_, _ = sdk.ReadOptions([]byte(name)) // whatever it is, it ends
	})
}
