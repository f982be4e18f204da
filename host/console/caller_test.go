//go:build linux

package console

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sallyport-dev/sallyport/host/approve"
)

// callAs calls the console of dir in a process of another user: this test binary again.
func callAs(t *testing.T, dir string, uid uint32) ([]byte, error) {
	t.Helper()
	return callIn(t, dir, "", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}})
}

// callIn calls it in a process with these attributes: a reload, or the vote against hold.
func callIn(t *testing.T, dir, hold string, attr *syscall.SysProcAttr) ([]byte, error) {
	t.Helper()
	self, err := os.Open("/proc/self/exe") // which that user can run wherever it lies
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	cmd := exec.Command("/proc/self/fd/3", "-test.run=^TestCaller$")
	cmd.ExtraFiles = []*os.File{self}
	cmd.Dir = "/"
	cmd.Env = []string{"CONSOLE_TEST_DIR=" + dir, "CONSOLE_TEST_HOLD=" + hold}
	cmd.SysProcAttr = attr
	return cmd.CombinedOutput()
}

// TestCaller is the other process.
func TestCaller(t *testing.T) {
	dir := os.Getenv("CONSOLE_TEST_DIR")
	if dir == "" {
		t.Skip("only run by the tests that call")
	}
	c := client(t, dir)
	id := os.Getenv("CONSOLE_TEST_HOLD")
	if id == "reload --confirm" {
		if _, err := c.Reload(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	} else if id != "" {
		if _, err := c.Decide(t.Context(), id, Decision{Decision: "approve", Digest: digest.String()}); err != nil {
			t.Fatal(err)
		}
	} else if _, err := c.Reload(t.Context(), false); err != nil {
		t.Fatal(err)
	}
}

// TestInsideTheTunnel: a process in another network namespace, with the same user, decides nothing; the same one beside the gateway does.
func TestInsideTheTunnel(t *testing.T) {
	book, ids := newBook(t, 2)
	dir := start(t, &scripted{holds: book})
	inside := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		inside.Cloneflags |= unix.CLONE_NEWUSER
		inside.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		inside.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := callIn(t, dir, ids[0], inside)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) {
		t.Fatal("no network namespace can be made here:", err)
	}
	if err == nil || !strings.Contains(string(out), "another network namespace") {
		t.Errorf("inside: %v: %s", err, out)
	}
	// As root inside of a user namespace, as `unshare -rn` makes it.
	if out, err := exec.Command("unshare", "-rn", "true").CombinedOutput(); err == nil {
		attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
		if out, err := callIn(t, dir, ids[0], attr); err == nil || !strings.Contains(string(out), "another network namespace") {
			t.Errorf("inside, with a user namespace: %v: %s", err, out)
		}
	} else {
		t.Logf("without unshare -rn: %v: %s", err, out)
	}
	if out, err := callIn(t, dir, "reload --confirm", inside); err == nil || !strings.Contains(string(out), "another network namespace") {
		t.Errorf("inside, confirming a reload: %v: %s", err, out)
	}
	if s, err := book.Get(ids[0]); err != nil || s.State != approve.Pending {
		t.Errorf("%v: %+v", err, s)
	}
	if out, err := callIn(t, dir, "reload --confirm", &syscall.SysProcAttr{}); err != nil {
		t.Errorf("outside, confirming a reload: %v: %s", err, out)
	}
	if out, err := callIn(t, dir, ids[1], &syscall.SysProcAttr{}); err != nil {
		t.Errorf("outside: %v: %s", err, out)
	}
	if s, err := book.Get(ids[1]); err != nil || s.State != approve.Approved {
		t.Errorf("%v: %+v", err, s)
	}
}

// TestCallerHasEnded: a process that connected and has ended is not taken for another one, whoever has its socket now.
func TestCallerHasEnded(t *testing.T) {
	dir := t.TempDir()
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan []byte, 1)
	go func() {
		out, _ := callIn(t, dir, "h", &syscall.SysProcAttr{})
		done <- out
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if who, err := checkCaller(c); err != nil || who.outside != nil {
		t.Errorf("while it lives: %v, %v", err, who.outside)
	}
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var process int
	var failed error
	if err := raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			failed = err
			return
		}
		process, failed = openProcess(int(fd), int(cred.Pid))
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	defer unix.Close(process)
	if err := lives(process); err != nil {
		t.Error(err)
	}
	// It has an answer that it does not like, and ends; its socket stays open here.
	if _, err := io.WriteString(c, "HTTP/1.1 500 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-done
	if lives(process) == nil {
		t.Error("the process that has ended lives")
	}
	if who, err := checkCaller(c); err != nil || who.outside == nil {
		t.Errorf("when it has ended: %v, %v", err, who)
	}
	_ = c.Close()
	// One that cannot be seen at all.
	if same, err := sameNetwork(-1, 1); err == nil || same {
		t.Error("no socket, and it is known who calls")
	}
}
