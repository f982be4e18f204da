//go:build linux

package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// Run runs the command of o inside the tunnel of o, waits until it ends and returns its exit status. The
// error says why the command could not be run; the status is [ExitFailure], [ExitNotExecutable] or
// [ExitNotFound] then. A command that ran has no error, whatever its status.
//
// While it runs, the signals of the package comment are taken from this process. When ctx ends, the
// command is killed; descendants that it leaves behind have no network. Only one Run can be active in a
// process at a time, since signals are the process's.
func Run(ctx context.Context, o Options) (int, error) {
	if o.Peer == nil || len(o.Command) == 0 || o.Command[0] == "" {
		return ExitFailure, errors.New("run in tunnel: a peer's configuration and a command are required")
	}
	if err := o.Peer.Validate(); err != nil {
		return ExitFailure, fmt.Errorf("run in tunnel: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return ExitFailure, fmt.Errorf("run in tunnel: %w", err)
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	endpoint, err := resolveEndpoint(ctx, o.Peer.Peer.Endpoint)
	if err != nil {
		return ExitFailure, err
	}
	plan, err := makePlan(&o)
	if err != nil {
		return ExitFailure, err
	}

	claimed, err := claimPeer(o.Peer)
	if err != nil {
		return ExitFailure, err
	}
	defer claimed.release()
	signals := catchSignals()
	defer signals.release()

	// Pdeathsig is about the thread that forks: it must live as long as the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child, err := startHelper(&o, plan)
	if err != nil {
		return ExitFailure, err
	}

	var tunnel tunnelEnd
	var setupError error
	var owned sync.WaitGroup
	ended := make(chan struct{})
	owned.Go(func() { setupError = child.converse(plan, &tunnel, endpoint, &o) }) // ends with the helper at the latest
	owned.Go(func() { child.passSignals(ctx, signals, ended) })
	status := child.wait()
	close(ended)
	owned.Wait()
	tunnel.close(ctx, o.Linger)

	var failed *helperError
	switch {
	case errors.As(setupError, &failed):
		return failed.report.Code, setupError
	case status.Signaled(): // also before there was a command
		return 128 + int(status.Signal()), nil
	case setupError != nil:
		return ExitFailure, setupError
	}
	return status.ExitStatus(), nil
}

// needsUserNamespace tells whether this process lacks the capabilities to make the namespaces itself.
func needsUserNamespace() bool {
	const needed = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_NET_ADMIN
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return os.Geteuid() != 0
	}
	return data[0].Effective&needed != needed
}
