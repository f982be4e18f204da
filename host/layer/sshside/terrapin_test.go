package sshside

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// middle stands between a client and a server of SSH and may do with the packets of the handshake what the Terrapin attack does (CVE-2023-48795, https://terrapin-attack.com): it injects
// a message before the keys are there, which counts in the sequence numbers, and drops one behind them, so that the numbers fit again.
type middle struct {
	listener net.Listener
	to       string
	inject   [2]bool // towards the server, towards the client
	drop     bool    // the packet behind NEWKEYS of that direction
	wg       sync.WaitGroup
	mu       sync.Mutex
	done     int // attacks
}

func startMiddle(t *testing.T, to string, inject [2]bool, drop bool) *middle {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &middle{listener: l, to: to, inject: inject, drop: drop}
	m.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.wg.Go(func() { m.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		m.wg.Wait()
	})
	return m
}

func (m *middle) serve(c net.Conn) {
	defer c.Close()
	u, err := net.Dial("tcp", m.to)
	if err != nil {
		return
	}
	defer u.Close()
	var wg sync.WaitGroup
	for i, d := range [2][2]net.Conn{{c, u}, {u, c}} {
		wg.Go(func() {
			m.pump(d[0], d[1], m.inject[i])
			_ = d[1].(*net.TCPConn).CloseWrite()
		})
	}
	wg.Wait()
}

// pump passes a direction on. Until NEWKEYS packets are plain: u32 length, u8 padding, message.
func (m *middle) pump(from, to net.Conn, attack bool) {
	one := make([]byte, 1)
	for one[0] != '\n' { // the version
		if _, err := io.ReadFull(from, one); err != nil {
			return
		}
		_, _ = to.Write(one)
	}
	for number := byte(0); number != 21; { // NEWKEYS
		head := make([]byte, 4)
		if _, err := io.ReadFull(from, head); err != nil {
			return
		}
		n := binary.BigEndian.Uint32(head)
		if n < 2 || n > 1<<18 {
			return
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		number = body[1]
		if number == 21 && attack {
			m.count()                                                                          // before it shows
			_, _ = to.Write(append([]byte{0, 0, 0, 12, 6, 2, 0, 0, 0, 0}, make([]byte, 6)...)) // IGNORE
		}
		_, _ = to.Write(append(head, body...))
	}
	if attack && m.drop { // the first packet that is encrypted, whose length AES-GCM does not hide: EXT_INFO, or the request for ssh-userauth
		head := make([]byte, 4)
		if _, err := io.ReadFull(from, head); err == nil {
			_, _ = io.CopyN(io.Discard, from, int64(binary.BigEndian.Uint32(head)&0xffff)+16)
		}
	}
	_, _ = io.Copy(to, from)
}

func (m *middle) count() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done++
}

func (m *middle) attacks() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}

// TestTerrapin: whoever stands between an agent and the gateway, or the gateway and a server, and injects a message into the handshake ends the connection, whether it drops another one
// or not; who only passes everything on does not.
func TestTerrapin(t *testing.T) {
	s := startSSHD(t)
	for _, place := range []string{"agent", "upstream"} { // whom it is near
		for name, attack := range map[string]struct {
			inject [2]bool
			drop   bool
		}{
			"nothing": {}, "to the server": {inject: [2]bool{true, false}}, "to the client": {inject: [2]bool{false, true}},
			"to the server, and dropped": {[2]bool{true, false}, true}, "to the client, and dropped": {[2]bool{false, true}, true},
		} {
			t.Run(place+"/"+name, func(t *testing.T) {
				behind := *s
				var m *middle
				if place == "upstream" {
					m = startMiddle(t, s.address, attack.inject, attack.drop)
					behind.address = m.listener.Addr().String()
				}
				b := startBetween(t, &behind, nil)
				if place == "agent" {
					m = startMiddle(t, b.address, attack.inject, attack.drop)
					b.address = m.listener.Addr().String()
				}
				var errs bytes.Buffer
				cmd := b.ssh(deadline(t), t, "ssh", "echo passed")
				cmd.Stderr = &errs
				out, err := cmd.Output()
				passed := err == nil && strings.Contains(string(out), "passed")
				if attacked := attack.inject != [2]bool{}; passed == attacked || attacked != (m.attacks() > 0) {
					t.Errorf("%d attacks: %q, %v, %s", m.attacks(), out, err, errs.String())
				}
			})
		}
	}
}
