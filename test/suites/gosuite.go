package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// goSuite is the suite of a Go module, in the version of our go.mod.
type goSuite struct {
	module   string
	packages []string // folders below the module's
	skip     string   // tests that are not run, as a regular expression
	setup    func(ctx context.Context, at *side) error
	env      func(at *side) []string
	explain  map[string]string

	version, src string
	binaries     []string
}

func (g *goSuite) title() string            { return "The suite of " + g.module + " " + g.version }
func (g *goSuite) known() map[string]string { return g.explain }

// prepare copies the module out of Go's cache, which is read-only, and builds its tests.
func (g *goSuite) prepare(ctx context.Context, dir string) error {
	root, err := rig.Root()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", g.module)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go mod download %s: %w", g.module, err)
	}
	var module struct{ Dir, Version string }
	if err := json.Unmarshal(out, &module); err != nil {
		return fmt.Errorf("go mod download %s: %w", g.module, err)
	}
	g.version, g.src = module.Version, filepath.Join(dir, "src")
	if err := os.CopyFS(g.src, os.DirFS(module.Dir)); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "chmod", "-R", "u+w", g.src).CombinedOutput(); err != nil {
		return fmt.Errorf("chmod: %w: %s", err, out)
	}
	g.binaries = nil
	for i, pkg := range g.packages {
		binary := filepath.Join(dir, fmt.Sprintf("tests-%d", i))
		cmd := exec.CommandContext(ctx, "go", "test", "-c", "-mod=mod", "-o", binary, "./"+pkg)
		cmd.Dir = g.src
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go test -c %s/%s: %w\n%s", g.module, pkg, err, out)
		}
		g.binaries = append(g.binaries, binary)
	}
	return nil
}

func (g *goSuite) run(ctx context.Context, at *side, only []string) (results, error) {
	if err := g.setup(ctx, at); err != nil {
		return nil, err
	}
	all := results{}
	for i, pkg := range g.packages {
		selected := ""
		if only != nil {
			if selected = pattern(pkg, only); selected == "" {
				continue
			}
		}
		if err := g.runPackage(ctx, at, pkg, g.binaries[i], selected, all); err != nil {
			return nil, fmt.Errorf("%s: %w", pkg, err)
		}
	}
	return all, nil
}

// pattern selects the top-level tests of a package that names, with the package in front, belong to.
func pattern(pkg string, names []string) string {
	var tests []string
	for _, name := range names {
		if of, test, _ := strings.Cut(name, " "); of == pkg {
			top, _, _ := strings.Cut(test, "/")
			if top = regexp.QuoteMeta(top); !slices.Contains(tests, top) {
				tests = append(tests, top)
			}
		}
	}
	if tests == nil {
		return ""
	}
	return "^(" + strings.Join(tests, "|") + ")$"
}

func (g *goSuite) runPackage(ctx context.Context, at *side, pkg, binary, selected string, all results) error {
	args := []string{binary, "-test.v=test2json", "-test.parallel=4", "-test.timeout=15m", "-test.skip=" + g.skip}
	if selected != "" {
		args = append(args, "-test.run="+selected)
	}
	cmd := at.command(ctx, args...)
	cmd.Dir = filepath.Join(g.src, pkg)
	cmd.Env = append(cmd.Env, g.env(at)...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if err := os.WriteFile(filepath.Join(at.dir, "tests of "+strings.ReplaceAll(pkg, "/", "-")), out, 0o644); err != nil {
		return err
	}
	events := exec.CommandContext(ctx, "go", "tool", "test2json")
	events.Stdin = bytes.NewReader(out)
	lines, err := events.Output()
	if err != nil {
		return fmt.Errorf("test2json: %w", err)
	}
	return collect(lines, pkg, all)
}

// temporary are folders of t.TempDir, which are in the names of some tests and different each time.
var temporary = regexp.MustCompile(`/tmp/Test[^/]*[0-9]+/`)

// collect reads what test2json made of a package's output.
func collect(lines []byte, pkg string, all results) error {
	said := map[string]*strings.Builder{}
	found := 0
	for line := range bytes.Lines(lines) {
		var e struct{ Action, Test, Output string }
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("test2json said %q: %w", line, err)
		}
		name := pkg + " " + temporary.ReplaceAllString(e.Test, "/TMP/")
		switch e.Action {
		case "output":
			if said[name] == nil {
				said[name] = &strings.Builder{}
			}
			said[name].WriteString(e.Output)
		case "pass", "fail", "skip":
			o := outcome{status: e.Action}
			if b := said[name]; b != nil && e.Action != "pass" {
				o.detail = b.String()
			}
			if e.Test == "" { // the package as a whole
				continue
			}
			found++
			all[name] = o
		}
	}
	if found == 0 {
		return fmt.Errorf("no test came to an end:\n%s", lines)
	}
	return nil
}
