// Package aws says what of a request AWS Signature Version 4 is about, whichever version of HTTP it came in. The key and the signature are the
// host's: the guest writes down what is signed, and the host writes the signature's header fields to the upstream.
//
// Agents sign with keys that mean nothing. What they sign with is taken out: the header fields of a signature, and its parameters where it stands
// in the query. The hash of the body that S3's clients give is kept, since the server holds the body against it; other services have no
// word for a body that was not read, so there the body is read first.
package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
)

// MaxText is how long what is signed can be, in bytes (abi.MaxSign), and maxFields how many header fields it can name.
const (
	MaxText   = 16 << 10
	maxFields = 64
)

// Signer is what a credential says of the service.
type Signer struct {
	On      bool
	Objects bool // it is S3, or speaks its language: bodies need not be signed
	TLS     bool // the upstream's side is encrypted
}

// New makes one for a service: "s3", "dynamodb".
func New(service string, tls bool) Signer {
	return Signer{On: true, Objects: strings.HasPrefix(service, "s3"), TLS: tls}
}

// Words that S3 has in place of a hash.
const (
	unsigned  = "UNSIGNED-PAYLOAD"
	trailer   = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	streaming = "STREAMING-"
)

// Problem says why a request cannot be signed.
type Problem string

// What can be wrong.
const (
	SignedChunks Problem = "its chunks are signed one by one (x-amz-content-sha256), which the gateway cannot do again: have the client send unsigned payloads, or a hash of the whole"
	LongBody     Problem = "the body is too long to be read before the request is signed; this service takes no unsigned one"
	LongFields   Problem = "there is more in the request to be signed than fits"
	NoPath       Problem = "only a request for a path can be signed"
)

// Hash is what stands for the body in the signature: given is the value of x-amz-content-sha256, if the agent sent one, and body says whether there
// is a body. read: it has to be read, see HashOf.
func (s Signer) Hash(given []byte, body bool) (hash string, read bool, problem Problem) {
	switch {
	case !body:
		return HashOf(nil), false, ""
	case !s.Objects:
		return "", true, ""
	case string(given) == unsigned, string(given) == trailer:
		return string(given), false, ""
	case len(given) > len(streaming) && string(given[:len(streaming)]) == streaming:
		return "", false, SignedChunks
	case len(given) == 2*sha256.Size && hexadecimal(given):
		return string(given), false, ""
	}
	return unsigned, !s.TLS, ""
}

func hexadecimal(p []byte) bool {
	for _, c := range p {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// HashOf is the hash of a body.
func HashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// BodyHash is the header field that holds the body's hash.
const BodyHash = "x-amz-content-sha256"

// replaced are the header fields of a signature.
var replaced = [...]string{"authorization", "x-amz-date", "x-amz-security-token", BodyHash}

// Replaces reports whether a header field of the agent is one that the signature brings.
func Replaces(name []byte) bool {
	for _, r := range replaced {
		if head.SameName(name, r) {
			return true
		}
	}
	return false
}

// parameters are those of a signature that stands in the query.
var parameters = [...]string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Content-Sha256"}

// Parameter reports whether a parameter of the query belongs to a signature of the agent.
func Parameter(p []byte) bool {
	for _, name := range parameters {
		if facts.Names(p, name) {
			return true
		}
	}
	return false
}

// EachRemoved hands on the places in a query where a signature of the agent stands, each with a separator, so that the rest is a query again.
func EachRemoved(query []byte, each func(from, to int)) {
	kept := false
	for at := 0; at < len(query); {
		end := at
		for end < len(query) && query[end] != '&' {
			end++
		}
		next := min(end+1, len(query))
		switch {
		case !Parameter(query[at:end]):
			kept = true
		case kept:
			each(at-1, end)
		default:
			each(at, next)
		}
		at = next
	}
}

// Text collects what is signed. The zero value is ready; it keeps its memory.
type Text struct {
	b      []byte
	fields int
}

// Begin writes the request without its header. query is nil when there is no "?"; what EachRemoved finds is left out.
func (t *Text) Begin(method, authority, path, query []byte, hash string) {
	t.fields = 0
	b := append(append(t.b[:0], method...), '\n')
	b = append(append(b, authority...), '\n')
	if len(path) == 0 {
		b = append(b, '/')
	}
	b = append(b, path...)
	if query != nil {
		b = AppendQuery(append(b, '?'), query)
	}
	b = append(append(append(b, '\n'), hash...), '\n')
	t.b = b
}

// AppendQuery appends a query without the signature of the agent.
func AppendQuery(b, query []byte) []byte {
	at := 0
	EachRemoved(query, func(from, to int) {
		b = append(b, query[at:from]...)
		at = to
	})
	return append(b, query[at:]...)
}

// Field adds a header field of the agent, if it is one that is signed: AWS wants all of its own, and the type of the body.
func (t *Text) Field(name, value []byte) {
	if !own(name) || Replaces(name) {
		return
	}
	t.fields++
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		t.b = append(t.b, c)
	}
	t.b = append(append(append(t.b, ':'), value...), '\n')
}

func own(name []byte) bool {
	const prefix = "x-amz-"
	return len(name) > len(prefix) && head.Fold(name[:len(prefix)], prefix) || head.Fold(name, "content-type") || head.Fold(name, "content-md5")
}

// Bytes is what is signed; it is valid until the next Begin. A problem says that it is too much.
func (t *Text) Bytes() ([]byte, Problem) {
	if len(t.b) > MaxText || t.fields > maxFields {
		return nil, LongFields
	}
	return t.b, ""
}
