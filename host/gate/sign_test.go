package gate

import (
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// unsigning hides that a session signs.
type unsigning struct{ Session }

// TestSign: a signature goes where the plugin said, under an action that is allowed and only then; the plugin sees nothing of it.
func TestSign(t *testing.T) {
	sign := func(l list, as abi.SignAs, number uint32, request string) list {
		return abi.AppendSign(l, 2, 0, as, number, []byte(request))
	}
	for name, c := range map[string]struct {
		said     list
		want     string // upstream, when it goes well
		reason   string // or why the connection is cut off
		unsigned bool
	}{
		"fields under an action aside": {said: sign(list(nil).aside(2, title).sendUp(2, "a"), abi.SignFields, 0, "r").sendUp(2, "b").pass(2, 5).done(2), want: "a<0 0 r>b12345"},
		"a frame":                      {said: sign(list(nil).aside(2, title), abi.SignFrame, 7, "r").pass(2, 5).done(2), want: "<1 7 r>12345"},
		"under a streaming action":     {said: sign(list(nil).action(2, 0, abi.AskStreaming, 1, title), abi.SignFields, 0, "r").pass(2, 5).done(2), want: "<0 0 r>12345"},
		"under no action":              {said: sign(nil, abi.SignFields, 0, "r"), reason: "not an open streaming action, nor one aside"},
		"under one that is done":       {said: sign(list(nil).aside(2, title).done(2), abi.SignFields, 0, "r"), reason: "nor one aside"},
		"under one with an extent":     {said: sign(list(nil).action(2, 5, 0, 1, title), abi.SignFields, 0, "r"), reason: "not an open streaming action"},
		"what is no request":           {said: sign(list(nil).aside(2, title), abi.SignFields, 0, "bad"), reason: "signature of slot 0: it is no request"},
		"another slot":                 {said: abi.AppendSign(list(nil).aside(2, title), 2, 1, 0, 0, []byte("r")), reason: "slot 1 of 2, which is not filled"},
		"no slot":                      {said: abi.AppendSign(list(nil).aside(2, title), 2, 9, 0, 0, []byte("r")), reason: "slot 9 of 2, which is not filled"},
		"without end":                  {said: manySigned(sign), reason: "more than 65536 bytes of its own"},
		"longer than it may be":        {said: sign(list(nil).aside(2, title), abi.SignFields, 0, strings.Repeat("x", abi.MaxSigned)), reason: "longer than 12288 bytes"},
		"where nobody signs":           {said: sign(list(nil).aside(2, title), abi.SignFields, 0, "r"), reason: "nothing signs here", unsigned: true},
	} {
		t.Run(name, func(t *testing.T) {
			said := false
			g := &script{open: []list{dialing()}, data: func(abi.Side, []byte, bool) []list {
				if said {
					return nil
				}
				said = true
				return []list{c.said}
			}}
			r := start(t, g, func(cfg *Config, s *session) {
				filled(cfg, s)
				if c.unsigned {
					cfg.Session = unsigning{s}
				}
			})
			r.write(r.agent, "12345")
			if c.reason == "" {
				r.read(r.upstream, c.want)
				_ = r.agent.CloseWrite()
				_ = r.upstream.CloseWrite()
				_ = r.agent.Close()
				r.wait()
				return
			}
			if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, c.reason) {
				t.Errorf("%+v, want %q", e, c.reason)
			}
		})
	}
}

// manySigned signs until it is too much.
func manySigned(sign func(list, abi.SignAs, uint32, string) list) list {
	l := list(nil).aside(2, title)
	for range 12 {
		l = sign(l, abi.SignFields, 0, strings.Repeat("x", 8<<10))
	}
	return l
}

// TestSignDenied: under an action that is denied nothing is written.
func TestSignDenied(t *testing.T) {
	said := false
	g := &script{open: []list{dialing()}, data: func(_ abi.Side, _ []byte, end bool) []list {
		if said || end {
			return []list{abi.AppendClose(nil, false, "done")}
		}
		said = true
		return []list{abi.AppendSign(list(nil).aside(2, "deny"), 2, 0, abi.SignFields, 0, []byte("r"))}
	}}
	r := start(t, g, filled)
	r.write(r.agent, "12345")
	_ = r.agent.CloseWrite()
	r.readEnd(r.upstream, "")
	r.wait()
}

var _ Signer = (*session)(nil)
