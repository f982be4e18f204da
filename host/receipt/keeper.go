package receipt

import (
	"fmt"
	"time"
)

// keeper does what takes longer than an append: it syncs, signs, begins new files and removes old ones, until the log is closed. It
// is the only one that exchanges the file.
func (l *Log) keeper() {
	tick := time.NewTicker(l.options.CheckpointEvery)
	defer tick.Stop()
	l.retain()
	var due <-chan time.Time // of the next sync
	for {
		select {
		case <-l.stop:
			return
		case <-l.dirty:
			if due == nil {
				due = time.After(l.options.SyncEvery)
			}
		case <-due:
			due = nil
			l.syncOrBreak()
		case <-l.full:
			l.renew()
		case <-tick.C:
			l.checkpoint()
			if l.expired() {
				l.renew()
			}
			l.retain()
		}
	}
}

// laggard writes what Later has appended and no Append has taken along.
func (l *Log) laggard() {
	for {
		select {
		case <-l.stop:
			return
		case <-l.late:
		}
		select {
		case <-l.stop:
			return
		case <-time.After(l.options.LaterEvery):
		}
		l.mu.Lock()
		for len(l.pending) > 0 && l.broken == nil && !l.closed {
			l.advance()
		}
		l.mu.Unlock()
	}
}

// syncOrBreak syncs, and ends the log when that fails.
func (l *Log) syncOrBreak() bool {
	err := l.sync()
	if err != nil {
		l.mu.Lock()
		if l.broken == nil {
			l.breakDown(new(batch), err)
		}
		l.wake.Broadcast()
		l.mu.Unlock()
	}
	return err == nil
}

// sync makes the disk hold what has been written, and looks whether the file is still where people will look for it. The anchors
// are told of the checkpoints that the disk now has.
func (l *Log) sync() error {
	l.mu.Lock()
	f, signed := l.file, l.signed
	l.signed, l.unsynced = nil, false
	l.mu.Unlock()
	if err := l.force(f); err != nil {
		return err
	}
	for _, s := range signed {
		for _, a := range l.anchors {
			a.add(s)
		}
	}
	return nil
}

// force is sync without anchors.
func (l *Log) force(f file) error {
	if err := f.Sync(); err != nil {
		return fmt.Errorf("receipts: sync %s: %w; restart the gateway when the disk is sound", l.path, err)
	}
	return l.inPlace(f)
}

// checkpoint signs what was appended since the last one.
func (l *Log) checkpoint() {
	l.mu.Lock()
	var err error
	if !l.closed && l.sign() {
		err = l.flush()
	}
	l.mu.Unlock()
	if err == nil {
		l.syncOrBreak()
	}
}
