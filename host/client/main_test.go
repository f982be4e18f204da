//go:build linux

package client

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/sallyport-dev/sallyport/host/wgquick"
)

// The tests run in a network namespace of their own, which stands for the host: the test binary starts
// itself again in it. hostAddress is an address of this host on an interface other than the loopback.
const (
	insideVariable = "SALLYPORT_TEST_INSIDE"
	hostAddress    = "192.0.2.1"
	hostAddress6   = "2001:db8::1"
)

func TestMain(m *testing.M) {
	Helper()
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "probe": // a command inside the tunnel
			os.Exit(probe(os.Args[2:]))
		case "run": // sallyport run
			os.Exit(runCLI(os.Args[2:]))
		case "unprivileged":
			os.Exit(becomeNobody(os.Args[2:]))
		case "other-etc":
			os.Exit(replaceEtc(os.Args[2:]))
		}
	}
	if os.Getenv(insideVariable) == "" {
		os.Exit(enterTestHost())
	}
	if err := makeTestHost(); err != nil {
		fmt.Fprintln(os.Stderr, "make the tests' network:", err)
		os.Exit(1)
	}
	// Each process of a test with the race detector would wait a second before it ends.
	os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	goleak.VerifyTestMain(m)
}

// enterTestHost runs the tests in a new network namespace and returns their status.
func enterTestHost() int {
	self := exec.Command("/proc/self/exe", os.Args[1:]...)
	self.Args[0] = os.Args[0]
	self.Env = append(os.Environ(), insideVariable+"=1")
	// Signals that are ignored (nohup, a background job) would be for the commands too. Caught ones are not.
	signal.Notify(make(chan os.Signal, 1), unix.SIGINT, unix.SIGHUP)
	self.Stdin, self.Stdout, self.Stderr = os.Stdin, os.Stdout, os.Stderr
	self.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	if needsUserNamespace() {
		self.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		self.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		self.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	err := self.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		fmt.Fprintln(os.Stderr, "start the tests in a network namespace (they need root, or user namespaces):", err)
		return 1
	}
	return max(self.ProcessState.ExitCode(), 0)
}

// makeTestHost gives the namespace a loopback, and another interface with the host's addresses.
func makeTestHost() error {
	const name = "host"
	fd, err := openTUN(name) // stays open as long as the tests run
	if err != nil {
		return err
	}
	_ = fd
	return configureNetwork(&plan{MTU: 1500, Addresses: []netip.Prefix{
		netip.MustParsePrefix(hostAddress + "/24"), netip.MustParsePrefix(hostAddress6 + "/64"),
	}}, name)
}

const peerVariable = "SALLYPORT_TEST_PEER"

// runCLI is what `sallyport run` does with its arguments. The peer's configuration comes in the environment.
func runCLI(command []string) int {
	peer, err := wgquick.Parse([]byte(os.Getenv(peerVariable)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return ExitFailure
	}
	os.Unsetenv(peerVariable)
	code, err := Run(context.Background(), Options{Peer: peer, Command: command})
	if err != nil {
		fmt.Fprintln(os.Stderr, "sallyport:", err)
	}
	return code
}

// nobody is the user and group of tests without root.
const nobody = 65534

// becomeNobody runs `run` with these arguments as a user without privileges. /dev/net/tun is made as most
// distributions have it, in the mount namespace in which this process was started: args[0] is a node that
// everybody can open, or "-" to leave the device to root.
func becomeNobody(args []string) int {
	steps := []func() error{
		func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") },
		func() error {
			if args[0] == "-" {
				return nil
			}
			return unix.Mount(args[0], tunPath, "", unix.MS_BIND, "")
		},
		func() error { return syscall.Setgroups([]int{nobody}) },
		func() error { return syscall.Setgid(nobody) },
		func() error { return syscall.Setuid(nobody) },
		func() error {
			return syscall.Exec("/proc/self/exe", append([]string{"test", "run"}, args[1:]...), os.Environ())
		},
	}
	for i, step := range steps {
		if err := step(); err != nil {
			fmt.Fprintln(os.Stderr, "become nobody, step", i, err)
			return 99
		}
	}
	return 99
}

// replaceEtc runs `run` with args[0] as /etc, in the mount namespace in which this process was started.
func replaceEtc(args []string) int {
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if err == nil {
		err = unix.Mount(args[0], "/etc", "", unix.MS_BIND, "")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "replace /etc:", err)
		return 99
	}
	return runCLI(args[1:])
}
