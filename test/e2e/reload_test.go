package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// TestReload: a running gateway takes up another configuration, on `sallyport reload` and on SIGHUP; a session that is open goes on
// under the rules that it began with, a new peer gets in, and a broken configuration changes nothing.
func TestReload(t *testing.T) {
	w := shared
	gw := w.gateway(t.Context(), t, w.oneEndpoint("deny"))
	ctx := w.deadline(t, gw)
	database := w.database(ctx, t, shop)

	reload := func(args ...string) printed {
		return finish(ctx, t, gw.Command(ctx, append([]string{"reload", gw.Config}, args...)...), "")
	}
	if got := reload(); got.status != 1 || !strings.Contains(got.err, "no gateway is running") {
		t.Errorf("without a gateway: %+v", got)
	}
	serve(ctx, t, gw)
	if got := reload(); got.status != 0 || !strings.Contains(got.out, "nothing has changed") {
		t.Errorf("the same again: %+v", got)
	}

	// A session that began under the old rules.
	session := w.psqlCommand(ctx, gw, "db", "postgres", database)
	stdin, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	say := func(script, answer string) {
		t.Helper()
		if _, err := io.WriteString(stdin, script); err != nil {
			t.Fatal(err)
		}
		if line, err := lines.ReadString('\n'); line != answer+"\n" {
			t.Errorf("%q is answered with %q, %v", script, line, err)
		}
	}
	say("select 'open';\n", "open")

	edit(t, gw.Config, `then = "deny"`, `then = "allow"`)
	if got := reload(); got.status != 0 || !strings.Contains(got.out, "changed  rule drops\n") || strings.Count(got.out, "\n") != 2 {
		t.Errorf("a rule changed: %+v", got)
	}
	say("drop table customers;\nselect 'still', count(*) from customers;\n", "still|3")
	stdin.Close()
	if err := session.Wait(); err != nil {
		t.Errorf("the session ended with %v", err)
	}

	// Another peer, which the configuration that the gateway started with does not have, and the new rules.
	peer, err := gw.AddPeer(ctx, "second", "agents")
	if err != nil {
		t.Fatal(err)
	}
	got := reload("--json")
	var change struct{ Peers struct{ Added []string } }
	if err := json.Unmarshal([]byte(got.out), &change); err != nil || len(change.Peers.Added) != 1 || change.Peers.Added[0] != "second" {
		t.Errorf("a peer was added: %+v, %v", got, err)
	}
	second := rig.Existing(gw.Binary, gw.Dir)
	second.Peer = peer
	if got := finish(ctx, t, w.psqlCommand(ctx, second, "db", "postgres", database), "drop table customers;\nselect 'gone';"); got.out != "gone\n" || got.err != "" {
		t.Errorf("under the new rules: %+v", got)
	}

	// What is broken changes nothing, and is said with its place.
	edit(t, gw.Config, `then = "allow"`, `then = "alow"`)
	if got := reload(); got.status != 1 || !strings.Contains(got.err, gw.Config+":") || !strings.Contains(got.err, `"allow"`) {
		t.Errorf("a broken configuration: %+v", got)
	}
	if err := syscall.Kill(gw.PID(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "the gateway's complaint", func() bool { return strings.Contains(gw.Log(), "not reloaded") })
	if got := finish(ctx, t, w.psqlCommand(ctx, second, "db", "postgres", database), "select 'works';"); got.out != "works\n" {
		t.Errorf("after a broken configuration: %+v", got)
	}
	edit(t, gw.Config, `then = "alow"`, `then = "allow"`)
	before := strings.Count(gw.Log(), "msg=reloaded")
	if err := syscall.Kill(gw.PID(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "the reload after SIGHUP", func() bool { return strings.Count(gw.Log(), "msg=reloaded") > before })
	if err := gw.Stop(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if got := finish(ctx, t, gw.Command(ctx, "receipts", "verify", "--config", gw.Config), ""); got.status != 0 {
		t.Errorf("verify: %+v", got)
	}
	if n := strings.Count(gw.Receipts(), `"kind":"reload"`); n != 4 {
		t.Errorf("%d reloads on record, want 4", n)
	}
}

// edit replaces a text in a file, all of it.
func edit(t *testing.T, path, old, new string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q", path, old)
	}
	write(t, path, strings.ReplaceAll(string(text), old, new))
}
