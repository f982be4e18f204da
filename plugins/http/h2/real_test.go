package h2_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// listen takes connections of real clients for the gateway, and returns where.
func (g *gateway) listen() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { l.Close() })
	g.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			inside := g.dial()
			g.wg.Go(func() {
				defer c.Close()
				defer inside.Close()
				done := make(chan struct{})
				go func() { defer close(done); _, _ = io.Copy(inside, c); _ = inside.CloseWrite() }()
				_, _ = io.Copy(c, inside)
				_ = c.(*net.TCPConn).CloseWrite()
				_ = c.SetReadDeadline(time.Now())
				<-done
			})
		}
	})
	return l.Addr().String()
}

// command runs a program and returns what it wrote.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func upstreams(t *testing.T) map[string]func(net.Conn) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), bytes.Repeat([]byte("0123456789abcdef"), 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := probe.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	probe.Close()
	server := exec.Command("/usr/sbin/nghttpd", "--no-tls", "--address=127.0.0.1", "-d", dir, "--trailer=x-last: 1", port)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	return map[string]func(net.Conn){
		"Go": serve(http.FileServer(http.Dir(dir)).ServeHTTP, nil),
		"nghttpd": func(c net.Conn) {
			defer c.Close()
			var up net.Conn
			for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
				var err error
				if up, err = net.Dial("tcp", address); err == nil {
					break
				}
				if time.Now().After(deadline) {
					return
				}
			}
			defer up.Close()
			done := make(chan struct{})
			go func() { defer close(done); _, _ = io.Copy(up, c); _ = up.(*net.TCPConn).CloseWrite() }()
			_, _ = io.Copy(c, up)
			_ = c.(*net.TCPConn).CloseWrite()
			<-done
		},
	}
}

// TestRealParts: curl, nghttp and h2load through the gateway to Go's server and to nghttpd.
func TestRealParts(t *testing.T) {
	for name, upstream := range upstreams(t) {
		t.Run(name, func(t *testing.T) {
			g := &gateway{t: t, upstream: upstream, decide: func(title string, _ *abi.Action) gate.Verdict {
				if strings.Contains(title, "secret") {
					return gate.Verdict{Outcome: abi.Deny, Reason: "not that"}
				}
				return gate.Verdict{}
			}}
			at := g.listen()
			out := filepath.Join(t.TempDir(), "got")
			got := command(t, "curl", "-sS", "--http2-prior-knowledge", "-o", out, "-w", "%{http_code} %{size_download} %{http_version}", "http://"+at+"/file")
			if b, err := os.ReadFile(out); got != "200 1048576 2" || err != nil || !bytes.Equal(b, bytes.Repeat([]byte("0123456789abcdef"), 1<<16)) {
				t.Errorf("curl: %s, %d bytes, %v", got, len(b), err)
			}
			got = command(t, "curl", "-sS", "--http2-prior-knowledge", "-w", " %{http_code}", "http://"+at+"/secret")
			if want := `{"type":"about:blank","title":"Forbidden","status":403,"detail":"not that"}` + "\n 403"; got != want {
				t.Errorf("curl, denied: %s", got)
			}
			got = command(t, "nghttp", "-nv", "--window-bits=14", "http://"+at+"/file", "http://"+at+"/secret", "http://"+at+"/none")
			for _, want := range []string{":status: 200", ":status: 403", ":status: 404"} {
				if !strings.Contains(got, want) {
					t.Errorf("nghttp: no %s in\n%s", want, got)
				}
			}
			got = command(t, "h2load", "-n", "60", "-c", "3", "-m", "10", "http://"+at+"/file?"+fmt.Sprint(len(name)))
			if !strings.Contains(got, "60 succeeded, 0 failed") || !strings.Contains(got, "60 2xx") {
				t.Errorf("h2load: %s", got)
			}
		})
	}
}
