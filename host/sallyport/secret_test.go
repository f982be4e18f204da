package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	agefile "filippo.io/age"
)

// sealedConfig writes a configuration with a sealed file that does not exist yet, and returns its path.
func sealedConfig(t *testing.T) (path string) {
	t.Helper()
	dir := t.TempDir()
	id, err := agefile.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SALLYPORT_TEST_IDENTITY", id.String())
	path = filepath.Join(dir, "sallyport.toml")
	writeSealedConfig(t, path, id.Recipient().String())
	return path
}

func writeSealedConfig(t *testing.T, path, recipient string) {
	t.Helper()
	text := fmt.Sprintf(`[gateway]
listen = "127.0.0.1:0"
state = "state"

[plugins]
postgres = "builtin"

[secrets]
sealed = "secrets.age"
identity = "env:SALLYPORT_TEST_IDENTITY"
recipients = [%q]

[[credential]]
name = "db"
user = "agent"
password = "sealed:prod-db"

[[endpoint]]
name = "db"
address = "127.0.0.1:5432"
plugin = "postgres"
tls = "disable"
profiles = { dev = "db" }

[[rule]]
name = "all"
when = "true"
then = "allow"
`, recipient)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// secretCommand runs `sallyport secret` with an input.
func secretCommand(t *testing.T, path, input string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	root := newRoot()
	root.SetIn(strings.NewReader(input))
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	code = execute(t.Context(), root, append([]string{"secret", "--config", path}, args...))
	return code, stdout.String(), stderr.String()
}

// TestSecret keeps secrets in a sealed file, from the first one to the last; no value is printed, and what fails changes nothing.
func TestSecret(t *testing.T) {
	const value = "canary-5e1d"
	path := sealedConfig(t)
	file := filepath.Join(filepath.Dir(path), "secrets.age")
	for _, c := range []struct {
		input string
		args  string
		code  int
		out   string // in what is printed
	}{
		{"", "list", 1, "does not exist"},
		{"", "set prod-db", 1, "the value is empty"},
		{value + "\n", "set prod-db", 0, ""},
		{value, "set prod-db", 1, "rotate"},
		{value, "rotate prod-db", 1, "has this value already"},
		{"other", "rotate nothing", 1, "there is no nothing"},
		{"other\n", "rotate prod-db", 0, ""},
		{"a\nb\n", "set two", 1, "more than one line"},
		{value, "set bad/name", 2, "letters, digits"},
		{value, "set", 2, "NAME"},
		{"A=" + value + "\nB=2\n", "import", 0, "2 secrets imported"},
		{"A=" + value + "\nC=3\n", "import", 0, "2 secrets imported"}, // A is the same
		{"D=4\nB=" + value + "\n", "import", 1, "nothing was imported"},
		{"D=4\nB=" + value + "\n", "import --replace", 0, ""},
		{"E=5\nrubbish " + value, "import", 1, "line 2"},
		{"", "remove prod-db", 1, "take the reference out first"},
		{"", "remove A", 0, ""},
		{"", "remove A", 1, "there is no A"},
		{"", "reencrypt", 0, ""},
	} {
		before, _ := os.ReadFile(file)
		code, out, errs := secretCommand(t, path, c.input, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out+errs, c.out) || strings.Contains(out+errs, value) {
			t.Errorf("%s: exit status %d, %s%s", c.args, code, out, errs)
		}
		if after, _ := os.ReadFile(file); bytes.Equal(before, after) != (code != 0) {
			t.Errorf("%s: the file changed: %t", c.args, code != 0)
		}
	}
	code, out, errs := secretCommand(t, path, "", "list", "--json")
	var list []struct {
		Name, Changed string
		Used          bool
	}
	if err := json.Unmarshal([]byte(out), &list); code != 0 || err != nil || len(list) != 4 || list[3].Name != "prod-db" || !list[3].Used || list[0].Used || strings.Contains(out, value) {
		t.Errorf("%d %s%s %v", code, out, errs, err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}

// TestSecretRecipients: who changes the recipients to somebody else's key is told before the file is written.
func TestSecretRecipients(t *testing.T) {
	path := sealedConfig(t)
	if code, _, errs := secretCommand(t, path, "x", "set", "prod-db"); code != 0 {
		t.Fatal(errs)
	}
	other, err := agefile.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	writeSealedConfig(t, path, other.Recipient().String())
	if code, _, errs := secretCommand(t, path, "", "reencrypt"); code != 1 || !strings.Contains(errs, "stays as it was") {
		t.Errorf("%d %s", code, errs)
	}
	if code, out, errs := secretCommand(t, path, "", "list"); code != 0 || !strings.Contains(out, "prod-db") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	t.Setenv("SALLYPORT_TEST_IDENTITY", other.String())
	if code, _, errs := secretCommand(t, path, "", "list"); code != 1 || !strings.Contains(errs, "sealed for others") {
		t.Errorf("%d %s", code, errs)
	}
}
