package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// The headers of a signed message, Standard Webhooks 1.0.0, "Webhook headers".
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

const (
	// Tolerance is how far a message's timestamp may be from the clock, in either direction.
	Tolerance = 5 * time.Minute
	// MinSecret is the least length of a key in bytes, that of the specification.
	MinSecret = 24

	maxID         = 256 // of a webhook-id, in bytes
	maxSignatures = 16  // of one message; the rest is not looked at
	maxHeader     = 4096
	keyPrefix     = "whsec_"
)

// Why a message is not believed. Verify's errors wrap one of these.
var (
	ErrHeaders   = errors.New("the webhook headers are missing or malformed")
	ErrTimestamp = fmt.Errorf("the timestamp is more than %s away from the gateway's clock", Tolerance)
	ErrSignature = errors.New("no signature is right")
)

// Keys are the secrets that messages are signed with. They print as nothing.
type Keys struct {
	// A function, because fmt prints the fields of a struct and cannot look into one.
	all func() [][]byte
}

// NewKeys reads resolved secrets, the newest first: base64 behind "whsec_", or the bytes as they are. Errors name the secret by its
// reference, never by its value.
func NewKeys(secrets ...secret.Secret) (Keys, error) {
	if len(secrets) == 0 {
		return Keys{}, errors.New("there is no secret to sign with")
	}
	var all [][]byte
	for _, s := range secrets {
		key := s.Reveal()
		if encoded, ok := strings.CutPrefix(string(key), keyPrefix); ok {
			raw, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return Keys{}, fmt.Errorf("%s: behind %s there must be base64", s, keyPrefix)
			}
			key = raw
		}
		if len(key) < MinSecret {
			return Keys{}, fmt.Errorf("%s has %d bytes; a secret that signs webhooks needs %d at least, such as: echo whsec_$(openssl rand -base64 32)", s, len(key), MinSecret)
		}
		all = append(all, key)
	}
	return Keys{all: func() [][]byte { return all }}, nil
}

// Format implements fmt.Formatter, so that no verb prints a key.
func (k Keys) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%d keys", len(k.list())) }

func (k Keys) list() [][]byte {
	if k.all == nil {
		return nil
	}
	return k.all()
}

// Overlaps reports whether two sets have a key in common, so that what one signs the other would verify.
func (k Keys) Overlaps(o Keys) bool {
	for _, a := range k.list() {
		for _, b := range o.list() {
			if hmac.Equal(a, b) {
				return true
			}
		}
	}
	return false
}

// Sign sets the headers of a message: one signature for each key.
func (k Keys) Sign(h http.Header, id string, at time.Time, body []byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	signatures := make([]string, 0, 1)
	for _, key := range k.list() {
		signatures = append(signatures, "v1,"+signature(key, id, stamp, body))
	}
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, stamp)
	h.Set(HeaderSignature, strings.Join(signatures, " "))
}

// signature returns the base64 of the HMAC-SHA256 over "id.timestamp.body".
func signature(key []byte, id, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Message is what the headers of a signed message say.
type Message struct {
	ID   string
	Time time.Time
	// stamp is the timestamp as it stands in the header, because that is what is signed.
	stamp      string
	signatures []string
}

// ReadMessage reads the headers of a message. Nothing in them is true before Verify.
func ReadMessage(h http.Header) (Message, error) {
	var m Message
	for name, to := range map[string]*string{HeaderID: &m.ID, HeaderTimestamp: &m.stamp} {
		values := h.Values(name)
		if len(values) != 1 {
			return m, fmt.Errorf("%w: %s is there %d times", ErrHeaders, name, len(values))
		}
		*to = values[0]
	}
	// A full stop in the ID would leave open where it ends.
	if m.ID == "" || len(m.ID) > maxID || strings.ContainsFunc(m.ID, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '.' }) {
		return m, fmt.Errorf("%w: %s must have 1 to %d printable characters without blanks and full stops", ErrHeaders, HeaderID, maxID)
	}
	n, err := strconv.ParseInt(m.stamp, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != m.stamp || n < 0 {
		return m, fmt.Errorf("%w: %s must be seconds since 1970", ErrHeaders, HeaderTimestamp)
	}
	m.Time = time.Unix(n, 0)
	list := h.Values(HeaderSignature)
	if len(list) != 1 || len(list[0]) > maxHeader {
		return m, fmt.Errorf("%w: %s must be there once, with at most %d bytes", ErrHeaders, HeaderSignature, maxHeader)
	}
	for s := range strings.FieldsSeq(list[0]) {
		// Other versions are other schemes, which a sender may add.
		if v1, ok := strings.CutPrefix(s, "v1,"); ok && len(m.signatures) < maxSignatures {
			m.signatures = append(m.signatures, v1)
		}
	}
	return m, nil
}

// Verify checks that one of the keys signed the message and that it is of now.
func (k Keys) Verify(m Message, body []byte, now time.Time) error {
	found := false
	for _, key := range k.list() {
		want := []byte(signature(key, m.ID, m.stamp, body))
		for _, s := range m.signatures {
			if hmac.Equal(want, []byte(s)) {
				found = true
			}
		}
	}
	switch age := now.Sub(m.Time); {
	case !found:
		return ErrSignature
	case age > Tolerance || age < -Tolerance:
		return ErrTimestamp
	}
	return nil
}
