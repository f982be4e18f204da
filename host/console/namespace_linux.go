package console

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// outside reports why the process at the other end of a socket is not known to be outside of the tunnel: it is, if it is in the
// network namespace of this process. pid is its id as SO_PEERCRED says, which is used where the kernel has nothing better.
func outside(socket, pid int) error {
	same, err := sameNetwork(socket, pid)
	switch {
	case err != nil:
		return fmt.Errorf("this is for the operator, and it cannot be told whether the caller (process %d) is inside of the tunnel: %w; "+
			"call as the user that the gateway runs as (user %d), on the same machine", pid, err, os.Geteuid())
	case !same:
		return fmt.Errorf("this is for the operator: the caller (process %d) is in another network namespace than the gateway, as everything "+
			"is that runs inside `sallyport run`; call from outside of it", pid)
	}
	return nil
}

// sameNetwork compares the namespaces of the caller and of this process.
func sameNetwork(socket, pid int) (bool, error) {
	process, err := openProcess(socket, pid)
	if err != nil {
		return false, err
	}
	defer unix.Close(process)
	// The id as this /proc counts, which need not be the pid namespace that SO_PEERCRED counts in.
	id, err := idOf(process)
	if err != nil {
		return false, err
	}
	theirs, err := networkOf(strconv.Itoa(id))
	if err != nil {
		return false, err
	}
	own, err := networkOf("self")
	if err != nil {
		return false, err
	}
	// While the process lives its id is nobody else's, so what was read was about it.
	if err := lives(process); err != nil {
		return false, err
	}
	return theirs == own, nil
}

// openProcess opens a descriptor of the process that connected.
func openProcess(socket, pid int) (int, error) {
	process, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_PEERPIDFD)
	if errors.Is(err, unix.ENOPROTOOPT) { // before Linux 6.5
		process, err = unix.PidfdOpen(pid, 0)
	}
	if err != nil {
		return -1, fmt.Errorf("open its process: %w", err)
	}
	unix.CloseOnExec(process)
	return process, nil
}

// idOf is the id of the process of a descriptor.
func idOf(process int) (int, error) {
	info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(process))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(info) {
		if text, ok := bytes.CutPrefix(line, []byte("Pid:")); ok {
			id, err := strconv.Atoi(string(bytes.TrimSpace(text)))
			if err != nil || id <= 0 {
				return 0, errors.New("the process has ended, or is not in sight")
			}
			return id, nil
		}
	}
	return 0, errors.New("the kernel does not say its process id")
}

// network names a network namespace.
type network struct{ device, inode uint64 }

func networkOf(process string) (network, error) {
	var s unix.Stat_t
	path := "/proc/" + process + "/ns/net"
	if err := unix.Stat(path, &s); err != nil {
		return network{}, fmt.Errorf("read %s: %w", path, err)
	}
	return network{s.Dev, s.Ino}, nil
}

// lives reports an error when the process has ended.
func lives(process int) error {
	poll := []unix.PollFd{{Fd: int32(process), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(poll, 0)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("ask whether its process lives: %w", err)
		case n > 0:
			return errors.New("the process that connected has ended")
		}
		return nil
	}
}
