package secret

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
)

const (
	// leastIterations is what RFC 7677 asks for: with less, a false server could guess the password from the answer in no time.
	leastIterations = 4096
	// mostIterations bounds the work that a server can make of one login, to less than a second.
	mostIterations = 1_000_000
	// mostSalt and mostNonce bound what a server sends, in bytes after and before base64.
	mostSalt  = 1024
	mostNonce = 1024
)

// scram is the client of SCRAM-SHA-256 (RFC 5802, RFC 7677).
type scram struct {
	password []byte // prepared
	nonce    []byte // the client's
	header   string // GS2: whether the channel is bound
	binding  []byte // channel binding data, behind the header
	user     string
	// signature is what the server must send to prove that it knows the password.
	signature []byte
	// derived tells the canaries of a test of a key; nil: there are none.
	derived  func(what string, key []byte)
	state    scramState
	verified bool
}

type scramState int

const (
	scramFirst scramState = iota
	scramChallenged
	scramDone
)

// newScram begins an exchange with a password as it was given and a fresh nonce. PostgreSQL wants no user here: it takes the one
// of the startup message.
func newScram(password []byte, user, header string, binding []byte) (*scram, error) {
	raw := make([]byte, 18)
	if _, err := rand.Read(raw); err != nil {
		return nil, err
	}
	return &scram{password: prepare(password), user: user, header: header, binding: binding, nonce: base64.StdEncoding.AppendEncode(nil, raw)}, nil
}

func (s *scram) wipe() {
	clear(s.password)
	clear(s.signature)
	s.password, s.signature, s.state = nil, nil, scramDone
}

func (s *scram) bare() []byte { return fmt.Appendf(nil, "n=%s,r=%s", s.user, s.nonce) }

// clientFirst is the client-first-message.
func (s *scram) clientFirst() []byte { return append([]byte(s.header), s.bare()...) }

// clientFinal answers the server-first-message.
func (s *scram) clientFinal(serverFirst []byte) ([]byte, error) {
	if s.state != scramFirst {
		return nil, errors.New("SCRAM: the server sends a second challenge")
	}
	s.state = scramDone
	nonce, salt, iterations, err := s.readChallenge(serverFirst)
	if err != nil {
		return nil, fmt.Errorf("SCRAM: %w", err)
	}
	bound := slices.Concat([]byte(s.header), s.binding)
	final := fmt.Appendf(nil, "c=%s,r=%s", base64.StdEncoding.EncodeToString(bound), nonce)
	message := slices.Concat(s.bare(), []byte(","), serverFirst, []byte(","), final)

	salted := salt256(s.password, salt, iterations)
	defer clear(salted)
	clear(s.password)
	s.password = nil
	key := mac(salted, []byte("Client Key"))
	defer clear(key)
	stored := sha256.Sum256(key)
	defer clear(stored[:])
	proof := mac(stored[:], message)
	subtle.XORBytes(proof, proof, key)
	serverKey := mac(salted, []byte("Server Key"))
	defer clear(serverKey)
	s.signature = mac(serverKey, message)
	if s.derived != nil {
		s.derived("SCRAM's salted password", salted)
		s.derived("SCRAM's client key", key)
		s.derived("SCRAM's stored key", stored[:])
		s.derived("SCRAM's server key", serverKey)
	}
	s.state = scramChallenged
	return fmt.Appendf(final, ",p=%s", base64.StdEncoding.EncodeToString(proof)), nil
}

// readChallenge reads r=nonce,s=salt,i=iterations, and refuses what follows: no extension is known, and mandatory ones ("m=")
// come first.
func (s *scram) readChallenge(message []byte) (nonce, salt []byte, iterations int, err error) {
	malformed := errors.New("the server's challenge is malformed")
	parts := bytes.SplitN(message, []byte(","), 4)
	if len(parts) < 3 {
		return nil, nil, 0, malformed
	}
	nonce, ok1 := bytes.CutPrefix(parts[0], []byte("r="))
	salt64, ok2 := bytes.CutPrefix(parts[1], []byte("s="))
	count, ok3 := bytes.CutPrefix(parts[2], []byte("i="))
	if !ok1 || !ok2 || !ok3 {
		return nil, nil, 0, malformed
	}
	switch {
	case !bytes.HasPrefix(nonce, s.nonce):
		return nil, nil, 0, errors.New("the server's nonce does not begin with the gateway's: the message belongs to another login")
	case len(nonce) == len(s.nonce):
		return nil, nil, 0, errors.New("the server adds nothing to the nonce")
	case len(nonce) > mostNonce || !printable(nonce):
		return nil, nil, 0, malformed
	}
	salt, err = base64.StdEncoding.Strict().DecodeString(string(salt64))
	if err != nil || len(salt) == 0 || len(salt) > mostSalt {
		return nil, nil, 0, errors.New("the server's salt is malformed")
	}
	iterations, err = strconv.Atoi(string(count))
	switch {
	case err != nil || count[0] == '+' || count[0] == '0':
		return nil, nil, 0, malformed
	case iterations < leastIterations:
		return nil, nil, 0, fmt.Errorf("the server wants %d iterations, which makes the password easy to guess from the answer; the least is %d: set the password anew on the server with more", iterations, leastIterations)
	case iterations > mostIterations:
		return nil, nil, 0, fmt.Errorf("the server wants %d iterations; the most is %d", iterations, mostIterations)
	}
	return nonce, salt, iterations, nil
}

// printable says that all of b may stand in a nonce: printable ASCII without commas.
func printable(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < 0x21 || c > 0x7e || c == ',' })
}

// verify checks the server-final-message: that the server knows the password too, or a hash of it.
func (s *scram) verify(serverFinal []byte) error {
	if s.state != scramChallenged {
		return errors.New("SCRAM: the server ends the login before it was answered")
	}
	s.state = scramDone
	if bytes.HasPrefix(serverFinal, []byte("e=")) {
		return errors.New("SCRAM: the server refuses the login")
	}
	signature64, ok := bytes.CutPrefix(serverFinal, []byte("v="))
	if !ok {
		return errors.New("SCRAM: the server's last message is malformed")
	}
	signature64, _, _ = bytes.Cut(signature64, []byte(","))
	signature, err := base64.StdEncoding.Strict().DecodeString(string(signature64))
	if err != nil || !hmac.Equal(signature, s.signature) {
		return errors.New("SCRAM: the server does not know the password; it may not be the server")
	}
	s.verified = true
	return nil
}

// salt256 is Hi of RFC 5802, which is PBKDF2 with HMAC-SHA-256 and one block. The standard library's takes the password as a
// string, which could not be wiped.
func salt256(password, salt []byte, iterations int) []byte {
	h := hmac.New(sha256.New, password)
	u := sum(h, salt, binary.BigEndian.AppendUint32(nil, 1))
	out := slices.Clone(u)
	for range iterations - 1 {
		h.Reset()
		h.Write(u)
		u = h.Sum(u[:0])
		subtle.XORBytes(out, out, u)
	}
	clear(u)
	return out
}

func mac(key []byte, message []byte) []byte { return sum(hmac.New(sha256.New, key), message) }

func sum(h hash.Hash, parts ...[]byte) []byte {
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
