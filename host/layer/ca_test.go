package layer

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	// Several at once, as `sallyport ca` beside `serve`: all have the same.
	all := make([]*CA, 8)
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() {
			var err error
			if all[i], err = Open(dir); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	for _, ca := range all {
		if !bytes.Equal(ca.PEM(), all[0].PEM()) || !ca.key.(*ecdsa.PrivateKey).Equal(all[0].key) {
			t.Error("two CAs were made")
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	for name, mode := range map[string]os.FileMode{"ca.key": 0o600, "ca.pem": 0o644} {
		if i, err := os.Stat(filepath.Join(dir, name)); err != nil || i.Mode() != mode {
			t.Errorf("%s: %v, %v", name, i.Mode(), err)
		}
	}
	c := all[0].Certificate()
	if !c.IsCA || time.Until(c.NotAfter) < 9*365*24*time.Hour || c.NotBefore.After(time.Now()) {
		t.Errorf("the CA: %v to %v", c.NotBefore, c.NotAfter)
	}
	clear(all[0].PEM())
	if again, err := Open(dir); err != nil || !again.Certificate().Equal(c) || !bytes.Equal(again.PEM(), all[1].PEM()) {
		t.Errorf("opened again: %v", err)
	}
	if w, err := Inspect(dir, time.Now()); w != "" || err != nil {
		t.Errorf("inspected: %q, %v", w, err)
	}
	if w, err := Inspect(dir, c.NotAfter.Add(-NearExpiry/2)); !strings.Contains(w, "expires on "+c.NotAfter.Format(time.DateOnly)) || err != nil {
		t.Errorf("near its end: %q, %v", w, err)
	}
	if w, err := Inspect(dir, c.NotAfter.Add(time.Hour)); w != "" || err == nil || !strings.Contains(err.Error(), "has expired on") {
		t.Errorf("after its end: %q, %v", w, err)
	}
	empty := t.TempDir()
	if w, err := Inspect(empty, time.Now()); w != "" || err != nil {
		t.Errorf("nothing there: %q, %v", w, err)
	}
	if entries, _ := os.ReadDir(empty); len(entries) != 0 {
		t.Error("looking at it made one")
	}
}

// TestBadFiles: whatever was done to the files, the gateway does not go on with another CA than agents trust.
func TestBadFiles(t *testing.T) {
	other := t.TempDir()
	if _, err := Open(other); err != nil {
		t.Fatal(err)
	}
	take := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(other, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for what, c := range map[string]struct {
		do   func(dir string) error
		want string
	}{
		"a key for everybody":   {func(d string) error { return os.Chmod(filepath.Join(d, "ca.key"), 0o644) }, "chmod 600"},
		"a key for a group":     {func(d string) error { return os.Chmod(filepath.Join(d, "ca.key"), 0o640) }, "chmod 600"},
		"another's key":         {func(d string) error { return os.WriteFile(filepath.Join(d, "ca.key"), take("ca.key"), 0o600) }, "not the certificate of the key"},
		"another's certificate": {func(d string) error { return os.WriteFile(filepath.Join(d, "ca.pem"), take("ca.pem"), 0o600) }, "not the certificate of the key"},
		"half a key":            {func(d string) error { return os.Truncate(filepath.Join(d, "ca.key"), 100) }, "not the key that the gateway made"},
		"an empty certificate":  {func(d string) error { return os.Truncate(filepath.Join(d, "ca.pem"), 0) }, "one certificate in PEM"},
		"no key":                {func(d string) error { return os.Remove(filepath.Join(d, "ca.key")) }, "is there and its key ca.key is not"},
		"a certificate as key":  {func(d string) error { return os.WriteFile(filepath.Join(d, "ca.key"), take("ca.pem"), 0o600) }, "not the key"},
		"a key as certificate":  {func(d string) error { return os.WriteFile(filepath.Join(d, "ca.pem"), take("ca.key"), 0o600) }, "one certificate in PEM"},
		"a link": {func(d string) error {
			path := filepath.Join(d, "ca.key")
			return os.Symlink(path+".moved", path)
		}, "file exists"},
	} {
		dir := t.TempDir()
		if _, err := Open(dir); err != nil {
			t.Fatal(err)
		}
		key, err := os.ReadFile(filepath.Join(dir, "ca.key"))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.do(dir); err != nil && c.want == "file exists" {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		ca, err := Open(dir)
		if err == nil || ca != nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", what, err)
		} else if middle := strings.Split(string(key), "\n")[1]; strings.Contains(err.Error(), middle[:16]) {
			t.Errorf("%s: the error shows the key: %v", what, err)
		}
	}
	// The twin: the certificate can be made again from the key, and agents that trust the old one trust what the new one signs.
	dir := t.TempDir()
	before, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "ca.key"), 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err != nil {
		t.Errorf("a key that even its owner cannot write: %v", err)
	}
	_ = before
}

func TestLeaf(t *testing.T) {
	ca := openCA(t)
	now := time.Now()
	ca.now = func() time.Time { return now }
	leaf := func(names ...string) *tls.Certificate {
		t.Helper()
		c, err := ca.Leaf(names...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := leaf("prod-db", "10.89.128.7", "2001:db8::1", "db.internal.")
	for name, want := range map[string]bool{"prod-db": true, "10.89.128.7": true, "2001:db8::1": true, "db.internal": true, "db": false, "10.89.128.8": false, "internal": false} {
		_, err := first.Leaf.Verify(x509.VerifyOptions{Roots: ca.pool(), DNSName: name, CurrentTime: now})
		if want != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if first.Leaf.IsCA || first.Leaf.NotAfter.Sub(now) > leafLife {
		t.Errorf("the leaf: %+v", first.Leaf)
	}
	same := leaf("prod-db", "10.89.128.7", "2001:db8::1", "db.internal.")
	if same != first || leaf("prod-db") == first {
		t.Error("the cache gives what was not asked for")
	}
	now = now.Add(leafLife - leafRenewal - time.Minute)
	if leaf("prod-db", "10.89.128.7", "2001:db8::1", "db.internal.") != first {
		t.Error("made again too early")
	}
	now = now.Add(2 * time.Minute)
	again := leaf("prod-db", "10.89.128.7", "2001:db8::1", "db.internal.")
	if again == first || !again.Leaf.NotAfter.After(first.Leaf.NotAfter) || now.After(first.Leaf.NotAfter) {
		t.Error("not made again before its end")
	}
	// Near the CA's own end.
	now = ca.certificate.NotAfter.Add(-time.Minute)
	if last := leaf("prod-db"); last.Leaf.NotAfter.After(ca.certificate.NotAfter) {
		t.Errorf("a leaf that outlives its CA: %v", last.Leaf.NotAfter)
	}
	now = ca.certificate.NotAfter.Add(time.Minute)
	if _, err := ca.Leaf("prod-db"); err == nil || !strings.Contains(err.Error(), "CA has expired") {
		t.Errorf("an expired CA: %v", err)
	}
	for _, names := range [][]string{nil, make([]string, mostNames+1)} {
		if _, err := ca.Leaf(names...); err == nil {
			t.Errorf("%d names", len(names))
		}
	}
}

// TestLeafBounds: the cache keeps what is used, and no more than it may; many who want one at once get one.
func TestLeafBounds(t *testing.T) {
	ca := openCA(t)
	first, err := ca.Leaf("kept")
	if err != nil {
		t.Fatal(err)
	}
	oldest, err := ca.Leaf("forgotten")
	if err != nil {
		t.Fatal(err)
	}
	for i := range mostLeaves {
		if _, err := ca.Leaf(fmt.Sprint("e", i)); err != nil {
			t.Fatal(err)
		}
		if c, _ := ca.Leaf("kept"); c != first {
			t.Fatal("one that is in use was forgotten")
		}
	}
	if n := ca.leaves.recent.Len(); n != mostLeaves || len(ca.leaves.byName) != n {
		t.Errorf("%d leaves, %d names", n, len(ca.leaves.byName))
	}
	if c, _ := ca.Leaf("forgotten"); c == oldest {
		t.Error("the oldest is still there")
	}
	got := make([]*tls.Certificate, 64)
	var group sync.WaitGroup
	for i := range got {
		group.Go(func() { got[i], _ = ca.Leaf("wanted by many") })
	}
	group.Wait()
	for _, c := range got {
		if c == nil || c != got[0] {
			t.Fatal("made more than once")
		}
	}
}
