package receipt

import (
	"crypto/sha256"
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

// openLocked opens the file for appending, creates it if need be, and takes its lock.
func openLocked(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
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
func (l *Log) inPlace() error {
	f, ok := l.file.(*os.File)
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

// end is what Open finds at the end of a file.
type end struct {
	tip
	tag  string // empty in a new file
	torn *torn
}

// torn is an incomplete last line that was set aside.
type torn struct {
	size  int64
	hash  [hashSize]byte
	saved string // the name of the file that has it now
}

func (t *torn) pairs() []string {
	return []string{"bytes", strconv.FormatInt(t.size, 10), "sha256", hex.EncodeToString(t.hash[:]), "saved", t.saved}
}

// findEnd reads the last complete line, and sets aside what follows it.
func findEnd(f *os.File, path string) (*end, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	// The last complete line and what may follow it.
	tail := make([]byte, min(size, 2*MaxLine))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return nil, err
	}
	complete := strings.LastIndexByte(string(tail), '\n') + 1
	e := &end{}
	e.offset = size - int64(len(tail)-complete)
	if complete == 0 && int64(len(tail)) < size {
		return nil, fmt.Errorf("%s: it ends in %d bytes without a line end, it is not a file of receipts", path, len(tail))
	}
	if complete > 0 {
		begin := strings.LastIndexByte(string(tail[:complete-1]), '\n') + 1
		if err := e.read(tail[begin : complete-1]); err != nil {
			return nil, fmt.Errorf("%s: its last line: %w; check it with `sallyport receipts verify`, and move the file away to begin a new one", path, err)
		}
	}
	if e.offset < size {
		e.torn, err = setAside(f, path, e, tail[complete:])
	}
	return e, err
}

// read takes the end of the chain from the last line.
func (e *end) read(line []byte) error {
	hash, err := checkHash(line)
	if err != nil {
		return err
	}
	entry, err := parseEntry(line)
	if err != nil {
		return err
	}
	e.tag, e.seq, e.prev = entry.tag(), entry.Seq+1, hash
	return nil
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
