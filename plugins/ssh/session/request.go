package session

import (
	"strings"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/plugins/ssh/line"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// agentRequest reads CHANNEL_REQUEST, RFC 4254 sections 6 and 5.4.
func (s *Session) agentRequest(c *sdk.Conn, ch *channel, r *record) {
	f := sshwire.Fields{P: r.body()}
	name, want := f.String(), f.Bool()
	if f.Bad {
		s.fail(c, abi.Agent, "a request that cannot be read")
		return
	}
	q := question{kind: askRequest, want: want, comes: comesNothing}
	a := action{class: abi.ClassSession, terminal: ch.terminal}
	if !ch.session {
		s.otherRequest(c, ch, r, name, want)
		return
	}
	switch name {
	case "pty-req":
		a.kind, a.title = kindPty, f.String()
		q.then = thenTerminal
	case "env":
		a.kind, a.name, a.value = kindEnv, f.String(), f.String()
		a.title = a.name
		if !f.Bad && !s.plugin.listed(a.name) {
			s.failed(c, ch, r, want)
			return
		}
	case "exec", "shell", "subsystem":
		if ch.started {
			s.failed(c, ch, r, want)
			return
		}
		ch.started = true
		s.start(c, ch, r, name, want, &f)
		return
	case "signal":
		a.kind, a.name = kindSignal, f.String()
		a.title = a.name
	case "x11-req":
		a.kind, a.class = kindX11, abi.ClassOpaque
		q.then, q.comes = thenX11, comesUnkept
		f.P = nil
	case "auth-agent-req@openssh.com", "auth-agent-req":
		a.kind, a.class = kindAgentForward, abi.ClassOpaque
		q.then, q.comes = thenKeys, comesUnkept
	default:
		s.otherRequest(c, ch, r, name, want)
		return
	}
	if f.Bad {
		s.fail(c, abi.Agent, "a request that cannot be read")
		return
	}
	s.asks(c, ch, q, &a, r)
}

// otherRequest reads a request that is not about what a session does.
func (s *Session) otherRequest(c *sdk.Conn, ch *channel, r *record, name string, want bool) {
	switch name {
	case "window-change", "break", "eow@openssh.com", "keepalive@openssh.com":
		s.up(c, ch.action, r)
		if want {
			s.owe(c, ch, replyUpstream)
		}
	case "exit-status", "exit-signal", "xon-xoff": // of a server
		s.failed(c, ch, r, want)
	default:
		a := action{kind: kindOther, class: abi.ClassOpaque, terminal: ch.terminal, name: name, title: "request " + name}
		s.asks(c, ch, question{kind: askRequest, want: want, comes: comesNothing}, &a, r)
	}
}

// failed answers a request as a server that does not do such things.
func (s *Session) failed(c *sdk.Conn, ch *channel, r *record, want bool) {
	s.drop(c, r)
	if want {
		s.owe(c, ch, replyFailure)
	}
}

// start reads what starts something.
func (s *Session) start(c *sdk.Conn, ch *channel, r *record, name string, want bool, f *sshwire.Fields) {
	q := question{kind: askStart, want: want}
	a := action{terminal: ch.terminal, stdinUnknown: true}
	switch name {
	case "exec":
		s.exec(c, &a, &q, f.String())
	case "shell":
		a.kind, a.class = kindShell, abi.ClassOpaque
	case "subsystem":
		a.kind, a.class, a.subsystem = kindSubsystem, abi.ClassExecute, f.String()
		a.title = a.subsystem
		if a.subsystem == line.SFTP {
			a.class, a.operation = abi.ClassSession, line.SFTP
			q.then = thenFiles
		}
	}
	if !f.Over() {
		s.fail(c, abi.Agent, "a request that cannot be read")
		return
	}
	ch.title = a.title
	if name == "exec" && !ch.terminal && a.operation == "" {
		q.comes = comesOutput
	}
	if s.plugin.inspect && !ch.terminal && a.operation == "" && a.class > abi.ClassRead && name != "subsystem" {
		s.gather(c, ch, r, q, &a)
		return
	}
	s.asks(c, ch, q, &a, r)
}

// exec says what a command line does.
func (s *Session) exec(c *sdk.Conn, a *action, q *question, text string) {
	a.kind, a.command, a.title = kindExec, text, text
	a.unread = !utf8.ValidString(text)
	facts := line.Read(c, 0, text, a.terminal)
	a.class, a.argv, a.opaque = facts.Class, facts.Argv, !facts.Plain
	a.programs, a.unresolved = facts.Programs, facts.Opaque
	t := facts.Transfer
	if t == nil {
		return
	}
	a.operation, a.paths, a.normalUnknown = t.Protocol, t.Paths, len(t.Paths) > 0
	if t.Protocol == line.SFTP {
		q.then = thenFiles
		return
	}
	a.direction = download
	if t.Upload {
		a.direction = upload
	}
	a.normalUnknown = false
	for _, p := range t.Paths {
		if !strings.HasPrefix(p, "/") || strings.ContainsAny(p, "*?[") {
			a.normalUnknown = true
			return
		}
		a.normal = append(a.normal, clean(p))
	}
}
