package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/trial"
)

const (
	// recentReceipts is how many of the newest lines of the record a reload replays.
	recentReceipts = 10_000
	// maxShown bounds the flips that a reload lists.
	maxShown = 200
)

// Unconfirmed says that a reload would let something pass that is held or denied now, or an answer that is looked at now, and waits to be confirmed.
type Unconfirmed struct {
	// Flips are what the configurations do not agree about.
	Flips *trial.Report
	// Loosening is how many recent actions would pass, they or their answers.
	Loosening int
	// Changed says that a confirmation came for another configuration than the one that was shown.
	Changed bool
}

func (u *Unconfirmed) Error() string {
	what := fmt.Sprintf("not reloaded: the new configuration lets pass what the old one holds or denies, or answers that it looks at (recent actions: %d); sallyport reload --confirm takes it up", u.Loosening)
	if u.Changed {
		what += "; this is not the configuration that was shown before, so it was not confirmed"
	}
	return what
}

// confirmed replays recent actions through both configurations, and checks that what flips may.
func (s *server) confirmed(old, next *Assembly, confirm bool) (*trial.Report, error) {
	flips, err := trial.Compare(recent(old), old, next)
	if err != nil {
		return nil, err
	}
	loosening := flips.Loosening()
	flips.Limit(maxShown)
	if loosening == 0 || !old.cfg.Gateway.ConfirmReload && !next.cfg.Gateway.ConfirmReload {
		return flips, nil
	}
	is := next.shape()
	if confirm && s.shown == is {
		return flips, nil
	}
	changed := confirm && s.shown != ""
	s.shown = is
	return nil, &Unconfirmed{Flips: flips, Loosening: loosening, Changed: changed}
}

// recent yields what was decided lately. A line that cannot be read hides nothing else.
func recent(a *Assembly) iter.Seq2[*trial.Action, error] {
	return func(yield func(*trial.Action, error) bool) {
		for action, err := range trial.Receipts(ReceiptsPath(a.cfg), receipt.ReadOptions{Last: recentReceipts, Older: true}) {
			if err != nil {
				a.log.Warn("a receipt cannot be replayed", "error", err)
				continue
			}
			if !yield(action, nil) {
				return
			}
		}
	}
}

// shape is a hash of all that decides, and of who the peers are.
func (a *Assembly) shape() string {
	b, err := json.Marshal([]any{a.policy(), peerContents(a.cfg)})
	if err != nil {
		return "" // what a configuration can hold always marshals
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
