package sshside

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 90 * time.Second

// tcp is a transport.
type tcp struct{ *net.TCPConn }

func (c tcp) Abort() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

func newKey(t testing.TB) (ssh.Signer, []byte) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

// sshd is a real server.
type sshd struct {
	dir, address string
	host, login  ssh.Signer
	key          string // file of the login's key
	log          *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func startSSHD(t testing.TB) *sshd {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("this test starts sshd, which needs root")
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	s := &sshd{dir: t.TempDir(), log: &lockedBuffer{}}
	write := func(name string, b []byte) string {
		path := filepath.Join(s.dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var text []byte
	s.host, text = newKey(t)
	hostFile := write("host", text)
	s.login, text = newKey(t)
	s.key = write("key", text)
	authorized := write("authorized", ssh.MarshalAuthorizedKey(s.login.PublicKey()))
	banner := write("banner", []byte("welcome to the upstream\n"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	_, port, _ := net.SplitHostPort(s.address)
	_ = l.Close()
	config := write("config", fmt.Appendf(nil, `
ListenAddress 127.0.0.1
Port %s
HostKey %s
AuthorizedKeysFile %s
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
AcceptEnv *
AllowTcpForwarding yes
MaxSessions 100
MaxStartups 100
Banner %s
PidFile none
LogLevel DEBUG1
Subsystem sftp internal-sftp
`, port, hostFile, authorized, banner))
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", config)
	cmd.Stderr = s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", s.address); err == nil {
			_ = c.Close()
			return s
		}
	}
	t.Fatal("sshd does not come up")
	return nil
}

// between is a gateway without rules between agents and sshd.
type between struct {
	address string
	host    ssh.Signer
	options ClientOptions
	filter  func(side int, r []byte) [][]byte // what becomes of a record, nil: it goes on
	splice  bool
	refuse  string
	link    *Link // of the newest connection
	mu      sync.Mutex
}

func startBetween(t testing.TB, s *sshd, change func(*between)) *between {
	t.Helper()
	b := &between{splice: true, options: ClientOptions{User: "root", Auth: []ssh.AuthMethod{ssh.PublicKeys(s.login)}, HostKey: ssh.FixedHostKey(s.host.PublicKey())}}
	b.host, _ = newKey(t)
	if change != nil {
		change(b)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { b.serve(ctx, t, tcp{c.(*net.TCPConn)}, s.address) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		wg.Wait()
	})
	return b
}

func (b *between) serve(ctx context.Context, t testing.TB, k tcp, address string) {
	link := NewLink()
	b.mu.Lock()
	b.link = link
	b.mu.Unlock()
	a, _, err := Server(ctx, k, link, ServerOptions{HostKeys: []ssh.Signer{b.host}})
	if err != nil {
		return
	}
	defer a.Close()
	defer context.AfterFunc(ctx, a.Abort)()
	if b.refuse != "" {
		_, _ = a.Write(sshwire.AppendText(nil, 0, sshwire.Refuse, b.refuse))
		_, _ = io.Copy(io.Discard, a)
		return
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	u, err := Client(ctx, tcp{c.(*net.TCPConn)}, link, b.options)
	if err != nil {
		_ = c.Close()
		_, _ = a.Write(sshwire.AppendText(nil, 0, sshwire.Refuse, "refused: "+err.Error()))
		_, _ = io.Copy(io.Discard, a)
		return
	}
	defer u.Close()
	_, _ = a.Write(sshwire.AppendEmpty(nil, 0, sshwire.Ready))
	var wg sync.WaitGroup
	to := [2]*writer{{Side: a}, {Side: u}}
	wg.Go(func() { b.pump(t, agent, to[agent], to[upstream]); _ = u.CloseWrite() })
	wg.Go(func() { b.pump(t, upstream, to[upstream], to[agent]); _ = a.CloseWrite() })
	wg.Wait()
}

// writer has one write at a time go to a side, as a gate does.
type writer struct {
	*Side
	mu sync.Mutex
}

func (w *writer) record(t testing.TB, r []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(r) > 0 {
		k := min(len(r), 1+len(r)/2)
		if _, err := w.Write(r[:k]); err != nil {
			t.Error("writing:", err)
			w.Abort()
			return
		}
		r = r[k:]
	}
}

// pump moves records from one side to the other, in odd pieces.
func (b *between) pump(t testing.TB, side int, from, to *writer) {
	var have []byte
	buf := make([]byte, 70_001)
	for {
		n, err := from.Read(buf)
		have = append(have, buf[:n]...)
		for {
			stream, size, ok := sshwire.Head(have)
			if !ok || len(have) < sshwire.HeadSize+size {
				break
			}
			r := have[:sshwire.HeadSize+size]
			records := [][]byte{r}
			if b.filter != nil {
				records = b.filter(side, r)
			}
			number := r[sshwire.HeadSize]
			for _, r := range records {
				to.record(t, r)
			}
			if b.splice && number == sshwire.OpenConfirm {
				to.record(t, sshwire.AppendEmpty(nil, stream, sshwire.Splice))
				from.record(t, sshwire.AppendEmpty(nil, stream, sshwire.Splice))
			}
			have = have[sshwire.HeadSize+size:]
		}
		if err != nil {
			return
		}
	}
}

// ssh is OpenSSH's client, through the gateway.
func (b *between) ssh(ctx context.Context, t testing.TB, program string, args ...string) *exec.Cmd {
	t.Helper()
	host, port, _ := net.SplitHostPort(b.address)
	known := filepath.Join(t.TempDir(), "known")
	if err := os.WriteFile(known, []byte("["+host+"]:"+port+" "+string(ssh.MarshalAuthorizedKey(b.host.PublicKey()))), 0o600); err != nil {
		t.Fatal(err)
	}
	options := []string{"-F", "none", "-o", "UserKnownHostsFile=" + known, "-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes",
		"-o", "BatchMode=yes", "-o", "IdentityAgent=none"}
	if program == "ssh" {
		options = append(options, "-p", port, "somebody@"+host)
	} else {
		options = append(options, "-P", port)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "REMOTE:", "somebody@"+host+":")
		}
	}
	cmd := exec.CommandContext(ctx, program, append(options, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	return cmd
}

func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}
