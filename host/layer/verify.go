package layer

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Pin is the SHA-256 of the SubjectPublicKeyInfo of a certificate (RFC 7469, section 2.4).
type Pin [sha256.Size]byte

// pinPrefix begins a pin's text.
const pinPrefix = "sha256/"

// ParsePin reads "sha256/" and 32 bytes in base64, as curl's --pinnedpubkey takes them with two slashes.
func ParsePin(text string) (Pin, error) {
	hash, ok := strings.CutPrefix(text, pinPrefix)
	sum, err := base64.StdEncoding.Strict().DecodeString(hash)
	if !ok || err != nil || len(sum) != sha256.Size {
		return Pin{}, errors.New("a pin is sha256/ and 32 bytes in base64")
	}
	return Pin(sum), nil
}

// PinOf is the pin of a certificate's key.
func PinOf(c *x509.Certificate) Pin { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

func (p Pin) String() string { return pinPrefix + base64.StdEncoding.EncodeToString(p[:]) }

// pinError says that an upstream has another key.
type pinError struct {
	have Pin
	want []Pin
}

func (e *pinError) Error() string {
	want := make([]string, len(e.want))
	for i, p := range e.want {
		want[i] = p.String()
	}
	return fmt.Sprintf("its key is %s; pinned is %s", e.have, strings.Join(want, ", "))
}

// verify is what tls.Config leaves to the gateway: chains for no name, and pins.
func (o *ClientOptions) verify(s tls.ConnectionState) error {
	if o.Mode == VerifyCA {
		if err := verifyChain(s.PeerCertificates, *o); err != nil {
			return err
		}
	}
	if have := PinOf(s.PeerCertificates[0]); len(o.Pins) > 0 && !slices.Contains(o.Pins, have) {
		return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: &pinError{have, o.Pins}}
	}
	return nil
}

// distrust says what is wrong with an upstream's certificate: a reason for the agent, and all that there is to say for the operator.
func distrust(side string, e *tls.CertificateVerificationError) *Error {
	distrusted := "the certificate of the " + side + " cannot be trusted"
	reason := func(what string) string { return distrusted + ": it " + what }
	var leaf *x509.Certificate
	if len(e.UnverifiedCertificates) > 0 {
		leaf = e.UnverifiedCertificates[0]
	}
	var pin *pinError
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(e.Err, &pin):
		return &Error{reason("has another key than the one that is pinned"), e.Err}
	case leaf == nil:
	case errors.As(e.Err, &name):
		return &Error{reason("is for another name"), e.Err}
	case errors.As(e.Err, &authority):
		hint := fmt.Errorf("it was issued by %q, which is not among the roots: %w; if it is to be trusted, give the issuer's certificate in ca, or the key in pin (%s)",
			shorten(leaf.Issuer.String()), e.Err, PinOf(leaf))
		if leaf.Issuer.String() == leaf.Subject.String() {
			hint = fmt.Errorf("it is signed by itself: %w; if it is to be trusted, give it in ca, or its key in pin (%s)", e.Err, PinOf(leaf))
		}
		return &Error{reason("is not from an authority that the gateway trusts"), hint}
	case errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired:
		c := leaf
		if invalid.Cert != nil {
			c = invalid.Cert
		}
		return &Error{reason("has expired or is not valid yet"), fmt.Errorf("%q is valid from %s to %s: %w",
			shorten(c.Subject.String()), c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339), e.Err)}
	case errors.As(e.Err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return &Error{reason("is not one of a server"), e.Err}
	}
	return &Error{distrusted, e.Err}
}

// alerted says what an alert of the other side means.
func alerted(side string, alert error) *Error {
	text := alert.Error()
	for _, a := range []struct{ alert, means string }{
		{"certificate required", "wants a certificate of the gateway (client_cert)"},
		{"bad certificate", "does not accept the certificate that it was shown"},
		{"unknown certificate authority", "does not accept the certificate that it was shown: it does not know who issued it"},
		{"expired certificate", "does not accept the certificate that it was shown: it has expired"},
		{"unrecognized name", "does not know the name that it was asked for"},
		{"no application protocol", "speaks none of the protocols that it was offered"},
		{"protocol version not supported", "cannot do TLS 1.2 or newer"},
	} {
		if strings.Contains(text, a.alert) {
			return &Error{"the " + side + " refused the TLS handshake: it " + a.means, alert}
		}
	}
	return &Error{"the " + side + " refused the TLS handshake", alert}
}
