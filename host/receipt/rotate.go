package receipt

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// nextSuffix is of the file that will be the log's own when a new one is begun.
const nextSuffix = ".next"

// expired reports whether the file is too old, or too large after a new one could not be begun.
func (l *Log) expired() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	const idle = 2 // its first record and a checkpoint
	return l.rotating || l.options.RotateAge > 0 && l.written.seq-l.began > idle && time.Since(l.born) >= l.options.RotateAge
}

// renew begins a new file. While it can not, the old one is gone on with, and it is tried again later.
func (l *Log) renew() {
	next, err := openLocked(l.path + nextSuffix)
	if err == nil {
		err = next.Truncate(0) // what an earlier attempt left
	}
	// Most of what is not on the disk yet goes there while appends go on.
	if err == nil && !l.syncOrBreak() {
		err = errors.New("the old one cannot be synced")
	}
	if err == nil {
		err = l.replace(next)
	}
	if err == nil || errors.Is(err, ErrClosed) {
		if err == nil {
			l.retain()
		}
	} else {
		l.options.Logger.Error("a new file of receipts cannot be begun; the old one is gone on with, and it is tried again", "file", l.path, "error", err)
	}
	if err != nil && next != nil {
		if err := errors.Join(next.Close(), os.Remove(next.Name())); err != nil {
			l.options.Logger.Warn("what is left of a new file of receipts cannot be removed", "error", err)
		}
	}
}

// replace makes next the file of the log. Appends wait from when the last one is in the old file until the new one is in place.
func (l *Log) replace(next *os.File) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.broken != nil {
		return ErrClosed
	}
	l.switching = true
	defer func() {
		l.switching = false
		l.wake.Broadcast()
	}()
	l.sign()
	for l.writing || len(l.pending) > 0 {
		l.advance()
	}
	if l.broken != nil {
		return l.broken
	}
	l.writing = true
	old, from, tag := l.file, l.written, l.encoder.tag
	name := archiveName(l.path, l.began, l.born)
	l.mu.Unlock()
	to, err := exchange(l, next, old, from, name, tag)
	l.mu.Lock()
	l.writing = false
	var lost *lostError
	if errors.As(err, &lost) {
		l.breakDown(new(batch), err)
	}
	if err != nil {
		return err
	}
	l.file, l.next, l.written, l.born, l.rotating = l.options.wrap(next), to, to, time.Now(), false
	l.began = from.seq
	if err := old.Close(); err != nil {
		l.options.Logger.Warn("an old file of receipts cannot be closed", "error", err)
	}
	return nil
}

// lostError is one after which it is not known which file is the log's.
type lostError struct{ error }

// exchange writes the first record of next and puts it in the place of old, which gets its name for ever. Everything in old is on the
// disk before that, so that no crash leaves a gap between the two.
func exchange(l *Log, next *os.File, old file, from tip, name, tag string) (tip, error) {
	if err := old.Sync(); err != nil {
		return from, &lostError{fmt.Errorf("receipts: sync %s: %w; restart the gateway when the disk is sound", l.path, err)}
	}
	e := encoder{tag: tag, maxField: l.options.MaxField}
	from.offset = 0
	line, _, hash := e.line(nil, &Record{Kind: Genesis, Detail: format, previous: filepath.Base(name)}, &from)
	to := tip{from.seq + 1, hash, int64(len(line)), from.unsigned + 1}
	wrapped := l.options.wrap(next)
	if _, err := wrapped.Write(line); err != nil {
		return from, err
	}
	if err := wrapped.Sync(); err != nil {
		return from, err
	}
	if _, err := os.Lstat(name); err == nil {
		return from, fmt.Errorf("%s exists already", name)
	}
	if err := os.Rename(l.path, name); err != nil {
		return from, err
	}
	if err := os.Rename(next.Name(), l.path); err != nil {
		if back := os.Rename(name, l.path); back != nil {
			return from, &lostError{fmt.Errorf("receipts: %w; and the old file cannot be put back: %w; restart the gateway", err, back)}
		}
		return from, err
	}
	if err := syncFolder(l.path); err != nil {
		return from, &lostError{fmt.Errorf("receipts: sync the folder of %s: %w; restart the gateway when the disk is sound", l.path, err)}
	}
	return to, nil
}

// retain removes the oldest files that the settings do not keep. That a file goes is on the disk before it does.
func (l *Log) retain() {
	if l.options.KeepSize <= 0 && l.options.KeepAge <= 0 {
		return
	}
	all, err := archives(l.path)
	if err != nil {
		l.options.Logger.Error("old receipts cannot be looked through", "error", err)
		return
	}
	l.mu.Lock()
	total, last, born := l.written.offset, l.began, l.born
	l.mu.Unlock()
	for _, a := range all {
		total += a.size
	}
	for i, a := range all {
		until, next := born, last // of the file that follows
		if i+1 < len(all) {
			until, next = all[i+1].began, all[i+1].first
		}
		tooOld := l.options.KeepAge > 0 && time.Since(until) > l.options.KeepAge
		tooMuch := l.options.KeepSize > 0 && total > l.options.KeepSize
		if !tooOld && !tooMuch {
			return
		}
		why := "older than keep_age"
		if !tooOld {
			why = "all together are larger than keep_size"
		}
		if err := l.remove(a, next, why); err != nil {
			l.options.Logger.Error("an old file of receipts cannot be removed", "file", a.path, "error", err)
			return
		}
		total -= a.size
	}
}

func (l *Log) remove(a archive, next uint64, why string) error {
	f, err := os.Open(a.path)
	if err != nil {
		return err
	}
	e, err := readEnd(f, a.path)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = l.append(&Record{Kind: Removed, Target: a.name, Reason: why, Pairs: []string{"first", strconv.FormatUint(a.first, 10),
		"last", strconv.FormatUint(next-1, 10), "hash", hex.EncodeToString(e.prev[:]), "bytes", strconv.FormatInt(a.size, 10)}})
	if err != nil {
		return err
	}
	if err := l.sync(); err != nil {
		return err
	}
	return os.Remove(a.path)
}
