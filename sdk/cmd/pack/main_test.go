package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const empty = "\x00asm\x01\x00\x00\x00"

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPackAndList(t *testing.T) {
	dir := t.TempDir()
	in, parser := write(t, dir, "in.wasm", empty), write(t, dir, "parser.wasm", empty)
	out := filepath.Join(dir, "out.wasm")
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-o", out, in, "parser=" + parser, "codec=" + parser}, &stdout, &stderr); code != 0 {
		t.Fatal(code, stderr.String())
	}
	if code := run([]string{"-o", out, out, "parser=" + parser}, &stdout, &stderr); code != 0 {
		t.Fatal("in place:", code, stderr.String())
	}
	if code := run([]string{"-l", out}, &stdout, &stderr); code != 0 || stdout.String() != "codec\t8\nparser\t8\n" {
		t.Fatalf("list: %d %q %s", code, stdout.String(), stderr.String())
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Errorf("files left behind: %v %v", files, err)
	}
}

func TestMisuse(t *testing.T) {
	dir := t.TempDir()
	in, text := write(t, dir, "in.wasm", empty), write(t, dir, "text", "text")
	out := filepath.Join(dir, "out.wasm")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "usage"},
		{[]string{"-x"}, 2, "usage"},
		{[]string{"-h"}, 0, "usage"},
		{[]string{in, "a=" + in}, 2, "usage"},
		{[]string{"-o", out, in}, 2, "usage"},
		{[]string{"-l", "-o", out, in}, 2, "usage"},
		{[]string{"-o", out, in, "a"}, 1, `"a" is not NAME=FILE`},
		{[]string{"-o", out, in, "A=" + in}, 1, "not of the form"},
		{[]string{"-o", out, in, "a=" + text}, 1, "not a WebAssembly file"},
		{[]string{"-o", out, text, "a=" + in}, 1, "not a WebAssembly file"},
		{[]string{"-o", out, in, "a=" + filepath.Join(dir, "none")}, 1, "no such file"},
		{[]string{"-o", out, filepath.Join(dir, "none"), "a=" + in}, 1, "no such file"},
		{[]string{"-l", text}, 1, "not a WebAssembly file"},
		{[]string{"-l", filepath.Join(dir, "none")}, 1, "no such file"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(c.args, &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("pack %q: status %d, %q; want %d, %q", c.args, code, stderr.String(), c.code, c.want)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a failed run wrote its output")
	}
}
