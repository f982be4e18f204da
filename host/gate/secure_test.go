package gate

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// tlsSide is a side that speaks TLS.
type tlsSide struct {
	*tls.Conn
	raw Conn
}

func (c tlsSide) Abort() { c.raw.Abort() }

func (c tlsSide) CloseWrite() error { return errors.Join(c.Conn.CloseWrite(), c.raw.CloseWrite()) }

func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"db.internal"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// withTLS offers TLS to the agent and promises it to the upstream.
func withTLS(t testing.TB) (change func(cfg *Config, s *session), server, client *tls.Config) {
	cert, roots := certificate(t)
	server = &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"postgresql"}}
	client = &tls.Config{RootCAs: roots, ServerName: "db.internal", NextProtos: []string{"postgresql"}}
	return func(cfg *Config, s *session) {
		cfg.Facts.AgentTLS, cfg.Facts.UpstreamTLS = true, true
		s.secure = func(ctx context.Context, side abi.Side, k Conn) (Conn, Secured, error) {
			c := tls.Server(k, server)
			if side == abi.Upstream {
				c = tls.Client(k, client)
			}
			if err := c.HandshakeContext(ctx); err != nil {
				return nil, Secured{}, err
			}
			state := c.ConnectionState()
			return tlsSide{c, k}, Secured{Version: "1.3", Name: state.ServerName, Protocol: state.NegotiatedProtocol}, nil
		}
	}, server, client
}

// afterByte reads past what a side says in clear before TLS.
type afterByte struct {
	*net.TCPConn
	skip int
}

func (c *afterByte) Read(p []byte) (int, error) {
	for c.skip > 0 {
		n, err := c.TCPConn.Read(make([]byte, c.skip))
		if c.skip -= n; err != nil {
			return 0, err
		}
	}
	return c.TCPConn.Read(p)
}

// startTLS is a guest as a database's would be: the agent's "S" is answered "Y" and TLS begins; behind it comes a request. The
// upstream is asked by a constant, answers "S", and TLS begins. What it is shown is written down.
func startTLS(shown *[]string, events *[]abi.Event) *script {
	g := &script{open: one(list(nil).connectStream(1))}
	g.data = func(side abi.Side, p []byte, end bool) []list {
		*shown = append(*shown, side.String()[:1]+":"+string(p))
		switch {
		case len(p) == 0:
			return shutEnds(side, p, end)
		case side == abi.Agent && p[0] == 'S':
			return one(list(nil).drop(1).send("Y").tls(abi.Agent))
		case side == abi.Agent:
			return one(list(nil).pause(abi.Agent, true).dial(1))
		case p[0] == 'S':
			return one(list(abi.AppendDrop(nil, abi.Upstream, 1)).tls(abi.Upstream))
		}
		return one(list(nil).passBack(uint64(len(p))))
	}
	g.event = func(e abi.Event) []list {
		*events = append(*events, e)
		switch {
		case e.Kind == abi.KindConnected:
			return one(list(nil).stock(0))
		case e.Kind == abi.KindSecured && e.Side == abi.Upstream:
			return one(list(nil).pass(1, 7).pause(abi.Agent, false))
		}
		return nil
	}
	return g
}

func TestTLSOnBothSides(t *testing.T) {
	for _, hurry := range []bool{false, true} {
		var shown []string
		var events []abi.Event
		change, server, client := withTLS(t)
		r := start(t, startTLS(&shown, &events), change)
		r.write(r.agent, "S")
		raw := &afterByte{r.agent, 1}
		if !hurry { // else the handshake begins before the answer
			r.read(r.agent, "Y")
			raw.skip = 0
		}
		agent := tls.Client(raw, client)
		if _, err := agent.Write([]byte("request")); err != nil {
			t.Fatal(err)
		}
		r.read(r.upstream, "PING")
		r.write(r.upstream, "S")
		upstream := tls.Server(r.upstream, server)
		got := make([]byte, 7)
		if _, err := io.ReadFull(upstream, got); err != nil || string(got) != "request" {
			t.Fatalf("the upstream read %q %v", got, err)
		}
		if _, err := upstream.Write([]byte("the answer")); err != nil {
			t.Fatal(err)
		}
		got = make([]byte, 10)
		if _, err := io.ReadFull(agent, got); err != nil || string(got) != "the answer" {
			t.Fatalf("the agent read %q %v", got, err)
		}
		_ = agent.CloseWrite()
		_ = r.agent.CloseWrite()
		if rest, err := io.ReadAll(upstream); err != nil || len(rest) != 0 {
			t.Errorf("the upstream read %q %v", rest, err)
		}
		_ = r.upstream.Close()
		_, _ = io.ReadAll(agent)
		r.wait()
		// In a hurry the handshake may be shown as far as it was read with the S, but nothing of it afterwards.
		first, rest := shown[0], strings.Join(shown[1:], " ")
		if !strings.HasPrefix(first, "a:S") || first != "a:S" && !hurry || !strings.HasPrefix(rest, "a:request u:S u:the answer a:") {
			t.Errorf("the guest was shown %q", shown)
		}
		want := abi.Event{Kind: abi.KindSecured, Side: abi.Agent, Version: "1.3", Name: "db.internal", Protocol: "postgresql"}
		if len(events) != 4 || events[1] != want {
			t.Errorf("events %+v", events)
		}
	}
}

// Everything that was queued before goes out in clear, everything after inside, and what the agent sent behind the place is its
// handshake, however it is cut.
func TestTLSAtTheCursor(t *testing.T) {
	stream := "ab" + "HELLO" + flipped("inside, and more")
	everyCut(len(stream), func(cuts []byte) {
		shown := ""
		g := &script{open: one(dialing()), t: t}
		g.data = func(side abi.Side, p []byte, end bool) []list {
			if side != abi.Agent {
				return nil
			}
			before := len(shown)
			shown += string(p)
			switch {
			case before < 2 && len(shown) >= 2:
				shown = shown[:2]
				return one(list(nil).ask(2, 2).pass(2, 2).send("clear").tls(abi.Agent).send("in"))
			case end:
				return one(list(nil).send("bye").shut(abi.Agent).shut(abi.Upstream))
			}
			return nil
		}
		secured := 0
		g.event = func(e abi.Event) []list {
			if e.Kind == abi.KindSecured {
				secured++
				return one(list(nil).send("side").ask(4, 6).pass(4, 6))
			}
			return nil
		}
		gateAgent, agent := memPair(cuts)
		gateUpstream, upstream := memPair(nil)
		_, _ = agent.Write([]byte(stream))
		_ = agent.CloseWrite()
		_ = upstream.CloseWrite()
		s := &session{dial: func(context.Context) (Conn, error) { return gateUpstream, nil }}
		cfg := Config{Agent: gateAgent, Guest: g, Manifest: testManifest(), Facts: abi.Facts{Endpoint: "endpoint"}, Session: s, Limits: testLimits}
		offeredAgent(&cfg, s)
		e := Serve(t.Context(), cfg)
		if got, want := string(agent.received()), "clear"+"WELCOME"+flipped("insidebye"); got != want || e.FailClosed || secured != 1 {
			t.Fatalf("cut %v: the agent got %q, want %q; %d %+v", cuts[0], got, want, secured, e)
		}
		if read := uint64(len("abinside, and more")); e.Read[abi.Agent] != read {
			t.Fatalf("cut %v: %d bytes of the agent are counted, want %d", cuts[0], e.Read[abi.Agent], read)
		}
		if got := string(upstream.received()); got != "abinside" {
			t.Fatalf("cut %v: the upstream got %q", cuts[0], got)
		}
		if shown != "ab, and more" { // six bytes were passed unseen
			t.Fatalf("cut %v: the guest was shown %q", cuts[0], shown)
		}
	})
}

func TestTLSFails(t *testing.T) {
	r := start(t, scripted(nil, one(list(nil).stock(0).drop(2).tls(abi.Agent).send("inside")), nil), offered)
	r.write(r.agent, tenBytes)
	if e := r.wait(); !e.FailClosed || e.Reason != "TLS with the agent: this is no hello" {
		t.Errorf("ended with %+v", e)
	}
	if got := string(collect(r.agent)); got != "" {
		t.Errorf("the agent got %q", got)
	}
	r = start(t, scripted(nil, one(list(nil).drop(10).send("Y").tls(abi.Agent).send("inside")), nil), offered)
	r.write(r.agent, tenBytes)
	r.read(r.agent, "Y")
	r.write(r.agent, "HEL")
	_ = r.agent.CloseWrite()
	if e := r.wait(); !e.FailClosed || !strings.HasPrefix(e.Reason, "TLS with the agent: ") {
		t.Errorf("ended with %+v", e)
	}
	if got := string(collect(r.agent)); strings.Contains(got, "inside") {
		t.Errorf("the agent got %q", got)
	}
}

// The guest hears of a handshake with the upstream that fails, tells the agent and closes. Nothing more reaches the upstream, and the
// record says why whatever the guest says. A guest that goes on is cut off.
func TestTLSWithUpstreamFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer []list
		agent  string
		reason string
	}{
		"twin: it tells the agent": {one(abi.AppendClose(list(nil).send("sorry"), true, "no TLS")), "Ysorry", "TLS with the upstream: "},
		"it ends in good order":    {one(list(nil).send("sorry").close("bye")), "Ysorry", "TLS with the upstream: "},
		"it goes on":               {one(list(nil).send("never mind")), "", "the plugin goes on without TLS with the upstream: "},
		"it says nothing":          {nil, "", "the plugin goes on without TLS with the upstream: "},
		"it writes all the same":   {one(list(nil).stock(0).close("bye")), "Y", "TLS with the upstream: "},
		"it passes all the same":   {one(list(nil).pass(1, 7).close("bye")), "", "reach the upstream before the TLS"},
		"it begins once more":      {one(list(nil).tls(abi.Upstream).close("bye")), "", "not connected"},
	} {
		t.Run(name, func(t *testing.T) {
			var shown []string
			var events []abi.Event
			change, _, client := withTLS(t)
			g := startTLS(&shown, &events)
			before := g.event
			g.event = func(e abi.Event) []list {
				if before(e); e.Kind == abi.KindConnected {
					return one(list(nil).stock(0))
				}
				if e.Kind == abi.KindRefused {
					return c.answer
				}
				return nil
			}
			r := start(t, g, change)
			r.write(r.agent, "S")
			agent := tls.Client(&afterByte{r.agent, 1}, client)
			if _, err := agent.Write([]byte("request")); err != nil {
				t.Fatal(err)
			}
			r.read(r.upstream, "PING")
			r.write(r.upstream, "Sthis is no handshake, but the answer of an old server")
			got, _ := io.ReadAll(agent)
			_ = r.agent.Close()
			e := r.wait()
			if !e.FailClosed || !strings.Contains(e.Reason, c.reason) {
				t.Errorf("ended with %+v", e)
			}
			if want := strings.TrimPrefix(c.agent, "Y"); c.agent != "" && string(got) != want {
				t.Errorf("the agent got %q, want %q", got, want)
			}
			if rest := string(collect(r.upstream)); strings.Contains(rest, "PING") || strings.Contains(rest, "request") {
				t.Errorf("the upstream got %q", rest)
			}
			if refused := events[len(events)-1]; refused.Kind != abi.KindRefused || refused.Reason == "" {
				t.Errorf("the last event is %+v", refused)
			}
		})
	}
}

// A handshake that hangs holds up neither the end of the connection nor the other side.
func TestTLSHangs(t *testing.T) {
	hanging := func() *rig {
		g := scripted(nil, one(list(nil).drop(10).send("Y").tls(abi.Agent).send("inside")), nil)
		data := g.data
		g.data = func(side abi.Side, p []byte, end bool) []list {
			if side == abi.Upstream && string(p) == "end" {
				return one(list(nil).stock(0).close("enough"))
			}
			return data(side, p, end)
		}
		r := start(t, g, offered)
		r.write(r.agent, tenBytes)
		r.read(r.agent, "Y")
		r.write(r.agent, "HEL")
		return r
	}
	r := hanging()
	r.write(r.upstream, "end")
	r.readEnd(r.upstream, "PING")
	if e := r.wait(); e.FailClosed || e.Reason != "enough" {
		t.Errorf("ended with %+v", e)
	}
	if got := string(collect(r.agent)); got != "" {
		t.Errorf("the agent got %q", got)
	}
	r = hanging()
	r.stop()
	if e := r.wait(); e.Reason != stopping {
		t.Errorf("ended with %+v", e)
	}
}

// TLS begins also when the other side's bytes make it, while the side's reader waits for bytes or is held by a pause.
func TestTLSFromTheOtherSide(t *testing.T) {
	for _, paused := range []bool{false, true} {
		g := &script{open: one(dialing().pause(abi.Agent, paused))}
		g.data = func(side abi.Side, p []byte, end bool) []list {
			switch {
			case len(p) == 0:
				return shutEnds(side, p, end)
			case side == abi.Upstream:
				return one(list(nil).passBack(1).tls(abi.Agent))
			}
			return one(list(nil).ask(2, uint64(len(p))).pass(2, uint64(len(p))))
		}
		g.event = func(e abi.Event) []list {
			if e.Kind == abi.KindSecured {
				return one(list(nil).pause(abi.Agent, false))
			}
			return nil
		}
		r := start(t, g, offeredAgent)
		if paused {
			r.write(r.agent, "HEL") // is held by the reader, and never shown
		}
		r.write(r.upstream, "!")
		r.read(r.agent, "!")
		r.write(r.agent, "HELLO"[3*map[bool]int{true: 1}[paused]:]+flipped("x"))
		r.read(r.agent, "WELCOME")
		r.read(r.upstream, "x")
		r.stop()
		r.wait()
	}
}

// Both sides may begin at once while each has much to write to the other.
func TestTLSOnBothSidesAtOnce(t *testing.T) {
	const n = 200 << 10
	g := &script{open: one(dialing())}
	secured, heard := 0, make(chan struct{}, 2)
	g.data = func(side abi.Side, p []byte, end bool) []list {
		switch {
		case len(p) == 0:
			return shutEnds(side, p, end)
		case side == abi.Agent && secured == 0:
			l := list(nil).drop(1)
			for range backlog/1000 + 1 {
				l = l.send(strings.Repeat("a", 1000)).stock(0)
			}
			return one(l.tls(abi.Agent).tls(abi.Upstream).send(strings.Repeat("b", n-backlog)))
		}
		return one(abi.AppendDrop(nil, side, uint64(len(p))))
	}
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindSecured {
			secured++
			heard <- struct{}{}
		}
		return nil
	}
	r := start(t, g, offered)
	r.write(r.agent, "!")
	r.read(r.upstream, strings.Repeat("PING", backlog/1000+1))
	r.write(r.upstream, "HELLO") // before, it would be shown to the guest
	r.read(r.upstream, "WELCOME")
	r.read(r.agent, strings.Repeat("a", 1000*(backlog/1000+1)))
	r.write(r.agent, "HELLO")
	r.read(r.agent, "WELCOME"+flipped(strings.Repeat("b", n-backlog)))
	for range 2 { // an end of the connection before would leave none to hear of it
		select {
		case <-heard:
		case <-time.After(patience):
			t.Fatal("not both sides are secured")
		}
	}
	r.stop()
	r.wait()
	if secured != 2 {
		t.Errorf("%d sides are secured", secured)
	}
}

// What is passed to a side in its handshake waits for it in bounded memory.
func TestTLSHoldsUpTheOtherSide(t *testing.T) {
	const n = 2 << 20
	g := scripted(nil, one(list(nil).drop(10).send("now").tls(abi.Agent).send("Y")), nil)
	r := start(t, g, offeredAgent)
	r.write(r.agent, tenBytes)
	r.read(r.agent, "now")
	go func() { _, _ = r.upstream.Write(bytes.Repeat([]byte("u"), n)); _ = r.upstream.CloseWrite() }()
	r.write(r.agent, "HELLO")
	r.read(r.agent, "WELCOME")
	got := flipped(string(collect(r.agent)))
	if strings.Count(got, "u") != n || strings.Count(got, "Y") != 1 || len(got) != n+1 {
		t.Errorf("%d bytes came", len(got))
	}
	_ = r.agent.CloseWrite()
	r.wait()
}
