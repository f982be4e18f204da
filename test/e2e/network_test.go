package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// probe tries one network operation for each argument, KIND:TARGET, and prints one word for each.
func probe(ctx context.Context, args []string) error {
	for _, arg := range args {
		kind, target, _ := strings.Cut(arg, ":")
		result, err := probeOne(ctx, kind, target)
		if err != nil {
			result = outcome(err)
			fmt.Fprintf(os.Stderr, "%s: %v\n", arg, err)
		}
		fmt.Println(result)
	}
	return nil
}

func probeOne(ctx context.Context, kind, target string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	switch kind {
	case "dns":
		addrs, err := net.DefaultResolver.LookupHost(ctx, target)
		return strings.Join(addrs, ","), err
	case "tcp":
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", target)
		if err != nil {
			return "", err
		}
		return "connected", c.Close()
	case "answer": // waits for one
		return ask(ctx, target, math.MaxInt)
	case "udp":
		return ask(ctx, target, 4)
	}
	return "", fmt.Errorf("no probe %q", kind)
}

// outcome is a word for an error of the network.
func outcome(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such name"
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return "refused"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return "unreachable"
	}
	return "failed"
}

// ask sends a DNS question for "db" over UDP, up to so many times while there is no answer, and says whether there was one.
func ask(ctx context.Context, target string, tries int) (string, error) {
	q := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("db."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	b, err := q.Pack()
	if err != nil {
		return "", err
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", target)
	if err != nil {
		return "", err
	}
	defer c.Close()
	for i := 0; i < tries && ctx.Err() == nil; i++ {
		if _, err := c.Write(b); err != nil {
			return "", err
		}
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		n, err := c.Read(make([]byte, 1500))
		if err == nil && n > 0 {
			return "answered", nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return "", err
		}
	}
	return "silent", nil
}

// probes runs probes inside the tunnel and returns what each led to.
func (w *world) probes(ctx context.Context, t *testing.T, gw *rig.Gateway, args ...string) []string {
	t.Helper()
	got := finish(ctx, t, agentRole(ctx, gw, "probe", args...), "")
	t.Log(got.err)
	out := lines(got.out)
	if got.status != 0 || len(out) != len(args) {
		t.Fatalf("%d probes: %+v", len(args), got)
	}
	return out
}

// TestUnknownDoesNotExist: what is not configured for an agent's profile does not exist for it, and says so at once: nothing waits
// for a timeout.
func TestUnknownDoesNotExist(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	other := *w.gw
	other.Peer = w.other
	addresses := w.probes(ctx, t, &other, "dns:hidden", "dns:db")
	hidden, err := netip.ParseAddr(addresses[0])
	if err != nil || !netip.MustParsePrefix("10.89.0.0/16").Contains(hidden) || addresses[1] != "no such name" {
		t.Fatalf("for the other profile: %q", addresses)
	}
	if got := w.probes(ctx, t, &other, fmt.Sprintf("tcp:%v:%d", hidden, w.pg.Port)); got[0] != "connected" {
		t.Fatalf("the other profile's endpoint: %q", got)
	}
	before := len(w.gw.Receipts())
	db := w.probes(ctx, t, w.gw, "dns:db", "dns:reader", "dns:DB.")
	if db[0] == db[1] || db[0] != db[2] {
		t.Errorf("db, reader and DB. are at %q", db)
	}
	port := w.pg.Port
	cases := []struct{ probe, want string }{
		{fmt.Sprintf("tcp:db:%d", port), "connected"},
		{fmt.Sprintf("tcp:%s:%d", db[0], port), "connected"},
		{"dns:billing.internal", "no such name"},
		{"dns:hidden", "no such name"},
		{"dns:db.example.com", "no such name"},
		{"dns:localhost.example", "no such name"},
		{"tcp:db:1", "refused"},
		{fmt.Sprintf("tcp:db:%d", w.down), "refused"},          // the port of another endpoint
		{fmt.Sprintf("tcp:%v:%d", hidden, port), "refused"},    // an endpoint of another profile
		{fmt.Sprintf("tcp:10.89.0.1:%d", port), "refused"},     // the gateway itself
		{"tcp:10.89.0.1:22", "refused"},                        //
		{fmt.Sprintf("tcp:192.0.2.77:%d", port), "refused"},    // anywhere
		{fmt.Sprintf("tcp:127.0.0.1:%d", port), "refused"},     // the agent's own loopback, which is empty
		{"answer:10.89.0.1:53", "answered"},                    //
		{"udp:10.89.0.1:5353", "refused"},                      // at once, so that QUIC gives way to TCP
		{"udp:192.0.2.77:53", "refused"},                       //
		{fmt.Sprintf("udp:%s:%d", db[0], port), "refused"},     //
		{fmt.Sprintf("tcp:[2001:db8::1]:%d", port), "nowhere"}, // IPv6 is no way around
		{fmt.Sprintf("tcp:[::ffff:192.0.2.77]:%d", port), "nowhere"},
		{fmt.Sprintf("tcp:[fe80::1%%lo]:%d", port), "nowhere"},
	}
	var args []string
	for _, c := range cases {
		args = append(args, c.probe)
	}
	for i, got := range w.probes(ctx, t, w.gw, args...) {
		if c := cases[i]; got != c.want && !(c.want == "nowhere" && (got == "refused" || got == "unreachable")) {
			t.Errorf("%s: %s, want %s", c.probe, got, c.want)
		}
	}
	record := w.gw.Receipts()[before:]
	for _, target := range []string{"billing.internal", "hidden", hidden.String() + fmt.Sprintf(":%d", port), fmt.Sprintf("192.0.2.77:%d", port), db[0] + ":1"} {
		if !refusedOnRecord(record, target) {
			t.Errorf("no refusal of %q on record:\n%s", target, record)
		}
	}
}

func refusedOnRecord(record, target string) bool {
	for line := range strings.Lines(record) {
		var r struct{ Kind, Peer, Target string }
		if json.Unmarshal([]byte(line), &r) == nil && r.Kind == "refused" && r.Peer == "agent" && strings.TrimSuffix(r.Target, ".") == target {
			return true
		}
	}
	return false
}
