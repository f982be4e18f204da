package sshside

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

var someAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 22}

func line(key ssh.PublicKey) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) }

// certify makes a host's certificate.
func certify(t *testing.T, authority ssh.Signer, key ssh.PublicKey, change func(*ssh.Certificate)) ssh.PublicKey {
	t.Helper()
	c := &ssh.Certificate{Key: key, CertType: ssh.HostCert, ValidPrincipals: []string{"db.internal"}, ValidBefore: ssh.CertTimeInfinity}
	if change != nil {
		change(c)
	}
	if err := c.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestHostKeys: who is trusted by what an endpoint says, and who is not.
func TestHostKeys(t *testing.T) {
	ours, _ := newKey(t)
	other, _ := newKey(t)
	authority, _ := newKey(t)
	file := func(lines ...string) string {
		path := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	name := knownhosts.Normalize("db.internal:22")
	plain := file("# a comment", knownhosts.Line([]string{name}, ours.PublicKey()), knownhosts.Line([]string{"elsewhere"}, other.PublicKey()))
	hashed := file(knownhosts.HashHostname(name) + " " + line(ours.PublicKey()))
	signed := file("@cert-authority *.internal " + line(authority.PublicKey()))
	revoked := file("@revoked * "+line(ours.PublicKey()), name+" "+line(ours.PublicKey()))
	good := certify(t, authority, ours.PublicKey(), nil)
	for what, c := range map[string]struct {
		o    HostKeyOptions
		key  ssh.PublicKey
		want string // empty: trusted
	}{
		"known":                           {HostKeyOptions{KnownHosts: plain}, ours.PublicKey(), ""},
		"known, hashed":                   {HostKeyOptions{KnownHosts: hashed}, ours.PublicKey(), ""},
		"changed":                         {HostKeyOptions{KnownHosts: plain}, other.PublicKey(), "is not the one in known_hosts"},
		"changed, hashed":                 {HostKeyOptions{KnownHosts: hashed}, other.PublicKey(), "is not the one in known_hosts"},
		"not known":                       {HostKeyOptions{KnownHosts: file("elsewhere " + line(ours.PublicKey()))}, ours.PublicKey(), "does not know db.internal:22"},
		"revoked":                         {HostKeyOptions{KnownHosts: revoked}, ours.PublicKey(), "is revoked"},
		"revoked, and pinned":             {HostKeyOptions{KnownHosts: revoked, Keys: []string{line(ours.PublicKey())}}, ours.PublicKey(), "is revoked"},
		"known authority":                 {HostKeyOptions{KnownHosts: signed}, good, ""},
		"known authority, no certificate": {HostKeyOptions{KnownHosts: signed}, ours.PublicKey(), "does not know db.internal:22"},
		"pinned":                          {HostKeyOptions{Keys: []string{line(other.PublicKey()), line(ours.PublicKey())}}, ours.PublicKey(), ""},
		"another than pinned":             {HostKeyOptions{Keys: []string{line(ours.PublicKey())}}, other.PublicKey(), "is not one of host_key"},
		"pinned beside known hosts":       {HostKeyOptions{KnownHosts: plain, Keys: []string{line(other.PublicKey())}}, other.PublicKey(), ""},
		"authority":                       {HostKeyOptions{Authorities: []string{line(authority.PublicKey())}}, good, ""},
		"another authority":               {HostKeyOptions{Authorities: []string{line(other.PublicKey())}}, good, "no certificate of host_ca"},
		"authority, no certificate":       {HostKeyOptions{Authorities: []string{line(authority.PublicKey())}}, ours.PublicKey(), "no certificate of host_ca"},
		"authority, another host": {HostKeyOptions{Authorities: []string{line(authority.PublicKey())}},
			certify(t, authority, ours.PublicKey(), func(c *ssh.Certificate) { c.ValidPrincipals = []string{"db.evil"} }), "no certificate of host_ca"},
		"authority, over": {HostKeyOptions{Authorities: []string{line(authority.PublicKey())}},
			certify(t, authority, ours.PublicKey(), func(c *ssh.Certificate) { c.ValidBefore = 1 }), "no certificate of host_ca"},
		"authority, of a user": {HostKeyOptions{Authorities: []string{line(authority.PublicKey())}},
			certify(t, authority, ours.PublicKey(), func(c *ssh.Certificate) { c.CertType = ssh.UserCert }), "no certificate of host_ca"},
		"nothing said":                {HostKeyOptions{}, ours.PublicKey(), "says no host key"},
		"first use is no way around":  {HostKeyOptions{KnownHosts: plain, FirstUse: filepath.Join(t.TempDir(), "k")}, other.PublicKey(), "is not the one in known_hosts"},
		"first use beside a pin":      {HostKeyOptions{Keys: []string{line(ours.PublicKey())}, FirstUse: filepath.Join(t.TempDir(), "k")}, other.PublicKey(), "is not one of host_key"},
		"first use where nobody knew": {HostKeyOptions{KnownHosts: file("elsewhere " + line(ours.PublicKey())), FirstUse: filepath.Join(t.TempDir(), "k")}, other.PublicKey(), ""},
	} {
		c.o.Address = "db.internal:22"
		h, err := NewHostKeys(c.o)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		err = h.Check("whatever:22", someAddr, c.key)
		var e *HostKeyError
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", what, err)
		case c.want != "" && (!errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || e.Fingerprint != ssh.FingerprintSHA256(c.key)):
			t.Errorf("%s: the error is %v", what, err)
		}
	}
}

// TestFirstUse: the first key is kept, also when several come at once, and no other one is taken later.
func TestFirstUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ssh_hosts", "db.pub")
	keys := make([]ssh.PublicKey, 8)
	accepted := make([]bool, len(keys))
	var group sync.WaitGroup
	for i := range keys {
		k, _ := newKey(t)
		keys[i] = k.PublicKey()
		group.Go(func() {
			h, err := NewHostKeys(HostKeyOptions{Address: "db:22", FirstUse: path})
			if err != nil {
				t.Error(err)
				return
			}
			accepted[i] = h.Check("", someAddr, keys[i]) == nil
		})
	}
	group.Wait()
	n := 0
	for i, ok := range accepted {
		if ok {
			n++
			h, err := NewHostKeys(HostKeyOptions{Address: "db:22", FirstUse: path})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Check("", someAddr, keys[i]); err != nil {
				t.Errorf("the same again: %v", err)
			}
			other := keys[(i+1)%len(keys)]
			if err := h.Check("", someAddr, other); err == nil || !strings.Contains(err.Error(), "remove "+path) {
				t.Errorf("another: %v", err)
			}
			if got := h.Algorithms(); !slices.Equal(got, []string{ssh.KeyAlgoED25519}) {
				t.Errorf("algorithms: %q", got)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d of %d first keys were accepted", n, len(keys))
	}
	if err := os.WriteFile(path, []byte("what is this\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := NewHostKeys(HostKeyOptions{Address: "db:22", FirstUse: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Check("", someAddr, keys[0]); err == nil {
		t.Error("a file that cannot be read is no key that was kept, and everybody is trusted")
	}
}

// TestHostKeyAlgorithms: an upstream with several keys is asked for one that is known.
func TestHostKeyAlgorithms(t *testing.T) {
	ed, _ := newKey(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	known := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(known, []byte(knownhosts.Line([]string{"db"}, ec)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		o           HostKeyOptions
		has, hasNot []string
	}{
		"known":     {HostKeyOptions{KnownHosts: known}, []string{ssh.KeyAlgoECDSA256}, []string{ssh.KeyAlgoED25519, ssh.CertAlgoED25519v01}},
		"and pin":   {HostKeyOptions{KnownHosts: known, Keys: []string{line(ed.PublicKey())}}, []string{ssh.KeyAlgoECDSA256, ssh.KeyAlgoED25519}, []string{ssh.KeyAlgoRSASHA256}},
		"authority": {HostKeyOptions{Authorities: []string{line(ed.PublicKey())}}, []string{ssh.CertAlgoED25519v01}, []string{ssh.KeyAlgoED25519}},
	} {
		c.o.Address = "db:22"
		h, err := NewHostKeys(c.o)
		if err != nil {
			t.Fatal(err)
		}
		list := h.Algorithms()
		for _, a := range c.has {
			if !slices.Contains(list, a) {
				t.Errorf("%s: %q lacks %s", what, list, a)
			}
		}
		for _, a := range c.hasNot {
			if slices.Contains(list, a) {
				t.Errorf("%s: %q has %s", what, list, a)
			}
		}
	}
	if _, err := NewHostKeys(HostKeyOptions{Address: "db:22", KnownHosts: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a file that is not there")
	}
	if _, err := NewHostKeys(HostKeyOptions{Address: "db:22", Keys: []string{"ssh-ed25519 AAAA"}}); err == nil {
		t.Error("what is no key")
	}
}

// TestOwnKey: the gateway's own key is made once, is its owner's alone, and stays.
func TestOwnKey(t *testing.T) {
	dir := t.TempDir()
	all := make([]ssh.Signer, 8)
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() {
			var err error
			if all[i], err = OpenHostKey(dir); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	for _, k := range all {
		if !same(k.PublicKey(), all[0].PublicKey()) {
			t.Error("two keys were made")
		}
	}
	path := filepath.Join(dir, hostKeyFile)
	if i, err := os.Stat(path); err != nil || i.Mode() != 0o600 {
		t.Errorf("%v, %v", i, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenHostKey(dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that a group can read: %v", err)
	}
	if err := os.WriteFile(path, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenHostKey(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("what is no key: %v", err)
	}
	want := "[box]:2222,[10.0.0.1]:2222 " + line(all[0].PublicKey())
	if got := KnownHostsLine([]string{"box", "10.0.0.1", "box"}, 2222, all[0].PublicKey()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := KnownHostsLine([]string{"box"}, 22, all[0].PublicKey()); !strings.HasPrefix(got, "box ssh-ed25519 ") {
		t.Error(got)
	}
}
