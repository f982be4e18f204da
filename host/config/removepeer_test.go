package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRemovePeer(t *testing.T) {
	table := func(name, key, address, more string) string {
		return "[[peer]]\nname = \"" + name + "\"\npublic_key = \"" + key + "\"\nprofile = \"x\"\naddress = \"" + address + "\"\n" + more
	}
	const a, b = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=", "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
	head := "# ours\n[gateway]\nstate = \"state\"\n\n# alice's laptop\n"
	alice := table("alice", a, "10.89.0.9", "[peer.env]\nGH_TOKEN = \"placeholder-github\"\n")
	bob := table("bob", b, "10.89.0.10", "")
	tail := "\n# The rules\n[[rule]]\nname = \"r\"\nwhen = \"true\"\nthen = \"deny\"\n"
	for name, c := range map[string]struct{ text, peer, want, problem string }{
		"the first":      {head + alice + "\n# bob\n" + bob + tail, "alice", head + "\n# bob\n" + bob + tail, ""},
		"the last":       {head + alice + "\n# bob\n" + bob + tail, "bob", head + alice + "\n# bob\n" + tail, ""},
		"at the end":     {head + alice + "\n" + bob, "bob", head + alice + "\n", ""},
		"Windows":        {strings.ReplaceAll(head+alice+bob+tail, "\n", "\r\n"), "alice", strings.ReplaceAll(head+bob+tail, "\n", "\r\n"), ""},
		"nobody":         {head + alice + tail, "alcie", "", `did you mean "alice"?`},
		"none":           {head, "alice", "", "there is no peer in it"},
		"a broken file":  {head + alice + "nonsense", "alice", "", "has problems"},
		"another syntax": {"peer = [{ name = \"alice\", public_key = \"" + a + "\", profile = \"x\", address = \"10.89.0.9\" }]\n", "alice", "", "by hand"},
	} {
		path := filepath.Join(t.TempDir(), "sallyport.toml")
		if err := os.WriteFile(path, []byte(c.text), 0o640); err != nil {
			t.Fatal(err)
		}
		err := RemovePeer(path, c.peer)
		after, _ := os.ReadFile(path)
		switch {
		case c.problem == "" && (err != nil || string(after) != c.want):
			t.Errorf("%s: %v\n%s", name, err, after)
		case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem) || string(after) != c.text):
			t.Errorf("%s: %v", name, err)
		}
	}
}
