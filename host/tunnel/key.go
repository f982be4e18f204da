package tunnel

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// Key is a WireGuard key, private or public: 32 bytes of Curve25519. The zero Key is not valid in a configuration. The text of a
// private key is as secret as the key: String is for key files, not for logs.
type Key [32]byte

// NewPrivateKey makes a private key from the system's random source.
func NewPrivateKey() Key {
	var k Key
	rand.Read(k[:]) // never fails: crypto/rand ends the process instead
	// The clamping of RFC 7748 section 5; done here too because "wg" prints clamped keys.
	k[0] &= 248
	k[31] = k[31]&127 | 64
	return k
}

// ParseKey reads the base64 form that the wg command prints: 44 characters. Its errors do not repeat the text, which may be a secret.
func ParseKey(text string) (Key, error) {
	var k Key
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return k, errors.New("WireGuard key: not base64; it should be the 44 characters that \"wg genkey\" or \"wg pubkey\" print")
	}
	if len(b) != len(k) {
		return k, fmt.Errorf("WireGuard key: %d bytes instead of 32; it should be the 44 characters that \"wg genkey\" or \"wg pubkey\" print", len(b))
	}
	copy(k[:], b)
	return k, nil
}

// String returns the base64 form, which ParseKey reads.
func (k Key) String() string { return base64.StdEncoding.EncodeToString(k[:]) }

// IsZero reports whether k was never set.
func (k Key) IsZero() bool { return k == Key{} }

// Public returns the public key that belongs to the private key k.
func (k Key) Public() Key {
	private, err := ecdh.X25519().NewPrivateKey(k[:])
	if err != nil { // only for a wrong length, which the type rules out
		panic("tunnel: " + err.Error())
	}
	return Key(private.PublicKey().Bytes())
}

// hex returns the form that WireGuard's configuration protocol uses.
func (k Key) hex() string { return hex.EncodeToString(k[:]) }
