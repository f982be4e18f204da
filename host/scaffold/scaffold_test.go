package scaffold_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/conformance"
	"github.com/sallyport-dev/sallyport/host/scaffold"
)

const sdk = "../.."

// project writes a project and returns its folder.
func project(t *testing.T, name, lang string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work dir", name)
	root, ok := scaffold.FindSDK(sdk)
	if !ok {
		t.Fatal("the repository is not found")
	}
	files, err := scaffold.Write(scaffold.Project{Name: name, Lang: lang, Dir: dir, SDK: root})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(filepath.Join(dir, f)); err != nil || bytes.Contains(b, []byte("{{.")) || bytes.Contains(b, []byte("<no value>")) {
			t.Errorf("%s: %v\n%s", f, err, b)
		}
	}
	return dir
}

// run runs a command in a project, without a network.
func run(t *testing.T, dir string, command ...string) {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
}

// admitted puts the built plugin through the admission test with its own conversations.
func admitted(t *testing.T, dir, name string, runs int) {
	t.Helper()
	fixtures, _, err := conformance.Fixtures(filepath.Join(dir, "conversations"))
	if err != nil || len(fixtures) < 4 {
		t.Fatalf("%d fixtures, %v", len(fixtures), err)
	}
	wasm, err := conformance.ReadModule(filepath.Join(dir, name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	o := conformance.CheckOptions{Fixtures: fixtures, Runs: runs}
	if dir, err := os.UserCacheDir(); err == nil { // compiling under the race detector is slow
		dir = filepath.Join(dir, "sallyport-test", "scaffold")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		o.CacheDir = filepath.Join(dir, "compiled")
	}
	r, err := conformance.Check(context.Background(), name, wasm, o)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	r.Print(&text)
	if !r.OK || r.Plugin != name {
		t.Errorf("%s", &text)
	}
}

// TestGo: the project builds, passes vet and its tests, and is admitted, offline, also under a name with hyphens in a folder with spaces.
func TestGo(t *testing.T) {
	dir := project(t, "redis-cache", "go")
	if out, err := exec.Command("gofmt", "-l", dir).Output(); err != nil || len(out) > 0 {
		t.Errorf("not gofmt'ed: %s %v", out, err)
	}
	run(t, dir, "make")
	run(t, dir, "go", "vet", "./...")
	run(t, dir, "make", "test")
	admitted(t, dir, "redis-cache", 300)
}

func TestC(t *testing.T) {
	dir := project(t, "mem-cache", "c")
	run(t, dir, "make")
	admitted(t, dir, "mem-cache", 300)
}

// TestAssemblyScript builds with the compiler that the example plugin was built with: the same versions, fetched once.
func TestAssemblyScript(t *testing.T) {
	example := filepath.Join(sdk, "examples/plugins/beanstalkd")
	run(t, example, "./build", filepath.Join(t.TempDir(), "example.wasm"))
	cache := os.Getenv("SALLYPORT_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(dir, "sallyport")
	}
	fetched, err := filepath.Glob(filepath.Join(cache, "beanstalkd", "npm-*", "node_modules"))
	if err != nil || len(fetched) == 0 {
		t.Fatalf("the example's build left no compiler in %s: %v", cache, err)
	}
	dir := project(t, "as-cache", "assemblyscript")
	if err := os.CopyFS(filepath.Join(dir, "node_modules"), os.DirFS(fetched[0])); err != nil && !errors.Is(err, fs.ErrInvalid) {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "node_modules", ".fetched"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "make")
	admitted(t, dir, "as-cache", 8) // a connection takes milliseconds in this lane

	// What both share is the same.
	for ours, theirs := range map[string]string{"assembly/sallyport.ts": "assembly/sallyport.ts"} {
		a, err1 := os.ReadFile(filepath.Join(dir, ours))
		b, err2 := os.ReadFile(filepath.Join(example, theirs))
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs from the example's (%v, %v): copy it", ours, err1, err2)
		}
	}
	pkg, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(filepath.Join(example, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{`"@extism/as-pdk": "1.0.0"`, `"assemblyscript": "0.27.37"`} {
		if !bytes.Contains(pkg, []byte(version)) || !bytes.Contains(theirs, []byte(version)) {
			t.Errorf("%s is not what both projects use", version)
		}
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "there"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, p := range map[string]scaffold.Project{
		"not of the form":              {Name: "Redis", Lang: "c"},
		"for something else":           {Name: "action", Lang: "c"},
		"no template for the language": {Name: "redis", Lang: "cobol"},
		"not empty":                    {Name: "redis", Lang: "c", Dir: dir},
		"--sdk DIR":                    {Name: "redis", Lang: "go", Dir: filepath.Join(dir, "x")},
		"not Sallyport's repository":   {Name: "redis", Lang: "go", Dir: filepath.Join(dir, "x"), SDK: dir},
	} {
		if _, err := scaffold.Write(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", p, err, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("something was written: %v", entries)
	}
	if _, ok := scaffold.FindSDK(dir); ok {
		t.Error("a repository where none is")
	}
}
