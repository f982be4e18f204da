package session

import (
	"bytes"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// layers is what a test's gate knows of transports, secrets and native passing.
type layers struct {
	facts    abi.Facts
	tls      [2]tlsState
	name     string                             // what ALPN settles on with the agent
	login    func(words []byte) ([]byte, error) // what AUTH answers
	keys     map[string]string                  // alias to original; aliases are the inverse of the bytes
	scans    [2]*scanState
	events   []*abi.Event
	sent     int // bytes of SEND to the upstream
	native   [2]uint64
	commands []string // AUTH, ALIAS, UNALIAS, TLS and the SENDs to the upstream, in order
}

type tlsState uint8

const (
	tlsNone tlsState = iota
	tlsHandshake
	tlsUp
)

// handshake stands for what a side sends to begin TLS.
const handshake = "\x16TLS"

type scanState struct {
	id      uint32
	framing abi.Framing
	types   abi.TypeSet
	left    uint64 // of the frame that passes
	frames  uint64
	bytes   uint64
	size    uint64
}

// takeBack makes the bytes of a side that were delivered and neither passed nor dropped undelivered again.
func (g *gate) takeBack(side abi.Side) {
	s := &g.sides[side]
	s.input = append(bytes.Clone(s.held), s.input...)
	s.held = nil
}

// startTLS is the command TLS.
func (g *gate) startTLS(side abi.Side) {
	switch {
	case g.tls[side] != tlsNone:
		g.breach("TLS twice with the %v", side)
	case side == abi.Upstream && (!g.dialed || !g.facts.UpstreamTLS):
		g.breach("TLS with an upstream that is not there or should not have it")
	case side == abi.Agent && !g.facts.AgentTLS:
		g.breach("TLS with the agent is not offered")
	case g.sides[side].owed > 0:
		g.breach("TLS with the %v behind planned bytes", side)
	}
	g.tls[side] = tlsHandshake
	g.takeBack(side)
}

// shakeHands reads the beginning of TLS: anything else ends the connection.
func (g *gate) shakeHands(side abi.Side) bool {
	s := &g.sides[side]
	n := min(len(s.input), len(handshake))
	failed := string(s.input[:n]) != handshake[:n] || n < len(handshake) && s.end
	switch {
	case failed && side == abi.Upstream: // to which nothing more is written
		g.tls[side], s.input, s.end, s.told, s.shut = tlsUp, nil, false, true, true
		g.step(g.guest.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindRefused, Reason: "TLS with the upstream failed"})))
		if !g.closed {
			g.breach("the session goes on without TLS with the upstream")
		}
	case failed:
		g.closed, g.failed, g.reason = true, true, "the handshake with the "+side.String()+" failed"
	case n < len(handshake):
		return false
	default:
		s.input = s.input[n:]
		g.tls[side] = tlsUp
		g.events = append(g.events, &abi.Event{Kind: abi.KindSecured, Side: side, Version: "1.3", Name: "prod-db.internal", Protocol: g.name})
	}
	return true
}

// clear reports that something is written to an upstream that should have TLS first.
func (g *gate) clear(what string) {
	if g.facts.UpstreamTLS && g.tls[abi.Upstream] != tlsUp {
		g.breach("%s in clear", what)
	}
}

// sendUpstream is SEND to the upstream.
func (g *gate) sendUpstream(c *abi.Command) {
	a := g.actions[c.ID]
	if g.sent += len(c.Data); a == nil || !a.allowed || !a.streaming || !a.open || g.sent > 64<<10 {
		g.breach("SEND of %d bytes to the upstream under action %d", len(c.Data), c.ID)
	}
	g.clear("SEND")
	g.commands = append(g.commands, "SEND")
	g.write(abi.Upstream, c.Data)
}

func (g *gate) auth(c *abi.Command) {
	a := g.actions[c.ID]
	if a == nil || !a.allowed || !a.connect || !a.streaming || !a.open || !g.dialed {
		g.breach("AUTH under action %d", c.ID)
	}
	if len(g.asks) > 1 {
		g.breach("AUTH behind another ASK")
	}
	g.clear("AUTH")
	g.commands = append(g.commands, "AUTH")
	answer, err := g.login(c.Data)
	if err != nil {
		g.events = append(g.events, &abi.Event{Kind: abi.KindAuthFailed, Slot: c.Slot, Reason: err.Error()})
		return
	}
	g.write(abi.Upstream, answer)
}

// invert is what the test's gate makes of a key.
func invert(key []byte) []byte {
	alias := bytes.Clone(key)
	for i := range alias {
		alias[i] ^= 0xff
	}
	return alias
}

func (g *gate) alias(n uint64) {
	s := &g.sides[abi.Upstream]
	if s.owed > 0 || n > uint64(len(s.held)) || g.scans[abi.Upstream] != nil {
		g.breach("ALIAS of %d bytes, %d are there", n, len(s.held))
		return
	}
	g.commands = append(g.commands, "ALIAS")
	alias := invert(s.held[:n])
	g.keys[string(alias)] = string(s.held[:n])
	s.held = s.held[n:]
	s.cursor += n
	g.write(abi.Agent, alias)
}

func (g *gate) unalias(id uint32, n uint64) {
	s := &g.sides[abi.Agent]
	a := g.actions[id]
	if a == nil || !a.allowed || s.cursor < a.start || s.cursor+n > a.end || n > uint64(len(s.held)) {
		g.breach("UNALIAS of %d bytes under action %d", n, id)
		return
	}
	g.clear("UNALIAS")
	g.commands = append(g.commands, "UNALIAS")
	key, ok := g.keys[string(s.held[:n])]
	if !ok {
		g.closed, g.reason = true, "an alias that is not known"
		return
	}
	s.held = s.held[n:]
	s.cursor += n
	g.write(abi.Upstream, []byte(key))
}

func (g *gate) scan(c *abi.Command) {
	a := g.actions[c.ID]
	switch {
	case g.scans[c.Side] != nil:
		g.breach("SCAN in a scan")
	case c.Side == abi.Agent && (a == nil || !a.allowed || !a.streaming || !a.open):
		g.breach("SCAN of the agent under action %d", c.ID)
	case c.Side == abi.Upstream && c.ID != 0:
		g.breach("SCAN of the upstream under action %d", c.ID)
	case g.sides[c.Side].owed > 0:
		g.breach("SCAN behind planned bytes: the tests' gate does not know where that is")
	}
	g.scans[c.Side] = &scanState{id: c.ID, framing: c.Framing, types: c.Types}
	g.takeBack(c.Side)
}

// walk goes on with a scan, and reports whether it did anything.
func (g *gate) walk(side abi.Side) bool {
	s, sc := &g.sides[side], g.scans[side]
	if n := min(sc.left, uint64(len(s.input))); n > 0 {
		if a := g.actions[sc.id]; side == abi.Agent && !a.open {
			g.breach("a scan goes on under action %d, which is done", sc.id)
		}
		g.write(side.Other(), s.input[:n])
		s.input, s.cursor = s.input[n:], s.cursor+n
		g.native[side] += n
		if sc.left -= n; sc.left == 0 {
			sc.frames++
			sc.bytes += sc.size
		}
		return true
	}
	head := int(sc.framing.Head)
	if sc.left > 0 || len(s.input) < head {
		if s.end {
			g.scanEnds(side)
			return true
		}
		return false
	}
	size, ok := sc.framing.Size(s.input[:head])
	if !ok || !sc.types.Has(s.input[sc.framing.TypeAt]) {
		g.scanEnds(side)
		return true
	}
	sc.left, sc.size = size, size
	return true
}

func (g *gate) scanEnds(side abi.Side) {
	sc := g.scans[side]
	g.scans[side] = nil
	g.events = append(g.events, &abi.Event{Kind: abi.KindScanned, Side: side, Frames: sc.frames, Bytes: sc.bytes})
}

// scanning reports a command that a running scan forbids.
func (g *gate) scanning(c *abi.Command) {
	for side := range g.scans {
		if g.scans[side] == nil {
			continue
		}
		switch c.Tag {
		case abi.TagPass, abi.TagDrop, abi.TagAlias, abi.TagUnalias, abi.TagTLS:
			touched := c.Side
			if c.Tag == abi.TagAlias {
				touched = abi.Upstream
			}
			if touched == abi.Side(side) {
				g.breach("%v during a scan of the %v", c.Tag, abi.Side(side))
			}
		case abi.TagSend:
			if c.Side == abi.Side(side).Other() {
				g.breach("SEND to the %v during a scan", c.Side)
			}
		}
	}
}
