package receipt

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// Durability says what Append waits for.
type Durability uint8

// The durabilities. See the package comment.
const (
	Written Durability = iota
	Synced
)

// Options are the settings of a log. The zero value is good.
type Options struct {
	Durability Durability
	// SyncEvery bounds how long a written record stays unsynced; 0 means one second. Not used with Synced.
	SyncEvery time.Duration
	// LaterEvery bounds how long what Later appends stays unwritten; 0 means 50 milliseconds.
	LaterEvery time.Duration
	// MaxField bounds each field of an action, in bytes; 0 means MaxField, the constant.
	MaxField int
	// Logger hears of a torn line and of failures; nil means none.
	Logger *slog.Logger
	// wrap puts a disk that tests control under the log.
	wrap func(*os.File) file
}

// Errors that a caller may want to tell apart.
var (
	// ErrLocked means that another process appends to the file.
	ErrLocked = errors.New("another gateway writes to it")
	// ErrClosed means that the log was closed.
	ErrClosed = errors.New("receipts: the log is closed")
	// ErrTooLong means that a record would not fit in MaxLine.
	ErrTooLong = fmt.Errorf("receipts: a record of more than %d bytes", MaxLine)
)

// Log appends to one file. It is safe for concurrent use.
type Log struct {
	options Options
	path    string
	dirty   chan struct{} // capacity 1: something is written and not synced
	late    chan struct{} // capacity 1: something is pending that nobody waits for
	stop    chan struct{}
	stopped sync.WaitGroup

	mu      sync.Mutex
	wake    sync.Cond // a batch is done
	file    file
	encoder encoder
	// next is the end of the chain, what waits in pending included; written is the end of what the file holds.
	next, written tip
	// pending are the lines of batch, which the next write takes; spare is a buffer to collect in meanwhile.
	pending, spare []byte
	batch          *batch
	writing        bool
	closed         bool
	broken         error
}

// tip is the end of a chain.
type tip struct {
	seq    uint64 // of the next record
	prev   [hashSize]byte
	offset int64
}

// batch is what one write takes.
type batch struct {
	done bool
	err  error
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
	if o.SyncEvery <= 0 {
		o.SyncEvery = time.Second
	}
	if o.LaterEvery <= 0 {
		o.LaterEvery = 50 * time.Millisecond
	}
	if o.MaxField <= 0 {
		o.MaxField = MaxField
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f, err := openLocked(path)
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	l, err := start(f, path, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("receipts: %w", err), f.Close())
	}
	return l, nil
}

func start(f *os.File, path string, o Options) (*Log, error) {
	end, err := findEnd(f, path)
	if err != nil {
		return nil, err
	}
	if end.tag == "" {
		if end.tag, err = newTag(); err != nil {
			return nil, err
		}
	}
	l := newLog(f, path, o, end.tag, end.tip)
	if o.wrap != nil {
		l.file = o.wrap(f)
	}
	if end.seq == 0 {
		if err = syncFolder(path); err == nil {
			_, err = l.append(&Record{Kind: Genesis, Detail: format})
		}
	}
	if err == nil && end.torn != nil {
		o.Logger.Warn("the last receipt was incomplete and was set aside", "file", path, "bytes", end.torn.size, "saved", end.torn.saved)
		_, err = l.append(&Record{Kind: Torn, Reason: "the last line was incomplete and was set aside", Pairs: end.torn.pairs()})
	}
	if err == nil {
		err = l.sync()
	}
	if err != nil {
		return nil, err
	}
	if o.Durability == Written {
		l.stopped.Go(l.syncer)
	}
	l.stopped.Go(l.laggard)
	return l, nil
}

func newLog(f file, path string, o Options, tag string, end tip) *Log {
	l := &Log{options: o, path: path, dirty: make(chan struct{}, 1), late: make(chan struct{}, 1), stop: make(chan struct{}), file: f, next: end, written: end,
		batch: new(batch), encoder: encoder{tag: tag, maxField: o.MaxField}}
	l.wake.L = &l.mu
	return l
}

func newTag() (string, error) {
	b := make([]byte, 5)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("a random tag: %w", err)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(b))[:5], nil
}

// Path is the file.
func (l *Log) Path() string { return l.path }

// Append writes one record and returns its id. It returns when the record is as durable as the options ask. On an error
// nothing of the record is in the file, and whatever it was to permit must not happen.
func (l *Log) Append(r *Record) (id string, err error) {
	if r.Kind == Genesis || r.Kind == Torn || r.Kind == "" {
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
	b := l.batch
	for !b.done {
		l.advance()
	}
	if b.err != nil {
		return "", b.err
	}
	return id, nil
}

// Later appends a record that nothing waits for: it is in the file with the next Append, or LaterEvery later. The end of the
// process in between loses it, and so does a disk that fails, which is logged; neither breaks the chain.
func (l *Log) Later(r *Record) error {
	if r.Kind == Genesis || r.Kind == Torn || r.Kind == "" {
		return fmt.Errorf("receipts: a record of kind %q cannot be appended", r.Kind)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.add(r); err != nil {
		return err
	}
	select {
	case l.late <- struct{}{}:
	default:
	}
	return nil
}

// add puts the line of r behind what is pending. The lock is held.
func (l *Log) add(r *Record) (id string, err error) {
	// What waits for the write under way is bounded.
	for len(l.pending) > MaxLine && l.broken == nil && !l.closed {
		l.advance()
	}
	switch {
	case l.closed:
		return "", ErrClosed
	case l.broken != nil:
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
	l.next = tip{l.next.seq + 1, hash, l.next.offset + int64(size)}
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

// write writes what is pending, for everybody who waits for it. It gives the lock up meanwhile.
func (l *Log) write() {
	b, lines, end := l.batch, l.pending, l.next
	l.batch, l.pending, l.writing = new(batch), l.spare[:0], true
	l.mu.Unlock()
	_, err := l.file.Write(lines)
	var broken error
	if err == nil && l.options.Durability == Synced {
		broken = l.file.Sync()
	}
	l.mu.Lock()
	l.writing, l.spare = false, lines
	switch {
	case err != nil:
		l.rollBack(b, fmt.Errorf("receipts: write %s: %w", l.path, err))
	case broken != nil:
		l.breakDown(b, fmt.Errorf("receipts: sync %s: %w; restart the gateway when the disk is sound", l.path, broken))
	default:
		l.written = end
		select {
		case l.dirty <- struct{}{}:
		default:
		}
	}
	b.done = true
	l.wake.Broadcast()
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
	*l.batch = batch{true, err}
	l.batch, l.pending, l.next = new(batch), l.pending[:0], l.written
}

// syncer syncs what has been written, until the log is closed.
func (l *Log) syncer() {
	for {
		select {
		case <-l.stop:
			return
		case <-l.dirty:
		}
		select {
		case <-l.stop:
			return
		case <-time.After(l.options.SyncEvery):
		}
		if err := l.sync(); err != nil {
			l.mu.Lock()
			if l.broken == nil {
				l.breakDown(new(batch), err)
			}
			l.wake.Broadcast()
			l.mu.Unlock()
		}
	}
}

// sync makes the disk hold what has been written, and looks whether the file is still where people will look for it.
func (l *Log) sync() error {
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("receipts: sync %s: %w; restart the gateway when the disk is sound", l.path, err)
	}
	return l.inPlace()
}

// Close waits for the appends under way, syncs and gives the lock up. Later appends return ErrClosed.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	for l.writing || len(l.pending) > 0 {
		l.advance()
	}
	l.wake.Broadcast()
	l.mu.Unlock()
	close(l.stop)
	l.stopped.Wait()
	return errors.Join(l.sync(), l.file.Close())
}
