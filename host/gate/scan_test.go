package gate

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func TestScanAttacks(t *testing.T) {
	agent := func() list { return list(nil).stream(2).scan(abi.Agent, 2) }
	for _, a := range []struct {
		name   string
		breach list
		reason string
	}{
		{"under no action", list(nil).scan(abi.Agent, 0), "not an open streaming action"},
		{"under an ordinary action", list(nil).ask(2, 10).scan(abi.Agent, 2), "not an open streaming action"},
		{"under a finished action", list(nil).stream(2).done(2).scan(abi.Agent, 2), "not an open streaming action"},
		{"under another action", list(nil).stream(2).scan(abi.Agent, 1), "not an open streaming action"},
		{"of the upstream under an action", list(nil).stream(2).scan(abi.Upstream, 2), "of the upstream under action 2"},
		{"twice", agent().scan(abi.Agent, 2), "is being scanned"},
		{"twice, of the upstream", list(nil).scan(abi.Upstream, 0).scan(abi.Upstream, 0), "is being scanned"},
		{"and pass", agent().pass(2, 1), "while they are scanned"},
		{"and pass nothing", agent().pass(2, 0), "while they are scanned"},
		{"and drop", agent().drop(1), "while they are scanned"},
		{"and end its action", agent().done(2), "while they are scanned"},
		{"and send behind it", agent().sendUp(2, "x"), "while they are scanned"},
		{"and write a constant behind it", agent().stock(0), "while they are scanned"},
		{"the upstream and pass it", list(nil).scan(abi.Upstream, 0).passBack(1), "while they are scanned"},
		{"the upstream and drop it", abi.AppendDrop(list(nil).scan(abi.Upstream, 0), abi.Upstream, 1), "while they are scanned"},
		{"the upstream and send to the agent", list(nil).scan(abi.Upstream, 0).send("x"), "while they are scanned"},
		{"a head of no bytes", framed(abi.Framing{LengthWidth: 1, Max: 9}), "a head of 0 bytes"},
		{"a length of three bytes", framed(abi.Framing{Head: 9, LengthWidth: 3, Max: 9}), "a length of 3 bytes"},
		{"a length behind the head", framed(abi.Framing{Head: 9, LengthAt: 255, LengthWidth: 8, Max: 9}), "partly behind the head"},
	} {
		t.Run(a.name, func(t *testing.T) {
			breached(t, scripted(nil, one(a.breach), nil), a.reason, "")
		})
	}
	breached(t, scripted(nil, one(agent()), map[uint32]list{2: list(nil).ask(3, 1)}), "still open", "")
}

func framed(f abi.Framing) list {
	return abi.AppendScan(list(nil).stream(2), abi.Agent, 2, &f, abi.Types('d'))
}

// A frame of any length passes in the memory of a read.
func TestScanLargeFrame(t *testing.T) {
	const size = 16 << 20
	f := abi.Framing{Head: 5, LengthAt: 1, LengthWidth: 4, BigEndian: true, Max: math.MaxUint64}
	scanned := make(chan abi.Event, 1)
	g := &script{open: one(abi.AppendScan(dialing(), abi.Upstream, 0, &f, abi.Types('d'))), data: shutEnds}
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindScanned {
			scanned <- e
		}
		return nil
	}
	r := start(t, g, nil)
	go func() {
		frame := append(binary.BigEndian.AppendUint32([]byte{'d'}, size), make([]byte, size-5)...)
		_, _ = r.upstream.Write(frame)
		_, _ = r.upstream.Write([]byte("x\x00\x00\x00\x05"))
		_ = r.upstream.CloseWrite()
	}()
	if got := collect(r.agent); len(got) != size+5 {
		t.Errorf("%d bytes came", len(got))
	}
	if e := <-scanned; e.Frames != 1 || e.Bytes != size {
		t.Errorf("%+v", e)
	}
	_ = r.agent.CloseWrite()
	if e := r.wait(); e.FailClosed {
		t.Errorf("ended with %+v", e)
	}
}

// A guest that scans the same bytes for ever is cut off; one that scans thousands of times through one delivery is not.
func TestScanEndless(t *testing.T) {
	scan := list(nil).scan(abi.Upstream, 0)
	g := &script{open: one(append(dialing(), scan...))}
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindScanned {
			return one(scan)
		}
		return nil
	}
	r := start(t, g, nil)
	r.write(r.upstream, "x\x00")
	if e := r.wait(); !e.FailClosed || e.Reason != endless {
		t.Errorf("ended with %+v", e)
	}

	g = &script{open: one(dialing())}
	have := 0
	g.data = func(side abi.Side, p []byte, end bool) []list {
		if side == abi.Upstream {
			have += len(p)
		}
		if side == abi.Upstream && have >= 2 { // gives everything back each time, but for a frame
			have = 0
			return one(list(nil).passBack(2).scan(abi.Upstream, 0))
		}
		return shutEnds(side, nil, end)
	}
	const frames = 100_000
	r = start(t, g, nil)
	go func() {
		_, _ = r.upstream.Write(bytes.Repeat([]byte("x\x00d\x00"), frames))
		_ = r.upstream.CloseWrite()
	}()
	_ = r.agent.CloseWrite()
	got := collect(r.agent)
	if e := r.wait(); e.FailClosed || len(got) != 4*frames {
		t.Errorf("%d bytes came, ended with %+v", len(got), e)
	}
}

// SHUT waits for the end of a scan of the other side, CLOSE does not, and a pause does not hold one up.
func TestScanAmongOthers(t *testing.T) {
	told := make(chan abi.Event, 2)
	event := func(e abi.Event) []list {
		if e.Kind == abi.KindScanned {
			told <- e
		}
		return nil
	}
	g := &script{open: one(dialing().scan(abi.Upstream, 0).shut(abi.Agent).pause(abi.Upstream, true)), event: event}
	g.data = func(side abi.Side, p []byte, end bool) []list {
		if side == abi.Agent && len(p) > 0 {
			return one(list(nil).drop(1).pause(abi.Upstream, false))
		}
		if side == abi.Upstream && len(p) > 0 {
			return one(abi.AppendDrop(nil, abi.Upstream, uint64(len(p))))
		}
		return shutEnds(side, nil, end && side == abi.Agent)
	}
	r := start(t, g, nil)
	r.write(r.upstream, "d\x01a")
	r.read(r.agent, "d\x01a")
	r.write(r.upstream, "d\x01bx\x00")
	if e := <-told; e.Frames != 2 {
		t.Errorf("%+v", e)
	}
	r.write(r.agent, "!")
	r.readEnd(r.agent, "d\x01b")
	_ = r.agent.CloseWrite()
	r.readEnd(r.upstream, "")
	_ = r.upstream.CloseWrite()
	if e := r.wait(); e.FailClosed {
		t.Errorf("ended with %+v", e)
	}

	g = &script{open: one(dialing().scan(abi.Upstream, 0))}
	g.data = func(side abi.Side, p []byte, end bool) []list { return one(list(nil).close("enough")) }
	r = start(t, g, nil)
	r.write(r.upstream, "d\x05ab")
	r.read(r.agent, "d\x05ab")
	r.write(r.agent, "!")
	r.readEnd(r.agent, "")
	_ = r.agent.CloseWrite()
	if e := r.wait(); e.FailClosed || e.Reason != "enough" {
		t.Errorf("ended with %+v", e)
	}
}

// A scan that begins while its side is paused, or has ended, walks what was shown before.
func TestScanOfHeldBytes(t *testing.T) {
	const stream = "d\x01ad\x02bcx\x01."
	for _, ended := range []bool{false, true} {
		var heard []string
		g := &script{open: one(dialing())}
		seen := 0
		g.data = func(side abi.Side, p []byte, end bool) []list {
			if side == abi.Upstream {
				heard = append(heard, fmt.Sprintf("%s %v", p, end))
				if seen += len(p); seen == len(stream) && len(p) > 0 { // the second part is to wait
					return one(list(nil).pause(abi.Upstream, true).send("ready"))
				}
				return nil
			}
			if len(p) > 0 {
				return one(list(nil).drop(1).pause(abi.Upstream, false).scan(abi.Upstream, 0))
			}
			return shutEnds(side, p, end)
		}
		g.event = func(e abi.Event) []list {
			if e.Kind == abi.KindScanned {
				return one(list(nil).send(fmt.Sprintf("scanned %d %d", e.Frames, e.Bytes)))
			}
			return nil
		}
		r := start(t, g, nil)
		r.write(r.upstream, stream)
		r.read(r.agent, "ready")
		if ended {
			_ = r.upstream.CloseWrite()
		}
		r.write(r.agent, "!")
		r.read(r.agent, "d\x01ad\x02bcscanned 2 7")
		r.stop()
		r.wait()
		if shown := strings.Join(heard, "|"); !strings.Contains(shown, "x\x01.") {
			t.Errorf("shown %q", shown)
		}
	}
}
