package secret

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Request is what a signature is about.
type Request struct {
	Method    string
	Authority string // host, with its port where the request says one
	Target    string // path and query, as they are sent
	BodyHash  string // SHA-256 of the body in lower-case hex, UnsignedPayload or UnsignedTrailer
	Header    [][2]string
}

// UnsignedPayload is the hash of a body that is not signed. S3 allows it inside of TLS.
const UnsignedPayload = "UNSIGNED-PAYLOAD"

// UnsignedTrailer stands for a body that is not signed and comes in S3's own chunks, with a checksum behind them. Newer SDKs send
// uploads so. The other words that S3 has there (STREAMING-AWS4-…) stand for chunks that are signed each, which only the holder of the key can do.
const UnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

const (
	maxRequest = 16 << 10
	maxHeaders = 64
)

// ParseRequest reads what a plugin says of a request that is to be signed: lines that end with LF, the method, the authority, the
// target, the body's hash, and then one for each header field that is to be signed as well, NAME:VALUE, the name in lower case. It is
// strict, because what is signed must be what is sent: nothing in it can be read in two ways.
func ParseRequest(text []byte) (*Request, error) {
	if len(text) > maxRequest {
		return nil, fmt.Errorf("the request that is to be signed is longer than %d KiB", maxRequest>>10)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 5 || lines[len(lines)-1] != "" {
		return nil, errors.New("the request that is to be signed lacks its method, authority, target or hash")
	}
	r := &Request{Method: lines[0], Authority: lines[1], Target: lines[2], BodyHash: lines[3]}
	for _, line := range lines[4 : len(lines)-1] {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, errors.New("a header field that is to be signed has no colon")
		}
		r.Header = append(r.Header, [2]string{name, value})
	}
	return r, r.check()
}

// hostsOwn are the header fields that the signature itself brings.
var hostsOwn = []string{"authorization", "host", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "content-length"}

func (r *Request) check() error {
	switch {
	case !token(r.Method):
		return errors.New("the method of a request that is to be signed is no token")
	case r.Authority == "" || visible([]byte(r.Authority), "") != nil || strings.ContainsAny(r.Authority, "/?#@\\"):
		return errors.New("the authority of a request that is to be signed is no host")
	case !strings.HasPrefix(r.Target, "/") || visible([]byte(r.Target), "") != nil || strings.Contains(r.Target, "#"):
		return errors.New("the target of a request that is to be signed is no path")
	case !r.unsigned() && !hexSum(r.BodyHash):
		return errors.New("the hash of a body that is to be signed is not 64 hexadecimal digits")
	case len(r.Header) > maxHeaders:
		return fmt.Errorf("more than %d header fields are to be signed", maxHeaders)
	}
	for _, h := range r.Header {
		if !token(h[0]) || strings.ToLower(h[0]) != h[0] || slices.Contains(hostsOwn, h[0]) {
			return errors.New("a header field that is to be signed has a name that it cannot have")
		}
		if control([]byte(strings.ReplaceAll(h[1], "\t", " "))) {
			return errors.New("a header field that is to be signed holds control characters")
		}
	}
	return nil
}

// unsigned reports whether the body is no part of what is signed.
func (r *Request) unsigned() bool {
	return r.BodyHash == UnsignedPayload || r.BodyHash == UnsignedTrailer
}

// token is RFC 9110, 5.6.2.
func token(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

func hexSum(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// Sign signs a request at a time.
func (f Form) Sign(l Login, r *Request, now time.Time) (*Signed, error) {
	if f.sign == nil {
		return nil, fmt.Errorf("a secret of form %s signs nothing", f.Name)
	}
	s, err := f.sign(l, r, now)
	if err != nil {
		return nil, fmt.Errorf("form %s: %w", f.Name, err)
	}
	return s, nil
}

// The attributes of a credential that signs for AWS.
const (
	awsKeyID   = "access_key_id"
	awsRegion  = "region"
	awsService = "service"
)

// awsForm is AWS Signature Version 4, by the official signer. The secret is the secret access key.
func awsForm() Form {
	return Form{Name: "aws-sigv4", With: awsToken, Needs: []string{awsKeyID, awsRegion, awsService}, check: checkAWS, sign: signAWS}
}

// awsToken is the form of the session token that goes with temporary keys.
const awsToken = "aws-session-token"

func awsTokenForm() Form { return Form{Name: awsToken, check: checkVisible} }

func checkVisible(l Login) error {
	value := l.Secret.Reveal()
	defer clear(value)
	return visible(value, "")
}

func checkAWS(l Login) error {
	for _, name := range []string{awsKeyID, awsRegion, awsService} {
		if !token(l.attribute(name)) {
			return fmt.Errorf("the credential needs %s, a word of letters, digits and hyphens", name)
		}
	}
	return checkVisible(l)
}

func signAWS(l Login, r *Request, now time.Time) (*Signed, error) {
	if err := errors.Join(checkAWS(l), r.check()); err != nil {
		return nil, err
	}
	service := l.attribute(awsService)
	objects := strings.HasPrefix(service, "s3")
	if r.unsigned() && !objects {
		return nil, fmt.Errorf("service %s wants the hash of the body", service)
	}
	path, query, _ := strings.Cut(r.Target, "?")
	q := &http.Request{Method: r.Method, Host: r.Authority, Header: http.Header{},
		// Opaque: what is signed is the path as it is sent, not one that was decoded and encoded again.
		URL: &url.URL{Scheme: "https", Host: r.Authority, Opaque: "//" + r.Authority + path, RawQuery: query}}
	for _, h := range r.Header {
		q.Header.Add(h[0], h[1])
	}
	names := []string{"authorization", "x-amz-date"}
	if objects {
		q.Header.Set("X-Amz-Content-Sha256", r.BodyHash)
		names = append(names, "x-amz-content-sha256")
	}
	key, session := l.Secret.Reveal(), l.Token.Reveal()
	defer clear(key)
	defer clear(session)
	if len(session) > 0 {
		names = append(names, "x-amz-security-token")
	}
	c := aws.Credentials{AccessKeyID: l.attribute(awsKeyID), SecretAccessKey: string(key), SessionToken: string(session)}
	l.Secret.canaries().sigV4(l.Secret.ref, key, now.UTC().Format("20060102"), l.attribute(awsRegion), service)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = objects })
	if err := signer.SignHTTP(context.Background(), c, q, r.BodyHash, service, l.attribute(awsRegion), now.UTC()); err != nil {
		return nil, errors.New("the request cannot be signed") // the error could tell of the key
	}
	var values []string
	for _, n := range names {
		values = append(values, q.Header.Get(n))
	}
	return &Signed{names, func() []string { return values }}, nil
}
