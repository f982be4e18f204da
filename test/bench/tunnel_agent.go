package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// tunnelAgent is the first argument of this command when it runs inside the tunnel and measures what it gets through. It prints
// one figure, and for what takes a given time also when it began and ended.
const tunnelAgent = "tunnel-agent"

func runTunnelAgent(args []string) int {
	if len(args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: tunnel-agent ADDRESS download|upload|steady|pingpong|idle|busy COUNT CONNECTIONS")
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
		printSpan(count.Load(), begin)
	case "steady":
		var count atomic.Int64
		err = together(connections, func() error { return steady(address, begin.Add(time.Duration(n)*time.Millisecond), &count) })
		printSpan(count.Load(), begin)
	case "idle":
		err = idle(address, connections)
	case "busy":
		err = busy(address, connections)
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

// printSpan prints a rate and the time that it is of (see span).
func printSpan(count int64, begin time.Time) {
	end := time.Now()
	fmt.Printf("%f %d %d\n", float64(count)/end.Sub(begin).Seconds(), begin.UnixNano(), end.UnixNano())
}

// steady downloads until the end, and counts the bytes.
func steady(address string, end time.Time, count *atomic.Int64) error {
	c, err := give(address, orderDownload, 1<<50)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetReadDeadline(end); err != nil {
		return err
	}
	if err := checkPattern(counted{c, count}, 1<<50); !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

// counted counts what is read.
type counted struct {
	io.Reader
	count *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.count.Add(int64(n))
	return n, err
}

// busy downloads until standard input ends. Each line there asks for the rate in a time (see span).
func busy(address string, connections int) error {
	var count atomic.Int64
	var samples samples
	go func() {
		for {
			samples.add(time.Now().UnixNano(), count.Load())
			time.Sleep(20 * time.Millisecond)
		}
	}()
	fmt.Println("busy")
	go func() {
		for {
			var begin, end int64
			if _, err := fmt.Fscanln(os.Stdin, &begin, &end); err != nil {
				os.Exit(0)
			}
			fmt.Printf("%f\n", samples.rate(begin, end))
		}
	}()
	return together(connections, func() error { return steady(address, time.Now().Add(time.Hour), &count) })
}

// samples say how many bytes there were at which times.
type samples struct {
	mu  sync.Mutex
	all [][2]int64 // nanoseconds since 1970, bytes
}

func (s *samples) add(at, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, [2]int64{at, bytes})
}

// rate is that between the samples next to two times, in bytes a second.
func (s *samples) rate(begin, end int64) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := func(t int64) [2]int64 {
		i := sort.Search(len(s.all), func(i int) bool { return s.all[i][0] >= t })
		return s.all[min(i, len(s.all)-1)]
	}
	a, b := at(begin), at(end)
	return float64(b[1]-a[1]) / (float64(max(1, b[0]-a[0])) / 1e9)
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
