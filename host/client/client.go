package client

import (
	"log/slog"
	"os"
	"time"

	"github.com/sallyport-dev/sallyport/host/wgquick"
)

// Exit statuses that are not the command's own, as env(1) and nohup(1) use them.
const (
	// ExitFailure: the tunnel could not be set up; the command was not started.
	ExitFailure = 125
	// ExitNotExecutable: the command was found but cannot be executed.
	ExitNotExecutable = 126
	// ExitNotFound: the command was not found.
	ExitNotFound = 127
)

// DefaultMTU is the MTU in bytes of a tunnel whose configuration names none: WireGuard's default, which
// leaves room for its headers within an Ethernet frame also over IPv6.
const DefaultMTU = 1420

// Options says what to run, and through which tunnel.
type Options struct {
	// Peer is the WireGuard configuration. Required.
	Peer *wgquick.Config
	// Command is the program and its arguments. A name without a slash is looked up in the PATH of Env.
	// Required.
	Command []string
	// Env is the environment, from which what leads around the tunnel is removed. nil: this process's.
	Env []string
	// Dir is the working directory. "": this process's.
	Dir string
	// Stdin, Stdout and Stderr are handed to the command as they are. nil: this process's.
	Stdin, Stdout, Stderr *os.File
	// AllowSSHAgent leaves the socket that SSH_AUTH_SOCK names where the command can reach it.
	AllowSSHAgent bool
	// Linger is how long the tunnel stays at most, once the command has ended, for what it sent last and nobody has
	// acknowledged. 0: 3 seconds.
	Linger time.Duration
	// Log receives what WireGuard reports. nil: nothing is logged.
	Log *slog.Logger
}
