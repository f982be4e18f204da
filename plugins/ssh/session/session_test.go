package session_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/ssh/line"
	"github.com/sallyport-dev/sallyport/plugins/ssh/session"
	"github.com/sallyport-dev/sallyport/plugins/ssh/shell"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// connection is one that is logged in.
func connection(t testing.TB, options map[string]any, decide func(e *drygate.Entry) drygate.Verdict) *drygate.Gate {
	t.Helper()
	return connected(t, options, decide, false)
}

// inspected is one where rules look at answers.
func inspected(t testing.TB, options map[string]any, decide func(e *drygate.Entry) drygate.Verdict) *drygate.Gate {
	t.Helper()
	return connected(t, options, decide, true)
}

func connected(t testing.TB, options map[string]any, decide func(e *drygate.Entry) drygate.Verdict, inspect bool) *drygate.Gate {
	t.Helper()
	p := &session.Plugin{}
	m, err := sdk.ConfigureNative(p, options)
	if err != nil {
		t.Fatal(err)
	}
	g := drygate.New(drygate.Config{Guest: sdk.NewNative(p, companion), Manifest: m, Decide: decide,
		Facts: abi.Facts{Endpoint: "box", AgentTLS: true, AgentTLSRequired: true, UpstreamTLS: true, Inspect: inspect}})
	g.Open()
	return g
}

// companion is the companion module as ordinary Go.
func companion(_ int, in, out []byte) (int, error) {
	text, terminal, err := line.ReadCall(in)
	if err != nil {
		return 0, err
	}
	facts := shell.Read(text, terminal)
	return copy(out, line.AppendFacts(nil, &facts)), nil
}

// denyAll lets the connection pass and nothing else.
func denyAll(e *drygate.Entry) drygate.Verdict {
	if strings.HasPrefix(e.String(), "ask connect") {
		return drygate.Verdict{}
	}
	return drygate.Verdict{Outcome: abi.Deny, Reason: "no"}
}

func message(stream uint32, number byte, parts ...any) []byte {
	b := sshwire.Begin(nil, stream, number)
	for _, p := range parts {
		switch v := p.(type) {
		case string:
			b = sshwire.AppendString(b, v)
		case []byte:
			b = sshwire.AppendString(b, v)
		case bool:
			b = append(b, map[bool]byte{true: 1}[v])
		case int:
			b = binary.BigEndian.AppendUint32(b, uint32(v))
		}
	}
	return sshwire.End(b, 0)
}

// records are what stands in a stream.
func records(t testing.TB, p []byte) (all [][]byte) {
	t.Helper()
	for len(p) > 0 {
		_, n, ok := sshwire.Head(p)
		if !ok || len(p) < sshwire.HeadSize+n {
			t.Fatalf("a record is cut: %q", p)
		}
		all = append(all, p[:sshwire.HeadSize+n])
		p = p[sshwire.HeadSize+n:]
	}
	return all
}

// harmless are the messages that may reach the server although everything is denied.
func harmless(r []byte) bool {
	f := sshwire.Fields{P: r[sshwire.HeadSize+1:]}
	switch r[sshwire.HeadSize] {
	case sshwire.Open:
		return f.String() == "session"
	case sshwire.Close, sshwire.EOF, sshwire.Adjust, sshwire.OpenFailure, sshwire.RequestFailure:
		return true
	case sshwire.GlobalRequest:
		name := f.String()
		return strings.HasPrefix(name, "cancel-") || name == "keepalive@openssh.com" || name == "no-more-sessions@openssh.com"
	case sshwire.ChannelRequest:
		switch f.String() {
		case "window-change", "break", "eow@openssh.com", "keepalive@openssh.com":
			return true
		}
	}
	return false
}

func open(stream uint32) []byte { return message(stream, sshwire.Open, "session") }

func confirm(stream uint32) []byte { return message(stream, sshwire.OpenConfirm) }

// TestFlood: what an agent declares or sends without end is bounded, and its twin below the bound lives.
func TestFlood(t *testing.T) {
	t.Run("channels", func(t *testing.T) {
		g := connection(t, map[string]any{"max_channels": int64(8)}, denyAll)
		for i := range uint32(100) {
			g.Send(abi.Agent, open(2*i+1))
		}
		opened, refused := 0, 0
		for _, r := range records(t, g.Transcript().Gets(abi.Upstream)) {
			if r[sshwire.HeadSize] == sshwire.Open {
				opened++
			}
		}
		for _, r := range records(t, g.Transcript().Gets(abi.Agent)) {
			if r[sshwire.HeadSize] == sshwire.OpenFailure {
				refused++
			}
		}
		if opened != 8 || refused != 92 || g.Over() {
			t.Errorf("%d opened, %d refused, %v", opened, refused, g.Transcript().End())
		}
	})
	t.Run("a channel after another", func(t *testing.T) {
		g := connection(t, map[string]any{"max_channels": int64(1)}, nil)
		for i := range uint32(200) {
			id := 2*i + 1
			g.Send(abi.Agent, open(id))
			g.Send(abi.Upstream, confirm(id))
			g.Send(abi.Agent, message(id, sshwire.ChannelRequest, "exec", true, "id"))
			g.Send(abi.Upstream, append(message(id, sshwire.ChannelSuccess), message(id, sshwire.Close)...))
			g.Send(abi.Agent, message(id, sshwire.Close))
		}
		if n := len(g.Transcript().Asks()); n != 201 || g.Over() {
			t.Errorf("%d actions, %v", n, g.Transcript().End())
		}
	})
	t.Run("requests behind one that waits", func(t *testing.T) {
		g := connection(t, nil, func(e *drygate.Entry) drygate.Verdict { return drygate.Verdict{Held: e.ID > 1} })
		g.Send(abi.Agent, open(1))
		g.Send(abi.Upstream, confirm(1))
		g.Send(abi.Agent, message(1, sshwire.ChannelRequest, "exec", true, "id"))
		for i := 0; i < 1000 && !g.Over(); i++ {
			g.Send(abi.Agent, message(1, sshwire.ChannelRequest, "signal", false, "TERM"))
		}
		if e := g.Transcript().End(); e == nil || e.By != drygate.ByPlugin || !e.Failed {
			t.Errorf("%v", e)
		}
	})
	t.Run("requests without an answer", func(t *testing.T) {
		g := connection(t, nil, nil)
		for i := 0; i < 1000 && !g.Over(); i++ {
			g.Send(abi.Agent, message(0, sshwire.GlobalRequest, "keepalive@openssh.com", true))
		}
		if e := g.Transcript().End(); e == nil || e.By != drygate.ByPlugin || !e.Failed {
			t.Errorf("%v", e)
		}
	})
	t.Run("many small requests", func(t *testing.T) {
		g := connection(t, nil, nil)
		g.Send(abi.Agent, open(1))
		g.Send(abi.Upstream, confirm(1))
		g.Send(abi.Agent, message(1, sshwire.ChannelRequest, "shell", false))
		for range 5000 {
			g.Send(abi.Agent, message(1, sshwire.ChannelRequest, "signal", false, "TERM"))
			g.Send(abi.Agent, message(1, sshwire.ChannelRequest, "window-change", false, 80, 24, 0, 0))
		}
		if g.Over() {
			t.Errorf("%v", g.Transcript().End())
		}
	})
}

// TestDenyAll: whatever an agent tries, a server hears of nothing that was denied.
func TestDenyAll(t *testing.T) {
	tries := map[string][]byte{
		"data before a command": message(1, sshwire.Data, "x"),
		"exec and its data":     append(message(1, sshwire.ChannelRequest, "exec", true, "id"), message(1, sshwire.Data, "x")...),
		"exec without a reply":  message(1, sshwire.ChannelRequest, "exec", false, "id"),
		"shell":                 message(1, sshwire.ChannelRequest, "shell", true),
		"a subsystem":           message(1, sshwire.ChannelRequest, "subsystem", true, "sftp"),
		"a terminal":            message(1, sshwire.ChannelRequest, "pty-req", true, "xterm", 80, 24, 0, 0, ""),
		"a variable":            message(1, sshwire.ChannelRequest, "env", true, "LC_ALL", "C"),
		"a variable not listed": message(1, sshwire.ChannelRequest, "env", true, "LD_PRELOAD", "x"),
		"the agent's keys":      message(1, sshwire.ChannelRequest, "auth-agent-req@openssh.com", true),
		"the screen":            message(1, sshwire.ChannelRequest, "x11-req", true, false, "MIT-MAGIC-COOKIE-1", "00", 0),
		"a request of its own":  message(1, sshwire.ChannelRequest, "run@example.com", true, "x"),
		"an exit status":        message(1, sshwire.ChannelRequest, "exit-status", false, 0),
		"an answer":             message(1, sshwire.ChannelSuccess),
		"a forward":             message(3, sshwire.Open, "direct-tcpip", "db", 5432, "127.0.0.1", 1),
		"data on it":            append(message(3, sshwire.Open, "direct-tcpip", "db", 5432, "127.0.0.1", 1), message(3, sshwire.Data, "x")...),
		"a socket":              message(3, sshwire.Open, "direct-streamlocal@openssh.com", "/s", "", 0),
		"a network":             message(3, sshwire.Open, "tun@openssh.com", 1, 0),
		"a channel of its own":  message(3, sshwire.Open, "run@example.com"),
		"listening":             message(0, sshwire.GlobalRequest, "tcpip-forward", true, "", 80),
		"listening at a socket": message(0, sshwire.GlobalRequest, "streamlocal-forward@openssh.com", true, "/s"),
		"a global request":      message(0, sshwire.GlobalRequest, "run@example.com", true),
		"the server's keys":     message(0, sshwire.GlobalRequest, "hostkeys-prove-00@openssh.com", true, "x"),
		"an answer to nothing":  message(0, sshwire.RequestSuccess),
	}
	for name, try := range tries {
		g := connection(t, nil, denyAll)
		g.Send(abi.Agent, open(1))
		g.Send(abi.Upstream, confirm(1))
		g.Send(abi.Agent, try)
		g.Send(abi.Agent, message(1, sshwire.Data, "later"))
		for _, r := range records(t, g.Transcript().Gets(abi.Upstream)) {
			if !harmless(r) {
				t.Errorf("%s: the server got %q", name, r)
			}
		}
		if g.Over() {
			t.Errorf("%s: %v", name, g.Transcript().End())
			continue
		}
		g.Send(abi.Agent, open(5)) // the connection lives on
		if !bytes.HasSuffix(g.Transcript().Gets(abi.Upstream), open(5)) {
			t.Errorf("%s: no other channel can be opened", name)
		}
	}
}

// TestOptions: what cannot be meant is refused.
func TestOptions(t *testing.T) {
	for _, bad := range []string{"*", "A=B", "LC_*X"} {
		if _, err := sdk.ConfigureNative(&session.Plugin{}, map[string]any{"env": bad}); err == nil {
			t.Errorf("env = %q was taken", bad)
		}
	}
	if _, err := sdk.ConfigureNative(&session.Plugin{}, map[string]any{"env": ""}); err != nil {
		t.Error(err)
	}
}

// FuzzRecords: whatever both sides send, the plugin keeps to the interface, and what was denied reaches nobody.
func FuzzRecords(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7}, []byte("x"), uint8(3))
	f.Add([]byte{0x81, 0x02, 0x13, 0x24, 9, 10, 11, 12, 13, 14}, []byte("sftp"), uint8(200))
	f.Add([]byte{20, 21, 22, 23, 24, 25, 26}, []byte{0, 0, 0, 1, 0, 0, 0, 1, 94}, uint8(1))
	f.Add([]byte{0, 0x81, 2, 0x84, 0x8d, 0x9f, 0x85, 0x86, 6}, []byte("text"), uint8(0x18))
	f.Add([]byte{0, 0x81, 2, 0x84, 0x84, 0x8d, 0x9f, 0x85, 0x86, 12, 6}, []byte("text"), uint8(0xd8))
	f.Add([]byte{0, 0x81, 14, 2, 12, 0x84, 8, 9, 12}, []byte("text"), uint8(0x58))
	f.Fuzz(func(t *testing.T, script, raw []byte, policy uint8) {
		denied := policy&1 == 1
		opened := connection
		if policy&8 != 0 {
			opened = inspected
		}
		g := opened(t, map[string]any{"max_channels": int64(6), "inspect_stdin": policy&2 != 0, "stdin_limit": int64(16)}, func(e *drygate.Entry) drygate.Verdict {
			switch {
			case e.Action.Family.Name == abi.FamilyResponse:
				return drygate.Verdict{Outcome: abi.Outcome(policy >> 7), Held: policy&0x40 != 0}
			case denied:
				return denyAll(e)
			case e.ID > 1 && policy&4 != 0:
				return drygate.Verdict{Held: true, Reason: "ask"}
			}
			if policy&8 != 0 && e.ID > 1 {
				return drygate.Verdict{Inspect: uint32(policy) * 4}
			}
			return drygate.Verdict{}
		})
		next := [2]uint32{1, 2}
		for _, op := range script {
			if g.Over() {
				break
			}
			side := abi.Side(op >> 7)
			id := uint32(op>>5&3)*2 + 1
			if op&0x10 != 0 {
				id++
			}
			var r []byte
			switch op & 0xf {
			case 0:
				r = open(next[side])
				next[side] += 2
			case 1:
				r = confirm(id)
			case 2:
				r = message(id, sshwire.ChannelRequest, "exec", true, "id")
			case 3:
				r = message(id, sshwire.ChannelRequest, "exec", true, "rm x")
			case 4:
				r = message(id, sshwire.Data, raw)
			case 5:
				r = message(id, sshwire.EOF)
			case 6:
				r = message(id, sshwire.Close)
			case 7:
				r = message(id, sshwire.ChannelSuccess)
			case 8:
				r = message(id, sshwire.ChannelRequest, "subsystem", true, "sftp")
			case 9:
				r = message(0, sshwire.GlobalRequest, "tcpip-forward", true, "", 80)
			case 10:
				r = message(0, sshwire.RequestSuccess)
			case 11:
				r = message(next[side], sshwire.Open, "forwarded-tcpip", "", 80, "", 1)
				next[side] += 2
			case 12:
				g.Decide(drygate.Verdict{Outcome: abi.Outcome(op >> 7)})
				continue
			case 13:
				r = message(id, sshwire.ExtendedData, 1, raw)
			case 14:
				r = message(id, sshwire.ChannelRequest, "pty-req", true, "xterm", 80, 24, 0, 0, "")
			case 15:
				if r = raw; policy&0x10 != 0 {
					r = exit(id, len(raw))
				}
			}
			g.Send(side, r)
		}
		if b := g.Transcript().Breached(); b != "" && !strings.Contains(b, "paused") {
			t.Errorf("the plugin was cut off: %s\n%s", b, g.Transcript())
		}
		if e := g.Transcript().End(); e != nil && e.By == drygate.ByGuest {
			t.Errorf("the plugin failed: %s", e.Text)
		}
		if !denied {
			return
		}
		p := g.Transcript().Gets(abi.Upstream)
		for len(p) > 0 {
			_, n, ok := sshwire.Head(p)
			if !ok || len(p) < sshwire.HeadSize+n {
				return // it was passed as far as it came
			}
			if !harmless(p[:sshwire.HeadSize+n]) {
				t.Errorf("the server got %q", p[:sshwire.HeadSize+n])
			}
			p = p[sshwire.HeadSize+n:]
		}
	})
}
