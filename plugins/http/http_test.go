package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/decode/undo"
	"github.com/sallyport-dev/sallyport/plugins/http/session"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/pack"
	"github.com/sallyport-dev/sallyport/sdk/testkit"
)

func TestConversations(t *testing.T) {
	testkit.Run(t, testkit.Suite{New: func() sdk.Plugin { return &session.Plugin{} }, Call: companion, Module: module(t),
		Conversations: "testdata/conversations/*.txt"})
}

// companion is the companion module as ordinary Go.
func companion(_ int, in, out []byte) (int, error) {
	coding, limit, body, err := decode.ReadCall(in)
	if err != nil {
		return 0, err
	}
	return undo.Decode(coding, body, out, limit)
}

// module builds the plugin with its companion, as make does.
func module(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	var built [2][]byte
	for i, folder := range []string{".", "decode/companion"} {
		file := filepath.Join(dir, "part.wasm")
		testkit.Build(t, folder, file)
		var err error
		if built[i], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := pack.Put(built[0], pack.Companion{Name: decode.Companion, Module: built[1]})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "http.wasm")
	if err := os.WriteFile(file, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
