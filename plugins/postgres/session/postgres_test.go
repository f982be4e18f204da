package session

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgres is a real server, started for the first test that wants it, with every statement in its log.
type postgres struct {
	once  sync.Once
	err   error
	dir   string
	port  int
	cmd   *exec.Cmd
	stdin io.Closer // closing it ends the server
	done  chan struct{}
}

var server postgres

// address starts the server if need be and returns where it listens.
func (p *postgres) address(tb testing.TB) string {
	tb.Helper()
	p.once.Do(func() { p.err = p.start() })
	if p.err != nil {
		tb.Fatal(p.err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port))
}

func (p *postgres) url() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", p.port)
}

func (p *postgres) start() (err error) {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if len(bins) == 0 {
		return fmt.Errorf("no PostgreSQL in /usr/lib/postgresql: install the package postgresql")
	}
	bin := bins[len(bins)-1]
	if p.dir, err = os.MkdirTemp("", "sallyport-pg"); err != nil {
		return err
	}
	var credential *syscall.Credential
	if os.Getuid() == 0 {
		u, err := user.Lookup("nobody")
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(p.dir, uid, gid); err != nil {
			return err
		}
	}
	attributes := &syscall.SysProcAttr{Credential: credential}
	data := filepath.Join(p.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
	initdb.Dir, initdb.SysProcAttr = p.dir, attributes
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	hba := "host all scram 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(hba), 0o644); err != nil {
		return err
	}
	// Somebody else may take the port between finding it and using it: the server ends then, and another one is tried.
	for range 5 {
		if err = p.run(filepath.Join(bin, "postgres"), data, attributes); err == nil {
			return nil
		}
	}
	return err
}

// watched runs a program until its standard input ends, so that it does not outlive the tests even if they are killed.
const watched = `exec 3<&0; (cat <&3 >/dev/null; kill -QUIT $$) & exec "$@" 3<&- </dev/null`

// run starts the server on a free port and waits until it answers.
func (p *postgres) run(program, data string, attributes *syscall.SysProcAttr) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	log, err := os.Create(filepath.Join(p.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	p.cmd = exec.Command("sh", "-c", watched, "sh", program, "-D", data, "-p", strconv.Itoa(p.port), "-k", "", "-h", "127.0.0.1",
		"-F", "-c", "log_statement=all", "-c", "log_min_messages=log", "-c", "shared_buffers=16MB", "-c", "max_connections=40")
	p.cmd.Dir, p.cmd.SysProcAttr, p.cmd.Stdout, p.cmd.Stderr = p.dir, attributes, log, log
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.done = make(chan struct{})
	go func() { defer close(p.done); p.cmd.Wait() }()
	for deadline := time.Now().Add(patience); ; {
		conn, err := pgx.Connect(context.Background(), p.url())
		if err == nil {
			return conn.Close(context.Background())
		}
		select {
		case <-p.done:
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("the server ended\n%s", text)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.stdin.Close()
			<-p.done
			return fmt.Errorf("the server does not answer: %w", err)
		}
	}
}

func (p *postgres) stop() {
	if p.done != nil {
		p.stdin.Close()
		<-p.done
	}
	if p.dir != "" {
		os.RemoveAll(p.dir)
	}
}

// logged reports whether the server has ever been given text.
func (p *postgres) logged(tb testing.TB, text string) bool {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.Contains(b, []byte(text))
}
