package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// The tunnel's own measurements speak a small protocol: the agent sends an order (one byte, then a count of 8 bytes), and then
// the order says who sends what. Bulk data is one pattern, so that both ends can compare every byte that arrives.
const (
	orderDownload = 'D' // the upstream sends count bytes of the pattern and ends
	orderUpload   = 'U' // the agent sends count bytes of the pattern; the upstream answers with the count that was right
	orderEcho     = 'E' // what the agent sends comes back, until it ends
	orderLength   = 9
)

// pattern has a prime length, so that what is lost, doubled or swapped shifts it.
var pattern = func() []byte {
	b := make([]byte, 262_139)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}()

// sendPattern writes the first n bytes of the endless pattern.
func sendPattern(w io.Writer, n int64) error {
	for n > 0 {
		k := min(n, int64(len(pattern)))
		if _, err := w.Write(pattern[:k]); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// checkPattern reads n bytes and compares every one.
func checkPattern(r io.Reader, n int64) error {
	buffer := make([]byte, 256<<10)
	for at := int64(0); at < n; {
		k, err := r.Read(buffer[:min(int64(len(buffer)), n-at)])
		for p := buffer[:k]; len(p) > 0; {
			i := int(at % int64(len(pattern)))
			want := pattern[i:min(i+len(p), len(pattern))]
			if !bytes.Equal(p[:len(want)], want) {
				return fmt.Errorf("bytes %d to %d are not those that were sent", at, at+int64(len(want)))
			}
			p, at = p[len(want):], at+int64(len(want))
		}
		if err != nil && at < n {
			return fmt.Errorf("after %d of %d bytes: %w", at, n, err)
		}
	}
	return nil
}

// upstream serves orders until its listener is closed.
func upstream(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_ = serveOrder(c.(*net.TCPConn)) // the agent's end tells what went wrong
		}()
	}
}

func serveOrder(c *net.TCPConn) error {
	var order [orderLength]byte
	if _, err := io.ReadFull(c, order[:]); err != nil {
		return err
	}
	n := int64(binary.BigEndian.Uint64(order[1:]))
	switch order[0] {
	case orderDownload:
		return sendPattern(c, n)
	case orderUpload:
		if err := checkPattern(c, n); err != nil {
			return err
		}
		return binary.Write(c, binary.BigEndian, n)
	case orderEcho:
		return echoAll(c)
	}
	return fmt.Errorf("unknown order %q", order[0])
}

// echoAll keeps no more than what comes at once: idle connections are counted too.
func echoAll(c net.Conn) error {
	buffer := make([]byte, 64)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return err
		}
		if _, err := c.Write(buffer[:n]); err != nil {
			return err
		}
	}
}

// give opens a connection with an order.
func give(address string, kind byte, n int64) (*net.TCPConn, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	order := binary.BigEndian.AppendUint64([]byte{kind}, uint64(n))
	if _, err := c.Write(order); err != nil {
		c.Close()
		return nil, err
	}
	return c.(*net.TCPConn), nil
}
