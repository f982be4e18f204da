package sshe2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/test/standin"
)

// looking are rules about what comes back, by a word in the command.
const looking = `
[[rule]]
name = "no tokens"
when = 'ssh.command.contains("withheld")'
inspect = "response"
response = 'response.text.contains("ghp_")'
then = "deny"

[[rule]]
name = "a mebibyte"
when = 'ssh.command.contains("whole")'
inspect = "response"
response = 'response.text.contains("ghp_") || response.exit_status != 0'
limit = "1MiB"
then = "deny"

[[rule]]
name = "masked tokens"
when = 'ssh.command.contains("masked")'
inspect = "response"
then = "redact"
redact = ["ghp_[a-z0-9]+"]

[[rule]]
name = "a model reads"
when = 'ssh.command.contains("judged")'
inspect = "response"
then = "judge"
judge = "reader"

[[rule]]
name = "long may pass"
when = 'ssh.command.contains("long") || ssh.kind == "shell"'
inspect = "response"
response = 'response.text.contains("ghp_")'
limit = "16KiB"
then = "deny"
then_long = "allow"

[[rule]]
name = "short"
when = 'ssh.command.contains("short") || ssh.operation == "open" && ssh.paths.exists(p, p.endsWith("closed"))'
inspect = "response"
response = 'false'
limit = "16KiB"
then = "deny"

`

// TestAnswers: OpenSSH's client and server, and rules that look at what comes back.
func TestAnswers(t *testing.T) {
	t.Setenv("JUDGE_KEY", "sk-canary")
	model := standin.New(t, func(a standin.Asked) standin.Reply {
		if strings.Contains(a.User, "ghp_") {
			return standin.Verdict("deny", "a token")
		}
		return standin.Verdict("allow", "nothing in it")
	})
	w := startWith(t, allow, "")
	_, port, _ := strings.Cut(w.upstream, ":")
	quick := w.secondServer(t, port) // which asks each second whether its client is there, and has a banner
	judge := fmt.Sprintf("[[judge]]\nname = \"reader\"\nprovider = \"openai\"\nbase_url = %q\nsecret = \"env:JUDGE_KEY\"\nmodel = \"a-model\"\npolicy = \"Nobody gets tokens.\"\ntimeout = \"30s\"\n\n", model.BaseURL("openai"))
	g := w.through(w.endpoint("box", w.upstream, "") + w.endpoint("quick", quick, "") + judge + looking)
	own := filepath.Join(g.dir, "own")
	write(t, own, "Host quick\n Port "+quick[strings.LastIndex(quick, ":")+1:]+"\nHost *\n Port "+port+"\n BatchMode yes\n IdentityFile none\n")
	client := "ssh -F " + own + " "
	token := filepath.Join(g.dir, "token")
	write(t, token, "user bob\ntoken ghp_abc123, and ghp_x\nend é\n")
	exactly := func(what string, r result, status int, out, err string) {
		t.Helper()
		if r.status != status || r.out != out || !strings.Contains(r.err, err) || strings.Contains(r.err, "ghp_") || strings.Contains(r.err, "welcome to") || err == "" && strings.Contains(r.err, "sallyport") {
			t.Errorf("%s: status %d, output %q, error %q; want %d, %q, %q", what, r.status, r.out, r.err, status, out, err)
		}
	}

	t.Run("withheld", func(t *testing.T) {
		marker := filepath.Join(g.dir, "withheld-ran")
		exactly("without a token", g.agent("input", client+"box 'cat; printf \"a\\000b\"; echo withheld; exit 3'"), 3, "inputa\x00bwithheld\n", "")
		exactly("a token", g.agent("", client+"box 'touch "+marker+"; cat "+token+"; exit 5'"), 254, "", "the command ran and ended with status 5, and its output is withheld: the rule no tokens withholds the result")
		if _, err := os.Stat(marker); err != nil || !g.serverSaw("request exec") {
			t.Errorf("a command whose output is withheld did not run: %v", err)
		}
		exactly("on standard error", g.agent("", client+"box 'cat "+token+" >&2; : withheld'"), 254, "", "output is withheld")
		exactly("piece by piece, on both", g.agent("", client+"box 'for c in g h p _ a; do printf $c; printf . >&2; sleep 0.02; done; : withheld'"), 254, "", "output is withheld")
		exactly("the same without a token", g.agent("", client+"box 'for c in g h q _ a; do printf $c; sleep 0.02; done; : withheld'"), 0, "ghq_a", "")
		exactly("killed", g.agent("", client+"box 'printf ghq_; : withheld; kill -9 $$'"), 255, "ghq_", "")
		exactly("alive for long, and no banner", g.agent("", client+"quick 'sleep 2.5; echo withheld'"), 0, "withheld\n", "")
	})
	t.Run("masked", func(t *testing.T) {
		exactly("a token", g.agent("", client+"box 'cat "+token+"; : masked'"), 0, "user bob\ntoken **********, and *****\nend é\n", "")
		exactly("in pieces", g.agent("", client+"box 'for c in g h p _ a; do printf $c; sleep 0.02; done; : masked; exit 2'"), 2, "*****", "")
	})
	t.Run("judged", func(t *testing.T) {
		exactly("a token", g.agent("", client+"box 'cat "+token+"; : judged'"), 254, "", "the judge reader denies it: a token")
		exactly("without one", g.agent("", client+"box 'echo judged'"), 0, "judged\n", "")
	})
	t.Run("long", func(t *testing.T) {
		write(t, filepath.Join(g.dir, "a-file"), strings.Repeat("0123456789abcdef", 100<<10))
		for what, script := range map[string]string{
			"long may pass":     client + "box 'cat " + g.dir + "/a-file; : long; exit 4' > got1; test $? = 4 && cmp a-file got1",
			"up to the window":  client + "box 'head -c 900000 " + g.dir + "/a-file; : whole' > got2; head -c 900000 a-file | cmp - got2",
			"a master lives on": client + "-M -S m -o ControlPersist=yes -fnN box && (" + client + "-S m box 'until [ -e " + g.dir + "/go ]; do sleep 0.05; done; cat " + token + "; : withheld' > got3; echo $? > status3) & sleep 0.1; until " + client + "-S m -O check box 2>/dev/null; do sleep 0.05; done; test \"$(" + client + "-S m box 'echo other')\" = other && touch go && wait && " + client + "-S m -O exit box; grep -q 254 status3 && test ! -s got3",
		} {
			if r := g.agent("", script); r.status != 0 {
				t.Errorf("%s: %+v", what, r)
			}
		}
		exactly("an exit status", g.agent("", client+"box ': whole; exit 6'"), 254, "", "ended with status 6")
		marker := filepath.Join(g.dir, "short-ran")
		exactly("long may not pass", g.agent("", client+"box 'head -c 5000000 /dev/zero; touch "+marker+"'"), 254, "", "the command runs, and its output is withheld: the rule short withholds the result")
		if _, err := os.Stat(marker); err != nil {
			t.Errorf("a command whose output is too long did not run to its end: %v", err)
		}
		g.agent("exit 4\n", client+"-tt box").want(t, "a shell that may go on unseen", 4, "", "")
		g.agent("", client+"-tt box 'echo short'").want(t, "a terminal that may not", 254, "", "was not begun, because what comes back of it cannot be looked at")
	})
	t.Run("files", func(t *testing.T) {
		write(t, filepath.Join(g.dir, "closed"), "closed\n")
		g.agent("get closed there\nput own closed\nget token there2\n", "sftp -F "+own+" -q box:"+g.dir).want(t, "a file", 0, "", "was not begun")
		if _, err := os.Stat(filepath.Join(g.dir, "there")); err == nil {
			t.Error("a file came that nobody looked at")
		}
		for _, name := range []string{"there2", "closed"} {
			if b, err := os.ReadFile(filepath.Join(g.dir, name)); err != nil || len(b) < 10 {
				t.Errorf("what needs no look: %s: %q %v", name, b, err)
			}
		}
		exactly("scp", g.agent("", "scp -F "+own+" -q -O box:"+g.dir+"/short . 2>&1 | grep -q 'was not begun' && echo told"), 0, "told\n", "")
	})
	withheld, masked := 0, 0
	for line := range strings.Lines(g.gw.Receipts()) {
		var r struct {
			Parent  string `json:"parent"`
			Outcome string `json:"outcome"`
			Masked  int    `json:"masked"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if masked += r.Masked; r.Parent != "" && r.Outcome == "deny" {
			withheld++
		}
		if strings.Contains(line, "ghp_") && !strings.Contains(line, "ghp_\"") && strings.Contains(line, "abc123") {
			t.Errorf("a receipt has the token: %s", line)
		}
	}
	if withheld < 8 || masked != 2 {
		t.Errorf("receipts say %d withheld, %d masked", withheld, masked)
	}
}
