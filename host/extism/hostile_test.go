package extism

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestHostile: whatever a guest does to get more than its share ends its own connection and nobody else's, in both lanes and with
// the same words.
func TestHostile(t *testing.T) {
	words := map[string]string{
		"trap": "trapped", "spin": "fuel is spent", "recurse": "call stack is exhausted", "bomb": "memory limit reached",
		"steal": "action 1000 is not an allowed action", "lie": "command that cannot be read",
	}
	only := map[string]string{"huge": "answered out of bounds", "blocks": ""}
	for _, l := range lanes(t, nil) {
		t.Run(l.name, func(t *testing.T) {
			bystander := serve(t, l.guest(t))
			bystander.reads(bystander.agent, "hello\n")
			try := func(word, reason string) {
				w := serve(t, l.guest(t))
				w.reads(w.agent, "hello\n")
				w.write(w.agent, word+"\n")
				if rest, err := io.ReadAll(w.agent); len(rest) > 0 || err == nil {
					t.Errorf("%s: the agent got %q, %v", word, rest, err)
				}
				if e := w.over(); !e.FailClosed || !strings.Contains(e.Reason, reason) || e.Written[abi.Upstream] != 0 {
					t.Errorf("%s: the end is %+v", word, e)
				}
				bystander.write(bystander.agent, "get a\n")
				bystander.reads(bystander.upstream, "get a\n")
				bystander.write(bystander.upstream, "ok\n")
				bystander.reads(bystander.agent, "ok\n")
			}
			for word, reason := range words {
				try(word, reason)
			}
			if l.name == "extism" {
				for word, reason := range only {
					try(word, reason)
				}
			}
		})
	}
}

// TestDead: after an error every call returns that error, and closing twice is fine.
func TestDead(t *testing.T) {
	g := extismGuest(t, extismTemplate(t, nil))
	if _, _, err := g.Open(nil); err != nil {
		t.Fatal(err)
	}
	verdict := abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: 1})
	if _, _, err := g.Event(verdict); err != nil {
		t.Fatal(err)
	}
	_, _, first := g.Data(abi.Agent, []byte("trap\n"), 0)
	var e *guest.Error
	if !errors.As(first, &e) || !errors.Is(first, guest.ErrTrap) || e.Plugin != "lines" || e.Call != expData {
		t.Fatalf("the trap is %v", first)
	}
	if _, _, err := g.Event(nil); err != first {
		t.Errorf("then %v", err)
	}
	g.Close()
	g.Close()
	if _, _, err := g.Data(abi.Agent, nil, 0); err != first {
		t.Errorf("then %v", err)
	}
}

// TestInterrupt: a call that computes ends when its guest is closed.
func TestInterrupt(t *testing.T) {
	o := limits
	o.Fuel = guest.Fuel{Base: 1 << 50, Cap: 1 << 50}
	p, err := New(o).Load(t.Context(), "lines", build(t, "lines.c", "-DLANE_EXTISM"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	tmpl, err := p.Configure(t.Context(), []byte(greeting))
	if err != nil {
		t.Fatal(err)
	}
	defer tmpl.Close()
	g, err := tmpl.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Open(nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: 1})); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, _, err := g.Data(abi.Agent, []byte("spin\n"), 0)
		failed <- err
	}()
	g.Interrupt()
	select {
	case err := <-failed:
		if !errors.Is(err, guest.ErrInterrupted) {
			t.Errorf("interrupted: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("an interrupted guest goes on")
	}
	g.Close()
}

// TestRefused: what a module may not have is named when it is loaded.
func TestRefused(t *testing.T) {
	for flag, want := range map[string]string{
		"HTTP":      `import "extism:host/env"."http_request" is one of Extism that a plugin of this gateway may not have`,
		"RESET":     `"extism:host/env"."reset"`,
		"USER":      `import "extism:host/user"."secrets" () -> (i32) is not one that a plugin may have`,
		"NATIVE":    `import "sallyport"."log"`,
		"WASI":      `import "wasi_snapshot_preview1"."open_everything" is not one that the host has`,
		"WASI_TYPE": `import "wasi_snapshot_preview1"."fd_sync" has the type (i32 i32) -> (i32), not (i32) -> (i32)`,
		"ENV_TYPE":  `Extism can run`,
		"NO_DATA":   `function "sallyport_data" () -> (i32) is not exported`,
		"ARGUMENT":  `function "sallyport_data" has the type (i32) -> (i32), not () -> (i32)`,
		"VERSION":   `this host speaks version 0`,
		"EMPTY":     `sallyport_abi gives ""`,
		"SPIN":      "fuel is spent",
		"EXIT":      "exited: with code 3",
		"BIG":       "memory",
	} {
		t.Run(flag, func(t *testing.T) {
			p, err := New(limits).Load(t.Context(), "bad", build(t, "refused.c", "-D"+flag))
			if err == nil {
				p.Close()
				t.Fatal("it loads")
			}
			var e *guest.Error
			if !errors.As(err, &e) || e.Plugin != "bad" || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
	wasm := build(t, "refused.c", "-DGOOD") // the benign twin
	p, err := New(limits).Load(t.Context(), "good", wasm)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if !bytes.Equal(p.Manifest(), []byte("{}")) || p.Name() != "good" {
		t.Errorf("manifest %q, name %q", p.Manifest(), p.Name())
	}
	for _, n := range []int{0, 1, 8, 20, len(wasm) / 2, len(wasm) - 1} {
		if p, err := New(limits).Load(t.Context(), "cut", wasm[:n]); err == nil {
			p.Close()
			t.Errorf("the first %d bytes load", n)
		}
	}
	if _, err := p.Configure(t.Context(), nil); !errors.Is(err, guest.ErrTrap) {
		t.Errorf("a plugin that fails without a word: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(limits).Load(ctx, "late", wasm); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestOptions: the plugin's own words about wrong options reach the operator.
func TestOptions(t *testing.T) {
	p, err := New(limits).Load(t.Context(), "lines", build(t, "lines.c", "-DLANE_EXTISM"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Configure(t.Context(), []byte(`{"greeting":"rude"}`)); !errors.Is(err, guest.ErrConfigure) || !strings.Contains(err.Error(), "a greeting must not be rude") {
		t.Errorf("got %v", err)
	}
	tmpl, err := p.Configure(t.Context(), []byte(greeting))
	if err != nil {
		t.Fatal(err)
	}
	g, err := tmpl.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tmpl.Close()
	p.Close()
	if _, _, err := g.Open(nil); err != nil {
		t.Errorf("a guest of a closed template: %v", err)
	}
	if _, err := tmpl.New(t.Context()); !errors.Is(err, guest.ErrClosed) {
		t.Errorf("a new guest of a closed template: %v", err)
	}
	if _, err := p.Configure(t.Context(), nil); !errors.Is(err, guest.ErrClosed) {
		t.Errorf("a new template of a closed plugin: %v", err)
	}
	g.Close()
}

// TestWorld: a guest sees a clock that stands still, randomness that is always the same, and its log lines are bounded.
func TestWorld(t *testing.T) {
	var out bytes.Buffer
	o := limits
	o.Fuel.Setup = 0 // the usual: it logs much
	quiet := o
	o.Logger = slog.New(slog.NewTextHandler(&out, nil))
	p, err := New(o).Load(t.Context(), "curious", build(t, "refused.c", "-DCURIOUS"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	q, err := New(quiet).Load(t.Context(), "curious", build(t, "refused.c", "-DCURIOUS"))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if !bytes.Equal(p.Manifest(), q.Manifest()) || len(p.Manifest()) < 16 {
		t.Errorf("two runs see %x and %x", p.Manifest(), q.Manifest())
	}
	if text := out.String(); !strings.Contains(text, "logged by a guest") || !strings.Contains(text, "plugin=curious") || !strings.Contains(text, "written by a guest") {
		t.Errorf("the log is %q", text)
	}
	if n := out.Len(); n > 1<<20 || !strings.Contains(out.String(), "logged too much") {
		t.Errorf("the log has %d bytes", n)
	}
}

func TestIs(t *testing.T) {
	if !Is(build(t, "lines.c", "-DLANE_EXTISM")) || Is(build(t, "lines.c")) {
		t.Error("the lanes are not told apart")
	}
	for _, b := range [][]byte{nil, []byte("\x00asm\x01\x00\x00\x00"), []byte("\x00asm\x01\x00\x00\x00\x02\x80\x80\x80\x80\x80"), []byte("\x00asm\x01\x00\x00\x00\x02\x03\xff\xff\xff")} {
		if Is(b) {
			t.Errorf("%x is one", b)
		}
	}
}

func FuzzIs(f *testing.F) {
	f.Add(build(f, "lines.c", "-DLANE_EXTISM"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x02\x03\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if Is(b) && !bytes.Contains(b, []byte(envModule)) {
			t.Error("it does not import what it is said to")
		}
	})
}
