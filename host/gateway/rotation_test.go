package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// TestRotation changes a password at a real server and in each kind of place where the gateway finds it. New connections use it, without a reload;
// the operator is told, and neither log nor record holds a value.
func TestRotation(t *testing.T) {
	db := newDatabase(t)
	w := newWorld(t, "")
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SALLYPORT_TEST_IDENTITY", key.String())
	id, err := secret.ReadIdentity([]byte(key.String()))
	if err != nil {
		t.Fatal(err)
	}
	recipients, err := secret.ParseRecipients([]string{key.Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	plain, command, sealed := filepath.Join(w.dir, "password"), filepath.Join(w.dir, "command"), filepath.Join(w.dir, "secrets.age")
	if err := os.WriteFile(command, []byte("#!/bin/sh\ncat "+plain+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	rotate := func(value string) {
		t.Helper()
		// In another file's place, as tools that rotate secrets do it.
		if err := os.WriteFile(plain+".new", []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(plain+".new", plain); err != nil {
			t.Fatal(err)
		}
		s := &secret.Sealed{}
		if err := s.Set("db", []byte(value)); err != nil {
			t.Fatal(err)
		}
		if err := s.Write(sealed, recipients, id, true); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Psql(wait(t), "postgres", "alter role scram password '"+value+"'"); err != nil {
			t.Fatal(err)
		}
	}
	rotate(canary + "-first")
	tables := "[plugins]\npostgres = \"builtin\"\n\n[secrets]\nsealed = \"secrets.age\"\nidentity = \"env:SALLYPORT_TEST_IDENTITY\"\nrefresh = \"1s\"\n\n"
	references := map[string]string{"by-file": "file:" + plain, "by-command": "cmd:" + command, "by-seal": "sealed:db"}
	for name, reference := range references {
		tables += loginTable(name, db.Address(), `tls = "disable"`) + fmt.Sprintf("[[credential]]\nname = %q\nuser = \"scram\"\npassword = %q\n\n", name, reference)
	}
	w.write(tables + loginRules)
	recordings := filepath.Join(w.dir, "recordings")
	if err := MakeRecordings(recordings); err != nil {
		t.Fatal(err)
	}
	w.serveRecorded(recordings)
	alice := w.alice()
	works := func(when string) {
		t.Helper()
		for name := range references {
			// A command's output counts for a second more.
			for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
				who, err := try(t, alice, name, db.Address(), "sslmode=disable", nil)
				if err == nil && who == "scram false" {
					break
				}
				if name != "by-command" || time.Now().After(deadline) {
					t.Fatalf("%s, %s: %q, %v", when, name, who, err)
				}
			}
		}
	}
	works("at first")
	rotate(canary + "-second")
	var together sync.WaitGroup // connections that find out at once
	for range 4 {
		for name := range references {
			together.Go(func() {
				if _, err := try(t, alice, name, db.Address(), "sslmode=disable", nil); err != nil && name != "by-command" {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	together.Wait()
	works("after a rotation")
	if log := w.log.String(); strings.Count(log, "a credential has changed; new connections use it") < len(references) || strings.Contains(log, canary) {
		t.Errorf("the gateway's log:\n%s", log)
	}
	// A place that has gone leaves what it held in use.
	for _, path := range []string{plain, sealed} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	works("without its places")
	if log := w.log.String(); !strings.Contains(log, "what it was before is used further") || strings.Contains(log, canary) {
		t.Errorf("the gateway's log:\n%s", log)
	}
	rotate(canary + "-third")
	works("with its places again")
	files := 0
	for _, dir := range []string{"state", "recordings"} {
		files += nowhere(t, filepath.Join(w.dir, dir), canary)
	}
	if files < 5 { // receipts and their key, holds, the cache, a recording for each connection
		t.Errorf("only %d files were looked at", files)
	}
	// The twin: what is there is found.
	if !disguised([]byte("x"+base64.StdEncoding.EncodeToString([]byte("ab"+canary+"c"))), canary) || !disguised([]byte(url.QueryEscape(canary+"%")), canary) {
		t.Error("a disguise is not seen through")
	}
}

// nowhere looks for a text, in many disguises, in every file below a folder, and returns how many files there are.
func nowhere(t *testing.T, dir, text string) (files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		if err == nil && disguised(b, text) {
			t.Errorf("%s holds a secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return files
}

// disguised reports whether a text is in b: as it is, in hex, in base64 at any offset, escaped for URLs or JSON, or backwards.
func disguised(b []byte, text string) bool {
	backwards := []byte(text)
	slices.Reverse(backwards)
	forms := []string{text, string(backwards), hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))), url.QueryEscape(text)}
	for offset := range 3 {
		// What does not depend on the bytes around it.
		whole := base64.RawStdEncoding.EncodeToString(append(make([]byte, offset), text...))
		forms = append(forms, whole[(offset*8+5)/6:len(whole)-1])
	}
	return slices.ContainsFunc(forms, func(form string) bool { return bytes.Contains(b, []byte(form)) })
}
