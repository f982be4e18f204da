package sshside

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// both runs a test with data that goes directly, and with data as records.
func both(t *testing.T, s *sshd, test func(t *testing.T, b *between)) {
	for name, splice := range map[string]bool{"spliced": true, "records": false} {
		t.Run(name, func(t *testing.T) { test(t, startBetween(t, s, func(b *between) { b.splice = splice })) })
	}
}

func TestExec(t *testing.T) {
	both(t, startSSHD(t), func(t *testing.T, b *between) {
		cmd := b.ssh(deadline(t), t, "ssh", "echo out; echo err >&2; cat; exit 7")
		var out, errs bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("from stdin\n"), &out, &errs
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() != 7 || out.String() != "out\nfrom stdin\n" || !strings.Contains(errs.String(), "err\n") {
			t.Errorf("%v, %q, %q", err, out.String(), errs.String())
		}
		if !strings.Contains(errs.String(), "welcome to the upstream") {
			t.Errorf("the banner is not in %q", errs.String())
		}
	})
}

func TestBulk(t *testing.T) {
	big := make([]byte, 64<<20)
	_, _ = rand.Read(big)
	both(t, startSSHD(t), func(t *testing.T, b *between) {
		dir := t.TempDir()
		file := filepath.Join(dir, "file")
		cmd := b.ssh(deadline(t), t, "ssh", "cat > "+file+" && cat "+file)
		cmd.Stdin = bytes.NewReader(big)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil || !bytes.Equal(out, big) {
			t.Errorf("%d bytes of %d, %v %s", len(out), len(big), err, errs.String())
		}
		toAgent, toUpstream := b.link.Spliced()
		if b.splice && (toAgent == 0 || toUpstream == 0) || !b.splice && toAgent+toUpstream > 0 {
			t.Errorf("%d and %d bytes went directly", toAgent, toUpstream)
		}
	})
}

func TestCopies(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	both(t, startSSHD(t), func(t *testing.T, b *between) {
		for _, flag := range []string{"-O", "-s"} {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "a"), content, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{flag, filepath.Join(dir, "a"), "REMOTE:" + filepath.Join(dir, "b")}, {flag, "REMOTE:" + filepath.Join(dir, "b"), filepath.Join(dir, "c")}} {
				if out, err := b.ssh(deadline(t), t, "scp", args...).CombinedOutput(); err != nil {
					t.Fatalf("%v: %v %s", args, err, out)
				}
			}
			if got, err := os.ReadFile(filepath.Join(dir, "c")); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s: %d bytes, %v", flag, len(got), err)
			}
		}
	})
}

// TestRefused: the agent reads why it may not log in.
func TestRefused(t *testing.T) {
	s := startSSHD(t)
	b := startBetween(t, s, func(b *between) { b.refuse = "sallyport: denied by rule x\n" })
	cmd := b.ssh(deadline(t), t, "ssh", "true")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "sallyport: denied by rule x") {
		t.Errorf("%v %s", err, out)
	}
}
