package secret

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// kept is a secret with this value.
func kept(t *testing.T, value string) Secret {
	t.Helper()
	if value == "" {
		return Secret{}
	}
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := ParseReference("file:"+path, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSSHSigner: keys as OpenSSH keeps them, in the clear, encrypted and with a certificate, and what is none. No error holds the key.
func TestSSHSigner(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := func(block *pem.Block, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(block))
	}
	clear := text(ssh.MarshalPrivateKey(private, "me"))
	once, err := os.ReadFile(filepath.Join("testdata", "encrypted_key")) // with one round of its key derivation, which is slow by design
	if err != nil {
		t.Fatal(err)
	}
	locked := string(once)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := text(ssh.MarshalPrivateKey(short, ""))
	own, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	_, authority, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(authority)
	if err != nil {
		t.Fatal(err)
	}
	certificate := func(key ssh.PublicKey, kind uint32) string {
		c := &ssh.Certificate{Key: key, CertType: kind, ValidPrincipals: []string{"root"}, ValidBefore: ssh.CertTimeInfinity}
		if err := c.SignCert(rand.Reader, signer); err != nil {
			t.Fatal(err)
		}
		return string(ssh.MarshalAuthorizedKey(c))
	}
	for what, c := range map[string]struct {
		key, passphrase string
		kind, want      string // of the public key; or the error
	}{
		"in the clear":             {clear, "", ssh.KeyAlgoED25519, ""},
		"without its last newline": {strings.TrimSpace(clear), "", ssh.KeyAlgoED25519, ""},
		"encrypted":                {locked, "open sesame", ssh.KeyAlgoED25519, ""},
		"with a certificate":       {clear + certificate(own, ssh.UserCert), "", ssh.CertAlgoED25519v01, ""},
		"no passphrase":            {locked, "", "", "needs its passphrase"},
		"the wrong passphrase":     {locked, "open barley", "", "cannot be decrypted"},
		"a passphrase too many":    {clear, "open sesame", "", "is not encrypted"},
		"RSA that is too short":    {weak, "", "", "1024 bits"},
		"another's certificate":    {clear + certificate(signer.PublicKey(), ssh.UserCert), "", "", "another key"},
		"a host's certificate":     {clear + certificate(own, ssh.HostCert), "", "", "of a host"},
		"a public key behind it":   {clear + string(ssh.MarshalAuthorizedKey(own)), "", "", "no certificate"},
		"something behind it":      {clear + "nothing much\n", "", "", "is not its certificate"},
		"a public key":             {string(ssh.MarshalAuthorizedKey(own)), "", "", "not a private key"},
		"a password":               {"hunter2hunter2", "", "", "not a private key"},
	} {
		key, passphrase := kept(t, c.key), kept(t, c.passphrase)
		s, err := SSHSigner(key, passphrase)
		switch {
		case c.want == "" && (err != nil || s.PublicKey().Type() != c.kind):
			t.Errorf("%s: %v, %v", what, s, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v", what, err)
		case c.want != "" && (strings.Contains(err.Error(), "sesame") || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "BEGIN")):
			t.Errorf("%s: the error shows a secret: %v", what, err)
		}
		form, _ := FormOf(FormSSHKey)
		if got := form.Check(Login{Secret: key, Token: passphrase}); (got == nil) != (c.want == "") {
			t.Errorf("%s, checked: %v", what, got)
		}
	}
	for _, name := range []string{FormSSHKey, FormSSHPassphrase, FormSSHPassword} {
		form, ok := FormOf(name)
		if _, err := form.Write(Login{Secret: kept(t, "s")}); !ok || !form.ForTransport() || err == nil {
			t.Errorf("a secret of form %s can be written into messages", name)
		}
	}
}
