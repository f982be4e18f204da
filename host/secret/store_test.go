package secret

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
)

// script writes a program of the shell that commands can be.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "command")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func reference(t *testing.T, text string) Reference {
	t.Helper()
	r, err := ParseReference(text, "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantValue resolves r to a value, or fails with an error that has a text and no canary.
func wantValue(t *testing.T, s *Store, r Reference, value, problem string) {
	t.Helper()
	got, err := s.Resolve(t.Context(), r)
	switch {
	case problem == "" && (err != nil || string(got.Reveal()) != value):
		t.Errorf("%s: %v, not what it is", r, err)
	case problem != "" && (err == nil || !strings.Contains(err.Error(), problem)):
		t.Errorf("%s: %v; want an error with %q", r, err, problem)
	case err != nil && strings.Contains(err.Error(), canary):
		t.Errorf("the error repeats the value: %v", err)
	}
}

func TestCommandReferences(t *testing.T) {
	for text, want := range map[string]string{
		"cmd:/usr/bin/vault kv get  -field=password\tsecret/prod": "cmd:/usr/bin/vault kv get -field=password secret/prod",
		"exec-credential:/usr/bin/aws eks get-token":              "exec-credential:/usr/bin/aws eks get-token",
	} {
		if r := reference(t, text); r.String() != want || r.IsPlain() {
			t.Errorf("%q is %v", text, r)
		}
	}
	for _, text := range []string{"cmd:", "cmd:vault read", "cmd: ", "cmd:./vault", "cmd:/bin/sh -c 'echo x'", "cmd:/bin/echo $HOME", "cmd:/bin/a | /bin/b", "cmd:/bin/a\x00", "cmd:/bin/a\nb", "exec-credential:x", "sealed:", "sealed:a/b", "sealed:.x", "sealed:" + strings.Repeat("x", 65)} {
		if r, err := ParseReference(text, "/"); err == nil {
			t.Errorf("%q is %v", text, r)
		}
	}
}

// TestCommands has commands that behave and commands that do not.
func TestCommands(t *testing.T) {
	t.Setenv("SALLYPORT_TEST_SEEN", "seen")
	t.Setenv("SALLYPORT_TEST_HIDDEN", "hidden")
	for name, c := range map[string]struct{ body, value, problem string }{
		"one line":                {`echo ` + canary, canary, ""},
		"no line end":             {`printf ` + canary, canary, ""},
		"a line end of Windows":   {`printf '` + canary + `\r\n'`, canary, ""},
		"a key in PEM":            {`printf -- '-----BEGIN X-----\na\n-----END X-----\n'`, "-----BEGIN X-----\na\n-----END X-----", ""},
		"its arguments":           {`echo "$1-$2"`, "a-b", ""},
		"its environment":         {`echo "$SALLYPORT_TEST_SEEN$SALLYPORT_TEST_HIDDEN"`, "seen", ""},
		"what it says besides":    {`echo ` + canary + ` >&2; echo v`, "v", ""},
		"no standard input":       {`cat; echo v`, "v", ""},
		"two lines":               {`echo ` + canary + `; echo two`, "", "more than one line"},
		"nothing":                 {`true`, "", "printed nothing"},
		"an empty line":           {`echo`, "", "printed nothing"},
		"a zero byte":             {`printf '` + canary + `\0'`, "", "zero byte"},
		"failure":                 {`echo ` + canary + `; echo ` + canary + ` >&2; exit 3`, "", "exit status 3"},
		"a signal":                {`kill -9 $$`, "", "killed"},
		"it hangs":                {`sleep 600`, "", "did not end within 300ms"},
		"a child of it hangs":     {`sleep 600 & echo ` + canary, "", "did not end within 300ms"},
		"a child that keeps out":  {`(trap '' TERM HUP; sleep 600) & sleep 600`, "", "did not end"},
		"more than there is room": {`head -c 70000 /dev/zero | tr '\0' x`, "", "more than 64 KiB"},
		"without an end":          {`yes ` + canary, "", "d"},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewStore(StoreOptions{Commands: Commands{Timeout: 10 * time.Second, Env: []string{"SALLYPORT_TEST_SEEN"}}})
			if strings.Contains(c.problem, "did not end") || c.problem == "d" {
				s.o.Commands.Timeout = 300 * time.Millisecond
			}
			wantValue(t, s, reference(t, "cmd:"+script(t, c.body)+" a b"), c.value, c.problem)
		})
	}
	s := NewStore(StoreOptions{})
	wantValue(t, s, reference(t, "cmd:/nothing/like/this"), "", "cannot be started: no such file")
	wantValue(t, s, reference(t, "cmd:/etc/passwd"), "", "cannot be started: permission denied")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Resolve(ctx, reference(t, "cmd:/bin/true")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestCommandRuns counts how often a command runs.
func TestCommandRuns(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	r := reference(t, "cmd:"+script(t, `echo x >> `+count+`; wc -l < `+count+` | tr -d ' '`))
	s := NewStore(StoreOptions{Commands: Commands{Refresh: time.Hour}})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { wantValue(t, s, r, "1", "") })
	}
	wg.Wait()
	text, err := os.ReadFile(count)
	if err != nil || string(text) != "x\n" {
		t.Errorf("it ran %d times, %v", len(text)/2, err)
	}
	s.mu.Lock()
	s.entries[r].until = time.Now() // an hour later
	s.mu.Unlock()
	wantValue(t, s, r, "2", "")
}

// TestCommandFails: a command that fails is not run again by everybody who waits, and is later.
func TestCommandFails(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	r := reference(t, "cmd:"+script(t, `echo x >> `+count+`; exit 1`))
	s := NewStore(StoreOptions{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { wantValue(t, s, r, "", "exit status 1") })
	}
	wg.Wait()
	runs := func(want int) {
		t.Helper()
		if text, err := os.ReadFile(count); err != nil || len(text) != 2*want {
			t.Errorf("it ran %d times, not %d: %v", len(text)/2, want, err)
		}
	}
	runs(1)
	s.mu.Lock()
	s.entries[r].failed = time.Now().Add(-2 * pause)
	s.mu.Unlock()
	wantValue(t, s, r, "", "exit status 1")
	runs(2)
}

func TestExecCredential(t *testing.T) {
	const head = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"`
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	for name, c := range map[string]struct{ answer, value, problem string }{
		"a token":                  {head + `,"spec":{"interactive":false},"status":{"token":"` + canary + `"}}`, canary, ""},
		"a token that ends":        {head + `,"status":{"token":"` + canary + `","expirationTimestamp":"` + in(time.Hour) + `"}}`, canary, ""},
		"a token that has ended":   {head + `,"status":{"token":"` + canary + `","expirationTimestamp":"` + in(-time.Hour) + `"}}`, "", "has expired"},
		"no token":                 {head + `,"status":{}}`, "", "no token"},
		"a certificate":            {head + `,"status":{"clientCertificateData":"x","clientKeyData":"` + canary + `"}}`, "", "client certificate"},
		"no status":                {head + `}`, "", "no token"},
		"something else":           {`{"kind":"Pod","apiVersion":"v1","status":{"token":"` + canary + `"}}`, "", "no ExecCredential"},
		"no JSON":                  {canary, "", "not JSON"},
		"a token of two lines":     {head + `,"status":{"token":"` + canary + `\nx"}}`, "", "more than one line"},
		"a time that cannot be it": {head + `,"status":{"token":"` + canary + `","expirationTimestamp":"soon"}}`, "", "not JSON of that form"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := filepath.Join(t.TempDir(), "answer")
			if err := os.WriteFile(answer, []byte(c.answer), 0o600); err != nil {
				t.Fatal(err)
			}
			r := reference(t, "exec-credential:"+script(t, `case "$KUBERNETES_EXEC_INFO" in *ExecCredential*) cat `+answer+`;; esac`))
			wantValue(t, NewStore(StoreOptions{}), r, c.value, c.problem)
		})
	}
	_, until, err := execCredential([]byte(head+`,"status":{"token":"x","expirationTimestamp":"`+in(time.Hour)+`"}}`), time.Time{})
	if left := time.Until(until); err != nil || left > time.Hour-earlier || left < time.Hour-2*earlier-2*time.Second {
		t.Errorf("it counts for %v, %v", left, err)
	}
}

// sealedAt writes a sealed file with one secret and returns its path and what opens it.
func sealedAt(t *testing.T, value string) (path string, id *Identity, r Recipients) {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if id, err = ReadIdentity([]byte("# a comment\n" + key.String() + "\n")); err != nil {
		t.Fatal(err)
	}
	if r, err = ParseRecipients([]string{key.Recipient().String()}); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "secrets.age")
	writeSealed(t, path, id, r, value)
	return path, id, r
}

func writeSealed(t *testing.T, path string, id *Identity, r Recipients, value string) {
	t.Helper()
	s := &Sealed{}
	if err := s.Set("database", []byte(value)); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(path, r, id, true); err != nil {
		t.Fatal(err)
	}
}

// TestSealed: every recipient opens it, nobody else does, and whatever is changed in it is noticed.
func TestSealed(t *testing.T) {
	path, id, r := sealedAt(t, canary)
	text, err := os.ReadFile(path)
	if err != nil || bytes.Contains(text, []byte(canary)) || bytes.Contains(text, []byte("database")) {
		t.Fatal("it is not sealed", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	_, other, r2 := sealedAt(t, "x")
	if _, err := OpenSealed(path, other); err == nil || !strings.Contains(err.Error(), "sealed for others") {
		t.Error(err)
	}
	s, err := OpenSealed(path, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(path, append(r, r2...), id, true); err != nil {
		t.Fatal(err)
	}
	for _, who := range []*Identity{id, other} {
		if s, err := OpenSealed(path, who); err != nil || !s.Equal("database", []byte(canary)) || len(s.Names()) != 1 {
			t.Error(err)
		}
	}
	// Nobody locks himself out.
	before, _ := os.ReadFile(path)
	if err := s.Write(path, r2, id, true); err == nil || !strings.Contains(err.Error(), "could not be read again") {
		t.Error(err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("it was written all the same")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".sealed-*")); len(left) > 0 {
		t.Error(left)
	}
	for n := 0; n < len(text); n += 13 {
		if _, err := unseal(text[:n], id); err == nil && n < len(text)-1 { // the last line end may be missing
			t.Fatalf("the first %d bytes of %d open", n, len(text))
		} else if err != nil && strings.Contains(err.Error(), canary) {
			t.Fatal(err)
		}
	}
	for _, n := range []int{len(text) / 3, len(text) / 2, len(text) - 60} {
		bad := bytes.Clone(text)
		bad[n] ^= 1
		if _, err := unseal(bad, id); err == nil {
			t.Errorf("byte %d does not count", n)
		}
	}
}

func TestPassphrase(t *testing.T) {
	id, err := PassphraseIdentity([]byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	id.work = 10 // under the race detector each step of 18 takes seconds
	path := filepath.Join(t.TempDir(), "secrets.age")
	writeSealed(t, path, id, nil, canary)
	if s, err := OpenSealed(path, id); err != nil || !s.Equal("database", []byte(canary)) {
		t.Error(err)
	}
	wrong, err := PassphraseIdentity([]byte("open barley"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSealed(path, wrong); err == nil || !strings.Contains(err.Error(), "the passphrase does not open it") {
		t.Error(err)
	}
	if _, err := PassphraseIdentity(nil); err == nil {
		t.Error("an empty one")
	}
}

// TestStoreSealed resolves secrets of a sealed file, which changes meanwhile.
func TestStoreSealed(t *testing.T) {
	path, id, r := sealedAt(t, canary)
	asked := 0
	s := NewStore(StoreOptions{Sealed: path, Identity: func() (*Identity, error) { asked++; return id, nil }})
	wantValue(t, s, reference(t, "sealed:database"), canary, "")
	first, _ := s.Resolve(t.Context(), reference(t, "sealed:database"))
	wantValue(t, s, reference(t, "sealed:other"), "", "sallyport secret set other")
	writeSealed(t, path, id, r, "second")
	wantValue(t, s, reference(t, "sealed:database"), "second", "")
	if string(first.Reveal()) != canary {
		t.Error("a secret that is in use has changed")
	}
	if err := os.WriteFile(path, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantValue(t, s, reference(t, "sealed:database"), "", "no armored file of age")
	writeSealed(t, path, id, r, "third")
	wantValue(t, s, reference(t, "sealed:database"), "third", "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wantValue(t, s, reference(t, "sealed:database"), "", "does not exist")
	if asked != 1 {
		t.Errorf("the identity was asked for %d times", asked)
	}
	wantValue(t, NewStore(StoreOptions{}), reference(t, "sealed:database"), "", "there is no sealed file")
}

// TestStoreFile resolves a file that changes meanwhile.
func TestStoreFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	r, s := reference(t, "file:"+path), NewStore(StoreOptions{})
	write := func(text string) {
		next := path + ".new"
		if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, path); err != nil {
			t.Fatal(err)
		}
	}
	wantValue(t, s, r, "", "does not exist")
	write(canary)
	wantValue(t, s, r, canary, "")
	write("rotated-9f3a7c") // of the same length
	wantValue(t, s, r, "rotated-9f3a7c", "")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	write("x")
	wantValue(t, s, r, "x", "")
}

func TestImport(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\nB=two words\n":                 "A=1;B=two words;",
		"# c\n\nexport A='x y'\r\nB=\"z\"\n": "A=x y;B=z;",
		"A=a=b\n":                            "A=a=b;",
		`{"A": "1", "b.c": "two\twords"}`:    "A=1;b.c=two\twords;",
	} {
		all, err := ParseImport([]byte(text))
		got := ""
		for _, s := range all {
			got += s.Name + "=" + string(s.Value) + ";"
		}
		if err != nil || got != want {
			t.Errorf("%q: %s %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "no secret", "A\n": "line 1 is not", "A=1\nA=2\n": "A is there twice", "A=\n": "empty", "a b=" + canary: "line 1",
		"A='" + canary: "quote", `A="` + canary + `\n"`: "backslash", "A=x\x00" + canary: "zero byte",
		`{"A": 1}`: "A is not a string", `{"A": "1"`: "not one JSON", `{"A": {"b": "` + canary + `"}}`: "A is not a string", `{"A":"1"}{}`: "not one JSON",
		`{"A":"1","A":"2"}`: "twice", `{"a b":"1"}`: "name of value 1", `{"A":"` + canary + `\nx"}`: "more than one line",
	} {
		if all, err := ParseImport([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%q: %v %v", text, all, err)
		}
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte("A=1\nexport B='x y'\n"))
	f.Add([]byte(`{"A": "1", "b": "2"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := ParseImport(text)
		if err != nil {
			return
		}
		s := &Sealed{}
		for _, n := range all {
			if s.Has(n.Name) {
				t.Fatalf("%s twice", n.Name)
			}
			if err := s.Set(n.Name, n.Value); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzSealed reads what may be inside of a sealed file: whoever has a recipient's public key can write anything there.
func FuzzSealed(f *testing.F) {
	f.Add([]byte(`{"sallyport-sealed":1,"secrets":{"database":{"value":"aHVudGVyMg==","changed":"2026-11-23T06:00:00Z"}}}`))
	f.Add([]byte(`{"sallyport-sealed":2}`))
	f.Add([]byte(`{"sallyport-sealed":1,"secrets":null} {}`))
	f.Fuzz(func(t *testing.T, plain []byte) {
		s, err := readSealed(plain)
		if err != nil {
			return
		}
		for _, n := range s.Names() {
			if CheckName(n.Name) != nil || CheckValue(s.secrets[n.Name].Value) != nil {
				t.Fatalf("%q", n.Name)
			}
		}
	})
}
