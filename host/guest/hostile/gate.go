package hostile

import (
	"math"
	"slices"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Title is the title of the actions about which the modules of [AtGate] ask; DeniedTitle is that of actions which the test's session
// must deny. It must allow every other.
const (
	Title       = "hostile"
	DeniedTitle = "hostile, to be denied"
)

// Manifest is that of every module of [AtGate]: the connection's family, one without fields, and one constant.
func Manifest() *abi.Manifest {
	return &abi.Manifest{
		Name:     "hostile",
		Families: []abi.Family{{Name: abi.FamilyConnect}, {Name: "toy", Fields: []abi.Field{{Name: "verb", Type: abi.TypeString}}}},
		Stock:    []abi.Constant{{Name: "ping", Bytes: []byte("PING")}},
	}
}

// script is what a plugin says, whatever it is told.
type script struct {
	open, data, event []byte
	more              bool // every call says that there is more
	counts            bool // every event begins with a question, each time under the next number
}

// build writes the script as a module.
func (s script) build() []byte {
	const first = 0x50000
	at, lists := int32(first), [][]byte{s.open, s.data, s.event}
	say := func(b []byte) []byte {
		from, n := at, int32(len(b))
		if at += n; s.more {
			n |= math.MinInt32
		}
		return wt.Code(wt.I32Const(wt.Out), wt.I32Const(from), wt.I32Const(int32(len(b))), wt.MemoryCopy(), wt.I32Const(n))
	}
	p := wt.Plugin{
		Manifest: string(abi.AppendManifest(nil, Manifest())),
		Pages:    8,
		Open:     say(s.open),
		Data:     say(s.data),
		Finish:   func(m *wt.Module) { m.Data(first, slices.Concat(lists...)) },
	}
	if number := at + 5; s.counts { // behind the command's tag and length
		p.Event = wt.Code(wt.I32Const(number), wt.I32Const(number), wt.Load32(0), wt.I32Const(1), wt.Op(wt.I32Add), wt.Store32(0))
	}
	p.Event = wt.Code(p.Event, say(s.event))
	return p.Build()
}

func ask(id uint32, extent uint64, flags uint8, title string) []byte {
	return question(id, extent, flags, 1, title)
}

func question(id uint32, extent uint64, flags uint8, family uint16, title string) []byte {
	var w abi.ActionWriter
	w.Begin(nil, family, abi.ClassRead, title)
	return abi.AppendAsk(nil, id, extent, flags, w.End())
}

// dialing asks for the connection as action 1 and opens it.
func dialing() []byte { return abi.AppendDial(question(1, 0, 0, 0, Title), 1) }

// Honest is the attacks' twin: it asks about the agent's first four bytes, passes them, and closes.
func Honest() []byte {
	return script{open: dialing(), data: slices.Concat(
		ask(2, 4, 0, Title), abi.AppendPass(nil, abi.Agent, 2, 4), abi.AppendClose(nil, false, "done"))}.build()
}

// talkers are plugins whose commands the gate must not carry out. Each opens its connection and does its worst when the agent has sent
// something; none may get a byte to the upstream.
func talkers() []Module {
	pass := func(id uint32, n uint64) []byte { return abi.AppendPass(nil, abi.Agent, id, n) }
	lying := func(b []byte, by byte) []byte { b[1] += by; return b }
	scan := func(f abi.Framing) []byte {
		return slices.Concat(ask(2, 0, abi.AskStreaming, Title), abi.AppendScan(nil, abi.Agent, 2, &f, abi.Types('d')))
	}
	huge := uint64(1) << 63
	frame := abi.Framing{Head: 8, LengthAt: 0, LengthWidth: 8, Max: math.MaxUint64}
	wide, behind := frame, frame
	wide.LengthWidth, behind.LengthAt = 200, 250
	var ms []Module
	for _, c := range []struct {
		name string
		say  [][]byte
	}{
		{"a list that is longer than it is", [][]byte{lying(ask(2, 4, 0, Title), 40)}},
		{"a list that is shorter than it is", [][]byte{lying(pass(1, 4), 0xff)}},
		{"a command cut off", [][]byte{pass(1, 4)[:7]}},
		{"a command that is not", [][]byte{{0xee, 4, 0, 0, 0, 1, 2, 3, 4}}},
		{"an action that is noise", [][]byte{abi.AppendAsk(nil, 2, 4, 0, []byte{0xff, 0xff, 0xff, 0xff, 9})}},
		{"passes without asking", [][]byte{pass(0, 4)}},
		{"passes under an action never asked", [][]byte{pass(7, 4)}},
		{"passes under the connection", [][]byte{pass(1, 4)}},
		{"passes what it was not given", [][]byte{ask(2, 4, 0, Title), pass(2, huge)}},
		{"passes beyond what was allowed", [][]byte{ask(2, 1, 0, Title), pass(2, 4)}},
		{"passes more than there is", [][]byte{ask(2, 1, 0, Title), pass(2, math.MaxUint64), pass(2, math.MaxUint64)}},
		{"asks the same twice", [][]byte{ask(2, 4, 0, Title), ask(2, 4, 0, Title)}},
		{"sends to the upstream", [][]byte{abi.AppendSend(nil, abi.Upstream, 0, []byte("DROP"))}},
		{"a constant that is not", [][]byte{abi.AppendStock(nil, 9)}},
		{"opens the connection again", [][]byte{abi.AppendDial(nil, 1)}},
		{"begins TLS unbidden", [][]byte{abi.AppendTLS(nil, abi.Upstream)}},
		{"logs in unbidden", [][]byte{abi.AppendAuth(nil, 1, 0, []byte("x"))}},
		{"an alias of nothing", [][]byte{abi.AppendAlias(nil, 64)}},
		{"notes about nothing", [][]byte{abi.AppendNote(nil, 99, "k", "v")}},
		{"ends what it never asked", [][]byte{abi.AppendDone(nil, 99)}},
		{"scans without asking", [][]byte{abi.AppendScan(nil, abi.Agent, 9, &frame, abi.Types('d'))}},
		{"scans with a width that is not", [][]byte{scan(wide)}},
		{"scans behind the head", [][]byte{scan(behind)}},
		{"drops for ever", [][]byte{abi.AppendDrop(nil, abi.Agent, math.MaxUint64), abi.AppendDrop(nil, abi.Agent, math.MaxUint64), pass(1, 1)}},
	} {
		ms = append(ms, Module{Name: c.name, Stage: AtGate, Wasm: script{open: dialing(), data: slices.Concat(c.say...)}.build()})
	}
	for _, c := range []struct {
		name      string
		ask, then []byte
	}{
		{"passes under what was denied", ask(2, 4, 0, DeniedTitle), pass(2, 4)},
		{"streams under what was denied", ask(2, 0, abi.AskStreaming, DeniedTitle), pass(2, 4)},
		{"sends under what was denied", ask(2, 0, abi.AskStreaming, DeniedTitle), abi.AppendSend(nil, abi.Upstream, 2, []byte("DROP"))},
		{"scans under what was denied", ask(2, 0, abi.AskStreaming, DeniedTitle), abi.AppendScan(nil, abi.Agent, 2, &frame, abi.Types('d'))},
		{"opens the connection, denied", question(2, 0, 0, 0, DeniedTitle), abi.AppendDial(nil, 2)},
	} {
		ms = append(ms, Module{Name: c.name, Stage: AtGate, Wasm: script{open: question(1, 0, 0, 0, Title), data: c.ask, event: c.then}.build()})
	}
	asking := script{open: question(1, 0, 0, 0, Title), event: ask(1, 0, 0, DeniedTitle), counts: true}
	return append(ms,
		Module{Name: "a billion questions", Stage: AtGate, Wasm: asking.build()},
		Module{Name: "more and more of nothing", Stage: AtGate, Wasm: script{open: dialing(), more: true}.build()},
		Module{Name: "goes on after it has closed", Stage: AtGate, Ends: true,
			Wasm: script{open: dialing(), data: slices.Concat(ask(2, 4, 0, Title), abi.AppendClose(nil, false, "done"), pass(2, 4))}.build()},
	)
}
