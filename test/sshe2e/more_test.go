package sshe2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/test/npm"
)

// rules of the gateway of TestMore.
const rules = `
[[rule]]
name = "no touching"
when = 'ssh.command.startsWith("touch ")'
then = "deny"

[[rule]]
name = "no forbidden input"
endpoints = ["stdin"]
when = 'ssh.command == "sh" && ssh.stdin.contains("forbidden")'
then = "deny"

[[rule]]
name = "a person looks"
when = 'ssh.command.startsWith("echo held")'
then = "hold"
reason = "a person looks at this"

[[rule]]
name = "slow people"
when = 'connect.user == "slow"'
then = "hold"
timeout = "2s"

[[rule]]
name = "impatient people"
when = 'connect.user == "impatient"'
then = "hold"
timeout = "1h"

`

// TestMore: long sessions, other clients and servers, and attacks, through the whole of it.
func TestMore(t *testing.T) {
	w := startWith(t, allow, "RekeyLimit 2M\n")
	_, port, _ := strings.Cut(w.upstream, ":")
	quick := w.secondServer(t, port)
	g := w.through(w.endpoint("box", w.upstream, "") + w.endpoint("stdin", w.upstream, "[endpoint.options]\ninspect_stdin = true\n") +
		w.endpoint("recorded", w.upstream, "record = true\nrecord_limit = \"64KiB\"\n") + w.endpoint("typed", w.upstream, "record = true\nrecord_input = true\n") +
		w.endpoint("quick", quick, "") + rules)
	own := filepath.Join(g.dir, "own")
	write(t, own, "Host quick\n Port "+quick[strings.LastIndex(quick, ":")+1:]+"\nHost *\n Port "+port+"\n BatchMode yes\n IdentityFile none\n")
	client := "ssh -F " + own + " "

	// An idle session lives on while both ends ask whether the other one is there. What it takes is waited for at the end.
	idle := make(chan result)
	go func() {
		idle <- g.agentOf(g.idler, "", client+"-o ServerAliveInterval=1 -o ServerAliveCountMax=5 quick 'sleep 9; echo awake'")
	}()

	t.Run("recording", func(t *testing.T) { g.recording(t, client) })
	t.Run("recorded as it goes", func(t *testing.T) { g.recordedAsItGoes(t, client) })
	t.Run("new keys", func(t *testing.T) { g.newKeys(t, client) })
	t.Run("input", func(t *testing.T) { g.input(t, client) })
	t.Run("held", func(t *testing.T) { g.held(t, client) })
	t.Run("clients", func(t *testing.T) { g.clients(t, port) })
	t.Run("floods", func(t *testing.T) { g.floods(t, port) })
	t.Run("variables and signals", func(t *testing.T) {
		g.agent("", client+"-o SetEnv='LC_TEST=yes FOO=no' box 'echo $LC_TEST-$FOO-'").want(t, "variables by list", 0, "yes--", "")
		g.agent("", client+"box 'kill -9 $$'").want(t, "a signal", 255, "", "")
		if r := g.gw.Receipts(); !strings.Contains(r, `["exit_signal","KILL"]`) {
			t.Error("no receipt has the signal")
		}
	})
	r := <-idle
	r.want(t, "an idle session", 0, "awake", "welcome to the upstream")
}

// secondServer is one more server with the same keys, which asks every second whether its clients are there, and has a banner.
func (w *world) secondServer(t *testing.T, like string) string {
	t.Helper()
	port := freePort(t)
	config, err := os.ReadFile(filepath.Join(w.dir, "sshd_config"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(w.dir, "banner"), "welcome to the upstream\n")
	write(t, filepath.Join(w.dir, "quick_config"), strings.Replace(string(config), ":"+like, ":"+port, 1)+"ClientAliveInterval 1\nClientAliveCountMax 5\nBanner "+w.dir+"/banner\n")
	cmd := exec.Command(need(t, "sshd"), "-D", "-E", filepath.Join(w.dir, "quick.log"), "-f", filepath.Join(w.dir, "quick_config"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return "127.0.0.1:" + port
}

// newKeys: sessions in which both ends, and the gateway's, change keys again and again lose nothing.
func (g *gateway) newKeys(t *testing.T, client string) {
	script := "head -c 20000000 /dev/urandom > random; " + client + "-v -o RekeyLimit=3M box 'cat > " + g.dir + "/there && cat " + g.dir + "/there' < random > back 2> keys; s=$?; cmp random there && cmp random back || exit 1; exit $s"
	r := g.agent("", script)
	text, _ := os.ReadFile(filepath.Join(g.dir, "keys"))
	log, _ := os.ReadFile(g.log)
	if r.status != 0 {
		t.Errorf("%+v", r)
	}
	if n := bytes.Count(text, []byte("SSH2_MSG_NEWKEYS received")); n < 5 {
		t.Errorf("the client has changed keys %d times", n)
	}
	if n := bytes.Count(log, []byte("SSH2_MSG_NEWKEYS received")) + bytes.Count(log, []byte("rekey")); n < 10 {
		t.Errorf("the server has changed keys %d times", n)
	}
}

// input: what a shell would read is there for rules before anything of it runs.
func (g *gateway) input(t *testing.T, client string) {
	marker := filepath.Join(g.dir, "forbidden")
	g.agent("touch "+marker+"\n", client+"stdin sh").want(t, "input that is denied", 254, "", "no forbidden input")
	if _, err := os.Stat(marker); err == nil {
		t.Error("denied input ran")
	}
	g.agent("echo ran\n", client+"stdin sh").want(t, "input that is allowed", 0, "ran", "")
	g.agent("echo forbidden\n", client+"box sh").want(t, "input that nobody reads", 0, "forbidden", "")
	g.agent("forbidden text", client+"stdin cat").want(t, "input of what reads only", 0, "forbidden text", "")
}

// held: what waits for a person says so, goes on when somebody approves it, and never runs when somebody denies it.
func (g *gateway) held(t *testing.T, client string) {
	operator := func(args ...string) []byte {
		cmd := g.gw.Command(t.Context(), append(args, "--config", g.gw.Config)...)
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%q: %v %s", args, err, out)
		}
		return out
	}
	type hold struct{ ID, Digest string }
	list := func(n int) (waiting []hold) { // once there are so many
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			waiting = nil
			if err := json.Unmarshal(operator("holds", "list", "--json"), &waiting); err != nil {
				t.Fatal(err)
			}
			if len(waiting) == n {
				break
			}
		}
		return waiting
	}
	for _, c := range []struct {
		decision string
		status   int
		out, err string
	}{{"approve", 0, "held and run", "sallyport: held as "}, {"reject", 254, "", "rejected by"}} {
		done := make(chan result)
		go func() { done <- g.agent("", client+"box 'echo held and run'") }()
		waiting := list(1)
		if len(waiting) != 1 {
			t.Fatalf("%d actions wait", len(waiting))
		}
		if c.decision == "approve" {
			operator("holds", "approve", waiting[0].ID, "--digest", waiting[0].Digest)
		} else {
			operator("holds", "reject", waiting[0].ID)
		}
		r := <-done
		r.want(t, "held, then "+c.decision, c.status, c.out, c.err)
		if c.decision == "reject" && strings.Contains(r.out, "run") {
			t.Errorf("it ran: %+v", r)
		}
	}
	// An agent that leaves while its login waits takes that with it.
	done := make(chan result)
	go func() {
		done <- g.agent("", client+"impatient@box true & until [ -e left ]; do sleep 0.05; done; kill $!; wait")
	}()
	if n := len(list(1)); n != 1 {
		t.Errorf("%d logins wait", n)
	}
	write(t, filepath.Join(g.dir, "left"), "")
	<-done
	if n := len(list(0)); n != 0 {
		t.Errorf("%d logins wait although their agent has left", n)
	}
	// A login that nobody decides about ends with its hold.
	g.agent("", client+"slow@box true").want(t, "a login that nobody approves", 255, "", "sallyport: ")
}

// clients: programs that are not OpenSSH's.
func (g *gateway) clients(t *testing.T, port string) {
	write(t, filepath.Join(g.dir, "p.py"), strings.NewReplacer(`"127.0.0.1"`, `"box"`, "assert b\"sallyport: not touch\" in e.read()", "assert b\"no touching\" in e.read()",
		"try:\n    s.remove(sys.argv[3] + \"/p\")\n    sys.exit(\"removed\")\nexcept PermissionError as e:\n    pass\nexcept IOError as e:\n    assert \"sallyport\" in str(e), e\n", "").Replace(paramiko)+hugeWindow)
	g.agent("", "/usr/bin/python3 p.py "+port+" somebody "+g.dir).want(t, "paramiko", 0, "all well\nas large", "")
	g.agent("typed", "dbclient -y -y -p "+port+" somebody@box cat").want(t, "dropbear's client", 0, "typed", "")
	write(t, filepath.Join(g.dir, "inventory"), fmt.Sprintf("box ansible_ssh_common_args='-F %s/own' ansible_python_interpreter=/usr/bin/python3\n", g.dir))
	write(t, filepath.Join(g.dir, "source"), "text")
	g.agent("", "LC_ALL=C.UTF-8 ansible -i inventory box -m copy -a 'src=source dest="+g.dir+"/copied2'").want(t, "ansible", 0, "CHANGED", "")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	modules, err := npm.Install(ctx, []byte(`{"private": true, "dependencies": {"ssh2": "1.16.0"}}`))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(g.dir, "client.js"), ssh2)
	g.agent("", "NODE_PATH="+modules+"/node_modules node client.js "+port+" "+g.dir).want(t, "ssh2 of npm", 0, "all well", "")
	if _, err := os.Stat(filepath.Join(g.dir, "marker")); err == nil {
		t.Error("a denied command ran")
	}
}

// hugeWindow is a client that never has the server wait.
const hugeWindow = `
c = paramiko.SSHClient()
c.set_missing_host_key_policy(paramiko.AutoAddPolicy())
c.connect("box", port=int(sys.argv[1]), username="x", password="whatever", look_for_keys=False, allow_agent=False)
ch = c.get_transport().open_session(window_size=2**31 - 1, max_packet_size=2**18)
ch.exec_command("head -c 20000000 /dev/zero")
n = 0
while True:
    b = ch.recv(1 << 20)
    if not b: break
    n += len(b)
assert n == 20000000, n
c.close()
print("as large")
`

const ssh2 = `
const { Client } = require("ssh2"), fs = require("fs"), [, , port, dir] = process.argv;
const c = new Client(), fail = e => { console.error(e); process.exit(1); };
const exec = (command, input) => new Promise((ok, no) => c.exec(command, (e, s) => {
  if (e) return no(e);
  let out = "", err = "";
  s.on("data", d => out += d).on("close", status => ok({ out, err, status })).stderr.on("data", d => err += d);
  s.end(input);
}));
c.on("error", fail).on("ready", async () => {
  try {
    let r = await exec("cat; exit 3", "from node");
    if (r.out != "from node" || r.status != 3) fail(r);
    r = await exec("touch " + dir + "/marker", "");
    if (r.status != 254 || !r.err.includes("no touching")) fail(r);
    const sftp = await new Promise((ok, no) => c.sftp((e, s) => e ? no(e) : ok(s)));
    const data = Buffer.alloc(3000000, "0123456789");
    fs.writeFileSync(dir + "/n1", data);
    await new Promise((ok, no) => sftp.fastPut(dir + "/n1", dir + "/n2", e => e ? no(e) : ok()));
    await new Promise((ok, no) => sftp.fastGet(dir + "/n2", dir + "/n3", e => e ? no(e) : ok()));
    if (!data.equals(fs.readFileSync(dir + "/n3"))) fail("other data");
    console.log("all well");
    c.end();
  } catch (e) { fail(e); }
}).connect({ host: "box", port: +port, username: "somebody", password: "whatever" });
`
