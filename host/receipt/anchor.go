package receipt

import (
	"context"
	"sync"
	"time"
)

// Anchor keeps checkpoints elsewhere, where whoever can change the receipts cannot. Package anchor has a file and a webhook.
type Anchor interface {
	// Name is what logs and records call it.
	Name() string
	// Keep stores the line of a checkpoint. It is called again after an error.
	Keep(ctx context.Context, s Signed) error
}

// Signed is a checkpoint: its number, its id, and its line without the newline.
type Signed struct {
	Seq  uint64
	ID   string
	Line string
}

const (
	// maxWaiting bounds the checkpoints that wait for an anchor. The newest ones count, because each covers all before it.
	maxWaiting = 256
	// anchorPause is the first pause after a failure, maxPause the longest, and keepTimeout what one attempt may take.
	anchorPause = time.Second
	maxPause    = 5 * time.Minute
	keepTimeout = 30 * time.Second
	// lastChance is the default of what Close gives to the anchors.
	lastChance = 5 * time.Second
)

// anchoring brings checkpoints to one anchor.
type anchoring struct {
	anchor Anchor
	log    *Log
	more   chan struct{} // capacity 1
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	waiting []Signed
	stopped bool
}

func (l *Log) startAnchor(a Anchor) *anchoring {
	ctx, cancel := context.WithCancel(context.Background())
	g := &anchoring{anchor: a, log: l, more: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	go g.run(ctx)
	return g
}

// stopAnchors gives the anchors a last chance and ends them.
func (l *Log) stopAnchors() {
	late := time.AfterFunc(l.options.lastChance, func() {
		for _, a := range l.anchors {
			a.cancel()
		}
	})
	for _, a := range l.anchors {
		a.mu.Lock()
		a.stopped = true
		a.mu.Unlock()
		nudge(a.more)
	}
	for _, a := range l.anchors {
		<-a.done
	}
	late.Stop()
}

func (a *anchoring) add(l Signed) {
	a.mu.Lock()
	if len(a.waiting) == maxWaiting {
		a.waiting = append(a.waiting[:0], a.waiting[1:]...)
	}
	a.waiting = append(a.waiting, l)
	a.mu.Unlock()
	nudge(a.more)
}

// first is the line to bring next; ok is false when there is none, and last that there will be none.
func (a *anchoring) first() (l Signed, ok, last bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) > 0 {
		return a.waiting[0], true, a.stopped
	}
	return Signed{}, false, a.stopped
}

func (a *anchoring) kept(l Signed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) > 0 && a.waiting[0].Seq == l.Seq {
		a.waiting = append(a.waiting[:0], a.waiting[1:]...)
	}
}

func (a *anchoring) run(ctx context.Context) {
	defer close(a.done)
	defer a.cancel()
	failing, pause := false, time.Duration(0)
	for {
		l, ok, last := a.first()
		switch {
		case !ok && last:
			return
		case !ok:
			<-a.more
			continue
		}
		attempt, cancel := context.WithTimeout(ctx, keepTimeout)
		err := a.anchor.Keep(attempt, l)
		cancel()
		if err == nil {
			a.kept(l)
			if failing {
				a.log.options.Logger.Info("checkpoints are anchored again", "anchor", a.anchor.Name())
				a.tell("works again")
			}
			failing, pause = false, 0
			continue
		}
		if !failing {
			a.log.options.Logger.Error("checkpoints cannot be anchored; traffic goes on, and it is tried again", "anchor", a.anchor.Name(), "error", err)
			a.tell("fails: " + err.Error())
		}
		failing, pause = true, min(max(2*pause, anchorPause), maxPause)
		if !a.wait(ctx, pause) {
			return
		}
	}
}

// wait lets time pass; false when the log is closed, and what waits is given up.
func (a *anchoring) wait(ctx context.Context, pause time.Duration) bool {
	t := time.NewTimer(pause)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-t.C:
			return true
		case <-a.more:
			if _, _, last := a.first(); last {
				return a.finalPause(ctx)
			}
		}
	}
}

// finalPause is the pause between attempts while the log closes.
func (a *anchoring) finalPause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(100 * time.Millisecond):
		return true
	}
}

// tell puts it on record. A record that is lost on the way is no loss to traffic.
func (a *anchoring) tell(how string) {
	if err := a.log.Later(&Record{Kind: Anchored, Target: a.anchor.Name(), Reason: how}); err != nil {
		a.log.options.Logger.Warn("that an anchor "+how+" cannot be recorded", "error", err)
	}
}
