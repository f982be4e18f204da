//go:build linux

package client

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadSockets(t *testing.T) {
	table := `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 24030 /run/docker.sock
0000000000000000: 00000003 00000000 00000000 0001 03 24031 /run/docker.sock
0000000000000000: 00000002 00000000 00010000 0001 01 24032 @/tmp/.X11-unix/X0
0000000000000000: 00000002 00000000 00000000 0002 01 24033 relative/socket
0000000000000000: 00000003 00000000 00000000 0001 03 24034
0000000000000000: 00000002 00000000 00010000 0001 01 24035 /home/a b/with / blanks
`
	got, err := readSockets(strings.NewReader(table))
	want := []string{"/home/a b/with / blanks", "/run/docker.sock"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

func FuzzReadSockets(f *testing.F) {
	f.Add("0: 2 0 0 1 1 2 /run/x\n@/y /\n /")
	f.Fuzz(func(t *testing.T, table string) {
		paths, _ := readSockets(strings.NewReader(table))
		for _, path := range paths {
			if !filepath.IsAbs(path) || strings.Contains(path, "\n") {
				t.Errorf("path %q", path)
			}
		}
	})
}

func TestDNSOnly(t *testing.T) {
	for text, want := range map[string]string{
		"hosts: files dns\n": "hosts: files dns\n",
		"passwd: files systemd\nhosts:  files mdns4_minimal [NOTFOUND=return] dns # c\nnetworks: files\n": "passwd: files systemd\nhosts: files dns\nnetworks: files\n",
		"hosts:\tresolve [!UNAVAIL=return] files myhostname dns":                                          "hosts: files dns",
		" hosts : mymachines":                "hosts: files dns",
		"# hosts: mdns\nhosts: files #mdns4": "# hosts: mdns\nhosts: files #mdns4",
		"":                                   "",
	} {
		if got := dnsOnly(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func FuzzDNSOnly(f *testing.F) {
	f.Add("hosts: files mdns [x=y] dns\npasswd: files")
	f.Fuzz(func(t *testing.T, text string) {
		once := dnsOnly(text)
		if dnsOnly(once) != once {
			t.Errorf("%q is not stable", once)
		}
	})
}

func TestResolverText(t *testing.T) {
	got := resolverText([]netip.Addr{netip.MustParseAddr("10.89.0.1"), netip.MustParseAddr("fd00::1")})
	if !strings.HasSuffix(got, "\nnameserver 10.89.0.1\nnameserver fd00::1\n") {
		t.Error(got)
	}
}

func TestFollowLinks(t *testing.T) {
	dir := t.TempDir()
	for link, target := range map[string]string{"a": "b", "b": "/run/absent/resolv.conf", "loop": "loop", "up": "../x"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for link, want := range map[string]string{
		"a": "/run/absent/resolv.conf", "up": filepath.Join(filepath.Dir(dir), "x"), "none": filepath.Join(dir, "none"),
	} {
		if got, err := followLinks(filepath.Join(dir, link)); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", link, got, err, want)
		}
	}
	if _, err := followLinks(filepath.Join(dir, "loop")); err == nil {
		t.Error("a loop has no error")
	}
}

func TestCleanEnv(t *testing.T) {
	env := []string{"A=1", "TMUX=x", "TMUX_PANE=1", "VSCODE_IPC_HOOK_CLI=/x", "DISPLAYED=1", "SSH_AUTH_SOCK=/a", "SSH_CONNECTION=c", "odd"}
	if got := cleanEnv(env, false); !slices.Equal(got, []string{"A=1", "DISPLAYED=1", "SSH_CONNECTION=c", "odd"}) {
		t.Errorf("got %q", got)
	}
	if got := cleanEnv(env, true); !slices.Contains(got, "SSH_AUTH_SOCK=/a") || slices.Contains(got, "TMUX=x") {
		t.Errorf("with the agent: %q", got)
	}
	if got := lookupEnv([]string{"A=1", "A=2", "AB=3"}, "A"); got != "2" {
		t.Errorf("last value: %q", got)
	}
}
