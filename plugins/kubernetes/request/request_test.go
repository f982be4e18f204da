package request

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

var update = flag.Bool("update", false, "write what comes out into the vectors")

const vectors = "testdata/requests.txt"

// summary is one line about a request.
func summary(method, target string) string {
	upgrade := strings.HasSuffix(method, "*")
	method = strings.TrimSuffix(method, "*")
	path, query, _ := strings.Cut(target, "?")
	r := Read(method, path, query)
	class := r.Class(method, upgrade)
	if r.Problem != "" {
		return fmt.Sprintf("%s %s: %s", class, r.Verb, r.Problem)
	}
	or := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	s := fmt.Sprintf("%s %s %s/%s %s/%s %s %s", class, r.Verb, or(r.Group), or(r.Version), or(r.Resource), or(r.Subresource), or(r.Namespace), or(r.Name))
	q := &r.Query
	if q.DryRun {
		s += " dry"
	}
	if q.LabelSelector+q.FieldSelector+q.FieldManager != "" {
		s += fmt.Sprintf(" %q %q %q", q.LabelSelector, q.FieldSelector, q.FieldManager)
	}
	if len(q.Command) > 0 || q.Stdin || q.TTY || q.Container != "" {
		s += fmt.Sprintf(" %q %v %v %s", q.Command, q.Stdin, q.TTY, or(q.Container))
	}
	if r.ProxyPath != "" {
		s += fmt.Sprintf(" %q", r.ProxyPath)
	}
	return s + " | " + r.Title(method, path, Change{Replicas: -1, DryRun: q.DryRun})
}

// TestVectors: what each request is.
func TestVectors(t *testing.T) {
	file, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	n, request := 0, ""
	for line := range strings.Lines(string(file)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "\t"):
			continue
		case line == "" || line[0] == '#':
			fmt.Fprintln(&out, line)
			continue
		}
		request = line
		method, target, ok := strings.Cut(request, " ")
		if !ok {
			t.Fatalf("%q is no request", line)
		}
		n++
		fmt.Fprintf(&out, "%s\n\t%s\n", line, summary(method, target))
	}
	if *update {
		if err := os.WriteFile(vectors, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, got := strings.Split(string(file), "\n"), strings.Split(out.String(), "\n")
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Errorf("%s:%d\nis   %s\nwant %s", vectors, i+1, got[i], want[i])
		}
	}
	if len(want) != len(got) || n < 200 {
		t.Errorf("%d lines, want %d; %d requests", len(got), len(want), n)
	}
}

// TestClassNeverMild: whatever is not understood is opaque, and a method that changes something is never a read but for the questions of which nothing is kept.
func TestClassNeverMild(t *testing.T) {
	file, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		method, target, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || line[0] == '#' || line[0] == '\t' {
			continue
		}
		path, query, _ := strings.Cut(target, "?")
		for _, m := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "X"} {
			r := Read(m, path, query)
			c := r.Class(m, false)
			if c <= abi.ClassRead && !strings.HasSuffix(r.Resource, "reviews") || r.Problem != "" && c != abi.ClassOpaque {
				t.Errorf("%s %s is of class %s", m, target, c)
			}
		}
		r := Read("GET", path, query)
		if c := r.Class("GET", true); c < abi.ClassExecute {
			t.Errorf("%s %s with another protocol is of class %s", method, target, c)
		}
	}
}
