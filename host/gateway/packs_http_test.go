package gateway

import (
	"fmt"
	"maps"
	"testing"

	"github.com/sallyport-dev/sallyport/host/trial"
)

// TestPacksHTTP: what each pack makes of requests.
func TestPacksHTTP(t *testing.T) {
	web := "[plugins]\nhttp = \"builtin\"\n\n[[endpoint]]\nname = \"web\"\naddress = \"web.internal:443\"\nplugin = \"http\"\nprofiles = [\"dev\"]\n\n"
	w := newWorld(t, web)
	cfg, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	a, err := Assemble(t.Context(), cfg, Options{CacheDir: cacheDir, PolicyOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &policies{w, a}
	request := func(class, method string, fields map[string]any) *trial.Action {
		all := map[string]any{"method": method, "ambiguous": false, "override": "", "upgrade": ""}
		maps.Copy(all, fields)
		for name, v := range all {
			if v == nil { // unknown
				delete(all, name)
			}
		}
		return &trial.Action{Endpoint: "web", Peer: "alice", Family: "http", Class: class, Title: method, Fields: all}
	}
	const bodyRule = "no drops"
	rule := ruleTable(bodyRule, `http.body.contains("drop")`, "deny", "endpoints = [\"web\"]\nreason = \"no\"") +
		ruleTable("safe bodies", `http.body.startsWith("safe")`, "allow", "endpoints = [\"web\"]")
	plain, bodies := map[string]*Assembly{}, map[string]*Assembly{}
	for _, name := range []string{"baseline", "readonly"} {
		keys := fmt.Sprintf("packs = [%q]", name)
		plain[name], bodies[name] = p.of(keys, web), p.of(keys, web+rule)
	}
	sockets := p.of("packs = [\"baseline\"]", web+"[[override]]\nrule = \"baseline/no opaque\"\nunless = 'http.upgrade == \"websocket\"'\nendpoints = [\"web\"]\n"+
		ruleTable("sockets", `http.upgrade != ""`, "allow", "endpoints = [\"web\"]"))
	for _, c := range []struct {
		name               string
		in                 map[string]*Assembly
		action             *trial.Action
		baseline, readonly string
	}{
		{"get", plain, request("read", "GET", nil), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"post", plain, request("write", "POST", nil), "hold by baseline/write", "deny by readonly/no changes"},
		{"delete", plain, request("delete", "DELETE", nil), "hold by baseline/delete", "deny by readonly/no changes"},
		{"trace", plain, request("admin", "TRACE", nil), "deny by baseline/no admin", "deny by readonly/no changes"},
		{"a raised post", plain, request("execute", "POST", nil), "deny by baseline/no execute", "deny by readonly/no changes"},
		{"an ambiguous path", plain, request("read", "GET", map[string]any{"ambiguous": true}), "deny by baseline/ambiguous path", "allow by readonly/session and read"},
		{"a path of which that is not known", plain, request("read", "GET", map[string]any{"ambiguous": nil}), "deny by baseline/ambiguous path", "allow by readonly/session and read"},
		{"a get that deletes", plain, request("delete", "GET", map[string]any{"override": "DELETE"}), "deny by baseline/overridden read", "deny by readonly/no changes"},
		{"a get that gets", plain, request("read", "GET", map[string]any{"override": "GET"}), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"a get with a form that is not read", plain, request("read", "GET", map[string]any{"override": nil}), "deny by baseline/overridden read", "allow by readonly/session and read"},
		{"a post that deletes", plain, request("delete", "POST", map[string]any{"override": "DELETE"}), "hold by baseline/delete", "deny by readonly/no changes"},
		{"a post with a form that is not read", plain, request("write", "POST", map[string]any{"override": nil}), "hold by baseline/write", "deny by readonly/no changes"},
		{"connect", plain, request("opaque", "CONNECT", map[string]any{"upgrade": "tunnel"}), "deny by baseline/no opaque", "deny by readonly/no changes"},
		{"a websocket", plain, request("opaque", "GET", map[string]any{"upgrade": "websocket"}), "deny by baseline/no opaque", "deny by readonly/no changes"},
		// A rule that depends on a body that is not known counts when it denies, and not when it allows.
		{"a body that is not known", bodies, request("write", "POST", nil), "deny by " + bodyRule, "deny by readonly/no changes"},
		{"a body that is bad", bodies, request("write", "POST", map[string]any{"body": "drop it"}), "deny by " + bodyRule, "deny by " + bodyRule},
		{"a body that is fine", bodies, request("write", "POST", map[string]any{"body": "safe"}), "hold by baseline/write", "deny by readonly/no changes"},
	} {
		for pack, want := range map[string]string{"baseline": c.baseline, "readonly": c.readonly} {
			if got := outcome(t, c.in[pack], c.action); got != want {
				t.Errorf("%s, %s: %s, want %s", c.name, pack, got, want)
			}
		}
	}
	// An exception for WebSockets is none for CONNECT.
	if got := outcome(t, sockets, request("opaque", "GET", map[string]any{"upgrade": "websocket"})); got != "allow by sockets" {
		t.Errorf("a websocket with an exception: %s", got)
	}
	if got := outcome(t, sockets, request("opaque", "CONNECT", map[string]any{"upgrade": "tunnel"})); got == "allow by sockets" {
		t.Errorf("CONNECT with an exception for WebSockets: %s", got)
	}
}
