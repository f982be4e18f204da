// Package chserver starts a real ClickHouse of the distribution for tests and the benchmark: on free ports of 127.0.0.1, in a
// directory of its own, with every query in system.query_log.
package chserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Programs of the distribution.
const (
	Server = "/usr/sbin/clickhouse-server"
	Client = "/usr/bin/clickhouse-client"
)

// The users: one without a password, and one with it.
const (
	User     = "bob"
	Password = "right-4f1c"
)

// Instance is a running server.
type Instance struct {
	Dir          string
	Native, HTTP int // ports
	cmd          *exec.Cmd
	exited       chan error
	errors       bytes.Buffer
}

const config = `<yandex>
<logger><level>warning</level><log>%[1]s/log</log><errorlog>%[1]s/errors</errorlog></logger>
<http_port>%[2]d</http_port><tcp_port>%[3]d</tcp_port><listen_host>127.0.0.1</listen_host>
<path>%[1]s/data/</path><tmp_path>%[1]s/tmp/</tmp_path><users_config>users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database><mark_cache_size>67108864</mark_cache_size>
<query_log><database>system</database><table>query_log</table><flush_interval_milliseconds>100</flush_interval_milliseconds></query_log>
</yandex>
`

const users = `<yandex>
<profiles><default><log_queries>1</log_queries></default></profiles>
<users>
<default><password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></default>
<%[1]s><password>%[2]s</password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></%[1]s>
</users>
<quotas><default></default></quotas>
</yandex>
`

// Start starts a server in dir and returns when it answers.
func Start(ctx context.Context, dir string) (*Instance, error) {
	if _, err := os.Stat(Server); err != nil {
		return nil, fmt.Errorf("chserver: no clickhouse-server: run scripts/deps test: %w", err)
	}
	var err error
	for range 5 { // a port that was free may be taken meanwhile
		s := &Instance{Dir: dir, exited: make(chan error, 1)}
		if err = s.start(ctx); err == nil {
			return s, nil
		}
		s.Stop()
	}
	return nil, fmt.Errorf("chserver: %w", err)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *Instance) start(ctx context.Context) (err error) {
	if s.Native, err = freePort(); err != nil {
		return err
	}
	if s.HTTP, err = freePort(); err != nil {
		return err
	}
	for _, d := range []string{"data", "tmp"} {
		if err := os.MkdirAll(filepath.Join(s.Dir, d), 0o700); err != nil {
			return err
		}
	}
	path := filepath.Join(s.Dir, "config.xml")
	if err := os.WriteFile(path, fmt.Appendf(nil, config, s.Dir, s.HTTP, s.Native), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "users.xml"), fmt.Appendf(nil, users, User, Password), 0o600); err != nil {
		return err
	}
	s.cmd = exec.Command(Server, "--config-file="+path)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.Dir, &s.errors, &s.errors
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	exited := s.exited
	go func(cmd *exec.Cmd) { exited <- cmd.Wait() }(s.cmd)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		if out, err := s.Query(ctx, "SELECT 1"); err == nil && out == "1" {
			return nil
		}
		select {
		case err := <-s.exited:
			s.exited <- err
			return fmt.Errorf("the server ended (%v): %s", err, s.errors.String())
		case <-ctx.Done():
			return errors.New("the server does not answer")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop ends the server.
func (s *Instance) Stop() {
	if s == nil || s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.exited
	s.cmd = nil
}

// Query asks the server directly, as default.
func (s *Instance) Query(ctx context.Context, text string) (string, error) {
	out, err := exec.CommandContext(ctx, Client, "--host", "127.0.0.1", "--port", fmt.Sprint(s.Native), "-n", "-q", text).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("clickhouse-client: %w: %s", err, out)
	}
	return strings.TrimRight(string(out), "\n"), nil
}

// Saw reports whether a query with this in its text was begun, as the server's own log has it. It waits until the log has what is older.
func (s *Instance) Saw(ctx context.Context, part string) (bool, error) {
	mark := fmt.Sprintf("mark-%d", time.Now().UnixNano())
	if _, err := s.Query(ctx, "SELECT '"+mark+"'"); err != nil {
		return false, err
	}
	for {
		n, err := s.Query(ctx, "SELECT count() FROM system.query_log WHERE query LIKE '%"+mark+"%' AND query NOT LIKE '%query_log%'")
		if err == nil && n != "0" {
			break
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("the query log does not come: %w (%v)", ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	n, err := s.Query(ctx, "SELECT count() FROM system.query_log WHERE position(query, '"+strings.ReplaceAll(part, "'", "\\'")+"') > 0 AND query NOT LIKE '%query_log%'")
	return n != "0", err
}
