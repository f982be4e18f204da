package conformance

import (
	"bytes"
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// truncation: a side that falls silent at any byte, and is gone, must lead to an end, and to no action that was not there.
func (c *checker) truncation(r *Result) error {
	n := 0
	for _, f := range c.opt.Fixtures {
		whole, _, err := c.play(f, r, conversation.Cut{})
		if err != nil {
			return err
		}
		for _, at := range places(f.Script, c.opt.Runs) {
			if err := c.truncate(f, r, whole, at); err != nil {
				return err
			}
			n++
			if r.enough() {
				return nil
			}
		}
	}
	r.Detail = fmt.Sprintf("places to fall silent at: %d", n)
	return nil
}

// place is one byte of what a conversation sends.
type place struct{ step, byte int }

// places are all of them, at most limit, evenly spread.
func places(s *conversation.Script, limit int) []place {
	var all []place
	for i := range s.Steps {
		if s.Steps[i].Does == conversation.Sends {
			for k := range s.Steps[i].Data {
				all = append(all, place{i, k})
			}
		}
	}
	if len(all) <= limit {
		return all
	}
	some := make([]place, 0, limit)
	for i := range limit {
		some = append(some, all[i*len(all)/limit])
	}
	return some
}

func (c *checker) truncate(f *Fixture, r *Result, whole drygate.Transcript, at place) error {
	g, err := c.guest(f, r)
	if err != nil {
		return err
	}
	defer g.Close()
	gate := f.Script.Gate(g, c.module.Manifest, nil)
	for i := range at.step {
		f.Script.Steps[i].Do(gate)
	}
	st := &f.Script.Steps[at.step]
	gate.Send(st.Side, st.Data[:at.byte])
	gate.End(st.Side)
	where := func() string {
		return fmt.Sprintf("%s: the %v falls silent %s", f.Name, st.Side, position(st, at.byte))
	}
	if st.Side == abi.Agent && !gate.Over() && !gate.Shut(abi.Upstream) && !gate.Paused(abi.Agent) && gate.Waiting(abi.Agent) > 0 {
		r.fault("%s in the middle of a message, and the plugin neither shuts the upstream nor closes: the connection would hang", where())
	}
	gate.End(st.Side.Other())
	got := gate.Transcript()
	if !lawful(r, got, "%s", where()) {
		return nil
	}
	want := whole.Asks()
	for i, a := range got.Asks() {
		if i >= len(want) || !bytes.Equal(a.Encoded, want[i].Encoded) || a.Start != want[i].Start || a.Extent != want[i].Extent {
			r.fault("%s: a message that is cut short is taken for a whole one: %v", where(), a)
			break
		}
	}
	return nil
}

// position says where in a step.
func position(st *conversation.Step, at int) string {
	if st.Line > 0 {
		return fmt.Sprintf("after byte %d of step %d", at, st.Line)
	}
	return fmt.Sprintf("after byte %d", at)
}

// fillers are what a message without an end is made of.
var fillers = []byte{'A', 0, 0xff, ' ', '\n', '1'}

const (
	endless     = 3 << 20  // bytes of such a message: more than the gate's window
	firstPiece  = 1 << 10  // and how they come
	fillerPiece = 64 << 10 // later
	mostEntries = 100      // of the transcript: more, and the filler is messages
	mostMoments = 8        // of each fixture at which they begin
)

// oversized: a message without an end is refused by the plugin, not by the gate's window.
func (c *checker) oversized(r *Result) error {
	for _, f := range c.opt.Fixtures {
		most := r.Runs + c.opt.Runs
		for _, after := range moments(f.Script) {
			for _, filler := range fillers {
				if r.Runs >= most {
					break
				}
				if err := c.flood(f, r, after, filler); err != nil {
					return err
				}
				if r.enough() {
					return nil
				}
			}
		}
	}
	r.Detail = fmt.Sprintf("messages without an end: %d", r.Runs)
	return nil
}

// moments are steps after which an agent may begin a message: the opening, and up to a few deliveries of either side.
func moments(s *conversation.Script) []int {
	all := []int{0}
	for i := range s.Steps {
		if s.Steps[i].Does == conversation.Sends {
			all = append(all, i)
		}
	}
	if len(all) <= mostMoments {
		return all
	}
	some := make([]int, 0, mostMoments)
	for i := range mostMoments {
		some = append(some, all[i*len(all)/mostMoments])
	}
	return some
}

func (c *checker) flood(f *Fixture, r *Result, after int, filler byte) error {
	g, err := c.guest(f, r)
	if err != nil {
		return err
	}
	defer g.Close()
	gate := f.Script.Gate(g, c.module.Manifest, nil)
	for i := range after + 1 {
		f.Script.Steps[i].Do(gate)
	}
	if st := &f.Script.Steps[after]; st.Does == conversation.Sends && len(st.Data) > 1 && st.Side == abi.Agent {
		gate.Send(abi.Agent, st.Data[:min(len(st.Data)/2, 16)]) // and one that has begun in order
	}
	// A plugin that reads on, or to which the filler is a message after all, has no message without an end.
	piece := bytes.Repeat([]byte{filler}, firstPiece)
	asked := len(gate.Transcript())
	for n := 0; n < endless && !gate.Over() && !gate.Paused(abi.Agent); n += len(piece) {
		gate.Send(abi.Agent, piece)
		if gate.Waiting(abi.Agent) == 0 || len(gate.Transcript()) > asked+mostEntries {
			break
		}
		piece = bytes.Repeat([]byte{filler}, fillerPiece)
	}
	lawful(r, gate.Transcript(), "%s: after step %d the agent sends byte %#02x without end", f.Name, after, filler)
	return nil
}

// lies are lengths that cannot be.
var lies = [][]byte{{0xff, 0xff, 0xff, 0xff}, {0x7f, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0x7f}, {0, 0, 0, 0}, []byte("9999"), []byte("-1\r\n")}

const mostLies = 24 // places of each step at which a lie stands

// lengths: fields that lie about a length are refused, whatever place they stand at.
func (c *checker) lengths(r *Result) error {
	zeros := make([]byte, 4<<10)
	for _, f := range c.opt.Fixtures {
		most := r.Runs + c.opt.Runs
		for _, step := range moments(f.Script) {
			st := &f.Script.Steps[step]
			if st.Does != conversation.Sends {
				continue
			}
			for at := 0; at+4 <= len(st.Data) && at < mostLies && r.Runs < most; at++ {
				for _, lie := range lies {
					g, err := c.guest(f, r)
					if err != nil {
						return err
					}
					gate := f.Script.Gate(g, c.module.Manifest, nil)
					for i := range step {
						f.Script.Steps[i].Do(gate)
					}
					data := bytes.Clone(st.Data)
					copy(data[at:], lie)
					gate.Send(st.Side, data)
					gate.Send(st.Side, zeros)
					gate.End(st.Side)
					gate.End(st.Side.Other())
					g.Close()
					lawful(r, gate.Transcript(), "%s: %q at byte %d of step %d", f.Name, lie, at, st.Line)
					if r.enough() {
						return nil
					}
				}
			}
		}
	}
	r.Detail = fmt.Sprintf("lengths that lie: %d", r.Runs)
	return nil
}
