package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// examplePlugin is the path of a built example plugin, and its table in the configuration: pinned, as an operator would.
func examplePlugin(t *testing.T, name string) (path, table string) {
	t.Helper()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(root, "build", "examples", name+".wasm")
	wasm, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("the example plugins are not built, run make examples: %v", err)
	}
	return path, fmt.Sprintf("[plugins]\n%s = { path = %q, sha256 = \"%x\" }\n", name, path, sha256.Sum256(wasm))
}

// exampleGateway serves one endpoint with an example plugin, with rules.
func exampleGateway(ctx context.Context, t *testing.T, plugin string, port int, rules string) *rig.Gateway {
	t.Helper()
	_, table := examplePlugin(t, plugin)
	gw := shared.gateway(ctx, t, fmt.Sprintf("%s\n[[endpoint]]\nname = \"server\"\naddress = \"127.0.0.1:%d\"\nplugin = %q\nprofiles = [\"agents\"]\n%s", table, port, plugin, rules))
	serve(ctx, t, gw)
	return gw
}

// upstreamServer starts a server on a free port of loopback. Another program may take the port in between: then it is tried again.
func upstreamServer(ctx context.Context, t *testing.T, command func(port string) []string) int {
	t.Helper()
	for range 5 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		args := command(fmt.Sprint(port))
		cmd := exec.Command(args[0], args[1:]...)
		var out bytes.Buffer
		cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &out, &out
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatalf("%v (scripts/deps test installs it)", err)
		}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = cmd.Wait() }()
		if accepts(ctx, port, ended) {
			t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
			return port
		}
		_ = cmd.Process.Kill()
		<-ended
		t.Logf("%s: %s", args[0], out.String())
	}
	t.Fatal("the server does not start")
	return 0
}

// accepts waits until somebody listens on a port, or the server has ended.
func accepts(ctx context.Context, port int, ended <-chan struct{}) bool {
	for {
		k, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			k.Close()
			select {
			case <-ended: // somebody else answered
				return false
			default:
				return true
			}
		}
		select {
		case <-ended:
			return false
		case <-ctx.Done():
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// run runs a program as the agent, or beside the gateway, and returns what it printed.
func run(t *testing.T, cmd *exec.Cmd, stdin string) string {
	t.Helper()
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return string(out)
}

// exchange sends bytes to the endpoint from inside the tunnel and returns everything that comes back until the end.
func exchange(ctx context.Context, t *testing.T, gw *rig.Gateway, port int, text string) string {
	t.Helper()
	script := fmt.Sprintf("exec 3<>/dev/tcp/server/%d; cat >&3; cat <&3", port)
	return run(t, gw.Agent(ctx, "bash", "-c", script), text)
}

// direct is the same without the gateway.
func direct(ctx context.Context, t *testing.T, port int, text string) string {
	t.Helper()
	script := fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d; cat >&3; cat <&3", port)
	return run(t, exec.CommandContext(ctx, "bash", "-c", script), text)
}

func want(t *testing.T, what, got, wanted string) {
	t.Helper()
	if got != wanted {
		t.Errorf("%s: got %q, want %q", what, clip(got), clip(wanted))
	}
}

func clip(s string) string {
	if len(s) > 400 {
		return s[:400] + "…"
	}
	return s
}

const allowConnect = `
[[rule]]
name = "connect"
when = 'action.family == "connect"'
then = "allow"
`
