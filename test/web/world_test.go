// Package web drives the real command with real HTTP clients and servers: curl, git, node, Python and Go under `sallyport run`, nginx
// and a server in Go behind the gateway, over TLS on both sides.
//
// What reached a server is what the server itself says: nginx's access log, and what the Go server has counted. Every attack has a
// benign twin that must work.
package web

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// world is what the tests share.
type world struct {
	dir, www string
	gw       *rig.Gateway
	nginx    *exec.Cmd
	app      *app
	others   others
	tls, raw int // nginx's ports with TLS and without
	sizes    []int
	binary   string
}

var shared *world

func TestMain(m *testing.M) {
	if url := os.Getenv(goClientURL); url != "" {
		os.Exit(goClient(url))
	}
	os.Exit(suite(m))
}

func suite(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	w := &world{}
	defer w.stop()
	if err := w.start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		return 1
	}
	shared = w
	code := m.Run()
	if err := w.gw.Stop(); err != nil {
		fmt.Fprintf(os.Stderr, "web: the gateway ended with %v:\n%s", err, w.gw.Log())
		code = 1
	}
	return code
}

func (w *world) start(ctx context.Context) (err error) {
	if w.dir, err = os.MkdirTemp("", "sallyport-web"); err != nil {
		return err
	}
	// nginx's workers are another user.
	if err := os.Chmod(w.dir, 0o755); err != nil {
		return err
	}
	w.www = filepath.Join(w.dir, "www")
	if err := os.Mkdir(w.www, 0o755); err != nil {
		return err
	}
	if err := certificate(w.dir); err != nil {
		return err
	}
	if w.app, err = newApp(w.dir); err != nil {
		return err
	}
	if err := errors.Join(w.startNginx(ctx), w.others.start(w.dir)); err != nil {
		return err
	}
	if err := w.others.run(w.dir); err != nil {
		return err
	}
	binary, err := rig.Build(ctx, w.dir)
	if err != nil {
		return err
	}
	w.binary = binary
	dir := filepath.Join(w.dir, "gateway")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if w.gw, err = rig.New(ctx, binary, dir, w.configuration()); err != nil {
		return err
	}
	w.gw.Env = append(w.gw.Env, "API_TOKEN="+token, "AWS_KEY="+awsKey)
	if err := w.placeholders(); err != nil {
		return err
	}
	return w.gw.Serve(ctx)
}

func (w *world) stop() {
	if w.gw != nil {
		_ = w.gw.Stop()
	}
	if w.nginx != nil {
		_ = w.nginx.Process.Signal(syscall.SIGTERM)
		_ = w.nginx.Wait()
	}
	w.others.stop()
	if w.app != nil {
		w.app.close()
	}
	if w.dir != "" {
		_ = os.RemoveAll(w.dir)
	}
}

// placeholders gives the peer, whose table is the last one of the configuration, words in place of tokens.
func (w *world) placeholders() error {
	f, err := os.OpenFile(w.gw.Config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("env = { WORD_TOKEN = \"" + placeholder + "\", AWS_ACCESS_KEY_ID = \"AKIAPLACEHOLDER\", AWS_SECRET_ACCESS_KEY = \"placeholder\" }\n")
	return errors.Join(err, f.Close())
}

// placeholder is what agents have in place of token.
const placeholder = "placeholder-for-the-api"

// token is the secret of the endpoint "api": a canary that no agent may see.
const token = "tok-5f2e9c1b7a684d30"

func (w *world) configuration() string {
	return fmt.Sprintf(`
[plugins]
http = "builtin"

[[credential]]
name = "api-token"
bearer = "env:API_TOKEN"

[[credential]]
name = "api-word"
secret = "env:API_TOKEN"
placeholder = "%[7]s"

[[credential]]
name = "bucket"
secret_access_key = "env:AWS_KEY"
access_key_id = "%[8]s"
region = "eu-central-1"
service = "s3"

[[endpoint]]
name = "words"
address = "127.0.0.1:%[3]d"
plugin = "http"
tls = "verify-full"
ca = "%[4]s"
profiles = { agents = "api-word" }

[[endpoint]]
name = "bucket"
address = "127.0.0.1:%[3]d"
plugin = "http"
tls = "verify-full"
ca = "%[4]s"
profiles = { agents = "bucket" }

[[endpoint]]
name = "nghttp"
address = "127.0.0.1:%[5]d"
plugin = "http"
tls = "verify-full"
ca = "%[4]s"
profiles = ["agents"]

[[endpoint]]
name = "caddy"
address = "127.0.0.1:%[6]d"
plugin = "http"
tls = "verify-full"
ca = "%[4]s"
profiles = ["agents"]

[[endpoint]]
name = "web"
address = "127.0.0.1:%[1]d"
plugin = "http"
tls = "verify-full"
ca = "%[4]s"
profiles = ["agents"]

[[endpoint]]
name = "plain"
address = "127.0.0.1:%[2]d"
plugin = "http"
profiles = ["agents"]

[[endpoint]]
name = "app"
address = "127.0.0.1:%[3]d"
plugin = "http"
tls = "verify-full"
ca = "%[4]s"
profiles = ["agents"]

[[endpoint]]
name = "api"
address = "127.0.0.1:%[3]d"
plugin = "http"
tls = "verify-full"
ca = "%[4]s"
profiles = { agents = "api-token" }

[[endpoint]]
name = "strict"
address = "127.0.0.1:%[3]d"
plugin = "http"
tls = "verify-full"
ca = "%[4]s"
profiles = ["agents"]
options = { inspect_body = true }

[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write"]'
then = "allow"

[[rule]]
name = "nothing is deleted"
when = 'action.class == "delete"'
then = "deny"
reason = "nothing is deleted here"

[[rule]]
name = "orders need a person"
when = 'http.path_normal.startsWith("/orders")'
then = "hold"
reason = "a person looks at orders"
timeout = "2m"

[[rule]]
name = "no secrets in bodies"
endpoints = ["strict"]
when = 'http.body.contains("hunter2")'
then = "deny"
reason = "the body holds a password"
`, w.tls, w.raw, w.app.port(), filepath.Join(w.dir, "cert.pem"), w.others.nghttp, w.others.caddy, placeholder, awsKeyID)
}

// certificate makes a certificate that is its own authority, for what the tests reach at 127.0.0.1.
func certificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644),
		os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

const nginxConfiguration = `
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx.log;
worker_processes 1;
events { worker_connections 512; }
http {
  log_format seen '$request_method $request_uri $server_protocol $status';
  access_log %[1]s/access.log seen;
  client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
  server {
    listen 127.0.0.1:%[2]d ssl http2;
    listen 127.0.0.1:%[3]d;
    ssl_certificate %[1]s/cert.pem;
    ssl_certificate_key %[1]s/key.pem;
    client_max_body_size 0;
    root %[1]s/www;
    location /zipped/ { gzip on; gzip_min_length 1; gzip_types *; alias %[1]s/www/; }
  }
}
`

func (w *world) startNginx(ctx context.Context) (err error) {
	for _, p := range []*int{&w.tls, &w.raw} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		*p = l.Addr().(*net.TCPAddr).Port
		defer l.Close()
	}
	path := filepath.Join(w.dir, "nginx.conf")
	if err := os.WriteFile(path, fmt.Appendf(nil, nginxConfiguration, w.dir, w.tls, w.raw), 0o644); err != nil {
		return err
	}
	w.sizes = []int{0, 1, 1000, 65536, 1<<20 + 7, 32 << 20}
	for _, n := range w.sizes {
		b := make([]byte, n)
		_, _ = rand.Read(b)
		if err := os.WriteFile(filepath.Join(w.www, fmt.Sprint(n, ".bin")), b, 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(w.www, "index.html"), []byte("hello\n"), 0o644); err != nil {
		return err
	}
	var log bytes.Buffer
	w.nginx = exec.Command("/usr/sbin/nginx", "-p", w.dir, "-c", path)
	w.nginx.Stdout, w.nginx.Stderr = &log, &log
	w.nginx.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return errors.Join(w.nginx.Start())
}

// reachable waits until nginx answers: its ports were free a moment ago and are its own now.
func (w *world) reachable(ctx context.Context, t *testing.T) {
	t.Helper()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", w.raw))
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ctx.Done():
			b, _ := os.ReadFile(filepath.Join(w.dir, "nginx.log"))
			t.Fatalf("nginx does not answer: %v\n%s", err, b)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// accessed are nginx's lines about a path.
func (w *world) accessed(path string) (seen []string) {
	b, _ := os.ReadFile(filepath.Join(w.dir, "access.log"))
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, path) {
			seen = append(seen, strings.TrimSpace(line))
		}
	}
	return seen
}

// printed is what a command left behind.
type printed struct {
	out, err string
	status   int
}

// inside runs a command in the tunnel to its end.
func (w *world) inside(ctx context.Context, t *testing.T, args ...string) printed {
	t.Helper()
	return finish(ctx, t, w.gw.Agent(ctx, args...))
}

func finish(ctx context.Context, t *testing.T, cmd *exec.Cmd) printed {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if ctx.Err() != nil || err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v (%v)\n%s%s", cmd.Args, err, ctx.Err(), stdout.String(), stderr.String())
	}
	return printed{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// begin bounds a test, and prints what the gateway knows when it fails.
func begin(t *testing.T) (*world, context.Context) {
	t.Helper()
	w := shared
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	w.reachable(ctx, t)
	logged, recorded := len(w.gw.Log()), len(w.gw.Receipts())
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			t.Logf("the gateway logged:\n%s\nand recorded:\n%s", w.gw.Log()[logged:], w.gw.Receipts()[recorded:])
		}
	})
	return w, ctx
}
