package abi

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestAppendManifest(t *testing.T) {
	m := Manifest{
		Name: "toy", Version: "1.0 \"beta\"", Doc: "tabs\t, lines\n, é, 😀 and \\ and \x01",
		Families: []Family{
			{Name: "connect", Fields: []Field{}},
			{Name: "toy", Doc: "d", Fields: []Field{{Name: "a", Type: TypeString, Values: []string{"x", "y"}, Doc: "one"}, {Name: "b", Type: TypeStrings, Role: RoleText, Doc: ""}}},
		},
		Options: []Option{
			{Name: "size", Type: TypeInt, Min: -1, Max: 5, Default: 2, Doc: "s"},
			{Name: "wide", Type: TypeInt, Default: int64(1 << 40), Doc: "s"},
			{Name: "on", Type: TypeBool, Default: true, Doc: "o"},
			{Name: "mode", Type: TypeString, Values: []string{"fast"}, Default: "fast", Doc: "m"},
		},
		Stock:      []Constant{{Name: "bye", Bytes: []byte{0, 1, 255, 'x'}}},
		Companions: []Companion{{Name: "c"}, {Name: "d"}},
		Slots:      []Slot{{Name: "password", Form: "postgres", Doc: "p"}, {Name: "key", Form: "ssh-key"}},
		Attributes: []CredentialAttribute{{Name: "user", Doc: "the \"role\""}, {Name: "database"}},
		TLS:        &TLSWords{Protocols: []string{"x/2", "x"}, First: true},
	}
	for _, m := range []Manifest{m, {Name: "tunnel", Version: "1", Families: []Family{{Name: "toy", Fields: []Field{}}}, Transport: TransportSSH}, {Name: "bare", Version: "1", Families: []Family{{Name: "toy", Fields: []Field{}}}}} {
		want, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		got := AppendManifest(nil, &m)
		var a, b any
		if err := json.Unmarshal(got, &a); err != nil {
			t.Fatalf("%v in\n%s", err, got)
		}
		if err := json.Unmarshal(want, &b); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("written\n%s\nencoding/json writes\n%s", got, want)
		}
		if _, err := ParseManifest(got); err != nil {
			t.Error(err)
		}
	}
}
