package gateway

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/layer/sshside"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func sshSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func publicLine(s ssh.Signer) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey())))
}

// TestSSHProblems: what an endpoint of SSH has to say, what it must not say, and what others must not say.
func TestSSHProblems(t *testing.T) {
	t.Setenv("SALLYPORT_TEST_PASSWORD", canary)
	w := newWorld(t, withPostgres)
	a, err := w.assemble()
	if err != nil {
		t.Fatal(err)
	}
	manifest := &abi.Manifest{Name: "ssh", Version: "1", Transport: abi.TransportSSH, Families: []abi.Family{{Name: "connect"}},
		Slots:      []abi.Slot{{Name: "key", Form: secret.FormSSHKey}, {Name: "password", Form: secret.FormSSHPassword}},
		Attributes: []abi.CredentialAttribute{{Name: "user"}}}
	pin := `host_key = "` + publicLine(sshSigner(t)) + `"`
	table := func(rest string) string {
		return "[plugins]\npostgres = \"builtin\"\n\n[[endpoint]]\nname = \"box\"\naddress = \"box.internal:22\"\nplugin = \"postgres\"\nprofiles = { dev = \"k\" }\n" + rest + "\n[[credential]]\nname = \"k\"\n"
	}
	for name, c := range map[string]struct {
		tables, want string
		other        bool // with a plugin that does not speak SSH
	}{
		"as it should be":    {table(pin) + "user = \"app\"\npassword = \"env:SALLYPORT_TEST_PASSWORD\"", "", false},
		"first use":          {table("trust_first_use = true") + `user = "app"`, "", false},
		"nobody is known":    {table("") + `user = "app"`, "has to say how its upstream is known", false},
		"first use, not":     {table("trust_first_use = false") + `user = "app"`, "has to say how its upstream is known", false},
		"TLS":                {table(pin+"\ntls = \"verify-full\"") + `user = "app"`, "tls changes nothing", false},
		"TLS of agents":      {table(pin+"\nagent_tls = \"require\"") + `user = "app"`, "agent_tls changes nothing", false},
		"a password of whom": {table(pin) + `password = "env:SALLYPORT_TEST_PASSWORD"`, "needs user as well", false},
		"a key that is none": {table(pin) + "user = \"app\"\nkey = \"env:SALLYPORT_TEST_PASSWORD\"", "not a private key of SSH", false},
		"no file":            {table(`known_hosts = "missing"`) + `user = "app"`, "no such file", false},
		"a recording":        {table(pin+"\nrecord = true\nrecord_limit = \"1MiB\"") + `user = "app"`, "", false},
		"a limit of none":    {table(pin+"\nrecord_limit = \"1MiB\"") + `user = "app"`, "record_limit changes nothing without record", false},
		"input of none":      {table(pin+"\nrecord = false\nrecord_input = true") + `user = "app"`, "changes nothing without record", false},
		"nothing to record":  {table("record = true") + `user = "app"`, "record changes nothing with plugin", true},
		"without SSH":        {table(pin) + `user = "app"`, "change nothing with plugin", true},
	} {
		w.write(c.tables)
		cfg, err := w.load()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		next := &Assembly{cfg: cfg, log: a.log, sandbox: a.sandbox, plugins: a.plugins, endpoints: map[string]*endpoint{}, store: newSecrets(&cfg.Secrets, nil)}
		problems := next.configure(t.Context())
		if !c.other {
			next.endpoints["box"].manifest = manifest
		}
		problems = append(problems, next.transports(t.Context(), time.Now())...)
		if c.want == "" && len(problems) > 0 || c.want != "" && !strings.Contains(problems.Error(), c.want) || strings.Contains(problems.Error(), canary) {
			t.Errorf("%s: %v", name, problems)
		}
		if e := next.endpoints["box"]; c.want == "" {
			if f := e.facts("alice", "dev", e.logins["dev"]); !f.AgentTLS || !f.AgentTLSRequired || !f.UpstreamTLS || !e.verified() {
				t.Errorf("%s: the facts are %+v", name, f)
			}
		}
	}
}

// sshServer accepts logins as config says, and nothing else.
func sshServer(t *testing.T, key ssh.Signer, c *ssh.ServerConfig) string {
	t.Helper()
	c.AddHostKey(key)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			k, err := l.Accept()
			if err != nil {
				return
			}
			if conn, _, _, err := ssh.NewServerConn(k, c); err == nil {
				_ = conn.Wait()
			}
			k.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// TestSSHLogins: the gateway logs in with a key, its certificate, a password, and a password that is asked for in a dialogue; not where it is asked for more, nor at
// a server that is another one.
func TestSSHLogins(t *testing.T) {
	t.Setenv("SALLYPORT_TEST_PASSWORD", canary)
	r, err := secret.ParseReference("env:SALLYPORT_TEST_PASSWORD", "")
	if err != nil {
		t.Fatal(err)
	}
	password, err := r.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	host, key, authority := sshSigner(t), sshSigner(t), sshSigner(t)
	certificate := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"app"}, ValidBefore: ssh.CertTimeInfinity}
	if err := certificate.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	certified, err := ssh.NewCertSigner(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	no := errors.New("no")
	accept := func(ok bool) (*ssh.Permissions, error) {
		if ok {
			return &ssh.Permissions{}, nil
		}
		return nil, no
	}
	byKey := &ssh.ServerConfig{PublicKeyCallback: func(m ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		return accept(m.User() == "app" && string(k.Marshal()) == string(key.PublicKey().Marshal()))
	}}
	checker := &ssh.CertChecker{IsUserAuthority: func(k ssh.PublicKey) bool { return string(k.Marshal()) == string(authority.PublicKey().Marshal()) }}
	byCertificate := &ssh.ServerConfig{PublicKeyCallback: checker.Authenticate}
	byPassword := &ssh.ServerConfig{PasswordCallback: func(m ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
		return accept(m.User() == "app" && string(p) == canary)
	}}
	asking := func(questions []string, echo []bool) *ssh.ServerConfig {
		return &ssh.ServerConfig{KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			a, err := ask("", "", questions, echo)
			return accept(err == nil && len(a) > 0 && a[0] == canary)
		}}
	}
	withPassword := sshLogin{password: password, has: true}
	for name, c := range map[string]struct {
		server *ssh.ServerConfig
		login  sshLogin
		ok     bool
	}{
		"a key":                  {byKey, sshLogin{signer: key}, true},
		"another key":            {byKey, sshLogin{signer: host}, false},
		"a certificate":          {byCertificate, sshLogin{signer: certified}, true},
		"a key alone":            {byCertificate, sshLogin{signer: key}, false},
		"a password":             {byPassword, withPassword, true},
		"a key, then a password": {byPassword, sshLogin{signer: key, password: password, has: true}, true},
		"a question":             {asking([]string{"Password: "}, []bool{false}), withPassword, true},
		"a question that echoes": {asking([]string{"Password: "}, []bool{true}), withPassword, false},
		"two questions":          {asking([]string{"Password: ", "Code: "}, []bool{false, false}), withPassword, false},
		"nothing":                {byPassword, sshLogin{}, false},
	} {
		address := sshServer(t, host, c.server)
		for _, known := range []bool{true, false} {
			trusted := host
			if !known {
				trusted = key
			}
			keys, err := sshside.NewHostKeys(sshside.HostKeyOptions{Address: address, Keys: []string{publicLine(trusted)}})
			if err != nil {
				t.Fatal(err)
			}
			k, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			side, err := sshside.Client(ctx, upstreamConn{k.(*net.TCPConn)}, sshside.NewLink(), sshside.ClientOptions{User: "app", Auth: c.login.methods(),
				HostKey: keys.Check, HostKeyAlgorithms: keys.Algorithms(), Timeout: time.Minute})
			cancel()
			if (err == nil) != (c.ok && known) {
				t.Errorf("%s, a known host %v: %v", name, known, err)
			}
			if err != nil && strings.Contains(err.Error(), canary) {
				t.Errorf("%s: the error shows the secret: %v", name, err)
			}
			if err == nil {
				_ = side.Close()
			} else {
				_ = k.Close()
			}
		}
	}
}

// TestKnownHosts: agents get lines for the endpoints of SSH that their profile has.
func TestKnownHosts(t *testing.T) {
	state := t.TempDir()
	trust := config.SSHTrust{FirstUse: true}
	text := func(s string) config.Text { return config.Text{Value: s} }
	cfg := &config.Config{Gateway: config.Gateway{State: state}, Endpoints: []config.Endpoint{
		{Name: text("box"), Port: 22, Profiles: []config.Text{text("dev")}, SSH: trust, IP: netip.MustParseAddr("192.0.2.7")},
		{Name: text("jump"), Port: 2222, Profiles: []config.Text{text("ops")}, SSH: trust},
		{Name: text("db"), Port: 5432, Profiles: []config.Text{text("dev")}},
	}}
	all, err := KnownHosts(cfg, "")
	if err != nil {
		t.Fatal(err)
	}
	dev, err := knownHosts(cfg, "dev", func(string) (netip.Addr, bool) { return netip.MustParseAddr("10.89.128.1"), true })
	if err != nil {
		t.Fatal(err)
	}
	none, err := KnownHosts(cfg, "nobody")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(all, "box,192.0.2.7 ssh-ed25519 ") || !strings.Contains(all, "\n[jump]:2222 ssh-ed25519 ") || strings.Contains(all, "db") {
		t.Errorf("everybody:\n%s", all)
	}
	if !strings.HasPrefix(dev, "box,10.89.128.1,192.0.2.7 ssh-ed25519 ") || strings.Count(dev, "\n") != 1 || none != "" {
		t.Errorf("dev:\n%s\nnobody:\n%s", dev, none)
	}
	if i, err := os.Stat(filepath.Join(state, "ssh_host_ed25519_key")); err != nil || i.Mode() != 0o600 {
		t.Errorf("the key: %v, %v", i, err)
	}
}
