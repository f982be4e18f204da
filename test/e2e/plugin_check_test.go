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
// Extism lane, and the same suite for all. In the Extism lane, where a connection takes a hundred times as long, fewer places are cut at.
func TestExamplesAdmitted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute) // thousands of connections
	defer cancel()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]string{"native": "2000", "extism": "300"}
	for name, lane := range map[string]string{"redis": "native", "memcached": "native", "beanstalkd": "extism"} {
		t.Run(name, func(t *testing.T) {
			path, _ := examplePlugin(t, name)
			cmd := shared.gw.Command(ctx, "plugin", "check", path, "--fixtures", filepath.Join(root, "examples", "plugins", name, "testdata"), "--runs", runs[lane])
			cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+filepath.Join(shared.dir, "xdg"))
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), ", "+lane+" lane") || strings.Contains(string(out), "\nFAIL") || !strings.Contains(string(out), "\nfuel  per KiB") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestShippedAdmitted puts the shipped plugin through what strangers' plugins must pass, at fewer places.
func TestShippedAdmitted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
	defer cancel()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := shared.gw.Command(ctx, "plugin", "check", filepath.Join(root, "plugins", "built", "postgres.wasm"),
		"--fixtures", filepath.Join(root, "plugins", "postgres", "testdata", "conversations"), "--runs", "40")
	cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+filepath.Join(shared.dir, "xdg"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), ", native lane") || strings.Contains(string(out), "\nFAIL") {
		t.Errorf("%v\n%s", err, out)
	}
}
