package web

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// others are servers that are not there from the beginning of every test: nghttpd speaks HTTP/2 and nothing else, caddy is written in Go.
type others struct {
	nghttp, caddy int // their ports
	processes     []*exec.Cmd
}

const caddyConfiguration = `{
	admin off
	auto_https off
	skip_install_trust
	servers {
		protocols h1 h2
	}
}
https://127.0.0.1:%[2]d, https://caddy:%[2]d {
	bind 127.0.0.1
	tls %[1]s/cert.pem %[1]s/key.pem
	root * %[1]s/www
	file_server
}
`

func (o *others) start(dir string) (err error) {
	for _, p := range []*int{&o.nghttp, &o.caddy} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		*p = l.Addr().(*net.TCPAddr).Port
		defer l.Close()
	}
	return nil
}

// run starts the programs on their ports, which nobody else has by now.
func (o *others) run(dir string) error {
	caddyfile := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(caddyfile, fmt.Appendf(nil, caddyConfiguration, dir, o.caddy), 0o644); err != nil {
		return err
	}
	return errors.Join(
		o.program(dir, "/usr/sbin/nghttpd", "--address=127.0.0.1", "--htdocs="+filepath.Join(dir, "www"), "--echo-upload", fmt.Sprint(o.nghttp), filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")),
		o.program(dir, "/usr/bin/caddy", "run", "--config", caddyfile, "--adapter", "caddyfile"))
}

func (o *others) program(dir, name string, args ...string) error {
	var log bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &log, &log, dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	o.processes = append(o.processes, cmd)
	return nil
}

func (o *others) stop() {
	for _, cmd := range o.processes {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
}
