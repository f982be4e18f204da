package docs_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/test/rig"
)

// root is the module's folder, as seen from here.
const root = ".."

// documents are what users read, by their paths from the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	all := map[string]string{}
	for _, path := range append(paths, filepath.Join(root, "README.md")) {
		name, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = read(t, path)
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// A path in code quotes, or a page that is named in the text.
	quotedPath = regexp.MustCompile("`((?:docs|examples|host|plugins|scripts|sdk|test)/[A-Za-z0-9_./-]+)`|\\b((?:docs|sdk)/[A-Za-z0-9_-]+\\.md)\\b")
)

// built are folders of what make builds, which need not be there.
var built = []string{"plugins/built"}

// TestLinks: what a document refers to exists.
func TestLinks(t *testing.T) {
	n := 0
	exists := func(name, path string) {
		n++
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s refers to something that is not there: %v", name, err)
		}
	}
	for name, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			exists(name, filepath.Join(root, filepath.Dir(name), target))
		}
		for _, m := range quotedPath.FindAllStringSubmatch(text, -1) {
			path := strings.TrimSuffix(m[1]+m[2], "/")
			if !slices.Contains(built, path) {
				exists(name, filepath.Join(root, path))
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d references were found", n)
	}
}

// codeIn is what stands in code blocks and code quotes, line by line.
func codeIn(text string) []string {
	var lines []string
	fenced := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		if fenced || strings.HasPrefix(line, "    ") {
			lines = append(lines, strings.TrimSpace(line))
			continue
		}
		for i, part := range strings.Split(line, "`") {
			if i%2 == 1 {
				lines = append(lines, part)
			}
		}
	}
	return lines
}

var (
	makeCommand = regexp.MustCompile(`^(?:\$ )?make(?: ([a-z-]+))?(?: [A-Z]+=\S+)?(?:\s*#.*)?$`)
	makeTarget  = regexp.MustCompile(`(?m)^([a-z-]+):`)
)

// TestMakeTargets: every target that a document names is in the Makefile.
func TestMakeTargets(t *testing.T) {
	targets := map[string]bool{"": true}
	for _, m := range makeTarget.FindAllStringSubmatch(read(t, filepath.Join(root, "Makefile")), -1) {
		targets[m[1]] = true
	}
	n := 0
	for name, text := range documents(t) {
		for _, line := range codeIn(text) {
			m := makeCommand.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			n++
			if !targets[m[1]] {
				t.Errorf("%s: %q: there is no such target", name, line)
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d were found", n)
	}
}

// binary builds the command once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sallyport-docs")
	if err != nil {
		return "", err
	}
	return rig.Build(context.Background(), dir)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// sallyport runs the command in a folder and returns what it printed.
func sallyport(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	if cache, err := os.UserCacheDir(); err == nil { // compiled plugins are kept with those of other tests
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(cache, "sallyport-test"))
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestCommands: every `sallyport …` in a document is a command with the flags that it has.
func TestCommands(t *testing.T) {
	commands := map[string]string{"": help(t)} // and their help
	n := 0
	for name, text := range documents(t) {
		for _, line := range codeIn(text) {
			_, rest, ok := strings.Cut(" "+line, " sallyport ")
			if !ok || strings.HasPrefix(line, "#") {
				continue
			}
			n++
			checkCommand(t, name, line, strings.Fields(rest), commands)
		}
	}
	if n < 8 {
		t.Errorf("only %d were found", n)
	}
}

func help(t *testing.T, command ...string) string {
	t.Helper()
	out, err := sallyport(t, "", append(command, "--help")...)
	if err != nil {
		t.Errorf("sallyport %q --help: %v: %s", command, err, out)
	}
	return out
}

// checkCommand follows the words of a command line down the tree of commands and looks for its flags.
func checkCommand(t *testing.T, document, line string, words []string, commands map[string]string) {
	t.Helper()
	var path []string
	for len(words) > 0 {
		_, below, ok := strings.Cut(commands[strings.Join(path, " ")], "Available Commands:\n")
		if !ok {
			break
		}
		below, _, _ = strings.Cut(below, "\n\n")
		word := strings.Trim(words[0], "`)")
		if !regexp.MustCompile(`(?m)^  ` + regexp.QuoteMeta(word) + `\s`).MatchString(below) {
			t.Errorf("%s: %q: there is no command %q", document, line, word)
			return
		}
		path, words = append(path, word), words[1:]
		if at := strings.Join(path, " "); commands[at] == "" {
			commands[at] = help(t, path...)
		}
	}
	for _, w := range words {
		if w == "--" || w == "|" || w == ">" || strings.HasPrefix(w, "#") {
			return
		}
		flag, _, _ := strings.Cut(strings.Trim(w, "`)"), "=")
		if strings.HasPrefix(flag, "-") && !regexp.MustCompile(`(?m)^\s+.*`+regexp.QuoteMeta(flag)+`[ ,\n]`).MatchString(commands[strings.Join(path, " ")]) {
			t.Errorf("%s: %q: there is no flag %s", document, line, flag)
		}
	}
}

// TestReadmeExample: the first configuration loads, also with the second one's rule besides and with the third one's endpoint in place
// of its own, and the README shows what check says about it when a field is misspelt.
func TestReadmeExample(t *testing.T) {
	readme := read(t, filepath.Join(root, "README.md"))
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(readme, -1)
	if len(blocks) != 3 {
		t.Fatalf("README.md has %d TOML examples", len(blocks))
	}
	example := blocks[0][1]
	cfg, err := config.Parse("sallyport.toml", []byte(example), config.Known{Builtins: []string{"postgres"}})
	if err != nil || len(cfg.Warnings) > 0 {
		t.Fatalf("the example does not load: %v %v", err, cfg.Warnings)
	}

	before, rest, ok := strings.Cut(example, "[[endpoint]]")
	_, after, ok2 := strings.Cut(rest, "[[rule]]")
	if !ok || !ok2 {
		t.Fatal("the example has no endpoint before its rules")
	}
	withLogin := before + blocks[2][1] + "\n[[rule]]" + after
	t.Setenv("PROD_DB_PASSWORD", "of no use")
	withPerson := example + "\n" + blocks[1][1]
	t.Setenv("OPS_WEBHOOK_SECRET", "a secret of enough bytes for a signature")

	const field = "sql.bounded'"
	wrong := strings.Replace(example, field, "sql.bouned'", 1)
	if wrong == example {
		t.Fatalf("the example has no %s to misspell", field)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "sallyport.toml")
	for _, c := range []struct{ text, want string }{{example, "sallyport.toml: ok\n"}, {withPerson, "sallyport.toml: ok\n"}, {withLogin, "sallyport.toml: ok\n"}, {wrong, shown(t, readme)}} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := sallyport(t, dir, "check", "sallyport.toml")
		if got != c.want || (err == nil) != (c.text != wrong) {
			t.Errorf("check prints %q (%v), README.md shows %q", got, err, c.want)
		}
	}
}

// shown is what README.md shows as the output of check.
func shown(t *testing.T, readme string) string {
	t.Helper()
	_, rest, ok := strings.Cut(readme, "    $ sallyport check sallyport.toml\n")
	if !ok {
		t.Fatal("README.md shows no output of check")
	}
	out, _, _ := strings.Cut(rest, "\n\n")
	return strings.ReplaceAll("\n"+out, "\n    ", "\n")[1:] + "\n"
}
