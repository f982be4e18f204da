// Package lanes is a small plugin for tests, of a protocol made up for them that carries several things at once. A message of the agent is
// a letter for what it is, a letter for its lane, one byte of length, and that many bytes:
//
//	o  opens the lane anew, which is an action aside of its own
//	s  the same, and the host writes the secret first
//	.  more of what the lane carries
//	w  the agent takes the lane back
//	e  ends the lane
//	!  stops everything: a plain action, answered with a hundred thousand dots; what follows waits for its verdict
//
// The upstream gets each as "<", the lane, ":", the bytes and ">". What the upstream says goes to the agent as it is, and between it what
// becomes of the lanes: "[x waits]".
package lanes

import (
	"bytes"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Families and slots, as indices into the manifest.
const (
	FamilyConnect = 0
	FamilyLanes   = 1
	SlotToken     = 0
)

const head = 3

// Plugin is the plugin.
type Plugin struct{}

// Manifest declares everything.
func (*Plugin) Manifest() abi.Manifest {
	return abi.Manifest{Name: "lanes", Version: "1",
		Families: []abi.Family{{Name: abi.FamilyConnect, Fields: []abi.Field{}}, {Name: "lanes", Fields: []abi.Field{}}},
		Slots:    []abi.Slot{{Name: "token", Form: "bearer", Doc: "a secret"}}}
}

// Configure has no options.
func (*Plugin) Configure([]byte) error { return nil }

// Open asks for the connection.
func (*Plugin) Open(c *sdk.Conn, _ abi.Facts) sdk.Session {
	c.Dial(c.Ask(FamilyConnect, abi.ClassSession, "open a connection").Do(0, 0))
	return &session{lane: map[uint32]byte{}, ids: map[byte]uint32{}}
}

type session struct {
	ids  map[byte]uint32 // the open action of each lane
	lane map[uint32]byte
	stop uint32 // the plain action
	size uint64 // of its bytes
}

func (s *session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	switch {
	case side == abi.Upstream || end && len(p) == 0:
		c.Pass(abi.Upstream, 0, uint64(len(p)))
		if end && len(p) == 0 {
			c.Shut(side.Other())
		}
		return len(p)
	case len(p) < head && end:
		c.Fail("half a message")
		return 0
	case len(p) < head:
		return 0
	}
	what, lane, n := p[0], p[1], uint64(p[2])
	switch what {
	case '!':
		s.size = head + n
		s.stop = c.Ask(FamilyLanes, abi.ClassRead, "!").Do(s.size, abi.AskQuiet)
		c.Pass(abi.Agent, s.stop, s.size)
		c.Send(abi.Agent, 0, bytes.Repeat([]byte("."), 100_000))
		return min(head+int(n), len(p))
	case 'o', 's':
		id := c.Ask(FamilyLanes, abi.ClassRead, string(lane)).Do(0, abi.AskAside|abi.AskQuiet)
		s.ids[lane], s.lane[id] = id, lane
		if what == 's' {
			c.Secret(id, SlotToken)
		}
	case 'w':
		c.Withdraw(s.ids[lane])
	}
	c.Drop(abi.Agent, head)
	id := s.ids[lane]
	if id == 0 { // denied, or never opened: what comes for it means nothing
		c.Drop(abi.Agent, n)
		return min(head+int(n), len(p))
	}
	if what != 'w' {
		c.Send(abi.Upstream, id, []byte{'<', lane, ':'})
		c.Pass(abi.Agent, id, n)
		c.Send(abi.Upstream, id, []byte{'>'})
	}
	if what == 'e' {
		c.Done(id)
		delete(s.ids, lane)
	}
	return min(head+int(n), len(p))
}

func (s *session) Event(c *sdk.Conn, e abi.Event) {
	lane, aside := s.lane[e.ID]
	name := string(lane)
	if !aside && e.ID == s.stop {
		name = "!"
	}
	switch {
	case e.ID <= 1:
	case e.Kind == abi.KindHeld:
		c.Send(abi.Agent, 0, []byte("["+name+" waits]"))
	case e.Kind == abi.KindVerdict:
		c.Send(abi.Agent, 0, []byte("["+name+" "+e.Outcome.String()+"]"))
		if e.Outcome == abi.Allow {
			return
		}
		if !aside {
			c.Drop(abi.Agent, s.size)
			return
		}
		if s.ids[lane] == e.ID {
			delete(s.ids, lane)
		}
	}
}
