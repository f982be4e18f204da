package sdk_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// dials is a plain plugin that has an upstream.
type dials struct{ *plain }

func (d dials) Manifest() abi.Manifest {
	m := d.plain.Manifest()
	m.Families = append(m.Families, abi.Family{Name: abi.FamilyConnect, Fields: []abi.Field{}})
	return m
}

// heldGate is a dry gate around p in which a person is asked about every action but that of the opening.
func heldGate(t *testing.T, p *plain) *drygate.Gate {
	t.Helper()
	m, err := sdk.ConfigureNative(dials{p}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.open = func(c *sdk.Conn) { c.Dial(c.Ask(1, abi.ClassSession, "open").Do(0, abi.AskAside|abi.AskQuiet)) }
	g := drygate.New(drygate.Config{Guest: sdk.NewNative(p, nil), Manifest: m,
		Facts: abi.Facts{Endpoint: "e", Peer: "p", Profile: "q", UpstreamTLS: true},
		Decide: func(e *drygate.Entry) drygate.Verdict {
			return drygate.Verdict{Held: e.Action.Title != "open", Reason: "ask"}
		}})
	g.Open()
	return g
}

// TestPauseWhileHeld: what a session says while a person is asked holds, whatever the verdict; what stands behind the question holds when
// it is allowed.
func TestPauseWhileHeld(t *testing.T) {
	const a, u = abi.Agent, abi.Upstream
	for _, outcome := range []abi.Outcome{abi.Allow, abi.Deny} {
		for name, c := range map[string]struct {
			behind, held, after func(c *sdk.Conn)
			shown               map[abi.Outcome]string // of the upstream: before the verdict, at the verdict, behind what after says
		}{
			"nothing": {nil, nil, nil, map[abi.Outcome]string{abi.Allow: "1|2|", abi.Deny: "1|2|"}},
			"pause while it is held": {nil, func(c *sdk.Conn) { c.Pause(u) }, func(c *sdk.Conn) { c.Unpause(u) },
				map[abi.Outcome]string{abi.Allow: "||12", abi.Deny: "||12"}},
			"pause behind the question": {func(c *sdk.Conn) { c.Pause(u) }, nil, func(c *sdk.Conn) { c.Unpause(u) },
				map[abi.Outcome]string{abi.Allow: "1||2", abi.Deny: "1|2|"}},
			"pause behind the question and while it is held": {func(c *sdk.Conn) { c.Pause(u) }, func(c *sdk.Conn) { c.Pause(u) },
				func(c *sdk.Conn) { c.Unpause(u) }, map[abi.Outcome]string{abi.Allow: "||12", abi.Deny: "||12"}},
			"pause behind the question, ended while it is held": {func(c *sdk.Conn) { c.Pause(u) }, func(c *sdk.Conn) { c.Unpause(u) },
				func(c *sdk.Conn) { c.Unpause(u) }, map[abi.Outcome]string{abi.Allow: "1||2", abi.Deny: "1|2|"}},
			"pause and its end behind the question": {func(c *sdk.Conn) { c.Pause(u); c.Unpause(u) }, func(c *sdk.Conn) { c.Pause(u) },
				func(c *sdk.Conn) { c.Unpause(u) }, map[abi.Outcome]string{abi.Allow: "|12|", abi.Deny: "||12"}},
		} {
			t.Run(fmt.Sprint(name, " ", outcome), func(t *testing.T) {
				shown := ""
				do := func(f func(*sdk.Conn), c *sdk.Conn) {
					if f != nil {
						f(c)
					}
				}
				g := heldGate(t, &plain{data: func(conn *sdk.Conn, side abi.Side, p []byte, end bool) int {
					switch {
					case end:
					case side == u:
						shown += string(p)
						conn.Drop(side, uint64(len(p)))
					case p[0] == 'q':
						conn.Ask(0, abi.ClassRead, "hold").Do(1, 0)
						conn.Drop(a, 1)
						do(c.behind, conn)
						return 1
					default:
						conn.Drop(a, uint64(len(p)))
						do(c.after, conn)
					}
					return len(p)
				}, event: func(conn *sdk.Conn, e abi.Event) {
					switch {
					case e.Kind == abi.KindHeld:
						do(c.held, conn)
					case e.Kind == abi.KindVerdict && e.Outcome == abi.Deny:
						conn.Drop(a, 1)
					}
				}})
				g.Send(a, []byte("q"))
				g.Send(u, []byte("1"))
				shown += "|"
				if !g.Decide(drygate.Verdict{Outcome: outcome}) {
					t.Fatal(g.Transcript())
				}
				g.Send(u, []byte("2"))
				shown += "|"
				g.Send(a, []byte("."))
				if shown != c.shown[outcome] || g.Over() {
					t.Errorf("the session was shown %s, want %s\n%s", shown, c.shown[outcome], g.Transcript())
				}
			})
		}
	}
}

// TestTLSWhileHeld: bytes that become a handshake are forgotten at once, also while a person is asked.
func TestTLSWhileHeld(t *testing.T) {
	for _, outcome := range []abi.Outcome{abi.Allow, abi.Deny} {
		shown := ""
		g := heldGate(t, &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
			switch {
			case end:
			case side == abi.Agent:
				c.Ask(0, abi.ClassRead, "hold").Do(1, 0)
				c.Drop(side, 1)
				return 1
			case p[0] == 'S':
				c.Drop(side, 1)
				c.StartTLS(side)
				return 1
			}
			shown += string(p)
			c.Drop(side, uint64(len(p)))
			return len(p)
		}, event: func(c *sdk.Conn, e abi.Event) {
			if e.Kind == abi.KindVerdict && e.Outcome == abi.Deny {
				c.Drop(abi.Agent, 1)
			}
		}})
		g.Send(abi.Agent, []byte("q"))
		g.Send(abi.Upstream, []byte("Shandshake"))
		g.Decide(drygate.Verdict{Outcome: outcome})
		g.Send(abi.Upstream, []byte("inside"))
		if shown != "inside" || g.Over() {
			t.Errorf("%v: the session was shown %q\n%s", outcome, shown, g.Transcript())
		}
	}
}

// TestMuchBehindAHeldQuestion: what did not fit into one list is kept for the verdict, what the session says meanwhile goes first.
func TestMuchBehindAHeldQuestion(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 16<<10)
	for _, flags := range []uint8{0, abi.AskQuiet} {
		for outcome, want := range map[abi.Outcome]string{abi.Allow: "[waits]u[allow]" + string(big) + "after", abi.Deny: "[waits]u[deny]after"} {
			g := heldGate(t, &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
				switch {
				case end:
				case side == abi.Upstream:
					c.Pass(side, 0, uint64(len(p)))
				case p[0] == 'q':
					c.Ask(0, abi.ClassRead, "hold").Do(1, flags)
					c.Drop(side, 1)
					c.Send(side, 0, big)
					return 1
				default:
					c.Drop(side, uint64(len(p)))
					c.Send(side, 0, p)
				}
				return len(p)
			}, event: func(c *sdk.Conn, e abi.Event) {
				switch {
				case e.Kind == abi.KindHeld:
					c.Send(abi.Agent, 0, []byte("[waits]"))
				case e.Kind == abi.KindVerdict && e.ID > 1:
					c.Send(abi.Agent, 0, []byte("["+e.Outcome.String()+"]"))
					if e.Outcome == abi.Deny {
						c.Drop(abi.Agent, 1)
					}
				}
			}})
			g.Send(abi.Agent, []byte("q"))
			g.Send(abi.Upstream, []byte("u"))
			g.Send(abi.Agent, []byte("after"))
			g.Decide(drygate.Verdict{Outcome: outcome})
			got := string(g.Transcript().Gets(abi.Agent))
			// Where the words about the verdict stand in what follows the question depends on the size of a list.
			if outcome == abi.Allow {
				got = strings.Replace(got, "[allow]", "", 1)
				want = strings.Replace(want, "[allow]", "", 1)
			}
			if got != want || g.Over() {
				t.Errorf("%v: the agent gets %d bytes %.60q, want %d", outcome, len(got), got, len(want))
			}
		}
	}
}

// TestCloseBehindAHeldQuestion: it closes when the action is allowed, and only then.
func TestCloseBehindAHeldQuestion(t *testing.T) {
	big := make([]byte, 200<<10) // so that the host does not have it yet
	for _, outcome := range []abi.Outcome{abi.Allow, abi.Deny} {
		g := heldGate(t, &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
			if side == abi.Agent && len(p) > 0 && p[0] == 'q' {
				c.Ask(0, abi.ClassRead, "hold").Do(1, 0)
				c.Drop(side, 1)
				c.Send(side, 0, big)
				c.Close("done")
				return 1
			}
			c.Drop(side, uint64(len(p)))
			c.Send(abi.Agent, 0, p)
			return len(p)
		}, event: func(c *sdk.Conn, e abi.Event) {
			if e.Kind == abi.KindVerdict && e.Outcome == abi.Deny {
				c.Drop(abi.Agent, 1)
			}
		}})
		g.Send(abi.Agent, []byte("q"))
		g.Send(abi.Upstream, []byte("words"))
		if g.Over() || string(g.Transcript().Gets(abi.Agent)) != "words" {
			t.Errorf("while it is held: %d bytes", len(g.Transcript().Gets(abi.Agent)))
		}
		g.Decide(drygate.Verdict{Outcome: outcome})
		want := map[abi.Outcome]int{abi.Allow: len(big) + 5, abi.Deny: 5}[outcome]
		if n := len(g.Transcript().Gets(abi.Agent)); n != want || g.Over() != (outcome == abi.Allow) {
			t.Errorf("%v: %d bytes, over %v", outcome, n, g.Over())
		}
	}
}
