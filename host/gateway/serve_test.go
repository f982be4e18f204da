package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/sallyport-dev/sallyport/host/receipt"
)

// TestRelay: what is allowed passes, what is denied does not, and a connection is dialled only once it was allowed.
func TestRelay(t *testing.T) {
	open, shut := newUpstream(t, nil), newUpstream(t, nil)
	w := served(t, endpointTable("open", open.address(), "none", "dev")+endpointTable("shut", shut.address(), "none", "dev")+
		ruleTable("open", `endpoint.name == "open" && action.class == "session"`, "allow", ""))
	alice := w.alice()

	c := dial(t, alice, "open:"+port(open.address()))
	c.says("hello\n", "ok hello\n")
	c.Close()
	end := w.end("alice", "open")
	if end.Up != 6 || end.Down != 9 || end.FailClosed || end.Plugin != "none" {
		t.Errorf("the end says %d bytes up and %d down, fail_closed %v, plugin %q: %s", end.Up, end.Down, end.FailClosed, end.Plugin, end.Raw)
	}

	denied := dial(t, alice, "shut:"+port(shut.address()))
	if text, err := denied.rest(); text != "" || err != nil {
		t.Errorf("a denied connection got %q, %v", text, err)
	}
	end = w.end("alice", "shut")
	if end.Up != 0 || !strings.Contains(end.Reason, "no rule allows this") {
		t.Errorf("the end of the denied one: %s", end.Raw)
	}
	d := w.find("the denial", isDecision("shut", "deny"))
	if d.Peer != "alice" || d.Profile != "dev" || d.Family != "connect" || d.Class != "session" || d.Conn != end.Conn {
		t.Errorf("the denial: %s", d.Raw)
	}
	if n := open.accepts.Load(); n != 1 {
		t.Errorf("the allowed upstream was dialled %d times", n)
	}
	if n := shut.accepts.Load(); n != 0 {
		t.Errorf("the denied upstream was dialled %d times", n)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	all := w.receipts()
	if all[1].Kind != receipt.Start || len(all[1].Policy) != 64 || all[len(all)-1].Kind != receipt.Stop {
		t.Errorf("the record begins with %s and ends with %s", all[1].Raw, all[len(all)-1].Raw)
	}
	if _, err := receipt.Verify(filepath.Join(w.dir, "state", "receipts.jsonl")); err != nil {
		t.Error(err)
	}
}

// TestReceiptBeforeBytes: when the first byte arrives, the decision that let it through is on record.
func TestReceiptBeforeBytes(t *testing.T) {
	var mu sync.Mutex
	var seen []*receipt.Entry
	var path string
	up := newUpstream(t, func() {
		mu.Lock()
		defer mu.Unlock()
		seen = readReceipts(t, path)
	})
	w := newWorld(t, endpointTable("echo", up.address(), "none", "dev")+allowConnect)
	path = filepath.Join(w.dir, "state", "receipts.jsonl")
	w.serve()
	dial(t, w.alice(), "echo:"+port(up.address())).says("x\n", "ok x\n")
	mu.Lock()
	defer mu.Unlock()
	if count(seen, isDecision("echo", "allow")) != 1 {
		t.Errorf("the first byte came before the receipt; there were %d records", len(seen))
	}
}

// TestNothingThere: what is not configured for a peer does not exist for it, and it is on record that it was looked for.
func TestNothingThere(t *testing.T) {
	up := newUpstream(t, nil)
	w := served(t, endpointTable("echo", up.address(), "none", "dev")+allowConnect)
	virtual := netip.AddrPortFrom(w.running.Addresses["echo"], 0).Addr()
	number := uint16(up.Addr().(*net.TCPAddr).Port)
	alice, bob := w.alice(), w.bob()

	// The twin: under its name, its virtual address and its literal address the endpoint is there for alice.
	for _, to := range []string{"echo:" + port(up.address()), netip.AddrPortFrom(virtual, number).String()} {
		dial(t, alice, to).says("x\n", "ok x\n")
	}
	for peer, agent := range map[string]interface {
		LookupHost(ctx context.Context, host string) ([]string, error)
	}{"alice": alice, "bob": bob} {
		name := "nothing.example"
		if peer == "bob" {
			name = "echo" // of another profile
		}
		var dns *net.DNSError
		if _, err := agent.LookupHost(wait(t), name); !errors.As(err, &dns) || !dns.IsNotFound {
			t.Errorf("%s finds %s: %v", peer, name, err)
		}
		w.find(peer+" looked for "+name, func(e *receipt.Entry) bool {
			return e.Kind == receipt.Refused && e.Peer == peer && strings.TrimSuffix(e.Target, ".") == name && e.Outcome == "deny"
		})
	}
	for _, to := range []netip.AddrPort{
		netip.MustParseAddrPort("192.0.2.1:5432"),
		netip.AddrPortFrom(virtual, number+1), // the port counts
		netip.AddrPortFrom(virtual.Next(), number),
	} {
		if _, err := alice.DialTCP(wait(t), to); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("alice at %s: %v", to, err)
		}
		w.find("alice wanted "+to.String(), func(e *receipt.Entry) bool {
			return e.Kind == receipt.Refused && e.Peer == "alice" && e.Target == to.String() && e.Reason != ""
		})
	}
	if _, err := bob.DialTCP(wait(t), netip.AddrPortFrom(virtual, number)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("bob reaches the endpoint of alice: %v", err)
	}
	if n := up.accepts.Load(); n != 2 {
		t.Errorf("the upstream was dialled %d times", n)
	}
}

// TestProfiles: two profiles on one upstream, each through its own endpoint and under its own rule.
func TestProfiles(t *testing.T) {
	up := newUpstream(t, nil)
	w := served(t, endpointTable("for-dev", up.address(), "none", "dev")+endpointTable("for-ops", up.address(), "none", "ops")+
		ruleTable("dev only", `peer.profile == "dev"`, "allow", ""))
	dial(t, w.alice(), "for-dev:"+port(up.address())).says("x\n", "ok x\n")
	if text, err := dial(t, w.bob(), "for-ops:"+port(up.address())).rest(); text != "" || err != nil {
		t.Errorf("bob got %q, %v", text, err)
	}
	w.find("bob's denial", func(e *receipt.Entry) bool {
		return isDecision("for-ops", "deny")(e) && e.Peer == "bob" && e.Profile == "ops"
	})
}

// TestObserve: a rule that observes is on record and changes nothing.
func TestObserve(t *testing.T) {
	up := newUpstream(t, nil)
	w := served(t, endpointTable("echo", up.address(), "none", "dev")+allowConnect+
		ruleTable("not alice", `peer.name == "alice"`, "deny", `mode = "observe"`)+
		ruleTable("not bob", `peer.name == "bob"`, "deny", `mode = "observe"`))
	dial(t, w.alice(), "echo:"+port(up.address())).says("x\n", "ok x\n")
	d := w.find("the decision", isDecision("echo", "allow"))
	if len(d.WouldDeny) != 1 || d.WouldDeny[0] != "not alice" {
		t.Errorf("would_deny: %s", d.Raw)
	}
}

// TestUpstreamDown: the record says what was wrong, and nobody but the operator's log learns where the upstream is.
func TestUpstreamDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	w := served(t, endpointTable("down", address, "none", "dev")+allowConnect)
	alice := w.alice()
	if text, err := dial(t, alice, "down:"+port(address)).rest(); text != "" || err != nil {
		t.Errorf("the agent got %q, %v", text, err)
	}
	if end := w.end("alice", "down"); !strings.Contains(end.Reason, "upstream down refused the connection") ||
		strings.Contains(end.Reason, "127.0.0.1") || !strings.Contains(end.Detail, address) {
		t.Errorf("the end: %s", end.Raw)
	}
	if !strings.Contains(w.log.String(), address) {
		t.Errorf("the operator's log does not say where the upstream is:\n%s", w.log)
	}
}

// TestNoRecord: once receipts cannot be written, nothing is allowed any more.
func TestNoRecord(t *testing.T) {
	up := newUpstream(t, nil)
	w := served(t, endpointTable("echo", up.address(), "none", "dev")+allowConnect)
	alice := w.alice()
	to := "echo:" + port(up.address())
	dial(t, alice, to).says("x\n", "ok x\n")
	// The file is taken away: the log notices within its next sync that nobody would find what it writes.
	if err := os.Rename(ReceiptsPath(w.assembly.cfg), filepath.Join(w.dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	until(t, "connections are denied", func() bool {
		c := dial(t, alice, to)
		defer c.Close()
		if _, err := io.WriteString(c, "y\n"); err != nil {
			return true
		}
		line, _ := c.r.ReadString('\n')
		return line == ""
	})
	before := up.accepts.Load()
	for range 3 {
		if text, err := dial(t, alice, to).rest(); text != "" || err != nil {
			t.Errorf("the agent got %q, %v", text, err)
		}
	}
	if up.accepts.Load() != before {
		t.Error("an upstream was dialled without a receipt")
	}
	if !strings.Contains(w.log.String(), "cannot be recorded, so it is a denial") {
		t.Errorf("the log does not say why:\n%s", w.log)
	}
	if err := w.stop(); err == nil {
		t.Error("serve does not report that the record is broken")
	}
}

// TestTwoGateways: a state has one gateway.
func TestTwoGateways(t *testing.T) {
	up := newUpstream(t, nil)
	w := served(t, endpointTable("echo", up.address(), "none", "dev")+allowConnect)
	second, err := w.assemble()
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Serve(wait(t), nil); !errors.Is(err, receipt.ErrLocked) || !strings.Contains(err.Error(), filepath.Join(w.dir, "state")) {
		t.Errorf("a second gateway: %v", err)
	}
	dial(t, w.alice(), "echo:"+port(up.address())).says("x\n", "ok x\n") // the first goes on
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.serve()
	dial(t, w.alice(), "echo:"+port(up.address())).says("x\n", "ok x\n")
}

// TestStop: connections that are open when the gateway ends are ended, and that is on record before its own end.
func TestStop(t *testing.T) {
	up := newUpstream(t, nil)
	w := served(t, endpointTable("echo", up.address(), "none", "dev")+allowConnect)
	alice := w.alice()
	const n = 5
	for range n {
		dial(t, alice, "echo:"+port(up.address())).says("x\n", "ok x\n")
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	all := w.receipts()
	if got := count(all, func(e *receipt.Entry) bool {
		return e.Kind == receipt.End && e.Reason != "" && !e.FailClosed
	}); got != n {
		t.Errorf("%d of %d ends are on record", got, n)
	}
	if all[len(all)-1].Kind != receipt.Stop {
		t.Errorf("the last record is %s", all[len(all)-1].Raw)
	}
	up.Close()
	up.group.Wait() // the upstream's side of each is closed as well
}

// TestPortTaken: what cannot start says so, also in the record, and leaves nothing behind that a second try trips over.
func TestPortTaken(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	up := newUpstream(t, nil)
	w := newWorld(t, endpointTable("echo", up.address(), "none", "dev")+allowConnect)
	text, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(text), "127.0.0.1:0", taken.LocalAddr().String(), 1)
	if err := os.WriteFile(w.path, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := w.assemble()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Serve(wait(t), nil); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), taken.LocalAddr().String()) {
		t.Errorf("serve on a port that is taken: %v", err)
	}
	all := w.receipts()
	if last := all[len(all)-1]; last.Kind != receipt.Stop || !strings.Contains(last.Reason, "in use") {
		t.Errorf("the last record: %s", last.Raw)
	}
	if err := os.WriteFile(w.path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	w.serve()
	dial(t, w.alice(), "echo:"+port(up.address())).says("x\n", "ok x\n")
}

// port is the port of host:port.
func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	if _, err := strconv.Atoi(p); err != nil {
		panic(err)
	}
	return p
}
