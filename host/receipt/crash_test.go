package receipt

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// crashFile is set in the process that is to be killed.
const crashFile = "SALLYPORT_TEST_CRASH_FILE"

// TestKilled kills a process while it appends from many goroutines: every id that it was given stands in the file, and the
// file opens again.
func TestKilled(t *testing.T) {
	if path := os.Getenv(crashFile); path != "" {
		appendUntilKilled(path)
		return
	}
	path := filepath.Join(t.TempDir(), "r")
	c := exec.Command(os.Args[0], "-test.run", "^TestKilled$")
	c.Env = append(os.Environ(), crashFile+"="+path)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "id "); ok {
			ids = append(ids, id)
		}
		if len(ids) == 300 {
			if err := c.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := c.Wait(); err == nil || len(ids) < 300 {
		t.Fatalf("it was not killed: %v, %d ids", err, len(ids))
	}
	l := open(t, path, Options{})
	appendTo(t, l, decision("after"))
	if r, err := Verify(path); err != nil {
		t.Fatalf("%+v %v", r, err)
	}
	found := map[string]bool{}
	for _, e := range entries(t, path) {
		found[e.ID] = true
	}
	for _, id := range ids {
		if !found[id] {
			t.Errorf("%s was given and is not in the file", id)
		}
	}
}

func appendUntilKilled(path string) {
	l, err := Open(path, Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100_000 { // ends, should nobody kill it
				id, err := l.Append(decision("x"))
				if err != nil {
					return
				}
				fmt.Println("id " + id)
			}
		})
	}
	group.Wait()
}
