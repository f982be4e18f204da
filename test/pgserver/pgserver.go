// Package pgserver starts a real PostgreSQL of the distribution for tests, the demo and the benchmark: on a free port of
// 127.0.0.1, in a directory of its own, as an unprivileged user when the caller is root, with every statement in its log.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Options say how the server runs.
type Options struct {
	Bin      string            // folder of the programs; that of Bin when empty
	Dir      string            // for data, log and socket; a temporary one when empty
	Settings map[string]string // of postgresql.conf
	Auth     string            // method for TCP connections in pg_hba.conf; "trust" when empty
	UserAuth map[string]string // methods for TCP connections of single users, before Auth
	HBA      string            // lines of pg_hba.conf before all others, such as "hostssl all alice 127.0.0.1/32 md5\n"
	// Certificate and Key, in PEM, turn TLS on.
	Certificate, Key []byte
}

// Server is a running PostgreSQL. Its superuser is "postgres".
type Server struct {
	Dir  string
	Port int

	cmd    *exec.Cmd
	exited chan error
	own    bool // Dir is ours to remove
}

// Bin is the folder of the newest PostgreSQL that the distribution installed.
func Bin() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	best, version := "", 0
	for _, f := range found {
		dir := filepath.Dir(f)
		if v, err := strconv.Atoi(filepath.Base(filepath.Dir(dir))); err == nil && v > version {
			best, version = dir, v
		}
	}
	if best == "" {
		return "", errors.New("no PostgreSQL under /usr/lib/postgresql: run scripts/deps test")
	}
	return best, nil
}

// Start initialises and starts a server, and returns when it answers.
func Start(ctx context.Context, o Options) (*Server, error) {
	bin := o.Bin
	if bin == "" {
		var err error
		if bin, err = Bin(); err != nil {
			return nil, err
		}
	}
	s := &Server{Dir: o.Dir}
	var err error
	if s.Dir == "" {
		if s.Dir, err = os.MkdirTemp("", "sallyport-pg"); err != nil {
			return nil, fmt.Errorf("pgserver: %w", err)
		}
		s.own = true
	}
	if err := s.start(ctx, bin, o); err != nil {
		s.Stop()
		return nil, fmt.Errorf("pgserver: %w", err)
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, bin string, o Options) error {
	as, err := unprivileged()
	if err != nil {
		return err
	}
	if as != nil {
		if err := os.Chown(s.Dir, int(as.Uid), int(as.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(s.Dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--no-sync", "-E", "UTF8", "--locale=C", "-A", "trust", "-U", "postgres", "-D", data)
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	initdb.Dir = s.Dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	auth := o.Auth
	if auth == "" {
		auth = "trust"
	}
	hba := "local all all trust\n" + o.HBA
	for user, method := range o.UserAuth {
		hba += "host all " + user + " 127.0.0.1/32 " + method + "\n"
	}
	hba += "host all all 127.0.0.1/32 " + auth + "\nhost replication all 127.0.0.1/32 " + auth + "\n"
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(hba), 0o644); err != nil {
		return err
	}
	settings := maps.Clone(o.Settings)
	if o.Certificate != nil {
		if settings == nil {
			settings = map[string]string{}
		}
		settings["ssl"] = "on"
		if err := withTLS(data, as, o); err != nil {
			return err
		}
	}
	// Another process may take the port between the choice and the start.
	for try := 0; ; try++ {
		err := s.launch(ctx, bin, data, as, settings)
		if err == nil || try == 4 || ctx.Err() != nil {
			return err
		}
	}
}

// withTLS puts certificate and key where the server looks for them. It wants the key to be its user's alone.
func withTLS(data string, as *syscall.Credential, o Options) error {
	for name, text := range map[string][]byte{"server.crt": o.Certificate, "server.key": o.Key} {
		path := filepath.Join(data, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
		if as == nil {
			continue
		}
		if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) launch(ctx context.Context, bin, data string, as *syscall.Credential, settings map[string]string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	log, err := os.Create(s.LogFile())
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-D", data, "-p", strconv.Itoa(s.Port), "-k", s.Dir, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
		"-c", "log_statement=all", "-c", "log_line_prefix=%p ", "-c", "shared_buffers=32MB"}
	for k, v := range settings {
		args = append(args, "-c", k+"="+v)
	}
	s.cmd = exec.Command(filepath.Join(bin, "postgres"), args...)
	// A test that is killed takes its server along ("immediate shutdown").
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
	s.cmd.Dir = s.Dir
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.exited = make(chan error, 1)
	go func() { s.exited <- s.cmd.Wait() }()
	return s.ready(ctx)
}

func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		if b, _ := os.ReadFile(s.LogFile()); strings.Contains(string(b), "database system is ready to accept connections") {
			return nil
		}
		select {
		case err := <-s.exited:
			s.exited <- err
			b, _ := os.ReadFile(s.LogFile())
			return fmt.Errorf("postgres ended (%v):\n%s", err, b)
		case <-ctx.Done():
			return fmt.Errorf("postgres does not become ready: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// LogFile is the server's own log.
func (s *Server) LogFile() string { return filepath.Join(s.Dir, "log") }

// Log returns what the server has logged.
func (s *Server) Log() string {
	b, _ := os.ReadFile(s.LogFile())
	return string(b)
}

// Address is where the server listens.
func (s *Server) Address() string { return "127.0.0.1:" + strconv.Itoa(s.Port) }

// Psql runs SQL on the server directly, as superuser over its Unix socket, and returns what psql printed.
func (s *Server) Psql(ctx context.Context, database, sql string) (string, error) {
	bin, err := Bin()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", s.Dir, "-p", strconv.Itoa(s.Port), "-U", "postgres", "-d", database)
	cmd.Stdin = strings.NewReader(sql)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("psql: %w: %s", err, out)
	}
	return strings.TrimRight(string(out), "\n"), nil
}

// Stop ends the server at once and removes what Start made.
func (s *Server) Stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // "immediate shutdown"
		select {
		case <-s.exited:
		case <-time.After(30 * time.Second):
			_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
			<-s.exited
		}
	}
	if s.own {
		_ = os.RemoveAll(s.Dir)
	}
}

// ForTest starts a server that ends with the test.
func ForTest(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// unprivileged is whom the server runs as when the caller is root, which PostgreSQL refuses to run as.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}
