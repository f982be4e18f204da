package sshe2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDropbearServer: dropbear as the server behind the gateway, whose sessions come and go quickly over one connection: a client without input ends right behind its
// command, and dropbear closes as soon as that is over.
func TestDropbearServer(t *testing.T) {
	w := startWith(t, allow, "")
	bear := w.dropbear(t)
	g := w.through(w.endpoint("bear", bear, ""))
	own := filepath.Join(g.dir, "own")
	write(t, own, "Host bear\n Port "+bear[strings.LastIndex(bear, ":")+1:]+"\nHost *\n BatchMode yes\n IdentityFile none\n")
	client := "ssh -F " + own + " "
	r := g.agent("", client+"-M -S b -o ControlPersist=yes -fnN bear; for i in $(seq 40); do "+client+"-S b bear true </dev/null || echo \"$i: $?\"; o=$("+client+"-S b bear 'echo one; exit 3'); [ \"$o$?\" = one3 ] || echo \"$i: $o $?\"; done; "+
		"echo in | "+client+"-S b bear cat; "+client+"-S b -O exit bear")
	if r.out != "in\n" {
		t.Errorf("%+v", r)
	}
	r = g.agent("", "head -c 300000 /dev/zero >zeros && scp -q -O -F "+own+" zeros bear:"+g.dir+"/there && scp -q -O -F "+own+" bear:"+g.dir+"/there back && cmp zeros back && echo same")
	if r.out != "same\n" {
		t.Errorf("%+v", r)
	}
}

// dropbear is dropbear with the keys of the other server.
func (w *world) dropbear(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("dropbear reads keys from the home of the user alone, which only root can put something else in place of")
	}
	dir := t.TempDir()
	if out, err := exec.Command(need(t, "dropbearconvert"), "openssh", "dropbear", filepath.Join(w.dir, "hostkey"), filepath.Join(dir, "hostkey")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pub, err := os.ReadFile(filepath.Join(w.dir, "login.pub"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "authorized_keys"), string(pub))
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	script := `mkdir -p "$1/home/.ssh" && cp "$1/authorized_keys" "$1/home/.ssh/" && chmod -R go= "$1/home" && mount --bind "$1/home" /root && exec "$2" -F -E -m -s -p "127.0.0.1:$3" -P "$1/pid" -r "$1/hostkey"`
	cmd := exec.Command(need(t, "unshare"), "-m", "sh", "-c", script, "sh", dir, need(t, "dropbear"), port)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
		if b, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("dropbear: %s", b)
		}
	})
	return "127.0.0.1:" + port
}
