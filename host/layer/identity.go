package layer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// maxChain bounds the certificates of one file that belongs to a key.
const maxChain = 16

// ReadIdentity reads what the gateway shows to an upstream that asks for a certificate: a file with the certificate in PEM, behind it
// those of its issuers, and the private key in PEM. A certificate that does not fit its key, or that is not valid at this time,
// is an error; none of them holds a part of the key.
func ReadIdentity(path string, key []byte, now time.Time) (*tls.Certificate, error) {
	chain, err := readChain(path)
	if err != nil {
		return nil, err
	}
	signer, err := parseKey(key)
	if err != nil {
		return nil, err
	}
	leaf := chain[0]
	switch {
	case !fits(signer, leaf):
		return nil, fmt.Errorf("%s is not the certificate of this key", path)
	case now.After(leaf.NotAfter) || now.Before(leaf.NotBefore):
		return nil, fmt.Errorf("%s is valid from %s to %s only", path, leaf.NotBefore.UTC().Format(time.DateTime), leaf.NotAfter.UTC().Format(time.DateTime))
	case len(leaf.ExtKeyUsage) > 0 && !forClients(leaf):
		return nil, fmt.Errorf("%s is not for clients: its extended key usage does not say so, and servers refuse it", path)
	}
	c := &tls.Certificate{PrivateKey: signer, Leaf: leaf}
	for _, k := range chain {
		c.Certificate = append(c.Certificate, k.Raw)
	}
	return c, nil
}

func forClients(c *x509.Certificate) bool {
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageClientAuth || u == x509.ExtKeyUsageAny {
			return true
		}
	}
	return false
}

func fits(signer crypto.Signer, c *x509.Certificate) bool {
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}

// readChain reads a file of certificates, each signed by the next.
func readChain(path string) ([]*x509.Certificate, error) {
	b, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s holds a %s; only certificates belong there", path, block.Type)
		}
		if len(chain) == maxChain {
			return nil, fmt.Errorf("%s holds more than %d certificates", path, maxChain)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s, certificate %d: %w", path, len(chain)+1, err)
		}
		if n := len(chain); n > 0 {
			if err := chain[n-1].CheckSignatureFrom(c); err != nil {
				return nil, fmt.Errorf("%s: certificate %d did not sign the one before it: put them in order, each in front of its issuer: %w", path, n+1, err)
			}
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%s holds no certificate in PEM (\"-----BEGIN CERTIFICATE-----\")", path)
	}
	return chain, nil
}

// readBounded reads a regular file of at most MaxRoots bytes.
func readBounded(path string) ([]byte, error) {
	// Looking before opening: opening a named pipe would wait for its writer.
	if i, err := os.Stat(path); err != nil {
		return nil, err
	} else if !i.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxRoots+1))
	if err == nil && len(b) > MaxRoots {
		err = fmt.Errorf("%s is larger than %d MiB", path, MaxRoots>>20)
	}
	return b, err
}

// parseKey reads a private key in PEM: PKCS #8, or the older forms of RSA and EC. Parameters of the curve may stand before it.
func parseKey(text []byte) (crypto.Signer, error) {
	bad := errors.New("this is no private key in PEM (\"-----BEGIN PRIVATE KEY-----\")")
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var parsed any
		var err error
		switch {
		case block.Type == "EC PARAMETERS", block.Type == "CERTIFICATE":
			continue
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return nil, errors.New("this private key is locked with a password: the gateway cannot ask for it; store the key without one, readable by the gateway alone")
		case block.Type == "PRIVATE KEY":
			parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case block.Type == "RSA PRIVATE KEY":
			parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case block.Type == "EC PRIVATE KEY":
			parsed, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			return nil, bad
		}
		clear(block.Bytes)
		signer, ok := parsed.(crypto.Signer)
		if err != nil || !ok { // the error could hold a part of the key
			return nil, bad
		}
		return signer, weak(signer)
	}
	return nil, bad
}

// weak refuses keys that programs do not accept any more.
func weak(key crypto.Signer) error {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < 2048 {
			return fmt.Errorf("this RSA key has %d bits; it needs 2048", k.N.BitLen())
		}
	case *ecdsa.PrivateKey:
		if k.Curve.Params().BitSize < 256 {
			return fmt.Errorf("this key is on the curve %s; it needs at least P-256", k.Curve.Params().Name)
		}
	}
	return nil
}
