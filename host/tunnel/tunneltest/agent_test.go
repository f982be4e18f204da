package tunneltest_test

import (
	"context"
	"io"
	"net/netip"
	"testing"

	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/host/tunnel/tunneltest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// greeter says its name to everybody.
type greeter struct{}

func (greeter) ServeTCP(r *tunnel.Request) {
	c, err := r.Accept()
	if err != nil {
		return
	}
	io.WriteString(c, "hello "+r.Peer())
	c.Close()
}

func (greeter) Resolve(_ context.Context, _, name string) (netip.Addr, bool) {
	return netip.MustParseAddr("10.89.255.1"), name == "db.prod"
}

func TestAgent(t *testing.T) {
	key := tunnel.NewPrivateKey()
	network, address := netip.MustParsePrefix("10.89.0.0/16"), netip.MustParseAddr("10.89.0.2")
	gateway, err := tunnel.New(t.Context(), tunnel.Config{
		Listen: "127.0.0.1:0", PrivateKey: tunnel.NewPrivateKey(), Network: network, Handler: greeter{},
		Peers: []tunnel.Peer{{Name: "alice", PublicKey: key.Public(), Address: address}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Close()
	agent := tunneltest.Dial(t, gateway, network, key, address)
	for _, to := range []string{"db.prod:5432", "DB.PROD.:5432", "192.0.2.1:1"} {
		c, err := agent.DialContext(t.Context(), "tcp", to)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); string(got) != "hello alice" || err != nil {
			t.Errorf("%s: %q, %v", to, got, err)
		}
		c.Close()
	}
	for _, to := range []string{"nothing.example:1", "192.0.2.1:99999", "192.0.2.1"} {
		if _, err := agent.DialContext(t.Context(), "tcp", to); err == nil {
			t.Errorf("dial %s works", to)
		}
	}
	if _, err := agent.DialContext(t.Context(), "udp", "192.0.2.1:1"); err == nil {
		t.Error("network udp works")
	}
	agent.Close()
	agent.Close()
}
