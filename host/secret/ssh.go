package secret

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// Names of the forms that log in at a transport of SSH.
const (
	FormSSHKey        = "ssh-key"
	FormSSHPassphrase = "ssh-passphrase"
	FormSSHPassword   = "ssh-password"
)

// leastRSA is how short an RSA key may be: OpenSSH's servers refuse shorter ones.
const leastRSA = 2048

// ForTransport says that a secret of this form is used by the login of the transport itself (SSH, RFC 4252), and by nobody else: it is not
// written into messages, and no exchange of the plugin's protocol uses it.
func (f Form) ForTransport() bool { return f.apart }

func sshKeyForm() Form {
	return Form{Name: FormSSHKey, Needs: []string{"user"}, With: FormSSHPassphrase, apart: true, check: func(l Login) error {
		_, err := SSHSigner(l.Secret, l.Token)
		return err
	}}
}

func sshPassphraseForm() Form { return Form{Name: FormSSHPassphrase, apart: true} }

func sshPasswordForm() Form {
	return Form{Name: FormSSHPassword, Needs: []string{"user"}, apart: true}
}

// SSHSigner reads a private key as OpenSSH keeps it (or PEM of PKCS #1, PKCS #8 or SEC 1), with the passphrase when it is encrypted. Behind the key there may be
// its certificate, the line that ssh-keygen writes to NAME-cert.pub: then it is what the signer shows. Errors hold nothing of either.
func SSHSigner(key, passphrase Secret) (ssh.Signer, error) {
	text, word := key.Reveal(), passphrase.Reveal()
	defer clear(text)
	defer clear(word)
	key.canaries().sshKey(key.ref, text, word)
	signer, err := parseSSHKey(text, word)
	if err != nil {
		return nil, err
	}
	if k, ok := signer.PublicKey().(ssh.CryptoPublicKey); ok {
		if r, ok := k.CryptoPublicKey().(*rsa.PublicKey); ok && r.N.BitLen() < leastRSA {
			return nil, fmt.Errorf("the key is RSA with %d bits; servers want %d at least", r.N.BitLen(), leastRSA)
		}
	}
	end := bytes.LastIndex(text, []byte("-----END "))
	_, behind, _ := bytes.Cut(text[max(end, 0):], []byte("\n"))
	if behind = bytes.TrimSpace(behind); len(behind) == 0 {
		return signer, nil
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(behind)
	if err != nil {
		return nil, errors.New("what follows the key is not its certificate, the one line of NAME-cert.pub")
	}
	certificate, ok := public.(*ssh.Certificate)
	if !ok {
		return nil, errors.New("what follows the key is a public key and no certificate")
	}
	if certificate.CertType != ssh.UserCert {
		return nil, errors.New("the certificate behind the key is one of a host, and not of a user")
	}
	with, err := ssh.NewCertSigner(certificate, signer)
	if err != nil {
		return nil, errors.New("the certificate behind the key is that of another key")
	}
	return with, nil
}

func parseSSHKey(text, passphrase []byte) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(text)
	var missing *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &missing) && len(passphrase) == 0:
		return nil, errors.New("the key is encrypted: the credential needs its passphrase")
	case errors.As(err, &missing):
		if signer, err = ssh.ParsePrivateKeyWithPassphrase(text, passphrase); err != nil {
			return nil, errors.New("the key cannot be decrypted: the passphrase is wrong, or the key is damaged")
		}
	case err != nil:
		return nil, errors.New("it is not a private key of SSH; ssh-keygen -t ed25519 makes one")
	case len(passphrase) > 0:
		return nil, errors.New("there is a passphrase, and the key is not encrypted")
	}
	return signer, nil
}
