package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// tunnelAgent is the first argument of this command when it runs inside the tunnel and measures what it gets through. It prints
// one figure.
const tunnelAgent = "tunnel-agent"

func runTunnelAgent(args []string) int {
	if len(args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: tunnel-agent ADDRESS download|upload|pingpong|idle|busy COUNT CONNECTIONS")
		return 2
	}
	n, err := strconv.ParseInt(args[2], 10, 64)
	if err == nil {
		var connections int
		if connections, err = strconv.Atoi(args[3]); err == nil {
			err = measure(args[0], args[1], n, connections)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tunnel-agent:", err)
		return 1
	}
	return 0
}

func measure(address, what string, n int64, connections int) error {
	// The first connection waits for the tunnel's own handshake.
	c, err := give(address, orderEcho, 0)
	if err != nil {
		return err
	}
	if err := pingOnce(c, make([]byte, 64)); err != nil {
		return err
	}
	defer c.Close()
	begin := time.Now()
	switch what {
	case "download", "upload":
		err = together(connections, func() error { return bulk(address, what, n) })
		fmt.Printf("%f\n", float64(n)*float64(connections)/time.Since(begin).Seconds())
	case "pingpong":
		var count atomic.Int64
		end := begin.Add(time.Duration(n) * time.Millisecond)
		err = together(connections, func() error { return pingPong(address, end, &count) })
		fmt.Printf("%f\n", float64(count.Load())/time.Since(begin).Seconds())
	case "idle":
		err = idle(address, connections)
	case "busy": // downloads until it is ended
		fmt.Println("busy")
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
		err = together(connections, func() error { return bulk(address, "download", 1<<50) })
	default:
		err = fmt.Errorf("nothing is called %q", what)
	}
	return err
}

func together(n int, f func() error) error {
	errs := make(chan error, n)
	for range n {
		go func() { errs <- f() }()
	}
	for range n {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

func bulk(address, what string, n int64) error {
	kind := byte(orderDownload)
	if what == "upload" {
		kind = orderUpload
	}
	c, err := give(address, kind, n)
	if err != nil {
		return err
	}
	defer c.Close()
	if what == "download" {
		return checkPattern(c, n)
	}
	if err := sendPattern(c, n); err != nil {
		return err
	}
	var arrived int64
	if err := binary.Read(c, binary.BigEndian, &arrived); err != nil || arrived != n {
		return fmt.Errorf("%d of %d bytes arrived as they were sent: %w", arrived, n, err)
	}
	return nil
}

func pingPong(address string, end time.Time, count *atomic.Int64) error {
	c, err := give(address, orderEcho, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	message := make([]byte, 64)
	for time.Now().Before(end) {
		if err := pingOnce(c, message); err != nil {
			return err
		}
		count.Add(1)
	}
	return nil
}

func pingOnce(c net.Conn, message []byte) error {
	if _, err := c.Write(message); err != nil {
		return err
	}
	_, err := io.ReadFull(c, message)
	return err
}

// idle opens connections, exchanges one message on each, says so, and keeps them until standard input ends.
func idle(address string, connections int) error {
	conns := make([]net.Conn, connections)
	var next atomic.Int64
	var workers sync.WaitGroup
	errs := make(chan error, 32)
	for range 32 {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(connections); i = next.Add(1) - 1 {
				c, err := give(address, orderEcho, 0)
				if err == nil {
					err = pingOnce(c, make([]byte, 64))
				}
				if err != nil {
					errs <- fmt.Errorf("connection %d: %w", i, err)
					return
				}
				conns[i] = c
			}
		})
	}
	workers.Wait()
	select {
	case err := <-errs:
		return err
	default:
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, c := range conns {
		c.Close()
	}
	return nil
}
