package gate

import (
	"bytes"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// scan is a walk along the frames of one side: those of some types pass without the guest.
type scan struct {
	framing abi.Framing
	types   abi.TypeSet
	head    [abi.MaxHead]byte // of the next frame, as far as it came in an earlier read
	have    int
	size    uint64 // of the frame that passes
	left    uint64 // bytes of it that are still to come
	frames  uint64 // whole ones that passed
	bytes   uint64 // of those
	cut     bool   // it ends with the frame that passes, as an answer behind it is to be looked at
}

// startScan carries SCAN out: it begins behind all that was said about the side. What the guest was shown of the bytes there is
// taken back.
func (c *conn) startScan(cmd *abi.Command) {
	in := &c.in[cmd.Side]
	switch {
	case in.scan != nil:
		c.fail("the plugin scans the %v, which is being scanned", cmd.Side)
		return
	case cmd.Side == abi.Upstream && (cmd.ID != 0 || c.answers.Open()) && !c.mayPassAnswer(cmd):
		return
	case cmd.Side == abi.Agent && !c.actions.isOpen(cmd.ID):
		c.fail("the plugin scans bytes of the agent under action %d, which is not an open streaming action", cmd.ID)
		return
	case cmd.Side == abi.Agent && !c.mayPass():
		return
	case len(in.todo) >= mostTodo:
		c.fail("the plugin has planned too much about bytes of the %v that have not come", cmd.Side)
		return
	}
	if in.lastScan == nil {
		in.lastScan = new(scan)
	}
	in.scan = in.lastScan
	*in.scan = scan{framing: cmd.Framing, types: cmd.Types}
	in.todo = append(in.todo, todo{kind: todoScan})
	in.takeBack()
	c.wake.Broadcast() // a paused reader may have read frames already
}

// takeBack takes back what was shown and is undecided, but for what the running call shows: deliver returns that.
func (in *input) takeBack() {
	if len(in.pending()) > 0 {
		in.back = append(in.pending(), in.back...)
	}
	in.held, in.used = nil, 0
}

// scanned cuts the connection off when side is being scanned: what the guest says of it meanwhile could mean any place. mu is
// held.
func (c *conn) scanned(side abi.Side) bool {
	if c.in[side].scan == nil {
		return false
	}
	c.fail("the plugin speaks about bytes of the %v, or writes behind them, while they are scanned", side)
	return true
}

// walk passes frames at the front of p. It returns what is left of p when the scan has ended. mu is held.
func (c *conn) walk(side abi.Side, p []byte) (rest []byte, ended bool) {
	s := c.in[side].scan
	size := int(s.framing.Head)
	if s.have > 0 { // a head that began in an earlier read
		k := copy(s.head[s.have:size], p)
		s.have += k
		if p = p[k:]; s.have < size {
			return nil, false
		}
		if !c.enter(side, s.head[:size]) {
			return p, true
		}
		c.queueCopy(side.Other(), s.head[:size])
		s.passed(uint64(size))
		s.have = 0
	}
	n := 0
	for n < len(p) {
		if s.left == 0 {
			if len(p)-n < size {
				s.have = copy(s.head[:size], p[n:])
				c.forward(side, p[:n])
				return nil, false
			}
			if !c.enter(side, p[n:n+size]) {
				c.forward(side, p[:n])
				return p[n:], true
			}
		}
		k := min(s.left, uint64(len(p)-n))
		s.passed(k)
		n += int(k)
	}
	c.forward(side, p)
	return nil, false
}

// scanEnded reports whether a scan runs and nothing is left for it, because the side ended before, or it was cut.
func (in *input) scanEnded() bool {
	return in.scan != nil && len(in.back) == 0 && (in.ended || in.scan.cut && in.scan.left == 0 && in.todo[0].kind == todoScan)
}

// enter reports whether the frame that begins with head passes, and if so moves the cursor to its end.
func (c *conn) enter(side abi.Side, head []byte) bool {
	in := &c.in[side]
	s := in.scan
	size, ok := s.framing.Size(head)
	if !ok || s.cut || !s.types.Has(head[s.framing.TypeAt]) || !in.advances(size) {
		return false
	}
	s.size, s.left = size, size
	in.cursor += size
	return true
}

// passed counts n bytes of the frame that passes.
func (s *scan) passed(n uint64) {
	if s.left -= n; s.left == 0 {
		s.frames++
		s.bytes += s.size
	}
}

// endScan ends the scan of side and tells the guest. A head that came in part, or ended the scan, is to be shown. mu is held.
func (c *conn) endScan(side abi.Side) {
	in := &c.in[side]
	s := in.scan
	in.scan, in.piece = nil, firstPiece
	if s.have > 0 {
		in.back = append(bytes.Clone(s.head[:s.have]), in.back...)
	}
	for i := range in.todo {
		if in.todo[i].kind == todoScan {
			in.todo = append(in.todo[:i:i], in.todo[i+1:]...)
			break
		}
	}
	if c.calls--; c.calls < 0 && !c.left {
		c.fail(endless)
	}
	if c.left {
		return
	}
	c.event = abi.AppendEvent(c.event[:0], &abi.Event{Kind: abi.KindScanned, Side: side, Frames: s.frames, Bytes: s.bytes})
	c.step(c.guest.Event(c.event))
}
