package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/receipt"
)

// TestHeldConnection: a connection can be held as a whole; what its agent sends waits with it, and each peer has a bound.
func TestHeldConnection(t *testing.T) {
	up := newUpstream(t, nil)
	w := served(t, "[holds]\nper_peer = 1\n\n"+endpointTable("echo", up.address(), "none", "dev")+allowConnect+
		ruleTable("ask", `action.class == "session"`, "hold", "reason = \"a person looks at connections\"\n"))
	alice := w.alice()
	c := dial(t, alice, "echo:"+port(up.address()))
	if _, err := c.Write([]byte("early\n")); err != nil {
		t.Fatal(err)
	}
	held := w.find("the hold", isDecision("echo", receipt.OutcomeHeld))
	if up.accepts.Load() != 0 || held.Hold == "" || held.Digest == "" || held.Deadline == "" || len(held.Needs) != 1 {
		t.Errorf("%d connections reached the upstream, %s", up.accepts.Load(), held.Raw)
	}

	tooMany := dial(t, alice, "echo:"+port(up.address()))
	if text, err := tooMany.rest(); text != "" || err != nil {
		t.Errorf("one too many got %q, %v", text, err)
	}
	if d := w.find("the denial", isDecision("echo", receipt.OutcomeFailClosed)); !strings.Contains(d.Reason, "holds.per_peer") {
		t.Errorf("one too many: %s", d.Raw)
	}

	s, err := w.running.Holds.Vote(wait(t), held.Hold, approve.Vote{Approver: approve.Console, By: "root", Approve: true, Digest: held.Digest})
	if err != nil || s.State != approve.Approved {
		t.Fatalf("%+v %v", s, err)
	}
	c.says("more\n", "ok early\nok more\n")
	end := w.find("the approval", func(e *receipt.Entry) bool { return e.Kind == receipt.HoldEnd })
	if end.Outcome != receipt.OutcomeApproved || end.Parent != held.ID || len(end.By) != 1 {
		t.Errorf("the approval: %s", end.Raw)
	}
}

// TestUsage counts what the last minute holds, and forgets it slot by slot.
func TestUsage(t *testing.T) {
	u := new(usages).of("alice", "db")
	u.connect()
	u.connect()
	u.disconnect()
	at := time.Unix(1_000_000, 0)
	for range 3 {
		u.act(at)
	}
	u.sent(at, 100)
	at = at.Add(30 * time.Second)
	u.sent(at, 10)
	if got := u.act(at); got.ActionsPerMinute != 3 || got.BytesOutPerMinute != 110 || got.Connections != 1 {
		t.Errorf("%+v", got)
	}
	if got := u.act(at.Add(29 * time.Second)); got.ActionsPerMinute != 4 || got.BytesOutPerMinute != 110 {
		t.Errorf("in the last second: %+v", got)
	}
	if got := u.act(at.Add(30 * time.Second)); got.ActionsPerMinute != 2 || got.BytesOutPerMinute != 10 {
		t.Errorf("a minute later: %+v", got)
	}
	if got := u.act(at.Add(time.Second)); got.ActionsPerMinute != 3 { // the clock was set back
		t.Errorf("with the clock set back: %+v", got)
	}
	if got := u.act(at.Add(time.Hour)); got.ActionsPerMinute != 0 || got.BytesOutPerMinute != 0 {
		t.Errorf("an hour later: %+v", got)
	}
}

// TestUsageRules: what goes past a limit is a denial with a reason, of this peer only, and only while it does.
func TestUsageRules(t *testing.T) {
	up := newUpstream(t, nil)
	w := served(t, endpointTable("echo", up.address(), "none", "dev")+allowConnect+
		ruleTable("few", `usage.connections > 2`, "deny", "reason = \"two connections are enough\"\n")+
		ruleTable("not much", `usage.bytes_out_per_minute > 1000`, "deny", "reason = \"that is enough for a minute\"\n"))
	alice := w.alice()
	first := dial(t, alice, "echo:"+port(up.address()))
	first.says("x\n", "ok x\n")
	dial(t, alice, "echo:"+port(up.address())).says("x\n", "ok x\n")
	third := dial(t, alice, "echo:"+port(up.address()))
	if text, err := third.rest(); text != "" || err != nil {
		t.Errorf("the third got %q, %v", text, err)
	}
	if d := w.find("the denial", isDecision("echo", receipt.OutcomeDeny)); d.Rule != "few" || d.Reason != "two connections are enough" {
		t.Errorf("%s", d.Raw)
	}
	third.Close()
	first.Close()
	w.ends("alice", "echo", 2)
	long := strings.Repeat("x", 1000)
	again := dial(t, alice, "echo:"+port(up.address()))
	again.says(long+"\n", "ok "+long+"\n")
	again.Close()
	w.ends("alice", "echo", 3)
	over := dial(t, alice, "echo:"+port(up.address()))
	if text, err := over.rest(); text != "" || err != nil {
		t.Errorf("after a thousand bytes: %q, %v", text, err)
	}
	w.find("the denial", func(e *receipt.Entry) bool { return e.Rule == "not much" })
}
