package secret

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Wanted knows what must not be in the memory of a guest: every secret that a [Store] has resolved, and what was derived from it since
// (SCRAM's keys, SigV4's chain of keys, the pair of basic authentication, the numbers of a private key), each as it is, reversed, in base64 at any
// offset, in hex and URL-encoded. It is for tests, which have the memory of every guest searched, and keeps values for good. A nil Wanted does nothing.
type Wanted struct {
	mu    sync.RWMutex
	seen  map[string]bool
	words map[uint32][]word
	maybe [1 << 12]uint64 // a bit for each hash of a key of words, so that most of a memory costs one look
}

// word is one thing to look for. Its own bytes from at on are the key under which it is kept.
type word struct {
	what string
	text []byte
	at   int
}

const (
	leastCanary = 8 // bytes; what is shorter is found by chance
	stride      = 4 // bytes; a search looks at one place in so many, so each word is kept under that many keys
)

// NewWanted makes an empty set.
func NewWanted() *Wanted {
	return &Wanted{seen: map[string]bool{}, words: map[uint32][]word{}}
}

// add adds a value in all its guises. what says whose it is, and never holds it.
func (c *Wanted) add(what string, value []byte) {
	if c == nil || len(value) < leastCanary {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[string(value)] {
		return
	}
	c.seen[string(value)] = true
	put := func(how string, text []byte) {
		if len(text) < leastCanary || c.seen[how+string(text)] {
			return
		}
		c.seen[how+string(text)] = true
		for at := range stride {
			key := binary.LittleEndian.Uint32(text[at:])
			c.words[key] = append(c.words[key], word{what + ", " + how, text, at})
			c.maybe[spread(key)>>6] |= 1 << (spread(key) & 63)
		}
	}
	put("as it is", bytes.Clone(value))
	back := bytes.Clone(value)
	slices.Reverse(back)
	put("reversed", back)
	put("in hex", []byte(hex.EncodeToString(value)))
	put("in capital hex", []byte(strings.ToUpper(hex.EncodeToString(value))))
	if q := url.QueryEscape(string(value)); q != string(value) {
		put("URL-encoded", []byte(q))
	}
	if q := url.PathEscape(string(value)); q != string(value) {
		put("URL-encoded in a path", []byte(q))
	}
	for offset := range 3 {
		// Only the characters that depend on nothing but the value.
		from, n := (offset*8+5)/6, (offset+len(value))*8/6
		padded := append(make([]byte, offset), value...)
		put("in base64", []byte(base64.RawStdEncoding.EncodeToString(padded)[from:n]))
		put("in base64 for URLs", []byte(base64.RawURLEncoding.EncodeToString(padded)[from:n]))
	}
}

// secret adds a secret's value; a text of several lines, such as a private key, also by its lines.
func (c *Wanted) secret(s Secret) {
	if c == nil {
		return
	}
	value := s.Reveal()
	c.add(s.ref.String(), value)
	lines := bytes.Split(value, []byte("\n"))
	for k := range lines {
		// The first 70 bytes of a key in OpenSSH's form say only what it is: they are the same for all.
		if len(lines) > 1 && k > 1 && len(lines[k]) >= 32 && !bytes.HasPrefix(lines[k], []byte("-----")) {
			c.add(fmt.Sprintf("%s, line %d", s.ref, k+1), lines[k])
		}
	}
}

// sshKey adds the numbers of a private key.
func (c *Wanted) sshKey(r Reference, text, passphrase []byte) {
	if c == nil {
		return
	}
	key, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		key, err = ssh.ParseRawPrivateKeyWithPassphrase(text, passphrase)
	}
	if err != nil {
		return
	}
	what := r.String() + ", the private number"
	switch k := key.(type) {
	case *ed25519.PrivateKey:
		c.add(what, k.Seed())
	case *rsa.PrivateKey:
		c.add(what, k.D.Bytes())
		for _, p := range k.Primes {
			c.add(what, p.Bytes())
		}
	case interface{ Bytes() ([]byte, error) }: // ECDSA
		if b, err := k.Bytes(); err == nil {
			c.add(what, b)
		}
	}
}

// sigV4 adds the chain of keys that a day's signatures are made with.
func (c *Wanted) sigV4(r Reference, key []byte, day, region, service string) {
	if c == nil {
		return
	}
	chain := append([]byte("AWS4"), key...)
	for _, step := range []string{day, region, service, "aws4_request"} {
		chain = mac(chain, []byte(step))
		c.add(r.String()+", SigV4's key of "+step, chain)
	}
}

func spread(key uint32) uint32 { return key * 0x9E3779B1 >> 14 }

// Search says what of it is in memory; empty: nothing. What it says holds no part of a value.
func (c *Wanted) Search(memory []byte) string {
	if c == nil {
		return ""
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for at := 0; at+4 <= len(memory); at += stride {
		key := binary.LittleEndian.Uint32(memory[at:])
		if h := spread(key); c.maybe[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for _, w := range c.words[key] {
			if from := at - w.at; from >= 0 && bytes.HasPrefix(memory[from:], w.text) {
				return w.what
			}
		}
	}
	return ""
}
