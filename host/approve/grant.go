package approve

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
)

// Grant is an approval that outlives its connection: one peer may do one action again.
type Grant struct {
	// Hold is the hold that it came from; Receipt is the record of its approval.
	Hold    string `json:"hold"`
	Receipt string `json:"receipt,omitempty"`
	Peer    string `json:"peer"`
	Digest  string `json:"digest"`
	// Endpoint and Title are for people.
	Endpoint string `json:"endpoint,omitempty"`
	Title    string `json:"title,omitempty"`
	// By are who approved.
	By []string `json:"by,omitempty"`
	// Uses is how many are granted in all, 0: any number until then. Used is how many were, that of Take included.
	Uses  int       `json:"uses"`
	Used  int       `json:"used"`
	Until time.Time `json:"until"`
}

// granted is the grant that a hold's approvals make; nobody waits says that without one they would come to nothing. Nil is none.
func (b *Book) granted(s *Status, nobody bool) *Grant {
	if !s.Grantable {
		return nil
	}
	b.mu.Lock()
	most := b.settings.GrantFor
	b.mu.Unlock()
	g := &Grant{Hold: s.ID, Peer: s.Peer, Digest: s.Digest, Endpoint: s.Endpoint, Title: s.Title}
	once := false // somebody approved this action and no other
	life := MaxGrantFor
	for i := range s.Votes {
		c := &s.Votes[i]
		if !c.Approve {
			continue
		}
		d := time.Duration(c.GrantSeconds) * time.Second
		if d == 0 {
			d = most
		}
		life = min(life, d)
		once = once || c.GrantUses == 0 && c.GrantSeconds == 0
		if c.GrantUses > 0 && (g.Uses == 0 || c.GrantUses < g.Uses) {
			g.Uses = c.GrantUses
		}
	}
	if once {
		g.Uses = 1
	}
	if once && !nobody {
		return nil
	}
	g.Until = time.Now().Add(life).Round(0).UTC()
	return g
}

// grantsOf is the prefix of the keys of the grants for a digest.
func grantsOf(peer, digest string) string {
	sum := sha256.Sum256(appendString(appendString(nil, peer), digest))
	return grantPrefix + hex.EncodeToString(sum[:]) + "/"
}

func grantKey(g *Grant) string { return grantsOf(g.Peer, g.Digest) + g.Hold }

func (b *Book) putGrant(ctx context.Context, g *Grant) error {
	value, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("grant: %w", err)
	}
	if _, err := b.store.Put(ctx, grantKey(g), value, state.Any, time.Until(g.Until)); err != nil {
		return fmt.Errorf("grant: %w", err)
	}
	return nil
}

// Take uses a grant for this peer and digest, if there is one: the one that ends first. The use is counted on disk, then record is called
// and returns the receipt's id, then Take returns. An error of record costs the use; nothing may be let through then. ok says
// whether there was a grant and it is used and on record.
func (b *Book) Take(ctx context.Context, peer string, d Digest, record func(g *Grant) (receipt string, err error)) (g *Grant, receipt string, ok bool, err error) {
	if err := b.enter(); err != nil {
		return nil, "", false, err
	}
	defer b.leave()
	g, err = b.use(ctx, peer, d.String())
	if g == nil || err != nil {
		return nil, "", false, err
	}
	receipt, err = record(g)
	if err != nil {
		return nil, "", false, fmt.Errorf("the use of a grant cannot be recorded: %w", err)
	}
	return g, receipt, true, nil
}

// use counts a use on disk; nil: there is no grant.
func (b *Book) use(ctx context.Context, peer, digest string) (*Grant, error) {
	for {
		entries, err := b.store.List(ctx, grantsOf(peer, digest))
		if err != nil {
			return nil, fmt.Errorf("grants: %w", err)
		}
		g, revision := b.first(entries, peer, digest)
		if g == nil {
			return nil, nil
		}
		err = b.spend(ctx, g, revision)
		if errors.Is(err, state.ErrConflict) || errors.Is(err, state.ErrNotFound) {
			continue // somebody else has used it: that is progress
		}
		if err != nil {
			return nil, fmt.Errorf("grant: %w", err)
		}
		return g, nil
	}
}

// first is the grant that ends first.
func (b *Book) first(entries []state.Entry, peer, digest string) (best *Grant, revision int64) {
	for _, e := range entries {
		g, err := decodeGrant(e.Key, e.Value)
		if err != nil {
			b.log.Error("a stored grant cannot be read; it grants nothing", "key", e.Key, "error", err)
			continue
		}
		if g.Peer != peer || g.Digest != digest || !time.Now().Before(g.Until) {
			continue
		}
		if best == nil || g.Until.Before(best.Until) {
			best, revision = g, e.Revision
		}
	}
	return best, revision
}

// spend counts one use, if nobody else has changed the grant since revision.
func (b *Book) spend(ctx context.Context, g *Grant, revision int64) error {
	g.Used++
	if g.Uses > 0 && g.Used >= g.Uses {
		return b.store.Delete(ctx, grantKey(g), revision)
	}
	value, err := json.Marshal(g)
	if err != nil {
		return err
	}
	ttl := time.Until(g.Until)
	if ttl <= 0 {
		return fmt.Errorf("%s: %w", g.Hold, state.ErrNotFound)
	}
	_, err = b.store.Put(ctx, grantKey(g), value, revision, ttl)
	return err
}

// decodeGrant reads a stored grant, and nothing that the book could not have written.
func decodeGrant(key string, value []byte) (*Grant, error) {
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	g := &Grant{}
	if err := d.Decode(g); err != nil {
		return nil, fmt.Errorf("%w: %v", errDamaged, err)
	}
	if digest, err := hex.DecodeString(g.Digest); err != nil || len(digest) != len(Digest{}) || grantKey(g) != key ||
		g.Uses < 0 || g.Uses > MaxGrantUses || g.Used < 0 || g.Uses > 0 && g.Used >= g.Uses || g.Until.IsZero() {
		return nil, fmt.Errorf("%w: it says what cannot be", errDamaged)
	}
	return g, nil
}

// Grants returns what can still be used, by when it ends.
func (b *Book) Grants(ctx context.Context) ([]Grant, error) {
	if err := b.enter(); err != nil {
		return nil, err
	}
	defer b.leave()
	entries, err := b.store.List(ctx, grantPrefix)
	if err != nil {
		return nil, fmt.Errorf("grants: %w", err)
	}
	var out []Grant
	for _, e := range entries {
		if g, err := decodeGrant(e.Key, e.Value); err == nil && time.Now().Before(g.Until) {
			out = append(out, *g)
		}
	}
	slices.SortFunc(out, func(x, y Grant) int { return x.Until.Compare(y.Until) })
	return out, nil
}
