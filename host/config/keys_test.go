package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// base has the required keys of every table, as a file without any other key.
var base = map[string][]string{
	"gateway": {`packs = ["baseline", "readonly"]`}, "limits": nil,
	"peer":       {`name = "a"`, `public_key = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="`, `profile = "x"`, `address = "10.89.0.9"`},
	"plugins":    {`postgres = "builtin"`},
	"credential": {`name = "c"`, `user = "x"`},
	"endpoint":   {`name = "e"`, `address = "e:1"`, `plugin = "redis"`, `profiles = ["x"]`},
	"rule":       {`name = "r"`, `when = "true"`, `then = "deny"`},
	"override":   {`rule = "baseline/write"`, `unless = "false"`},
	"approver":   {`name = "ops"`, `webhook = "https://hooks.example.com/ops"`, `secret = "env:OPS"`},
	"holds":      {`listen = "127.0.0.1:8443"`},
	"judge":      {`name = "reviewer"`, `provider = "openai"`, `model = "m"`, `policy = "p"`},
	"receipts":   {`anchor = "a"`},
	"secrets":    {`sealed = "other.age"`, `identity = "env:IDENTITY"`},
	"plugins.NAME": {`path = "x.wasm"`,
		`sha256 = "0000000000000000000000000000000000000000000000000000000000000000"`},
}

// baseOf returns the required keys of a table in which a key is to be set: some keys need others, or exclude them.
func baseOf(table, name string) []string {
	switch {
	case table == "approver" && (name == "slack" || name == "token" || name == "signing_secret"):
		return []string{`name = "ops"`, `slack = "C0000"`, `token = "env:T"`, `signing_secret = "env:S"`}
	case table == "approver" && slices.Contains(append([]string{"plugin"}, ofPrograms...), name):
		return []string{`name = "ops"`, `plugin = "n.wasm"`, `sha256 = "0000000000000000000000000000000000000000000000000000000000000000"`}
	case table == "approver" && name == "secrets":
		return base[table][:2]
	case table == "receipts" && name == "anchor_secret":
		return []string{`anchor = "https://anchor.example.com/"`}
	case table == "holds" && (name == "certificate" || name == "key"):
		return []string{base[table][0], `certificate = "a.pem"`, `key = "a.key"`}
	case (table == "endpoint" || table == "credential") && (name == "client_cert" || name == "client_key"):
		return append([]string{`client_cert = "a.pem"`, `client_key = "env:A"`}, base[table]...)
	case table == "rule" && slices.Contains(ofHold, name):
		return []string{`name = "r"`, `when = "true"`, `then = "hold"`}
	case table == "rule" && (name == "redact" || name == "redact_columns"):
		return []string{`name = "r"`, `when = "true"`, `then = "redact"`, `inspect = "response"`, `redact_columns = ["pin"]`, `redact = ["x"]`}
	case table == "rule" && slices.Contains(ofInspect, name):
		return []string{`name = "r"`, `when = "true"`, `then = "deny"`, `inspect = "response"`}
	case table == "rule" && name == "judge":
		return []string{`name = "r"`, `when = "true"`, `then = "judge"`}
	case table == "override" && name == "judge":
		return append([]string{`then = "judge"`}, base[table]...)
	case table == "judge" && slices.Contains(append([]string{"plugin"}, ofPrograms...), name):
		return []string{`name = "program"`, `plugin = "j.wasm"`, `sha256 = "0000000000000000000000000000000000000000000000000000000000000000"`}
	case table == "override" && name == "off":
		return base[table][:1]
	case table == "gateway" && (name == "ca_cert" || name == "ca_key"):
		return []string{`packs = ["baseline", "readonly"]`, `ca_cert = "a.pem"`, `ca_key = "env:A"`}
	}
	return base[table]
}

// with returns the base file with one key of one table set.
func with(table, name, value string) string {
	var b strings.Builder
	for _, t := range []string{"gateway", "limits", "peer", "plugins", "plugins.NAME", "credential", "endpoint", "rule", "override", "approver", "holds", "judge", "secrets", "receipts"} {
		fmt.Fprintln(&b, strings.Replace(written(t), "NAME", "redis", 1))
		lines := base[t]
		if t == table {
			lines = baseOf(table, name)
		}
		for _, line := range lines {
			if t != table || !strings.HasPrefix(line, name+" ") {
				fmt.Fprintln(&b, line)
			}
		}
		if t == table && name != "" && value != "" {
			fmt.Fprintf(&b, "%s = %s\n", name, value)
		}
		if t == table && t == "endpoint" && aboutTLS(name) {
			fmt.Fprintln(&b, `tls = "verify-full"`) // what they are about
		}
		if t == "plugins.NAME" {
			// What the examples refer to.
			other := "prod-db"
			if table == "endpoint" && name == "name" {
				other = "other"
			}
			fmt.Fprintf(&b, "[[endpoint]]\nname = %q\naddress = \"p:1\"\nplugin = \"postgres\"\nprofiles = [\"x\"]\n", other)
		}
	}
	return b.String()
}

// ofHold are the keys that only a rule that holds has.
var ofHold = []string{"approver", "approvers", "approvals", "not_by", "timeout"}

// ofInspect are the keys that only a rule about answers has.
var ofInspect = []string{"response", "limit", "then_long", "redact", "redact_columns"}

// aboutTLS reports whether a key of an endpoint says something about its TLS.
func aboutTLS(name string) bool {
	switch name {
	case "ca", "server_name", "pin", "agent_sni", "client_cert", "client_key":
		return true
	}
	return false
}

// TestEveryKeyCounts: every key of Keys is read and changes the configuration. No key is dead here.
func TestEveryKeyCounts(t *testing.T) {
	before := plain(parse(t, with("", "", "")))
	for _, k := range Keys() {
		t.Run(k.Table+"/"+k.Name, func(t *testing.T) {
			before := before
			if k.Meaning == "" || k.Consequence == "" || k.Example == "" || k.Type == "" || (k.Default == "") != k.Required {
				t.Errorf("incomplete: %+v", k)
			}
			name := k.Name
			if name == "NAME" {
				name = "mysql"
			}
			if k.Table == "plugins" {
				// A second plugin stands beside the first.
				k.Example = strings.Replace(k.Example, "redis.wasm", "mysql.wasm", 1)
			}
			if aboutTLS(name) {
				before = plain(parse(t, with("endpoint", "tls", `"verify-full"`)))
			}
			if k.Table == "rule" && slices.Contains(ofHold, name) {
				before = plain(parse(t, with("rule", "then", `"hold"`)))
			}
			if k.Table == "rule" && slices.Contains(ofInspect, name) {
				before = plain(parse(t, with("rule", name, "")))
			}
			if name == "then" {
				before = plain(parse(t, with("rule", "then", `"allow"`)))
			}
			after := plain(parse(t, with(k.Table, name, k.Example)))
			if reflect.DeepEqual(before, after) {
				t.Errorf("%s = %s changes nothing", name, k.Example)
			}
		})
	}
}

// plain leaves out places and the directory, which differ for other reasons than the value.
func plain(cfg *Config) []string {
	var list []string
	add := func(values ...any) { list = append(list, fmt.Sprint(values...)) }
	g, l := cfg.Gateway, cfg.Limits
	add(g.Listen, g.Address, g.Network, strings.HasSuffix(g.State, "/state"), g.PrivateKey.IsZero(), l)
	add(filepath.Base(g.CA.Certificate), g.CA.Key)
	add(g.Packs, g.Mode, g.ConfirmReload)
	add(filepath.Base(cfg.Secrets.Sealed), cfg.Secrets.Identity, cfg.Secrets.Passphrase, cfg.Secrets.Recipients, cfg.Secrets.Commands)
	for _, p := range cfg.Peers {
		add(p.Name, p.PublicKey, p.Profile, p.Address)
		for _, v := range p.Env {
			add(v.Name.Value, v.Value.Value)
		}
	}
	for _, p := range cfg.Plugins {
		add(p.Name, p.Builtin, strings.HasSuffix(p.Path, "/redis.wasm"), p.SHA256)
	}
	for _, c := range cfg.Credentials {
		add(c.Name, c.Methods, filepath.Base(c.Client.Certificate), c.Client.Key)
		for _, s := range c.Settings {
			add(s.Name, s.Value)
		}
	}
	for _, e := range cfg.Endpoints {
		add(e.TLS, strings.HasSuffix(e.CA, "/ca.pem"), e.ServerName, e.Mode, e.OnHold, e.AgentTLS, e.AgentSNI, e.Pins, filepath.Base(e.Client.Certificate), e.Client.Key)
		add(filepath.Base(e.SSH.KnownHosts), e.SSH.HostKeys, e.SSH.HostCAs, e.SSH.FirstUse, e.Record.Terminals, e.Record.Input, e.Record.Limit)
		add(e.Name, e.Host, e.Port, e.Plugin, e.Profiles, len(e.Options))
	}
	for _, r := range cfg.Rules {
		add(r.Name, r.Endpoints, r.When, r.Unless, r.Then, r.Reason, r.Mode, r.Judge, r.Approval.plain())
		add(r.Inspect.On, r.Inspect.Response, r.Inspect.Limit, r.Inspect.LongPasses, r.Inspect.Redact, r.Inspect.RedactColumns)
	}
	for _, o := range cfg.Overrides {
		add(o.Rule, o.Endpoints, o.Off, o.Unless, o.Then, o.Reason, o.Mode, o.Judge, o.Approval.plain())
	}
	for _, a := range cfg.Approvers {
		add(a.Name, a.Webhook, len(a.Secrets), a.Secrets, strings.HasSuffix(a.CA, "/ca.pem"), a.Slack, a.Token, a.SigningSecret, a.Timeout)
		add(filepath.Base(a.Notifier.Plugin), a.Notifier.SHA256, a.Notifier.Hosts, a.Notifier.Memory, a.Notifier.Settings)
	}
	for _, j := range cfg.Judges {
		add(j.Name, j.Provider, j.Model, j.Policy, j.BaseURL, j.Secret, j.MaxTokens, j.TokensPerDay, j.InputPrice, j.OutputPrice, filepath.Base(j.Plugin), j.SHA256,
			j.Hosts, j.Memory, j.Settings, j.Timeout, j.OnError, j.CacheFor, j.MaxInput, j.Concurrency, j.CallsPerDay)
	}
	h := cfg.Holds
	add(h.Listen, h.URL, filepath.Base(h.Certificate), filepath.Base(h.Key), h.PerPeer, h.Total, h.GrantFor, h.Late)
	r := cfg.Receipts
	add(r.Durability, r.Text, filepath.Base(r.AnchorFile), r.AnchorURL, r.AnchorSecret, r.RotateSize, r.RotateAge, r.KeepSize, r.KeepAge)
	return list
}

func (a *Approval) plain() string {
	return fmt.Sprint(a.Approvers, a.Approvals, a.NotRequester, a.Timeout)
}

// TestDefaultsAreDocumented: writing a documented default is the same as leaving the key out.
func TestDefaultsAreDocumented(t *testing.T) {
	before := plain(parse(t, with("", "", "")))
	tried := 0
	for _, k := range Keys() {
		if strings.Trim(k.Default, `"0123456789`) == k.Default {
			continue // in words
		}
		tried++
		before := before
		if k.Table == "endpoint" && aboutTLS(k.Name) {
			before = plain(parse(t, with("endpoint", "tls", `"verify-full"`)))
		}
		if k.Table == "rule" && slices.Contains(ofHold, k.Name) {
			before = plain(parse(t, with("rule", "then", `"hold"`)))
		}
		if k.Table == "judge" || k.Table == "approver" || k.Table == "rule" && slices.Contains(ofInspect, k.Name) {
			before = plain(parse(t, with(k.Table, k.Name, "")))
		}
		if after := plain(parse(t, with(k.Table, k.Name, k.Default))); !reflect.DeepEqual(before, after) {
			t.Errorf("%s.%s: its default is not %s", k.Table, k.Name, k.Default)
		}
	}
	if tried < 11 {
		t.Errorf("only %d defaults were tried", tried)
	}
}

// TestOnlyKeys: what is not in Keys is refused in every table, with the place of the key.
func TestOnlyKeys(t *testing.T) {
	names := map[string]bool{}
	for _, k := range Keys() {
		names[k.Name] = true
	}
	for name := range names {
		for table := range base {
			if table == "plugins" || table == "credential" || knownKey(table, name) { // where the file chooses names
				continue
			}
			_, err := Parse("a.toml", []byte(with(table, name, `"x"`)), known)
			var problems Problems
			if !errors.As(err, &problems) || len(problems) != 1 || !strings.HasPrefix(problems[0].Message, fmt.Sprintf("unknown key %q in ", name)) {
				t.Errorf("%s in %s: %v", name, table, err)
			}
		}
	}
}

func knownKey(table, name string) bool {
	for _, k := range Keys() {
		if k.Table == table && k.Name == name {
			return true
		}
	}
	return false
}
