//go:build linux

package client

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// helperName is the argument 0 by which a process knows that it is the helper. The second argument is the
// number of its control socket, the others are the command.
const helperName = "sallyport-run-helper"

// parentDied is the signal that the command gets when the process with the tunnel dies before it.
const parentDied = unix.SIGTERM

// Helper returns at once, unless this process was started by [Run] as its helper: then it does its work and
// never returns. Call it first of all in main, and in TestMain.
func Helper() {
	if len(os.Args) < 3 || os.Args[0] != helperName {
		return
	}
	fd, err := strconv.Atoi(os.Args[1])
	if err != nil || fd < 3 {
		return
	}
	control, err := newChannel(fd)
	if err != nil {
		return
	}
	// Capabilities and the parent's death signal belong to a thread: this one becomes the command.
	runtime.LockOSThread()
	code, err := becomeCommand(control, os.Args[2:])
	_ = control.send(report{Code: code, Error: err.Error()}, -1)
	os.Exit(code)
}

// becomeCommand sets up the namespaces and executes the command. It returns only if that fails.
func becomeCommand(control *channel, command []string) (code int, err error) {
	var p plan
	if _, err := control.receive(&p); err != nil {
		return ExitFailure, fmt.Errorf("receive the plan: %w", err)
	}
	tunFD, err := enter(&p)
	if err != nil {
		if p.Unprivileged && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)) && !strings.Contains(err.Error(), tunPath) {
			err = fmt.Errorf("%w: %s", err, adviceNamespaces)
		}
		return ExitFailure, err
	}
	if err := control.send(report{}, tunFD); err != nil {
		return ExitFailure, fmt.Errorf("hand over the TUN device: %w", err)
	}
	unix.Close(tunFD)
	list, err := openSocketList()
	if err != nil {
		return ExitFailure, err
	}
	if err := control.send(report{}, list); err != nil {
		return ExitFailure, fmt.Errorf("hand over the list of connections: %w", err)
	}
	unix.Close(list)
	if _, err := control.receive(&struct{}{}); err != nil {
		return ExitFailure, fmt.Errorf("wait for the tunnel: %w", err)
	}
	trustGateway(&p)
	if err := dropPrivileges(p.Unprivileged); err != nil {
		return ExitFailure, err
	}
	return execute(command)
}

// enter makes the namespaces what the plan wants and returns the TUN device's descriptor.
func enter(p *plan) (tunFD int, err error) {
	if tunFD, err = openTUN(tunName); err != nil {
		return -1, err
	}
	if err = configureNetwork(p, tunName); err == nil {
		err = arrangeMounts(p)
	}
	if err != nil {
		unix.Close(tunFD)
		return -1, err
	}
	return tunFD, nil
}

// outwards are the capabilities with which root could leave the namespaces or reconfigure them directly.
var outwards = []uintptr{
	unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SYS_PTRACE, unix.CAP_SYS_MODULE, unix.CAP_SYS_RAWIO, unix.CAP_SYS_BOOT,
	unix.CAP_MKNOD, unix.CAP_BPF, unix.CAP_PERFMON, unix.CAP_CHECKPOINT_RESTORE, unix.CAP_DAC_READ_SEARCH,
}

// dropPrivileges sees to it that what this thread executes never has the capabilities outwards; without
// root, none at all. They are taken from the bounding set, so that it works for root too.
func dropPrivileges(unprivileged bool) error {
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clear ambient capabilities: %w", err)
	}
	drop := outwards
	if unprivileged {
		drop = nil
		for c := range uintptr(64) {
			drop = append(drop, c)
		}
	}
	for _, c := range drop {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: this kernel does not have it
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	data[0].Inheritable, data[1].Inheritable = 0, 0
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("drop inheritable capabilities: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(parentDied), 0, 0, 0); err != nil {
		return fmt.Errorf("ask for the parent's death signal: %w", err)
	}
	return nil
}
