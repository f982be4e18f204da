package receipt

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lockFor takes the lock of the log at path, a file beside it: the log's own file changes when a new one is begun.
func lockFor(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := usable(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return f, nil
}

// openLocked opens the file for appending, creates it if need be, and takes its lock.
func openLocked(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := usable(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return f, nil
}

func usable(f *os.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// inPlace reports a file that was removed or moved away: whatever went into it later would be found by nobody.
func (l *Log) inPlace(in file) error {
	f, ok := in.(*os.File)
	if !ok {
		return nil
	}
	mine, err := f.Stat()
	if err != nil {
		return fmt.Errorf("receipts: %w", err)
	}
	there, err := os.Lstat(l.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(mine, there) {
		return fmt.Errorf("receipts: %s was removed or replaced while the gateway writes to it; restart the gateway", l.path)
	}
	if err != nil {
		return fmt.Errorf("receipts: %w", err)
	}
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (t *torn) pairs() []string {
	return []string{"bytes", strconv.FormatInt(t.size, 10), "sha256", hex.EncodeToString(t.hash[:]), "saved", t.saved}
}

// findEnd reads the end of a file, and sets aside what follows its last complete line.
func findEnd(f *os.File, path string) (*end, error) {
	e, err := readEnd(f, path)
	if err == nil && e.rest != nil {
		e.torn, err = setAside(f, path, e, e.rest.bytes)
	}
	return e, err
}

// setAside moves the incomplete last line into a file of its own.
func setAside(f *os.File, path string, e *end, rest []byte) (*torn, error) {
	var saved *os.File
	var err error
	for n := 0; n < 1000; n++ {
		saved, err = os.OpenFile(fmt.Sprintf("%s.torn-%d-%d", path, e.seq, n), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("set the incomplete last line aside: %w", err)
	}
	_, err = io.Copy(saved, strings.NewReader(string(rest)))
	if err = errors.Join(err, saved.Sync(), saved.Close()); err != nil {
		return nil, fmt.Errorf("set the incomplete last line aside: %w", err)
	}
	if err := f.Truncate(e.offset); err != nil {
		return nil, fmt.Errorf("remove the incomplete last line: %w", err)
	}
	return &torn{size: int64(len(rest)), hash: sha256.Sum256(rest), saved: filepath.Base(saved.Name())}, nil
}

// after makes an empty file follow the newest of the older ones: the gateway ended while it began a new file. Without older ones it
// begins a log.
func (l *Log) after(e *end, genesis *Record) error {
	older, err := archives(l.path)
	if err != nil {
		return err
	}
	if len(older) == 0 {
		e.tag, err = newTag()
		return err
	}
	newest := older[len(older)-1]
	f, err := os.Open(newest.path)
	if err != nil {
		return err
	}
	defer f.Close()
	last, err := readEnd(f, newest.path)
	if err != nil {
		return err
	}
	if last.tag == "" || last.rest != nil {
		return fmt.Errorf("%s: its last line is incomplete; check it with `sallyport receipts verify`, and move all receipts away to begin anew", newest.path)
	}
	e.tag, e.seq, e.prev = last.tag, last.seq, last.prev
	genesis.previous = newest.name
	return nil
}

func newTag() (string, error) {
	b := make([]byte, 5)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("a random tag: %w", err)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(b))[:5], nil
}
