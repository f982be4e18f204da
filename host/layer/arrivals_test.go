package layer

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// lazily reads of c as a gate does.
func lazily(c *Conn) (string, error) {
	var p [64 << 10]byte
	held := false
	n, err := c.ReadLazily(func() []byte {
		held = true
		return p[:]
	}, func() { held = false })
	if n > 0 != held {
		return "", fmt.Errorf("%d bytes, and memory is held: %v", n, held)
	}
	return string(p[:n]), err
}

// once is a transport that has all of its bytes at once, and its end behind them.
type once struct {
	tcp
	pieces [][]byte
}

func (o *once) ReadLazily(take func() []byte, _ func()) (int, error) {
	if len(o.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(take(), o.pieces[0])
	if o.pieces[0] = o.pieces[0][n:]; len(o.pieces[0]) == 0 {
		o.pieces = o.pieces[1:]
	}
	return n, nil
}

// records returns what an agent's TLS writes for texts, a record each, behind a handshake with a gateway whose transport is then a once.
func records(t *testing.T, version uint16, texts ...string) (*Conn, *once, [][]byte) {
	t.Helper()
	ca := openCA(t)
	agent, gateway, err := secured(t, ca, ServerOptions{Names: []string{"prod-db"}}, &tls.Config{ServerName: "prod-db", RootCAs: ca.pool(), MaxVersion: version, DynamicRecordSizingDisabled: true})
	if err != nil {
		t.Fatal(err)
	}
	o := &once{tcp: gateway.arrivals.Transport.(tcp)}
	var all [][]byte
	for _, text := range texts {
		if _, err := io.WriteString(agent, text); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 5)
		if _, err := io.ReadFull(o.tcp, head); err != nil {
			t.Fatal(err)
		}
		rest := make([]byte, int(head[3])<<8|int(head[4]))
		if _, err := io.ReadFull(o.tcp, rest); err != nil {
			t.Fatal(err)
		}
		all = append(all, append(head, rest...))
	}
	gateway.arrivals.Transport, gateway.arrivals.lazy = o, o
	return gateway, o, all
}

// TestArrivals: one read has all the records that have come, however they were cut on the way, and never waits for more once it has something.
func TestArrivals(t *testing.T) {
	texts := []string{"one ", "two ", strings.Repeat("three ", 2000), "four ", "five"}
	whole := strings.Join(texts, "")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for name, read := range map[string]func(*Conn) (string, error){"lazily": lazily, "Read": func(c *Conn) (string, error) {
			p := make([]byte, 64<<10)
			n, err := c.Read(p)
			return string(p[:n]), err
		}} {
			t.Run(fmt.Sprintf("%s %x", name, version), func(t *testing.T) {
				gateway, o, all := records(t, version, texts...)
				o.pieces = [][]byte{bytes.Join(all, nil)}
				if got, err := read(gateway); got != whole || err != nil {
					t.Errorf("%d bytes of %d, %v", len(got), len(whole), err)
				}
				if gateway.arrivals.buffer != nil {
					t.Error("memory is held")
				}
				if got, err := read(gateway); got != "" || err != io.EOF {
					t.Errorf("%q, %v", got, err)
				}
			})
			for _, size := range []int{1, 3, 5, 700} {
				t.Run(fmt.Sprintf("%s %x in pieces of %d", name, version, size), func(t *testing.T) {
					gateway, o, all := records(t, version, texts...)
					for p := bytes.Join(all, nil); len(p) > 0; p = p[min(size, len(p)):] {
						o.pieces = append(o.pieces, p[:min(size, len(p))])
					}
					var got strings.Builder
					for {
						text, err := read(gateway)
						got.WriteString(text)
						if err == io.EOF {
							break
						}
						if err != nil {
							t.Fatal(err)
						}
					}
					if got.String() != whole {
						t.Errorf("%d bytes of %d", got.Len(), len(whole))
					}
				})
			}
		}
	}
}

// TestArrivalsEnd: what came before an end is read before it, and an end within a record is none.
func TestArrivalsEnd(t *testing.T) {
	gateway, o, all := records(t, tls.VersionTLS13, "one ", "two")
	p := bytes.Join(all, nil)
	o.pieces = [][]byte{p[:len(p)-1]}
	if got, err := lazily(gateway); got != "one " || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := lazily(gateway); got != "" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%q, %v", got, err)
	}
	gateway, o, all = records(t, tls.VersionTLS13, "one ", "two")
	all[1][7] ^= 1
	o.pieces = [][]byte{bytes.Join(all, nil)}
	if got, err := lazily(gateway); got != "one " || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := lazily(gateway); got != "" || err == nil || err == io.EOF {
		t.Errorf("behind a record that was changed: %q, %v", got, err)
	}
}

// TestArrivalsDeadline: a read that runs out of time can be tried again, in the middle of a record too, and holds no memory.
func TestArrivalsDeadline(t *testing.T) {
	gateway, o, all := records(t, tls.VersionTLS13, "one ", "two")
	late := &interrupted{once: o}
	gateway.arrivals.Transport, gateway.arrivals.lazy = late, late
	p := bytes.Join(all, nil)
	o.pieces = [][]byte{p[:len(all[0])+3], p[len(all[0])+3:]}
	var got []string
	for len(got) < 8 {
		text, err := lazily(gateway)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			text = "-"
		case err == io.EOF:
			text = "."
		case err != nil:
			t.Fatal(err)
		}
		got = append(got, text)
		if text == "." {
			break
		}
	}
	if s := strings.Join(got, ""); s != "-one -two-." {
		t.Errorf("%q", s)
	}
}

// interrupted is one whose every second read runs out of time.
type interrupted struct {
	*once
	n int
}

func (i *interrupted) ReadLazily(take func() []byte, back func()) (int, error) {
	if i.n++; i.n%2 == 1 {
		take()
		back()
		return 0, os.ErrDeadlineExceeded
	}
	return i.once.ReadLazily(take, back)
}
