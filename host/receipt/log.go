package receipt

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Errors that a caller may want to tell apart.
var (
	// ErrLocked means that another process appends to the log.
	ErrLocked = errors.New("another gateway writes to it")
	// ErrClosed means that the log was closed.
	ErrClosed = errors.New("receipts: the log is closed")
	// ErrLost means that a record was added and did not get into the file.
	ErrLost = errors.New("receipts: a record could not be written, and is lost")
	// ErrTooLong means that a record would not fit in MaxLine.
	ErrTooLong = fmt.Errorf("receipts: a record of more than %d bytes", MaxLine)
)

// Log appends to one file, and begins new ones. It is safe for concurrent use.
type Log struct {
	options Options
	path    string
	lock    *os.File
	key     ed25519.PrivateKey // nil: no checkpoints
	keyID   string
	dirty   chan struct{} // capacity 1: something is written and not synced
	late    chan struct{} // capacity 1: something is pending that nobody waits for
	full    chan struct{} // capacity 1: the file is to be rotated
	stop    chan struct{}
	stopped sync.WaitGroup
	anchors []*anchoring

	mu      sync.Mutex
	wake    sync.Cond // a batch is done, or the log has changed its state
	file    file
	encoder encoder
	// next is the end of the chain, what waits in pending included; written is the end of what the file holds.
	next, written tip
	// pending are the lines of batch, which the next write takes; spare is a buffer to collect in meanwhile.
	pending, spare []byte
	batch          *batch
	idle           *batch   // to be used again
	signed         []Signed // checkpoints that are written, and may be anchored when they are synced
	writing        bool     // somebody uses the file
	under          *batch   // what is being written, up to underEnd
	underEnd       uint64
	losses         uint64 // how often lines that were added did not get into the file
	failing        bool   // the last write did not succeed
	switching      bool   // a new file is being begun: nothing may be added
	rotating       bool   // a rotation is asked for
	unsynced       bool   // the keeper was told that something is written and not synced
	began          uint64 // the number of the file's first record
	born           time.Time
	closed         bool
	broken         error
}

// tip is the end of a chain.
type tip struct {
	seq      uint64 // of the next record
	prev     [hashSize]byte
	offset   int64
	unsigned int // records since the last checkpoint
}

// batch is what one write takes.
type batch struct {
	done    bool
	err     error
	waiters int
	ready   sync.Cond // done, or somebody is needed to write it
	signed  []Signed  // the checkpoints in it
}

func (l *Log) newBatch() *batch {
	b := l.idle
	if l.idle = nil; b == nil {
		b = &batch{ready: sync.Cond{L: &l.mu}}
	}
	return b
}

// file is what the log needs of *os.File.
type file interface {
	Write([]byte) (int, error)
	Truncate(int64) error
	Sync() error
	Close() error
}

// Open opens or creates the log at path, with its folder, and takes its lock. A last line that a crash left incomplete is
// moved to a file beside it, named in a record of kind torn. A last line that does not match its hash is an error.
func Open(path string, o Options) (*Log, error) {
	o.defaults()
	lock, err := lockFor(path)
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	f, err := openLocked(path)
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", errors.Join(err, lock.Close()))
	}
	l := &Log{options: o, path: path, lock: lock, dirty: make(chan struct{}, 1), late: make(chan struct{}, 1), full: make(chan struct{}, 1),
		stop: make(chan struct{}), file: o.wrap(f), encoder: encoder{maxField: o.MaxField, text: o.Text}}
	l.wake.L = &l.mu
	l.batch = l.newBatch()
	if err := l.start(f); err != nil {
		return nil, errors.Join(fmt.Errorf("receipts: %w", err), f.Close(), lock.Close())
	}
	for _, a := range o.Anchors {
		l.anchors = append(l.anchors, l.startAnchor(a))
	}
	l.stopped.Go(l.keeper)
	l.stopped.Go(l.laggard)
	return l, nil
}

// start finds the end of the chain and makes the file one that can be appended to.
func (l *Log) start(f *os.File) error {
	if err := l.loadKey(); err != nil {
		return err
	}
	e, err := findEnd(f, l.path)
	if err != nil {
		return err
	}
	genesis := Record{Kind: Genesis, Detail: format}
	if e.tag == "" {
		if err := l.after(e, &genesis); err != nil {
			return err
		}
	}
	l.encoder.tag, l.born, l.began = e.tag, e.born, e.seq
	if e.offset > 0 {
		if first := firstRecord(f); first <= e.seq {
			l.began = first
		}
	}
	l.next, l.written = e.tip, e.tip
	if e.offset == 0 {
		if err := syncFolder(l.path); err != nil {
			return err
		}
		if _, err := l.append(&genesis); err != nil {
			return err
		}
		l.born = time.Now()
	}
	if e.torn != nil {
		l.options.Logger.Warn("the last receipt was incomplete and was set aside", "file", l.path, "bytes", e.torn.size, "saved", e.torn.saved)
		if _, err := l.append(&Record{Kind: Torn, Reason: "the last line was incomplete and was set aside", Pairs: e.torn.pairs()}); err != nil {
			return err
		}
	}
	if l.key != nil && e.seq > 0 && !e.signed {
		l.mu.Lock()
		l.sign()
		err := l.flush()
		l.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return l.force(l.file) // the anchors, which have not begun, are told with the keeper's first sync
}

// Path is the file.
func (l *Log) Path() string { return l.path }

// Append writes one record and returns its id. It returns when the record is as durable as the options ask. On an error
// nothing of the record is in the file, and whatever it was to permit must not happen.
func (l *Log) Append(r *Record) (id string, err error) {
	if r.Kind.own() || r.Kind == "" {
		return "", fmt.Errorf("receipts: a record of kind %q cannot be appended", r.Kind)
	}
	return l.append(r)
}

func (l *Log) append(r *Record) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, err := l.add(r)
	if err != nil {
		return "", err
	}
	if err := l.flush(); err != nil {
		return "", err
	}
	return id, nil
}

// flush returns when the batch in hand is written. The lock is held, but not meanwhile.
func (l *Log) flush() error { return l.wait(l.batch) }

// wait returns when b, which is the batch in hand or under way, is written. The lock is held, but not meanwhile.
func (l *Log) wait(b *batch) error {
	b.waiters++
	for !b.done {
		if l.writing {
			b.ready.Wait()
		} else {
			l.write()
		}
	}
	err := b.err
	if b.waiters--; b.waiters == 0 && l.idle == nil {
		b.done, b.err = false, nil
		clear(b.signed)
		b.signed = b.signed[:0]
		l.idle = b
	}
	return err
}

// Later appends a record that nothing waits for: it is in the file with the next Append, or LaterEvery later. The end of the
// process in between loses it, and so does a disk that fails, which is logged; neither breaks the chain.
func (l *Log) Later(r *Record) error {
	if r.Kind.own() || r.Kind == "" {
		return fmt.Errorf("receipts: a record of kind %q cannot be appended", r.Kind)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.add(r); err != nil {
		return err
	}
	nudge(l.late)
	return nil
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// add puts the line of r behind what is pending. The lock is held.
func (l *Log) add(r *Record) (id string, err error) {
	// What waits for the write under way is bounded.
	for (len(l.pending) > MaxLine || l.switching) && l.broken == nil && !l.closed {
		if l.switching {
			l.wake.Wait()
		} else {
			l.advance()
		}
	}
	if l.closed {
		return "", ErrClosed
	}
	if id, err = l.put(r); err == nil && l.next.unsigned >= MaxUnsigned && l.key != nil {
		l.sign()
	}
	return id, err
}

// put is add without waiting.
func (l *Log) put(r *Record) (id string, err error) {
	if l.broken != nil {
		return "", l.broken
	}
	begin := len(l.pending)
	line, id, hash := l.encoder.line(l.pending, r, &l.next)
	size := len(line) - begin
	if size > MaxLine {
		l.pending = line[:begin]
		return "", ErrTooLong
	}
	l.pending = line
	l.next = tip{l.next.seq + 1, hash, l.next.offset + int64(size), l.next.unsigned + 1}
	return id, nil
}

// advance writes what is pending, or waits for the write under way. The lock is held, but not meanwhile.
func (l *Log) advance() {
	if l.writing {
		l.wake.Wait()
	} else {
		l.write()
	}
}

// write writes what is pending, for everybody who waits for it. It gives the lock up meanwhile.
func (l *Log) write() {
	b, lines, end, f := l.batch, l.pending, l.next, l.file
	l.batch, l.pending, l.writing = l.newBatch(), l.spare[:0], true
	l.under, l.underEnd = b, end.seq
	l.mu.Unlock()
	_, err := f.Write(lines)
	var broken error
	if err == nil && l.options.Durability == Synced {
		broken = f.Sync()
	}
	l.mu.Lock()
	l.writing, l.spare, l.under, l.underEnd = false, lines, nil, 0
	l.failing = err != nil || broken != nil
	switch {
	case err != nil:
		l.rollBack(b, fmt.Errorf("receipts: write %s: %w", l.path, err))
	case broken != nil:
		l.breakDown(b, fmt.Errorf("receipts: sync %s: %w; restart the gateway when the disk is sound", l.path, broken))
	default:
		l.took(b, end)
	}
	b.done = true
	b.ready.Broadcast()
	l.batch.ready.Signal() // one of those who came meanwhile writes next
	l.wake.Broadcast()
}

// took notes that a batch is in the file.
func (l *Log) took(b *batch, end tip) {
	l.written = end
	l.signed = append(l.signed, b.signed...)
	if !l.unsynced {
		l.unsynced = true
		nudge(l.dirty)
	}
	if l.options.RotateSize > 0 && end.offset >= l.options.RotateSize && !l.rotating {
		l.rotating = true
		nudge(l.full)
	}
}

// rollBack takes a failed write out of the file and the chain, and with it the lines that wait and are chained to it.
func (l *Log) rollBack(b *batch, err error) {
	l.options.Logger.Error("receipts cannot be written: decisions fail closed", "error", err)
	if cut := l.file.Truncate(l.written.offset); cut != nil {
		l.breakDown(b, fmt.Errorf("%w; and its rest cannot be removed: %w", err, cut))
		return
	}
	b.err = err
	l.dropPending(err)
}

// breakDown ends the log: what the file holds is not known any more.
func (l *Log) breakDown(b *batch, err error) {
	l.options.Logger.Error("the receipts are broken: decisions fail closed until the gateway is restarted", "error", err)
	l.broken, b.err = err, err
	l.dropPending(err)
}

func (l *Log) dropPending(err error) {
	l.losses++
	l.batch.done, l.batch.err = true, err
	l.batch.ready.Broadcast()
	l.batch, l.pending, l.next = l.newBatch(), l.pending[:0], l.written
}

// Close waits for the appends under way, signs and syncs, and gives the lock up. Later appends return ErrClosed. Anchors have a few
// seconds for what they were not told yet.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	for l.switching || l.writing || len(l.pending) > 0 {
		if l.switching {
			l.wake.Wait()
		} else {
			l.advance()
		}
	}
	l.sign()
	for l.writing || len(l.pending) > 0 {
		l.advance()
	}
	l.wake.Broadcast()
	l.mu.Unlock()
	close(l.stop)
	l.stopped.Wait()
	err := l.sync()
	l.stopAnchors()
	return errors.Join(err, l.file.Close(), l.lock.Close())
}
