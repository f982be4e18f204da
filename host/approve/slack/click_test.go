package slack

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestForgedClicks: what is not from Slack, or not about a message of this channel, is no vote.
func TestForgedClicks(t *testing.T) {
	s := newStandin(t)
	a := s.approver(nil)
	other := s.approver(func(o *Options) {
		o.Name, o.Channel, o.SigningSecret = "other", "C0999", secretOf(t, "canary of another signing secret")
	})
	all := []*Approver{a, other}
	value := "chat h7 " + testDigest
	good := press(actionApprove, value, "U1", testChannel)
	now := time.Now()
	if _, err := Read(all, sign(testSigning, now, good), good); err != nil {
		t.Fatal(err)
	}
	twice := sign(testSigning, now, good)
	twice["X-Slack-Signature"] = append(twice["X-Slack-Signature"], "v0=00")
	without := sign(testSigning, now, good)
	without.Del("X-Slack-Request-Timestamp")
	for name, c := range map[string]struct {
		header http.Header
		body   []byte
	}{
		"another secret":      {sign("guessed", now, good), good},
		"no headers":          {http.Header{}, good},
		"no timestamp":        {without, good},
		"two signatures":      {twice, good},
		"another body":        {sign(testSigning, now, good), press(actionApprove, value, "U2", testChannel)},
		"an old one":          {sign(testSigning, now.Add(-time.Hour), good), good},
		"one of the future":   {sign(testSigning, now.Add(time.Hour), good), good},
		"an empty signature":  {http.Header{"X-Slack-Signature": {"v0="}, "X-Slack-Request-Timestamp": {fmt.Sprint(now.Unix())}}, good},
		"a timestamp as text": {http.Header{"X-Slack-Signature": sign(testSigning, now, good)["X-Slack-Signature"], "X-Slack-Request-Timestamp": {"now"}}, good},
	} {
		if c, err := Read(all, c.header, c.body); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %+v %v", name, c, err)
		}
	}
	for name, c := range map[string]struct {
		body []byte
		err  error
	}{
		"another channel":         {press(actionApprove, value, "U1", "C0999"), ErrPayload},
		"another approver's":      {press(actionApprove, "other h7 "+testDigest, "U1", "C0999"), ErrPayload},
		"no digest":               {press(actionApprove, "chat h7", "U1", testChannel), ErrPayload},
		"too much":                {press(actionApprove, value+" x", "U1", testChannel), ErrPayload},
		"a user with a name":      {press(actionApprove, value, "alice", testChannel), ErrPayload},
		"another button":          {press("sallyport_other", value, "U1", testChannel), ErrPayload},
		"no payload":              {[]byte("x=y"), ErrPayload},
		"two payloads":            {append(append(good, '&'), good...), ErrPayload},
		"no JSON":                 {[]byte("payload=x"), ErrPayload},
		"another interaction":     {[]byte(`payload={"type":"view_submission"}`), ErrIgnored},
		"a button of another app": {bytes.ReplaceAll(good, []byte(blockID), []byte("other_block")), ErrIgnored},
		"too large":               {append(bytes.Clone(good), bytes.Repeat([]byte("&x=y"), MaxBody/4)...), ErrPayload},
	} {
		if c, err := Read(all, sign(testSigning, now, c.body), c.body); c != nil || err == nil {
			t.Errorf("%s: %+v %v", name, c, err)
		}
		if _, err := Read(all, sign(testSigning, now, c.body), c.body); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
	}
}

// FuzzRead: whatever a signed body says, a vote is about this channel and names a user.
func FuzzRead(f *testing.F) {
	f.Add(press(actionApprove, "chat h7 "+testDigest, "U1", testChannel))
	f.Add(press(actionReject, "chat h7 x", "W1", "C2"))
	f.Add([]byte("payload=%7B%22type%22%3A%22block_actions%22%7D"))
	f.Add([]byte("payload=%zz"))
	a, err := New(Options{Name: "chat", Channel: testChannel, Token: secretOf(f, testToken), SigningSecret: secretOf(f, testSigning), Log: discard()})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := Read([]*Approver{a}, http.Header{}, body); err == nil {
			t.Fatal("read without a signature")
		}
		c, err := Read([]*Approver{a}, sign(testSigning, time.Now(), body), body)
		if err != nil {
			if errors.Is(err, ErrSignature) {
				t.Fatal(err)
			}
			return
		}
		if c.Approver != a || c.channel != testChannel || !userID.MatchString(c.Vote.By) || c.Vote.Approver != "chat" {
			t.Fatalf("%+v", c)
		}
	})
}
