package layer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

const (
	certificateFile = "ca.pem"
	keyFile         = "ca.key"

	// caLife is how long a CA is valid: agents trust it by hand, so it is replaced by hand, and seldom.
	caLife = 10 * 365 * 24 * time.Hour
	// skew is how far the clocks of agents may be behind.
	skew = time.Hour
)

// NearExpiry is how long before its end a CA is worth a warning.
const NearExpiry = 90 * 24 * time.Hour

// CA is the gateway's own certificate authority. It signs leaves for the names of endpoints, and agents that trust it know that
// they speak to their gateway. It may be used by several goroutines.
type CA struct {
	certificate *x509.Certificate
	key         crypto.Signer
	pem         []byte   // what agents trust
	issuers     [][]byte // what agents are sent behind a leaf
	now         func() time.Time
	leaves      leaves

	anchor, between *x509.CertPool // of a CA that was supplied; else nil
}

// Open opens the CA in a folder and makes it there at first: ca.pem, which is for everybody, and ca.key, which only its owner
// may read. It is never replaced by itself: agents trust it by its certificate. When several processes make it at once, all
// have the same.
func Open(dir string) (*CA, error) {
	key, err := openKey(filepath.Join(dir, keyFile), func() error {
		if _, err := os.Lstat(filepath.Join(dir, certificateFile)); err == nil {
			return fmt.Errorf("%s is there and its key %s is not: put the key back, or remove the certificate to have a new CA made, which agents then have to trust",
				filepath.Join(dir, certificateFile), keyFile)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the gateway's CA: %w", err)
	}
	path := filepath.Join(dir, certificateFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeCertificate(path, key)
	}
	if err != nil {
		return nil, fmt.Errorf("the gateway's CA: %w", err)
	}
	c, err := parseCertificate(path, text)
	if err != nil {
		return nil, fmt.Errorf("the gateway's CA: %w", err)
	}
	switch {
	case !key.PublicKey.Equal(c.PublicKey):
		return nil, fmt.Errorf("the gateway's CA: %s is not the certificate of the key in %s: put the right one back, or remove it to have it made anew", path, keyFile)
	case time.Now().After(c.NotAfter):
		return nil, fmt.Errorf("the gateway's CA: %s", expired(path, c))
	}
	return &CA{certificate: c, key: key, pem: encode(c.Raw), now: time.Now}, nil
}

func expired(path string, c *x509.Certificate) string {
	return fmt.Sprintf("%s has expired on %s: remove it and %s to have a new one made, which agents then have to trust", path, c.NotAfter.Format(time.DateOnly), keyFile)
}

// Certificate is the one that signs.
func (ca *CA) Certificate() *x509.Certificate { return ca.certificate }

// PEM is the certificate that agents have to trust, as their programs read it.
func (ca *CA) PEM() []byte { return bytes.Clone(ca.pem) }

// Inspect looks at the CA in a folder and changes nothing. The warning is what an operator should know, a sentence, or empty.
// No CA, and one that this user may not look at, is nothing to warn of.
func Inspect(dir string, now time.Time) (warning string, err error) {
	path := filepath.Join(dir, certificateFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("the gateway's CA: %w", err)
	}
	c, err := parseCertificate(path, text)
	switch {
	case err != nil:
		return "", fmt.Errorf("the gateway's CA: %w", err)
	case now.After(c.NotAfter):
		return "", fmt.Errorf("the gateway's CA: %s", expired(path, c))
	case now.Add(NearExpiry).After(c.NotAfter):
		return fmt.Sprintf("the gateway's CA %s expires on %s; agents stop trusting it then. Plan a day to remove it and %s, and to give agents the new one",
			path, c.NotAfter.Format(time.DateOnly), keyFile), nil
	}
	return "", nil
}

func parseCertificate(path string, text []byte) (*x509.Certificate, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%s must be one certificate in PEM: put the right one back, or remove it to have it made anew", path)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; put the right one back, or remove it to have it made anew", path, err)
	}
	if !c.IsCA || !c.BasicConstraintsValid || c.KeyUsage&x509.KeyUsageCertSign == 0 {
		return nil, fmt.Errorf("%s is not the certificate of a CA", path)
	}
	return c, nil
}

func makeCertificate(path string, key *ecdsa.PrivateKey) ([]byte, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial,
		// Programs tell CAs apart by name, so the name is this one's only.
		Subject:   pkix.Name{Organization: []string{"Sallyport"}, CommonName: fmt.Sprintf("Sallyport gateway %08x", serial.Bytes()[:4])},
		NotBefore: now.Add(-skew), NotAfter: now.Add(caLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return publish(path, encode(der), 0o644)
}

// newSerial is a random serial number of 16 bytes that begin with 01, so that it is positive and of one length.
func newSerial() (*big.Int, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return nil, err
	}
	b[0] = 1
	return new(big.Int).SetBytes(b), nil
}

func encode(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// openKey reads the key, or makes it when there is none and may says so.
func openKey(path string, may func() error) (*ecdsa.PrivateKey, error) {
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := may(); err != nil {
		return nil, err
	}
	made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(made)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	defer clear(text)
	defer clear(der)
	if _, err := publish(path, text, 0o600); err != nil {
		return nil, err
	}
	return readKey(path) // perhaps another process's
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	i, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !i.Mode().IsRegular() || i.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s must be a file that only its owner can read: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	bad := fmt.Errorf("%s is not the key that the gateway made: put the right file back, or remove it and %s to have a new CA made, which agents then have to trust", path, certificateFile)
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, bad
	}
	defer clear(block.Bytes)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, bad
	}
	return key, nil
}

// publish makes a file whole or not at all, and returns what is there: when two processes do so at once, the first wins.
func publish(path string, text []byte, mode fs.FileMode) ([]byte, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	switch err := os.Link(f.Name(), path); {
	case errors.Is(err, fs.ErrExist):
		return os.ReadFile(path)
	case err != nil:
		return nil, err
	}
	return text, nil
}
