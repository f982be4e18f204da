//go:build linux

package client

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// awaitLine reads lines until one is (or, on a terminal, ends in) what is wanted, and returns them all.
func awaitLine(t *testing.T, lines *bufio.Reader, want string) string {
	t.Helper()
	var seen strings.Builder
	for {
		line, err := lines.ReadString('\n')
		seen.WriteString(line)
		if strings.HasSuffix(strings.TrimRight(line, "\r\n"), want) {
			return seen.String()
		}
		if err != nil {
			t.Fatalf("%v while waiting for %q; seen: %q", err, want, seen.String())
		}
	}
}

// startWithPipes starts a process whose output can be read line by line.
func startWithPipes(t *testing.T, cmd *exec.Cmd) (out *bufio.Reader, in *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, input, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close(); input.Close() })
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, writer, writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	stdin.Close()
	_ = reader.SetReadDeadline(time.Now().Add(patience))
	return bufio.NewReader(reader), input
}

// TestSignalsAreSentOn sends signals to `sallyport run` alone; without a terminal also SIGINT is sent on.
func TestSignalsAreSentOn(t *testing.T) {
	g := startGateway(t)
	cmd := g.cli(t, "run", "/proc/self/exe", "probe", "signals")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, in := startWithPipes(t, cmd)
	awaitLine(t, out, "ready")
	if code, err := Run(t.Context(), Options{Peer: g.peer, Command: []string{"true"}}); code != ExitFailure || err == nil ||
		!strings.Contains(err.Error(), "another `sallyport run`") {
		t.Errorf("a second tunnel of the same peer: %d, %v", code, err)
	}
	for _, sig := range []struct {
		number unix.Signal
		name   string
	}{{unix.SIGTERM, "terminated"}, {unix.SIGHUP, "hangup"}, {unix.SIGUSR1, "user defined signal 1"}, {unix.SIGINT, "interrupt"}} {
		if err := cmd.Process.Signal(sig.number); err != nil {
			t.Fatal(err)
		}
		awaitLine(t, out, "signal: "+sig.name)
	}
	if _, err := in.WriteString("end\n"); err != nil {
		t.Fatal(err)
	}
	awaitLine(t, out, "ended")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestSignalStatus: a command that a signal ends, which was sent to `sallyport run`.
func TestSignalStatus(t *testing.T) {
	g := startGateway(t)
	cmd := g.cli(t, "run", "sh", "-c", "echo ready; exec sleep 1000")
	out, _ := startWithPipes(t, cmd)
	awaitLine(t, out, "ready")
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 128+15 {
		t.Errorf("status %v", cmd.ProcessState)
	}
}

// TestContextEnds: the command is killed.
func TestContextEnds(t *testing.T) {
	g := startGateway(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	go func() {
		_, _ = bufio.NewReader(reader).ReadString('\n')
		cancel()
	}()
	code, err := Run(ctx, Options{Peer: g.peer, Command: []string{"sh", "-c", "echo ready; exec sleep 1000"}, Stdout: writer})
	writer.Close()
	if code != 128+9 || err != nil {
		t.Errorf("got %d, %v", code, err)
	}
}

// TestOrphanHasNoNetwork kills `sallyport run`: the command is told, and reaches nothing, inside or outside.
func TestOrphanHasNoNetwork(t *testing.T) {
	g := startGateway(t)
	listener, err := net.Listen("tcp", hostAddress+":0")
	if err != nil {
		t.Fatal(err)
	}
	serveEcho(t, listener, "host: ")
	cmd := g.cli(t, "run", "/proc/self/exe", "probe", "orphan", listener.Addr().String(), "10.89.0.1:7")
	out, _ := startWithPipes(t, cmd)
	awaitLine(t, out, "ready")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if seen := awaitLine(t, out, "done"); seen != "signal: terminated\ndone\n" {
		t.Errorf("got %q", seen)
	}
	_ = cmd.Wait()
}

// TestTerminal types Ctrl-C, always after the command has said that it is ready for it. The first command
// counts: the terminal sends one signal, so it must see one. The second dies. Then the terminal still works.
func TestTerminal(t *testing.T) {
	g := startGateway(t)
	script := `trap : INT; "$0" run "$0" probe signals; echo "first=$?"
		"$0" run sh -c 'echo ready; exec sleep 1000'; echo "second=$?"
		read line; echo "line=$line"`
	template := g.cli(t, "run", "true")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", script, self)
	cmd.Env = template.Env
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	guard := time.AfterFunc(patience, func() { terminal.Close() })
	defer guard.Stop()
	out := bufio.NewReader(terminal)
	press := func(keys string) {
		if _, err := terminal.WriteString(keys); err != nil {
			t.Fatal(err)
		}
	}
	awaitLine(t, out, "ready")
	press("\x03")
	seen := awaitLine(t, out, "signal: interrupt")
	press("end\n")
	seen += awaitLine(t, out, "first=0")
	if n := strings.Count(seen, "signal: interrupt"); n != 1 {
		t.Errorf("one Ctrl-C came %d times: %q", n, seen)
	}
	awaitLine(t, out, "ready")
	press("\x03")
	awaitLine(t, out, "second=130")
	press("hello\n")
	awaitLine(t, out, "line=hello")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
