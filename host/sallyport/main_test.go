package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/guest"
)

const patience = 2 * time.Minute

// TestMain has check keep compiled plugins between runs of the tests: compiling under the race detector is slow.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == compileArgument { // the test binary stands for the command
		os.Exit(guest.CompileChild(os.Stdin, os.Stdout))
	}
	if dir, err := os.UserCacheDir(); err == nil {
		os.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "sallyport-test"))
	}
	goleak.VerifyTestMain(m)
}

// result is what a command line led to.
type result struct {
	code     int
	out, err string
}

// call runs a command line.
func call(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return callWith(ctx, args...)
}

func callWith(ctx context.Context, args ...string) result {
	var out, err bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(&err)
	code := execute(ctx, root, args)
	return result{code, out.String(), err.String()}
}

// want expects an exit code and texts in what was printed.
func (r result) want(t *testing.T, code int, out, err string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.out, out) || !strings.Contains(r.err, err) {
		t.Errorf("exit code %d, want %d with output …%s… and error …%s…\noutput: %s\nerror: %s", r.code, code, out, err, r.out, r.err)
	}
}

// writeConfig writes a configuration into a fresh folder; its state is beside it.
func writeConfig(t *testing.T, tables string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sallyport.toml")
	write(t, path, "[gateway]\nlisten = \"127.0.0.1:0\"\naddress = \"gw.example.com:51820\"\nstate = \"state\"\n\n"+tables)
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	relayEndpoint = "[[endpoint]]\nname = \"echo\"\naddress = \"127.0.0.1:7\"\nplugin = \"none\"\nprofiles = [\"dev\"]\n\n"
	connectRule   = "[[rule]]\nname = \"connect\"\nwhen = 'action.family == \"connect\"'\nthen = \"allow\"\n\n"
)

// everyCommand calls do with each command, those that cobra adds left out.
func everyCommand(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		if sub.Name() != "help" && sub.Name() != "completion" {
			everyCommand(sub, do)
		}
	}
}

// TestHelp: the help of every command says what it does, with an example and the exit codes.
func TestHelp(t *testing.T) {
	n := 0
	everyCommand(newRoot(), func(c *cobra.Command) {
		n++
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		r := call(t, args...)
		r.want(t, 0, "Examples:\n", "")
		r.want(t, 0, "Exit status:", "")
		if r.err != "" || c.Short == "" || len(c.Long) < len(c.Short) {
			t.Errorf("%s: %q, %q, %q", c.CommandPath(), c.Short, c.Long, r.err)
		}
		for _, line := range strings.Split(c.Example, "\n") {
			if !strings.Contains(line, "sallyport") {
				continue
			}
			_, words, _ := strings.Cut(line, "sallyport ")
			checkExample(t, strings.Fields(words))
		}
	})
	if n < 9 {
		t.Errorf("there are %d commands only", n)
	}
}

// checkExample expects that a command and its flags exist.
func checkExample(t *testing.T, words []string) {
	t.Helper()
	cmd, rest, err := newRoot().Find(words)
	if err != nil || cmd.Parent() == nil {
		t.Errorf("example %q: %v", words, err)
		return
	}
	for _, w := range rest {
		if w == "--" || w == "|" || strings.HasPrefix(w, ">") {
			return
		}
		if name, ok := strings.CutPrefix(w, "--"); ok && cmd.Flags().Lookup(name) == nil {
			t.Errorf("example %q: there is no flag --%s", words, name)
		}
	}
}

// TestUsage: what is wrong with a command line is said with what to do, and exits with 2.
func TestUsage(t *testing.T) {
	for line, message := range map[string]string{
		"chekc":                              `there is no command "sallyport chekc"; did you mean "check"?`,
		"nonsense":                           `there is no command "sallyport nonsense"`,
		"peer ad":                            `there is no command "sallyport peer ad"; did you mean "add"?`,
		"receipts show":                      `there is no command "sallyport receipts show"`,
		"check":                              "CONFIG is missing: sallyport check CONFIG",
		"check a b":                          `"b" is one argument too many`,
		"check --jsn a":                      "unknown flag: --jsn",
		"serve":                              "CONFIG is missing: sallyport serve CONFIG",
		"serve --log-format xml a":           `--log-format "xml": it is text or json`,
		"peer add":                           "NAME is missing",
		"peer add x":                         "--profile is required",
		"peer add x --profile":               "--profile",
		"peer list x":                        `"x" is one argument too many`,
		"receipts tail x":                    `"x" is one argument too many`,
		"receipts tail -n -1":                "it is 0 or more",
		"receipts tail -n x":                 `"x"`,
		"receipts verify x":                  `"x" is one argument too many`,
		"run":                                "COMMAND is missing",
		"run --peer x":                       "COMMAND is missing",
		"peer add x --profile p --address y": "--address",
	} {
		r := call(t, strings.Fields(line)...)
		r.want(t, exitUsage, "", "sallyport: ")
		if !strings.Contains(r.err, message) || !strings.Contains(r.err, "--help'\n") || r.out != "" {
			t.Errorf("%s: output %q, error %q, want %q", line, r.out, r.err, message)
		}
	}
	for _, line := range []string{"", "peer", "receipts", "--help", "--version", "help check"} {
		if r := call(t, strings.Fields(line)...); r.code != 0 || r.out == "" || r.err != "" {
			t.Errorf("%q: %+v", line, r)
		}
	}
}

// TestNoFile: a file that is missing is an error of status 1 that names it.
func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "nothing.toml")
	for _, args := range [][]string{
		{"check", missing}, {"serve", missing}, {"peer", "list", "-c", missing}, {"peer", "add", "x", "--profile", "p", "-c", missing},
		{"receipts", "tail", "-c", missing}, {"receipts", "verify", "-c", missing}, {"receipts", "tail", "--file", missing},
	} {
		call(t, args...).want(t, exitFailure, "", missing)
	}
	path := writeConfig(t, relayEndpoint)
	call(t, "receipts", "tail", "-c", path).want(t, exitFailure, "", "there are no receipts: ")
	call(t, "receipts", "verify", "-c", path).want(t, exitFailure, "", "sallyport serve "+path)
	t.Setenv("SALLYPORT_PEER", "")
	t.Setenv("XDG_CONFIG_HOME", dir)
	call(t, "run", "--", "true").want(t, 125, "", "give --peer FILE or set SALLYPORT_PEER")
	call(t, "run", "--peer", missing, "--", "true").want(t, 125, "", missing)
	t.Setenv("SALLYPORT_PEER", filepath.Join(dir, "other.conf"))
	call(t, "run", "true").want(t, 125, "", "other.conf")
}

// lockedBuffer is what a command prints into while a test looks on.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// until waits for a condition.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// begun is a command line that runs.
type begun struct {
	out, err lockedBuffer
	cancel   context.CancelFunc
	code     chan int
}

// begin runs a command line until the test ends it.
func begin(t *testing.T, args ...string) *begun {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b := &begun{cancel: cancel, code: make(chan int, 1)}
	root := newRoot()
	root.SetOut(&b.out)
	root.SetErr(&b.err)
	go func() { b.code <- execute(ctx, root, args) }()
	return b
}

// end interrupts it and returns its exit code.
func (b *begun) end() int {
	b.cancel()
	return <-b.code
}

// TestServe: it says when it is ready, serves one gateway for each state, and ends in good order.
func TestServe(t *testing.T) {
	path := writeConfig(t, relayEndpoint+connectRule)
	call(t, "peer", "add", "claude", "--profile", "dve", "-c", path).want(t, 0, "", "note")
	g := begin(t, "serve", "--log-format", "json", path)
	until(t, "it is ready", func() bool { return strings.Contains(g.err.String(), `"msg":"ready"`) })
	if log := g.err.String(); !strings.Contains(log, `"level":"WARN"`) || !strings.Contains(log, "no endpoint lists the profile") {
		t.Errorf("a warning of the configuration is not logged: %s", log)
	}
	call(t, "serve", path).want(t, exitFailure, "", "another gateway writes to it")
	call(t, "receipts", "tail", "-c", path).want(t, 0, "sallyport "+version, "")
	if code := g.end(); code != 0 || !strings.Contains(g.err.String(), `"msg":"stopping"`) {
		t.Errorf("exit code %d: %s", code, g.err.String())
	}
	call(t, "receipts", "verify", "-c", path).want(t, 0, "the chain is whole", "")
}

// TestServeRefuses: with a bad configuration nothing is opened and nothing is written but what was compiled.
func TestServeRefuses(t *testing.T) {
	for name, tables := range map[string]string{
		"a key":       relayEndpoint + "[[rul]]\n",
		"a condition": relayEndpoint + strings.Replace(connectRule, "action.family", "action.famly", 1),
		"a file":      "[plugins]\nx = { path = \"x.wasm\", sha256 = \"" + strings.Repeat("00", 32) + "\" }\n" + strings.Replace(relayEndpoint, "none", "x", 1) + connectRule,
	} {
		path := writeConfig(t, tables)
		r := call(t, "serve", path)
		r.want(t, exitFailure, "", path+":")
		r.want(t, exitFailure, "", "sallyport: problems in the configuration: 1, see above")
		if strings.Contains(r.err, "ready") {
			t.Errorf("%s: %s", name, r.err)
		}
		for _, file := range []string{"receipts.jsonl", "wireguard.key", "state.db"} {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "state", file)); !os.IsNotExist(err) {
				t.Errorf("%s: there is a %s (%v)", name, file, err)
			}
		}
	}
}

// TestStateOutOfReach: the commands that write there say which key of the configuration is about it.
func TestStateOutOfReach(t *testing.T) {
	path := writeConfig(t, relayEndpoint+connectRule)
	write(t, filepath.Join(filepath.Dir(path), "state"), "not a folder")
	for _, args := range [][]string{{"serve", path}, {"peer", "add", "x", "--profile", "dev", "-c", path}} {
		call(t, args...).want(t, exitFailure, "", filepath.Join(filepath.Dir(path), "state"))
	}
	call(t, "serve", path).want(t, exitFailure, "", "gateway.state: ")
}

// TestPeerFile: the flag first, then the environment, then the user's own.
func TestPeerFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("SALLYPORT_PEER", "")
	own := filepath.Join(dir, "sallyport", "peer.conf")
	if err := os.MkdirAll(filepath.Dir(own), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, own, "")
	var got []string
	for _, flag := range []string{"", "given.conf"} {
		p, err := peerFile(flag)
		got = append(got, fmt.Sprint(p, err))
	}
	t.Setenv("SALLYPORT_PEER", "env.conf")
	p, err := peerFile("")
	got = append(got, fmt.Sprint(p, err))
	if want := []string{own + "<nil>", "given.conf<nil>", "env.conf<nil>"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
