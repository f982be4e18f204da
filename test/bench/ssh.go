package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// sshExecAgent is the first argument of this command when it runs commands over one open connection of SSH inside of the tunnel, and prints
// the median of their times in microseconds.
const sshExecAgent = "ssh-exec-agent"

// sshEndpoints are compared: a relay of SSH that the agent speaks with the server, and SSH that ends in the gateway. Both use AES-128-GCM.
var sshEndpoints = [2]string{"relay", "inspected"}

// sshBench compares SSH.
type sshBench struct {
	settings
	gw       *rig.Gateway
	work     string
	self     string
	user     string
	port     int // of OpenSSH's server
	execPort int // of the one that answers every command at once
	rows     []row
}

// measureSSH measures SSH: OpenSSH's server behind the gateway, its clients inside of the tunnel.
func measureSSH(ctx context.Context, s settings, work, binary string) (err error) {
	b := &sshBench{settings: s, work: filepath.Join(work, "ssh")}
	who, err := user.Current()
	if err != nil {
		return err
	}
	b.user = who.Username
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(b.work, "gateway"), 0o700); err != nil {
		return err
	}
	stop, err := b.servers(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if b.gw, err = rig.New(ctx, binary, filepath.Join(b.work, "gateway"), b.configuration()); err != nil {
		return err
	}
	progress("starting the gateway")
	if err := b.gw.Serve(ctx); err != nil {
		return err
	}
	defer b.gw.Stop()
	for _, step := range []func(context.Context) error{b.transfers, b.execs} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("%w\nthe gateway said:\n%s", err, tailOf(b.gw.Log(), 20))
		}
	}
	printTable([4]string{"SSH", sshEndpoints[0], sshEndpoints[1], "ratio"}, b.rows)
	fmt.Printf("\nmedians of %d rounds of %d MiB, over connections that are open; CPU is the gateway's own; AES-128-GCM everywhere\n", b.rounds, b.sshMiB)
	return nil
}

func (b *sshBench) configuration() string {
	var t strings.Builder
	fmt.Fprintf(&t, "[plugins]\nssh = \"builtin\"\n\n[[credential]]\nname = \"login\"\nuser = %q\nkey = \"file:%s/login\"\n\n[[rule]]\nname = \"work\"\nwhen = 'true'\nthen = \"allow\"\n\n[[rule]]\nname = \"no removing\"\nwhen = 'ssh.programs.exists(p, p == \"rm\")'\nthen = \"deny\"\n\n", b.user, b.work)
	host, _ := os.ReadFile(b.work + "/host.pub")
	for suffix, port := range map[string]int{"": b.port, "-exec": b.execPort} {
		fmt.Fprintf(&t, "[[endpoint]]\nname = \"relay%s\"\naddress = \"127.0.0.1:%d\"\nplugin = \"none\"\nprofiles = [\"agents\"]\n\n", suffix, port)
		fmt.Fprintf(&t, "[[endpoint]]\nname = \"inspected%s\"\naddress = \"127.0.0.1:%d\"\nplugin = \"ssh\"\nhost_key = %q\nprofiles = { agents = \"login\" }\n\n", suffix, port, strings.TrimSpace(string(host)))
	}
	return t.String()
}

// servers starts OpenSSH's, and one that answers every command at once.
func (b *sshBench) servers(ctx context.Context) (stop func(), err error) {
	host, err := writeSSHKey(b.work + "/host")
	if err != nil {
		return nil, err
	}
	if _, err := writeSSHKey(b.work + "/login"); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b.port = l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	config := fmt.Sprintf("ListenAddress 127.0.0.1:%d\nHostKey %[2]s/host\nAuthorizedKeysFile %[2]s/login.pub\nPidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n", b.port, b.work)
	if err := os.WriteFile(b.work+"/sshd_config", []byte(config), 0o600); err != nil {
		return nil, err
	}
	_ = os.MkdirAll("/run/sshd", 0o755)
	sshd := exec.CommandContext(ctx, "/usr/sbin/sshd", "-D", "-E", b.work+"/sshd.log", "-f", b.work+"/sshd_config")
	if err := sshd.Start(); err != nil {
		return nil, err
	}
	if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	b.execPort = l.Addr().(*net.TCPAddr).Port
	go answerCommands(l, host)
	for range 500 {
		if c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(b.port)); err == nil {
			_ = c.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return func() {
		_ = l.Close()
		_ = sshd.Process.Kill()
		_ = sshd.Wait()
	}, nil
}

func writeSSHKey(path string) (ssh.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return nil, err
	}
	return signer, errors.Join(os.WriteFile(path, pem.EncodeToMemory(block), 0o600), os.WriteFile(path+".pub", ssh.MarshalAuthorizedKey(signer.PublicKey()), 0o600))
}

// answerCommands is a server whose commands are done at once.
func answerCommands(l net.Listener, host ssh.Signer) {
	config := &ssh.ServerConfig{NoClientAuth: true, PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil }}
	config.AddHostKey(host)
	for {
		k, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer k.Close()
			_, channels, requests, err := ssh.NewServerConn(k, config)
			if err != nil {
				return
			}
			go ssh.DiscardRequests(requests)
			for n := range channels {
				ch, requests, err := n.Accept()
				if err != nil {
					return
				}
				go func() {
					for r := range requests {
						_ = r.Reply(r.Type == "exec", nil)
						if r.Type == "exec" {
							_, _ = ch.Write([]byte("done\n"))
							_, _ = ch.SendRequest("exit-status", false, []byte{0, 0, 0, 0})
							_ = ch.Close()
						}
					}
				}()
			}
		}()
	}
}

// transfers measures downloads and uploads over a connection that is open already.
func (b *sshBench) transfers(ctx context.Context) error {
	file := b.work + "/file"
	if err := exec.CommandContext(ctx, "sh", "-c", fmt.Sprintf("head -c %d /dev/urandom > %s", b.sshMiB<<20, file)).Run(); err != nil {
		return err
	}
	at := b.user + "@$E"
	for _, c := range []struct{ name, command string }{
		{"ssh cat, download, MB/s", "ssh $O " + at + " 'cat " + file + "' > /dev/null"},
		{"ssh cat, upload, MB/s", "ssh $O " + at + " 'cat > /dev/null' < " + file},
		{"scp -O, download, MB/s", "scp -O -q $O " + at + ":" + file + " /dev/null"},
		{"scp -O, upload, MB/s", "scp -O -q $O " + file + " " + at + ":/dev/null"},
		{"sftp, 64 requests, download, MB/s", "echo get " + file + " /dev/null | sftp -q -R 64 -B 32768 $O -b - " + at + " > /dev/null"},
		{"sftp, 64 requests, upload, MB/s", "echo put " + file + " " + file + ".$E | sftp -q -R 64 -B 32768 $O -b - " + at + " > /dev/null"},
	} {
		var rate, cpu [2][]float64
		for range b.rounds {
			for i, endpoint := range sshEndpoints {
				progress("ssh: " + c.name + ", " + endpoint)
				script := "set -e; E=" + endpoint + "; O='-F " + b.work + "/client -o ControlPath=" + b.work + "/master'; ssh $O -M -o ControlPersist=yes -fnN " + at + "; ssh $O " + at + " true; a=$(date +%s%N); " + c.command +
					"; b=$(date +%s%N); ssh $O -O exit " + at + " 2>/dev/null; echo $((b-a))"
				if err := b.clientConfig(); err != nil {
					return err
				}
				before := cpuTime(b.gw.PID())
				cmd := b.gw.Agent(ctx, "sh", "-c", script)
				cmd.Env = append(cmd.Env, "SSH_AUTH_SOCK=")
				out, err := cmd.Output()
				if err != nil {
					return fmt.Errorf("%s at %s: %w: %s", c.name, endpoint, err, stderrOf(err))
				}
				ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
				if err != nil {
					return fmt.Errorf("%s at %s: %w", c.name, endpoint, err)
				}
				bytes := float64(b.sshMiB << 20)
				rate[i] = append(rate[i], bytes/ns*1e3)
				cpu[i] = append(cpu[i], (cpuTime(b.gw.PID())-before).Seconds()/bytes*1e9)
			}
		}
		r, p := [2]float64{median(rate[0]), median(rate[1])}, [2]float64{median(cpu[0]), median(cpu[1])}
		b.rows = append(b.rows, row{c.name, fmt.Sprintf("%.0f", r[0]), fmt.Sprintf("%.0f", r[1]), ratio(r[1], r[0])},
			row{"  CPU s for each GB", fmt.Sprintf("%.2f", p[0]), fmt.Sprintf("%.2f", p[1]), ratio(p[1], p[0])})
	}
	return nil
}

// clientConfig is what OpenSSH's clients read.
func (b *sshBench) clientConfig() error {
	text := fmt.Sprintf("Host *\n Port %d\n BatchMode yes\n IdentityFile %s/login\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n LogLevel ERROR\n Ciphers aes128-gcm@openssh.com\n", b.port, b.work)
	return os.WriteFile(b.work+"/client", []byte(text), 0o600)
}

// execs measures commands over a connection that is open.
func (b *sshBench) execs(ctx context.Context) error {
	var took [2][]float64
	for range b.rounds {
		for i, endpoint := range sshEndpoints {
			progress("ssh: commands, " + endpoint)
			out, err := b.gw.Agent(ctx, b.self, sshExecAgent, fmt.Sprintf("%s-exec:%d", endpoint, b.execPort), "200").Output()
			if err != nil {
				return fmt.Errorf("commands at %s: %w: %s", endpoint, err, stderrOf(err))
			}
			us, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
			if err != nil {
				return err
			}
			took[i] = append(took[i], us)
		}
	}
	a, c := median(took[0]), median(took[1])
	b.rows = append(b.rows, row{"a command, open connection, ms", fmt.Sprintf("%.2f", a/1e3), fmt.Sprintf("%.2f", c/1e3), fmt.Sprintf("+%.2f ms", (c-a)/1e3)})
	return nil
}

func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

func runSSHExecAgent(args []string) int {
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: ssh-exec-agent ADDRESS COUNT")
		return 2
	}
	n, err := strconv.Atoi(args[1])
	if err == nil {
		err = execMany(args[0], n)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ssh-exec-agent:", err)
		return 1
	}
	return 0
}

func execMany(address string, n int) error {
	c, err := ssh.Dial("tcp", address, &ssh.ClientConfig{User: "bench", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		return err
	}
	defer c.Close()
	var took []float64
	for range n {
		begin := time.Now()
		s, err := c.NewSession()
		if err != nil {
			return err
		}
		if out, err := s.Output("uname -a"); err != nil || string(out) != "done\n" {
			return fmt.Errorf("a command says %q: %w", out, err)
		}
		took = append(took, float64(time.Since(begin).Nanoseconds())/1e3)
	}
	fmt.Println(median(slices.Clone(took)))
	return nil
}
