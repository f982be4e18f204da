package receipt

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var sql = &abi.Family{Name: "sql", Fields: []abi.Field{
	{Name: "text", Type: abi.TypeString},
	{Name: "bounded", Type: abi.TypeBool},
	{Name: "tables", Type: abi.TypeStrings},
	{Name: "statements", Type: abi.TypeInt},
	{Name: "later", Type: abi.TypeString},
}}

func action(text string) *abi.Action {
	return &abi.Action{Family: sql, Class: abi.ClassDelete, Title: "delete from public.users", Values: []abi.Value{
		{Known: true, Str: text}, {Known: true, Bool: true}, {Known: true, List: []string{"public.users", "public.logins"}},
		{Known: true, Int: 2}, {},
	}}
}

func decision(text string) *Record {
	return &Record{Kind: Decision, Conn: "c1", ActionID: 7, Peer: "claude-laptop", Profile: "dev", Endpoint: "prod-db", Plugin: "postgres",
		PluginDigest: "sha256:00112233445566778899aabbccddeeff", Action: action(text), Outcome: "deny", Rule: "no deletes", Reason: "ask first"}
}

func open(t testing.TB, path string, o Options) *Log {
	t.Helper()
	l, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

func appendTo(t testing.TB, l *Log, r *Record) string {
	t.Helper()
	id, err := l.Append(r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// sample writes a log with n decisions behind its genesis and closes it.
func sample(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		appendTo(t, l, decision("DELETE FROM users"))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func content(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// entries reads a whole file, which has to be without errors.
func entries(t testing.TB, path string) []*Entry {
	t.Helper()
	var all []*Entry
	for e, err := range Read(path, ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func kinds(es []*Entry) []Kind {
	var out []Kind
	for _, e := range es {
		out = append(out, e.Kind)
	}
	return slices.Clip(out)
}

// eventually waits for a condition, however slow the machine is.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
