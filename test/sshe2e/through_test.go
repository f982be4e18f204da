package sshe2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// gateway is the whole command: `sallyport serve` before a server, and clients in `sallyport run`.
type gateway struct {
	*world
	gw    *rig.Gateway
	idler string // a second peer: one has one tunnel at a time
}

// through serves two endpoints, box and second, which are the same server.
func through(t *testing.T) *gateway {
	t.Helper()
	w := start(t, allow)
	tables := w.endpoint("box", w.upstream, "") + w.endpoint("second", w.upstream, "")
	for name, when := range map[string]string{"no touching": `ssh.command.startsWith("touch ")`, "no removing": `ssh.operation == "remove"`, "no listening": `ssh.kind == "remote-forward"`, "no keys": `ssh.kind == "agent-forward"`, "not there": `ssh.port == 1`} {
		tables += fmt.Sprintf("[[rule]]\nname = %q\nwhen = '%s'\nthen = \"deny\"\nreason = \"because of %s\"\n\n", name, when, name)
	}
	return w.through(tables)
}

// endpoint is the table of an endpoint before a server that has the host key of w.
func (w *world) endpoint(name, address, more string) string {
	w.t.Helper()
	pub, err := os.ReadFile(filepath.Join(w.dir, "hostkey.pub"))
	if err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprintf("[[endpoint]]\nname = %q\naddress = %q\nplugin = \"ssh\"\nhost_key = %q\nprofiles = { agents = \"deploy\" }\n%s\n", name, address, strings.TrimSpace(string(pub)), more)
}

// through serves what tables say, and allows all that nothing of them denies.
func (w *world) through(tables string) *gateway {
	t := w.t
	t.Helper()
	binary, err := rig.Build(t.Context(), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(w.dir, "gateway")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("[plugins]\nssh = \"builtin\"\n\n[[credential]]\nname = \"deploy\"\nuser = %q\nkey = \"file:%s\"\n\n", w.user, filepath.Join(w.dir, "login"))
	all := "[[rule]]\nname = \"everything\"\nwhen = 'true'\nthen = \"allow\"\n"
	g := &gateway{world: w}
	if g.gw, err = rig.New(t.Context(), binary, dir, head+tables+all); err != nil {
		t.Fatal(err)
	}
	if g.idler, err = g.gw.AddPeer(t.Context(), "idler", "agents"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.gw.Stop(); err != nil {
			t.Errorf("the gateway: %v", err)
		}
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", g.gw.Log())
		}
	})
	if err := g.gw.Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	return g
}

// agent runs a shell script in the tunnel.
func (g *gateway) agent(stdin, script string) result {
	g.t.Helper()
	return g.agentOf(g.gw.Peer, stdin, script)
}

func (g *gateway) agentOf(peer, stdin, script string) result {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	cmd := g.gw.Command(ctx, "run", "--peer", peer, "--", "sh", "-c", "cd "+g.dir+"; "+script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(cmd.Env, "HOME="+g.dir, "SSH_AUTH_SOCK=")
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	if ctx.Err() != nil {
		g.t.Errorf("%s did not end\n%s\n%s", script, out.String(), errs.String())
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// TestThrough: real clients through the whole of it, with the user's own files as they are.
func TestThrough(t *testing.T) {
	g := through(t)
	_, port, _ := strings.Cut(g.upstream, ":")
	own := filepath.Join(g.dir, "own") // the server does not listen at 22, so neither do the endpoints
	write(t, own, "Host box second\n Port "+port+"\nHost *\n BatchMode yes\n IdentityFile none\n")
	client := "ssh -F " + own + " "
	g.agent("input", client+"box 'cat; exit 3'").want(t, "a command", 3, "input", "")
	g.agent("", client+"box 'echo out; echo err >&2'").want(t, "both outputs", 0, "out", "err")
	marker := filepath.Join(g.dir, "marker")
	g.agent("never", client+"box 'touch "+marker+"'").want(t, "a denied command", 254, "", "because of no touching (rule no touching, receipt ")
	if _, err := os.Stat(marker); err == nil || g.serverSaw(marker) {
		t.Error("a denied command reached the server")
	}
	g.agent("exit 4\n", client+"-tt box").want(t, "a shell", 4, "", "")
	g.agent("", "head -c 20000000 /dev/zero | "+client+"box 'wc -c; head -c 20000000 /dev/zero' | tail -c +9 | wc -c").want(t, "20 MB each way", 0, "", "")

	text := strings.Repeat("0123456789abcdef", 200<<10)
	write(t, filepath.Join(g.dir, "a"), text)
	dir := g.dir
	for what, script := range map[string]string{
		"scp -O": "scp -F " + own + " -q -O a box:" + dir + "/x1 && scp -F " + own + " -q -O box:" + dir + "/x1 y1 && cmp a y1", "scp": "scp -F " + own + " -q a box:" + dir + "/x2 && scp -F " + own + " -q box:" + dir + "/x2 y2 && cmp a y2",
		"sftp":  "printf 'put a x3\\nget x3 y3\\nls\\n' | sftp -F " + own + " -q -b - box:" + dir + " && cmp a y3",
		"rsync": "export RSYNC_RSH='ssh -F " + own + "'; rsync -q a box:" + dir + "/x4 && rsync -q box:" + dir + "/x4 y4 && cmp a y4",
		"git":   "export GIT_SSH_COMMAND='ssh -F " + own + "'; git init -q r && git -C r -c user.name=x -c user.email=x@y commit -q --allow-empty -m x && git clone -q box:" + dir + "/r c && git -C c push -q origin HEAD:other",
		"a master": client + "-M -S m -o ControlPersist=yes -fnN box && " + client + "-S m box true && ! " + client + "-S m box 'touch " + marker + "' && " + client + "-S m box true; s=$?; " + client +
			"-S m -O exit box; exit $s",
		"a machine behind an endpoint": "test \"$(ssh -F " + own + " -J box -i login -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -p " + port + " " + g.user + "@127.0.0.1 'echo jumped')\" = jumped",
	} {
		if r := g.agent("", script); r.status != 0 {
			t.Errorf("%s: %+v", what, r)
		}
	}
	g.agent("rm x1\n", "sftp -F "+own+" -q -b - box:"+dir).want(t, "a denied removal", 1, "", "because of no removing")
	g.agent("", client+"-R 0:127.0.0.1:1 box 'echo alive'").want(t, "ssh -R", 0, "alive", "because of no listening")
	g.agent("", client+"-W 127.0.0.1:1 box").want(t, "ssh -W to where it is denied", 255, "", "because of not there")
	receipts := g.gw.Receipts()
	for _, want := range []string{`"no touching"`, `"no removing"`, `"no listening"`, `"not there"`} {
		if !strings.Contains(receipts, want) {
			t.Errorf("no receipt has %s", want)
		}
	}
	if _, err := os.Stat(filepath.Join(g.dir, ".ssh")); err == nil {
		t.Error("the user's own files were written to")
	}
}
