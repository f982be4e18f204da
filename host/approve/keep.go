package approve

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
)

// Where the store has them. A grant's key is grantPrefix, the hash of peer and digest, /, and the hold that it came from.
const (
	holdPrefix  = "holds/"
	grantPrefix = "grants/"
)

// maxNeedsText bounds the names and reasons of all needs of a hold, in bytes.
const maxNeedsText = 32 << 10

// keptVersion is the first byte of what is stored.
const keptVersion = 1

func holdKey(id string) string { return holdPrefix + id }

// write puts a hold into the store.
func (b *Book) write(ctx context.Context, s *Status, ttl time.Duration) error {
	value, err := encodeStatus(s)
	if err != nil {
		return err
	}
	_, err = b.store.Put(ctx, holdKey(s.ID), value, state.Any, ttl)
	return err
}

// encodeStatus is: u8 version | bytes JSON of the status without its fields | u32 count | count times: bytes name, bytes text. bytes are
// a u32 length, big endian, and themselves. The fields are not in the JSON because it cannot hold what is not UTF-8.
func encodeStatus(s *Status) ([]byte, error) {
	head := *s
	head.Fields = nil
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(&head); err != nil {
		return nil, fmt.Errorf("hold %s: %w", s.ID, err)
	}
	b := append(make([]byte, 0, 16+text.Len()+textOf(s.Fields)+8*len(s.Fields)), keptVersion)
	b = appendString(b, text.String())
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.Fields)))
	for _, f := range s.Fields {
		b = appendString(appendString(b, f.Name), f.Text)
	}
	return b, nil
}

var errDamaged = errors.New("damaged")

// decodeStatus reads what encodeStatus wrote, and nothing that the book could not have written.
func decodeStatus(id string, b []byte) (*Status, error) {
	if len(b) == 0 || b[0] != keptVersion {
		return nil, fmt.Errorf("%w: not of version %d", errDamaged, keptVersion)
	}
	r := reader{b: b[1:]}
	head := r.str()
	s := &Status{}
	d := json.NewDecoder(bytes.NewReader([]byte(head)))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil || r.bad {
		return nil, fmt.Errorf("%w: %v", errDamaged, err)
	}
	s.Fields = nil
	for n := r.u32(); n > 0 && !r.bad; n-- {
		s.Fields = append(s.Fields, Field{Name: r.str(), Text: r.str()})
	}
	if r.bad || len(r.b) > 0 {
		return nil, fmt.Errorf("%w: its fields", errDamaged)
	}
	return s, s.sound(id)
}

// sound reports a status that cannot be.
func (s *Status) sound(id string) error {
	digest, err := hex.DecodeString(s.Digest)
	switch {
	case s.ID != id, !s.State.Valid(), s.Peer == "", err != nil, len(digest) != len(Digest{}), len(s.Needs) == 0, len(s.Needs) > MaxNeeds,
		len(s.Votes) > MaxVotes, textOf(s.Fields) > MaxText, s.Opened.IsZero(), s.Deadline.Before(s.Opened),
		(s.State == Pending) != (s.Ending.Outcome == ""), s.State != Pending && s.Ending.Outcome != s.State, !s.Grantable && !s.Late.IsZero():
		return fmt.Errorf("%w: it says what cannot be", errDamaged)
	}
	for i := range s.Needs {
		if n := &s.Needs[i]; n.Approvals < 1 || n.Approvals > MaxVotes {
			return fmt.Errorf("%w: rule %.40q wants %d approvals", errDamaged, n.Rule, n.Approvals)
		}
	}
	return nil
}

// reader takes bytes apart.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) u32() uint32 {
	if len(r.b) < 4 {
		r.b, r.bad = nil, true
		return 0
	}
	n := binary.BigEndian.Uint32(r.b)
	r.b = r.b[4:]
	return n
}

func (r *reader) str() string {
	n := r.u32()
	if uint64(n) > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// load reads the holds of an earlier run. Those that were open expire.
func (b *Book) load(ctx context.Context) error {
	entries, err := b.store.List(ctx, holdPrefix)
	if err != nil {
		return err
	}
	for _, e := range entries {
		s, err := decodeStatus(e.Key[len(holdPrefix):], e.Value)
		if err != nil {
			b.log.Error("a stored hold cannot be read; it is removed, and nothing of it will execute", "key", e.Key, "error", err)
			if err := b.store.Delete(ctx, e.Key, e.Revision); err != nil {
				return err
			}
			continue
		}
		if err := b.revive(s, e.Expires); err != nil {
			return err
		}
	}
	return nil
}

// revive enters a hold of an earlier run.
func (b *Book) revive(s *Status, expires time.Time) error {
	h := b.holdOf(*s)
	b.mu.Lock()
	b.holds[s.ID] = h
	b.texts += h.text
	if s.State == Pending {
		b.peer(s.Peer).open++
		b.open++
		h.claimed = true
		h.status.Votes = nil
	} else {
		close(h.done)
		p := b.peer(s.Peer)
		p.ended = append(p.ended, h)
		h.timer = time.AfterFunc(max(0, time.Until(expires)), h.forget)
	}
	b.mu.Unlock()
	if s.State != Pending {
		return nil
	}
	return b.conclude(h, Ending{Outcome: Expired, Reason: "the gateway was started anew while it waited"}, nil)
}
