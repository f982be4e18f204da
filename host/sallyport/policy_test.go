package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const peerClaude = "[[peer]]\nname = \"claude\"\npublic_key = \"xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\"\nprofile = \"dev\"\naddress = \"10.89.0.2\"\n\n"

// writePolicy writes a configuration with the baseline and a credential whose secret is nowhere.
func writePolicy(t *testing.T, tables string) string {
	t.Helper()
	text := strings.Replace(postgresEndpoint, `["dev"]`, `{ dev = "app" }`, 1) + peerClaude +
		"[[credential]]\nname = \"app\"\nuser = \"app\"\npassword = \"env:SALLYPORT_TEST_NO_SUCH_SECRET\"\n\n" + tables
	path := writeConfig(t, text)
	write(t, path, strings.Replace(read(t, path), "[gateway]\n", "[gateway]\npacks = [\"baseline\"]\n", 1))
	return path
}

const dropOverride = "[[override]]\nrule = \"baseline/drop\"\nunless = 'peer.name == \"claude\"'\n\n[[override]]\nrule = \"baseline/write\"\napprovals = 1\napprover = \"console\"\ntimeout = \"1h\"\n\n"

func TestRules(t *testing.T) {
	path := writePolicy(t, dropOverride+"[[rule]]\nname = \"mine\"\nwhen = 'action.class == \"admin\"'\nthen = \"allow\"\n")
	r := call(t, "rules", path)
	for _, want := range []string{
		"baseline/drop: deny\n  from     pack baseline, changed by sallyport.toml:", "  unless   peer.name == \"claude\"\n",
		"baseline/write: hold\n", "  asks     console, within 1h\n", "  except   sql where !sql.executes\n",
		"mine: allow\n  from     sallyport.toml:", "  at       prod-db (sql)\n", "what no rule allows is denied\n",
	} {
		r.want(t, 0, want, "")
	}
	if strings.Index(r.out, "baseline/drop") > strings.Index(r.out, "baseline/write") || strings.Index(r.out, "baseline/write") > strings.Index(r.out, "mine: ") {
		t.Errorf("not by strictness:\n%s", r.out)
	}
	r = call(t, "rules", "--json", path)
	var report struct {
		Endpoints []struct{ Name, Mode string }
		Rules     []ruleReport
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil || len(report.Rules) < 12 || report.Endpoints[0].Mode != "enforce" || report.Rules[0].Name != "mine" {
		t.Errorf("%v\n%s", err, r.out)
	}
	write(t, path, strings.Replace(read(t, path), "[gateway]\n", "[gateway]\nmode = \"observe\"\n", 1))
	call(t, "rules", path).want(t, 0, "endpoint prod-db observes: everything passes", "")
	write(t, path, strings.Replace(read(t, path), "baseline/drop", "baseline/drp", 1))
	call(t, "rules", path).want(t, exitFailure, "", `no pack in use has a rule "baseline/drp"; did you mean "baseline/drop"?`)
}

const dropCase = "endpoint = \"prod-db\"\npeer = \"claude\"\nfamily = \"sql\"\nclass = \"admin\"\ntitle = \"drop \u202etable\"\nfields = { verbs = [\"drop table\"], bounded = false, executes = true }\n"

func TestExplain(t *testing.T) {
	path, action := writePolicy(t, dropOverride), filepath.Join(t.TempDir(), "action.toml")
	write(t, action, dropCase)
	r := call(t, "explain", path, "--action", action)
	for _, want := range []string{"deny by \"baseline/no admin\": this administers the server", "  baseline/no admin (deny, pack baseline) matches\n",
		"baseline/drop (deny, pack baseline, changed by sallyport.toml:", ") is excused by its exception\n", "    peer.name = \"claude\"\n", "    sql.verbs = [\"drop table\"]\n"} {
		r.want(t, 0, want, "")
	}
	if strings.Contains(r.out, "baseline/truncate") || strings.Contains(r.out, "\u202e") {
		t.Errorf("what does not match, or what deceives, is shown:\n%s", r.out)
	}
	call(t, "explain", path, "--action", action, "--all").want(t, 0, "baseline/truncate (deny, pack baseline) does not match", "")
	write(t, action, strings.Replace(strings.Replace(dropCase, `"admin"`, `"delete"`, 1), `verbs = ["drop table"], `, "", 1))
	r = call(t, "explain", path, "--action", action)
	r.want(t, 0, "perhaps matches, which counts: it depends on sql.verbs\n", "")
	r.want(t, 0, "  unknown, and it mattered: sql.verbs\n", "")
	var x explanation
	if r = call(t, "explain", path, "--action", action, "--json"); json.Unmarshal([]byte(r.out), &x) != nil || x.Outcome != "deny" || len(x.Rules) < 12 || x.Unknown[0] != "sql.verbs" {
		t.Errorf("%s", r.out)
	}
	for text, want := range map[string]string{
		strings.Replace(dropCase, "bounded", "bouned", 1): `sql has no field "bouned"; did you mean "bounded"?`,
		"": "it has no endpoint",
	} {
		write(t, action, text)
		call(t, "explain", path, "--action", action).want(t, exitFailure, "", want)
	}
	call(t, "explain", path).want(t, exitUsage, "", "--action FILE is needed")
	call(t, "explain", path, "--action", filepath.Join(t.TempDir(), "no")).want(t, exitFailure, "", "no such file")
}

func TestTestCases(t *testing.T) {
	path, cases := writePolicy(t, dropOverride), filepath.Join(t.TempDir(), "cases.toml")
	deny := "[[case]]\nname = \"drops\"\n" + dropCase + "outcome = \"deny\"\nrule = \"baseline/no admin\"\n\n"
	hold := strings.NewReplacer(`"admin"`, `"write"`, "drop table", "insert", "bounded = false", "bounded = true", `"deny"`, `"hold"`, "no admin", "write", `"drops"`, `"writes"`).Replace(deny)
	write(t, cases, deny+hold)
	call(t, "test", path, cases).want(t, 0, "cases: 2, as expected: 2, not: 0\n", "")
	write(t, cases, strings.Replace(deny, "outcome = \"deny\"", "outcome = \"allow\"", 1)+strings.Replace(hold, "baseline/write", "baseline/delete", 1))
	r := call(t, "test", path, cases)
	r.want(t, exitFailure, "cases.toml: case 1 (drops): want allow by \"baseline/no admin\", got deny by \"baseline/no admin\": this administers", "")
	r.want(t, exitFailure, "case 2 (writes): want hold by \"baseline/delete\", got hold by \"baseline/write\"", "")
	r.want(t, exitFailure, "cases: 2, as expected: 0, not: 2\n", "")
	var report struct {
		OK    bool
		Cases []caseReport
	}
	if r = call(t, "test", "--json", path, cases); r.code != exitFailure || json.Unmarshal([]byte(r.out), &report) != nil || report.OK || len(report.Cases) != 2 || report.Cases[0].Got != "deny" {
		t.Errorf("%+v", r)
	}
	// What keeps it from running is told apart.
	write(t, cases, strings.Replace(deny, "outcome = \"deny\"", "", 1))
	call(t, "test", path, cases).want(t, exitUsage, "", "cases.toml: case 1: it says no outcome")
	write(t, cases, deny)
	call(t, "test", filepath.Join(t.TempDir(), "no.toml"), cases).want(t, exitUsage, "", "no such file")
	call(t, "test", path).want(t, exitUsage, "", "CASES is missing")
	broken := writePolicy(t, "[[rule]]\nname = \"r\"\nwhen = 'sql.bouned'\nthen = \"deny\"\n")
	call(t, "test", broken, cases).want(t, exitUsage, "", `did you mean "bounded"`)
}

func TestDiff(t *testing.T) {
	old := writePolicy(t, "")
	next := writePolicy(t, "[[override]]\nrule = \"baseline/write\"\noff = true\n\n[[rule]]\nname = \"writes\"\nwhen = 'action.class == \"write\" && sql.text != \"\"'\nthen = \"allow\"\n\n"+
		"[[rule]]\nname = \"no reads\"\nwhen = '\"users\" in sql.reads'\nthen = \"deny\"\n")
	receipt := `{"_hash":"","id":"r-1","kind":"decision","peer":"claude","endpoint":"prod-db","family":"sql","class":"write","title":"insert into t","fields":{"verbs":["insert"],"text":"insert","reads":[],"bounded":true,"executes":true},"outcome":"held"}`
	lost := strings.NewReplacer("r-1", "r-2", `"text":"insert",`, "", `"outcome"`, `"left_out":["text"],"outcome"`).Replace(receipt)
	read := strings.NewReplacer("r-1", "r-3", `"write"`, `"read"`, "insert into t", "select from users", `["insert"]`, `["select"]`, `"reads":[]`, `"reads":["users"]`, "held", "allow").Replace(receipt)
	gone := strings.NewReplacer("r-1", "r-4", "prod-db", "other-db").Replace(receipt)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "receipts.jsonl"), strings.Join([]string{receipt, read, lost, receipt, gone, `{"_hash":"","id":"r-9","kind":"end"}`}, "\n")+"\n")
	r := call(t, "diff", old, next, "--receipts", dir)
	want := `hold to allow:
  2 × claude at prod-db: insert into t (write), was by "baseline/write", now by "writes", receipt r-1
hold to deny:
  claude at prod-db: insert into t (write), was by "baseline/write", now by no rule; not on record: sql.text, receipt r-2
allow to deny:
  claude at prod-db: select from users (read), was by "baseline/session and read", now by "no reads", receipt r-3
actions replayed: 4, with another outcome: 4, of which pass now: 2
outcomes that depend on what is not on record, which counts against the agent: 1
left out because neither configuration can have them: 1
`
	if r.code != exitFailure || r.out != want {
		t.Errorf("%+v\nwant\n%s", r, want)
	}
	r = call(t, "diff", old, old, "--receipts", filepath.Join(dir, "receipts.jsonl"))
	r.want(t, 0, "with another outcome: 0", "")
	var report struct{ Flips []struct{ Old, New string } }
	if r = call(t, "diff", "--json", old, next, "--receipts", dir); json.Unmarshal([]byte(r.out), &report) != nil || len(report.Flips) != 3 || report.Flips[0].New != "allow" {
		t.Errorf("%+v", r)
	}
	call(t, "diff", old, next).want(t, exitUsage, "", "--receipts FILE|DIR is needed")
	call(t, "diff", old, next, "--receipts", filepath.Join(dir, "no")).want(t, exitUsage, "", "no such file")
	write(t, filepath.Join(dir, "receipts.jsonl"), "{}\n")
	call(t, "diff", old, next, "--receipts", dir).want(t, exitUsage, "", "not a receipt")
}

// TestDiffOfAnswers: a rule about answers that is taken away or changed is a flip that lets something through; one under another name is none.
func TestDiffOfAnswers(t *testing.T) {
	inspecting := func(name, limit, more string) string {
		return "[[rule]]\nname = \"" + name + "\"\nwhen = 'action.family == \"sql\"'\ninspect = \"response\"\nresponse = 'response.text.contains(\"token\")'\nlimit = \"" + limit + "\"\nthen = \"deny\"\n" + more + "\n"
	}
	without, with, renamed := writePolicy(t, ""), writePolicy(t, inspecting("tokens", "64KiB", "")), writePolicy(t, inspecting("no tokens", "64KiB", ""))
	shorter, observed := writePolicy(t, inspecting("tokens", "1KiB", "")), writePolicy(t, inspecting("tokens", "64KiB", "mode = \"observe\"\n"))
	receipts := filepath.Join(t.TempDir(), "receipts.jsonl")
	write(t, receipts, `{"_hash":"","id":"r-3","kind":"decision","peer":"claude","endpoint":"prod-db","family":"sql","class":"read","title":"select from users","fields":{"verbs":["select"],"reads":["users"],"bounded":true,"executes":true},"outcome":"allow"}`+"\n")
	call(t, "diff", with, without, "--receipts", receipts).want(t, exitFailure, `allow, with other rules that look at the answer:
  claude at prod-db: select from users (read), was by "baseline/session and read", now by "baseline/session and read"; its answer is no longer looked at as by "tokens", receipt r-3
actions replayed: 1, with another outcome: 0, of which pass now: 0
answers that are no longer looked at as before: 1
`, "")
	call(t, "diff", without, with, "--receipts", receipts).want(t, exitFailure, `; its answer is looked at by "tokens"`, "")
	call(t, "diff", with, renamed, "--receipts", receipts).want(t, 0, "with another outcome: 0", "")
	call(t, "diff", with, shorter, "--receipts", receipts).want(t, exitFailure, "answers that are no longer looked at as before: 1", "")
	call(t, "diff", with, observed, "--receipts", receipts).want(t, exitFailure, "answers that are no longer looked at as before: 1", "")
}

// TestReloadConfirm: what a reload would let pass is shown, and taken up when it is confirmed.
func TestReloadConfirm(t *testing.T) {
	path := writePolicy(t, "")
	text := strings.Replace(read(t, path), `{ dev = "app" }`, `["dev"]`, 1) // nothing to log in with
	text = strings.Replace(text[:strings.Index(text, "[[credential]]")], "[gateway]\n", "[gateway]\nconfirm_reload = true\n", 1)
	write(t, path, text)
	g := begin(t, "serve", path)
	until(t, "it is ready", func() bool {
		return strings.Contains(g.err.String(), "msg=ready") || strings.Contains(g.err.String(), "ready")
	})
	// What an agent did is made up: a line behind the record, which the gateway does not look at again.
	f, err := os.OpenFile(filepath.Join(filepath.Dir(path), "state", "receipts.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"_hash":"","id":"r-1","kind":"decision","peer":"claude","endpoint":"prod-db","family":"sql","class":"write","title":"insert into t","fields":{"verbs":["insert"],"bounded":true,"executes":true},"outcome":"held"}` + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, path, text+"[[override]]\nrule = \"baseline/write\"\nthen = \"allow\"\n")
	call(t, "reload", path).want(t, exitFailure, "hold to allow:\n  claude at prod-db: insert into t (write), was by \"baseline/write\", now by \"baseline/write\", receipt r-1\n", "sallyport reload --confirm takes it up")
	call(t, "reload", "--confirm", path).want(t, 0, "changed  rule baseline/write\n", "")
	g.end()
}
