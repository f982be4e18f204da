package docs_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// TestTutorial follows docs/plugins.md literally: its shell blocks, in their order, as one script, with the built command.
func TestTutorial(t *testing.T) {
	page := read(t, "plugins.md")
	blocks := regexp.MustCompile("(?ms)^```sh( [a-z]+)?\n(.*?)^```$").FindAllStringSubmatch(page, -1)
	if len(blocks) < 8 {
		t.Fatalf("plugins.md has %d shell blocks", len(blocks))
	}
	script := "set -eu\ntrap 'kill $(cat shelf/*.pid *.pid 2>/dev/null) 2>/dev/null || true' EXIT\n"
	for _, b := range blocks {
		switch b[1] {
		case " setup": // where the repository is
		case " fails":
			script += "if " + strings.TrimSpace(b[2]) + "; then echo 'this should have failed'; exit 1; fi\n"
		default:
			script += b[2]
		}
	}
	// Ports that are free on this machine in place of those of the page.
	udp, err := rig.FreeUDPPort()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	script = strings.NewReplacer("51999", strconv.Itoa(udp), "7070", strconv.Itoa(tcp)).Replace(script)
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	src, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), "SALLYPORT_SRC="+src, "PATH="+filepath.Dir(bin)+":"+os.Getenv("PATH"), "GOFLAGS=-mod=readonly", "GOPROXY=off")
	if cache, err := os.UserCacheDir(); err == nil {
		// Compiled modules are kept with those of other tests; those of Go stay where they are.
		cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+filepath.Join(cache, "sallyport-test"), "GOCACHE="+goEnv(t, "GOCACHE"))
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(cmd.Dir, "shelf", "gateway.log"))
		t.Fatalf("%v\n%s\nthe gateway's log:\n%s", err, out, log)
	}
	for _, want := range []string{"shelf.wasm: ok\n", "error ask a person to delete this\r\nerror ask a person to delete this\r\n", "nothing is deleted", ", as recorded\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the tutorial does not print %q:\n%s", want, out)
		}
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
