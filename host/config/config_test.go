package config

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// full has every kind of value, in more than one way of writing.
const full = `gateway.listen = "192.0.2.1:51820"
gateway.address = "[2001:db8::1]:51820"
gateway.network = "10.7.0.0/24"
gateway.state = "state"
gateway.private_key = "file:gateway.key"

limits = { connections = 0x10, dial_timeout = "1.5s", linger = "2m", window = 65_536, guest_memory = "1GiB" }

[[peer]]
name = 'claude.laptop'
public_key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
profile = "dev"
address = "10.7.0.127"

[plugins]
postgres = "builtin"
[plugins.redis]
path = "redis.wasm"
sha256 = "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"

[[endpoint]]
name = "prod-db"
address = "[::ffff:10.0.0.5]:5432"
plugin = "redis"
profiles = [
  "dev", # the first
  "ops",
]
[endpoint.options]
fast = true
most = 1
mode = "strict"
hosts = ["a", "b"]

[[rule]]
name = "no unbounded deletes"
endpoints = ["prod-db"]
when = '''
action.class == "delete"
  && !sql.bounded'''
unless = "peer.name == \"\u00fcn\" || bad"
then = "deny"
reason = "no"
mode = "observe"

[[rule]]
name = "everything else"
when = "true"
then = "allow"
`

func parse(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := Parse(filepath.Join(t.TempDir(), "sallyport.toml"), []byte(text), known)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestParse(t *testing.T) {
	cfg := parse(t, full)
	dir := filepath.Dir(cfg.Path)
	equal := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	equal("listen", cfg.Gateway.Listen, "192.0.2.1:51820")
	equal("address", cfg.Gateway.Address.Value, "[2001:db8::1]:51820")
	equal("network", cfg.Gateway.Network, netip.MustParsePrefix("10.7.0.0/24"))
	equal("place of network", cfg.Gateway.NetworkPos, Pos{3, 19})
	equal("state", cfg.Gateway.State, filepath.Join(dir, "state"))
	equal("private_key", cfg.Gateway.PrivateKey.String(), "file:"+filepath.Join(dir, "gateway.key"))
	equal("limits", cfg.Limits, Limits{16, 1500 * time.Millisecond, 2 * time.Minute, 64 << 10, 1 << 30})

	p := cfg.Peers[0]
	equal("peer", []any{p.Name.Value, p.Profile.Value, p.Address, p.PublicKey[0], p.Pos},
		[]any{"claude.laptop", "dev", netip.MustParseAddr("10.7.0.127"), byte(0xc5), Pos{9, 3}})

	equal("plugin postgres", []any{cfg.Plugins[0].Name.Value, cfg.Plugins[0].Builtin, cfg.Plugins[0].Pos}, []any{"postgres", true, Pos{16, 1}})
	r := cfg.Plugins[1]
	equal("plugin redis", []any{r.Name.Value, r.Builtin, r.Path, r.SHA256[7], r.Pos},
		[]any{"redis", false, filepath.Join(dir, "redis.wasm"), byte(0xef), Pos{17, 10}})

	e := cfg.Endpoints[0]
	equal("endpoint", []any{e.Name.Value, e.Host, e.Port, e.IP, e.Plugin.Value, e.Profiles[1].Value, e.Profiles[1].Pos},
		[]any{"prod-db", "::ffff:10.0.0.5", uint16(5432), netip.MustParseAddr("10.0.0.5"), "redis", "ops", Pos{27, 4}})
	values := map[string]any{}
	for _, o := range e.Options {
		values[o.Name.Value] = o.Value
	}
	equal("options", values, map[string]any{"fast": true, "most": int64(1), "mode": "strict", "hosts": []string{"a", "b"}})
	equal("places of options", []any{e.Options[3].Pos, e.Options[3].Elems}, []any{Pos{33, 9}, []Pos{{33, 10}, {33, 15}}})

	rule := cfg.Rules[0]
	equal("rule", []any{rule.Name.Value, rule.Endpoints[0].Value, rule.Then, rule.Reason, rule.Mode, rule.ThenPos},
		[]any{"no unbounded deletes", "prod-db", Deny, "no", Observe, Pos{42, 8}})
	equal("when", rule.When.Value, "action.class == \"delete\"\n  && !sql.bounded")
	equal("place of when", []Pos{rule.When.Pos, rule.When.AtLocation(2, 6)}, []Pos{{39, 1}, {40, 7}})
	equal("place of bad", rule.Unless.AtLocation(1, 21), Pos{41, 39})
	second := cfg.Rules[1]
	equal("second rule", []any{second.Endpoints == nil, second.Unless.IsSet(), second.Then, second.Mode}, []any{true, false, Allow, Enforce})
}

func TestDefaults(t *testing.T) {
	cfg := parse(t, "")
	if got, want := cfg.Gateway, (Gateway{Listen: ":51820", Network: netip.MustParsePrefix("10.89.0.0/16"), State: "/var/lib/sallyport", Mode: Enforce}); !reflect.DeepEqual(got, want) {
		t.Errorf("gateway is %+v, want %+v", got, want)
	}
	if got, want := cfg.Limits, (Limits{1024, 10 * time.Second, 5 * time.Second, 2 << 20, 64 << 20}); got != want {
		t.Errorf("limits are %+v, want %+v", got, want)
	}
}

// TestKnown: names of built-in plugins are checked only against a list that is given.
func TestKnown(t *testing.T) {
	text := []byte("[plugins]\nimap = \"builtin\"\n")
	if _, err := Parse("a.toml", text, Known{}); err != nil {
		t.Errorf("without a list: %v", err)
	}
	if _, err := Parse("a.toml", text, Known{Builtins: []string{}}); err == nil {
		t.Error("a gateway without any plugin has imap")
	}
}

func TestSizes(t *testing.T) {
	comment := "# " + strings.Repeat("x", MaxSize-3) + "\n"
	if _, err := Parse("a.toml", []byte(comment), known); err != nil {
		t.Errorf("a file of %d bytes: %v", len(comment), err)
	}
	_, err := Parse("a.toml", []byte(comment+"\n"), known)
	if err == nil || err.Error() != "a.toml:1:1: the file is larger than 1024 KiB" {
		t.Errorf("a file that is too large: %v", err)
	}
	var problems Problems
	_, err = Parse("a.toml", []byte(strings.Repeat("?\n", 1000)), known)
	if !errors.As(err, &problems) || len(problems) != maxSyntax+1 {
		t.Errorf("%d problems in a file that is not TOML, want %d", len(problems), maxSyntax+1)
	}
}

// TestNetworkBounds: a /28 has room for 6 endpoints.
func TestNetworkBounds(t *testing.T) {
	text := "[gateway]\nnetwork = \"10.0.0.0/28\"\n"
	for i := range 7 {
		if _, err := Parse("a.toml", []byte(text), known); err != nil {
			t.Fatalf("%d endpoints: %v", i, err)
		}
		text += fmt.Sprintf("[[endpoint]]\nname = \"e%d\"\naddress = \"a:1\"\nplugin = \"none\"\nprofiles = [\"dev\"]\n", i)
	}
	_, err := Parse("a.toml", []byte(text), known)
	if want := "a.toml:33:3: network 10.0.0.0/28 has addresses for 6 endpoints only; set a larger one in [gateway]"; err == nil || err.Error() != want {
		t.Errorf("7 endpoints: %v, want %s", err, want)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.toml"), filepath.Join(dir, "bad.toml")
	write(t, good, "[gateway]\nlisten = \":1\"\n")
	write(t, bad, "[gateway]\nlisten = 1\nlisen = 1\n")
	cfg, err := Load(good, known)
	if err != nil || cfg.Path != good || cfg.Gateway.Listen != ":1" {
		t.Errorf("a good file: %+v, %v", cfg, err)
	}
	var problems Problems
	if cfg, err = Load(bad, known); !errors.As(err, &problems) || len(problems) != 2 || cfg == nil {
		t.Errorf("a bad file: %v", err)
	}
	if problems[0].File != bad || problems[0].Line != 2 || problems[0].Col != 10 {
		t.Errorf("the first problem is %+v", problems[0])
	}
	for _, path := range []string{filepath.Join(dir, "missing.toml"), dir} {
		if cfg, err := Load(path, known); err == nil || cfg != nil || errors.As(err, &problems) {
			t.Errorf("load %s: %v, %v", path, cfg, err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

// TestProblemsOfOthers: what other packages find prints like what was found here.
func TestProblemsOfOthers(t *testing.T) {
	cfg := parse(t, full)
	cfg.Path = "a.toml"
	problems := Problems{
		cfg.Problem(cfg.Rules[0].When.Pos, "unknown field %q", "sqll"),
		cfg.Problem(Pos{9, 3}, "b"), cfg.Problem(Pos{9, 2}, "a"), cfg.Problem(Pos{}, "everything"),
	}
	problems.Sort()
	want := "a.toml: everything\na.toml:9:2: a\na.toml:9:3: b\na.toml:39:1: unknown field \"sqll\""
	if problems.Error() != want {
		t.Errorf("problems:\n%v\nwant:\n%s", problems, want)
	}
}
