// Package rig runs the real command as an operator and an agent would: it writes a configuration, adds a peer, serves, and runs
// programs through the tunnel. Tests, and the benchmark, stand on it.
package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Root is the folder of the module, found from the working directory upwards.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("rig: no go.mod above the working directory")
		}
		dir = parent
	}
}

// Build builds the command into dir and returns its path. The plugins must have been built (make plugins).
func Build(ctx context.Context, dir string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(root, "plugins/built/postgres.wasm")); err != nil {
		return "", fmt.Errorf("rig: the plugins are not built, run make: %w", err)
	}
	binary := filepath.Join(dir, "sallyport")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "./host/sallyport")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("rig: go build: %w\n%s", err, out)
	}
	return binary, nil
}

// FreeUDPPort is a port of loopback that was free a moment ago.
func FreeUDPPort() (int, error) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}

// Gateway is a running `sallyport serve` with one peer, "agent", of profile "agents".
type Gateway struct {
	Binary string
	Dir    string // configuration, state, peer's configuration; the caller's
	Config string // path of the configuration
	Peer   string // path of the peer's configuration

	Env []string // added to the environment of every command; it may be set before Serve

	cmd    *exec.Cmd
	log    *lockedBuffer
	exited chan error
	ended  bool
	err    error
}

// New writes a configuration of the given tables (all but [gateway] and [[peer]]) into dir and adds the peer. It does not serve.
func New(ctx context.Context, binary, dir, tables string) (*Gateway, error) {
	port, err := FreeUDPPort()
	if err != nil {
		return nil, fmt.Errorf("rig: %w", err)
	}
	g := Existing(binary, dir)
	text := fmt.Sprintf("[gateway]\nlisten = \"127.0.0.1:%d\"\naddress = \"127.0.0.1:%d\"\nnetwork = \"10.89.0.0/16\"\nstate = \"state\"\n\n%s\n", port, port, tables)
	if err := os.WriteFile(g.Config, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("rig: %w", err)
	}
	if g.Peer, err = g.AddPeer(ctx, "agent", "agents"); err != nil {
		return nil, err
	}
	return g, nil
}

// AddPeer adds a peer and returns the path of its configuration. A gateway that runs does not know it.
func (g *Gateway) AddPeer(ctx context.Context, name, profile string) (string, error) {
	conf, err := g.Command(ctx, "peer", "add", name, "--profile", profile, "--config", g.Config).Output()
	if err != nil {
		return "", fmt.Errorf("rig: peer add: %w: %s", err, stderrOf(err))
	}
	path := filepath.Join(g.Dir, name+".conf")
	if err := os.WriteFile(path, conf, 0o600); err != nil {
		return "", fmt.Errorf("rig: %w", err)
	}
	return path, nil
}

// Existing is a gateway, not started, that New made in dir.
func Existing(binary, dir string) *Gateway {
	return &Gateway{Binary: binary, Dir: dir, Config: filepath.Join(dir, "sallyport.toml"), Peer: filepath.Join(dir, "agent.conf"), log: &lockedBuffer{}}
}

func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

// Command is the command with arguments.
func (g *Gateway) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.Binary, args...)
	cmd.Dir = g.Dir
	cmd.Env = append(append(os.Environ(), "LC_ALL=C"), g.Env...)
	cmd.WaitDelay = 10 * time.Second // what is left of a killed command may hold its pipes
	return cmd
}

// Serve starts the gateway and returns when it is ready.
func (g *Gateway) Serve(ctx context.Context) error {
	g.cmd = g.Command(context.Background(), "serve", g.Config)
	g.cmd.Stdout, g.cmd.Stderr = g.log, g.log
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := g.cmd.Start(); err != nil {
		return fmt.Errorf("rig: serve: %w", err)
	}
	g.exited, g.ended = make(chan error, 1), false
	go func() { g.exited <- g.cmd.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	for !strings.Contains(g.Log(), "msg=ready") {
		select {
		case err := <-g.exited:
			g.ended, g.err = true, err
			return fmt.Errorf("rig: serve ended (%v):\n%s", err, g.Log())
		case <-ctx.Done():
			return fmt.Errorf("rig: serve does not become ready: %w\n%s", ctx.Err(), g.Log())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// PID is the gateway's process.
func (g *Gateway) PID() int { return g.cmd.Process.Pid }

// Log is what the gateway has logged.
func (g *Gateway) Log() string { return g.log.String() }

// Stop ends the gateway as an operator would and returns how it ended.
func (g *Gateway) Stop() error {
	if g.cmd == nil || g.ended {
		return g.err
	}
	_ = g.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case g.err = <-g.exited:
	case <-time.After(2 * time.Minute):
		_ = g.cmd.Process.Kill()
		<-g.exited
		g.err = errors.New("rig: the gateway did not end after SIGTERM")
	}
	g.ended = true
	return g.err
}

// Agent is a program inside the tunnel.
func (g *Gateway) Agent(ctx context.Context, program ...string) *exec.Cmd {
	cmd := g.Command(ctx, append([]string{"run", "--peer", g.Peer, "--"}, program...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // not to outlive a test that was killed
	return cmd
}

// Receipts are the lines of the record, as stored.
func (g *Gateway) Receipts() string {
	b, _ := os.ReadFile(filepath.Join(g.Dir, "state", "receipts.jsonl"))
	return string(b)
}

// Cache is where the gateway keeps compiled plugins.
func (g *Gateway) Cache() string { return filepath.Join(g.Dir, "state", "cache") }

// CopyCache copies a folder of compiled plugins, so that a gateway, or `sallyport check`, need not compile them again. What the
// source has must be complete: a gateway that filled it is ready.
func CopyCache(to, from string) error {
	err := filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), b, 0o600)
	})
	if err != nil {
		return fmt.Errorf("rig: copy the cache of compiled plugins: %w", err)
	}
	return nil
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Again is the same gateway, not started, after the first has ended: same configuration, state and peer.
func (g *Gateway) Again() (*Gateway, error) {
	if g.cmd != nil && !g.ended {
		return nil, errors.New("rig: the gateway runs")
	}
	return &Gateway{Binary: g.Binary, Dir: g.Dir, Config: g.Config, Peer: g.Peer, Env: g.Env, log: &lockedBuffer{}}, nil
}
