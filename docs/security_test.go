package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testLink    = regexp.MustCompile(`\[((?:Test|Fuzz)\w+)\]\((\.\./[\w/]+_test\.go)\)`)
	promiseLine = regexp.MustCompile(`^\*\*[^*]+\*\*`)
)

// TestPromises: every promise of security.md names a test, and every test that it names is there.
func TestPromises(t *testing.T) {
	text, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	links := testLink.FindAllStringSubmatch(string(text), -1)
	if len(links) < 30 {
		t.Fatalf("%d tests are named", len(links))
	}
	for _, l := range links {
		code, err := os.ReadFile(filepath.FromSlash(l[2]))
		if err != nil {
			t.Errorf("%s: %v", l[1], err)
		} else if !strings.Contains(string(code), "\nfunc "+l[1]+"(") {
			t.Errorf("%s has no %s", l[2], l[1])
		}
	}
	_, promised, _ := strings.Cut(string(text), "## What is promised\n")
	promised, _, found := strings.Cut(promised, "\n## ")
	if !found {
		t.Fatal("the page has no promises")
	}
	for _, p := range strings.Split(promised, "\n\n") {
		p = strings.TrimSpace(p)
		if p != "" && (!promiseLine.MatchString(p) || !testLink.MatchString(p)) {
			t.Errorf("a promise without a test: %.80s", p)
		}
	}
}
