package gateway

import (
	"fmt"
	"maps"
	"testing"

	"github.com/sallyport-dev/sallyport/host/trial"
)

// TestPacksSSH: what each pack makes of channels and requests.
func TestPacksSSH(t *testing.T) {
	box := "[plugins]\nssh = \"builtin\"\n\n[[endpoint]]\nname = \"box\"\naddress = \"box.internal:22\"\nplugin = \"ssh\"\nprofiles = [\"dev\"]\n\n"
	w := newWorld(t, box)
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
	action := func(class, kind string, fields map[string]any) *trial.Action {
		all := map[string]any{"kind": kind, "command": "", "operation": "", "command_opaque": false}
		maps.Copy(all, fields)
		return &trial.Action{Endpoint: "box", Peer: "alice", Family: "ssh", Class: class, Title: kind, Fields: all}
	}
	packs := map[string]*Assembly{}
	for _, name := range []string{"baseline", "readonly"} {
		packs[name] = p.of(fmt.Sprintf("packs = [%q]", name), box)
	}
	for _, c := range []struct {
		name               string
		action             *trial.Action
		baseline, readonly string
	}{
		{"ls", action("read", "exec", nil), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"rm", action("execute", "exec", nil), "deny by baseline/no execute", "deny by readonly/no changes"},
		{"scp -t", action("write", "exec", nil), "hold by baseline/write", "deny by readonly/no changes"},
		{"curl | sh", action("opaque", "exec", nil), "deny by baseline/no opaque", "deny by readonly/no changes"},
		{"a terminal", action("session", "pty", nil), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"a variable", action("session", "env", nil), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"sftp", action("session", "subsystem", nil), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"get", action("read", "sftp", nil), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"put", action("write", "sftp", nil), "hold by baseline/write", "deny by readonly/no changes"},
		{"rm by sftp", action("delete", "sftp", nil), "hold by baseline/delete", "deny by readonly/no changes"},
		{"chown by sftp", action("admin", "sftp", nil), "deny by baseline/no admin", "deny by readonly/no changes"},
		{"ssh -L", action("opaque", "forward", nil), "deny by baseline/no opaque", "deny by readonly/no changes"},
	} {
		for pack, want := range map[string]string{"baseline": c.baseline, "readonly": c.readonly} {
			if got := outcome(t, packs[pack], c.action); got != want {
				t.Errorf("%s, %s: %s, want %s", c.name, pack, got, want)
			}
		}
	}
	// With an exception for all that is opaque the rules about channels remain.
	open := p.of("packs = [\"baseline\"]", box+"[[override]]\nrule = \"baseline/no opaque\"\nunless = 'ssh.kind != \"other\"'\nendpoints = [\"box\"]\n"+
		ruleTable("everything", `ssh.kind != "other"`, "allow", "endpoints = [\"box\"]"))
	for kind, want := range map[string]string{
		"exec": "allow by everything", "forward": "allow by everything", "shell": "deny by baseline/interactive shell", "remote-forward": "deny by baseline/listening", "streamlocal": "deny by baseline/listening",
		"agent-forward": "deny by baseline/keys and screens", "x11": "deny by baseline/keys and screens", "tun": "deny by baseline/network tunnels",
	} {
		if got := outcome(t, open, action("opaque", kind, nil)); got != want {
			t.Errorf("%s with an exception: %s, want %s", kind, got, want)
		}
	}
}
