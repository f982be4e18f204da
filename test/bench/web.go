package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// webEndpoints are compared: TLS that passes through the gateway unread, and TLS that ends there with every request decided.
var webEndpoints = [2]string{"passthrough", "inspected"}

// webBench compares HTTPS.
type webBench struct {
	settings
	gw   *rig.Gateway
	work string
	port int
	rows []row
}

// measureWeb measures HTTPS: nginx behind the gateway, wrk, h2load and curl inside of the tunnel.
func measureWeb(ctx context.Context, s settings, work, binary string) (err error) {
	b := &webBench{settings: s, work: filepath.Join(work, "web")}
	if err := os.MkdirAll(filepath.Join(b.work, "gateway"), 0o755); err != nil {
		return err
	}
	for _, dir := range []string{work, b.work} { // nginx's workers are another user
		if err := os.Chmod(dir, 0o755); err != nil {
			return err
		}
	}
	nginx, err := b.startNginx(ctx)
	if err != nil {
		return err
	}
	defer func() {
		_ = nginx.Process.Signal(syscall.SIGTERM)
		_ = nginx.Wait()
	}()
	if b.gw, err = rig.New(ctx, binary, filepath.Join(b.work, "gateway"), b.configuration()); err != nil {
		return err
	}
	progress("starting the gateway")
	if err := b.gw.Serve(ctx); err != nil {
		return err
	}
	defer b.gw.Stop()
	for _, step := range []func(context.Context) error{b.requests, b.streams, b.downloads, b.idles} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("%w\nthe gateway said:\n%s", err, tailOf(b.gw.Log(), 20))
		}
	}
	printTable([4]string{"HTTPS", webEndpoints[0], webEndpoints[1], "ratio"}, b.rows)
	fmt.Printf("\nrates are medians of %d rounds; CPU is the gateway's own, for each request\n", b.rounds)
	return nil
}

func (b *webBench) configuration() string {
	return fmt.Sprintf(`
[limits]
connections = 4096

[plugins]
http = "builtin"

[[endpoint]]
name = "passthrough"
address = "127.0.0.1:%[1]d"
plugin = "none"
tls = "passthrough"
profiles = ["agents"]

[[endpoint]]
name = "inspected"
address = "127.0.0.1:%[1]d"
plugin = "http"
tls = "verify-full"
ca = "%[2]s"
profiles = ["agents"]

[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write"]'
then = "allow"

[[rule]]
name = "no admin pages"
when = 'http.path_normal.startsWith("/admin")'
then = "deny"
`, b.port, filepath.Join(b.work, "cert.pem"))
}

const benchNginx = `
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx.log;
worker_processes 1;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 100000000;
  keepalive_timeout 600;
  client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
  server {
    listen 127.0.0.1:%[2]d ssl http2;
    http2_max_concurrent_streams 128;
    ssl_certificate %[1]s/cert.pem;
    ssl_certificate_key %[1]s/key.pem;
    root %[1]s;
  }
}
`

func (b *webBench) startNginx(ctx context.Context) (*exec.Cmd, error) {
	if err := writeCertificate(b.work); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(b.work, "small"), make([]byte, 100), 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(b.work, "bulk"), make([]byte, b.bulk<<20), 0o644); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b.port = l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	path := filepath.Join(b.work, "nginx.conf")
	if err := os.WriteFile(path, fmt.Appendf(nil, benchNginx, b.work, b.port), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.Command("/usr/sbin/nginx", "-p", b.work, "-c", path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for ctx.Err() == nil {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", b.port))
		if err == nil {
			_ = c.Close()
			return cmd, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, ctx.Err()
}

// writeCertificate makes a certificate for 127.0.0.1 that is its own authority.
func writeCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	return errors.Join(err,
		os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644),
		os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

// inside runs a client in the tunnel and returns what it printed.
func (b *webBench) inside(ctx context.Context, args ...string) (string, error) {
	out, err := b.gw.Agent(ctx, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%v: %w\n%s", args, err, out)
	}
	return string(out), nil
}

// figures are what a run of a client measured.
type figures struct{ rate, count, p99 float64 }

// compare measures both endpoints in turns.
func (b *webBench) compare(what string, measure func(endpoint string) (figures, error)) error {
	progress(what)
	var rate, cpu, p99 [2][]float64
	for range b.rounds {
		for i, endpoint := range webEndpoints {
			before := cpuTime(b.gw.PID())
			f, err := measure(endpoint)
			if err != nil {
				return err
			}
			rate[i], p99[i] = append(rate[i], f.rate), append(p99[i], f.p99)
			cpu[i] = append(cpu[i], float64((cpuTime(b.gw.PID())-before).Microseconds())/f.count)
		}
	}
	add := func(what, format string, v [2][]float64) {
		a, c := median(v[0]), median(v[1])
		b.rows = append(b.rows, row{what, fmt.Sprintf(format, a), fmt.Sprintf(format, c), ratio(c, a)})
	}
	add(what, "%.0f", rate)
	if median(p99[0]) > 0 {
		add("  p99 ms", "%.2f", p99)
	}
	add("  CPU µs", "%.0f", cpu)
	return nil
}

var (
	wrkRate  = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkCount = regexp.MustCompile(`(\d+) requests in`)
	wrkP99   = regexp.MustCompile(`99%\s+([0-9.]+)(us|ms|s)`)
	wrkBad   = regexp.MustCompile(`Non-2xx|Socket errors`)
	h2Rate   = regexp.MustCompile(`finished in .*, ([0-9.]+) req/s`)
	h2Count  = regexp.MustCompile(`requests: (\d+) total, \d+ started, \d+ done, (\d+) succeeded`)
)

// requests compares small requests on connections that stay.
func (b *webBench) requests(ctx context.Context) error {
	for _, n := range []int{1, 16} {
		err := b.compare(fmt.Sprintf("HTTP/1.1, %d kept alive, requests/s", n), func(endpoint string) (f figures, err error) {
			out, err := b.inside(ctx, "wrk", "-t1", fmt.Sprint("-c", n), fmt.Sprintf("-d%ds", b.seconds), "--latency", fmt.Sprintf("https://%s:%d/small", endpoint, b.port))
			if err != nil {
				return f, err
			}
			rate, count, p99 := wrkRate.FindStringSubmatch(out), wrkCount.FindStringSubmatch(out), wrkP99.FindStringSubmatch(out)
			if rate == nil || count == nil || p99 == nil || wrkBad.MatchString(out) {
				return f, fmt.Errorf("wrk at %s:\n%s", endpoint, out)
			}
			f.rate, _ = strconv.ParseFloat(rate[1], 64)
			f.count, _ = strconv.ParseFloat(count[1], 64)
			f.p99, _ = strconv.ParseFloat(p99[1], 64)
			f.p99 *= map[string]float64{"us": 0.001, "ms": 1, "s": 1000}[p99[2]]
			return f, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// streams compares HTTP/2 with many streams on one connection, for as long as the others: of a run of a few tenths of a second a good part is its beginning.
func (b *webBench) streams(ctx context.Context) error {
	return b.compare("HTTP/2, 100 streams, requests/s", func(endpoint string) (f figures, err error) {
		out, err := b.inside(ctx, "h2load", "-D", strconv.Itoa(b.seconds), "-c1", "-m100", fmt.Sprintf("https://%s:%d/small", endpoint, b.port))
		if err != nil {
			return f, err
		}
		rate, count := h2Rate.FindStringSubmatch(out), h2Count.FindStringSubmatch(out)
		if rate == nil || count == nil || count[1] != count[2] {
			return f, fmt.Errorf("h2load at %s:\n%s", endpoint, out)
		}
		f.rate, _ = strconv.ParseFloat(rate[1], 64)
		f.count, _ = strconv.ParseFloat(count[1], 64)
		return f, nil
	})
}

// downloads compares one large body in both versions.
func (b *webBench) downloads(ctx context.Context) error {
	for _, version := range []string{"--http1.1", "--http2"} {
		err := b.compare("download "+version[2:]+", MB/s", func(endpoint string) (f figures, err error) {
			out, err := b.inside(ctx, "curl", "-sSk", version, "-o", "/dev/null", "-w", "%{http_code} %{speed_download}", fmt.Sprintf("https://%s:%d/bulk", endpoint, b.port))
			var code int
			if _, serr := fmt.Sscan(out, &code, &f.rate); err != nil || serr != nil || code != 200 {
				return f, fmt.Errorf("curl at %s: %q %w", endpoint, out, errors.Join(err, serr))
			}
			f.rate /= 1e6
			f.count = 1
			return f, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// idleWeb is how many connections show what one costs.
const idleWeb = 1000

// idles compares the memory of connections that have had one request.
func (b *webBench) idles(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var each [2]float64
	for i, endpoint := range webEndpoints {
		progress(fmt.Sprintf("%d idle connections, %s", idleWeb, endpoint))
		before, err := proportionalMemory(b.gw.PID())
		if err != nil {
			return err
		}
		cmd := b.gw.Agent(ctx, self, webIdleAgent, endpoint, strconv.Itoa(b.port), strconv.Itoa(idleWeb))
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			return err
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || line != "open\n" {
			_ = in.Close()
			return fmt.Errorf("the idle agent said %q: %w", line, cmd.Wait())
		}
		time.Sleep(atRest)
		after, err := proportionalMemory(b.gw.PID())
		_ = in.Close()
		if err := errors.Join(err, cmd.Wait()); err != nil {
			return err
		}
		each[i] = (after - before) / float64(idleWeb)
	}
	b.rows = append(b.rows, row{fmt.Sprintf("%d idle connections, KiB each", idleWeb), fmt.Sprintf("%.0f", each[0]), fmt.Sprintf("%.0f", each[1]), ratio(each[1], each[0])})
	return nil
}

// webIdleAgent is the first argument of this command when it runs inside the tunnel and keeps HTTPS connections.
const webIdleAgent = "web-idle-agent"

func runWebIdleAgent(args []string) int {
	if len(args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: web-idle-agent HOST PORT COUNT")
		return 2
	}
	n, err := strconv.Atoi(args[2])
	for range n {
		var c *tls.Conn
		if err == nil {
			c, err = tls.Dial("tcp", net.JoinHostPort(args[0], args[1]), &tls.Config{InsecureSkipVerify: true, ServerName: args[0]})
		}
		if err == nil {
			defer c.Close()
			_, err = fmt.Fprintf(c, "GET /small HTTP/1.1\r\nHost: %s:%s\r\n\r\n", args[0], args[1])
		}
		if err == nil {
			_, err = c.Read(make([]byte, 1024))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}
