// Package host_test keeps the architecture: which room may import which. A new package must be entered here, with what it needs
// and no more; docs/architecture.md says what each room is for.
package host_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sallyport-dev/sallyport/"

// rooms lists, for each package, which packages of this module it may import. Tests may import more.
var rooms = map[string][]string{
	"sdk/abi":                  {},
	"sdk/abi/answers":          {"sdk/abi"},
	"sdk":                      {"sdk/abi"},
	"sdk/sqlfamily":            {"sdk/abi"},
	"sdk/pack":                 {},
	"sdk/recording":            {"sdk/abi"},
	"sdk/sshwire":              {},
	"sdk/c":                    {},
	"sdk/testkit":              {"sdk", "sdk/abi", "sdk/testkit/conversation", "sdk/testkit/drygate", "host/guest"},
	"sdk/testkit/conversation": {"sdk/abi", "sdk/testkit/drygate"},
	"sdk/testkit/drygate":      {"sdk/abi", "sdk/abi/answers"},
	"sdk/cmd/pack":             {"sdk/pack"},

	"host/nearest":                 {},
	"host/placeholder":             {},
	"host/wgquick":                 {"host/nearest"},
	"host/secret":                  {},
	"host/secret/mask":             {},
	"host/layer":                   {},
	"host/layer/sshside":           {"host/layer", "sdk/sshwire"},
	"host/alias":                   {},
	"host/asciicast":               {},
	"host/config":                  {"host/nearest", "host/placeholder", "host/redact", "host/secret"},
	"host/state":                   {},
	"host/state/bolt":              {"host/state"},
	"host/state/statetest":         {"host/state"},
	"host/receipt":                 {"sdk/abi"},
	"host/receipt/anchor":          {"host/receipt"},
	"host/receipt/export":          {"host/receipt"},
	"host/decide":                  {"sdk/abi", "host/nearest"},
	"host/redact":                  {"sdk/abi"},
	"host/trial":                   {"host/decide", "host/nearest", "host/receipt", "sdk/abi"},
	"host/route":                   {},
	"host/tunnel":                  {"host/tunnel/internal/bridge", "host/tunnel/internal/tcpconn", "host/tunnel/internal/udpbind"},
	"host/tunnel/internal/bridge":  {},
	"host/tunnel/internal/tcpconn": {},
	"host/tunnel/internal/udpbind": {},
	"host/tunnel/tunneltest":       {"host/tunnel", "host/tunnel/internal/bridge", "host/tunnel/internal/tcpconn", "host/tunnel/internal/udpbind"},
	"host/client":                  {"host/placeholder", "host/wgquick"},
	"host/guest":                   {"host/guest/rewrite", "sdk/pack"},
	"host/guest/rewrite":           {},
	"host/guest/internal/wasmtest": {},
	"host/guest/hostile":           {"host/guest", "host/guest/internal/wasmtest", "sdk/abi"},
	"host/gate":                    {"sdk/abi", "sdk/abi/answers"},
	"host/approve":                 {"host/state", "sdk/abi"},
	"host/approve/show":            {},
	"host/approve/internal/retry":  {},
	"host/approve/webhook":         {"host/approve", "host/approve/internal/retry", "host/approve/show", "host/layer", "host/secret"},
	"host/approve/slack":           {"host/approve", "host/approve/internal/retry", "host/approve/show", "host/secret"},
	"host/approve/callback":        {"host/approve", "host/approve/slack", "host/approve/webhook"},
	"host/console":                 {"host/approve", "host/judge", "host/trial"},
	"host/judge":                   {"host/judge/budget", "host/judge/cache", "sdk/abi"},
	"host/judge/cache":             {},
	"host/judge/budget":            {"host/state"},
	"host/judge/frame":             {"host/judge"},
	"host/judge/openai":            {"host/judge", "host/judge/frame"},
	"host/judge/anthropic":         {"host/judge", "host/judge/frame"},
	"host/judge/program":           {"host/judge", "host/program"},
	"host/program":                 {},
	"host/approve/notifier":        {"host/approve", "host/approve/internal/retry", "host/approve/show", "host/approve/webhook", "host/program", "host/secret"},
	"host/scaffold":                {"sdk/c"},
	"host/extism":                  {"sdk/abi", "host/guest", "host/guest/rewrite"},
	"host/conformance":             {"sdk/abi", "sdk/pack", "sdk/recording", "sdk/testkit/conversation", "sdk/testkit/drygate", "host/guest", "host/extism"},
	"host/gateway": {"host/approve/notifier", "host/program", "host/judge", "host/judge/anthropic", "host/judge/budget", "host/judge/frame", "host/judge/openai", "host/judge/program", "sdk/recording", "sdk/abi", "host/alias", "host/asciicast", "host/approve", "host/approve/webhook", "host/approve/slack", "host/approve/callback", "host/layer", "host/layer/sshside", "host/nearest", "host/placeholder", "host/redact", "host/config", "host/decide", "host/extism", "host/gate", "host/guest", "host/receipt", "host/receipt/anchor", "host/route",
		"host/secret", "host/secret/mask", "host/state", "host/state/bolt", "host/trial", "host/tunnel", "plugins", "packs"},
	"host/sallyport": {"host/approve", "host/approve/show", "host/client", "host/config", "host/console", "host/decide", "host/gateway", "host/guest", "host/judge", "host/nearest", "host/receipt", "host/receipt/export", "host/secret", "host/trial", "host/wgquick", "host/tunnel", "plugins", "host/conformance", "host/scaffold"},

	"packs":                                {},
	"plugins":                              {},
	"plugins/clickhouse/sql":               {"sdk/abi", "plugins/clickhouse/sql/lex"},
	"plugins/clickhouse/sql/lex":           {},
	"plugins/clickhouse":                   {"sdk", "plugins/clickhouse/plugin"},
	"plugins/clickhouse/plugin":            {"sdk", "sdk/abi", "plugins/clickhouse/http", "plugins/clickhouse/session", "plugins/clickhouse/sql", "plugins/clickhouse/zstd", "plugins/http/decode"},
	"plugins/clickhouse/session":           {"sdk", "sdk/abi", "plugins/clickhouse/proto", "plugins/clickhouse/sql", "plugins/clickhouse/zstd"},
	"plugins/clickhouse/http":              {"sdk", "sdk/abi", "plugins/http/answer", "plugins/clickhouse/session", "plugins/clickhouse/sql", "plugins/clickhouse/sql/lex", "plugins/http/decode", "plugins/http/head"},
	"plugins/clickhouse/proto":             {"plugins/clickhouse/zstd"},
	"plugins/clickhouse/zstd":              {},
	"plugins/clickhouse/zstd/zstdtest":     {"plugins/clickhouse/zstd"},
	"plugins/http":                         {"sdk", "plugins/http/session"},
	"plugins/http/head":                    {},
	"plugins/http/answer":                  {"sdk", "sdk/abi", "plugins/http/decode", "plugins/http/head"},
	"plugins/http/facts":                   {"sdk", "sdk/abi", "plugins/http/answer", "plugins/http/head"},
	"plugins/http/hpack":                   {},
	"plugins/http/h2frame":                 {},
	"plugins/http/decode":                  {},
	"plugins/http/decode/undo":             {"plugins/http/decode"},
	"plugins/http/decode/companion":        {"plugins/http/decode", "plugins/http/decode/undo"},
	"plugins/http/aws":                     {"plugins/http/facts", "plugins/http/head"},
	"plugins/http/h2":                      {"sdk", "sdk/abi", "plugins/http/answer", "plugins/http/aws", "plugins/http/facts", "plugins/http/h2frame", "plugins/http/head", "plugins/http/hpack"},
	"plugins/http/websocket":               {},
	"plugins/http/session":                 {"sdk", "sdk/abi", "plugins/http/answer", "plugins/http/aws", "plugins/http/websocket", "plugins/http/decode", "plugins/http/h2", "plugins/http/head", "plugins/http/facts"},
	"plugins/kubernetes":                   {"sdk", "plugins/kubernetes/dialect"},
	"plugins/kubernetes/dialect":           {"sdk", "sdk/abi", "plugins/http/facts", "plugins/http/session", "plugins/kubernetes/object", "plugins/kubernetes/request", "plugins/kubernetes/yaml"},
	"plugins/kubernetes/object":            {"plugins/http/facts", "plugins/kubernetes/request"},
	"plugins/kubernetes/request":           {"sdk/abi"},
	"plugins/kubernetes/yaml":              {},
	"plugins/kubernetes/yaml/convert":      {"plugins/kubernetes/yaml"},
	"plugins/kubernetes/yaml/companion":    {"plugins/kubernetes/yaml", "plugins/kubernetes/yaml/convert"},
	"plugins/ssh":                          {"sdk", "plugins/ssh/session"},
	"plugins/ssh/session":                  {"sdk", "sdk/abi", "sdk/sshwire", "plugins/ssh/line", "plugins/ssh/sftp"},
	"plugins/ssh/sftp":                     {"sdk/abi"},
	"plugins/ssh/line":                     {"sdk/abi"},
	"plugins/ssh/shell":                    {"sdk/abi", "plugins/ssh/line"},
	"plugins/ssh/shell/companion":          {"plugins/ssh/line", "plugins/ssh/shell"},
	"plugins/postgres":                     {"sdk", "plugins/postgres/session"},
	"plugins/postgres/proto":               {},
	"plugins/postgres/session":             {"sdk", "sdk/abi", "sdk/sqlfamily", "plugins/postgres/proto", "plugins/postgres/sqlfacts"},
	"plugins/postgres/sqlfacts":            {"sdk/abi"},
	"plugins/postgres/sqlfacts/gen":        {},
	"plugins/postgres/pgquery":             {},
	"plugins/postgres/pgquery/pgquerytest": {},
}

// free packages are the workshop: they may import anything.
func free(pkg string) bool {
	return strings.HasPrefix(pkg, "test/") || strings.HasPrefix(pkg, "examples/") || pkg == "docs" || pkg == "host"
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	return list(t, nil, module+"...")
}

func list(t *testing.T, env []string, patterns ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports"}, patterns...)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestRooms(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if free(name) {
			continue
		}
		seen[name] = true
		allowed, ok := rooms[name]
		if !ok {
			t.Errorf("%s is in no room: enter it in host/rooms_test.go with what it may import", name)
			continue
		}
		for _, i := range p.Imports {
			if i, ours := strings.CutPrefix(i, module); ours && !slices.Contains(allowed, i) {
				t.Errorf("%s imports %s: move the code or, if that is the better shape, change the rule and say why in docs/RATIONALE.md", name, i)
			}
		}
	}
	for name := range rooms {
		if !seen[name] {
			t.Errorf("the rules name %s, which does not exist", name)
		}
	}
}

// The rooms that every connection runs through know no protocol and no part of the gateway around them.
func TestOutsideImports(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, i := range p.Imports {
			outside := strings.Contains(strings.SplitN(i, "/", 2)[0], ".") && !strings.HasPrefix(i, module)
			if !outside {
				continue
			}
			switch {
			case name == "host/gate", name == "sdk", name == "sdk/abi", strings.HasPrefix(name, "plugins/http") && !strings.HasPrefix(name, "plugins/http/decode/"), strings.HasPrefix(name, "plugins/kubernetes") && !strings.HasPrefix(name, "plugins/kubernetes/yaml/"), strings.HasPrefix(name, "plugins/postgres") && !strings.HasSuffix(name, "test") && !strings.HasSuffix(name, "gen"):
				t.Errorf("%s imports %s: it does without other modules", name, i)
			case strings.Contains(i, "wazero") && !strings.HasPrefix(name, "host/guest") && name != "host/extism" && !strings.HasSuffix(name, "test"):
				t.Errorf("%s imports %s: WebAssembly is the business of host/guest and host/extism", name, i)
			case strings.Contains(i, "gvisor") && !strings.HasPrefix(name, "host/tunnel") && !strings.HasPrefix(name, "test/"):
				t.Errorf("%s imports %s: the network stack is the business of host/tunnel", name, i)
			}
		}
	}
}

// Every function of a guest costs memory in each connection, so guests do without what brings in half the standard library.
func TestGuestsAreSmall(t *testing.T) {
	heavy := []string{"fmt", "encoding/json", "regexp", "reflect", "net", "log"}
	for _, p := range list(t, []string{"GOOS=wasip1", "GOARCH=wasm"}, module+"sdk", module+"sdk/abi", module+"plugins/postgres",
		module+"plugins/postgres/session", module+"plugins/postgres/proto", module+"plugins/postgres/sqlfacts",
		module+"plugins/kubernetes", module+"plugins/kubernetes/dialect", module+"plugins/kubernetes/object", module+"plugins/kubernetes/request", module+"plugins/kubernetes/yaml",
		module+"plugins/http", module+"plugins/http/session", module+"plugins/http/facts", module+"plugins/http/head") {
		for _, i := range p.Imports {
			if slices.Contains(heavy, i) {
				t.Errorf("%s imports %s", p.ImportPath, i)
			}
		}
	}
}
