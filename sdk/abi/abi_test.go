package abi

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	if got := strings.Join(ClassNames(), " "); got != "session read write delete admin execute opaque" {
		t.Error(got)
	}
	if ClassOpaque.String() != "opaque" || Class(7).Valid() || Class(7).String() != "class 7" {
		t.Error("classes")
	}
	if Agent.Other() != Upstream || Upstream.Other() != Agent || Side(2).String() != "side 2" {
		t.Error("sides")
	}
	if Allow.String() != "allow" || Deny.String() != "deny" || Outcome(2).String() != "outcome 2" || Tag(0).String() != "unknown command" {
		t.Error("outcomes and tags")
	}
}

// Each limit lets its own size through and nothing more.
func TestLimits(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name string
		make func(extra int) []byte
		want string
	}{
		{"action", func(n int) []byte { return AppendAsk(nil, 1, 1, 0, make([]byte, MaxAction+n)) }, "ASK: an action of 49153 bytes, the limit is 49152"},
		{"note", func(n int) []byte { return AppendNote(nil, 1, "k", text(MaxNote-4-4-1+n)) }, "NOTE: 4097 bytes, the limit is 4096"},
		{"auth", func(n int) []byte { return AppendAuth(nil, 1, 0, make([]byte, MaxAuth+n)) }, "AUTH: words of 16385 bytes, the limit is 16384"},
		{"reason", func(n int) []byte {
			b, s := begin(nil, TagClose)
			return finish(append(append(b, 0), text(MaxReason+n)...), s)
		}, "CLOSE: a reason of 1025 bytes, the limit is 1024"},
	} {
		var cmd Command
		if _, err := Next(c.make(0), &cmd); err != nil {
			t.Errorf("%s of the largest size: %v", c.name, err)
		}
		if _, err := Next(c.make(1), &cmd); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	var c Command
	if _, err := Next(AppendClose(nil, true, text(MaxReason+1)), &c); err != nil || len(c.Data) != MaxReason {
		t.Errorf("a long reason is not cut: %d bytes, %v", len(c.Data), err)
	}
	var w ActionWriter
	w.Begin([]byte("before"), 0, ClassRead, text(MaxTitle+1))
	if n := w.Len(); n != len("before")+2+1+4+MaxTitle+2 {
		t.Errorf("%d bytes with a title that is cut", n)
	}
	a, err := ReadAction(w.End()[len("before"):], vectorManifest())
	if err != nil || len(a.Title) != MaxTitle {
		t.Errorf("a long title is not cut: %v", err)
	}
}

func TestExtendPass(t *testing.T) {
	two := AppendPass(AppendDrop(nil, Agent, 1), Agent, 7, 10)
	for _, c := range []struct {
		name string
		b    []byte
		side Side
		id   uint32
		n    uint64
		want bool
	}{
		{"same", two, Agent, 7, 5, true},
		{"another side", two, Upstream, 7, 5, false},
		{"another action", two, Agent, 8, 5, false},
		{"a sum that overflows", two, Agent, 7, math.MaxUint64 - 9, false},
		{"the largest sum", two, Agent, 7, math.MaxUint64 - 10, true},
		{"no pass", AppendDrop(nil, Agent, 1), Agent, 7, 5, false},
		{"nothing", nil, Agent, 7, 5, false},
	} {
		b := bytes.Clone(c.b)
		if got := ExtendPass(b, c.side, c.id, c.n); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		want := c.b
		if c.want {
			want = AppendPass(AppendDrop(nil, Agent, 1), Agent, 7, 10+c.n)
		}
		if !bytes.Equal(b, want) {
			t.Errorf("%s: % x, want % x", c.name, b, want)
		}
	}
}

// What Next returns is what follows, and an error leaves nothing to go on with.
func TestLists(t *testing.T) {
	list := AppendDone(AppendStock(AppendDial(nil, 1), 2), 3)
	var c Command
	var tags []string
	for rest := list; len(rest) > 0; {
		var err error
		if rest, err = Next(rest, &c); err != nil {
			t.Fatal(err)
		}
		tags = append(tags, c.Tag.String())
	}
	if got := strings.Join(tags, " "); got != "DIAL STOCK DONE" {
		t.Error(got)
	}
	for cut := range len(list) {
		rest, last := list[:cut], error(nil)
		for len(rest) > 0 && last == nil {
			rest, last = Next(rest, &c)
		}
		whole := cut == 0 || cut == len(AppendDial(nil, 1)) || cut == len(AppendStock(AppendDial(nil, 1), 2))
		if (last == nil) != whole || last != nil && rest != nil {
			t.Errorf("cut at %d: %v, % x", cut, last, rest)
		}
	}
}

// The guest's half stands without the host's.
func TestBuildsForWasm(t *testing.T) {
	build := exec.Command("go", "build", "-o", os.DevNull, ".")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}
