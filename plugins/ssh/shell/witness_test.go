package shell_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/ssh/shell"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestWitnesses: what real shells and programs change files by is no read. Each line is run in a folder of its own, in which "victim" and "+" are, with a word on the standard input.
func TestWitnesses(t *testing.T) {
	changed := 0
	for _, name := range []string{"bash", "dash"} {
		sh, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		for _, line := range []string{
			"x='1 touch y'; env a=1 b=$x ls",
			"x='1 rm victim'; env a=1 b=$x ls",
			"xargs --delimiter : rm",
			"xargs --delimiter w rm",
			"xargs --max-args 1 rm",
			"find . -maxdepth 0 -exec sort + -o out \\;",
			"find . -maxdepth 0 -exec uniq + out \\; -o -delete",
			"timeout --signal KILL 60 rm victim",
			"trap -- 'rm victim' EXIT",
			"x='a[$(rm victim)]'; echo $((x))",
			"eval -- rm victim",
		} {
			dir := t.TempDir()
			for _, f := range []string{"victim", "+"} {
				if err := os.WriteFile(filepath.Join(dir, f), []byte("x\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			c := exec.Command(sh, "-c", line)
			c.Dir, c.Stdin = dir, strings.NewReader("victim")
			out, _ := c.CombinedOutput() // some of them fail, having changed what they change
			left, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(left) == 2 && left[0].Name() == "+" && left[1].Name() == "victim" {
				t.Logf("%s: %q changes nothing here: %s", name, line, out)
				continue
			}
			changed++
			f := shell.Read(line, false)
			if f.Class < abi.ClassExecute || !f.Opaque && strings.Contains(line, "rm ") && !slices.Contains(f.Programs, "rm") {
				t.Errorf("%s: %q changes files and is %s of %q", name, line, f.Class, f.Programs)
			}
		}
	}
	if changed == 0 {
		t.Error("nothing was witnessed: no shell is here, or none of the lines changes a file")
	}
}
