package abi

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// seed gives the vectors of one kind.
func seed(f *testing.F, kind string) {
	for _, v := range vectors(f) {
		if v.kind == kind {
			f.Add(v.bytes)
		}
	}
}

// FuzzNext: what is read without error is written again the same, and never more than was there.
func FuzzNext(f *testing.F) {
	seed(f, "command")
	f.Fuzz(func(t *testing.T, list []byte) {
		var c Command
		for rest := list; len(rest) > 0; {
			next, err := Next(rest, &c)
			if err != nil {
				if next != nil {
					t.Fatal("an error with something that follows")
				}
				return
			}
			size := len(rest) - len(next)
			if again := commandAgain(&c); !bytes.Equal(again, rest[:size]) || CommandSize(rest) != size {
				t.Fatalf("%s is written % x, was % x", commandText(&c), again, rest[:size])
			}
			rest = next
		}
	})
}

// FuzzReadAction: what is read keeps to the manifest, and means the same when it is written again.
func FuzzReadAction(f *testing.F) {
	seed(f, "action")
	m := vectorManifest()
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ReadAction(b, m)
		if err != nil {
			return
		}
		if !a.Class.Valid() || len(a.Title) > MaxTitle || len(a.Values) != len(a.Family.Fields) {
			t.Fatalf("%+v", a)
		}
		for i, v := range a.Values {
			field := &a.Family.Fields[i]
			if v.Known && field.Type == TypeString && !field.allows(v.Str) {
				t.Fatalf("%s is %q", field.Name, v.Str)
			}
			for _, s := range v.List {
				if !field.allows(s) {
					t.Fatalf("%s has %q", field.Name, s)
				}
			}
			if !v.Known && !reflect.DeepEqual(v, Value{}) {
				t.Fatalf("%s is not known, and %+v", field.Name, v)
			}
		}
		again, err := ReadAction(actionAgain(a, m), m)
		if err != nil || actionText(again) != actionText(a) {
			t.Fatalf("written again %v, was %v: %v", again, a, err)
		}
	})
}

func FuzzReadEvent(f *testing.F) {
	seed(f, "event")
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ReadEvent(b)
		if err == nil && !bytes.Equal(AppendEvent(nil, &e), b) {
			t.Fatalf("%+v is written otherwise than % x", e, b)
		}
	})
}

func FuzzReadFacts(f *testing.F) {
	seed(f, "facts")
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, err := ReadFacts(b)
		if err != nil {
			return
		}
		again := AppendFacts(nil, &facts)
		if read, err := ReadFacts(again); err != nil || !reflect.DeepEqual(read, facts) || len(again) > len(b) {
			t.Fatalf("%+v is written % x, which reads %+v %v", facts, again, read, err)
		}
	})
}

// FuzzParseManifest: what is taken can be written, is taken again, and its defaults are valid options.
func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(wholeManifest))
	f.Add([]byte(`{"name":"x","families":[{"name":"f","fields":[]}]}`))
	f.Add([]byte(`{"name":"x","families":[{"name":"f","fields":[{"name":"a","type":"strings"}]}],"options":[{"name":"o","type":"int","default":9007199254740993}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseManifest(b)
		if err != nil {
			return
		}
		if _, err := m.ResolveOptions(nil); err != nil {
			t.Fatal("its own defaults:", err)
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseManifest(again); err != nil && len(again) <= MaxManifest {
			t.Fatalf("%s: %v", again, err)
		}
	})
}
