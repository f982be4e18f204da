package sdk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// host does with a native guest what the gate does, and writes down the commands that it carries out.
type host struct {
	t      testing.TB
	guest  *sdk.Native
	m      *abi.Manifest
	decide func(a *abi.Action) abi.Outcome // nil: allow

	log    []string
	sent   strings.Builder // to the agent
	asked  []*abi.Action
	lists  [][]byte // copies, as they came
	closed bool
	paused [2]bool
	away   [2]bool // TLS or a scan has the side's bytes
	queue  [2][]byte
	ends   [2]bool
	came   [2]uint64 // bytes of each side that were delivered, or moved without that
	cursor [2]uint64 // bytes that are passed or dropped
}

func newHost(t testing.TB, p sdk.Plugin) *host {
	t.Helper()
	m, err := sdk.ConfigureNative(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &host{t: t, guest: sdk.NewNative(p, nil), m: m}
}

func (h *host) open() *host {
	h.step(h.guest.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "e", Peer: "p", Profile: "q"})))
	return h
}

// deliver hands p to the guest once side is not paused, in one piece.
func (h *host) deliver(side abi.Side, p string) *host {
	h.queue[side] = append(h.queue[side], p...)
	h.pump()
	return h
}

// end tells the guest that side has ended, once everything of it is delivered.
func (h *host) end(side abi.Side) *host {
	h.ends[side] = true
	h.pump()
	return h
}

func (h *host) pump() {
	for again := true; again && !h.closed; {
		again = false
		for side := range h.queue {
			s := abi.Side(side)
			moved := min(uint64(len(h.queue[s])), h.cursor[s]-min(h.cursor[s], h.came[s]))
			h.queue[s] = h.queue[s][moved:] // planned for before they came
			h.came[s] += moved
			switch {
			case len(h.queue[s]) > 0 && !h.paused[s] && !h.away[s]:
				p := h.queue[s]
				p = p[:min(len(p), h.guest.InputCapacity())]
				h.queue[s] = h.queue[s][len(p):]
				h.came[s] += uint64(len(p))
				h.step(h.guest.Data(s, p, 0))
				again = true
			case len(h.queue[s]) == 0 && h.ends[s]:
				h.ends[s] = false
				h.step(h.guest.Data(s, nil, abi.DataEnd))
				again = true
			}
		}
	}
}

func (h *host) event(e abi.Event) *host {
	if e.Kind == abi.KindSecured || e.Kind == abi.KindScanned {
		h.away[e.Side] = false
	}
	h.step(h.guest.Event(abi.AppendEvent(nil, &e)))
	h.pump()
	return h
}

func (h *host) step(b []byte, more bool, err error) {
	h.t.Helper()
	for {
		if err != nil {
			h.log = append(h.log, "error: "+err.Error())
			h.closed = true
			return
		}
		if len(b) > abi.MinBuffer {
			h.t.Errorf("a list of %d bytes", len(b))
		}
		h.lists = append(h.lists, append([]byte(nil), b...))
		verdict := h.execute(b)
		switch {
		case h.closed:
			return
		case verdict != nil && verdict.Outcome == abi.Deny, verdict != nil && !more:
			b, more, err = h.guest.Event(abi.AppendEvent(nil, verdict))
		case more:
			b, more, err = h.guest.Event(nil)
			if verdict != nil {
				h.t.Error("an ask with more behind it: these tests allow only the last")
			}
		default:
			return
		}
	}
}

func (h *host) execute(b []byte) (verdict *abi.Event) {
	h.t.Helper()
	var c abi.Command
	for len(b) > 0 && !h.closed {
		var err error
		if b, err = abi.Next(b, &c); err != nil {
			h.t.Fatal(err)
		}
		if c.Tag == abi.TagAsk {
			verdict = h.ask(&c)
			if verdict != nil && verdict.Outcome == abi.Deny {
				return verdict
			}
			continue
		}
		h.note(&c)
	}
	return verdict
}

func (h *host) ask(c *abi.Command) *abi.Event {
	h.t.Helper()
	a, err := abi.ReadAction(c.Data, h.m)
	if err != nil {
		h.t.Fatal(err)
	}
	h.asked = append(h.asked, a)
	e := &abi.Event{Kind: abi.KindVerdict, ID: c.ID}
	if h.decide != nil {
		e.Outcome = h.decide(a)
	}
	if e.Outcome == abi.Deny {
		e.Reason = "never"
	}
	h.log = append(h.log, fmt.Sprintf("ASK %d %q extent %d: %v", c.ID, a.Title, c.N, e.Outcome))
	if e.Outcome == abi.Allow && c.Flags&abi.AskQuiet != 0 {
		return nil
	}
	return e
}

// note writes a command down; runs of PASS and of DROP are one.
func (h *host) note(c *abi.Command) {
	s := c.Tag.String()
	switch c.Tag {
	case abi.TagPass, abi.TagDrop:
		head := fmt.Sprintf("%s %v %d: ", s, c.Side, c.ID)
		n := c.N
		h.cursor[c.Side] += n
		if last := len(h.log) - 1; last >= 0 && strings.HasPrefix(h.log[last], head) {
			var before uint64
			_, _ = fmt.Sscan(h.log[last][len(head):], &before)
			n += before
			h.log = h.log[:last]
		}
		s = fmt.Sprint(head, n)
	case abi.TagSend:
		h.sent.Write(c.Data)
		s = fmt.Sprintf("SEND %.40q", c.Data)
		if c.Side == abi.Upstream {
			s = fmt.Sprintf("SEND upstream %d %.40q", c.ID, c.Data)
		}
	case abi.TagTLS, abi.TagScan:
		h.away[c.Side], h.came[c.Side] = true, h.cursor[c.Side] // what is undecided goes back
		s = fmt.Sprintf("%s %v %d", s, c.Side, c.ID)
	case abi.TagAuth:
		s = fmt.Sprintf("AUTH %d slot %d %q", c.ID, c.Slot, c.Data)
	case abi.TagAlias, abi.TagUnalias:
		h.cursor[map[abi.Tag]abi.Side{abi.TagAlias: abi.Upstream}[c.Tag]] += c.N
		s = fmt.Sprintf("%s %d: %d", s, c.ID, c.N)
	case abi.TagShut:
		s = fmt.Sprintf("SHUT %v", c.Side)
	case abi.TagPause:
		h.paused[c.Side] = c.On
		s = fmt.Sprintf("PAUSE %v %v", c.Side, c.On)
	case abi.TagClose:
		h.closed = true
		s = fmt.Sprintf("CLOSE %v %s", c.Failed, c.Data)
	case abi.TagNote:
		s = fmt.Sprintf("NOTE %d %q", c.ID, c.Pairs)
	case abi.TagDial, abi.TagDone:
		s = fmt.Sprintf("%s %d", s, c.ID)
	}
	h.log = append(h.log, s)
}

// wantLog checks what was carried out since the last time.
func (h *host) wantLog(want ...string) *host {
	h.t.Helper()
	if got := strings.Join(h.log, "\n"); got != strings.Join(want, "\n") {
		h.t.Errorf("commands:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
	h.log = nil
	return h
}

// plain is a plugin made of functions; those that are nil do nothing.
type plain struct {
	open  func(c *sdk.Conn)
	data  func(c *sdk.Conn, side abi.Side, p []byte, end bool) int
	event func(c *sdk.Conn, e abi.Event)
}

func (*plain) Manifest() abi.Manifest {
	return abi.Manifest{Name: "plain", Families: []abi.Family{{Name: "plain", Fields: []abi.Field{
		{Name: "flag", Type: abi.TypeBool}, {Name: "number", Type: abi.TypeInt}, {Name: "word", Type: abi.TypeString},
		{Name: "words", Type: abi.TypeStrings}}}},
		Stock: []abi.Constant{{Name: "ping", Bytes: []byte("PING")}}}
}

func (*plain) Configure([]byte) error { return nil }

func (p *plain) Open(c *sdk.Conn, f abi.Facts) sdk.Session {
	if f.Endpoint != "e" || f.Peer != "p" || f.Profile != "q" {
		panic(fmt.Sprint(f))
	}
	if p.open != nil {
		p.open(c)
	}
	return p
}

func (p *plain) Data(c *sdk.Conn, side abi.Side, b []byte, end bool) int {
	if p.data == nil {
		return len(b)
	}
	return p.data(c, side, b, end)
}

func (p *plain) Event(c *sdk.Conn, e abi.Event) {
	if p.event != nil {
		p.event(c, e)
	}
}
