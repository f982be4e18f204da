package sshe2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// client is x/crypto's, connected to the front.
func (w *world) client() *ssh.Client {
	w.t.Helper()
	c, err := ssh.Dial("tcp", "127.0.0.1:"+w.port, &ssh.ClientConfig{User: w.user, HostKeyCallback: ssh.FixedHostKey(w.host.PublicKey()), BannerCallback: ssh.BannerDisplayStderr()})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() })
	return c
}

func begin(t *testing.T, c *ssh.Client) (s *ssh.Session, out, errs *bytes.Buffer) {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, errs = &bytes.Buffer{}, &bytes.Buffer{}
	s.Stdout, s.Stderr = out, errs
	return s, out, errs
}

func TestLibraryGo(t *testing.T) {
	w := start(t, denying("touch ", `subsystem="other"`))
	c := w.client()
	s, out, _ := begin(t, c)
	s.Stdin = strings.NewReader("there and back")
	if err := s.Run("cat"); err != nil || out.String() != "there and back" {
		t.Errorf("%v, %q", err, out)
	}
	// A denied command, with input: the connection lives on, and nothing of either arrives.
	marker := filepath.Join(w.dir, "marker")
	s, out, errs := begin(t, c)
	s.Stdin = strings.NewReader("input")
	var exit *ssh.ExitError
	err := s.Run("touch " + marker)
	if e, ok := err.(*ssh.ExitError); ok {
		exit = e
	}
	if exit == nil || exit.ExitStatus() != 254 || !strings.Contains(errs.String(), "sallyport: not touch") || out.Len() > 0 {
		t.Errorf("%v, %q %q", err, out, errs)
	}
	if _, err := os.Stat(marker); err == nil || w.serverSaw(marker) {
		t.Error("a denied command reached the server")
	}
	s, out, _ = begin(t, c)
	if err := s.Run("echo alive"); err != nil || out.String() != "alive\n" {
		t.Errorf("after a denial: %v, %q", err, out)
	}
	// Two commands on one channel.
	s, _, _ = begin(t, c)
	stdin, _ := s.StdinPipe()
	if err := s.Start("cat"); err != nil {
		t.Fatal(err)
	}
	if ok, err := s.SendRequest("exec", true, ssh.Marshal(struct{ C string }{"touch " + marker})); ok || err != nil {
		t.Errorf("a second command on a channel: %v %v", ok, err)
	}
	if ok, err := s.SendRequest("subsystem", true, ssh.Marshal(struct{ C string }{"sftp"})); ok || err != nil {
		t.Errorf("a subsystem on a channel with a command: %v %v", ok, err)
	}
	_ = stdin.Close()
	if err := s.Wait(); err != nil {
		t.Errorf("the first one: %v", err)
	}
	// Variables that are not listed are refused, listed ones pass.
	s, _, _ = begin(t, c)
	if err := s.Setenv("LD_PRELOAD", "/tmp/x.so"); err == nil {
		t.Error("LD_PRELOAD passed")
	}
	if err := s.Setenv("LC_ALL", "C"); err != nil {
		t.Errorf("LC_ALL: %v", err)
	}
	_ = s.Close()
	s, _, _ = begin(t, c)
	if err := s.RequestSubsystem("other"); err == nil {
		_ = s.Wait()
	}
	if w.serverSaw("subsystem request for other") {
		t.Error("a denied subsystem reached the server")
	}
}

// TestChannelFlood: more channels than may be are refused, and those that are there go on.
func TestChannelFlood(t *testing.T) {
	w := start(t, allow)
	w.options["max_channels"] = int64(5)
	c := w.client()
	var kept []*ssh.Session
	refused := 0
	for range 40 {
		s, err := c.NewSession()
		if err != nil {
			if !strings.Contains(err.Error(), "sallyport") {
				t.Fatal(err)
			}
			refused++
			continue
		}
		kept = append(kept, s)
	}
	if len(kept) != 5 || refused != 35 {
		t.Fatalf("%d channels, %d refused", len(kept), refused)
	}
	for _, s := range kept {
		if out, err := s.Output("echo alive"); err != nil || string(out) != "alive\n" {
			t.Errorf("%v %q", err, out)
		}
	}
}

// TestStdin: the input of a shell is there for rules before anything of it runs.
func TestStdin(t *testing.T) {
	w := start(t, denying(`stdin="touch`))
	w.options["inspect_stdin"] = true
	marker := filepath.Join(w.dir, "marker")
	r := w.ssh("touch "+marker+"\n", "box", "sh")
	if _, err := os.Stat(marker); err == nil || r.status != 254 || !strings.Contains(r.err, "sallyport: not") {
		t.Errorf("%+v, %v", r, err)
	}
	w.ssh("echo ran\n", "box", "sh").want(t, "input that is allowed", 0, "ran", "")
	w.ssh("echo shell\n", "-T", "box").want(t, "a shell without a terminal", 0, "shell", "")
	big := strings.Repeat("# filler\n", 20<<10) + "echo end\n"
	w.ssh(big, "box", "sh").want(t, "more than is read", 0, "end", "")
	if !w.has(`command="sh"`, `stdin="echo ran\n"`) {
		t.Errorf("%q", w.seen())
	}
}

const paramiko = `
import sys, paramiko
c = paramiko.SSHClient()
c.set_missing_host_key_policy(paramiko.AutoAddPolicy())
c.connect("127.0.0.1", port=int(sys.argv[1]), username=sys.argv[2], password="whatever", look_for_keys=False, allow_agent=False)
i, o, e = c.exec_command("cat")
i.write("from paramiko"); i.channel.shutdown_write()
assert o.read() == b"from paramiko", "cat"
assert o.channel.recv_exit_status() == 0
i, o, e = c.exec_command("touch " + sys.argv[3] + "/marker")
assert b"sallyport: not touch" in e.read(), "denied"
assert o.channel.recv_exit_status() == 254
s = c.open_sftp()
data = b"0123456789" * 300000
with s.open(sys.argv[3] + "/p", "wb") as f:
    f.set_pipelined(True)
    f.write(data)
with s.open(sys.argv[3] + "/p", "rb") as f:
    f.prefetch()
    assert f.read() == data, "read back"
assert s.stat(sys.argv[3] + "/p").st_size == len(data)
try:
    s.remove(sys.argv[3] + "/p")
    sys.exit("removed")
except PermissionError as e:
    pass
except IOError as e:
    assert "sallyport" in str(e), e
assert "p" in s.listdir(sys.argv[3])
s.rename(sys.argv[3] + "/p", sys.argv[3] + "/q")
c.close()
print("all well")
`

func TestLibraryPython(t *testing.T) {
	w := start(t, denying("touch ", `operation="remove"`))
	write(t, filepath.Join(w.dir, "p.py"), paramiko)
	w.run("", "/usr/bin/python3", "p.py", w.port, w.user, w.dir).want(t, "paramiko", 0, "all well", "")
	if _, err := os.Stat(filepath.Join(w.dir, "marker")); err == nil {
		t.Error("a denied command ran")
	}
}

func TestAnsible(t *testing.T) {
	w := start(t, denying("/denied"))
	write(t, filepath.Join(w.dir, "inventory"), fmt.Sprintf("box ansible_ssh_common_args='-F %s/config' ansible_python_interpreter=/usr/bin/python3\n", w.dir))
	write(t, filepath.Join(w.dir, "source"), "text")
	w.run("", "ansible", "-i", "inventory", "box", "-m", "copy", "-a", "src=source dest="+w.dir+"/copied").want(t, "ansible", 0, "CHANGED", "")
	if b, err := os.ReadFile(filepath.Join(w.dir, "copied")); string(b) != "text" {
		t.Errorf("%q %v", b, err)
	}
	if r := w.run("", "ansible", "-i", "inventory", "box", "-m", "raw", "-a", "cat /denied"); r.status == 0 || !strings.Contains(r.out, "sallyport: not /denied") {
		t.Errorf("denied: %+v", r)
	}
}

// TestDropbear: another server, and its client.
func TestDropbear(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("dropbear reads keys from the home of the user alone, which only root can put something else in place of")
	}
	dir := t.TempDir()
	w := &world{t: t, dir: dir, user: "root", log: filepath.Join(dir, "dropbear.log")}
	login := newKey(t, filepath.Join(dir, "login"))
	if out, err := exec.Command(need(t, "dropbearkey"), "-t", "ed25519", "-f", filepath.Join(dir, "hostkey")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	log, err := os.Create(w.log)
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	script := `mkdir -p "$1/home/.ssh" && cp "$1/login.pub" "$1/home/.ssh/authorized_keys" && chmod -R go= "$1/home" && mount --bind "$1/home" /root && exec "$2" -F -E -m -s -p "127.0.0.1:$3" -P "$1/pid" -r "$1/hostkey"`
	cmd := exec.Command(need(t, "unshare"), "-m", "sh", "-c", script, "sh", dir, need(t, "dropbear"), port)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
	w.before(t, "127.0.0.1:"+port, login, denying("touch "))
	t.Cleanup(func() {
		if b, err := os.ReadFile(w.log); err == nil && t.Failed() {
			t.Logf("dropbear: %s", b)
		}
	})
	w.ssh("input", "box", "cat; exit 3").want(t, "a command at dropbear", 3, "input", "")
	w.ssh("", "box", "touch /nowhere").want(t, "a denied one", 254, "", "sallyport: not touch")
	write(t, filepath.Join(dir, "a"), "text")
	w.run("", "scp", "-O", "-F", dir+"/config", "a", "box:/root/b").want(t, "scp -O to dropbear", 0, "", "")
	if b, err := os.ReadFile(filepath.Join(dir, "home/b")); string(b) != "text" {
		t.Errorf("%q %v", b, err)
	}
	if path, err := exec.LookPath("dbclient"); err == nil {
		w.run("typed", path, "-y", "-y", "-p", w.port, "root@127.0.0.1", "cat").want(t, "dropbear's client", 0, "typed", "")
	}
}
