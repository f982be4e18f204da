//go:build !wasip1

package recording

import "bytes"

// masker finds secrets in a stream that comes in pieces: the algorithm of Knuth, Morris and Pratt for each secret.
type masker struct {
	secrets [][]byte
	fail    [][]int // fail[i][k]: length of the longest border of the first k bytes of secret i
	at      []int   // how many bytes of secret i the stream ends with
	end     uint64  // bytes so far
}

func newMasker(secrets [][]byte) *masker {
	m := &masker{secrets: secrets, at: make([]int, len(secrets))}
	for _, s := range secrets {
		fail := make([]int, len(s)+1)
		for i, k := 1, 0; i < len(s); i++ {
			for k > 0 && s[i] != s[k] {
				k = fail[k]
			}
			if s[i] == s[k] {
				k++
			}
			fail[i+1] = k
		}
		m.fail = append(m.fail, fail)
	}
	return m
}

// next takes a byte and returns the length of the longest secret that ends with it, 0 if none does.
func (m *masker) next(b byte) (found int) {
	m.end++
	for i, s := range m.secrets {
		k := m.at[i]
		for k > 0 && (k == len(s) || s[k] != b) {
			k = m.fail[i][k]
		}
		if s[k] == b {
			k++
		}
		m.at[i] = k
		if k == len(s) {
			found = max(found, k)
		}
	}
	return found
}

// partial is how many of the last bytes may be the beginning of a secret.
func (m *masker) partial() (n int) {
	for i, k := range m.at {
		if k < len(m.secrets[i]) {
			n = max(n, k)
		} else {
			n = max(n, m.fail[i][k])
		}
	}
	return n
}

// reset forgets the beginning of a secret.
func (m *masker) reset() { clear(m.at) }

// maskAll overwrites every occurrence of the secrets in b.
func maskAll(b []byte, secrets [][]byte) (masked bool) {
	for _, s := range secrets {
		for rest := b; ; {
			i := bytes.Index(rest, s)
			if i < 0 {
				break
			}
			for k := range s {
				rest[i+k] = '*'
			}
			rest, masked = rest[i+len(s):], true
		}
	}
	return masked
}
