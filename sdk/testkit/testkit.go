//go:build !wasip1

// Package testkit runs a plugin's tests twice: natively, where a debugger and the race detector see it, and as the built .wasm in the
// sandbox that the gateway uses.
//
//	func TestPlugin(t *testing.T) {
//		testkit.Run(t, testkit.Suite{
//			New:           func() sdk.Plugin { return &plugin{} },
//			Build:         ".",
//			Conversations: "testdata/*.txt",
//		})
//	}
//
// Each conversation (package conversation has the format) is played whole, byte by byte, and cut in two at every byte; all must lead to
// the same actions and bytes, natively and in the sandbox. What a conversation cannot say is said in Go with [Each] and package drygate.
//
// This package belongs to plugins' tests, so it lives in sdk, though it needs the host's sandbox: an author imports nothing from host.
package testkit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// Suite says what is tested. New, or one of Build and Module, must be there.
type Suite struct {
	// New makes the plugin, not configured, for the native runs.
	New func() sdk.Plugin
	// Call runs companion k natively; nil when the plugin has none.
	Call func(k int, in, out []byte) (int, error)
	// Build is the folder of the plugin's main package, which is built for the sandbox.
	Build string
	// Module is the path of the built .wasm, for plugins that are not built by go build.
	Module string
	// Conversations is a pattern of conversation files, as for filepath.Glob.
	Conversations string
}

// Plugin is one form of the plugin under test.
type Plugin struct {
	Name string // "native" or "wasm"
	open func(t testing.TB, options map[string]any) (func() drygate.Guest, *abi.Manifest)
}

// Configure configures the plugin with an endpoint's options, and returns what makes the guest of a connection.
func (p *Plugin) Configure(t testing.TB, options map[string]any) (guests func() drygate.Guest, m *abi.Manifest) {
	t.Helper()
	return p.open(t, options)
}

// Run plays every conversation of the suite in every form of the plugin.
func Run(t *testing.T, s Suite) {
	t.Helper()
	files, err := filepath.Glob(s.Conversations)
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversation matches %q (%v)", s.Conversations, err)
	}
	transcripts := map[string]drygate.Transcript{}
	Each(t, s, func(t *testing.T, p *Plugin) {
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				script, err := conversation.Load(file)
				if err != nil {
					t.Fatal(err)
				}
				got := Play(t, p, script)
				if first, ok := transcripts[file]; ok {
					if same, a, b := first.Equal(got); !same {
						t.Errorf("natively: %s\nin the sandbox: %s", a, b)
					}
				}
				transcripts[file] = got
			})
		}
	})
}

// Each runs a test with every form of the plugin.
func Each(t *testing.T, s Suite, test func(t *testing.T, p *Plugin)) {
	t.Helper()
	if s.New != nil {
		t.Run("native", func(t *testing.T) { test(t, native(s)) })
	}
	if s.Build != "" || s.Module != "" {
		t.Run("wasm", func(t *testing.T) { test(t, sandboxed(t, s)) })
	}
}

// mostSplits bounds in how many places a conversation is cut in two.
const mostSplits = 2000

// Play plays a conversation whole, byte by byte, and cut in two at every byte (at most 2,000 places, evenly spread). It reports what
// is not as the script says, or differs from run to run, and returns what happened.
func Play(t testing.TB, p *Plugin, s *conversation.Script) drygate.Transcript {
	t.Helper()
	guests, m := p.Configure(t, s.Options)
	whole, problems := s.Play(guests(), m, nil)
	for _, err := range problems {
		t.Error(err)
	}
	if t.Failed() {
		t.Logf("what happened:\n%s", whole)
		return whole
	}
	splits := append([]conversation.Cut{conversation.EachByte}, s.Cuts(mostSplits)...)
	for _, cut := range splits {
		got := s.Replay(guests(), m, cut)
		if same, a, b := whole.Equal(got); !same {
			t.Errorf("%s: cutting the bytes (%v) makes a difference\nwhole: %s\ncut: %s", s.Name, cut, a, b)
			break
		}
	}
	return whole
}

// native is the plugin as ordinary Go.
func native(s Suite) *Plugin {
	return &Plugin{"native", func(t testing.TB, options map[string]any) (func() drygate.Guest, *abi.Manifest) {
		t.Helper()
		p := s.New()
		m, err := sdk.ConfigureNative(p, options)
		if err != nil {
			t.Fatal(err)
		}
		return func() drygate.Guest { return sdk.NewNative(p, s.Call) }, m
	}}
}

// sandboxed is the plugin as a module.
func sandboxed(t *testing.T, s Suite) *Plugin {
	t.Helper()
	file := s.Module
	if file == "" {
		file = filepath.Join(t.TempDir(), "plugin.wasm")
		Build(t, s.Build, file)
	}
	wasm, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	engine, err := guest.NewEngine(ctx, guest.Options{CacheDir: cacheDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	module, err := engine.Load(ctx, "plugin", wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(module.Close)
	m, err := abi.ParseManifest(module.Manifest())
	if err != nil {
		t.Fatal(err)
	}
	return &Plugin{"wasm", func(t testing.TB, options map[string]any) (func() drygate.Guest, *abi.Manifest) {
		t.Helper()
		resolved, err := m.ResolveOptions(options)
		if err != nil {
			t.Fatal(err)
		}
		template, err := module.Configure(ctx, resolved)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(template.Close)
		return func() drygate.Guest {
			g, err := template.New(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return clone{g}
		}, m
	}}
}

// clone is a guest as drygate sees it.
type clone struct{ *guest.Guest }

// Data delivers bytes of a side.
func (c clone) Data(side abi.Side, p []byte, flags uint32) ([]byte, bool, error) {
	return c.Guest.Data(uint32(side), p, flags)
}

// Build builds the main package in dir into a module at out, as sdk's package comment says.
func Build(t testing.TB, dir, out string) {
	t.Helper()
	out, err := filepath.Abs(out)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildmode=c-shared", "-ldflags", "-s -w", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("go build in %s: %w\n%s", dir, err, msg))
	}
}

// cacheDir is where compiled modules are kept between runs of tests; empty when there is no place for that.
func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir = filepath.Join(dir, "sallyport-testkit")
	if os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	return filepath.Join(dir, "compiled")
}
