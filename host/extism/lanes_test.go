package extism

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestConversation: the same plugin does the same in both lanes, through a real gate.
func TestConversation(t *testing.T) {
	for _, l := range lanes(t, nil) {
		t.Run(l.name, func(t *testing.T) {
			w := serve(t, l.guest(t))
			w.reads(w.agent, "hello\n")
			w.write(w.agent, "get a\nget secret\nput b 70000\n") // pipelined, the one in the middle denied
			w.reads(w.upstream, "get a\n")
			w.write(w.upstream, "data 4\nabcd")
			w.reads(w.agent, "data 4\nabcd"+"denied: not that\n")
			w.reads(w.upstream, "put b 70000\n")
			body := strings.Repeat("x", 70000) // more than one delivery: the host moves the rest itself
			w.write(w.agent, body)
			w.reads(w.upstream, body)
			w.write(w.upstream, "ok\n")
			w.reads(w.agent, "ok\n")
			w.write(w.agent, "del c\n")
			w.reads(w.agent, "denied: not that\n")
			w.write(w.agent, "quit\n")
			w.reads(w.agent, "bye\n")
			if rest, err := io.ReadAll(w.upstream); err != nil || len(rest) > 0 {
				t.Errorf("the upstream got %q, %v", rest, err)
			}
			_ = w.agent.Close() // the gate waits for that, for a while
			if e := w.over(); e.FailClosed || e.Reason != "the agent quit" {
				t.Errorf("the end is %+v", e)
			}
			want := []string{"session open a connection", "read get a", "read get secret", "write put b 70000", "delete del c"}
			if fmt.Sprint(w.session.asked) != fmt.Sprint(want) {
				t.Errorf("asked %q", w.session.asked)
			}
			if len(w.session.notes) != 2 {
				t.Errorf("noted %q", w.session.notes)
			}
		})
	}
}

// TestSameCommands: given the same deliveries, cut in any way, both lanes write the same commands.
func TestSameCommands(t *testing.T) {
	upstream := map[int]string{2: "data 3\nabc", 5: "ok\n"}
	agent := "get a\nput b 5\nhelloget c\nquit\n"
	var first []byte
	for _, l := range lanes(t, nil) {
		for size := 1; size <= len(agent); size += 3 {
			var got []byte
			g := l.guest(t)
			add := func(commands []byte, more bool, err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, commands...)
				for more {
					if commands, more, err = g.Event(nil); err != nil {
						t.Fatal(err)
					}
					got = append(got, commands...)
				}
			}
			verdict := func(id uint32, o abi.Outcome) {
				add(g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: id, Outcome: o, Reason: "no"})))
			}
			add(g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "e", Peer: "p", Profile: "q"})))
			verdict(1, abi.Allow)
			add(g.Event([]byte{byte(abi.KindConnected)}))
			for at := 0; at < 6; at += size {
				add(g.Data(abi.Agent, []byte(agent[at:min(at+size, 6)]), 0))
			}
			verdict(2, abi.Allow)
			add(g.Data(abi.Upstream, []byte(upstream[2]), 0))
			for at := 6; at < 14; at += size {
				add(g.Data(abi.Agent, []byte(agent[at:min(at+size, 14)]), 0))
			}
			verdict(3, abi.Deny)
			for at := 19; at < len(agent); at += size {
				add(g.Data(abi.Agent, []byte(agent[at:min(at+size, 25)]), 0))
				if at+size >= 25 {
					break
				}
			}
			verdict(4, abi.Allow)
			add(g.Data(abi.Upstream, []byte(upstream[5]), 0))
			add(g.Data(abi.Agent, []byte(agent[25:]), 0))
			add(g.Data(abi.Upstream, nil, abi.DataEnd))
			g.Close()
			if first == nil {
				first = got
			}
			if !bytes.Equal(first, got) {
				t.Fatalf("%s, cut at %d, wrote other commands:\n% x\n% x", l.name, size, got, first)
			}
		}
	}
	if len(first) < 200 {
		t.Errorf("only %d bytes of commands", len(first))
	}
}

// TestStream: a streaming action and its end.
func TestStream(t *testing.T) {
	for _, l := range lanes(t, nil) {
		t.Run(l.name, func(t *testing.T) {
			w := serve(t, l.guest(t))
			w.reads(w.agent, "hello\n")
			w.write(w.agent, "feed\n")
			body := strings.Repeat("y", 300_000)
			go func() {
				_, _ = io.WriteString(w.agent, body)
				_ = w.agent.CloseWrite()
			}()
			all, err := io.ReadAll(w.upstream)
			if err != nil || string(all) != "feed\n"+body {
				t.Errorf("the upstream got %d bytes, %v", len(all), err)
			}
			w.write(w.upstream, "ok\n")
			_ = w.upstream.CloseWrite()
			if rest, err := io.ReadAll(w.agent); err != nil || string(rest) != "ok\n" {
				t.Errorf("the agent got %q, %v", rest, err)
			}
			if e := w.over(); e.FailClosed {
				t.Errorf("the end is %+v", e)
			}
		})
	}
}

var _ gate.Guest = (*Guest)(nil)
