package layer

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// firstWords are what a client of crypto/tls says first.
func firstWords(t testing.TB, c *tls.Config) []byte {
	t.Helper()
	k := &saying{}
	if err := tls.Client(k, c).HandshakeContext(context.Background()); err == nil {
		t.Fatal("a handshake with nobody")
	}
	return k.said.Bytes()
}

// saying is a connection to nobody.
type saying struct {
	tcp
	said bytes.Buffer
}

func (s *saying) Write(p []byte) (int, error) { return s.said.Write(p) }
func (s *saying) Read([]byte) (int, error)    { return 0, io.EOF }
func (s *saying) Close() error                { return nil }

func TestReadHello(t *testing.T) {
	for _, c := range []struct {
		what string
		c    *tls.Config
		want Hello
	}{
		{"name", &tls.Config{ServerName: "API.example.com"}, Hello{Name: "api.example.com", Versions: []string{"1.3", "1.2"}}},
		{"protocols", &tls.Config{ServerName: "a", NextProtos: []string{"h2", "http/1.1"}}, Hello{Name: "a", Protocols: []string{"h2", "http/1.1"}, Versions: []string{"1.3", "1.2"}}},
		{"no name", &tls.Config{InsecureSkipVerify: true}, Hello{Versions: []string{"1.3", "1.2"}}},
		{"1.2", &tls.Config{ServerName: "a", MaxVersion: tls.VersionTLS12}, Hello{Name: "a", Versions: []string{"1.2"}}},
		{"1.3", &tls.Config{ServerName: "a", MinVersion: tls.VersionTLS13}, Hello{Name: "a", Versions: []string{"1.3"}}},
	} {
		b := firstWords(t, c.c)
		for n := range b {
			if _, complete, err := ReadHello(b[:n]); complete || err != nil {
				t.Fatalf("%s: %d of %d bytes: %v, %v", c.what, n, len(b), complete, err)
			}
		}
		for _, text := range [][]byte{b, append(slices.Clone(b), "what follows"...), inRecords(b, 1), inRecords(b, 100)} {
			h, complete, err := ReadHello(text)
			if err != nil || !complete || fmt.Sprint(h) != fmt.Sprint(c.want) {
				t.Errorf("%s: %+v, %v, %v", c.what, h, complete, err)
			}
		}
	}
	if h, _, err := ReadHello(firstWords(t, &tls.Config{ServerName: "a", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})); err == nil || !strings.Contains(err.Error(), "cannot do TLS 1.2") {
		t.Errorf("TLS 1.1: %+v, %v", h, err)
	}
}

// inRecords cuts the one record of b into several.
func inRecords(b []byte, size int) (out []byte) {
	head, b := b[:3], b[recordHead:]
	for len(b) > 0 {
		n := min(size, len(b))
		out = append(out, head...)
		out = binary.BigEndian.AppendUint16(out, uint16(n))
		out = append(out, b[:n]...)
		b = b[n:]
	}
	return out
}

// hello is one by hand: its extensions are as they are given.
func hello(version uint16, compression string, extensions ...string) []byte {
	b := binary.BigEndian.AppendUint16(nil, version)
	b = append(b, make([]byte, 32)...)
	b = append(b, 0)                // no session
	b = append(b, 0, 2, 0x13, 0x01) // a cipher
	b = append(append(b, byte(len(compression))), compression...)
	all := strings.Join(extensions, "")
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(all))), all...)
	b = append([]byte{clientHello, 0, byte(len(b) >> 8), byte(len(b))}, b...)
	return append(binary.BigEndian.AppendUint16([]byte{22, 3, 1}, uint16(len(b))), b...)
}

func extension(kind int, body string) string {
	b := binary.BigEndian.AppendUint16(nil, uint16(kind))
	return string(binary.BigEndian.AppendUint16(b, uint16(len(body)))) + body
}

func nameList(names ...string) string {
	var list []byte
	for _, n := range names {
		list = append(binary.BigEndian.AppendUint16(append(list, 0), uint16(len(n))), n...)
	}
	return string(binary.BigEndian.AppendUint16(nil, uint16(len(list)))) + string(list)
}

func TestOddHellos(t *testing.T) {
	name := extension(0, nameList("a.example"))
	if h, complete, err := ReadHello(hello(0x0303, "\x00", name)); err != nil || !complete || h.Name != "a.example" {
		t.Fatalf("the twin: %+v, %v", h, err)
	}
	if h, _, err := ReadHello(hello(0x0303, "\x00", name, extension(extensionECH, "\x00\x01"))); err != nil || !h.Hidden {
		t.Errorf("ECH: %+v, %v", h, err)
	}
	good := hello(0x0303, "\x00", name)
	change := func(at int, to byte) []byte {
		b := slices.Clone(good)
		b[at] = to
		return b
	}
	long := hello(0x0303, "\x00", name, extension(21, strings.Repeat("\x00", MaxHello)))
	for what, c := range map[string]struct {
		b    []byte
		want string
	}{
		"plaintext":               {[]byte("GET / HTTP/1.1\r\n"), "a record of type 71"},
		"SSH":                     {[]byte("S"), "a record of type 83"},
		"SSL 2":                   {[]byte{0x80, 0x2e, 1}, "a record of type 128"},
		"an alert":                {[]byte{21, 3, 1, 0, 2, 1, 0}, "a record of type 21"},
		"version 4":               {change(1, 4), "unknown version"},
		"version 3.0":             {change(2, 0), "unknown version"},
		"an empty record":         {[]byte{22, 3, 1, 0, 0}, "a record of 0 bytes"},
		"a large record":          {[]byte{22, 3, 1, 0x40, 1}, "a record of 16385 bytes"},
		"a server's hello":        {change(5, 2), "a handshake message of type 2"},
		"shorter than its record": {change(8, good[8]-1), "something follows it"},
		"two names":               {hello(0x0303, "\x00", extension(0, nameList("a", "b"))), "not one host name"},
		"no name in the list":     {hello(0x0303, "\x00", extension(0, nameList())), "not one host name"},
		"the name twice":          {hello(0x0303, "\x00", name, name), "there twice"},
		"an address":              {hello(0x0303, "\x00", extension(0, nameList("10.0.0.1"))), "is no host name"},
		"a dot at its end":        {hello(0x0303, "\x00", extension(0, nameList("a.example."))), "is no host name"},
		"a zero byte":             {hello(0x0303, "\x00", extension(0, nameList("a.example\x00.evil"))), "is no host name"},
		"no name":                 {hello(0x0303, "\x00", extension(0, nameList(""))), "is no host name"},
		"another kind of name":    {hello(0x0303, "\x00", extension(0, "\x00\x04\x01\x00\x01a")), "not one host name"},
		"half a name":             {hello(0x0303, "\x00", extension(0, "\x00\x09\x00\x00\x09a")), "not one host name"},
		"empty protocols":         {hello(0x0303, "\x00", name, extension(16, "\x00\x00")), "lengths"},
		"an empty protocol":       {hello(0x0303, "\x00", name, extension(16, "\x00\x01\x00")), "lengths"},
		"half an extension":       {hello(0x0303, "\x00", "\x00\x15\x00\x05ab"), "lengths"},
		"compression":             {hello(0x0303, "\x01", name), "compression"},
		"TLS 1.0":                 {hello(0x0301, "\x00", name), "cannot do TLS 1.2"},
		"versions without 1.2":    {hello(0x0303, "\x00", name, extension(43, "\x04\x03\x01\x03\x02")), "cannot do TLS 1.2"},
		"odd versions":            {hello(0x0303, "\x00", name, extension(43, "\x03\x03\x04\x03")), "lengths"},
		"a long one":              {long, "bytes"},
		"one that does not end":   {inRecords(long, 1)[:MaxHello], "bytes"},
	} {
		h, complete, err := ReadHello(c.b)
		if err == nil || complete || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v, %v", what, h, complete, err)
		}
	}
}

// FuzzReadHello: never a panic, the same however it is cut, and what crypto/tls reads as well it reads alike.
func FuzzReadHello(f *testing.F) {
	f.Add(firstWords(f, &tls.Config{ServerName: "api.example.com", NextProtos: []string{"h2"}}))
	f.Add(inRecords(firstWords(f, &tls.Config{ServerName: "a", MaxVersion: tls.VersionTLS12}), 7))
	f.Add(hello(0x0303, "\x00", extension(0, nameList("a")), extension(extensionECH, "")))
	f.Add(hello(0x0301, "\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, complete, err := ReadHello(b)
		if err != nil || !complete || len(b) > 4096 {
			return
		}
		if h.Name != "" && !hostName(h.Name) || len(h.Versions) == 0 {
			t.Fatalf("%+v", h)
		}
		var theirs *tls.ClientHelloInfo
		k := tls.Server(&replaying{r: bytes.NewReader(b)}, &tls.Config{GetConfigForClient: func(i *tls.ClientHelloInfo) (*tls.Config, error) {
			theirs = i
			return nil, io.EOF
		}})
		_ = k.Handshake()
		if theirs != nil && (strings.ToLower(theirs.ServerName) != h.Name || !slices.Equal(theirs.SupportedProtos, h.Protocols)) {
			t.Fatalf("%+v, crypto/tls reads %q, %q", h, theirs.ServerName, theirs.SupportedProtos)
		}
		for n := range b {
			cut, whole, err := ReadHello(b[:n])
			if err != nil || whole && fmt.Sprint(cut) != fmt.Sprint(h) {
				t.Fatalf("%d of %d bytes: %+v, %v", n, len(b), cut, err)
			}
		}
	})
}

// replaying is a connection from which b comes.
type replaying struct {
	saying
	r io.Reader
}

func (r *replaying) Read(p []byte) (int, error) { return r.r.Read(p) }

// TestOpenSSL: a client that is not ours finds a server that is as it says.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("this test needs openssl: ", err)
	}
	ca := openCA(t)
	for _, c := range []struct {
		args []string
		want string // in what it prints; or else why the gateway refuses
		fail string
	}{
		{[]string{"-servername", "prod-db", "-alpn", "h2,http/1.1", "-verify_hostname", "prod-db"}, "ALPN protocol: h2", ""},
		{[]string{"-servername", "prod-db", "-tls1_2", "-verify_hostname", "prod-db"}, "Verification: OK", ""},
		{[]string{"-noservername", "-verify_ip", "10.89.128.7"}, "Verification: OK", ""},
		{[]string{"-servername", "prod-db", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"}, "protocol version", "cannot do TLS 1.2"},
		{[]string{"-servername", "other"}, "unrecognized name", "for another server"},
		{[]string{"-servername", "prod-db", "-alpn", "smtp"}, "no application protocol", "no protocol that is spoken here"},
	} {
		root, _ := files(t, tls.Certificate{Certificate: [][]byte{ca.certificate.Raw}, PrivateKey: ca.key})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(wait(t), openssl, append([]string{"s_client", "-connect", l.Addr().String(), "-CAfile", root, "-verify_return_error"}, c.args...)...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		accepted, err := l.Accept()
		l.Close()
		if err != nil {
			t.Fatal(err)
		}
		k := tcp{accepted.(*net.TCPConn)}
		s, err := Server(wait(t), k, ServerOptions{CA: ca, Names: []string{"prod-db", "10.89.128.7"}, Choose: OneOf("h2", "http/1.1")})
		if err == nil {
			_ = s.CloseWrite()
		} else {
			_ = k.CloseWrite() // behind the alert
		}
		if c.fail == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.fail) {
			t.Errorf("%q: the gateway says %v", c.args, err)
		}
		_ = cmd.Wait() // its status is about the input, which ends at once
		k.Abort()
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%q: openssl says %s", c.args, out.String())
		}
	}
}
