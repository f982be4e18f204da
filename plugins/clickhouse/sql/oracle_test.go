package sql

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// answer is what testdata/oracle/oracle.mjs says of a statement.
type answer struct {
	OK      bool   `json:"ok"`
	AST     string `json:"ast"`
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// ask asks a current ClickHouse about statements. SALLYPORT_CHDB names the folder node_modules that holds the npm package chdb;
// `make test-clickhouse-oracle` sets it.
func ask(t *testing.T, statements []string, mode string) []answer {
	t.Helper()
	modules := os.Getenv("SALLYPORT_CHDB")
	if modules == "" {
		t.Skip("SALLYPORT_CHDB is not set: make test-clickhouse-oracle runs this with the engine of npm's chdb")
	}
	in, err := os.CreateTemp(t.TempDir(), "statements")
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(in)
	enc := json.NewEncoder(w)
	for _, s := range statements {
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("testdata/oracle/oracle.mjs")
	if err != nil {
		t.Fatal(err)
	}
	// A network and a folder of its own: examples of others name hosts and files.
	cmd := exec.Command("unshare", "-rn", "node", script, modules, mode)
	cmd.Dir = t.TempDir()
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<26)
	answers := make([]answer, len(statements))
	for i := 0; i < len(answers); {
		if !lines.Scan() {
			t.Fatalf("the oracle ended at statement %d: %v: %s", i, lines.Err(), statements[i])
		}
		line, ours := strings.CutPrefix(lines.Text(), "@")
		if !ours {
			continue
		}
		if err := json.Unmarshal([]byte(line), &answers[i]); err != nil {
			t.Fatal(err)
		}
		i++
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return answers
}

// changes are the kinds of nodes in EXPLAIN AST that no text of class session or read may have.
var changes = []string{"InsertQuery", "DropQuery", "CreateQuery", "AlterQuery", "DeleteQuery", "UpdateQuery", "Rename", "OptimizeQuery", "SYSTEM", "KillQuery", "Grant", "Revoke", "BackupQuery",
	"CreateFunctionQuery", "DropFunctionQuery", "AttachQuery", "UndropQuery", "ExternalDDL", "ParallelWith", "ExecuteAs", "CreateUser", "CreateRole", "SetRole"}

// compare reports what the engine sees in a statement and the facts do not say.
func compare(s string, f *Facts, a *answer) []string {
	if !a.OK || f.Unknown {
		return nil
	}
	var wrong []string
	flat := strings.Join(strings.Fields(strings.ToLower(s)), " ")
	for _, name := range setNames(a.AST) {
		if !f.ReadsUnknown && f.Kind != KindOther && !slices.Contains(f.Reads, name) && !(strings.Contains(flat, "with") && strings.Contains(flat, strings.ToLower(name))) {
			wrong = append(wrong, "behind IN: "+name)
		}
	}
	for line := range strings.Lines(a.AST) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if f.Class <= abi.ClassRead && slices.Contains(changes, words[0]) {
			wrong = append(wrong, "class "+f.Class.String()+" with "+words[0])
		}
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "TableIdentifier":
			name, _, _ := strings.Cut(strings.TrimSpace(line), " (alias ")
			name = strings.TrimPrefix(name, "TableIdentifier ")
			cte := false
			for _, behind := range []string{" as ", "\" as ", "` as ", "("} {
				cte = cte || strings.Contains(flat, "with") && strings.Contains(flat, strings.ToLower(name)+behind)
			}
			if !f.ReadsUnknown && !slices.Contains(f.Reads, name) && !slices.Contains(f.Writes, name) && f.Kind != KindOther && !cte {
				wrong = append(wrong, "table "+name)
			}
		case "Function":
			for _, known := range []*callee{functionNamed(words[1]), tableFunctionNamed(words[1])} {
				if known != nil && known.class > f.Class && !strings.HasSuffix(strings.ToLower(words[1]), "in") && f.Class <= abi.ClassRead {
					wrong = append(wrong, "function "+words[1])
				}
			}
		}
	}
	return wrong
}

// setNames are the names that stand on the right side of IN.
func setNames(ast string) []string {
	var names []string
	lines := strings.Split(ast, "\n")
	indent := func(l string) int { return len(l) - len(strings.TrimLeft(l, " ")) }
	for i, line := range lines {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "Function" || !slices.Contains([]string{"in", "notIn", "globalIn", "globalNotIn"}, words[1]) {
			continue
		}
		children := 0
		for _, below := range lines[min(i+2, len(lines)):] {
			if indent(below) <= indent(line)+1 {
				break
			}
			if indent(below) == indent(line)+2 {
				if children++; children == 2 {
					if name, ok := strings.CutPrefix(strings.TrimSpace(below), "Identifier "); ok {
						name, _, _ = strings.Cut(name, " (alias ")
						names = append(names, name)
					}
				}
			}
		}
	}
	return names
}

// TestOracleAgreesOnVectors compares what was written for this package.
func TestOracleAgreesOnVectors(t *testing.T) {
	var all []string
	for _, v := range vectors(t) {
		if !strings.Contains(v.text, "\x00") {
			all = append(all, v.text)
		}
	}
	judge(t, all, ask(t, all, "parse"))
}

// TestOracleAgreesOnTheCorpus compares the facts with the syntax tree of the engine.
func TestOracleAgreesOnTheCorpus(t *testing.T) {
	var all []string
	for _, s := range corpus(t) {
		all = append(all, s...)
	}
	judge(t, all, ask(t, all, "parse"))
}

func judge(t *testing.T, all []string, answers []answer) {
	t.Helper()
	var r Reader
	statements, known := 0, 0
	for i, s := range all {
		f := r.Read([]byte(s), 26007)
		if answers[i].OK {
			statements++
			if !f.Unknown {
				known++
			}
		}
		for _, w := range compare(s, f, &answers[i]) {
			t.Errorf("%s\n\tin %q\n\tclass %s reads %q functions %q", w, s, f.Class, f.Reads, f.Functions)
		}
	}
	t.Logf("%d texts, %d statements for the engine, %d of them recognised", len(all), statements, known)
}

// TestOracleAgreesOnMutations does so with statements that were changed at random: what the engine still takes must not look
// more harmless than it is.
func TestOracleAgreesOnMutations(t *testing.T) {
	var all []string
	for file, s := range corpus(t) {
		_ = file
		all = append(all, s...)
	}
	slices.Sort(all)
	random := rand.New(rand.NewPCG(8, 18))
	var mutated []string
	for len(mutated) < 30000 {
		s := all[random.IntN(len(all))]
		if len(s) < 300 {
			mutated = append(mutated, mutate(random, s, all))
		}
	}
	judge(t, mutated, ask(t, mutated, "parse"))
}

// TestOracleRunsWhatReads runs what is classed as harmless with readonly = 2: nothing of it may be refused for changing something.
func TestOracleRunsWhatReads(t *testing.T) {
	var r Reader
	var all []string
	for _, statements := range corpus(t) {
		for _, s := range statements {
			if f := r.Read([]byte(s), 26007); f.Class <= abi.ClassRead && len(s) < 600 && f.Kind != KindSet && f.Kind != KindUse && !strings.Contains(s, "sleep") {
				all = append(all, s)
			}
		}
	}
	for i, a := range ask(t, all, "run") {
		if a.Code == 164 || a.Code == 497 || a.Code == 291 {
			t.Errorf("classed as harmless, and refused under readonly: %s\n\t%s", all[i], a.Message)
		}
	}
}

// splinters are what mutations put between tokens.
var splinters = []string{"(", ")", ",", ";", "'", "\"", "`", "\\", "/*", "*/", "--", "\n", "# ", "$$", "$a$", "FROM", "SELECT", "UNION ALL", "IN", "AS", "WITH", "x", "users", "db.t", "url('http://h/')", "INTO OUTFILE 'x'",
	"FORMAT", "SETTINGS", "readonly = 0", "JOIN", "ON", "VALUES", "INSERT INTO t", "DROP TABLE t", "file('x')", "EXCEPT", "FINAL", "SAMPLE", "ARRAY JOIN", "PREWHERE", "LIMIT", "BY", "[", "]", "{", "}", ".", "->", "::", ":", "?", "||", "\x00", "‘", "’", "“", "”", "−",
	"GLOBAL", "NOT", "IS NULL", "CASE", "END", "INTERVAL", "OVER", "WINDOW", "QUALIFY", "APPLY", "REPLACE", "COLUMNS", "EXPLAIN", "AND", "LEFT", "ANY", "USING", "EXISTS", "DISTINCT", "ALL", "remote('h', d.t)", "notIn", "APPLY(file)"}

// operands are what mutations put in the place of words and texts.
var operands = []string{"(SELECT a FROM secret)", "file('x')", "dictGet('secret', 'a', 1)", "(x IN secret)", "(1 IN url('http://h/'))", "$$a$$", "'a\\'b'", "'a''b'", "\"a\"\"b\"", "`a\\`b`", "“secret”", "‘a’", "x'41'", "b'01'", "0x1p3",
	"1_000", ".5", "1.", "secret", "db.secret", "remote('h', db.secret)", "from", "group", "final", "left", "format", "settings", "(SELECT 1 UNION ALL SELECT a FROM secret)", "(WITH secret AS (SELECT 1) SELECT * FROM secret)",
	"(SELECT * FROM (SELECT * FROM secret) AS t)", "exists(SELECT 1 FROM secret)", "* APPLY(file)", "x -> file(x)", "CASE WHEN 1 THEN 2 END", "INTERVAL 1 DAY", "DATE '2020-01-01'", "a::String", "{p:String}", "joinGet('secret', 'a', 1)", "notIn(1, secret)",
	"count() OVER (ORDER BY (SELECT a FROM secret))", "a[1]", "(1, 2).1", "/* /* */ */ 1", "a # b", "a -- b\n", "--\n1", "1st", "a.b.c.d", "@@x", "a ? b : c", "tuple(*)", "COLUMNS('a')", "[1, 2]", "map('a', 1)", "{'a': 1}"}

// mutate changes a statement by a few tokens.
func mutate(random *rand.Rand, s string, all []string) string {
	var l lexerOf
	pieces := l.split(s)
	for range 1 + random.IntN(2) {
		if len(pieces) == 0 {
			return s
		}
		i := random.IntN(len(pieces))
		switch random.IntN(9) {
		case 3, 4, 5, 6: // an operand for an operand: this mostly stays a statement
			j := slices.IndexFunc(pieces[i:], func(p string) bool { return p != "" && (lex.IsWord(p[0]) || p[0] == '\'') })
			if j >= 0 && keywordOf([]byte(pieces[i+j])) == kwNone {
				pieces = slices.Clone(pieces)
				pieces[i+j] = operands[random.IntN(len(operands))]
			}
		case 0:
			pieces = slices.Delete(slices.Clone(pieces), i, i+1)
		case 1:
			j := random.IntN(len(pieces))
			pieces = slices.Clone(pieces)
			pieces[i], pieces[j] = pieces[j], pieces[i]
		case 2:
			other := l.split(all[random.IntN(len(all))])
			if len(other) > 0 {
				at := random.IntN(len(other))
				end := min(len(other), at+1+random.IntN(12))
				pieces = slices.Insert(slices.Clone(pieces), i, append([]string{" "}, other[at:end]...)...)
			}
		case 7:
			pieces = slices.Insert(slices.Clone(pieces), i, " "+splinters[random.IntN(len(splinters))]+" ")
		}
	}
	return strings.Join(pieces, "")
}

// lexerOf splits texts into their tokens.
type lexerOf struct{}

func (lexerOf) split(s string) []string {
	var r Reader
	r.begin([]byte(s), 26007)
	var out []string
	for {
		t := r.lexer.Next()
		if t.Kind == 0 {
			return out
		}
		out = append(out, s[t.Start:t.End])
	}
}
