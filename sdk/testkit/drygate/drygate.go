//go:build !wasip1

// Package drygate does with a guest what the gateway's gate does, without a network, goroutines or time: what it is given and
// what comes of it are values in memory, so a run is exactly repeatable. It is what a plugin is tested, checked and fuzzed with.
//
// It keeps the first law as the gate does: a PASS outside the range of an allowed action, and whatever else sdk/ABI.md says cuts a
// connection off, ends the run with an entry of kind [Close] whose By is [ByGate].
//
// Bytes are given as stimuli, [Gate.Send] and [Gate.End]. A stimulus is delivered in pieces as Config.Piece says, and only when it
// has been delivered, or cannot be delivered further because the guest paused, does something happen that takes time in a real
// gateway: connecting to the upstream, and TLS. So the same stimuli must lead to the same [Transcript], however they are cut: that
// is the eighth law. It ends where both sides speak at once, see [BeforeRace].
package drygate

import (
	"bytes"
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/abi/answers"
)

// Guest is one running copy of a plugin: sdk.Native is one, and so is what the host makes of a .wasm file.
type Guest interface {
	InputCapacity() int
	Open(facts []byte) (commands []byte, more bool, err error)
	Data(side abi.Side, p []byte, flags uint32) (commands []byte, more bool, err error)
	Event(event []byte) (commands []byte, more bool, err error)
	Close()
}

// Verdict is the answer to an action.
type Verdict struct {
	Outcome abi.Outcome
	Reason  string
	// Held: a person is asked, for this reason, or somebody about an answer; Gate.Decide brings the outcome.
	Held bool
	// Inspect: the answer is to be looked at before the agent has it, up to this many bytes.
	Inspect uint32
}

// Config is one connection.
type Config struct {
	Guest    Guest
	Manifest *abi.Manifest
	Facts    abi.Facts
	// Decide answers an action; e has all but the verdict. Nil: everything is allowed. Of a question about an answer it may overwrite
	// what is kept, as a rule that redacts does.
	Decide func(e *Entry) Verdict
	// Dial says how connecting to the upstream goes: an error is why it is refused. Nil: it connects.
	Dial func() error
	// Secure says how TLS on a side ends. Nil: with version 1.3 and no names.
	Secure func(side abi.Side) (Secured, error)
	// Auth is the answer of a login slot to the server's words. Nil: "<" slot ">" in the place of every answer.
	Auth func(slot int, words []byte) ([]byte, error)
	// Relogin connects to an upstream anew that has refused the login of a slot. Nil: there is no newer secret.
	Relogin func(slot int) error
	// Piece is the size of the next delivery of side, of which n bytes are there, the first of them byte number at of the
	// stream. Nil: as much as the guest takes.
	Piece func(side abi.Side, at uint64, n int) int
	// Window is the most that may be shown and neither passed nor dropped, in bytes; 0: 2 MiB, as by default in the gateway.
	Window int
	// NoUpstreamTLS and NoAgentTLS refuse TLS on that side, as an endpoint's configuration may.
	NoUpstreamTLS, NoAgentTLS bool
}

// Secured is how TLS on a side came out.
type Secured struct{ Version, Name, Protocol string }

// Gate is one connection under test.
type Gate struct {
	cfg     Config
	facts   []byte
	in      [2]input
	out     [2]output
	actions actions
	asides  map[uint32]*aside
	answers answers.Book
	heard   []answered // verdicts about answers of which the guest is to hear
	owed    []uint32   // asides of which the guest is to hear
	// Actions that wait for Decide, in their order, and those that were taken back.
	waiting, withdrawn []uint32
	log                Transcript
	given              int  // stimuli so far
	raced              bool // see BeforeRace

	dial      bool // wanted
	dialUnder uint32
	dialed    bool
	connected bool
	over      bool
	calls     int // how many more events the guest may have before it must wait for bytes
	stock     int
	aliases   [][2][]byte // what the agent has, what it stands for
	authUsed  bool        // an AUTH failed: later ones cut off
	relogins  relogins
	due       []abi.Event // that the guest is owed, besides verdicts
	asked     bool        // an ASK of another family than connect was made
}

// output is what is written to a side.
type output struct {
	waiting  []Entry // until the upstream is connected
	shut     bool
	cut      bool // bytes that were to pass will never come: nothing is written behind them
	secure   secureState
	promised bool // TLS is promised on this side
	sent     int  // bytes of SEND under the open action
}

type secureState uint8

const (
	plain secureState = iota
	handshaking
	secured
)

// defaultWindow is that of the gateway's default limits.
const defaultWindow = 2 << 20

// How many events a guest may have without taking in bytes, as in host/gate: deliveries top the account up.
const (
	firstCalls       = 1 << 10
	callsForDelivery = 64
	mostCalls        = 1 << 20
)

// New makes a connection; Open begins it.
func New(cfg Config) *Gate {
	if cfg.Window == 0 {
		cfg.Window = defaultWindow
	}
	g := &Gate{cfg: cfg, facts: abi.AppendFacts(nil, &cfg.Facts), calls: firstCalls}
	g.out[abi.Upstream].promised = cfg.Facts.UpstreamTLS
	return g
}

// Open tells the guest the facts.
func (g *Gate) Open() {
	g.step(g.cfg.Guest.Open(g.facts))
	g.run()
}

// Send is p coming from side. A side that has ended sends nothing: then nothing comes.
func (g *Gate) Send(side abi.Side, p []byte) {
	if len(p) > 0 && !g.in[side].ending {
		g.in[side].queue = append(g.in[side].queue, chunk{bytes: bytes.Clone(p)})
	}
	g.given++
	g.run()
}

// Skip is n bytes coming from side that nobody knows: those that a recorded connection moved without showing them. They must be
// covered by what the guest has passed or dropped ahead. As with Send, nothing comes of a side that has ended.
func (g *Gate) Skip(side abi.Side, n uint64) {
	if n > 0 && !g.in[side].ending {
		g.in[side].queue = append(g.in[side].queue, chunk{unseen: n})
	}
	g.given++
	g.run()
}

// End is the end of what side sends.
func (g *Gate) End(side abi.Side) {
	g.in[side].ending = true
	g.given++
	g.run()
}

// Over reports whether the connection has ended.
func (g *Gate) Over() bool { return g.over }

// Paused reports whether the guest wants no more of side now.
func (g *Gate) Paused(side abi.Side) bool { return g.in[side].paused }

// Shut reports whether nothing more is written to side.
func (g *Gate) Shut(side abi.Side) bool { return g.out[side].shut }

// Waiting is how many bytes of side have been shown to the guest and are neither passed nor dropped, or not shown at all.
func (g *Gate) Waiting(side abi.Side) int {
	n := len(g.in[side].held)
	for _, c := range g.in[side].queue {
		n += len(c.bytes)
	}
	return n
}

// Transcript is what happened so far. It is valid until the next call.
func (g *Gate) Transcript() Transcript { return g.log }

// note writes an entry down. Bytes that a side gets one after the other in answer to one stimulus are one entry, however they were
// written.
func (g *Gate) note(e Entry) {
	e.Stimulus, e.Raced = g.given, g.raced
	if last := len(g.log) - 1; last >= 0 && e.Kind == Gets {
		l := &g.log[last]
		if l.Kind == Gets && l.Stimulus == e.Stimulus && l.Side == e.Side && l.Raced == e.Raced && (l.Unseen == 0 || len(e.Bytes) == 0) {
			l.Bytes = append(l.Bytes, e.Bytes...)
			l.Unseen += e.Unseen
			return
		}
	}
	g.log = append(g.log, e)
}

// pause carries out PAUSE.
func (g *Gate) pause(side abi.Side, on bool) {
	in, other := &g.in[side], &g.in[side.Other()]
	g.raced = g.raced || in.paused && !on && len(in.queue) > 0 && len(other.held) > 0
	in.paused = on
}

// run delivers what is there until nothing moves.
func (g *Gate) run() {
	for !g.over {
		switch {
		case g.takeBack():
		case g.deliver(abi.Agent), g.deliver(abi.Upstream):
		case g.secure(abi.Agent), g.secure(abi.Upstream):
		case g.connect(), g.connectAnew():
		default:
			g.atRest()
			return
		}
	}
}

// atRest ends a connection that has nothing left to come.
func (g *Gate) atRest() {
	agent, upstream := &g.in[abi.Agent], &g.in[abi.Upstream]
	switch {
	case agent.told && (!g.connected || upstream.told) && len(g.waiting) == 0:
		g.end(Entry{Kind: Close, By: ByPeer, Text: "both sides ended"})
	case g.stuck(abi.Agent) || g.stuck(abi.Upstream):
		g.breach("the plugin paused a side, and nothing is left that could end the pause")
	}
}

func (g *Gate) stuck(side abi.Side) bool {
	in, other := &g.in[side], &g.in[side.Other()]
	speaks := (side == abi.Upstream || g.connected) && !other.ended && !other.paused
	return in.paused && !in.ended && len(in.todo) == 0 && !speaks && len(g.waiting) == 0
}

// connect does what DIAL wants.
func (g *Gate) connect() bool {
	if !g.dial || g.dialed {
		return false
	}
	g.dialed = true
	e := abi.Event{Kind: abi.KindConnected}
	if g.cfg.Dial != nil {
		if err := g.cfg.Dial(); err != nil {
			e = abi.Event{Kind: abi.KindRefused, Reason: err.Error()}
		}
	}
	if e.Kind == abi.KindConnected {
		g.connected = true
		for _, w := range g.out[abi.Upstream].waiting {
			g.note(w)
		}
	}
	g.out[abi.Upstream].waiting = nil
	g.event(&e)
	return true
}

// event tells the guest of an event.
func (g *Gate) event(e *abi.Event) { g.step(g.cfg.Guest.Event(abi.AppendEvent(nil, e))) }

// step carries out what a call returned, and calls on for as long as there is more or a verdict is due.
func (g *Gate) step(list []byte, more bool, err error) {
	for {
		if err != nil {
			g.end(Entry{Kind: Close, By: ByGuest, Failed: true, Text: "the plugin: " + err.Error(), Err: err})
			return
		}
		rest := g.execute(list)
		if g.over {
			return
		}
		var event []byte
		switch {
		case g.actions.denied():
			event = g.actions.verdictEvent()
		case g.actions.state == holding:
			event = g.hold(rest)
		case more:
		case len(g.actions.approved) > 0:
			event = g.approvedEvent()
		case g.actions.decided():
			event = g.actions.verdictEvent()
		case len(g.heard) > 0:
			event = g.answerEvent()
		default:
			if event = g.owedEvent(); event == nil {
				return
			}
		}
		if g.calls--; g.calls < 0 {
			g.breach("the plugin goes on and on without taking in bytes")
			return
		}
		list, more, err = g.cfg.Guest.Event(event)
	}
}

// execute carries out a command list, up to an action that is denied or waits, and returns the rest.
func (g *Gate) execute(list []byte) (rest []byte) {
	var cmd abi.Command
	for len(list) > 0 && !g.over && !g.actions.stops() {
		rest, err := abi.Next(list, &cmd)
		if err != nil {
			g.breach("a command that cannot be read: %v", err)
			return nil
		}
		list = rest
		g.carryOut(&cmd)
	}
	return list
}

// end ends the connection.
func (g *Gate) end(e Entry) {
	if g.over {
		return
	}
	g.over = true
	g.note(e)
}

// breach ends it because the guest did what no guest may.
func (g *Gate) breach(format string, args ...any) {
	g.end(Entry{Kind: Close, By: ByGate, Failed: true, Text: fmt.Sprintf(format, args...)})
}
