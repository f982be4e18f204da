package pack

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// custom makes a custom section whose size is written in five bytes, as linkers do, when padded.
func custom(name, content string, padded bool) []byte {
	value := append([]byte{byte(len(name))}, name+content...)
	head := []byte{0, byte(len(value))}
	if padded {
		head = []byte{0, byte(len(value)) | 0x80, 0x80, 0x80, 0x80, 0}
	}
	return append(head, value...)
}

func module(sections ...[]byte) []byte { return slices.Concat(header, slices.Concat(sections...)) }

var (
	empty = module()
	types = []byte{1, 4, 1, 0x60, 0, 0} // one type, func()
)

func TestPutAndList(t *testing.T) {
	plugin := module(custom("before", "x", true), types, custom("name", "y", false))
	one, two := Companion{"one", module(types)}, Companion{"two-2", empty}

	packed, err := Put(plugin, two, one)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(packed, plugin) {
		t.Error("what was in the file has changed")
	}
	if again, err := Put(plugin, one, two); err != nil || !bytes.Equal(again, packed) {
		t.Error("the order of the arguments changes the result", err)
	}
	wantList(t, packed, one, two)

	one.Module = module(types, custom("longer", strings.Repeat("z", 100), false))
	replaced, err := Put(packed, one)
	if err != nil {
		t.Fatal(err)
	}
	wantList(t, replaced, two, one)
	if direct, _ := Put(plugin, two); !bytes.HasPrefix(replaced, direct) {
		t.Error("replacing one companion changed another")
	}
	if same, err := Put(packed); err != nil || !bytes.Equal(same, packed) {
		t.Error("putting nothing changes the file", err)
	}
}

func wantList(t *testing.T, module []byte, want ...Companion) {
	t.Helper()
	got, err := List(module)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, func(a, b Companion) bool { return a.Name == b.Name && bytes.Equal(a.Module, b.Module) }) {
		t.Errorf("companions %v, want %v", got, want)
	}
}

func TestLargeCompanion(t *testing.T) {
	// 200,000 bytes: its size takes three bytes.
	big := Companion{"big", module(append([]byte{0, 0x80 | 0x40, 0x9a, 0x0c, 1, 'n'}, make([]byte, 200_000-2)...))}
	packed, err := Put(empty, big)
	if err != nil {
		t.Fatal(err)
	}
	wantList(t, packed, big)
}

func TestRefused(t *testing.T) {
	fine := Companion{"fine", empty}
	for _, c := range []struct {
		name   string
		module []byte
		put    []Companion
		want   string
	}{
		{"empty file", nil, nil, "not a WebAssembly file"},
		{"another file", []byte("\x7fELF\x02\x01\x01\x00"), nil, "not a WebAssembly file"},
		{"header cut short", []byte("\x00asm\x01"), nil, "cut short in its header"},
		{"component", []byte("\x00asm\x0d\x00\x01\x00"), nil, "not a core module"},
		{"unknown section", module([]byte{14, 0}), nil, "section at byte 8: id 14"},
		{"no size", module([]byte{1}), nil, "cut short in a number"},
		{"size cut short", module([]byte{1, 0x80}), nil, "cut short in a number"},
		{"size of 33 bits", module([]byte{1, 0x80, 0x80, 0x80, 0x80, 0x10}), nil, "more than 32 bits"},
		{"size of six bytes", module([]byte{1, 0x80, 0x80, 0x80, 0x80, 0x80, 0}), nil, "more than 32 bits"},
		{"size past the end", module(types[:5]), nil, "4 bytes long, but only 3 are left"},
		{"largest size", module([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f}), nil, "4294967295 bytes long"},
		{"custom without a name", module([]byte{0, 0}), nil, "the length of its name"},
		{"name past its section", module([]byte{0, 2, 5, 'a'}, types), nil, "a name of 5 bytes, but only 1 are left"},
		{"second section broken", module(types, []byte{1}), nil, "section at byte 14"},
		{"companion twice", empty, []Companion{fine, fine}, `"fine" is given twice`},
		{"companion of no wasm", empty, []Companion{{"fine", []byte("text")}}, `companion "fine": not a WebAssembly file`},
		{"companion broken", empty, []Companion{{"fine", module([]byte{99})}}, "id 99"},
		{"name empty", empty, []Companion{{"", empty}}, "not of the form"},
		{"name in capitals", empty, []Companion{{"Fine", empty}}, "not of the form"},
		{"name too long", empty, []Companion{{strings.Repeat("a", 64), empty}}, "not of the form"},
	} {
		if _, err := Put(c.module, c.put...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Put: %v, want %q", c.name, err, c.want)
		}
		if _, err := List(c.module); len(c.put) == 0 && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: List: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := Put(empty, fine); err != nil {
		t.Error("the benign twin:", err)
	}
	twice := module(custom(Prefix+"a", "x", false), custom(Prefix+"a", "y", false))
	if _, err := List(twice); err == nil || !strings.Contains(err.Error(), "in the file twice") {
		t.Errorf("a companion that is in the file twice: %v", err)
	}
	if healed, err := Put(twice, Companion{"a", empty}); err != nil {
		t.Error(err)
	} else {
		wantList(t, healed, Companion{"a", empty})
	}
}

func FuzzPut(f *testing.F) {
	f.Add(module(types, custom(Prefix+"x", "y", true)), module(types))
	f.Add(empty, module(custom("name", "", false)))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x00\xff\xff\xff\xff\x0f"), empty)
	f.Fuzz(func(t *testing.T, plugin, companion []byte) {
		packed, err := Put(plugin, Companion{"fuzz", companion})
		if err != nil {
			return
		}
		list, err := List(packed)
		if err != nil {
			return // another companion was in the file twice
		}
		last := list[len(list)-1]
		if last.Name != "fuzz" || !bytes.Equal(last.Module, companion) {
			t.Fatalf("put %x, found %q %x", companion, last.Name, last.Module)
		}
		if again, err := Put(packed, last); err != nil || !bytes.Equal(again, packed) {
			t.Fatal("putting the same again changes the file", err)
		}
	})
}
