package facts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// FuzzValues: with a table of names and other limits a text reads as it does without, also the second time.
func FuzzValues(f *testing.F) {
	for _, s := range []string{`{"a":{"a":1,"b":[{"a":2},{"a":3}]},"b":{"a":4}}`, `{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, `[{"a":1},{"a":1}]`, `{"a":[{"b":{}},{"b":{}}],"b":1}`, `{"":{"":{"":1}}}`, `{"a":{},"a":1}`, `{`, ``} {
		f.Add([]byte(s))
	}
	v := NewValues(maxValues, maxJSON)
	f.Fuzz(func(t *testing.T, text []byte) {
		var plain flattener
		want, ok := plain.flatten(text, make([]byte, maxJSON))
		for range 2 {
			got, also := v.Read(text)
			if also != ok && plain.open < maxValues && strings.Count(string(text), `"`) < 2*maxValues || ok && also && !slices.Equal(got, want) {
				t.Fatalf("%q: %q %v, and without a table %q %v", text, got, also, want, ok)
			}
		}
	})
}

// TestValuesLimits: as many names as there is room for, and not one more; the next text has all of it again.
func TestValuesLimits(t *testing.T) {
	v := NewValues(100, 8<<10)
	object := func(n int) []byte {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":1`, i)
		}
		return []byte("{" + strings.TrimPrefix(b.String(), ",") + "}")
	}
	for range 3 {
		if list, ok := v.Read(object(100)); !ok || len(list) != 100 {
			t.Errorf("%d values: %v", len(list), ok)
		}
		if _, ok := v.Read(object(101)); ok {
			t.Error("101 values are read")
		}
		if _, ok := v.Read([]byte(`{"k1":1,"k2":2,"k1":3}`)); ok {
			t.Error("a name is there twice")
		}
	}
}
