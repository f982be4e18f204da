package layer

import (
	"crypto/x509"
	"fmt"
	"time"
)

// Supplied opens a CA that the operator brings: a file with its certificate in PEM, behind it those of its issuers, if it has any,
// and its private key in PEM. Agents have to trust the last certificate of the file.
func Supplied(path string, key []byte) (*CA, error) {
	chain, err := readChain(path)
	if err != nil {
		return nil, fmt.Errorf("the gateway's CA: %w", err)
	}
	signer, err := parseKey(key)
	if err != nil {
		return nil, fmt.Errorf("the gateway's CA: its key: %w", err)
	}
	c := chain[0]
	switch {
	case !canSign(c):
		return nil, fmt.Errorf("the gateway's CA: %s begins with a certificate that is not the certificate of a CA", path)
	case !fits(signer, c):
		return nil, fmt.Errorf("the gateway's CA: %s is not the certificate of this key", path)
	case len(c.ExtKeyUsage) > 0 && !forServers(c):
		return nil, fmt.Errorf("the gateway's CA: %s cannot sign certificates of servers: its extended key usage does not say so", path)
	}
	for _, k := range chain {
		if now := time.Now(); now.After(k.NotAfter) || now.Before(k.NotBefore) {
			return nil, fmt.Errorf("the gateway's CA: the certificate %q in %s is valid from %s to %s only", shorten(k.Subject.String()), path,
				k.NotBefore.UTC().Format(time.DateOnly), k.NotAfter.UTC().Format(time.DateOnly))
		}
	}
	ca := &CA{certificate: c, key: signer, pem: encode(chain[len(chain)-1].Raw), now: time.Now}
	for i, k := range chain {
		if i > 0 && i == len(chain)-1 || k.Subject.String() == k.Issuer.String() {
			break // what agents trust they need not be sent
		}
		ca.issuers = append(ca.issuers, k.Raw)
	}
	ca.anchor = x509.NewCertPool()
	ca.anchor.AddCert(chain[len(chain)-1])
	ca.between = x509.NewCertPool()
	for _, k := range chain {
		ca.between.AddCert(k)
	}
	return ca, nil
}

func canSign(c *x509.Certificate) bool {
	return c.IsCA && c.BasicConstraintsValid && (c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0)
}

func forServers(c *x509.Certificate) bool {
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageServerAuth || u == x509.ExtKeyUsageAny {
			return true
		}
	}
	return false
}

// check finds leaves that agents would refuse, such as those outside of what the CA may sign for. A CA that the gateway made may
// sign for everything.
func (ca *CA) check(leaf *x509.Certificate) error {
	if ca.anchor == nil {
		return nil
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: ca.anchor, Intermediates: ca.between, CurrentTime: ca.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err != nil {
		return fmt.Errorf("the gateway's CA cannot sign for this name: %w", err)
	}
	return nil
}
