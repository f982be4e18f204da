//go:build linux

package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// probe is a command inside the tunnel. It prints what it found.
func probe(args []string) int {
	actions := map[string]func([]string) error{
		"dial": probeDial, "attack": probeAttack, "lookup": probeLookup, "fds": probeFDs, "setns": probeSetns,
		"signals": probeSignals, "leave": probeLeave, "orphan": probeOrphan,
	}
	action, found := actions[args[0]]
	if !found {
		fmt.Println("no such probe")
		return 98
	}
	if err := action(args[1:]); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

// probeDial sends a line to network and address, and prints the answer.
func probeDial(args []string) error {
	return resolvePatiently(func() error { return dial(args, patience) })
}

// resolvePatiently repeats what failed only because the resolver had no time to answer.
func resolvePatiently(action func() error) error {
	for end := time.Now().Add(patience); ; {
		err := action()
		var dns *net.DNSError
		if !errors.As(err, &dns) || dns.IsNotFound || time.Now().After(end) {
			return err
		}
	}
}

// probeLeave sends as many bytes as its second argument says to an address, and leaves at once.
func probeLeave(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	conn, err := net.DialTimeout("tcp", args[0], patience)
	if err != nil {
		return err
	}
	_, err = conn.Write(make([]byte, n))
	return errors.Join(err, conn.Close())
}

// probeAttack is probeDial to where nobody should answer. A success would be quick.
func probeAttack(args []string) error { return dial(args, time.Second) }

func dial(args []string, timeout time.Duration) error {
	conn, err := net.DialTimeout(args[0], args[1], timeout)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	fmt.Print(answer)
	return err
}

// probeLookup resolves a name as the system is configured.
func probeLookup(args []string) error {
	return resolvePatiently(func() error {
		addrs, err := net.DefaultResolver.LookupNetIP(context.Background(), args[0], args[1])
		if err == nil {
			fmt.Println(addrs)
		}
		return err
	})
}

// probeFDs prints which descriptors of 3 to 9 are open.
func probeFDs([]string) error {
	for fd := 3; fd < 10; fd++ {
		// What the Go runtime opens for itself is close-on-exec.
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			fmt.Print(fd, " ")
		}
	}
	fmt.Println()
	return nil
}

// probeSetns tries to enter the network namespace at a path, or on a descriptor.
func probeSetns(args []string) error {
	fd, err := strconv.Atoi(args[0])
	if err != nil {
		if fd, err = unix.Open(args[0], unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
	}
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return err
	}
	fmt.Println("entered")
	return nil
}

// probeSignals prints each signal that arrives, and ends when it reads "end" from its input.
func probeSignals([]string) error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1)
	lines := make(chan string)
	go func() {
		input := bufio.NewScanner(os.Stdin)
		for input.Scan() {
			lines <- input.Text()
		}
		close(lines)
	}()
	fmt.Println("ready")
	for {
		select {
		case s := <-signals:
			fmt.Println("signal:", s)
		case line, open := <-lines:
			if !open || strings.TrimSpace(line) == "end" {
				fmt.Println("ended")
				return nil
			}
		}
	}
}

// probeOrphan waits for the signal that the parent's death brings, and then tries the addresses.
func probeOrphan(addresses []string) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, parentDied)
	fmt.Println("ready")
	fmt.Println("signal:", <-signals)
	for _, address := range addresses {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			fmt.Println("reached", address)
		}
	}
	fmt.Println("done")
	return nil
}
