package clickhouse

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/sallyport-dev/sallyport/test/chserver"
	"github.com/sallyport-dev/sallyport/test/rig"
)

// insideVariable has this program be an agent in the tunnel: clickhouse-go with TLS to the address in it.
const insideVariable = "SALLYPORT_TEST_CLICKHOUSE"

func inside(address string) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db, err := clickhouse.Open(&clickhouse.Options{Addr: []string{address}, TLS: &tls.Config{}, Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4}})
	if err == nil {
		err = db.Ping(ctx)
	}
	if err == nil {
		var b interface {
			Append(...any) error
			Send() error
		}
		if b, err = db.PrepareBatch(ctx, "INSERT INTO t"); err == nil {
			err = b.Append(uint64(1), "x", []string{"y"})
		}
		if err == nil {
			err = b.Send()
		}
	}
	if err == nil {
		err = db.Exec(ctx, "DROP TABLE t")
	}
	fmt.Println(err)
	return 0
}

// pair makes a certificate for 127.0.0.1 that is its own authority, and writes it to a file.
func pair(t *testing.T, file string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// behindTLS has a server behind TLS with a certificate, until the test is over, and returns its address.
func behindTLS(t *testing.T, certificate tls.Certificate, address string) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			k, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer k.Close()
				server, err := net.Dial("tcp", address)
				if err != nil {
					return
				}
				all.Go(func() {
					_, _ = io.Copy(server, k)
					server.Close()
				})
				_, _ = io.Copy(k, server)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// TestCommand has the built plugin in the real command, with the grammar, a credential, both interfaces, and TLS on both sides.
func TestCommand(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	certificate := pair(t, ca)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	secure := currentOn(t, l, 54492, "notchunked", "notchunked")
	web443 := behindTLS(t, certificate, fmt.Sprintf("127.0.0.1:%d", server.HTTP))
	direct(t, `DROP TABLE IF EXISTS cmd; CREATE TABLE cmd (id UInt64, s String) ENGINE = Memory;
DROP TABLE IF EXISTS cmdz; CREATE TABLE cmdz (id UInt64, s String) ENGINE = Memory;
DROP TABLE IF EXISTS env_vars; CREATE TABLE env_vars (name String, value String) ENGINE = Memory; INSERT INTO env_vars VALUES ('HOME', '/root'), ('TOKEN', 'ghp_abc123')`)
	binary, err := rig.Build(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	gateway := filepath.Join(dir, "gateway")
	if err := os.Mkdir(gateway, 0o700); err != nil {
		t.Fatal(err)
	}
	g, err := rig.New(ctx, binary, gateway, fmt.Sprintf(`
[plugins]
clickhouse = "builtin"

[[credential]]
name = "bob"
user = "%[3]s"
password = "env:BOB"
http_password = "env:BOB"

[[endpoint]]
name = "native"
address = "127.0.0.1:%[1]d"
plugin = "clickhouse"
tls = "disable"
profiles = { agents = "bob" }

[[endpoint]]
name = "web"
address = "127.0.0.1:%[2]d"
plugin = "clickhouse"
options = { protocol = "http" }
tls = "disable"
profiles = { agents = "bob" }

[[endpoint]]
name = "secure"
address = "%[4]s"
plugin = "clickhouse"
tls = "verify-full"
ca = "%[5]s"
agent_tls = "require"
profiles = ["agents"]

[[endpoint]]
name = "secureweb"
address = "%[6]s"
plugin = "clickhouse"
options = { protocol = "http" }
tls = "verify-full"
ca = "%[5]s"
agent_tls = "require"
profiles = { agents = "bob" }

[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write"]'
then = "allow"

[[rule]]
name = "no tokens"
endpoints = ["native"]
when = '"env_vars" in sql.reads'
inspect = "response"
response = 'response.text.contains("ghp_") && !sql.text.contains("masked")'
then = "deny"

[[rule]]
name = "tokens are masked"
endpoints = ["native"]
when = 'sql.text.contains("masked")'
inspect = "response"
then = "redact"
redact = ["ghp_[A-Za-z0-9]+"]
`, server.Native, server.HTTP, chserver.User, l.Addr(), ca, web443))
	if err != nil {
		t.Fatal(err)
	}
	g.Env = append(g.Env, "BOB="+chserver.Password)
	if err := g.Serve(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(g.Log())
		}
	}()
	run := func(input string, program ...string) string {
		t.Helper()
		cmd := g.Agent(ctx, program...)
		cmd.Stdin = strings.NewReader(input)
		out, _ := cmd.CombinedOutput()
		return strings.TrimSpace(string(out))
	}
	client := func(input, query string) string {
		return run(input, chserver.Client, "--host", "native", "--port", fmt.Sprint(server.Native), "--user", "whoever", "--password", "whatever", "-q", query)
	}
	zstd := func(input, query string) string {
		return run(input, chserver.Client, "--host", "native", "--port", fmt.Sprint(server.Native), "--network_compression_method", "zstd", "-q", query)
	}
	var rows strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&rows, "%d\ttext number %d\n", i, i*7919)
	}
	web := fmt.Sprintf("http://web:%d/", server.HTTP)
	_, port, err := net.SplitHostPort(web443)
	if err != nil {
		t.Fatal(err)
	}
	https := fmt.Sprintf("https://secureweb:%s/", port)
	plain := func(query string) string {
		return run("", chserver.Client, "--host", "native", "--port", fmt.Sprint(server.Native), "--compression", "0", "-n", "--ignore-error", "-q", query)
	}
	for _, c := range []struct{ got, want string }{
		{client("", "SELECT count() FROM cmd"), "0"},
		{client("1\ta\n2\tb\n", "INSERT INTO cmd FORMAT TSV"), ""},
		{client("", "SELECT sum(id) FROM cmd WHERE s != 'c'"), "3"},
		{client("", "DROP TABLE cmd"), "Code: 497"},
		{run("", "curl", "-sS", web, "-d", "SELECT 1; DROP TABLE cmd"), "Code: 497"},
		{run("", "curl", "-sS", web, "-d", "SELECT sum(id) FROM cmd"), "3"},
		{run("3\tc\n", "curl", "-sS", web+"?query=INSERT%20INTO%20cmd%20FORMAT%20TSV", "--data-binary", "@-"), ""},
		{run("", "curl", "-sS", web+"?user=whoever&password=whatever", "-d", "DROP TABLE cmd"), "Code: 497. DB::Exception: "},
		{run("", "curl", "-sS", web+"?readonly=0", "-d", "SELECT 1"), "Code: 497. DB::Exception: "},
		{client("", "SELECT count() FROM cmd"), "3"},
		// With ZSTD both ways, in frames that need the companion.
		{zstd(rows.String(), "INSERT INTO cmdz FORMAT TSV"), ""},
		{zstd("", "SELECT sum(id), sum(length(s)), uniqExact(s) FROM cmdz"), "4999950000\t2085"},
		{zstd("", "SELECT max(s) FROM (SELECT s FROM cmdz ORDER BY id)"), "text number 999"},
		{zstd("", "DROP TABLE cmdz"), "Code: 497"},
		{zstd("", "SELECT value FROM env_vars"), "its result is withheld"},
		// What comes back.
		{client("", "SELECT value FROM env_vars WHERE name = 'HOME'"), "/root"},
		{client("", "SELECT value FROM env_vars"), `the statement ran, and its result is withheld: the rule no tokens withholds the result`},
		{plain("SELECT value FROM env_vars ORDER BY name; SELECT 'and on'"), "and on"},
		{plain("SELECT value FROM env_vars ORDER BY name -- masked\n; SELECT 'and on'"), "/root\n**********\nand on"},
		{client("", "SELECT value FROM env_vars -- masked"), "its result is withheld"},
		// HTTP with TLS on both sides.
		{run("", "curl", "-sS", https, "-d", "SELECT sum(id) FROM cmd"), "6"},
		{run("4\td\n", "curl", "-sS", https+"?query=INSERT%20INTO%20cmd%20FORMAT%20TSV", "--data-binary", "@-"), ""},
		{run("", "curl", "-sS", https, "-d", "DROP TABLE cmd"), "Code: 497"},
		{run("", "curl", "-sS", https+"?allow_ddl=1", "-d", "SELECT 1"), "Code: 497"},
		{run("", "curl", "-sS", https, "-d", "SELECT sum(id) FROM cmd"), "10"},
		{run("", "curl", "-sS", strings.Replace(https, "https", "http", 1), "-d", "SELECT 1"), "TLS"},
		{run("", "env", insideVariable+"="+fmt.Sprintf("secure:%d", l.Addr().(*net.TCPAddr).Port), os.Args[0]), "code: 497"},
	} {
		if c.want == "" && c.got != "" || !strings.Contains(c.got, c.want) {
			t.Errorf("%q, not %q", c.got, c.want)
		}
	}
	if users := direct(t, "SELECT count() FROM cmd"); users != "4" {
		t.Errorf("%s rows", users)
	}
	if secure.rows != 1 || secure.saw("DROP") {
		t.Errorf("%d rows, %q", secure.rows, secure.queries)
	}
	if r := g.Receipts(); !strings.Contains(r, "DROP TABLE cmd") || strings.Contains(r+g.Log(), chserver.Password) || strings.Contains(r+g.Log(), "ghp_abc123") {
		t.Error("the receipts lack what was denied, or have the password")
	}
}
