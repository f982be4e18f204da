package gateway

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/trial"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/test/standin"
)

// answersPlugin builds the plugin that holds answers back, once for all tests.
var answersPlugin = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "sallyport-answers")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "answers.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildmode=c-shared", "-ldflags", "-s -w -buildid=", "-o", file, "./testdata/answers")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the plugin: %w: %s", err, msg)
	}
	return os.ReadFile(file)
})

// rowsServer answers each line with a table that depends on the line, and a dot.
func rowsServer(t *testing.T) *upstream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{Listener: l}
	u.group.Go(func() {
		for {
			c, err := u.Accept()
			if err != nil {
				return
			}
			u.group.Go(func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					line, err := r.ReadString('\n')
					u.got.Write([]byte(line))
					if err != nil {
						return
					}
					if _, err := io.WriteString(c, rowsOf(strings.TrimSpace(line))+".\n"); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		u.Close()
		u.group.Wait()
	})
	return u
}

func rowsOf(line string) string {
	switch line {
	case "env":
		return "#name\tvalue\nHOME\t/root\nTOKEN\tghp_abc123\n"
	case "plain":
		return "#name\tvalue\nHOME\t/root\n"
	case "tokens":
		return "#id\ttoken\n1\txyz\n"
	case "long":
		return strings.Repeat("0123456789abcde\n", 200)
	}
	return "1\n"
}

// answeringWorld is a gateway at whose endpoint rows there is the plugin, with these rules.
func answeringWorld(t *testing.T, rules string) (*world, *client) {
	t.Helper()
	wasm, err := answersPlugin()
	if err != nil {
		t.Fatal(err)
	}
	up := rowsServer(t)
	w := newWorld(t, "")
	if err := os.WriteFile(filepath.Join(w.dir, "answers.wasm"), wasm, 0o644); err != nil {
		t.Fatal(err)
	}
	w.write(fmt.Sprintf("[plugins]\nanswers = { path = \"answers.wasm\", sha256 = \"%x\" }\n\n", sha256.Sum256(wasm)) +
		endpointTable("rows", up.address(), "answers", "dev") + allowConnect + ruleTable("read", `action.family == "rows"`, "allow", "") + rules)
	w.serve()
	return w, dial(t, w.alice(), "rows:"+port(up.address()))
}

// answerReceipts are the decisions about answers, each with the decision about its action.
func (w *world) answerReceipts() (all []*receipt.Entry, parents []*receipt.Entry) {
	entries := w.receipts()
	for _, e := range entries {
		if e.Kind != receipt.Decision || e.Family != abi.FamilyResponse {
			continue
		}
		all = append(all, e)
		i := slices.IndexFunc(entries, func(p *receipt.Entry) bool { return p.ID == e.Parent })
		if i < 0 || entries[i].Family != "rows" {
			w.t.Errorf("%s is about no action", e.Raw)
			continue
		}
		parents = append(parents, entries[i])
	}
	return all, parents
}

func TestResponseRules(t *testing.T) {
	w, c := answeringWorld(t,
		ruleTable("no secrets in plain rows", `rows.line == "plain"`, "deny", "inspect = \"response\"\nresponse = 'response.text.contains(\"secret\")'")+
			ruleTable("masks", `rows.line in ["env", "tokens"]`, "redact", "inspect = \"response\"\nredact = ['ghp_[a-z0-9]+']\nredact_columns = [\"Token\"]")+
			ruleTable("few rows", `rows.line.startsWith("long") || rows.line == "plain"`, "deny", "inspect = \"response\"\nresponse = 'response.rows > 100'\nlimit = \"1KiB\"")+
			ruleTable("watches", `true`, "deny", "inspect = \"response\"\nendpoints = [\"rows\"]\nmode = \"observe\"\nresponse = '\"token\" in response.columns'\nthen_long = \"allow\"\nlimit = \"1KiB\""))
	c.says("plain\n", "#name\tvalue\nHOME\t/root\n.\n")
	c.says("env\n", "#name\tvalue\nHOME\t/root\nTOKEN\t**********\n.\n")
	c.says("tokens\n", "#id\ttoken\n1\t***\n.\n")
	c.says("long\n", "withheld: the rule few rows withholds the result: it is longer than what the rule looks at\n")
	c.says("other\nplain\n", "1\n.\n#name\tvalue\nHOME\t/root\n.\n")

	all, parents := w.answerReceipts()
	if len(all) != 6 || len(parents) != 6 {
		t.Fatalf("%d answers are on record", len(all))
	}
	for i, want := range []struct {
		outcome receipt.Outcome
		rule    string
		masked  int
		by      string
		watched int
	}{
		{receipt.OutcomeAllow, "", 0, "", 0},
		{receipt.OutcomeAllow, "masks", 1, "masks: pattern 1", 0},
		{receipt.OutcomeAllow, "masks", 1, "masks: column Token", 1},
		{receipt.OutcomeDeny, "few rows", 0, "", 0},
		{receipt.OutcomeAllow, "", 0, "", 0},
		{receipt.OutcomeAllow, "", 0, "", 0},
	} {
		e := all[i]
		if e.Outcome != want.outcome || e.Rule != want.rule || e.Masked != want.masked || strings.Join(e.MaskedBy, ",") != want.by || len(e.WouldDeny) != want.watched ||
			e.Fields["rows"] == nil || e.Fields["bytes"] == nil || e.Detail == "" || parents[i].Outcome != receipt.OutcomeAllow {
			t.Errorf("answer %d: %s", i, e.Raw)
		}
	}
	for _, e := range w.receipts() {
		if strings.Contains(string(e.Raw), "ghp_") || strings.Contains(string(e.Raw), "xyz") || strings.Contains(string(e.Raw), "/root") {
			t.Errorf("a receipt has what came back: %s", e.Raw)
		}
	}
}

// TestResponseJudge: a judge sees the answer, masked, with its action; it can allow and deny, and what it leaves to people or does not answer is withheld.
func TestResponseJudge(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	model := standin.New(t, func(a standin.Asked) standin.Reply {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, a.System+a.User)
		switch {
		case strings.Contains(a.User, "xyz"):
			return standin.Verdict("deny", "a token")
		case strings.Contains(a.User, "TOKEN"):
			return standin.Verdict("escalate", "who knows")
		}
		return standin.Verdict("allow", "fine")
	})
	w, c := answeringWorld(t, fmt.Sprintf("[[judge]]\nname = \"reader\"\nprovider = \"openai\"\nmodel = \"m\"\nbase_url = %q\npolicy = \"no tokens\"\non_error = \"hold\"\n\n", model.URL+"/v1")+
		ruleTable("judged", `rows.line in ["env", "plain", "tokens"]`, "judge", "inspect = \"response\"\njudge = \"reader\"")+
		ruleTable("masked", `rows.line == "env"`, "redact", "inspect = \"response\"\nredact = ['ghp_[a-z0-9]+']"))
	c.says("plain\n", "#name\tvalue\nHOME\t/root\n.\n")
	c.says("tokens\n", "withheld: the rule judged withholds the result; the judge reader denies it: a token\n")
	c.says("env\nother\n", "withheld: the judge reader leaves it to a person: who knows, and nobody can be asked about what has come back\n1\n.\n")
	mu.Lock()
	defer mu.Unlock()
	for i, want := range [][]string{{"has run already", "| HOME\t/root", "| plain"}, {"| 1\txyz", "| tokens"}, {"TOKEN\t*****"}} {
		for _, s := range want {
			if len(seen) != 3 || !strings.Contains(seen[i], s) {
				t.Errorf("question %d has no %q: %q", i, s, seen)
			}
		}
	}
	all, _ := w.answerReceipts()
	var outcomes []receipt.Outcome
	for _, e := range all {
		outcomes = append(outcomes, e.Outcome)
		if len(e.Judges) != 1 {
			t.Errorf("%s", e.Raw)
		}
	}
	if !slices.Equal(outcomes, []receipt.Outcome{receipt.OutcomeJudgedAllow, receipt.OutcomeJudgedDeny, receipt.OutcomeJudgedDeny}) {
		t.Errorf("%v", outcomes)
	}
}

// TestResponseTried: cases and explanations know of answers.
func TestResponseTried(t *testing.T) {
	w, _ := answeringWorld(t, ruleTable("few", `rows.line == "x"`, "deny", "inspect = \"response\"\nresponse = 'response.rows > 3'")+
		ruleTable("masks", `rows.line == "x"`, "redact", "inspect = \"response\"\nresponse = '\"token\" in response.columns'\nredact_columns = [\"token\"]"))
	for _, c := range []struct {
		line     string
		response map[string]any
		want     string
	}{
		{"x", nil, "allow"},
		{"x", map[string]any{"rows": int64(2), "text": "a", "columns": []string{"id"}}, "allow"},
		{"x", map[string]any{"rows": int64(9), "text": "a", "columns": []string{"token"}}, "deny"},
		{"x", map[string]any{"rows": int64(1), "text": "a", "columns": []string{"token"}}, "redact"},
		{"x", map[string]any{"text": "a", "columns": []string{"id"}}, "deny"}, // rows are not known
		{"x", map[string]any{"rows": int64(1), "text": "a", "truncated": true, "columns": []string{"id"}}, "deny"},
		{"y", map[string]any{"rows": int64(9), "text": "a"}, "allow"},
	} {
		r, err := w.assembly.Explain(&trial.Action{Endpoint: "rows", Peer: "alice", Family: "rows", Class: "read", Fields: map[string]any{"line": c.line}, Response: c.response})
		if err != nil || r.Word() != c.want || len(r.Accounts) == 0 {
			t.Errorf("%+v: %+v %v", c, r.Verdict, err)
		}
	}
	if _, err := w.assembly.Try(&trial.Action{Endpoint: "rows", Peer: "alice", Family: "rows", Class: "read", Response: map[string]any{"columms": "x"}}); err == nil {
		t.Error("a field that there is not")
	}
}

// TestResponseMistakes: what is wrong with rules about answers is said with its place.
func TestResponseMistakes(t *testing.T) {
	wasm, err := answersPlugin()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "")
	if err := os.WriteFile(filepath.Join(w.dir, "answers.wasm"), wasm, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ rule, want string }{
		{ruleTable("r", "true", "deny", "endpoints = [\"rows\"]\ninspect = \"response\"\nresponse = 'response.row > 1'"), "response has no field row (did you mean"},
		{ruleTable("r", "response.rows > 1", "deny", "endpoints = [\"rows\"]"), "asked before there is a response"},
		{ruleTable("r", "true", "deny", "inspect = \"response\""), `the plugin of endpoint "tcp" cannot look at answers`},
	} {
		w.write(fmt.Sprintf("[plugins]\nanswers = { path = \"answers.wasm\", sha256 = \"%x\" }\n\n", sha256.Sum256(wasm)) +
			endpointTable("rows", "127.0.0.1:1", "answers", "dev") + endpointTable("tcp", "127.0.0.1:2", "none", "dev") + c.rule)
		if _, err := w.assemble(); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "sallyport.toml:") {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// TestReloadOfAnswers: a reload that takes a rule about answers away waits to be confirmed; until then the rule counts.
func TestReloadOfAnswers(t *testing.T) {
	rule := ruleTable("no tokens", `action.family == "rows"`, "deny", `inspect = "response"`+"\nresponse = 'response.text.contains(\"ghp_\")'")
	w, c := answeringWorld(t, rule)
	c.says("plain\n", rowsOf("plain")+".\n")
	tables := strings.Replace(readFile(t, w.path), "[gateway]\n", "[gateway]\nconfirm_reload = true\n", 1)
	reload := func(tables string, confirm bool) (*Change, error) {
		t.Helper()
		if err := os.WriteFile(w.path, []byte(tables), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := w.load()
		if err != nil {
			t.Fatal(err)
		}
		return w.running.Reload(wait(t), cfg, confirm)
	}
	if _, err := reload(tables, false); err != nil {
		t.Fatal(err)
	}
	var waits *Unconfirmed
	if _, err := reload(strings.Replace(tables, rule, "", 1), false); !errors.As(err, &waits) || waits.Loosening == 0 || waits.Flips.Flips[0].Unseen[0] != "no tokens" {
		t.Fatalf("%+v, %v", waits, err)
	}
	before, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	address := before.Endpoints[0].Address.Value
	dial(t, w.alice(), "rows:"+port(address)).says("env\n", "withheld: the rule no tokens withholds the result\n")
	if change, err := reload(strings.Replace(tables, rule, "", 1), true); err != nil || change.Flips.Loosening() == 0 {
		t.Fatalf("%+v, %v", change, err)
	}
	dial(t, w.alice(), "rows:"+port(address)).says("env\n", rowsOf("env")+".\n")
}

// TestReloadOfJudges: a judge that is changed judges by its new policy from the next connection on, and not by what it has said before; a connection that is open stays with
// the judge that it began with. One that is taken away while a rule names it is refused, and nothing changes.
func TestReloadOfJudges(t *testing.T) {
	model := standin.New(t, func(a standin.Asked) standin.Reply {
		if strings.Contains(a.System, "be strict") {
			return standin.Verdict("deny", "strict")
		}
		return standin.Verdict("allow", "fine")
	})
	judge := func(policy string) string {
		return fmt.Sprintf("[[judge]]\nname = \"reader\"\nprovider = \"openai\"\nmodel = \"m\"\nbase_url = %q\npolicy = %q\ncache_for = \"1h\"\n\n", model.URL+"/v1", policy)
	}
	w, c := answeringWorld(t, judge("be kind")+ruleTable("judged", `action.family == "rows" && rows.line == "plain"`, "judge", "judge = \"reader\""))
	before, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	address := "rows:" + port(before.Endpoints[0].Address.Value)
	alice := w.alice()
	c.says("plain\n", rowsOf("plain")+".\n")
	text := readFile(t, w.path)
	change := func(from, to string) error {
		t.Helper()
		if err := os.WriteFile(w.path, []byte(strings.Replace(text, from, to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := w.reloadFile()
		return err
	}
	if err := change(judge("be kind"), ""); err == nil || !strings.Contains(err.Error(), "reader") {
		t.Errorf("without its judge: %v", err)
	}
	dial(t, alice, address).says("plain\n", rowsOf("plain")+".\n")
	if err := change(judge("be kind"), judge("be strict")); err != nil {
		t.Fatal(err)
	}
	c.says("plain\n", rowsOf("plain")+".\n")
	dial(t, alice, address).says("plain\n", "denied: the rule judged has a judge decide; the judge reader denies it: strict\n")
	if err := change("", ""); err != nil {
		t.Fatal(err)
	}
	dial(t, alice, address).says("plain\n", rowsOf("plain")+".\n")
}
