package line_test

import (
	"reflect"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/ssh/line"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

var samples = []line.Facts{
	{}, line.Unread("no"), {Argv: []string{"ls", ""}, Plain: true, Programs: []string{"ls"}, Class: abi.ClassRead},
	{Programs: []string{"scp"}, Class: abi.ClassWrite, Transfer: &line.Transfer{Protocol: line.SCP, Upload: true, Paths: []string{"/a"}, Class: abi.ClassWrite}},
}

func TestFacts(t *testing.T) {
	for _, f := range samples {
		b := line.AppendFacts(nil, &f)
		if got, err := line.ReadFacts(b); err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("%+v: %+v, %v", f, got, err)
		}
		for n := range b {
			if _, err := line.ReadFacts(b[:n]); err == nil {
				t.Errorf("%d of %d bytes were taken", n, len(b))
			}
		}
	}
}

func FuzzReadFacts(f *testing.F) {
	for _, s := range samples {
		f.Add(line.AppendFacts(nil, &s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if facts, err := line.ReadFacts(b); err == nil && string(line.AppendFacts(nil, &facts)) != string(b) {
			t.Errorf("%q is read as %+v", b, facts)
		}
	})
}
