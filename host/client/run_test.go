//go:build linux

package client

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestTrafficGoesThroughTheTunnel(t *testing.T) {
	g := startGateway(t)
	expect(t, g.runProbe(t, "dial", "tcp", "10.89.0.1:7"), 0, "tunnel: hello\n")
	expect(t, g.runProbe(t, "dial", "tcp", "[fd00:89::1]:7"), 0, "tunnel: hello\n")
	expect(t, g.runProbe(t, "dial", "tcp", "echo.test:7"), 0, "tunnel: hello\n")
	expect(t, g.runProbe(t, "lookup", "ip4", "echo.test"), 0, "[10.89.0.1]\n")
	expect(t, g.runProbe(t, "lookup", "ip4", "nothing.test"), 1, "no such host")
}

// TestHostIsOutOfReach tries the host's own addresses, at which the host itself gets an answer.
func TestHostIsOutOfReach(t *testing.T) {
	g := startGateway(t)
	for _, host := range []string{"127.0.0.1", "::1", hostAddress, hostAddress6} {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		serveEcho(t, listener, "host: ")
		address := listener.Addr().String()
		if err := probeDial([]string{"tcp", address}); err != nil {
			t.Errorf("the host cannot reach %s itself: %v", address, err)
		}
		if got := g.runProbe(t, "attack", "tcp", address); got.code != 1 || !strings.Contains(got.out, "error: dial tcp") {
			t.Errorf("%s: status %d, output %q", address, got.code, got.out)
		}
	}
	expect(t, g.runProbe(t, "attack", "tcp", "10.89.0.1:7"), 0, "tunnel: hello\n") // the attack itself works
	abstract, err := net.Listen("unix", "@"+t.Name())
	if err != nil {
		t.Fatal(err)
	}
	serveEcho(t, abstract, "host: ")
	if err := probeDial([]string{"unix", "@" + t.Name()}); err != nil {
		t.Error(err)
	}
	if got := g.runProbe(t, "dial", "unix", "@"+t.Name()); got.code != 1 {
		t.Errorf("abstract socket: status %d, output %q", got.code, got.out)
	}
}

// TestOneFamilyOnly: without an address of a family there is no route for it, not even a slow one.
func TestOneFamilyOnly(t *testing.T) {
	g := startGateway(t)
	g.peer.Interface.Address = g.peer.Interface.Address[:1]
	expect(t, g.runProbe(t, "dial", "tcp", "10.89.0.1:7"), 0, "tunnel: hello\n")
	expect(t, g.runProbe(t, "dial", "tcp", "[fd00:89::1]:7"), 1, "network is unreachable")
}

func TestExitStatus(t *testing.T) {
	g := startGateway(t)
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain, script := write("plain", "exit 0\n", 0o644), write("script", "echo script $1; exit 5\n", 0o755)
	for _, test := range []struct {
		name    string
		command []string
		code    int
		out     string // or the error's text
	}{
		{"success", []string{"sh", "-c", "exit 0"}, 0, ""},
		{"own status", []string{"sh", "-c", "echo out; exit 42"}, 42, "out\n"},
		{"125 is the command's too", []string{"sh", "-c", "exit 125"}, 125, ""},
		{"signal", []string{"sh", "-c", "kill -KILL $$"}, 137, ""},
		{"script without a first line", []string{script, "arg"}, 5, "script arg\n"},
		{"not in PATH", []string{"no-such-command-anywhere"}, ExitNotFound, "not found in PATH"},
		{"no such file", []string{filepath.Join(dir, "absent")}, ExitNotFound, "no such file"},
		{"not executable", []string{plain}, ExitNotExecutable, "permission denied"},
		{"directory", []string{dir}, ExitNotExecutable, "permission denied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := g.run(t, Options{}, test.command...)
			failed := test.code == ExitNotFound || test.code == ExitNotExecutable
			if got.err != nil {
				got.out += got.err.Error()
			}
			if got.code != test.code || (got.err != nil) != failed || !strings.Contains(got.out, test.out) {
				t.Errorf("got %+v, want status %d and %q", got, test.code, test.out)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	g := startGateway(t)
	wrong := *g.peer
	wrong.Peer.Endpoint = "127.0.0.1"
	for _, test := range []struct {
		name string
		o    Options
		want string
	}{
		{"no command", Options{Peer: g.peer}, "a command"},
		{"no peer", Options{Command: []string{"true"}}, "a peer's configuration"},
		{"bad peer", Options{Peer: &wrong, Command: []string{"true"}}, "is not host:port"},
		{"no directory", Options{Peer: g.peer, Command: []string{"true"}, Dir: "/nonexistent/dir"}, "working directory"},
		{"no agent", Options{Peer: g.peer, Command: []string{"true"}, AllowSSHAgent: true,
			Env: []string{"SSH_AUTH_SOCK=/nonexistent/agent"}}, "SSH agent's socket /nonexistent/agent"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, err := Run(t.Context(), test.o)
			if code != ExitFailure || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %d, %v", code, err)
			}
		})
	}
}

// TestSurroundings: working directory, standard input and output, environment and mask are the command's.
func TestSurroundings(t *testing.T) {
	g := startGateway(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	input, err := os.Create(filepath.Join(dir, "input"))
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	if _, err := input.WriteString("from the input\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := input.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "MINE=yes", "DISPLAY=:0", "SSH_AUTH_SOCK=/tmp/x", "TMUX=/tmp/t,1,0",
		"DOCKER_HOST=tcp://127.0.0.1:2375", "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus", "WAYLAND_DISPLAY=wayland-0"}
	before := unix.Umask(0o077)
	defer unix.Umask(before)
	got := g.run(t, Options{Dir: dir, Stdin: input, Env: env}, "sh", "-c", "pwd; cat; umask; env; ls -l /etc/resolv.conf")
	expect(t, got, 0, dir+"\nfrom the input\n0077\n")
	for _, entry := range env[2:] {
		name, _, _ := strings.Cut(entry, "=")
		if strings.Contains(got.out, name+"=") {
			t.Errorf("%s is in the environment", name)
		}
	}
	for _, want := range []string{"MINE=yes\n", "PWD=" + dir + "\n", "-rw-r--r--"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%q is not in the output %q", want, got.out)
		}
	}
}

// TestSocketsAreHidden: neither known directories nor a listening socket anywhere lead out.
func TestSocketsAreHidden(t *testing.T) {
	g := startGateway(t)
	path := filepath.Join(t.TempDir(), "a socket")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	serveEcho(t, listener, "host: ")
	env := append(os.Environ(), "SSH_AUTH_SOCK="+path, "XDG_RUNTIME_DIR=/run/user/12345")
	dial := []string{"/proc/self/exe", "probe", "dial", "unix", path}
	if err := probeDial([]string{"unix", path}); err != nil {
		t.Error(err)
	}
	expect(t, g.run(t, Options{Env: env}, dial...), 1, "connection refused")
	expect(t, g.run(t, Options{Env: env, AllowSSHAgent: true}, dial...), 0, "host: hello\n")
	expect(t, g.run(t, Options{Env: env, AllowSSHAgent: true}, "sh", "-c", `echo "$SSH_AUTH_SOCK"`), 0, path+"\n")

	listing := "ls -A /run; cat /etc/resolv.conf; touch $XDG_RUNTIME_DIR/mine && echo written; " +
		"for d in /tmp/.X11-unix/ /tmp/tmux-*/ /tmp/ssh-*/; do ls -A $d 2>/dev/null; done"
	got := g.run(t, Options{Env: env}, "sh", "-c", listing)
	lines := strings.Split(got.out, "\n")
	at := slices.Index(lines, "# written by sallyport run: the resolver inside the tunnel")
	if at < 0 || strings.Join(lines[at+1:], "\n") != "nameserver 10.89.0.1\nwritten\n" {
		t.Fatalf("output %q", got.out)
	}
	for _, name := range lines[:at] {
		if !slices.Contains(append(keptInRun, "lock", "sallyport", "user", "systemd", "resolvconf", "NetworkManager"), name) {
			t.Errorf("/run/%s is visible", name)
		}
	}
}

// TestRootCannotGoBack: a command that runs as root cannot enter the host's network namespace.
func TestRootCannotGoBack(t *testing.T) {
	g := startGateway(t)
	outside, err := os.Open("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	for name, path := range map[string]string{
		"of this process": fmt.Sprintf("/proc/%d/ns/net", os.Getpid()), "of the first process": "/proc/1/ns/net",
	} {
		if got := g.runProbe(t, "setns", path); got.code != 1 || strings.Contains(got.out, "entered") {
			t.Errorf("%s: status %d, output %q", name, got.code, got.out)
		}
	}
	for mode, want := range map[string]string{"probe": "entered", "run": "operation not permitted"} {
		args := []string{"setns", "3"}
		if mode == "run" {
			args = append([]string{"/proc/self/exe", "probe"}, args...)
		}
		cmd := g.cli(t, mode, args...)
		cmd.ExtraFiles = []*os.File{outside}
		if out, _ := cmd.CombinedOutput(); !strings.Contains(string(out), want) {
			t.Errorf("%s: got %q, want %q", mode, out, want)
		}
	}
}

// TestDescriptors: files and pipes are handed on, sockets and directories are not.
func TestDescriptors(t *testing.T) {
	g := startGateway(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	socket, other := os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(pair[1]), "socket")
	defer socket.Close()
	defer other.Close()
	dir, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	cmd := g.cli(t, "run", "/proc/self/exe", "probe", "fds")
	cmd.ExtraFiles = []*os.File{socket, reader, dir, writer}
	if out, err := cmd.CombinedOutput(); string(out) != "4 6 \n" || err != nil {
		t.Errorf("open are %q, %v; want 4 and 6", out, err)
	}
}

// TestNothingIsLeft: no interface, no process, no descriptor.
func TestNothingIsLeft(t *testing.T) {
	g := startGateway(t)
	count := func() (interfaces, descriptors int) {
		all, err := net.Interfaces()
		if err != nil {
			t.Fatal(err)
		}
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(all), len(open)
	}
	expect(t, g.runProbe(t, "dial", "tcp", "10.89.0.1:7"), 0, "tunnel: hello\n")
	interfaces, descriptors := count()
	for range 3 {
		expect(t, g.run(t, Options{}, "true"), 0, "")
		if got := g.run(t, Options{}, "no-such-command-anywhere"); got.code != ExitNotFound {
			t.Errorf("status %d", got.code)
		}
	}
	// The kernel and WireGuard's goroutines let go of the last ones in their own time.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		i, d := count()
		if i <= interfaces && d <= descriptors {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d interfaces and %d descriptors became %d and %d:\n%s", interfaces, descriptors, i, d, descriptorTargets())
		}
	}
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
		t.Errorf("child %d is left: %v", pid, err)
	}
}

// descriptorTargets lists what this process has open.
func descriptorTargets() string {
	var b strings.Builder
	open, _ := os.ReadDir("/proc/self/fd")
	for _, e := range open {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		b.WriteString(e.Name() + " " + target + "\n")
	}
	return b.String()
}

// TestLinkedResolver: on systems with systemd-resolved, resolv.conf is a link into /run, and host names
// come from services.
func TestLinkedResolver(t *testing.T) {
	g := startGateway(t)
	etc := t.TempDir()
	if err := os.WriteFile(filepath.Join(etc, "nsswitch.conf"), []byte("passwd: files\nhosts: mymachines resolve [!UNAVAIL=return] files dns\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(etc, "resolv.conf")
	run := func() result {
		cmd := g.cli(t, "other-etc", etc, "cat", "/etc/resolv.conf", "/etc/nsswitch.conf")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return result{code: cmd.ProcessState.ExitCode(), out: string(out)}
	}
	if got := run(); got.code != ExitFailure || !strings.Contains(got.out, "create an empty file /etc/resolv.conf") {
		t.Errorf("without resolv.conf: %+v", got)
	}
	if err := os.Symlink("../run/systemd/resolve/stub-resolv.conf", link); err != nil {
		t.Fatal(err)
	}
	expect(t, run(), 0, "nameserver 10.89.0.1\npasswd: files\nhosts: files dns\n")
	if text, err := os.ReadFile(filepath.Join(etc, "nsswitch.conf")); err != nil || !strings.Contains(string(text), "mymachines") {
		t.Errorf("the host's file has changed: %q, %v", text, err)
	}
}

// TestSeparateUser is the package comment's recipe: root makes the tunnel, the command is another user.
func TestSeparateUser(t *testing.T) {
	needRootHere(t)
	g := startGateway(t)
	recipe := func(command ...string) result {
		user := []string{"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs", "--pdeathsig", "TERM",
			"env", "--chdir=/", "HOME=/nonexistent"}
		return g.run(t, Options{}, append(user, command...)...)
	}
	expect(t, recipe("sh", "-c", "id -u; pwd"), 0, "65534\n/\n")
	got := recipe("sh", "-c", "kill -0 $PPID || echo refused; cat /proc/$PPID/environ || echo refused")
	if got.code != 0 || strings.Count(got.out, "refused\n") != 2 {
		t.Errorf("%+v", got)
	}
}
