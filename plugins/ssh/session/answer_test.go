package session_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/ssh/session"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// token is what does not go to agents.
const token = "tok-SECRET-42"

// looked is a connection on which rules look at all answers, keep limit bytes, and decide about them by said; nil: what has the token, or is too long, is denied.
func looked(t testing.TB, limit uint32, said func(e *drygate.Entry) drygate.Verdict) *drygate.Gate {
	t.Helper()
	if said == nil {
		said = judge(false)
	}
	return inspected(t, nil, func(e *drygate.Entry) drygate.Verdict {
		switch e.Action.Family.Name {
		case abi.FamilyConnect:
			return drygate.Verdict{}
		case abi.FamilyResponse:
			return said(e)
		}
		return drygate.Verdict{Inspect: limit}
	})
}

// judge denies what has the token, and what is too long unless that may pass.
func judge(long bool) func(e *drygate.Entry) drygate.Verdict {
	return func(e *drygate.Entry) drygate.Verdict {
		text := e.Action.Values[abi.ResponseText]
		if !text.Known || strings.Contains(text.Str, token) || e.Action.Values[abi.ResponseTruncated].Bool && !long {
			return drygate.Verdict{Outcome: abi.Deny, Reason: "it has a token"}
		}
		return drygate.Verdict{}
	}
}

// begin opens a session and starts something on it.
func begin(g *drygate.Gate, stream uint32, request ...any) {
	g.Send(abi.Agent, open(stream))
	g.Send(abi.Upstream, confirm(stream))
	g.Send(abi.Agent, message(stream, sshwire.ChannelRequest, request...))
}

// got is what the agent was shown on a stream: both outputs, the exit status, and in which order the other messages came.
type got struct {
	out, err string
	status   int
	closed   bool
	order    string
}

func shown(t testing.TB, g *drygate.Gate, stream uint32) (r got) {
	t.Helper()
	r.status = -1
	for _, p := range records(t, g.Transcript().Gets(abi.Agent)) {
		id, _, _ := sshwire.Head(p)
		if id != stream {
			continue
		}
		f := sshwire.Fields{P: p[sshwire.HeadSize+1:]}
		switch p[sshwire.HeadSize] {
		case sshwire.Data:
			r.out += f.String()
		case sshwire.ExtendedData:
			f.U32()
			r.err += f.String()
		case sshwire.ChannelRequest:
			switch f.String() {
			case "exit-status":
				f.Bool()
				r.status = int(f.U32())
				r.order += "x"
			case "exit-signal":
				r.err += string(f.P)
				r.order += "x"
			}
		case sshwire.EOF:
			r.order += "e"
		case sshwire.Close:
			r.closed = true
			r.order += "c"
		}
	}
	return r
}

func out(stream uint32, text string) []byte { return message(stream, sshwire.Data, text) }

func errs(stream uint32, text string) []byte { return message(stream, sshwire.ExtendedData, 1, text) }

func exit(stream uint32, status int) []byte {
	return message(stream, sshwire.ChannelRequest, "exit-status", false, status)
}

// over is how a server ends a command.
func over(stream uint32, status int) []byte {
	return bytes.Join([][]byte{exit(stream, status), message(stream, sshwire.EOF), message(stream, sshwire.Close)}, nil)
}

// TestOutput: in whatever pieces a token comes, it is found; and what has none goes to the agent as it came.
func TestOutput(t *testing.T) {
	split := func(text string, at int) []byte { return append(out(1, text[:at]), out(1, text[at:])...) }
	type attack struct {
		name string
		sent func(secret string) []byte
	}
	attacks := []attack{
		{"on standard error", func(s string) []byte { return errs(1, s) }},
		{"a byte at a time, with the other output between", func(s string) (b []byte) {
			for i := range s {
				b = append(append(b, out(1, s[i:i+1])...), errs(1, ".")...)
			}
			return b
		}},
		{"before the request is answered", func(s string) []byte { return append(out(1, s), message(1, sshwire.ChannelSuccess)...) }},
		{"in the text of a signal", func(s string) []byte {
			return message(1, sshwire.ChannelRequest, "exit-signal", false, "KILL", false, s, "en")
		}},
		{"in the name of a signal", func(s string) []byte {
			return message(1, sshwire.ChannelRequest, "exit-signal", true, s, false, "", "")
		}},
		{"behind the exit status", func(s string) []byte { return append(exit(1, 0), out(1, s)...) }},
		{"behind a keepalive", func(s string) []byte {
			return append(message(1, sshwire.ChannelRequest, "keepalive@openssh.com", true), out(1, s)...)
		}},
	}
	for i := range len(token) {
		attacks = append(attacks, attack{fmt.Sprintf("cut at %d", i), func(s string) []byte { return split(s, i) }})
	}
	for _, a := range attacks {
		for _, secret := range []string{token, strings.Repeat("x", len(token))} {
			g := looked(t, 4096, nil)
			begin(g, 1, "exec", true, "id")
			sent := append([]byte(nil), a.sent(secret)...)
			g.Send(abi.Upstream, sent)
			if r := shown(t, g, 1); r.out+r.err != "" {
				t.Errorf("%s: before it is over, the agent has %+v", a.name, r)
			}
			g.Send(abi.Upstream, over(1, 3))
			r := shown(t, g, 1)
			if g.Over() {
				t.Fatalf("%s: %v", a.name, g.Transcript().End())
			}
			all := string(g.Transcript().Gets(abi.Agent))
			switch {
			case secret == token && (strings.Contains(all, "tok-") || strings.Contains(r.out, "t") || r.status != session.ExitDenied || !strings.Contains(r.err, "output is withheld: it has a token") || !r.closed):
				t.Errorf("%s: the agent has %+v", a.name, r)
			case secret != token && (!strings.Contains(r.out+r.err, "x") || strings.Contains(r.err, "withheld") || !r.closed || !strings.HasSuffix(r.order, "xec")):
				t.Errorf("%s: without a token the agent has %+v", a.name, r)
			case secret != token && !strings.Contains(all, secret) && strings.Count(r.out, "x") != len(secret):
				t.Errorf("%s: without a token the agent has %+v", a.name, r)
			}
		}
	}
}

// TestMaskedOutput: what is masked in the bytes kept stands in its place, and all else as it came.
func TestMaskedOutput(t *testing.T) {
	g := looked(t, 4096, func(e *drygate.Entry) drygate.Verdict {
		for i := range e.Response.Values {
			for _, p := range e.Response.Values[i].Pieces {
				copy(e.Response.Kept[p.Start:p.End], bytes.ReplaceAll(e.Response.Kept[p.Start:p.End], []byte(token), []byte("*************")))
			}
		}
		return drygate.Verdict{}
	})
	begin(g, 1, "exec", true, "id")
	g.Send(abi.Upstream, append(append(out(1, "a "+token+" b"), errs(1, "c")...), over(1, 7)...))
	if r := shown(t, g, 1); r != (got{"a ************* b", "c", 7, true, "xec"}) {
		t.Errorf("%+v", r)
	}
}

// TestNoWayAround: what a server says where nothing of it was asked for does not get to the agent.
func TestNoWayAround(t *testing.T) {
	for name, c := range map[string]struct {
		before, after []byte
		ends          bool // the connection
	}{
		"data before a command":        {before: out(1, token), ends: true},
		"errors before a command":      {before: errs(1, token), ends: true},
		"data behind the end":          {after: append(over(1, 0)[:len(over(1, 0))-9], out(1, token)...), ends: true},
		"a request of its own":         {after: append(message(1, sshwire.ChannelRequest, token, true, token), over(1, 0)...)},
		"a keepalive with a text":      {after: append(message(1, sshwire.ChannelRequest, "keepalive@openssh.com", true, token), over(1, 0)...)},
		"an exit status with a text":   {after: append(message(1, sshwire.ChannelRequest, "exit-status", true, 0, token), over(1, 0)...)},
		"a second exit":                {after: append(exit(1, 0), append(message(1, sshwire.ChannelRequest, "exit-signal", true, token, false, token, ""), over(1, 0)...)...)},
		"data on a channel not opened": {after: append(out(5, token), over(1, 0)...)},
		"a channel of the server":      {after: append(message(2, sshwire.Open, "forwarded-tcpip", token, 80, "", 1), over(1, 0)...)},
	} {
		g := looked(t, 4096, nil)
		g.Send(abi.Agent, open(1))
		g.Send(abi.Upstream, confirm(1))
		g.Send(abi.Upstream, c.before)
		g.Send(abi.Agent, message(1, sshwire.ChannelRequest, "exec", true, "id"))
		g.Send(abi.Upstream, append(message(1, sshwire.ChannelSuccess), c.after...))
		if all := g.Transcript().Gets(abi.Agent); bytes.Contains(all, []byte("SECRET")) {
			t.Errorf("%s: the agent got %q", name, all)
		}
		if b := g.Transcript().Breached(); g.Over() != c.ends || b != "" {
			t.Errorf("%s: %v %s", name, g.Transcript().End(), b)
		}
	}
	// A second command on the same channel is not begun, and its twin on another one is.
	g := looked(t, 4096, nil)
	begin(g, 1, "exec", true, "id")
	g.Send(abi.Agent, message(1, sshwire.ChannelRequest, "exec", true, "whoami"))
	begin(g, 3, "exec", true, "hostname")
	up := g.Transcript().Gets(abi.Upstream)
	if bytes.Contains(up, []byte("whoami")) || !bytes.Contains(up, []byte("hostname")) {
		t.Errorf("%q", up)
	}
}

// TestOtherChannels: while one output waits for its end and its verdict, everything else goes on.
func TestOtherChannels(t *testing.T) {
	var question uint32
	g := looked(t, 4096, func(e *drygate.Entry) drygate.Verdict {
		if question == 0 {
			question = e.ID
			return drygate.Verdict{Held: true}
		}
		return drygate.Verdict{}
	})
	begin(g, 1, "exec", true, "id")
	begin(g, 3, "exec", true, "hostname")
	g.Send(abi.Upstream, append(message(1, sshwire.ChannelSuccess), message(3, sshwire.ChannelSuccess)...))
	g.Send(abi.Agent, append(out(1, "input"), message(1, sshwire.EOF)...))
	g.Send(abi.Upstream, append(out(1, "one"), over(1, 1)...))
	g.Send(abi.Upstream, append(out(3, "three"), over(3, 3)...))
	if r := shown(t, g, 3); r != (got{"three", "", 3, true, "xec"}) {
		t.Errorf("the other channel has %+v", r)
	}
	if r := shown(t, g, 1); r != (got{status: -1}) {
		t.Errorf("undecided, the agent has %+v", r)
	}
	if !bytes.Contains(g.Transcript().Gets(abi.Upstream), out(1, "input")) {
		t.Error("standard input waits")
	}
	g.Decide(drygate.Verdict{})
	if r := shown(t, g, 1); r != (got{"one", "", 1, true, "xec"}) || g.Over() {
		t.Errorf("decided, the agent has %+v %v", r, g.Transcript().End())
	}
}

// TestLongOutput: what is longer than the limit passes, or its rest is thrown away in the host, and the command runs on.
func TestLongOutput(t *testing.T) {
	for _, passes := range []bool{true, false} {
		g := looked(t, 1000, judge(passes))
		begin(g, 1, "exec", true, "id")
		text := strings.Repeat("0123456789", 20)
		for range 10 {
			g.Send(abi.Upstream, out(1, text))
		}
		g.Send(abi.Upstream, over(1, 5))
		r := shown(t, g, 1)
		discards := bytes.Contains(g.Transcript().Gets(abi.Agent), message(1, sshwire.Discard))
		if g.Over() {
			t.Fatal(g.Transcript().End())
		}
		if passes && (r != got{strings.Repeat(text, 10), "", 5, true, "xec"} || discards) {
			t.Errorf("that may pass: %+v", r)
		}
		if !passes && (r.out != "" || r.status != session.ExitDenied || !r.closed || r.order != "xec" || !strings.Contains(r.err, "the command runs, and its output is withheld") || !discards) {
			t.Errorf("that may not pass: %+v", r)
		}
	}
}

// TestWindow: the server can always send as much as is kept, whatever pieces it comes in and on however many channels.
func TestWindow(t *testing.T) {
	g := looked(t, abi.MaxInspect, nil)
	sent, piece := 0, strings.Repeat("x", 30<<10)
	const channels = 40
	for i := range uint32(channels) {
		begin(g, 2*i+1, "exec", false, "id")
	}
	for i := range 6 * channels {
		sent += len(piece)
		g.Send(abi.Upstream, out(uint32(i%channels)*2+1, piece))
		back := 0
		for _, r := range records(t, g.Transcript().Gets(abi.Upstream)) {
			if f := (sshwire.Fields{P: r[sshwire.HeadSize+1:]}); r[sshwire.HeadSize] == sshwire.Adjust {
				back += int(f.U32())
			}
		}
		if sent-back > 512<<10 {
			t.Fatalf("%d bytes of %d are not given back", sent-back, sent)
		}
	}
}

// TestUnkept: what is a conversation is asked about before anything of it reaches the server.
func TestUnkept(t *testing.T) {
	pty := message(1, sshwire.ChannelRequest, "pty-req", false, "xterm", 80, 24, 0, 0, "")
	for name, c := range map[string]struct {
		sent, word []byte
	}{
		"a shell":           {message(1, sshwire.ChannelRequest, "shell", true), []byte("shell")},
		"with a terminal":   {append(pty, message(1, sshwire.ChannelRequest, "exec", true, "top")...), []byte("top")},
		"a subsystem":       {message(1, sshwire.ChannelRequest, "subsystem", true, "netconf"), []byte("netconf")},
		"a copy":            {message(1, sshwire.ChannelRequest, "exec", true, "scp -f /etc/motd"), []byte("scp")},
		"SFTP":              {message(1, sshwire.ChannelRequest, "subsystem", true, "sftp"), []byte("sftp")},
		"a forward":         {message(3, sshwire.Open, "direct-tcpip", "db", 5432, "127.0.0.1", 1), []byte("direct-tcpip")},
		"listening":         {message(0, sshwire.GlobalRequest, "tcpip-forward", true, "", 80), []byte("tcpip-forward")},
		"the agent's keys":  {message(1, sshwire.ChannelRequest, "auth-agent-req@openssh.com", true), []byte("auth-agent")},
		"what is not known": {message(3, sshwire.Open, "run@example.com"), []byte("run@example")},
	} {
		for _, allowed := range []bool{true, false} {
			g := looked(t, 1000, judge(allowed))
			g.Send(abi.Agent, open(1))
			g.Send(abi.Upstream, confirm(1))
			g.Send(abi.Agent, c.sent)
			if b := g.Transcript().Breached(); b != "" || g.Over() {
				t.Fatalf("%s: %s %v", name, b, g.Transcript().End())
			}
			if ran := bytes.Contains(g.Transcript().Gets(abi.Upstream), c.word); ran != allowed {
				t.Errorf("%s, allowed %v: the server heard of it: %v", name, allowed, ran)
			}
			if r := g.Transcript().Gets(abi.Agent); !allowed && name != "listening" && !bytes.Contains(r, []byte("was not begun")) {
				t.Errorf("%s: the agent was not told: %q", name, r)
			}
			g.Send(abi.Agent, open(5))
			g.Send(abi.Upstream, confirm(5))
			if !bytes.HasSuffix(g.Transcript().Gets(abi.Agent), confirm(5)) {
				t.Errorf("%s, allowed %v: no other channel can be opened", name, allowed)
			}
		}
	}
}

// TestLeaving: whoever leaves, in the middle or while it is decided, gets nothing that is not allowed, and leaves nothing open.
func TestLeaving(t *testing.T) {
	for _, held := range []bool{false, true} {
		for _, limit := range []uint32{4096, 60} {
			for _, last := range []bool{false, true} {
				g := looked(t, limit, func(*drygate.Entry) drygate.Verdict { return drygate.Verdict{Held: held} })
				begin(g, 1, "exec", true, "id")
				g.Send(abi.Upstream, append(message(1, sshwire.ChannelSuccess), out(1, strings.Repeat("x", 100))...))
				if last {
					g.Send(abi.Upstream, over(1, 0))
				}
				g.Send(abi.Agent, message(1, sshwire.Close))
				if held {
					g.Decide(drygate.Verdict{})
				}
				if !last {
					g.Send(abi.Upstream, append(out(1, "late"), over(1, 0)...))
				}
				begin(g, 3, "exec", true, "hostname")
				g.Send(abi.Upstream, append(out(3, "x"), over(3, 3)...))
				if held {
					g.Decide(drygate.Verdict{})
				}
				if r := shown(t, g, 3); r.out != "x" || r.status != 3 || g.Transcript().Breached() != "" {
					t.Errorf("held %v, limit %d, last %v: the next command has %+v, %s", held, limit, last, r, g.Transcript())
				}
			}
		}
	}
	// A server that leaves: what it said before is decided first.
	for _, secret := range []string{token, "harmless"} {
		g := looked(t, 4096, func(*drygate.Entry) drygate.Verdict { return drygate.Verdict{Held: true} })
		begin(g, 1, "exec", true, "id")
		g.Send(abi.Upstream, out(1, secret))
		g.End(abi.Upstream)
		if g.Over() {
			t.Fatal("it is over before the verdict")
		}
		g.Decide(drygate.Verdict{Outcome: map[bool]abi.Outcome{true: abi.Deny}[secret == token]})
		if r := shown(t, g, 1); (r.out == secret) != (secret != token) || !g.Over() || g.Transcript().Breached() != "" {
			t.Errorf("%q: %+v %v", secret, r, g.Transcript().End())
		}
	}
	// It leaves while the beginning of what is too long is asked about.
	for _, outcome := range []abi.Outcome{abi.Allow, abi.Deny} {
		g := looked(t, 60, func(*drygate.Entry) drygate.Verdict { return drygate.Verdict{Held: true} })
		begin(g, 1, "exec", true, "id")
		g.Send(abi.Upstream, append(out(1, "begin"), out(1, strings.Repeat("x", 100))...))
		g.End(abi.Upstream)
		g.Decide(drygate.Verdict{Outcome: outcome})
		if r := shown(t, g, 1); strings.Contains(r.out, "x") != (outcome == abi.Allow) || !g.Over() || g.Transcript().Breached() != "" {
			t.Errorf("%v: %+v %s", outcome, r, g.Transcript())
		}
	}
}
