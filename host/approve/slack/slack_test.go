package slack

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
)

// TestApproved: posted with everything, pressed, counted, updated.
func TestApproved(t *testing.T) {
	s := newStandin(t)
	a := s.approver(nil)
	h := held()
	r := announce(t, a, h)
	p := s.next()
	text := p.all()
	for _, want := range []string{"claude-laptop", "profile dev", "prod-db", "prod-db-agent", "│ title: delete from public.evil", "│ text: delete from evil\n┆ where name", "⟨U+202E⟩",
		"┆ │ bounded: true", "deletes need a person", "it is production", "2 must approve", "h7", testDigest[:16], fmt.Sprintf("<!date^%d^", h.Deadline.Unix())} {
		if !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(text, `\u003c`, "<"), `\u003e`, ">"), want) {
			t.Errorf("the message does not have %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "\u202e") || p.method != "chat.postMessage" {
		t.Errorf("%s: %q", p.method, text)
	}

	// The first of two approvals.
	body := press(actionApprove, p.button(actionApprove), "U1", testChannel)
	c, err := Read([]*Approver{a}, sign(testSigning, time.Now(), body), body)
	if err != nil {
		t.Fatal(err)
	}
	if c.Approver != a || c.Hold != "h7" || c.Vote != (approve.Vote{Approver: "chat", By: "U1", Approve: true, Digest: testDigest}) {
		t.Fatalf("%+v", c)
	}
	after := h
	after.Votes = []approve.Cast{{Approver: "chat", By: "U1", Approve: true}}
	c.Answer(t.Context(), after, nil)
	if u := s.next(); u.method != "chat.update" || u.ts != "1700000000.000100" || !strings.Contains(u.all(), "approved by U1") || u.button(actionApprove) == "" {
		t.Errorf("%s %s:\n%s", u.method, u.ts, u.all())
	}

	r.end(approve.Ending{Outcome: approve.Approved, By: []string{"U1 (chat)", "bob <!channel> (other)"}, Reason: "ok & good"})
	u := s.next()
	if text := u.all(); u.method != "chat.update" || !strings.Contains(text, "*Approved* by <@U1>, bob &lt;!channel&gt; (other): ok &amp; good") || u.button(actionApprove) != "" || u.button(actionReject) != "" {
		t.Errorf("%s:\n%s", u.method, text)
	}
	if !strings.Contains(u.all(), "│ title: delete from public.evil") {
		t.Error("what was decided is gone from the message")
	}
	r.wait(t)
}

// TestEndings: what the message says when the hold is over, and which buttons are left.
func TestEndings(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Options, *approve.Status)
		ending approve.Ending
		want   string
		retry  bool
	}{
		{"rejected", nil, approve.Ending{Outcome: approve.Rejected, By: []string{"U2 (chat)"}, Reason: "no"}, "*Rejected* by <@U2>: no", false},
		{"expired", nil, approve.Ending{Outcome: approve.Expired}, "*Expired*", true},
		{"withdrawn", nil, approve.Ending{Outcome: approve.Withdrawn, Reason: "the agent left"}, "*Withdrawn*: the agent left", true},
		{"expired, not grantable", func(_ *Options, h *approve.Status) { h.Grantable = false }, approve.Ending{Outcome: approve.Expired}, "Nothing was executed.", false},
		{"expired, late is off", func(o *Options, _ *approve.Status) { o.Late = false }, approve.Ending{Outcome: approve.Expired}, "Nothing was executed.", false},
		{"approved and granted", nil, approve.Ending{Outcome: approve.Approved, Granted: true, By: []string{"console"}}, "It goes on, and the same may be done again", false},
		{"nobody waited", func(_ *Options, h *approve.Status) { h.Detached = true }, approve.Ending{Outcome: approve.Approved, Granted: true, By: []string{"console"}}, "Nothing was executed. The same peer may", false},
		{"withdrawn and granted", nil, approve.Ending{Outcome: approve.Withdrawn, Granted: true, By: []string{"console"}}, "*Approved late* by console", false},
		{"stopped", nil, approve.Ending{}, "the gateway has stopped", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, h := newStandin(t), held()
			a := s.approver(func(o *Options) {
				if c.change != nil {
					c.change(o, &h)
				}
			})
			r := announce(t, a, h)
			s.next()
			r.end(c.ending)
			u := s.next()
			if text := u.all(); !strings.Contains(text, c.want) || (u.button(actionLate) != "") != c.retry || u.button(actionApprove) != "" || u.button(actionReject) != "" {
				t.Errorf("%s", text)
			}
			r.wait(t)
		})
	}
}

// TestLateClick: after the end the click itself updates the message.
func TestLateClick(t *testing.T) {
	s := newStandin(t)
	a := s.approver(nil)
	h := held()
	r := announce(t, a, h)
	p := s.next()
	r.end(approve.Ending{Outcome: approve.Expired})
	u := s.next()
	r.wait(t)
	if u.button(actionLate) != p.button(actionApprove) {
		t.Fatalf("%s", u.all())
	}
	body := press(actionLate, u.button(actionLate), "U1", testChannel)
	c, err := Read([]*Approver{a}, sign(testSigning, time.Now(), body), body)
	if err != nil {
		t.Fatal(err)
	}
	// The first of two approvals: it can still be pressed.
	h.State, h.Late, h.Ending = approve.Expired, time.Now().Add(time.Hour), approve.Ending{Outcome: approve.Expired}
	c.Answer(t.Context(), h, nil)
	if u := s.next(); u.button(actionLate) == "" || !strings.Contains(u.all(), "*Expired*") {
		t.Errorf("%s", u.all())
	}
	h.State, h.Late = approve.Approved, time.Time{}
	h.Ending = approve.Ending{Outcome: approve.Approved, Granted: true, By: []string{"U1 (chat)"}}
	c.Answer(t.Context(), h, nil)
	if u := s.next(); u.method != "chat.update" || !strings.Contains(u.all(), "*Approved late* by <@U1>\nNothing was executed.") || u.button(actionLate) != "" || u.button(actionApprove) != "" {
		t.Errorf("%s:\n%s", u.method, u.all())
	}
	// A click that does not count is answered to whoever pressed.
	c.Answer(t.Context(), h, fmt.Errorf("hold h7: %w", approve.ErrDecided))
	if u := s.next(); u.method != "chat.postEphemeral" || u.user != "U1" || !strings.Contains(u.text, "does not count: hold h7: it is decided already") {
		t.Errorf("%+v", u)
	}
}

// TestRetries: what passes by is tried again, what Slack refuses is not.
func TestRetries(t *testing.T) {
	s := newStandin(t)
	s.answers = []failure{{code: 503}, {code: 429, body: `{"ok":false,"error":"ratelimited"}`}, {code: 200, body: `{"ok":false,"error":"internal_error"}`}, {code: 200, body: "<html>"}}
	r := announce(t, s.approver(nil), held())
	s.next()
	r.end(approve.Ending{Outcome: approve.Rejected})
	s.next()
	r.wait(t)

	for _, body := range []string{`{"ok":false,"error":"channel_not_found"}`, `{"ok":false,"error":"invalid_auth"}`, `{"ok":false,"error":"msg_blocks_too_long"}`} {
		s := newStandin(t)
		s.answers = []failure{{code: 200, body: body}}
		var log bytes.Buffer
		a := s.approver(func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		announce(t, a, held()).wait(t)
		if len(s.calls) != 0 || !strings.Contains(log.String(), "level=ERROR") || strings.Contains(log.String(), "canary") {
			t.Errorf("%s: %d more calls, log: %s", body, len(s.calls), log.String())
		}
	}
}

// TestUnreachable: a Slack that cannot be reached keeps nobody when the hold is over.
func TestUnreachable(t *testing.T) {
	s := newStandin(t)
	var log bytes.Buffer
	a := s.approver(func(o *Options) { o.API, o.Log = "http://127.0.0.1:1/api/", slog.New(slog.NewTextHandler(&log, nil)) })
	h := held()
	ctx, cancel := context.WithCancel(t.Context())
	a.wait = func(context.Context, time.Duration) bool { cancel(); return false }
	a.Announce(ctx, h, nil, func() approve.Ending { return approve.Ending{Outcome: approve.Expired} })
	if text := log.String(); !strings.Contains(text, "could not be shown") || strings.Contains(text, "canary") {
		t.Errorf("log: %s", text)
	}
}

func TestNew(t *testing.T) {
	token := secretOf(t, testToken)
	for name, o := range map[string]Options{
		"no channel": {Name: "a", Token: token, SigningSecret: token}, "no token": {Name: "a", Channel: "C1", SigningSecret: token}, "no signing secret": {Name: "a", Channel: "C1", Token: token},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "approver a") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
