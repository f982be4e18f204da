package config

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func newPeer(name string, key byte) Peer {
	return Peer{Name: Text{Value: name}, PublicKey: [32]byte{key, 1}, Profile: Text{Value: "dev"}}
}

func TestAddPeer(t *testing.T) {
	const one = `[[peer]]
name = "a"
public_key = "BwEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
profile = "dev"
address = "10.89.0.2"
`
	for name, c := range map[string]struct{ before, after string }{
		"empty":       {"", one},
		"comments":    {"# mine\n[limits] # keep\n  linger='1s'\n", "# mine\n[limits] # keep\n  linger='1s'\n\n" + one},
		"no line end": {"[limits]", "[limits]\n\n" + one},
		"crlf":        {"[limits]\r\n", "[limits]\r\n\r\n" + strings.ReplaceAll(one, "\n", "\r\n")},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sallyport.toml")
			write(t, path, c.before)
			if err := os.Chmod(path, 0o604); err != nil {
				t.Fatal(err)
			}
			p, err := AddPeer(path, newPeer("a", 7))
			if err != nil {
				t.Fatal(err)
			}
			if p.Address != netip.MustParseAddr("10.89.0.2") || p.Name.Value != "a" || p.PublicKey != [32]byte{7, 1} || p.Pos.IsZero() {
				t.Errorf("the peer is %+v", p)
			}
			if got := contents(t, path); got != c.after {
				t.Errorf("the file is\n%s\nwant\n%s", got, c.after)
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != 0o604 {
				t.Errorf("the mode is %v, %v", info.Mode(), err)
			}
			onlyFile(t, path)
		})
	}
}

// TestAddPeerLink: the file behind a link is replaced, the link stays.
func TestAddPeerLink(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	real, link := filepath.Join(dir, "real", "a.toml"), filepath.Join(dir, "link.toml")
	write(t, real, "")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if _, err := AddPeer(link, newPeer("a", 1)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	if !strings.Contains(contents(t, real), "[[peer]]") {
		t.Error("the file behind the link has no peer")
	}
}

// TestAddPeerRefuses: nothing is written when something is wrong, and the error says what.
func TestAddPeerRefuses(t *testing.T) {
	const taken = "[[peer]]\nname = \"a\"\npublic_key = \"BwEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\nprofile = \"dev\"\naddress = \"10.89.0.2\"\n"
	at := func(p Peer, a string) Peer { p.Address = netip.MustParseAddr(a); return p }
	with := func(p Peer, profile string) Peer { p.Profile.Value = profile; return p }
	for name, c := range map[string]struct {
		before string
		peer   Peer
		want   string
	}{
		"broken file":    {"[limits]\nlinge = 1\n", newPeer("b", 1), `nothing was written, because the file has problems:`},
		"same name":      {taken, newPeer("a", 1), `a peer "a" is there already, on line 2`},
		"same key":       {taken, newPeer("b", 7), `a peer with this public_key is there already, on line 3`},
		"same address":   {taken, at(newPeer("b", 1), "10.89.0.2"), `a peer with the address 10.89.0.2 is there already, on line 5`},
		"gateway":        {taken, at(newPeer("b", 1), "10.89.0.1"), `address 10.89.0.1 is the gateway's own; peers have 10.89.0.2 to 10.89.127.255`},
		"name":           {taken, newPeer("Bad Name", 1), `must begin with a lower-case letter or a digit`},
		"no name":        {taken, newPeer("", 1), `name is empty`},
		"name with TOML": {taken, newPeer("b\"\n[gateway]\nlisten = \":1\"\nx = \"", 1), `must begin with a lower-case letter or a digit`},
		"profile":        {taken, with(newPeer("b", 1), "a b"), `profile "a b" must begin`},
		"no key":         {taken, Peer{Name: Text{Value: "b"}, Profile: Text{Value: "dev"}}, `public_key is 32 zero bytes`},
		"inline list":    {"peer = []\n", newPeer("b", 1), `peer is there already, on line 1, as a list`},
		"full":           {"[gateway]\nnetwork = \"10.0.0.0/28\"\n" + peers(6), newPeer("b", 99), `every address for peers in 10.0.0.0/28 is taken`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sallyport.toml")
			write(t, path, c.before)
			_, err := AddPeer(path, c.peer)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if got := contents(t, path); got != c.before {
				t.Errorf("the file was changed to\n%s", got)
			}
			onlyFile(t, path)
		})
	}
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "missing.toml")} {
		if _, err := AddPeer(path, newPeer("a", 1)); err == nil {
			t.Errorf("a peer was added to %s", path)
		}
	}
}

// peers returns tables of peers that have the first addresses of 10.0.0.0/28.
func peers(n int) string {
	var b []byte
	for i := range n {
		p := newPeer(fmt.Sprintf("p%d", i), byte(i+1))
		p.Address = netip.AddrFrom4([4]byte{10, 0, 0, byte(2 + i)})
		b = appendPeer(b, p)
	}
	return string(b)
}

// TestAddPeerTogether: several at once all arrive, each with its own address.
func TestAddPeerTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sallyport.toml")
	write(t, path, "")
	const n = 8
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := AddPeer(path, newPeer(fmt.Sprintf("p%d", i), byte(i+1))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	cfg, err := Load(path, known)
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Peers) != n {
		t.Errorf("%d peers, want %d", len(cfg.Peers), n)
	}
	onlyFile(t, path)
}

// onlyFile checks that no temporary file is left.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v", entries, err)
	}
}

func contents(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
