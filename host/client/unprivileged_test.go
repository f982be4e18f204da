//go:build linux

package client

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// asNobody runs a command in the tunnel as a user without privileges, with this node as /dev/net/tun.
func (g *gateway) asNobody(t *testing.T, node string, command ...string) result {
	t.Helper()
	cmd := g.cli(t, "unprivileged", append([]string{node}, command...)...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{code: cmd.ProcessState.ExitCode(), out: string(out)}
}

// needRootHere skips what can only be arranged by the machine's own root.
func needRootHere(t *testing.T) {
	t.Helper()
	if mapped, err := os.ReadFile("/proc/self/uid_map"); err != nil || len(strings.Fields(string(mapped))) != 3 ||
		strings.Fields(string(mapped))[2] == "1" || os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
}

// openTUNNode makes a device node that everybody can open, as /dev/net/tun is on most distributions.
func openTUNNode(t *testing.T) string {
	t.Helper()
	node := filepath.Join(t.TempDir(), "tun")
	if err := unix.Mknod(node, unix.S_IFCHR|0o666, int(unix.Mkdev(10, 200))); err != nil {
		t.Skipf("this machine lets not even root make a device node: %v", err)
	}
	if err := os.Chmod(node, 0o666); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(node, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("device nodes have no effect in the directory for temporary files: %v", err)
	}
	unix.Close(fd)
	return node
}

// TestWithoutRoot is the whole journey in a user namespace, with its attacks.
func TestWithoutRoot(t *testing.T) {
	needRootHere(t)
	g, node := startGateway(t), openTUNNode(t)
	probe := func(args ...string) result {
		return g.asNobody(t, node, append([]string{"/proc/self/exe", "probe"}, args...)...)
	}
	first := probe("dial", "tcp", "10.89.0.1:7")
	if first.code == ExitFailure && strings.Contains(first.out, adviceNamespaces) {
		t.Skipf("this kernel does not let users create user namespaces, and it is said so: %s", first.out)
	}
	expect(t, first, 0, "tunnel: hello\n")
	expect(t, probe("dial", "tcp", "[fd00:89::1]:7"), 0, "tunnel: hello\n")
	expect(t, probe("lookup", "ip4", "echo.test"), 0, "[10.89.0.1]\n")
	expect(t, g.asNobody(t, node, "sh", "-c", "id -u; id -g; grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status | cut -f2 | sort -u; exit 9"),
		9, "65534\n65534\n0000000000000000\n")
	expect(t, g.asNobody(t, node, "no-such-command-anywhere"), ExitNotFound, "not found in PATH")

	listener, err := net.Listen("tcp", hostAddress+":0")
	if err != nil {
		t.Fatal(err)
	}
	serveEcho(t, listener, "host: ")
	path := filepath.Join(t.TempDir(), "socket")
	socket, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	serveEcho(t, socket, "host: ")
	if err := os.Chmod(path, 0o777); err != nil {
		t.Fatal(err)
	}
	expect(t, probe("attack", "tcp", listener.Addr().String()), 1, "error: dial tcp")
	expect(t, probe("attack", "unix", path), 1, "error: dial unix")
	// What hides is locked also for whoever becomes root in yet another user namespace.
	expect(t, g.asNobody(t, node, "sh", "-c", "unshare -Urm sh -c 'umount /run; ls /run/sallyport && echo still hidden'"), 0, "still hidden")
}

// TestWithoutDevice: a user who cannot open /dev/net/tun is told what to do.
func TestWithoutDevice(t *testing.T) {
	needRootHere(t)
	g, closed := startGateway(t), filepath.Join(t.TempDir(), "closed")
	if err := os.WriteFile(closed, nil, 0o600); err != nil { // nobody may open this one, whatever /dev/net/tun allows
		t.Fatal(err)
	}
	got := g.asNobody(t, closed, "true")
	if got.code != ExitFailure || !strings.Contains(got.out, "chmod 0666 /dev/net/tun") && !strings.Contains(got.out, adviceNamespaces) {
		t.Errorf("status %d, output %q", got.code, got.out)
	}
}
