package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/ssh/line"
	"github.com/sallyport-dev/sallyport/plugins/ssh/session"
	"github.com/sallyport-dev/sallyport/plugins/ssh/shell"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/pack"
	"github.com/sallyport-dev/sallyport/sdk/testkit"
)

// TestPlugin builds the modules once for all of its parts.
func TestPlugin(t *testing.T) {
	s := suite(t)
	t.Run("hard lines", func(t *testing.T) { hardLines(t, s) })
	t.Run("conversations", func(t *testing.T) {
		s.Conversations = "testdata/conversations/*.txt"
		testkit.Run(t, s)
	})
}

func suite(t *testing.T) testkit.Suite {
	t.Helper()
	return testkit.Suite{New: func() sdk.Plugin { return &session.Plugin{} }, Call: companion, Module: module(t)}
}

// companion is the companion module as ordinary Go.
func companion(_ int, in, out []byte) (int, error) {
	text, terminal, err := line.ReadCall(in)
	if err != nil {
		return 0, err
	}
	facts := shell.Read(text, terminal)
	return copy(out, line.AppendFacts(nil, &facts)), nil
}

// module builds the plugin with its companion, as make does.
func module(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	var built [2][]byte
	for i, folder := range []string{".", "shell/companion"} {
		file := filepath.Join(dir, "part.wasm")
		testkit.Build(t, folder, file)
		var err error
		if built[i], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := pack.Put(built[0], pack.Companion{Name: line.Companion, Module: built[1]})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ssh.wasm")
	if err := os.WriteFile(file, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
