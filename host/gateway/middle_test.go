package gateway

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/test/pgserver"
)

// middle is an upstream of an attacker: in between, with a certificate of his own, or in the server's place. It keeps what it gets.
type middle struct {
	net.Listener
	t     *testing.T
	real  string // the server's address
	own   tls.Certificate
	play  func(*middle, net.Conn)
	got   lockedBuffer
	group sync.WaitGroup
}

func newMiddle(t *testing.T, real string, own tls.Certificate, play func(*middle, net.Conn)) *middle {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &middle{Listener: l, t: t, real: real, own: own, play: play}
	m.group.Go(func() {
		for {
			k, err := l.Accept()
			if err != nil {
				return
			}
			m.group.Go(func() {
				defer k.Close()
				_ = k.SetDeadline(time.Now().Add(patience))
				m.play(m, k)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		m.group.Wait()
	})
	return m
}

// answerTLS reads the SSLRequest and answers it.
func (m *middle) answerTLS(k net.Conn, answer string) bool {
	request := make([]byte, 8)
	if _, err := io.ReadFull(k, request); err != nil {
		return false
	}
	_, err := io.WriteString(k, answer)
	return err == nil
}

// inside ends TLS with the attacker's certificate and keeps what comes.
func (m *middle) inside(k net.Conn, answer string) *tls.Conn {
	if !m.answerTLS(k, answer) {
		return nil
	}
	s := tls.Server(k, &tls.Config{Certificates: []tls.Certificate{m.own}})
	if s.Handshake() != nil {
		return nil
	}
	return s
}

// drain keeps what else comes.
func (m *middle) drain(k io.Reader) { _, _ = io.Copy(&m.got, k) }

// between relays to the real server, over TLS on both sides, and changes what the server says first.
func (m *middle) between(k net.Conn, change func([]byte) []byte) {
	s := m.inside(k, "S")
	if s == nil {
		return
	}
	up, err := net.Dial("tcp", m.real)
	if err != nil {
		m.t.Error(err)
		return
	}
	defer up.Close()
	if _, err := up.Write([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}); err != nil {
		return
	}
	if _, err := io.ReadFull(up, make([]byte, 1)); err != nil {
		return
	}
	u := tls.Client(up, &tls.Config{InsecureSkipVerify: true})
	if err := u.Handshake(); err != nil {
		m.t.Error(err)
		return
	}
	m.group.Go(func() {
		_, _ = io.Copy(io.MultiWriter(u, &m.got), s)
		up.Close()
	})
	head := make([]byte, 5)
	if _, err := io.ReadFull(u, head); err != nil {
		return
	}
	body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
	if _, err := io.ReadFull(u, body); err != nil {
		return
	}
	body = change(body)
	binary.BigEndian.PutUint32(head[1:], uint32(len(body)+4))
	if _, err := s.Write(append(head, body...)); err == nil {
		_, _ = io.Copy(s, u)
	}
	k.Close()
}

// asks plays a server that asks for a login of its liking.
func (m *middle) asks(k net.Conn, bodies ...[]byte) {
	s := m.inside(k, "S")
	if s == nil {
		return
	}
	buf := make([]byte, 4096)
	for _, body := range bodies {
		n, err := s.Read(buf)
		if err != nil {
			return
		}
		m.got.Write(buf[:n])
		message := binary.BigEndian.AppendUint32([]byte{'R'}, uint32(len(body)+4))
		if _, err := s.Write(append(message, body...)); err != nil {
			return
		}
	}
	m.drain(s)
}

// TestMiddle: an attacker in the upstream's place or in between gets neither a password nor a login.
func TestMiddle(t *testing.T) {
	db := newDatabase(t)
	issue := func(life time.Duration) tls.Certificate {
		certificate, key, err := db.ca.Issue(life, "db.internal")
		if err != nil {
			t.Fatal(err)
		}
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	rogue, err := pgserver.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, key, err := rogue.Issue(time.Hour, "db.internal")
	if err != nil {
		t.Fatal(err)
	}
	own, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	same := func(b []byte) []byte { return b }
	strip := func(b []byte) []byte { return bytes.Replace(b, []byte("SCRAM-SHA-256-PLUS\x00"), nil, 1) }
	cleartext, hash, ok := []byte{0, 0, 0, 3}, []byte("\x00\x00\x00\x05salt"), []byte{0, 0, 0, 0}
	offer := []byte("\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00")
	weak := []byte("\x00\x00\x00\x0br=AAAA,s=c2FsdA==,i=1")
	full := "tls = \"verify-full\"\nca = \"ca.pem\"\nserver_name = \"db.internal\""
	require := "tls = \"require\""
	cases := []struct {
		name, endpoint, want string
		own                  tls.Certificate
		play                 func(*middle, net.Conn)
	}{
		{"trusted-server", full, "", issue(time.Hour), func(m *middle, k net.Conn) { m.asks(k, cleartext, offer) }}, // the twin, see below
		{"in-between", require, "", own, func(m *middle, k net.Conn) { m.between(k, same) }},
		{"hides-plus", require, "", own, func(m *middle, k net.Conn) { m.between(k, strip) }},
		{"in-between-verified", full, "", own, func(m *middle, k net.Conn) { m.between(k, same) }},
		{"expired", full, "", issue(-time.Hour), func(m *middle, k net.Conn) { m.between(k, same) }},
		{"asks-cleartext", require, "safe only", own, func(m *middle, k net.Conn) { m.asks(k, cleartext) }},
		{"asks-hash", require, "safe only", own, func(m *middle, k net.Conn) { m.asks(k, hash) }},
		{"one-iteration", require, "belongs to another login", own, func(m *middle, k net.Conn) { m.asks(k, offer, weak) }},
		{"no-proof", require, "without proof", own, func(m *middle, k net.Conn) { m.asks(k, offer, ok) }},
		{"refuses-tls", full, "", own, func(m *middle, k net.Conn) { m.answerTLS(k, "N"); m.drain(k) }},
		{"plaintext", full, "", own, func(m *middle, k net.Conn) { m.answerTLS(k, "SR\x00\x00\x00\x08\x00\x00\x00\x03"); m.drain(k) }},
		{"stuffed", require, "", own, func(m *middle, k net.Conn) {
			if s := m.inside(k, "SR\x00\x00\x00\x08\x00\x00\x00\x00"); s != nil {
				m.drain(s)
			}
		}},
	}
	var tables string
	middles := map[string]*middle{}
	for _, c := range cases {
		m := newMiddle(t, db.Address(), c.own, c.play)
		middles[c.name] = m
		tables += loginTable(c.name, m.Addr().String(), c.endpoint) + credentialTable(t, c.name, "scram", canary+"-scram", "")
	}
	w := newWorld(t, "")
	write(t, filepath.Join(w.dir, "ca.pem"), db.ca.PEM)
	w.write("[plugins]\npostgres = \"builtin\"\n\n" + tables + loginRules)
	w.serve()
	alice := w.alice()
	for _, c := range cases {
		m := middles[c.name]
		who, err := try(t, alice, c.name, m.Addr().String(), "sslmode=disable", nil)
		if err == nil || who != "" || c.want != "" && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v", c.name, who, err)
		}
		m.Close()
		m.group.Wait()
		got := m.got.String()
		if c.name == "trusted-server" {
			if !strings.Contains(got, canary+"-scram\x00") {
				t.Errorf("a verified server that asks for the password gets %q", got)
			}
			continue
		}
		if strings.Contains(got, canary) {
			t.Errorf("%s: the password was sent: %q", c.name, got)
		} else if strings.Contains(c.endpoint, "verify-full") && strings.Trim(got, "\x00") != "" && got[0] != 22 { // a handshake may begin
			t.Errorf("%s: the attacker got %q", c.name, got)
		}
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	record, err := os.ReadFile(filepath.Join(w.dir, "state", "receipts.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if text := w.log.String() + string(record); strings.Contains(text, canary) {
		t.Error("a password is in the log or the record")
	}
}
