package main

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/decode/undo"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/dialect"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/yaml"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/yaml/convert"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/pack"
	"github.com/sallyport-dev/sallyport/sdk/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConversations(t *testing.T) {
	testkit.Run(t, suite(t))
}

// suite is the plugin natively and as the built module.
func suite(t *testing.T) testkit.Suite {
	return testkit.Suite{New: func() sdk.Plugin { return dialect.New() }, Call: companion, Module: module(t), Conversations: "testdata/conversations/*.txt"}
}

// companion is the companion modules as ordinary Go.
func companion(k int, in, out []byte) (int, error) {
	if k == 1 {
		return convert.JSON(in, out)
	}
	coding, limit, body, err := decode.ReadCall(in)
	if err != nil {
		return 0, err
	}
	return undo.Decode(coding, body, out, limit)
}

// module builds the plugin with its companions, as make does.
func module(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	var built [3][]byte
	for i, folder := range []string{".", "../http/decode/companion", "yaml/companion"} {
		file := filepath.Join(dir, "part.wasm")
		testkit.Build(t, folder, file)
		var err error
		if built[i], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := pack.Put(built[0], pack.Companion{Name: decode.Companion, Module: built[1]}, pack.Companion{Name: yaml.Companion, Module: built[2]})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "kubernetes.wasm")
	if err := os.WriteFile(file, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
