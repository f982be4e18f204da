package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// roleEnv makes this test binary something else than a test: what it names.
const roleEnv = "SALLYPORT_E2E_ROLE"

// quickExit spares a role the second that the race detector otherwise waits at its end.
const quickExit = "GORACE=atexit_sleep_ms=0"

// roles are what the test binary can be besides tests. A role says what went wrong; what it prints is for the test that started it.
func roles() map[string]func(ctx context.Context, args []string) error {
	all := map[string]func(ctx context.Context, args []string) error{"probe": probe, "hang": hang, "network": network, "disk": disk, "crowd": crowd, "cancel": cancelRole, "version": versionRole, "huge": roleHuge}
	for name, work := range pgxRoles {
		all[name] = pgxRole(work)
	}
	for name, talk := range rawRoles {
		all[name] = rawRole(talk)
	}
	return all
}

// play is the main function of a role. Its arguments are those after "--".
func play(role string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	run := roles()[role]
	if run == nil {
		fmt.Fprintf(os.Stderr, "no role %q\n", role)
		return 2
	}
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
		return 1
	}
	return 0
}

// agentRole is a role inside the tunnel of gw.
func agentRole(ctx context.Context, gw *rig.Gateway, role string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := gw.Agent(ctx, append([]string{self}, args...)...)
	cmd.Env = append(cmd.Env, roleEnv+"="+role, quickExit)
	return cmd
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// lines are those of s, without their ends.
func lines(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }
