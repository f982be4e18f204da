package gate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// fake is TLS for tests of what is around it: the other end says HELLO, the host WELCOME, and then every byte has its top bit
// set.
type fake struct{ Conn }

func (c fake) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	flip(p[:n])
	return n, err
}

func (c fake) Write(p []byte) (int, error) { p = bytes.Clone(p); flip(p); return c.Conn.Write(p) }

func flip(p []byte) {
	for i := range p {
		p[i] ^= 0x80
	}
}

func flipped(s string) string { b := []byte(s); flip(b); return string(b) }

func fakeSecure(_ context.Context, _ abi.Side, k Conn) (Conn, Secured, error) {
	hello := make([]byte, 5)
	if _, err := io.ReadFull(k, hello); err != nil {
		return nil, Secured{}, err
	}
	if string(hello) != "HELLO" {
		return nil, Secured{}, errors.New("this is no hello")
	}
	_, err := k.Write([]byte("WELCOME"))
	return fake{k}, Secured{Version: "1.3"}, err
}

// offered offers and promises fake TLS.
func offered(cfg *Config, s *session) {
	cfg.Facts.AgentTLS, cfg.Facts.UpstreamTLS = true, true
	s.secure = fakeSecure
}

// offeredAgent offers fake TLS to the agent only.
func offeredAgent(cfg *Config, s *session) {
	offered(cfg, s)
	cfg.Facts.UpstreamTLS = false
}

func TestTLSAttacks(t *testing.T) {
	const a, u = abi.Agent, abi.Upstream
	required := func(cfg *Config, s *session) { offeredAgent(cfg, s); cfg.Facts.AgentTLSRequired = true }
	withLogin := func(cfg *Config, s *session) { filled(cfg, s); offered(cfg, s) }
	withAliases := func(cfg *Config, s *session) { mirrored(cfg, s); offered(cfg, s) }
	for _, c := range []struct {
		name   string
		change func(cfg *Config, s *session)
		open   list
		breach list
		reason string
	}{
		{"not offered", nil, nil, list(nil).tls(a), "not offered any"},
		{"not promised", offeredAgent, nil, list(nil).tls(u), "promises none"},
		{"twice", offered, nil, list(nil).tls(a).tls(a), "a second time"},
		{"twice, with the upstream", offered, nil, list(nil).tls(u).tls(u), "a second time"},
		{"before the upstream is connected", offered, list(nil).connect(1).dial(1).tls(u), nil, "not connected"},
		{"without an upstream", offered, list(nil).connect(1), list(nil).tls(u), "not connected"},
		{"in the middle of a pass", offeredAgent, nil, list(nil).stream(2).pass(2, 11).tls(a), "that have not come"},
		{"in the middle of a drop", offered, nil, list(nil).drop(11).tls(a), "that have not come"},
		{"in the middle of what it is to be written", offered, nil, list(nil).drop(11).tls(u), "that have not come"},
		{"in the middle of a pass of the upstream", offered, nil, list(nil).passBack(1).tls(u), "that have not come"},
		{"in the middle of a scan", offered, nil, list(nil).scan(u, 0).tls(u), "that have not come"},
		{"in the middle of what a scan writes", offered, nil, list(nil).scan(u, 0).tls(a), "that have not come"},
		{"after shut", offered, nil, list(nil).shut(u).tls(u), "nothing more is written"},

		{"pass before it", offered, nil, list(nil).ask(2, 10).pass(2, 10), "the TLS that the endpoint promises"},
		{"pass before it is up", offered, nil, list(nil).ask(2, 10).tls(u).pass(2, 10), "the TLS that the endpoint promises"},
		{"plan a pass before it", offered, nil, list(nil).stream(2).drop(10).pass(2, 10), "the TLS that the endpoint promises"},
		{"send before it", offered, nil, list(nil).stream(2).sendUp(2, "x"), "the TLS that the endpoint promises"},
		{"scan before it", offered, nil, list(nil).stream(2).scan(a, 2), "the TLS that the endpoint promises"},
		{"log in before it", withLogin, connected(), list(nil).auth(1, "hello"), "the TLS that the endpoint promises"},
		{"name an alias before it", withAliases, nil, list(nil).ask(2, 10).unalias(2, 4), "the TLS that the endpoint promises"},
		{"pass before the dial", offered, list(nil).connectStream(1), list(nil).pass(1, 10).dial(1), "the TLS that the endpoint promises"},
		{"the agent must, and does not", required, nil, list(nil).ask(2, 10).pass(2, 10), "an agent that must use TLS"},
		{"the agent must, and does not, scanned", required, nil, list(nil).stream(2).scan(a, 2), "an agent that must use TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			breachedWith(t, scripted(c.open, one(c.breach), nil), c.change, c.reason, "")
		})
	}
	// The twin: constants reach the upstream, and the agent is answered.
	passed(start(t, scripted(nil, one(list(nil).stock(0).send("x").stock(0)), nil), offered), "PINGPING")
}
