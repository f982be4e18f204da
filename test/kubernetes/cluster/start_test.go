package cluster

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// programs are what the tests drive and what they are driven against.
type programs struct{ kubectl, helm, apiserver, etcd, kubelet string }

// find takes what the environment names, else what PATH has. The makefile names what it has built.
func find(t *testing.T) programs {
	t.Helper()
	if os.Getenv("SALLYPORT_TEST_KUBERNETES") == "" {
		t.Skip("SALLYPORT_TEST_KUBERNETES is not set: make test-kubernetes runs this with a real API server")
	}
	var p programs
	for _, c := range []struct {
		path      *string
		env, name string
	}{
		{&p.kubectl, "KUBECTL", "kubectl"},
		{&p.helm, "HELM", "helm"},
		{&p.apiserver, "KUBE_APISERVER", "kube-apiserver"},
		{&p.etcd, "ETCD", "etcd"},
		{&p.kubelet, "TEST_KUBELET", "sallyport-test-kubelet"},
	} {
		name := os.Getenv(c.env)
		if name == "" {
			name = c.name
		}
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("there is no %s: set %s to its path, or let make test-kubernetes build it (%v)", c.name, c.env, err)
		}
		if *c.path, err = filepath.Abs(path); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// The credentials that the API server knows. The administrator is the test; the others are the gateway's, and all of them may do everything.
const (
	adminToken = "tok-admin-51c8e2"
	oneToken   = "tok-77aa01c2f9e84b6d"
	execToken  = "tok-0b9d3c55e1f24a7e"
)

// cluster is a real API server with its store, and one node.
type cluster struct {
	programs
	address     string // of the API server
	ca          string // of the API server's certificate
	certificate string // of a client, and its key
	key         string
	logs        string // the folder of the pods' logs
}

// start has a cluster until the test is over, with the node "node" and the namespace "web".
func start(ctx context.Context, t *testing.T, p programs) *cluster {
	t.Helper()
	dir := t.TempDir()
	c := &cluster{programs: p, ca: filepath.Join(dir, "ca.pem"), certificate: filepath.Join(dir, "client.pem"), key: filepath.Join(dir, "client.key"), logs: filepath.Join(dir, "logs")}
	if err := os.Mkdir(c.logs, 0o700); err != nil {
		t.Fatal(err)
	}
	serving := issue(t, dir)
	tokens := filepath.Join(dir, "tokens.csv")
	if err := os.WriteFile(tokens, []byte(adminToken+",admin,1,system:masters\n"+oneToken+",gateway-token,2,gateways\n"+execToken+",gateway-exec,3,gateways\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store, peers, port := freePort(t), freePort(t), freePort(t)
	storeEnded := run(ctx, t, dir, "etcd", p.etcd, "--data-dir", filepath.Join(dir, "etcd"), "--unsafe-no-fsync", "--log-level", "warn",
		"--listen-client-urls", "http://"+store, "--advertise-client-urls", "http://"+store,
		"--listen-peer-urls", "http://"+peers, "--initial-advertise-peer-urls", "http://"+peers, "--initial-cluster", "default=http://"+peers)
	c.address = port
	_, number, _ := net.SplitHostPort(port)
	ended := run(ctx, t, dir, "kube-apiserver", p.apiserver, "--etcd-servers", "http://"+store, "--bind-address", "127.0.0.1", "--advertise-address", "192.0.2.1", "--secure-port", number, "--cert-dir", dir,
		"--tls-cert-file", serving, "--tls-private-key-file", serving, "--client-ca-file", c.ca, "--token-auth-file", tokens, "--anonymous-auth=false", "--authorization-mode", "RBAC",
		"--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", serving, "--service-account-signing-key-file", serving,
		"--service-cluster-ip-range", "10.0.0.0/24", "--disable-admission-plugins", "ServiceAccount")
	authority, err := os.ReadFile(c.ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	notReady := func(why, body string) {
		t.Helper()
		t.Fatalf("the API server does not become ready: %s %s\n%s\n%s", why, body, tail(filepath.Join(dir, "kube-apiserver.log")), tail(filepath.Join(dir, "etcd.log")))
	}
	for late := time.After(3 * time.Minute); ; {
		status, body := get(ctx, t, client, "https://"+c.address+"/readyz", adminToken)
		if status == http.StatusOK {
			break
		}
		select {
		case <-storeEnded:
			notReady("etcd has ended", body)
		case <-ended:
			notReady("it has ended", body)
		case <-late:
			notReady("it is late", body)
		case <-time.After(200 * time.Millisecond):
		}
	}
	for _, word := range []string{"", "held-by-the-gateway"} { // so that what agents can do they can because of the gateway
		if status, body := get(ctx, t, client, "https://"+c.address+"/version", word); status != http.StatusUnauthorized {
			t.Fatalf("the API server answers %q, who may do nothing, by %d %s", word, status, body)
		}
	}
	kubelet := exec.CommandContext(ctx, p.kubelet, "-logs", c.logs)
	kubelet.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := kubelet.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := kubelet.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = kubelet.Process.Kill()
		_ = kubelet.Wait()
	})
	var listens int
	if _, err := fmt.Fscan(out, &listens); err != nil {
		t.Fatal(err)
	}
	c.admin(ctx, t, `{"apiVersion":"v1","kind":"Node","metadata":{"name":"node"}}`, "create", "-f", "-")
	c.admin(ctx, t, "", "patch", "node", "node", "--subresource=status", "--type=merge", "-p", fmt.Sprintf(`{"status":{"addresses":[{"type":"InternalIP","address":"127.0.0.1"}],`+
		`"daemonEndpoints":{"kubeletEndpoint":{"Port":%d}},"conditions":[{"type":"Ready","status":"True"}]}}`, listens))
	c.admin(ctx, t, "", "create", "clusterrolebinding", "gateways", "--clusterrole=cluster-admin", "--group=gateways")
	c.admin(ctx, t, "", "create", "namespace", "web")
	return c
}

// pod makes one in namespace web; at a node it runs and is ready.
func (c *cluster) pod(ctx context.Context, t *testing.T, name, node string) {
	t.Helper()
	c.admin(ctx, t, fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"labels":{"app":"web"}},"spec":{"nodeName":%q,"containers":[{"name":"c","image":"x"}]}}`, name, node), "create", "-f", "-")
	if node == "" {
		return
	}
	c.log(t, name, "line 1\n")
	c.admin(ctx, t, "", "patch", "pod", name, "--subresource=status", "--type=merge", "-p", `{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],`+
		`"containerStatuses":[{"name":"c","image":"x","imageID":"x","ready":true,"restartCount":0,"state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]}}`)
}

// log adds to the log of a pod.
func (c *cluster) log(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(c.logs, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
}

// admin runs kubectl without the gateway, as the administrator.
func (c *cluster) admin(ctx context.Context, t *testing.T, input string, args ...string) string {
	t.Helper()
	k := exec.CommandContext(ctx, c.kubectl, append([]string{"--server", "https://" + c.address, "--certificate-authority", c.ca, "--token", adminToken, "--namespace", "web"}, args...)...)
	k.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(c.logs, "none"), "HOME="+c.logs)
	k.Stdin = strings.NewReader(input)
	out, err := k.CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %q as the administrator: %v\n%s", args, err, out)
	}
	return string(out)
}

func get(ctx context.Context, t *testing.T, c *http.Client, url, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

// run has a server until the test is over, with what it says in a file of its name. What it returns is closed when the server has ended.
func run(ctx context.Context, t *testing.T, dir, name, path string, args ...string) <-chan struct{} {
	t.Helper()
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(context.WithoutCancel(ctx), path, args...)
	c.Dir, c.Stdout, c.Stderr = dir, log, log
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = c.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(time.Minute, func() { _ = c.Process.Kill() })
		<-ended
		late.Stop()
		log.Close()
	})
	return ended
}

func tail(path string) string {
	b, _ := os.ReadFile(path)
	return string(b[max(0, len(b)-4000):])
}

// freePort is an address of loopback that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// issue writes an authority, a client's certificate and its key, and returns the file of the server's, with its key.
func issue(t *testing.T, dir string) string {
	t.Helper()
	now := time.Now()
	var authority *x509.Certificate
	var authorityKey *ecdsa.PrivateKey
	for i, c := range []struct {
		x509.Certificate
		files []string // of the certificate, of its key
	}{
		{x509.Certificate{Subject: pkix.Name{CommonName: "cluster"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, []string{"ca.pem", "ca.key"}},
		{x509.Certificate{Subject: pkix.Name{CommonName: "kube-apiserver"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, []string{"server.pem", "server.pem"}},
		{x509.Certificate{Subject: pkix.Name{CommonName: "gateway-certificate", Organization: []string{"gateways"}}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, []string{"client.pem", "client.key"}},
	} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(int64(i+1)), now.Add(-time.Hour), now.Add(24*time.Hour)
		if i == 0 {
			authority, authorityKey = &c.Certificate, key
		}
		der, err := x509.CreateCertificate(rand.Reader, &c.Certificate, authority, &key.PublicKey, authorityKey)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		for j, b := range []*pem.Block{{Type: "CERTIFICATE", Bytes: der}, {Type: "EC PRIVATE KEY", Bytes: secret}} {
			f, err := os.OpenFile(filepath.Join(dir, c.files[j]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if err := pem.Encode(f, b); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return filepath.Join(dir, "server.pem")
}
