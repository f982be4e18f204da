package gate

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// framer is a plugin for frames of a type, a length of one byte and that many bytes. The agent's S begins TLS, G does when that is
// allowed, Q is asked about quietly, C begins a stream of d frames that X ends; the upstream's T is followed by d frames. It writes down what it hears.
type framer struct{ heard [2][]string }

func (*framer) Manifest() abi.Manifest { return *testManifest() }

func (*framer) Configure([]byte) error { return nil }

func (f *framer) Open(c *sdk.Conn, _ abi.Facts) sdk.Session {
	c.Dial(c.Ask(0, abi.ClassSession, "open").Do(0, 0))
	return &framerSession{framer: f}
}

type framerSession struct {
	*framer
	stream uint32
	denied uint64 // bytes of the question
}

var dFrames = abi.Framing{Head: 2, LengthAt: 1, LengthWidth: 1, Adjust: 2, Max: 257}

func (s *framerSession) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if len(p) < 2 || len(p) < 2+int(p[1]) {
		if end {
			s.heard[side] = append(s.heard[side], fmt.Sprintf("end %s", p))
			if side == abi.Agent { // which is answered also when the upstream has ended
				c.Shut(abi.Upstream)
			}
			return len(p)
		}
		return 0
	}
	n := 2 + int(p[1])
	s.heard[side] = append(s.heard[side], string(p[:n]))
	switch {
	case side == abi.Upstream:
		c.Pass(side, 0, uint64(n))
		if p[0] == 'T' {
			c.Scan(side, 0, dFrames, abi.Types('d'))
		}
	case p[0] == 'S', p[0] == 'G':
		if p[0] == 'G' {
			c.Ask(1, abi.ClassRead, "tls").Do(uint64(n), abi.AskQuiet)
		}
		c.Drop(side, uint64(n))
		c.Send(side, 0, []byte("Y"))
		c.StartTLS(side)
	case p[0] == 'C':
		s.stream = c.Ask(1, abi.ClassRead, "stream").Do(0, abi.AskStreaming)
		c.Pass(side, s.stream, uint64(n))
		c.Scan(side, s.stream, dFrames, abi.Types('d'))
	case s.stream != 0:
		c.Pass(side, s.stream, uint64(n))
		if p[0] == 'X' {
			c.Done(s.stream)
			s.stream = 0
		}
	default:
		s.denied = uint64(n)
		c.Pass(side, c.Ask(1, abi.ClassRead, map[bool]string{true: "deny"}[p[0] == 'D']).Do(uint64(n), abi.AskQuiet), uint64(n))
	}
	return n
}

func (s *framerSession) Event(c *sdk.Conn, e abi.Event) {
	if e.Kind == abi.KindSecured || e.Kind == abi.KindScanned {
		s.heard[e.Side] = append(s.heard[e.Side], fmt.Sprintf("<%d %d %d>", e.Kind, e.Frames, e.Bytes))
	}
	if e.Kind == abi.KindVerdict && e.Outcome == abi.Deny {
		c.Drop(abi.Agent, s.denied)
		c.Send(abi.Agent, 0, []byte("N"))
	}
}

// prompt is a person who decides at once.
type prompt struct{ Verdict }

func (p prompt) Wait(context.Context, func(context.Context) error) Verdict { return p.Verdict }

// A plugin of the SDK that uses TLS, quiet questions and scans of both sides hears the same however the streams are cut, and the
// same bytes come to both ends.
func TestPluginHoweverCut(t *testing.T) {
	agentStream := "S\x01!" + "HELLO" + flipped("Q\x02qq"+"D\x01n"+"C\x00"+"d\x03abcd\x00d\x01e"+"y\x00"+"X\x00"+"Q\x00"+"D\x00"+"Q\x05tail")
	upstreamStream := "r\x01r" + "T\x00" + "d\x04rowsd\x00" + "r\x00" + "T\x00" + "r\x00" + "T\x00" + "d\x02xyd"
	passed := "Q\x02qqC\x00d\x03abcd\x00d\x01ey\x00X\x00Q\x00"
	serve := func(agentStream, upstreamStream string, held bool, cuts []byte) string {
		p := &framer{}
		if _, err := sdk.ConfigureNative(p, nil); err != nil {
			t.Fatal(err)
		}
		gateAgent, agent := memPair(cuts)
		gateUpstream, upstream := memPair(cuts)
		_, _ = agent.Write([]byte(agentStream))
		s := &session{dial: func(context.Context) (Conn, error) {
			_, _ = upstream.Write([]byte(upstreamStream))
			_ = upstream.CloseWrite()
			return gateUpstream, nil
		}}
		if held {
			s.decide = func(_ context.Context, q *Question) Verdict { return Verdict{Pending: prompt{byTitle(q)}} }
			go func() { // before, it would take back what waits
				upstream.await(len(passed))
				_ = agent.CloseWrite()
			}()
		} else {
			_ = agent.CloseWrite()
		}
		cfg := Config{Agent: gateAgent, Guest: sdk.NewNative(p, nil), Manifest: testManifest(), Facts: abi.Facts{Endpoint: "e"}, Session: s, Limits: testLimits}
		offeredAgent(&cfg, s)
		e := Serve(t.Context(), cfg)
		return fmt.Sprintf("agent heard %q\nupstream heard %q\nto the upstream %q\nto the agent %q\nfailed %v %s", p.heard[0], p.heard[1],
			upstream.received(), agent.received(), e.FailClosed, e.Reason)
	}
	// One side at a time: the plugin would be cut off for answering a denial in the middle of a scan of the answer.
	for _, c := range []struct {
		agent, upstream string
		held            bool
		wants           []string
	}{
		{"G" + agentStream[1:], "", true, []string{`"<6 3 10>" "y\x00"`, `"end Q\x05tail"`, fmt.Sprintf("to the upstream %q", passed), "failed false"}},
		{agentStream, "", false, []string{`"<6 3 10>" "y\x00"`, `"end Q\x05tail"`, fmt.Sprintf("to the upstream %q", passed), "failed false"}},
		{"", upstreamStream, false, []string{`"<6 2 8>" "r\x00"`, `"<6 0 0>" "r\x00"`, `"<6 1 4>" "end d"`, `to the agent "r\x01rT\x00d\x04rowsd\x00r\x00T\x00r\x00T\x00d\x02xy"`, "failed false"}},
	} {
		whole := serve(c.agent, c.upstream, c.held, nil)
		for _, want := range c.wants {
			if !strings.Contains(whole, want) {
				t.Errorf("no %s in\n%s", want, whole)
			}
		}
		everyCut(len(c.agent)+len(c.upstream), func(cuts []byte) {
			if got := serve(c.agent, c.upstream, c.held, cuts); got != whole {
				t.Fatalf("cut at %v\n%s\nwhole\n%s", cuts, got, whole)
			}
		})
	}
}
