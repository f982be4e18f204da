package callback

import (
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

// maxSeen is how many messages of one sender are remembered at a time, those of the last ten minutes at the most.
const maxSeen = 10000

// errFull: so many messages came that more could not be told from repeated ones.
var errFull = errors.New("too many messages in a few minutes")

// seen remembers messages for as long as their timestamps would let them through again.
type seen struct {
	mu      sync.Mutex
	senders map[string]map[[32]byte]time.Time // until when each is remembered
}

// first remembers a message of a sender until a time, and reports whether it was not known. When there is no room it is refused:
// forgetting another one would let that one through again.
func (s *seen) first(sender, id string, now, until time.Time) (bool, error) {
	key := sha256.Sum256([]byte(id))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.senders == nil {
		s.senders = map[string]map[[32]byte]time.Time{}
	}
	of := s.senders[sender]
	if of == nil {
		of = map[[32]byte]time.Time{}
		s.senders[sender] = of
	}
	if end, ok := of[key]; ok && !now.After(end) {
		return false, nil
	}
	if len(of) >= maxSeen {
		for k, end := range of {
			if now.After(end) {
				delete(of, k)
			}
		}
		if len(of) >= maxSeen {
			return false, errFull
		}
	}
	of[key] = until
	return true, nil
}

// forget takes a message back that could not be dealt with, so that its sender can try again.
func (s *seen) forget(sender, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.senders[sender], sha256.Sum256([]byte(id)))
}
