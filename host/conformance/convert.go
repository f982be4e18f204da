package conformance

import (
	"errors"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/recording"
	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// converter follows a recording: came counts what each side was delivered or moved, cursor what was passed or dropped of it. queue are
// commands whose turn has not come: those behind an action are void when it was denied, which the next event says.
type converter struct {
	script       *conversation.Script
	came, cursor [2]uint64
	queue        []byte
}

var errScanned = errors.New("the host scanned frames of this connection by itself; such a recording can be replayed, but is no fixture")

var errWaited = errors.New("a person was asked, or actions were asked about aside; such a recording can be replayed, but is no fixture")

func (c *converter) last() *conversation.Step { return &c.script.Steps[len(c.script.Steps)-1] }

func (c *converter) step(s conversation.Step) { c.script.Steps = append(c.script.Steps, s) }

// call takes the n-th call of a recording.
func (c *converter) call(n int, call *recording.Call) error {
	if call.Kind == recording.Event {
		if err := c.event(call.In); err != nil {
			return err
		}
		c.queue = append(c.queue, call.Out...)
		return nil
	}
	if err := c.carryOut(0, abi.Allow, ""); err != nil {
		return err
	}
	if call.Kind == recording.Open {
		f, err := abi.ReadFacts(call.In)
		if err != nil {
			return err
		}
		c.script.Facts = f
	} else {
		c.delivery(n, call)
	}
	c.queue = append(c.queue, call.Out...)
	return nil
}

func (c *converter) delivery(n int, call *recording.Call) {
	side := call.Side
	if moved := c.cursor[side] - min(c.cursor[side], c.came[side]); moved > 0 && len(call.In) > 0 {
		c.step(conversation.Step{Line: n, Does: conversation.Unseen, Side: side, N: moved})
		c.came[side] += moved
	}
	if len(call.In) > 0 {
		c.step(conversation.Step{Line: n, Does: conversation.Sends, Side: side, Data: call.In})
		c.came[side] += uint64(len(call.In))
	}
	if call.End {
		c.step(conversation.Step{Line: n, Does: conversation.Ends, Side: side})
		c.cursor[side] = min(c.cursor[side], c.came[side])
	}
}

// event turns an event into what the conversation answers at that place.
func (c *converter) event(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	e, err := abi.ReadEvent(b)
	if err != nil {
		return err
	}
	if e.Kind == abi.KindVerdict {
		return c.carryOut(e.ID, e.Outcome, e.Reason)
	}
	if err := c.carryOut(0, abi.Allow, ""); err != nil {
		return err
	}
	switch e.Kind {
	case abi.KindRefused:
		c.script.Refuse = e.Reason
	case abi.KindSecured:
		c.expect(conversation.Expectation{Kind: drygate.TLS, Side: e.Side, Secured: drygate.Secured{Version: e.Version, Name: e.Name, Protocol: e.Protocol}})
	case abi.KindAuthFailed:
		c.expect(conversation.Expectation{Kind: drygate.Auth, Fails: e.Reason})
	case abi.KindScanned:
		return errScanned
	case abi.KindHeld:
		return errWaited
	}
	return nil
}

func (c *converter) expect(x conversation.Expectation) { c.last().Expect = append(c.last().Expect, x) }

// carryOut does what the gate did with queued commands: everything when id is 0, else up to action id, on which the outcome came. A
// quiet action that was allowed has no event.
func (c *converter) carryOut(id uint32, outcome abi.Outcome, reason string) error {
	var cmd abi.Command
	for len(c.queue) > 0 {
		rest, err := abi.Next(c.queue, &cmd)
		if err != nil {
			return err
		}
		c.queue = rest
		switch cmd.Tag {
		case abi.TagAsk:
			if cmd.ID == id && outcome != abi.Allow {
				c.expect(conversation.Expectation{Kind: drygate.Ask, Verdict: drygate.Verdict{Outcome: outcome, Reason: reason}})
				c.queue = nil
				return nil
			}
			if cmd.Flags&(abi.AskAside|abi.AskResponse) != 0 {
				return errWaited
			}
			c.expect(conversation.Expectation{Kind: drygate.Ask})
		case abi.TagPass, abi.TagDrop:
			c.cursor[cmd.Side] += cmd.N
		case abi.TagAlias:
			c.cursor[abi.Upstream] += cmd.N
		case abi.TagUnalias:
			c.cursor[abi.Agent] += cmd.N
		}
	}
	return nil
}
