package gateway

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/host/tunnel/tunneltest"
	"github.com/sallyport-dev/sallyport/test/pgserver"
)

// TestFivePeers: one gateway, one server, five peers. Each is logged in as its profile says; for the fifth the server does not exist, by name or
// by address, just like a name that nobody has. The server says who is there.
func TestFivePeers(t *testing.T) {
	db := pgserver.ForTest(t, pgserver.Options{Auth: "reject", HBA: "host all role0,role1,role2,role3 127.0.0.1/32 scram-sha-256\n"})
	var roles, tables strings.Builder
	var agents []tunnel.Key
	profiles := make([]string, 4)
	for i := range 5 {
		key := tunnel.NewPrivateKey()
		agents = append(agents, key)
		tables.WriteString(peerTable(fmt.Sprintf("peer-%d", i), fmt.Sprintf("team-%d", i), key, netip.MustParseAddr(fmt.Sprintf("10.89.0.%d", 20+i))))
		if i < 4 {
			fmt.Fprintf(&roles, "create role role%d login password '%s-%d';", i, canary, i)
			tables.WriteString(credentialTable(t, fmt.Sprintf("login-%d", i), fmt.Sprintf("role%d", i), fmt.Sprintf("%s-%d", canary, i), ""))
			profiles[i] = fmt.Sprintf("team-%d = \"login-%d\"", i, i)
		}
	}
	if _, err := db.Psql(wait(t), "postgres", roles.String()); err != nil {
		t.Fatal(err)
	}
	endpoint := fmt.Sprintf("[[endpoint]]\nname = \"db\"\naddress = %q\nplugin = \"postgres\"\ntls = \"disable\"\nprofiles = { %s }\n\n", db.Address(), strings.Join(profiles, ", "))
	other := strings.ReplaceAll(loginTable("other", db.Address(), `tls = "disable"`), `{ dev = "other" }`, `["team-4"]`)
	w := newWorld(t, "[plugins]\npostgres = \"builtin\"\n\n"+tables.String()+endpoint+other+loginRules)
	w.serve()
	connect := func(i int) *tunneltest.Agent {
		return w.agent(agents[i], netip.MustParseAddr(fmt.Sprintf("10.89.0.%d", 20+i)))
	}
	var address string
	for i := range 4 {
		a := connect(i)
		// It says that it is somebody else, with a password of theirs.
		for _, claim := range []string{"", "&user=role3&password=" + canary + "-3"} {
			who, err := try(t, a, "db", db.Address(), "sslmode=disable"+claim, nil)
			if want := fmt.Sprintf("role%d false", i); err != nil || who != want {
				t.Errorf("peer %d%s: %q, %v; want %s", i, claim, who, err, want)
			}
		}
		if all, err := a.LookupHost(wait(t), "db"); err != nil || len(all) == 0 {
			t.Fatal(err)
		} else {
			address = all[0]
		}
		if _, err := a.LookupHost(wait(t), "other"); err == nil {
			t.Errorf("peer %d finds the other endpoint", i)
		}
	}
	last := connect(4)
	_, unknown := last.LookupHost(wait(t), "db")
	_, nobody := last.LookupHost(wait(t), "no")
	if unknown == nil || strings.ReplaceAll(unknown.Error(), "db", "no") != nobody.Error() {
		t.Errorf("what is not in the profile is %v, what nobody has is %v", unknown, nobody)
	}
	for _, target := range []string{address, "10.89.255.250"} { // the endpoint's own address, and one that nobody has
		k, err := last.DialContext(wait(t), "tcp", net.JoinHostPort(target, port(db.Address())))
		if err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%s: %v", target, err)
		}
		if err == nil {
			k.Close()
		}
	}
	w.find("the refusal", func(e *receipt.Entry) bool { return e.Kind == receipt.Refused && e.Peer == "peer-4" })
	// The twin: what it has works.
	if _, err := last.LookupHost(wait(t), "other"); err != nil {
		t.Error(err)
	}
}
