package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestUnrecorded: the same question is allowed while there is a record and denied when there is none.
func TestUnrecorded(t *testing.T) {
	w := newWorld(t, endpointTable("echo", "db.internal:1", "none", "dev")+allowConnect)
	a, err := w.assemble()
	if err != nil {
		t.Fatal(err)
	}
	log, err := receipt.Open(ReceiptsPath(a.cfg), receipt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{handler: newHandler(newServing(a, nil), a.log, log), a: a, endpoint: a.endpoints["echo"], peer: "alice", profile: "dev", conn: "1"}
	manifest := gate.RelayManifest()
	q := &gate.Question{ID: 1, Action: &abi.Action{Family: &manifest.Families[0], Class: abi.ClassSession, Title: "open"}}
	v := s.Decide(t.Context(), q)
	if v.Outcome != abi.Allow || v.Receipt == "" {
		t.Fatalf("with a record: %+v", v)
	}
	q.ID = 2
	denied := s.Decide(t.Context(), &gate.Question{ID: 3, Action: &abi.Action{Family: &manifest.Families[0], Class: abi.ClassDelete}})
	if denied.Outcome != abi.Allow { // the rule is about the family
		t.Errorf("another class of the family: %+v", denied)
	}
	s.Note(1, []string{"rows", "3"})
	s.Note(65, []string{"rows", "4"}) // its decision is not one of those that are remembered
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if v := s.Decide(t.Context(), q); v.Outcome != abi.Deny || v.Receipt != "" || v.Reason == "" || v.Rule != "" {
		t.Errorf("without a record: %+v", v)
	}
	s.Note(1, []string{"rows", "3"})
	s.ended(gate.End{})
	s.refuse("alice", "dev", "10.0.0.1:1", "nothing there", false)
	for _, what := range []string{"a decision cannot be recorded", "what became of an action cannot", "the end of a connection cannot", "a refusal cannot"} {
		if !strings.Contains(w.log.String(), what) {
			t.Errorf("the log does not say %q:\n%s", what, w.log)
		}
	}
	var parents []string
	for _, e := range w.receipts() {
		if e.Kind == receipt.Note {
			parents = append(parents, e.Parent)
		}
	}
	if len(parents) != 2 || parents[0] != v.Receipt || parents[1] != "" {
		t.Errorf("the notes belong to %q, want %q and nothing", parents, v.Receipt)
	}
}

// TestLimits: what a peer may have is what the configuration says.
func TestLimits(t *testing.T) {
	up := newUpstream(t, nil)
	w := served(t, "[limits]\nconnections = 2\n\n"+endpointTable("echo", up.address(), "none", "dev")+allowConnect)
	alice := w.alice()
	to := netip.AddrPortFrom(w.running.Addresses["echo"], uint16(up.Addr().(*net.TCPAddr).Port))
	first, second := dial(t, alice, to.String()), dial(t, alice, to.String())
	first.says("x\n", "ok x\n")
	second.says("x\n", "ok x\n")
	if _, err := alice.DialTCP(wait(t), to); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a third connection: %v", err)
	}
	first.Close()
	until(t, "there is room again", func() bool {
		c, err := alice.DialTCP(wait(t), to)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	second.says("y\n", "ok y\n")

	w = newWorld(t, "")
	w.write("[limits]\nguest_memory = \"1MiB\"\n\n" + w.pluginTable() + endpointTable("lines", up.address(), "hostile", "dev") + allowConnect)
	_, err := w.assemble()
	wantProblem(t, w, err, "hostile = {", "memory")
}

// TestDialReason: agents learn what is wrong and not where the upstream is.
func TestDialReason(t *testing.T) {
	at := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 5432}, Err: err}
	}
	for want, err := range map[string]error{
		"refused the connection":           at(os.NewSyscallError("connect", syscall.ECONNREFUSED)),
		"did not answer in time":           at(os.ErrDeadlineExceeded),
		"has a name that does not resolve": at(&net.DNSError{Err: "no such host", Name: "db.internal", IsNotFound: true}),
		"cannot be reached":                at(os.NewSyscallError("connect", syscall.EHOSTUNREACH)),
	} {
		if got := dialReason(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
	if got := dialReason(fmt.Errorf("dial: %w", context.DeadlineExceeded)); got != "did not answer in time" {
		t.Errorf("a deadline: %q", got)
	}
}
