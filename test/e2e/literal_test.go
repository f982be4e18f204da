package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// The addresses of the network namespace that TestLiteralAddress makes. A literal address of an endpoint cannot be one of
// 127.0.0.0/8 for an agent, whose own loopback that is.
const (
	configured = "192.0.2.10"
	neighbour  = "192.0.2.11" // has a server as well, and no endpoint
)

// TestLiteralAddress: an endpoint's literal address and port work for an agent; a neighbour that the gateway could reach as well
// does not exist. Gateway and agent run in a network namespace that has such addresses.
func TestLiteralAddress(t *testing.T) {
	w := shared
	gw := w.gateway(t.Context(), t, fmt.Sprintf(`
[plugins]
postgres = "builtin"

[[endpoint]]
name = "db"
address = "%s:5432"
plugin = "postgres"
profiles = ["agents"]

[[rule]]
name = "connect and read"
when = 'action.class in ["session", "read"]'
then = "allow"
`, configured))
	ctx := w.deadline(t, gw)
	cmd := inNamespaces(ctx, t, gw, syscall.CLONE_NEWNET, "network", w.binary, gw.Dir, filepath.Join(w.pg.Dir, ".s.PGSQL."+strconv.Itoa(w.pg.Port)), filepath.Join(w.pgBin, "psql"))
	if got := finish(ctx, t, cmd, ""); got.status != 0 {
		t.Errorf("%s%s", got.out, got.err)
	}
	record := gw.Receipts()
	for _, target := range []string{neighbour + ":5432", configured + ":5433", "127.0.0.1:5432"} {
		if want := target != "127.0.0.1:5432"; refusedOnRecord(record, target) != want { // the agent's own loopback never leaves it
			t.Errorf("a refusal of %s on record: %v, want %v", target, !want, want)
		}
	}
}

// inNamespaces is a role in namespaces of its own, as their root.
func inNamespaces(ctx context.Context, t *testing.T, gw *rig.Gateway, flags uintptr, role string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = append(gw.Command(ctx).Env, roleEnv+"="+role, quickExit)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return cmd
}

// network is a role: it runs as root of a network namespace of its own.
func network(ctx context.Context, args []string) (err error) {
	binary, dir, socket, psql := args[0], args[1], args[2], args[3]
	for _, c := range [][]string{{"link", "set", "lo", "up"}, {"address", "add", configured + "/32", "dev", "lo"}, {"address", "add", neighbour + "/32", "dev", "lo"}} {
		if out, err := exec.CommandContext(ctx, "ip", c...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s", c, err, out)
		}
	}
	for _, address := range []string{configured + ":5432", configured + ":5433", neighbour + ":5432", "127.0.0.1:5432"} {
		p, err := newProxy(address, "unix", socket)
		if err != nil {
			return err
		}
		defer p.close()
	}
	os.Unsetenv(roleEnv)
	gw := rig.Existing(binary, dir)
	if err := gw.Serve(ctx); err != nil {
		return err
	}
	defer func() {
		if end := gw.Stop(); end != nil || err != nil {
			err = errors.Join(err, end, errors.New(gw.Log()))
		}
	}()
	for _, c := range []struct {
		host, port, want string
	}{
		{configured, "5432", "seen"},
		{"db", "5432", "seen"},
		{configured, "5433", "Connection refused"},
		{"db", "5433", "Connection refused"},
		{neighbour, "5432", "Connection refused"},
		{"127.0.0.1", "5432", "Connection refused"},
	} {
		out, _ := gw.Agent(ctx, psql, "-XAtq", "-h", c.host, "-p", c.port, "-U", "postgres", "-d", "postgres", "-c", "select 'seen'").CombinedOutput()
		if got := strings.TrimSpace(string(out)); got != c.want && !(c.want != "seen" && strings.Contains(got, c.want)) {
			err = errors.Join(err, fmt.Errorf("%s:%s: %q, want %q", c.host, c.port, got, c.want))
		}
	}
	return err
}
