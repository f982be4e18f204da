package secret

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const canary = "canary-7f3a9c"

func TestParseReference(t *testing.T) {
	for _, c := range []struct{ text, dir, want, err string }{
		{"env:SALLYPORT_KEY", "", "env:SALLYPORT_KEY", ""},
		{"env:_a1", "", "env:_a1", ""},
		{"file:/etc/key", "", "file:/etc/key", ""},
		{"file:/etc/../key", "", "file:/key", ""},
		{"file:key", "/etc/sallyport", "file:/etc/sallyport/key", ""},
		{"file:a:b", "/etc", "file:/etc/a:b", ""},
		{"file:key", "", "", "absolute path"},
		{"file:", "/etc", "", "needs a path"},
		{"file:a\x00b", "/etc", "", "zero byte"},
		{"env:", "", "", "name of an environment variable"},
		{"env:1A", "", "", "name of an environment variable"},
		{"env:" + canary, "", "", "name of an environment variable"},
		{"vault:" + canary, "", "", "never as its value"},
		{canary, "", "", "never as its value"},
		{"ENV:A", "", "", "never as its value"},
		{"", "", "", "never as its value"},
	} {
		r, err := ParseReference(c.text, c.dir)
		if c.err == "" {
			if err != nil || r.String() != c.want || r.IsZero() {
				t.Errorf("%q is %v, %v; want %s", c.text, r, err, c.want)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.err) || !r.IsZero() {
			t.Errorf("%q is %v, %v; want an error with %q", c.text, r, err, c.err)
		} else if strings.Contains(err.Error(), canary) {
			t.Errorf("the error repeats what may be the secret: %v", err)
		}
	}
}

func TestResolveEnv(t *testing.T) {
	const name = "SALLYPORT_TEST_SECRET"
	r, err := ParseReference("env:"+name, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ value, err string }{
		{canary, ""},
		{" with space\n", ""},
		{strings.Repeat("x", MaxSize), ""},
		{"", "is empty"},
		{canary + strings.Repeat("x", MaxSize), "larger than 64 KiB"},
	} {
		t.Setenv(name, c.value)
		check(t, r, c.value, c.err)
	}
	os.Unsetenv(name)
	check(t, r, "", "not set")
}

func TestResolveFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	r, err := ParseReference("file:"+path, "")
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, "", "does not exist")
	for _, c := range []struct {
		contents string
		mode     os.FileMode
		want     string
		err      string
	}{
		{canary, 0o600, canary, ""},
		{canary, 0o400, canary, ""},
		{canary, 0o440, canary, ""},
		{canary + "\n", 0o600, canary, ""},
		{canary + "\r\n", 0o600, canary, ""},
		{canary + "\n\n", 0o600, canary + "\n", ""},
		{" " + canary + " ", 0o600, " " + canary + " ", ""},
		{strings.Repeat("x", MaxSize) + "\r\n", 0o600, strings.Repeat("x", MaxSize), ""},
		{canary + strings.Repeat("x", MaxSize), 0o600, "", "larger than 64 KiB"},
		{strings.Repeat(canary, MaxSize), 0o600, "", "larger than 64 KiB"},
		{"", 0o600, "", "the file is empty"},
		{"\n", 0o600, "", "the file is empty"},
		{canary, 0o604, "", "the file's mode is 0604, so others can read or change it: run chmod 600"},
		{canary, 0o644, "", "chmod 600"},
		{canary, 0o620, "", "chmod 600"},
		{canary, 0o602, "", "chmod 600"},
	} {
		os.Remove(path)
		if err := os.WriteFile(path, []byte(c.contents), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		check(t, r, c.want, c.err)
	}
	dir, err := ParseReference("file:"+t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	check(t, dir, "", "not a regular file")
	check(t, Reference{}, "", "the reference is empty")
}

func check(t *testing.T, r Reference, want, wantErr string) {
	t.Helper()
	s, err := r.Resolve()
	if wantErr == "" {
		if err != nil || string(s.Reveal()) != want || s.Reference() != r {
			t.Errorf("%v: %d bytes, %v; want %d", r, len(s.Reveal()), err, len(want))
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), wantErr) || !strings.Contains(err.Error(), r.String()) || s.Reveal() != nil {
		t.Errorf("%v: error %v, want %q", r, err, wantErr)
	} else if strings.Contains(err.Error(), canary) {
		t.Errorf("the error shows the secret: %v", err)
	}
}

// TestNeverPrinted looks for the value in every form that fmt, encoding and log/slog give a secret, by itself and inside of other
// values, exported or not.
func TestNeverPrinted(t *testing.T) {
	t.Setenv("SALLYPORT_TEST_SECRET", canary)
	r, err := ParseReference("env:SALLYPORT_TEST_SECRET", "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	type exported struct{ S Secret }
	type private struct{ s Secret }
	type nested struct{ p *private }
	values := []any{s, &s, exported{s}, &exported{s}, private{s}, &private{s}, nested{&private{s}}, []Secret{s}, map[string]Secret{"a": s}, [1]any{s}}
	var out bytes.Buffer
	for _, v := range values {
		for _, verb := range "vsqxXdbotTpcUeEfFgG" {
			for _, flags := range []string{"", "+", "#", "0", "-", " ", ".3", "#+"} {
				fmt.Fprintf(&out, "%"+flags+string(verb)+"\n", v)
			}
		}
		fmt.Fprintln(&out, v)
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("m", "v", v, slog.Any("w", v))
		}
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		if b, err := xml.Marshal(v); err == nil {
			out.Write(b)
		}
	}
	hexed := fmt.Sprintf("%x", canary)
	decimal := strings.Trim(fmt.Sprint([]byte(canary)), "[]")
	text := strings.ToLower(out.String())
	for _, form := range []string{canary, canary[:4], hexed, hexed[:8], decimal, decimal[:8]} {
		if i := strings.Index(text, form); i >= 0 {
			t.Errorf("the value is printed as %q: …%s…", form, text[max(0, i-80):min(len(text), i+80)])
		}
	}
	for _, form := range []string{fmt.Sprint(s), fmt.Sprintf("%#v", s), fmt.Sprintf("%x", s), s.String(), s.LogValue().String()} {
		if form != "secret(env:SALLYPORT_TEST_SECRET)" {
			t.Errorf("a secret prints as %q", form)
		}
	}
	if b, err := json.Marshal(exported{s}); err != nil || string(b) != `{"S":"secret(env:SALLYPORT_TEST_SECRET)"}` {
		t.Errorf("JSON is %s, %v", b, err)
	}
}

// TestReveal: what Reveal returns is a copy.
func TestReveal(t *testing.T) {
	t.Setenv("SALLYPORT_TEST_SECRET", canary)
	s, err := Reference{schemeEnv, "SALLYPORT_TEST_SECRET"}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	clear(s.Reveal())
	if string(s.Reveal()) != canary {
		t.Error("a caller changed the secret")
	}
	if (Secret{}).Reveal() != nil || (Secret{}).String() != "secret(none)" {
		t.Errorf("the zero Secret is %v", Secret{})
	}
}

func FuzzParseReference(f *testing.F) {
	f.Add("env:A", "")
	f.Add("file:a/../b", "/etc")
	f.Add("file:/a\x00", "")
	f.Fuzz(func(t *testing.T, text, dir string) {
		r, err := ParseReference(text, "/base")
		if (err != nil) != r.IsZero() {
			t.Fatalf("%q is %v, %v", text, r, err)
		}
		if err != nil {
			return
		}
		// A reference's own text means the same, wherever it is read.
		if again, err := ParseReference(r.String(), ""); err != nil || again != r {
			t.Errorf("%q is %v, which is %v, %v", text, r, again, err)
		}
	})
}
