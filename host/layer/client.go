package layer

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"

	_ "crypto/sha256" // hashes of channel bindings
	_ "crypto/sha512"
)

// Mode says how sure the gateway wants to be of an upstream; the zero Mode is no TLS.
type Mode int

// The modes, each stricter than the one before.
const (
	Disable Mode = iota
	Require
	VerifyCA
	VerifyFull
)

// Verified says that the mode makes sure who the upstream is. A pinned key does so with every mode but Disable.
func (m Mode) Verified() bool { return m >= VerifyCA }

// ClientOptions say how the gateway speaks TLS to an upstream.
type ClientOptions struct {
	Mode      Mode
	Roots     *x509.CertPool // nil: those of the system
	Name      string         // of the upstream, a host name or an IP address; needed
	Protocols []string       // ALPN, preferred first; none: the extension is not sent
	Timeout   time.Duration  // of the handshake; 0: DefaultTimeout
	// Pins are the keys that the upstream may have; none: any. They count beside what the mode asks for.
	Pins []Pin
	// Certificate is shown to an upstream that asks for one; nil: none.
	Certificate *tls.Certificate
	// Time is the time by which certificates are judged; nil: now.
	Time func() time.Time
}

// Client begins TLS to an upstream.
func Client(ctx context.Context, under Transport, o ClientOptions) (*Conn, error) {
	if o.Mode < Require || o.Mode > VerifyFull {
		return nil, &Error{"the endpoint wants no TLS with its upstream", nil}
	}
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: o.Name, RootCAs: o.Roots, NextProtos: o.Protocols, Time: o.Time,
		InsecureSkipVerify: o.Mode != VerifyFull, DynamicRecordSizingDisabled: true,
	}
	if o.Mode == VerifyCA || len(o.Pins) > 0 {
		c.VerifyConnection = o.verify
	}
	if o.Certificate != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return o.Certificate, nil }
	}
	in := newArrivals(under)
	w := newWire(in)
	t := tls.Client(w, c)
	if err := handshake(ctx, t, o.Timeout); err != nil {
		return nil, explain("upstream", err)
	}
	return &Conn{Conn: t, under: w, arrivals: in, info: info(t), binding: endPoint(t.ConnectionState().PeerCertificates[0])}, nil
}

// verifyChain verifies certificates up to a root, for no name.
func verifyChain(certificates []*x509.Certificate, o ClientOptions) error {
	v := x509.VerifyOptions{Roots: o.Roots, Intermediates: x509.NewCertPool()}
	if o.Time != nil {
		v.CurrentTime = o.Time()
	}
	for _, c := range certificates[1:] {
		v.Intermediates.AddCert(c)
	}
	if _, err := certificates[0].Verify(v); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: certificates, Err: err}
	}
	return nil
}

// endPoint is the channel binding tls-server-end-point: a hash of the certificate, by the hash function of its signature, with
// SHA-256 in place of MD5 and SHA-1. A signature without one hash function (Ed25519) has no binding.
func endPoint(c *x509.Certificate) []byte {
	var hash crypto.Hash
	switch c.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1,
		x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256, x509.DSAWithSHA256:
		hash = crypto.SHA256
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		hash = crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		hash = crypto.SHA512
	default:
		return nil
	}
	h := hash.New()
	h.Write(c.Raw)
	return h.Sum(nil)
}

// MaxRoots bounds a file of roots, in bytes.
const MaxRoots = 4 << 20

// ReadRoots reads a file of certificates in PEM. One that holds none, or anything else (a private key has no place there), is
// refused.
func ReadRoots(path string) (*x509.CertPool, error) {
	b, err := readBounded(path)
	if err != nil {
		return nil, fmt.Errorf("roots: %w", err)
	}
	pool, n := x509.NewCertPool(), 0
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("roots: %s holds a %s; only certificates belong there", path, block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("roots: %s, certificate %d: %w", path, n+1, err)
		}
		pool.AddCert(c)
		n++
	}
	if n == 0 {
		return nil, fmt.Errorf("roots: %s holds no certificate in PEM (\"-----BEGIN CERTIFICATE-----\")", path)
	}
	return pool, nil
}
