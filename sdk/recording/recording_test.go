package recording

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func write(t testing.TB, limit int64, secrets [][]byte, calls ...Call) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, Header{Connection: "c-1", Plugin: "p", Options: []byte(`{"a":1}`)}, limit, secrets)
	if err != nil {
		t.Fatal(err)
	}
	for i := range calls {
		if err := w.Call(&calls[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close("over"); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t testing.TB, b []byte) *Recording {
	t.Helper()
	rec, err := Read(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	return rec
}

func data(side abi.Side, s string) Call { return Call{Kind: Data, Side: side, In: []byte(s)} }

var some = []Call{
	{Kind: Open, In: []byte("facts"), Out: []byte{1, 2, 3}, More: true},
	{Kind: Event},
	data(abi.Agent, "hello\x00\xff"),
	{Kind: Data, Side: abi.Upstream, In: []byte("bye"), End: true, Out: []byte("x")},
	{Kind: Data, Side: abi.Agent, End: true},
	{Kind: Event, In: []byte{2}, Err: "trapped"},
}

func TestRoundTrip(t *testing.T) {
	for _, secrets := range [][][]byte{nil, {[]byte("nowhere")}} {
		rec := read(t, write(t, 0, secrets, some...))
		if rec.Header.Version != Version || rec.Header.Connection != "c-1" || string(rec.Header.Options) != `{"a":1}` || !rec.Ended || rec.Cut || rec.Reason != "over" {
			t.Errorf("%+v", rec)
		}
		for i, c := range rec.Calls {
			want := some[i]
			if string(c.In) != string(want.In) || string(c.Out) != string(want.Out) {
				t.Errorf("call %d: %+v, want %+v", i, c, want)
			}
			c.In, c.Out, want.In, want.Out = nil, nil, nil, nil
			if !reflect.DeepEqual(c, want) {
				t.Errorf("call %d: %+v, want %+v", i, c, want)
			}
		}
		if len(rec.Calls) != len(some) {
			t.Errorf("%d calls", len(rec.Calls))
		}
	}
}

// TestMask: a secret is nowhere in the file, wherever the deliveries are cut and whatever comes between the pieces; all else is there.
func TestMask(t *testing.T) {
	const secret = "s3cr3t-s3cr3tX"
	text := "before " + secret + secret + " s3cr3t-s3cr3 after s3cr3t-"
	want := strings.ReplaceAll(text, secret, strings.Repeat("*", len(secret)))
	for cut := 1; cut < len(text); cut++ {
		for _, pieces := range [][]string{{text[:cut], text[cut:]}, cutAll(text, cut)} {
			calls := []Call{{Kind: Open}}
			for _, p := range pieces {
				calls = append(calls, data(abi.Upstream, p), data(abi.Agent, "s3cr3t-"), Call{Kind: Event, In: []byte("e " + secret), Out: []byte("o " + secret)})
			}
			b := write(t, 0, [][]byte{[]byte(secret), []byte("abc")}, calls...)
			rec := read(t, b)
			got, agent := "", ""
			for _, c := range rec.Calls {
				switch {
				case c.Kind == Data && c.Side == abi.Upstream:
					got += string(c.In)
				case c.Kind == Data:
					agent += string(c.In)
				case c.Kind == Event && (string(c.In) != "e "+strings.Repeat("*", len(secret)) || string(c.Out) != "o "+strings.Repeat("*", len(secret)) || !c.Masked):
					t.Errorf("event %q %q", c.In, c.Out)
				}
			}
			if got != want || agent != strings.Repeat("s3cr3t-", len(pieces)) || len(rec.Calls) != len(calls) {
				t.Fatalf("cut at %d: %q\nwant %q; of the agent %q", cut, got, want, agent)
			}
		}
	}
}

func cutAll(s string, n int) (pieces []string) {
	for len(s) > n {
		pieces, s = append(pieces, s[:n]), s[n:]
	}
	return append(pieces, s)
}

// TestQueueIsBounded: a side that stops in the middle of a secret does not make the writer keep the other side's bytes for ever.
func TestQueueIsBounded(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, Header{}, 0, [][]byte{[]byte("secret")})
	if err != nil {
		t.Fatal(err)
	}
	first, more := data(abi.Agent, "sec"), data(abi.Upstream, strings.Repeat("x", 64<<10))
	for _, c := range append([]Call{{Kind: Open}, first}, slicesOf(more, 40)...) {
		if err := w.Call(&c); err != nil {
			t.Fatal(err)
		}
		if w.queued > mostQueued+64<<10 {
			t.Fatalf("%d bytes are kept", w.queued)
		}
	}
	if w.queued != 0 && len(w.queue) > 20 {
		t.Errorf("%d calls with %d bytes wait", len(w.queue), w.queued)
	}
}

func slicesOf(c Call, n int) (all []Call) {
	for range n {
		all = append(all, c)
	}
	return all
}

func TestLimit(t *testing.T) {
	calls := append([]Call{{Kind: Open}}, slicesOf(data(abi.Agent, strings.Repeat("x", 1000)), 100)...)
	b := write(t, 20_000, nil, calls...)
	rec := read(t, b)
	if len(b) > 20_000 || !rec.Ended || !rec.Cut || len(rec.Calls) < 5 || len(rec.Calls) > 20 {
		t.Errorf("%d bytes, %d calls, ended %v, cut %v", len(b), len(rec.Calls), rec.Ended, rec.Cut)
	}
}

type broken struct{ n int }

func (b *broken) Write(p []byte) (int, error) {
	if b.n -= len(p); b.n < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestWriteError(t *testing.T) {
	w, err := NewWriter(&broken{n: 40 << 10}, Header{}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := data(abi.Agent, strings.Repeat("x", 10_000))
	failed := 0
	for range 20 {
		if err := w.Call(&c); err != nil {
			failed++
		}
	}
	if err := w.Close(""); err == nil || failed == 0 || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("%v after %d", err, failed)
	}
}

func TestReadErrors(t *testing.T) {
	const head = `{"sallyport_recording":1}` + "\n"
	for text, want := range map[string]string{
		"":                          "empty",
		"hello\n":                   "not a recording",
		`{"sallyport_recording":2}`: "version 1",
		head + `{"call":"data"}`:    "first call",
		head + `{"call":"open"}` + "\n" + `{"call":"open"}`:                          "first call",
		head + `{"call":"open"}` + "\n" + `{"call":"data"}`:                          "has a side",
		head + `{"call":"open"}` + "\n" + `{"call":"data","side":"left"}`:            "left",
		head + `{"call":"open"}` + "\n" + `{"call":"jump"}`:                          "jump",
		head + `{"call":"open"}` + "\n" + `{"call":"event","end_of_side":true}`:      "has a side",
		head + `{"call":"open"}` + "\n" + `{"ended":""}` + "\n" + `{"call":"event"}`: "follows the end",
		head + `{"call":"open","in":"?"}`:                                            "line 2",
		head + strings.Repeat("x", 17<<20):                                           "line 2",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: %v, want %q", text, err, want)
		}
	}
	if rec := read(t, []byte(head+`{"call":"open"}`)); rec.Ended || len(rec.Calls) != 1 {
		t.Errorf("a file without an end: %+v", rec)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, 0, nil, some...))
	f.Add([]byte(`{"sallyport_recording":1}` + "\n" + `{"call":"open"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		again := read(t, write(t, 0, nil, rec.Calls...))
		if fmt.Sprint(again.Calls) != fmt.Sprint(rec.Calls) && !again.Cut {
			t.Errorf("%+v\n%+v", rec.Calls, again.Calls)
		}
	})
}
