package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// TestExamplesAdmitted puts the example plugins through the admission test with their own fixtures: two of the native lane, one of the
// Extism lane, and the same suite for all.
func TestExamplesAdmitted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute) // thousands of connections
	defer cancel()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	for name, lane := range map[string]string{"redis": "native", "memcached": "native", "beanstalkd": "extism"} {
		t.Run(name, func(t *testing.T) {
			path, _ := examplePlugin(t, name)
			cmd := shared.gw.Command(ctx, "plugin", "check", path, "--fixtures", filepath.Join(root, "examples", "plugins", name, "testdata"))
			cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+filepath.Join(shared.dir, "xdg"))
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), ", "+lane+" lane") || strings.Contains(string(out), "\nFAIL") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
