//go:build linux

package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// process is the helper, which becomes the command.
type process struct {
	pid     int
	control *channel

	mutex sync.Mutex
	gone  bool // reaped: the process id may belong to somebody else
}

// startHelper starts this executable in new namespaces. The calling thread must outlive it.
func startHelper(o *Options, p *plan) (*process, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("run in tunnel: control socket: %w", err)
	}
	control, err := newChannel(pair[0])
	if err != nil {
		unix.Close(pair[1])
		return nil, fmt.Errorf("run in tunnel: %w", err)
	}
	files := append(inherited(o), uintptr(pair[1]))
	argv := append([]string{helperName, strconv.Itoa(len(files) - 1)}, o.Command...)
	pid, _, err := syscall.StartProcess("/proc/self/exe", argv, &syscall.ProcAttr{
		Dir: o.Dir, Env: commandEnv(o), Files: files, Sys: namespaces(p.Unprivileged),
	})
	unix.Close(pair[1])
	if err != nil {
		control.Close()
		return nil, explainStart(err, o, p)
	}
	return &process{pid: pid, control: control}, nil
}

// namespaces says how the helper starts: with just the capabilities that it needs if it has none of its own.
func namespaces(unprivileged bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET, Pdeathsig: parentDied}
	if unprivileged {
		uid, gid := os.Geteuid(), os.Getegid()
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP}
	}
	return attr
}

// explainStart says what to do when the namespaces cannot be made.
func explainStart(err error, o *Options, p *plan) error {
	if o.Dir != "" {
		if _, statError := os.Stat(o.Dir); statError != nil {
			return fmt.Errorf("run in tunnel: working directory: %w", statError)
		}
	}
	if p.Unprivileged {
		return fmt.Errorf("run in tunnel: create a user namespace: %w: %s", err, adviceNamespaces)
	}
	return fmt.Errorf("run in tunnel: create namespaces: %w", err)
}

const adviceNamespaces = "run as root, or let users create user namespaces: sysctl user.max_user_namespaces above 0, " +
	"and where they exist kernel.unprivileged_userns_clone=1 and kernel.apparmor_restrict_unprivileged_userns=0 " +
	"(or an AppArmor profile for this program that allows userns)"

// inherited lists the descriptors of the command by their number: the standard ones, and of those that
// this process was started with (they are not close-on-exec) files, pipes and terminals.
func inherited(o *Options) []uintptr {
	closed := ^uintptr(0)
	files := []uintptr{0, 1, 2}
	for i, file := range []*os.File{o.Stdin, o.Stdout, o.Stderr} {
		if file != nil {
			files[i] = file.Fd()
		}
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return files
	}
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd < 3 {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue
		}
		for len(files) <= fd {
			files = append(files, closed)
		}
		if staysInside(fd) {
			files[fd] = uintptr(fd)
		}
	}
	return files
}

// staysInside tells whether a descriptor cannot lead out of the namespaces. A socket is one of the host's
// network, and a directory one of the host's mounts.
func staysInside(fd int) bool {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return false
	}
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFREG, unix.S_IFIFO, unix.S_IFCHR:
		return true
	}
	return false
}

// commandEnv is the command's environment; PWD agrees with Dir.
func commandEnv(o *Options) []string {
	env := cleanEnv(o.Env, o.AllowSSHAgent)
	if o.Dir != "" {
		if dir, err := filepath.Abs(o.Dir); err == nil {
			env = append(env, "PWD="+dir)
		}
	}
	return env
}

// converse leads the conversation with the helper and starts WireGuard in between. It returns when the
// command runs, or when it cannot run any more: then the helper gives up, because its socket is closed.
func (c *process) converse(p *plan, tunnel *tunnelEnd, endpoint netip.AddrPort, o *Options) (err error) {
	defer c.control.Close()
	fail := func(doing string, err error) error {
		if errors.Is(err, io.EOF) {
			err = errors.New("the helper process ended early: does the program call client.Helper first in main?")
		}
		return fmt.Errorf("run in tunnel: %s: %w", doing, err)
	}
	if err := c.control.send(p, -1); err != nil {
		return fail("send the plan", err)
	}
	var answer report
	tunFD, err := c.control.receive(&answer)
	switch {
	case err != nil:
		return fail("set up the namespaces", err)
	case answer.Error != "":
		return &helperError{answer}
	case tunFD < 0:
		return fail("set up the namespaces", errors.New("no TUN device came"))
	}
	if err := tunnel.open(tunFD, p.MTU, endpoint, o); err != nil {
		return fail("start WireGuard", err)
	}
	list, err := c.control.receive(&answer)
	switch {
	case err != nil:
		return fail("set up the namespaces", err)
	case answer.Error != "":
		return &helperError{answer}
	case list < 0:
		return fail("set up the namespaces", errors.New("no list of connections came"))
	}
	tunnel.sockets = &socketList{list}
	if err := c.control.send(struct{}{}, -1); err != nil {
		return fail("start the command", err)
	}
	_, err = c.control.receive(&answer)
	switch {
	case errors.Is(err, io.EOF): // the command has taken the helper's place
		return nil
	case err != nil:
		return fail("start the command", err)
	}
	return &helperError{answer}
}

// wait returns when the process has ended. While it is stopped on a terminal, this process is too.
func (c *process) wait() syscall.WaitStatus {
	for {
		// Only look at first: signals may be sent until the process is reaped, under the mutex.
		err := unix.Waitid(unix.P_PID, c.pid, nil, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		c.mutex.Lock()
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(c.pid, &status, syscall.WUNTRACED|syscall.WNOHANG, nil)
		ended := pid == c.pid && !status.Stopped()
		if err != nil && !errors.Is(err, unix.EINTR) { // somebody else has reaped it
			status, ended = ExitFailure<<8, true
		}
		c.gone = ended
		c.mutex.Unlock()
		if ended {
			return status
		}
		if pid == c.pid && hasTerminal() {
			// To this very thread: it stops before Tgkill returns.
			_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
		}
	}
}

// kill sends a signal to the process if it exists.
func (c *process) kill(sig syscall.Signal) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !c.gone {
		_ = syscall.Kill(c.pid, sig)
	}
}

// passSignals sends on what this process gets, until ended is closed.
func (c *process) passSignals(ctx context.Context, signals *caught, ended <-chan struct{}) {
	done := ctx.Done()
	for {
		select {
		case <-ended:
			return
		case <-done:
			c.kill(unix.SIGKILL)
			done = nil
		case sig := <-signals.arrived:
			if number, ok := sig.(syscall.Signal); ok && !(fromKeyboard(number) && inForeground()) {
				c.kill(number)
			}
		}
	}
}

// caught are the signals that this process takes for the command.
type caught struct{ arrived chan os.Signal }

// catchSignals takes the signals, but for those that were ignored when this process was started: they stay
// ignored for the command too (nohup).
func catchSignals() *caught {
	c := &caught{make(chan os.Signal, 64)}
	for _, sig := range []os.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGINT, unix.SIGQUIT,
		unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGCONT} {
		if !signal.Ignored(sig) {
			signal.Notify(c.arrived, sig)
		}
	}
	return c
}

func (c *caught) release() { signal.Stop(c.arrived) }

// fromKeyboard tells whether the terminal's driver sends the signal, to all of the foreground group.
func fromKeyboard(sig syscall.Signal) bool {
	switch sig {
	case unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
		return true
	}
	return false
}

// hasTerminal tells whether this process has a controlling terminal.
func hasTerminal() bool {
	_, err := foregroundGroup()
	return err == nil
}

// inForeground tells whether this process's group is in the foreground of its terminal.
func inForeground() bool {
	group, err := foregroundGroup()
	return err == nil && group == unix.Getpgrp()
}

func foregroundGroup() (int, error) {
	fd, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return unix.IoctlGetInt(fd, unix.TIOCGPGRP)
}
