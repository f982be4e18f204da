package receipt

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// signed writes a closed log whose every record but the genesis is followed by a checkpoint, n decisions long, and returns its lines.
func signed(t *testing.T, n int) (path string, lines [][]byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "receipts.jsonl")
	l, err := Open(path, Options{KeyFile: path + ".key", CheckpointEvery: never})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		appendTo(t, l, decision("x"))
		l.checkpoint()
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path, bytes.Split(bytes.TrimSuffix(content(t, path), []byte("\n")), []byte("\n"))
}

func keysOf(t *testing.T, path string) []PublicKey {
	t.Helper()
	keys, err := ReadKeys(KeysFile(path))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestCheckpoints(t *testing.T) {
	path, _ := signed(t, 3)
	want := []Kind{Genesis, Decision, Checkpoint, Decision, Checkpoint, Decision, Checkpoint}
	if got := kinds(entries(t, path)); !slices.Equal(got, want) {
		t.Fatalf("%v", got)
	}
	r, err := Verify(path)
	if err != nil || r.Checkpoints != 3 || r.Unsigned != 0 || r.SignedTo != 7 || r.Unchecked {
		t.Errorf("%+v %v", r, err)
	}
	for name, mode := range map[string]os.FileMode{path + ".key": 0o600, KeysFile(path): 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	// The same key the next time, and one line of it.
	l := open(t, path, Options{KeyFile: path + ".key"})
	appendTo(t, l, decision("x"))
	if keys := keysOf(t, path); len(keys) != 1 || keys[0].String() != Public(l.key).String() {
		t.Errorf("%v", keys)
	}
	if r, err := Verify(path); err != nil || r.Unsigned != 1 {
		t.Errorf("%+v %v", r, err)
	}
	// Without a key nothing can be checked, and that is said.
	if err := os.Remove(KeysFile(path)); err != nil {
		t.Fatal(err)
	}
	if r, err := Verify(path); err != nil || !r.Unchecked || r.Checkpoints != 3 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestACheckpointIsNeverFar: however many records come at once.
func TestACheckpointIsNeverFar(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{KeyFile: path + ".key", CheckpointEvery: never, LaterEvery: never})
	for range 2*MaxUnsigned + 10 {
		if err := l.Later(note("c")); err != nil {
			t.Fatal(err)
		}
	}
	appendTo(t, l, decision("x"))
	if r, err := Verify(path); err != nil || r.Checkpoints != 2 || r.Unsigned == 0 || r.Unsigned > MaxUnsigned {
		t.Errorf("%+v %v", r, err)
	}
}

// TestSignedInTime: what was appended is signed without anybody's help.
func TestSignedInTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{KeyFile: path + ".key", CheckpointEvery: time.Millisecond})
	appendTo(t, l, decision("x"))
	eventually(t, "it is signed", func() bool {
		r, err := Verify(path)
		return err == nil && r.Checkpoints > 0 && r.Unsigned == 0
	})
}

// TestAfterACrash: what a crash left unsigned is signed when the log is opened, so that there are never many.
func TestAfterACrash(t *testing.T) {
	path, lines := signed(t, 3)
	write(t, path, append(bytes.Join(lines[:6], []byte("\n")), '\n'))
	l := open(t, path, Options{KeyFile: path + ".key", CheckpointEvery: never})
	if got := kinds(entries(t, path)); got[len(got)-1] != Checkpoint {
		t.Errorf("%v", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := Verify(path); err != nil || r.Records != 7 {
		t.Errorf("%+v %v", r, err)
	}
}

// rechain computes all hashes anew, as somebody who has no key can. Lines are numbered anew as well.
func rechain(t *testing.T, lines [][]byte) [][]byte {
	t.Helper()
	prev := make([]byte, 2*hashSize)
	copy(prev, strings.Repeat("0", 2*hashSize))
	var out [][]byte
	for i, line := range lines {
		e, err := parseEntry(line)
		if err != nil {
			t.Fatal(err)
		}
		s := string(line)
		s = strings.Replace(s, `"_prev":"`+e.Prev+`"`, `"_prev":"`+string(prev)+`"`, 1)
		s = strings.Replace(s, `"id":"`+e.ID+`"`, fmt.Sprintf(`"id":"%s-%d"`, e.tag(), i), 1)
		s = strings.Replace(s, fmt.Sprintf(`"seq":%d`, e.Seq), fmt.Sprintf(`"seq":%d`, i), 1)
		forged := forge([]byte(s))
		copy(prev, forged[hashAt:])
		out = append(out, forged)
	}
	return out
}

// TestForgedLogs are made by somebody who can write the files and has no key: the chain is whole in each.
func TestForgedLogs(t *testing.T) {
	path, lines := signed(t, 4)
	keys := keysOf(t, path)
	_, mine, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(i int, old, new string) [][]byte {
		out := slices.Clone(lines)
		out[i] = bytes.Replace(lines[i], []byte(old), []byte(new), 1)
		return rechain(t, out)
	}
	// resigned is signed with a key of the forger's, under its own name or that of the right one.
	resigned := func(keyID string) [][]byte {
		out := changed(1, "claude", "clause")
		for i := range out {
			e, err := parseEntry(out[i])
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == Checkpoint {
				sig := base64.StdEncoding.EncodeToString(ed25519.Sign(mine, statement(e.ID, e.Prev, e.Time)))
				out[i] = []byte(strings.NewReplacer(e.Sig, sig, `"key":"`+e.Key+`"`, `"key":"`+keyID+`"`).Replace(string(out[i])))
				out = rechain(t, out)
			}
		}
		return out
	}
	var bare [][]byte
	for _, line := range lines {
		for range 300 {
			if !bytes.Contains(line, []byte(`"kind":"checkpoint"`)) && !bytes.Contains(line, []byte(`"kind":"genesis"`)) {
				bare = append(bare, line)
			}
		}
	}
	bare = rechain(t, append([][]byte{lines[0]}, bare...))
	otherSig, err := parseEntry(lines[4])
	if err != nil {
		t.Fatal(err)
	}
	thisSig, err := parseEntry(lines[2])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		lines [][]byte
		line  int64 // the first bad one; 0: it verifies
		want  string
	}{
		{"untouched", lines, 0, ""},
		{"untouched, computed anew", rechain(t, lines), 0, ""},
		{"a record changed, all hashes computed anew", changed(1, "claude", "clause"), 3, "forged"},
		{"a later record changed", changed(5, "claude", "clause"), 7, "forged"},
		{"a record removed", rechain(t, slices.Delete(slices.Clone(lines), 3, 4)), 4, "forged"},
		{"a record inserted", rechain(t, slices.Insert(slices.Clone(lines), 3, lines[1])), 6, "forged"},
		{"two records swapped", rechain(t, [][]byte{lines[0], lines[3], lines[2], lines[1]}), 3, "forged"},
		{"a checkpoint of another time", changed(2, `"time":"2`, `"time":"3`), 3, "forged"},
		{"the signature of another checkpoint", changed(2, thisSig.Sig, otherSig.Sig), 3, "forged"},
		{"signed with another key", resigned(Public(mine).ID()), 3, "none of those that are known"},
		{"signed with another key under the right name", resigned(keys[0].ID()), 3, "forged"},
		{"all checkpoints removed", bare, MaxUnsigned + 10, "checkpoints were removed"},
	} {
		file := filepath.Join(t.TempDir(), "receipts.jsonl")
		write(t, file, append(bytes.Join(c.lines, []byte("\n")), '\n'))
		r, err := VerifyWith(file, VerifyOptions{Keys: keys})
		var bad *BadLine
		switch {
		case c.line == 0 && err != nil:
			t.Errorf("%s: %+v %v", c.name, r, err)
		case c.line == 0:
		case !errors.As(err, &bad) || bad.Line != c.line || !strings.Contains(bad.Reason, c.want):
			t.Errorf("%s: %+v %v, want line %d: %s", c.name, r, err, c.line, c.want)
		}
	}
}

// TestTamperingOverFiles does to whole files what TestTampering does to lines.
func TestTamperingOverFiles(t *testing.T) {
	for name, harm := range map[string]struct {
		do   func(t *testing.T, files []string)
		want string // empty: nothing is wrong
	}{
		"nothing":            {func(*testing.T, []string) {}, ""},
		"a file removed":     {func(t *testing.T, f []string) { remove(t, f[1]) }, "which is missing"},
		"the first removed":  {func(t *testing.T, f []string) { remove(t, f[0]) }, "no record says that retention removed it"},
		"two swapped":        {func(t *testing.T, f []string) { swap(t, f[0], f[1]) }, "it follows"},
		"the end of one cut": {func(t *testing.T, f []string) { cutLast(t, f[1]) }, "the end of " + "receipts-"},
		"one emptied":        {func(t *testing.T, f []string) { write(t, f[1], nil) }, "is empty"},
		"the first emptied":  {func(t *testing.T, f []string) { write(t, f[0], nil) }, "is empty"},
		"one joined to another": {func(t *testing.T, f []string) {
			write(t, f[0], append(content(t, f[0]), content(t, f[1])...))
			remove(t, f[1])
		}, "two files were joined"},
		"half a line at the end of one":                       {func(t *testing.T, f []string) { write(t, f[0], append(content(t, f[0]), '{')) }, "incomplete"},
		"the newest line cut off, which only an anchor shows": {func(t *testing.T, f []string) { cutLast(t, f[len(f)-1]) }, ""},
	} {
		path := rotated(t)
		harm.do(t, files(t, path))
		r, err := Verify(path)
		switch {
		case harm.want == "" && err != nil:
			t.Errorf("%s: %+v %v", name, r, err)
		case harm.want != "" && (err == nil || !strings.Contains(err.Error(), harm.want)):
			t.Errorf("%s: %+v %v, want %s", name, r, err, harm.want)
		}
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func swap(t *testing.T, a, b string) {
	t.Helper()
	x, y := content(t, a), content(t, b)
	write(t, a, y)
	write(t, b, x)
}

// cutLast removes the last line of a file.
func cutLast(t *testing.T, path string) {
	t.Helper()
	b := content(t, path)
	write(t, path, b[:bytes.LastIndexByte(b[:len(b)-1], '\n')+1])
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "receipts.key")
	key, err := LoadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadKey(path)
	if err != nil || !bytes.Equal(key, again) {
		t.Errorf("%v", err)
	}
	text := Public(key).String()
	if k, err := ParseKey(" " + text + "\n"); err != nil || k.ID() != Public(key).ID() || len(k.ID()) != 16 {
		t.Errorf("%v", err)
	}
	for _, s := range []string{"", "ed25519:", text[:len(text)-4], "rsa:" + text[8:], text + "AAAA", hex.EncodeToString(Public(key))} {
		if _, err := ParseKey(s); err == nil {
			t.Errorf("%q is a key", s)
		}
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that all can read: %v", err)
	}
	for name, b := range map[string]string{"empty": "", "text": "rubbish", "pem": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		p := filepath.Join(dir, name)
		write(t, p, []byte(b))
		if _, err := LoadKey(p); err == nil {
			t.Errorf("%s: it is a key", name)
		}
		if _, err := Open(filepath.Join(dir, name+".jsonl"), Options{KeyFile: p}); err == nil {
			t.Errorf("%s: the log opens", name)
		}
	}
	// A second key is added to the first.
	log := filepath.Join(dir, "receipts.jsonl")
	for _, name := range []string{"a.key", "b.key"} {
		l, err := Open(log, Options{KeyFile: filepath.Join(dir, name)})
		if err != nil {
			t.Fatal(err)
		}
		appendTo(t, l, decision("x"))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	keys := keysOf(t, log)
	if r, err := Verify(log); err != nil || len(keys) != 2 || r.Checkpoints != 2 {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := VerifyWith(log, VerifyOptions{Keys: keys[1:]}); err == nil {
		t.Error("the other key's checkpoint is taken")
	}
}
