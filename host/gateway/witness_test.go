package gateway

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// witness is a guest that keeps all that it is given.
type witness struct {
	gate.Guest
	got *lockedBuffer
}

func (w witness) Open(facts []byte) ([]byte, bool, error) {
	w.got.Write(facts)
	return w.Guest.Open(facts)
}

func (w witness) Data(side abi.Side, p []byte, flags uint32) ([]byte, bool, error) {
	w.got.Write(p)
	return w.Guest.Data(side, p, flags)
}

func (w witness) Event(e []byte) ([]byte, bool, error) {
	w.got.Write(e)
	return w.Guest.Event(e)
}

// TestGuestsSeeNoPassword keeps every byte that guests are given while the gateway logs in at a real server, in each way: neither
// the password nor anything that is made of it is among them.
func TestGuestsSeeNoPassword(t *testing.T) {
	db := newDatabase(t)
	full := "tls = \"verify-full\"\nca = \"ca.pem\"\nserver_name = \"db.internal\""
	users := map[string]string{"scram": full, "hashed": full, "clear": full, "scram-in-clear": `tls = "disable"`, "scram-wrong": full}
	var tables string
	for name, transport := range users {
		user, _, _ := strings.Cut(name, "-")
		password := canary + "-" + user
		if name == "scram-wrong" {
			password = canary + "-wrong"
		}
		tables += loginTable(name, db.Address(), transport) + credentialTable(t, name, user, password, "")
	}
	w := newWorld(t, "")
	write(t, filepath.Join(w.dir, "ca.pem"), db.ca.PEM)
	w.write("[plugins]\npostgres = \"builtin\"\n\n" + tables + loginRules)
	a, err := w.assemble()
	if err != nil {
		t.Fatal(err)
	}
	record, err := receipt.Open(filepath.Join(w.dir, "receipts.jsonl"), receipt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer record.Close()
	h := newHandler(newServing(a, nil), a.log, record)
	for name := range users {
		user, _, _ := strings.Cut(name, "-")
		got := &lockedBuffer{}
		err := throughWitness(t, h, name, got)
		if wrong := name == "scram-wrong"; wrong != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
		text := got.String()
		if !strings.Contains(text, map[string]string{"scram": "SCRAM-SHA-256", "hashed": "R\x00\x00\x00\x0c\x00\x00\x00\x05", "clear": "R\x00\x00\x00\x08\x00\x00\x00\x03"}[user]) {
			t.Errorf("%s: the witness has not seen the login: %q", name, text)
		}
		password := []byte(canary + "-" + user)
		inner := md5.Sum(append(bytes.Clone(password), user...))
		for what, word := range map[string]string{
			"the password": canary, "the password in hex": hex.EncodeToString([]byte(canary)), "the password in base64": base64.StdEncoding.EncodeToString(password)[:12],
			"its hash": hex.EncodeToString(inner[:]), "an MD5 answer": "md5", "a client's proof": ",p=", "a client's last word": "c=b", "one that is bound": "c=cD1",
		} {
			if strings.Contains(text, word) {
				t.Errorf("%s: the guest was given %s: %q", name, what, text)
			}
		}
	}
}

// throughWitness runs one connection to an endpoint, with a guest that keeps what it is given.
func throughWitness(t *testing.T, h *handler, name string, got *lockedBuffer) error {
	t.Helper()
	a := h.current.Load().a
	e := a.endpoints[name]
	var group sync.WaitGroup
	defer group.Wait()
	cfg, err := pgx.ParseConfig("postgres://whoever@gateway/postgres?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	cfg.ConnectTimeout = patience
	cfg.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
	cfg.DialFunc = func(context.Context, string, string) (net.Conn, error) {
		near, far := tcpPair(t)
		g, err := e.guest(context.Background())
		if err != nil {
			return nil, err
		}
		s := &session{handler: h, a: a, endpoint: e, peer: "alice", profile: "dev", conn: "1"}
		s.layers = layers{aliases: h.aliases.Connect("alice", name)}
		group.Go(func() {
			defer s.layers.close()
			gate.Serve(context.Background(), gate.Config{Agent: upstreamConn{far}, Guest: witness{g, got}, Manifest: e.manifest, Session: s,
				Limits: a.limits(), Facts: e.facts("alice", "dev", e.logins["dev"])})
		})
		return near, nil
	}
	k, err := pgx.ConnectConfig(wait(t), cfg)
	if err != nil {
		return err
	}
	var one int
	err = k.QueryRow(wait(t), "select 1").Scan(&one)
	k.Close(wait(t))
	return err
}

// tcpPair is two ends of a TCP connection.
func tcpPair(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return a.(*net.TCPConn), b.(*net.TCPConn)
}
