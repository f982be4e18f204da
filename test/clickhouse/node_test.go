package clickhouse

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/test/npm"
)

// TestNode has the official client for Node, which speaks HTTP, at the distribution's server.
func TestNode(t *testing.T) {
	manifest, err := os.ReadFile("node/package.json")
	if err != nil {
		t.Fatal(err)
	}
	modules, err := npm.Install(t.Context(), manifest)
	if err != nil {
		t.Fatal(err)
	}
	g := overHTTP(t, nil)
	for _, compressed := range []string{"plain", "compressed"} {
		t.Run(compressed, func(t *testing.T) {
			direct(t, "DROP TABLE IF EXISTS node; CREATE TABLE node (id UInt64, s String) ENGINE = Memory")
			cmd := exec.CommandContext(t.Context(), "node", "node/client.js", g.port(), compressed)
			cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"))
			out, err := cmd.CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != "done" {
				t.Errorf("%s%v", out, err)
			}
			for _, mark := range []string{"'node forbidden'", "DROP TABLE node_forbidden", "INSERT INTO node_forbidden"} {
				if saw(t, mark) {
					t.Errorf("the server was given %s", mark)
				}
			}
		})
	}
}
