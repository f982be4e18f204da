package sshe2e

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
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// patience is how long a client may take on a machine that is slow.
const patience = 4 * time.Minute

// world is a server, what stands before it, and a folder to work in.
type world struct {
	*front
	t    *testing.T
	dir  string
	user string
	port string
	log  string // of the server
}

func newKey(t *testing.T, path string) ssh.Signer {
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
	write(t, path, string(pem.EncodeToMemory(block)))
	write(t, path+".pub", string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	return signer
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freePort is a port that was free a moment ago, for servers that cannot choose one themselves.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	for _, dir := range []string{"/usr/sbin/", "/usr/lib/openssh/"} {
		if err == nil {
			break
		}
		path = dir + program
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%s is missing: scripts/deps test installs it", program)
	}
	return path
}

// start starts OpenSSH's server with a debug log, and the front before it.
func start(t *testing.T, decide func(action string) string) *world {
	t.Helper()
	return startWith(t, decide, "")
}

// startWith does the same with more lines of sshd_config.
func startWith(t *testing.T, decide func(action string) string, more string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, dir: dir, log: filepath.Join(dir, "sshd.log")}
	who, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	w.user = who.Username
	newKey(t, filepath.Join(dir, "hostkey"))
	login := newKey(t, filepath.Join(dir, "login"))
	port := freePort(t)
	write(t, filepath.Join(dir, "sshd_config"), fmt.Sprintf(`ListenAddress 127.0.0.1:%s
HostKey %s/hostkey
AuthorizedKeysFile %s/login.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
AllowAgentForwarding yes
X11Forwarding yes
PermitTunnel yes
GatewayPorts yes
AcceptEnv *
PermitUserEnvironment no
MaxSessions 100
MaxStartups 100
Subsystem sftp internal-sftp
LogLevel DEBUG2
%s`, port, dir, dir, more))
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Create(w.log)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(need(t, "sshd"), "-D", "-e", "-f", filepath.Join(dir, "sshd_config"))
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
	w.before(t, "127.0.0.1:"+port, login, decide)
	return w
}

// before puts the front before a server, once that answers.
func (w *world) before(t *testing.T, upstream string, login ssh.Signer, decide func(string) string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", upstream)
		if err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := newKey(t, filepath.Join(w.dir, "front"))
	_, w.port, _ = net.SplitHostPort(l.Addr().String())
	w.front = &front{t: t, listener: l, host: host, upstream: upstream, decide: decide, options: map[string]any{},
		login: &ssh.ClientConfig{User: w.user, Auth: []ssh.AuthMethod{ssh.PublicKeys(login)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), HostKeyAlgorithms: []string{ssh.KeyAlgoED25519}}}
	write(t, filepath.Join(w.dir, "known_hosts"), fmt.Sprintf("[127.0.0.1]:%s %s", w.port, ssh.MarshalAuthorizedKey(host.PublicKey())))
	write(t, filepath.Join(w.dir, "config"), fmt.Sprintf("Host box\n HostName 127.0.0.1\n Port %s\n User %s\n UserKnownHostsFile %s/known_hosts\n StrictHostKeyChecking yes\n IdentityFile none\n BatchMode yes\n LogLevel INFO\n", w.port, w.user, w.dir))
	w.serve()
	t.Cleanup(w.close)
}

// result is what a program did.
type result struct {
	out, err string
	status   int
}

// run runs a program with stdin.
func (w *world) run(stdin, name string, args ...string) result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, need(w.t, name), args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "HOME="+w.dir, "SSH_AUTH_SOCK=", "GIT_SSH_COMMAND=ssh -F "+w.dir+"/config", "GIT_CONFIG_NOSYSTEM=1")
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	r := result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
	if ctx.Err() != nil {
		w.t.Errorf("%s %q did not end: %v\n%s\n%s", name, args, err, r.out, r.err)
	}
	return r
}

// ssh runs OpenSSH's client against the front.
func (w *world) ssh(stdin string, args ...string) result {
	w.t.Helper()
	return w.run(stdin, "ssh", append([]string{"-F", w.dir + "/config"}, args...)...)
}

// serverSaw reports whether the server's log has a text.
func (w *world) serverSaw(text string) bool {
	b, err := os.ReadFile(w.log)
	return err == nil && bytes.Contains(b, []byte(text))
}

func (r result) want(t *testing.T, what string, status int, out, err string) {
	t.Helper()
	if r.status != status || !strings.Contains(r.out, out) || !strings.Contains(r.err, err) {
		t.Errorf("%s: status %d, output %q, error %q; want %d, %q, %q", what, r.status, r.out, r.err, status, out, err)
	}
}

func allow(string) string { return "" }

// denying denies actions that have one of these words.
func denying(words ...string) func(string) string {
	return func(action string) string {
		for _, w := range words {
			if strings.Contains(action, w) {
				return "not " + strings.Trim(w, `"`)
			}
		}
		return ""
	}
}

func TestExec(t *testing.T) {
	w := start(t, denying("touch ", "denied-by-name"))
	w.ssh("", "box", "echo hello; echo oops >&2; exit 3").want(t, "a command", 3, "hello", "oops")
	w.ssh("input", "box", "cat").want(t, "its input", 0, "input", "")
	big := strings.Repeat("0123456789abcdef", 128<<10)
	if r := w.ssh(big, "box", "cat"); r.out != big {
		t.Errorf("2 MiB there and back: %d bytes, %s", len(r.out), r.err)
	}
	marker := filepath.Join(w.dir, "marker")
	r := w.ssh("never", "box", "touch "+marker)
	if _, err := os.Stat(marker); err == nil {
		t.Error("a denied command ran")
	}
	if r.status == 0 || !strings.Contains(r.err, "sallyport: not touch") {
		t.Errorf("a denied command: %+v", r)
	}
	if w.serverSaw("touch " + marker) {
		t.Error("the server heard of a denied command")
	}
	w.ssh("", "denied-by-name@127.0.0.1", "-p", w.port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "id").want(t, "a denied connection", 255, "", "sallyport: not denied-by-name")
	w.ssh("", "-tt", "box", "test -t 0 && echo terminal").want(t, "a terminal", 0, "terminal", "")
	w.ssh("echo typed\nexit 4\n", "-tt", "box").want(t, "a shell", 4, "typed", "")
	if !w.has(`kind="pty"`) || !w.has(`kind="shell"`, "terminal=true", "opaque") {
		t.Error("a terminal and a shell were not asked about")
	}
	w.ssh("", "-o", "SetEnv=LC_TEST=yes FOO=no", "box", "echo $LC_TEST-$FOO-").want(t, "variables by list", 0, "yes--", "")
	if !w.serverSaw("LC_TEST") || w.serverSaw("FOO=no") {
		t.Error("variables did not pass by the list")
	}
	w.ssh("", "box", "kill -9 $$").want(t, "a signal", 255, "", "")
}

func TestMaster(t *testing.T) {
	w := start(t, denying("rm "))
	socket := filepath.Join(w.dir, "m")
	w.ssh("", "-M", "-S", socket, "-o", "ControlPersist=yes", "-fnN", "box").want(t, "a master", 0, "", "")
	defer func() { w.ssh("", "-S", socket, "-O", "exit", "box") }()
	for range 3 {
		w.ssh("", "-S", socket, "box", "echo one").want(t, "through the master", 0, "one", "")
		if r := w.ssh("", "-S", socket, "box", "rm x"); r.status == 0 || !strings.Contains(r.err, "sallyport: not rm") {
			t.Errorf("denied through the master: %+v", r)
		}
	}
	n := 0
	for _, a := range w.seen() {
		if strings.HasPrefix(a, "ask connect") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestFiles(t *testing.T) {
	w := start(t, denying(`operation="remove"`, `operation="rmdir"`, "/denied"))
	data := strings.Repeat("some data\n", 100<<10)
	write(t, filepath.Join(w.dir, "a"), data)
	same := func(what, name string) {
		t.Helper()
		if b, err := os.ReadFile(filepath.Join(w.dir, name)); err != nil || string(b) != data {
			t.Errorf("%s: %d bytes, %v", what, len(b), err)
		}
	}
	for _, mode := range []string{"-O", "-s"} {
		w.run("", "scp", mode, "-F", w.dir+"/config", "a", "box:"+w.dir+"/up"+mode).want(t, "scp "+mode+" up", 0, "", "")
		same("scp "+mode+" up", "up"+mode)
		w.run("", "scp", mode, "-F", w.dir+"/config", "box:"+w.dir+"/a", "down"+mode).want(t, "scp "+mode+" down", 0, "", "")
		same("scp "+mode+" down", "down"+mode)
		if r := w.run("", "scp", mode, "-F", w.dir+"/config", "a", "box:"+w.dir+"/denied"); r.status == 0 {
			t.Errorf("scp %s to where it is denied: %+v", mode, r)
		}
	}
	if !w.has(`operation="scp"`, `direction="upload"`) || !w.has(`operation="scp"`, `direction="download"`) {
		t.Errorf("scp -O has no direction: %q", w.seen())
	}
	r := w.run("put a sftp1\nget a sftp2\nmkdir d\nrename sftp1 d/b\nls d\n-rm d/b\nchmod 600 d/b\ndf\nput a "+w.dir+"/denied\n", "sftp", "-F", w.dir+"/config", "-b", "-", "box:"+w.dir)
	same("sftp put, rename", "d/b")
	same("sftp get", "sftp2")
	if r.status == 0 || !strings.Contains(r.err, "sallyport: not") {
		t.Errorf("sftp: %+v", r)
	}
	if !w.has(`operation="remove"`, "paths_normal=[\""+w.dir+"/d/b\"]") {
		t.Errorf("no normal path: %q", w.seen())
	}
	if _, err := os.Stat(filepath.Join(w.dir, "denied")); err == nil {
		t.Error("a file is there that was denied")
	}
	// The server's sftp-server by a command line is read as well.
	w.run("put a viaexec\n", "sftp", "-F", w.dir+"/config", "-s", need(t, "sftp-server"), "-b", "-", "box:"+w.dir).want(t, "sftp-server by exec", 0, "", "")
	same("sftp-server by exec", "viaexec")
	if !w.has(`kind="exec"`, `operation="sftp"`) {
		t.Error("sftp-server was not seen in a command line")
	}
	if r := w.run("put a "+w.dir+"/denied\n", "sftp", "-F", w.dir+"/config", "-s", need(t, "sftp-server"), "-b", "-", "box:"+w.dir); r.status == 0 {
		t.Errorf("sftp-server by exec to where it is denied: %+v", r)
	}
}

func TestRsyncAndGit(t *testing.T) {
	w := start(t, denying(`programs=["git-receive-pack"]`, "/denied"))
	if err := os.MkdirAll(filepath.Join(w.dir, "tree/sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(w.dir, "tree/sub/file"), "hello")
	shell := "ssh -F " + w.dir + "/config"
	w.run("", "rsync", "-a", "-e", shell, "tree/", "box:"+w.dir+"/copy/").want(t, "rsync up", 0, "", "")
	w.run("", "rsync", "-a", "-e", shell, "box:"+w.dir+"/copy/", "back/").want(t, "rsync down", 0, "", "")
	if b, err := os.ReadFile(filepath.Join(w.dir, "back/sub/file")); string(b) != "hello" {
		t.Errorf("rsync: %q %v", b, err)
	}
	if !w.has(`operation="rsync"`, `direction="upload"`, "write", w.dir+"/copy") || !w.has(`operation="rsync"`, `direction="download"`, "read") {
		t.Errorf("rsync: %q", w.seen())
	}
	if r := w.run("", "rsync", "-a", "-e", shell, "tree/", "box:"+w.dir+"/denied/"); r.status == 0 || !strings.Contains(r.err, "sallyport: not /denied") {
		t.Errorf("rsync to where it is denied: %+v", r)
	}
	w.run("", "git", "init", "-q", "-b", "main", "repo").want(t, "git init", 0, "", "")
	w.run("", "git", "-C", "repo", "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "--allow-empty", "-m", "first").want(t, "git commit", 0, "", "")
	w.run("", "git", "clone", "-q", "box:"+w.dir+"/repo", "clone").want(t, "git clone", 0, "", "")
	if r := w.run("", "git", "-C", "clone", "push", "-q", "origin", "main:other"); r.status == 0 || !strings.Contains(r.err, "sallyport: not") {
		t.Errorf("a denied push: %+v", r)
	}
}

func TestForward(t *testing.T) {
	w := start(t, denying(`port=1 `, `kind="remote-forward" user="`+"nobody"))
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = echo.Close() }()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	w.ssh("ping", "-W", echo.Addr().String(), "box").want(t, "ssh -W", 0, "ping", "")
	w.ssh("ping", "-W", "127.0.0.1:1", "box").want(t, "ssh -W to where it is denied", 255, "", "not port=1")
	// Through an endpoint to a second one.
	w.ssh("", "-J", "box", "-o", "HostKeyAlias=box2", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-p", w.port, w.user+"@127.0.0.1", "echo jumped").want(t, "ssh -J", 0, "jumped", "")
	if !w.has(`kind="forward"`, `host="127.0.0.1"`, "port="+w.port) {
		t.Errorf("%q", w.seen())
	}
}

// TestDenied: forwarding of all kinds, with the session beside it alive.
func TestDenied(t *testing.T) {
	w := start(t, denying(`kind="remote-forward"`, `kind="agent-forward"`, `kind="x11"`, `kind="tun"`, `kind="streamlocal"`))
	agent := filepath.Join(w.dir, "agent")
	l, err := net.Listen("unix", agent)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	w.ssh("", "-R", "0:127.0.0.1:1", "box", "echo alive").want(t, "ssh -R", 0, "alive", "remote port forwarding failed")
	w.ssh("", "-R", w.dir+"/sock:127.0.0.1:1", "box", "echo alive").want(t, "ssh -R of a socket", 0, "alive", "")
	w.ssh("", "-A", "-o", "IdentityAgent="+agent, "box", "echo alive-$SSH_AUTH_SOCK-").want(t, "ssh -A", 0, "alive--", "sallyport: not")
	w.ssh("", "-o", "ForwardX11=yes", "-o", "ForwardX11Trusted=yes", "box", "echo alive-$DISPLAY-").want(t, "ssh -X", 0, "alive--", "")
	for _, kind := range []string{"remote-forward", "agent-forward"} {
		if !w.has(`kind="` + kind + `"`) {
			t.Errorf("%s was not asked about", kind)
		}
	}
	for _, text := range []string{"tcpip-forward", "auth-agent-req", "x11-req", "streamlocal-forward"} {
		if w.serverSaw("rtype "+text) || w.serverSaw("req "+text) {
			t.Errorf("the server heard of %s", text)
		}
	}
	if !w.serverSaw("req exec") {
		t.Error("the log is no witness: it has no exec")
	}
}

// TestAllowedForward is the twin: the same is done where it is allowed.
func TestAllowedForward(t *testing.T) {
	w := start(t, allow)
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = echo.Close() }()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "hello from here\n")
			_ = c.Close()
		}
	}()
	port := freePort(t)
	w.ssh("", "-R", "127.0.0.1:"+port+":"+echo.Addr().String(), "box", "bash -c 'cat < /dev/tcp/127.0.0.1/"+port+"'").want(t, "ssh -R", 0, "hello from here", "")
	if !w.serverSaw("tcpip-forward") {
		t.Error("the server has not heard of it")
	}
}
