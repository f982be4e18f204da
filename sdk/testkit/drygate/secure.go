//go:build !wasip1

package drygate

import (
	"encoding/json"
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// wantTLS begins TLS on a side: what is there of it becomes the handshake.
func (g *Gate) wantTLS(side abi.Side) {
	in, o := &g.in[side], &g.out[side]
	switch {
	case o.secure != plain:
		g.breach("TLS on the side of the %v a second time", side)
	case side == abi.Upstream && !g.connected:
		g.breach("TLS with the upstream before it is connected")
	case side == abi.Upstream && g.cfg.NoUpstreamTLS, side == abi.Agent && g.cfg.NoAgentTLS:
		g.breach("TLS on the side of the %v, which the endpoint does not want", side)
	case in.ended || o.shut:
		g.breach("TLS on the side of the %v, which has ended, or to which nothing more is written", side)
	case len(in.todo) > 0:
		g.breach("TLS on the side of the %v while bytes are passed or dropped that have not come", side)
	default:
		o.secure = handshaking
		in.count -= uint64(len(in.held))
		in.held = nil
		g.note(Entry{Kind: TLS, Side: side})
	}
}

// secure ends the handshake of a side.
func (g *Gate) secure(side abi.Side) bool {
	if len(g.due) > 0 {
		e := g.due[0]
		g.due = g.due[1:]
		g.event(&e)
		return true
	}
	in, o := &g.in[side], &g.out[side]
	if o.secure != handshaking {
		return false
	}
	s := Secured{Version: "1.3"}
	if g.cfg.Secure != nil {
		var err error
		if s, err = g.cfg.Secure(side); err != nil && side == abi.Upstream {
			g.unsecured(err)
			return true
		} else if err != nil {
			g.end(Entry{Kind: Close, By: ByPeer, Failed: true, Text: "TLS with the " + side.String() + ": " + err.Error()})
			return true
		}
	}
	o.secure = secured
	in.queue = nil // it was the handshake
	g.event(&abi.Event{Kind: abi.KindSecured, Side: side, Version: s.Version, Name: s.Name, Protocol: s.Protocol})
	return true
}

// unsecured tells the guest that there is no TLS with the upstream: it must end the connection in its answer.
func (g *Gate) unsecured(err error) {
	g.in[abi.Upstream].ended, g.in[abi.Upstream].queue, g.connected = true, nil, false
	g.event(&abi.Event{Kind: abi.KindRefused, Reason: err.Error()})
	if !g.over {
		g.breach("the connection goes on without TLS with the upstream")
	}
}

// scan is a side whose frames the host walks by itself.
type scan struct {
	id            uint32
	framing       abi.Framing
	types         abi.TypeSet
	frames, bytes uint64
	head          []byte // of the frame that is coming
	left          uint64 // of the frame that passes
	cut           bool   // it ends with that
}

func (g *Gate) wantScan(cmd *abi.Command) {
	in := &g.in[cmd.Side]
	if cmd.Side == abi.Agent && !g.actions.isOpen(cmd.ID) {
		g.breach("SCAN of the %v under action %d, which is not an open streaming action", cmd.Side, cmd.ID)
		return
	}
	if cmd.Side == abi.Upstream && !g.mayPassAnswer(cmd) {
		return
	}
	if cmd.Side == abi.Agent && !g.toUpstream(cmd.Tag) {
		return
	}
	in.scan = &scan{id: cmd.ID, framing: cmd.Framing, types: cmd.Types}
	g.note(Entry{Kind: Scan, Side: cmd.Side})
	// What was shown and is behind no cursor is walked first.
	if len(in.held) > 0 {
		in.count -= uint64(len(in.held))
		in.queue = append([]chunk{{bytes: append([]byte(nil), in.held...)}}, in.queue...)
		in.held = nil
	}
}

// walk moves frames of a scan, and reports whether anything moved.
func (g *Gate) walk(side abi.Side) bool {
	in := &g.in[side]
	s := in.scan
	if len(in.todo) > 0 {
		return false
	}
	if s.cut && s.left == 0 {
		g.endScan(side)
		return true
	}
	if len(in.queue) == 0 {
		if in.ending {
			g.out[side.Other()].cut = g.out[side.Other()].cut || s.left > 0
			g.endScan(side)
			return true
		}
		return false
	}
	c := &in.queue[0]
	if c.unseen > 0 {
		g.breach("%d bytes of the %v were scanned in the recording and are not known", c.unseen, side)
		return true
	}
	if s.left == 0 && len(s.head) < int(s.framing.Head) {
		n := min(int(s.framing.Head)-len(s.head), len(c.bytes))
		s.head = append(s.head, c.bytes[:n]...)
		g.eat(in, n)
	}
	if s.left == 0 && len(s.head) == int(s.framing.Head) {
		size, ok := s.framing.Size(s.head)
		if !ok || !s.types.Has(s.head[s.framing.TypeAt]) {
			g.endScan(side)
			return true
		}
		g.emit(Entry{Kind: Gets, Side: side.Other(), Bytes: s.head})
		in.count += uint64(len(s.head))
		in.cursor += size
		s.left = size - uint64(len(s.head))
		s.frames, s.bytes, s.head = s.frames+1, s.bytes+size, nil
		return true
	}
	if s.left > 0 && len(in.queue) > 0 {
		n := int(min(s.left, uint64(len(in.queue[0].bytes))))
		g.emit(Entry{Kind: Gets, Side: side.Other(), Bytes: in.queue[0].bytes[:n:n]})
		in.count += uint64(n)
		s.left -= uint64(n)
		g.eat(in, n)
	}
	return true
}

// eat takes n bytes off the queue.
func (g *Gate) eat(in *input, n int) {
	c := &in.queue[0]
	if c.bytes = c.bytes[n:]; len(c.bytes) == 0 {
		in.queue = in.queue[1:]
	}
}

// endScan gives the side back to the guest: the event, then what did not pass.
func (g *Gate) endScan(side abi.Side) {
	in := &g.in[side]
	s := in.scan
	in.scan = nil
	if len(s.head) > 0 {
		in.queue = append([]chunk{{bytes: s.head}}, in.queue...)
	}
	g.event(&abi.Event{Kind: abi.KindScanned, Side: side, Frames: s.frames, Bytes: s.bytes})
}

// FieldText writes a field's value as a conversation does: JSON.
func FieldText(v *abi.Value, t abi.Type) string {
	switch t {
	case abi.TypeBool:
		return strconv.FormatBool(v.Bool)
	case abi.TypeInt:
		return strconv.FormatInt(v.Int, 10)
	case abi.TypeStrings:
		list := v.List
		if list == nil {
			list = []string{}
		}
		b, _ := json.Marshal(list)
		return string(b)
	}
	return strconv.Quote(v.Str)
}
