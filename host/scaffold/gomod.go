package scaffold

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sandboxModules are what a plugin's tests need besides Sallyport itself: sdk/testkit runs the built module in the sandbox.
var sandboxModules = []string{"github.com/tetratelabs/wazero", "golang.org/x/sys"}

// FindSDK looks for Sallyport's repository in the given folders and those above them.
func FindSDK(from ...string) (string, bool) {
	for _, dir := range from {
		dir, err := filepath.Abs(dir)
		if err != nil {
			continue
		}
		for {
			if isSDK(dir) {
				return dir, true
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	return "", false
}

func isSDK(dir string) bool {
	b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && bytes.HasPrefix(b, []byte("module "+Module+"\n"))
}

// goModule adds what go.mod says and returns go.sum: versions and hashes are those of the repository, so that nothing has to be fetched
// that building Sallyport has not fetched.
func (p *Project) goModule(words map[string]any) (sum []byte, err error) {
	if p.SDK == "" {
		return nil, errors.New("a Go plugin needs Sallyport's repository: say where it is with --sdk DIR")
	}
	sdk, err := filepath.Abs(p.SDK)
	if err != nil {
		return nil, err
	}
	if !isSDK(sdk) {
		return nil, fmt.Errorf("%s is not Sallyport's repository: its go.mod does not begin with \"module %s\"", sdk, Module)
	}
	mod, err := os.ReadFile(filepath.Join(sdk, "go.mod"))
	if err != nil {
		return nil, err
	}
	var indirect []string
	words["SDK"] = quoteModule(sdk)
	for s := bufio.NewScanner(bytes.NewReader(mod)); s.Scan(); {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(s.Text()), "require "))
		if len(fields) < 2 {
			continue
		}
		if fields[0] == "go" {
			words["GoVersion"] = fields[1]
		}
		for _, m := range sandboxModules {
			if fields[0] == m {
				indirect = append(indirect, m+" "+fields[1])
			}
		}
	}
	words["Indirect"] = indirect
	all, err := os.ReadFile(filepath.Join(sdk, "go.sum"))
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(all) {
		for _, m := range indirect {
			if bytes.HasPrefix(line, []byte(m)) {
				sum = append(sum, line...)
			}
		}
	}
	return sum, nil
}

// quoteModule writes a path as go.mod has it.
func quoteModule(path string) string {
	if strings.ContainsAny(path, " \t\"'`()[]{},") || strings.Contains(path, "//") {
		return fmt.Sprintf("%q", path)
	}
	return path
}
