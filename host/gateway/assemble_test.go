package gateway

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/config"
)

const withPostgres = "[plugins]\npostgres = \"builtin\"\n\n[[endpoint]]\nname = \"prod-db\"\naddress = \"db.internal:5432\"\nplugin = \"postgres\"\nprofiles = [\"dev\"]\n\n"

// TestPositions: what is wrong in a condition is found where it stands in the file, however the string is written.
func TestPositions(t *testing.T) {
	w := newWorld(t, withPostgres)
	loaded, err := w.assemble()
	if err != nil {
		t.Fatal(err)
	}
	check := func() config.Problems { // what assembling finds, with the plugins that are loaded already
		cfg, err := w.load()
		var problems config.Problems
		if err != nil {
			errors.As(err, &problems)
			return problems
		}
		a := &Assembly{cfg: cfg, log: loaded.log, sandbox: loaded.sandbox, plugins: loaded.plugins, endpoints: map[string]*endpoint{}, store: newSecrets(&cfg.Secrets, nil)}
		return append(a.configure(t.Context()), a.compile()...)
	}
	rule := func(rest string) string {
		return withPostgres + "[[rule]]\nname = \"r\"\n" + rest + "\n"
	}
	for name, c := range map[string]struct{ tables, at, message string }{
		"a literal string":   {rule("when = '!sql.bouned'\nthen = \"allow\""), "bouned", "bounded"},
		"a basic string":     {rule("when = \"\\\"x\\\" == sql.textt\"\nthen = \"allow\""), "textt", "text"},
		"lines":              {rule("when = '''\naction.class == \"read\" &&\n  !sql.bouned'''\nthen = \"allow\""), "bouned", "bounded"},
		"lines and escapes":  {rule("when = \"\"\"\naction.title == \"é\\t€\" && \\\n   !sql.bouned\"\"\"\nthen = \"allow\""), "bouned", "bounded"},
		"an exception":       {rule("when = 'true'\nunless = 'sql.verb == 1'\nthen = \"allow\""), "verb ==", "verbs"},
		"a type":             {rule("when = 'sql.text == 1'\nthen = \"allow\""), "== 1", "int"},
		"a class":            {rule("when = 'action.class == \"raed\"'\nthen = \"allow\""), "\"raed\"", "read"},
		"a peer":             {rule("when = 'peer.name == \"alcie\"'\nthen = \"allow\""), "\"alcie\"", "alice"},
		"an option":          {strings.Replace(withPostgres, "profiles", "options = { max_mesage = 1 }\nprofiles", 1), "max_mesage", "max_message"},
		"an option's range":  {strings.Replace(withPostgres, "profiles", "options = { max_message = 1 }\nprofiles", 1), "max_message", "1024"},
		"an option's type":   {strings.Replace(withPostgres, "profiles", "options = { max_message = true }\nprofiles", 1), "max_message", "int"},
		"an unknown outcome": {rule("when = 'true'\nthen = \"hodl\""), "\"hodl\"", "hold"},
	} {
		t.Run(name, func(t *testing.T) {
			w.write(c.tables)
			if problems := check(); len(problems) == 1 && problems[0].Col > 0 {
				// The place may be that of the whole name, the operator or the operand: it must be on the line, and touch the word.
				p := problems[0]
				text, ok := lineOf(w, p.Line)
				if !ok || !strings.Contains(p.Message, c.message) {
					t.Fatalf("%v", p)
				}
				at := strings.Index(text, c.at)
				if at < 0 || p.Col < 1 || p.Col > len([]rune(text[:at]))+1+len(c.at) || p.Col < len([]rune(text[:at]))+1-len("sql.text ") {
					t.Errorf("%v: does not point at %q in %q", p, c.at, text)
				}
			} else {
				t.Errorf("want one problem: %v", problems)
			}
		})
	}
}

func lineOf(w *world, n int) (string, bool) {
	cfg := readFile(w.t, w.path)
	lines := strings.Split(cfg, "\n")
	if n < 1 || n > len(lines) {
		return "", false
	}
	return lines[n-1], true
}

// TestEverythingAtOnce: all problems are reported together, in the order of the file.
func TestEverythingAtOnce(t *testing.T) {
	w := newWorld(t, withPostgres+ruleTable("one", "sql.bouned", "allow", "")+ruleTable("two", "action.clas == 1", "deny", "")+
		ruleTable("fine", "sql.bounded", "allow", ""))
	_, err := w.assemble()
	var problems config.Problems
	if !errors.As(err, &problems) || len(problems) != 2 {
		t.Fatalf("%v", err)
	}
	if problems[0].Line >= problems[1].Line || !strings.Contains(problems[0].Message, `rule "one"`) || !strings.Contains(problems[1].Message, `rule "two"`) {
		t.Errorf("%v", problems)
	}
}

// TestNoState: assembling writes nothing but the cache that it was told of.
func TestNoState(t *testing.T) {
	w := newWorld(t, withPostgres+allowConnect)
	if _, err := w.assemble(); err != nil {
		t.Fatal(err)
	}
	if names := folder(t, w.dir); len(names) != 1 {
		t.Errorf("there are %q", names)
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// folder lists the names in a folder.
func folder(t testing.TB, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
