// Package hostile holds small plugins that try to break the host: each is one attack, with where it must end and what the error must
// say. Test suites of the sandbox, of the gate and of the whole gateway run them beside an honest plugin, [Benign], which
// must notice nothing. Nothing in this package is for anything but tests.
//
// Modules are built in Go, byte by byte, so that they say themselves what they do.
package hostile

import (
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/host/guest"
	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// Stage is where an attack must end.
type Stage int

const (
	AtLoad      Stage = iota // guest.Engine.Load fails, before anything of the module has run
	AtStart                  // Load fails when the module is initialised or described
	AtConfigure              // guest.Plugin.Configure fails
	AtCall                   // Open, Data or Event fails
	AtGate                   // the sandbox hands out what the module says; the gate must not believe it
)

// Module is one attack.
type Module struct {
	Name  string
	Wasm  []byte
	Stage Stage
	Kind  error  // which error of package guest the failure wraps; nil at the gate
	Say   string // part of the error's text
	Ends  bool   // at the gate: the connection ends by the plugin's own wish, not failed
}

// Limits are options under which every module of this package fails within a second or two, and under which [Benign] works.
func Limits() guest.Options {
	return guest.Options{
		MemoryLimit: 4 << 20,
		Fuel:        guest.Fuel{Base: 1_000_000, PerByte: 10, Cap: 1_000_000, Setup: 1_000_000, CompanionPerByte: 10, CompanionCap: 1_000_000},
	}
}

// Benign is an honest plugin that answers each call with what it was given.
func Benign() []byte { return wt.Plugin{}.Build() }

// Modules is all attacks.
func Modules() []Module {
	return slices.Concat(broken(), misfits(), bombs(), starters(), callers(), companions(), talkers())
}

// At selects the attacks that must end at a stage.
func At(stages ...Stage) []Module {
	return slices.DeleteFunc(Modules(), func(m Module) bool { return !slices.Contains(stages, m.Stage) })
}

var (
	i32  = []byte{wt.I32}
	zero = wt.I32Const(0)
	spin = wt.Loop(wt.Br(0))
	trap = wt.Op(wt.Unreachable)
)

// list makes attacks of one stage and kind of named modules, sorted by name.
type entry struct {
	wasm []byte
	say  string
}

func list(stage Stage, kind error, entries map[string]entry) []Module {
	var ms []Module
	for name, e := range entries {
		ms = append(ms, Module{Name: name, Wasm: e.wasm, Stage: stage, Kind: kind, Say: e.say})
	}
	slices.SortFunc(ms, func(a, b Module) int { return strings.Compare(a.Name, b.Name) })
	return ms
}

// with is the benign plugin with something added.
func with(add func(*wt.Module)) []byte { return wt.Plugin{Finish: add}.Build() }
