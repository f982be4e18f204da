package receipt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The files of a log at DIR/receipts.jsonl are DIR/receipts-SEQ-TIME.jsonl for each older one, with the number and the time of its
// first record, and the file itself, which is the newest. Their names sort in their order.

// archive is an older file.
type archive struct {
	path, name string
	first      uint64 // the number of its first record
	began      time.Time
	size       int64
}

const (
	nameTime   = "20060102T150405Z"
	nameFormat = "%s-%012d-%s%s"
)

var nameRest = regexp.MustCompile(`^-([0-9]{12,19})-([0-9]{8}T[0-9]{6}Z)$`)

// archiveName is the name that a file gets when a new one is begun.
func archiveName(path string, first uint64, began time.Time) string {
	ext := filepath.Ext(path)
	return fmt.Sprintf(nameFormat, strings.TrimSuffix(path, ext), first, began.UTC().Format(nameTime), ext)
}

// archives lists the older files of the log at path, the oldest first.
func archives(path string) ([]archive, error) {
	ext := filepath.Ext(path)
	stem := strings.TrimSuffix(filepath.Base(path), ext)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	var all []archive
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), stem)
		if !ok || !strings.HasSuffix(rest, ext) || !e.Type().IsRegular() {
			continue
		}
		m := nameRest.FindStringSubmatch(strings.TrimSuffix(rest, ext))
		if m == nil {
			continue
		}
		first, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			continue
		}
		began, err := time.Parse(nameTime, m[2])
		if err != nil {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, archive{filepath.Join(filepath.Dir(path), e.Name()), e.Name(), first, began, info.Size()})
	}
	slices.SortFunc(all, func(a, b archive) int {
		if a.first != b.first {
			return int(min(max(int64(a.first)-int64(b.first), -1), 1))
		}
		return strings.Compare(a.name, b.name)
	})
	return all, nil
}

// Files are the files of the log at path, the oldest first. The last is path itself, if it exists.
func Files(path string) ([]string, error) {
	older, err := archives(path)
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	var files []string
	for _, a := range older {
		files = append(files, a.path)
	}
	if _, err := os.Stat(path); err == nil {
		files = append(files, path)
	}
	return files, nil
}

// firstRecord reads the first line of a file. One that cannot be read is after all others.
func firstRecord(f io.ReaderAt) uint64 {
	l := &lines{f: f}
	line, err := l.next()
	if err != nil {
		return math.MaxUint64
	}
	e, err := parseEntry(line)
	if err != nil {
		return math.MaxUint64
	}
	return e.Seq
}

// walker opens the files of a log one after the other, the oldest first, while the log may begin new ones and remove old ones.
type walker struct {
	path   string
	single bool // only the file at path
	newest bool // begin with the file at path
	begun  bool
	first  uint64 // of the file that was opened last
}

// open is the file that follows; io.EOF when there is none.
func (w *walker) open() (*os.File, error) {
	if w.single {
		if w.begun {
			return nil, io.EOF
		}
		w.begun = true
		return os.Open(w.path)
	}
	if w.newest {
		w.newest = false
		f, err := os.Open(w.path)
		if err == nil {
			w.begun, w.first = true, firstRecord(f)
		}
		return f, err
	}
	for {
		older, err := w.older(math.MaxUint64)
		if err != nil {
			return nil, err
		}
		if older != nil {
			f, err := os.Open(older.path)
			if errors.Is(err, fs.ErrNotExist) {
				continue // retention took it
			}
			w.begun, w.first = true, older.first
			return f, err
		}
		return w.live()
	}
}

// older is the next of the older files whose first record is before the one given; nil when there is none.
func (w *walker) older(before uint64) (*archive, error) {
	all, err := archives(w.path)
	if err != nil {
		return nil, err
	}
	for i, a := range all {
		if a.first < before && (!w.begun || a.first > w.first) {
			return &all[i], nil
		}
	}
	return nil, nil
}

// live is the file that is written to, unless it was opened already.
func (w *walker) live() (*os.File, error) {
	f, err := os.Open(w.path)
	if errors.Is(err, fs.ErrNotExist) && w.begun {
		return nil, io.EOF
	}
	if err != nil {
		return nil, err
	}
	first := firstRecord(f)
	if w.begun && (first <= w.first || w.first == math.MaxUint64) {
		f.Close()
		return nil, io.EOF
	}
	// A new one may have been begun since the older ones were listed.
	missed, err := w.older(first)
	if missed != nil || err != nil {
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		return w.open()
	}
	w.begun, w.first = true, first
	return f, nil
}

// rest is what stands behind the last complete line.
type rest struct {
	offset int64
	bytes  []byte
}

// end is what Open finds at the end of a file.
type end struct {
	tip
	tag    string    // empty in a new file
	signed bool      // the last record is a checkpoint
	born   time.Time // of the first record
	rest   *rest
	torn   *torn
}

// torn is an incomplete last line that was set aside.
type torn struct {
	size  int64
	hash  [hashSize]byte
	saved string // the name of the file that has it now
}

// readEnd reads the last complete line.
func readEnd(f *os.File, path string) (*end, error) {
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
	complete := bytes.LastIndexByte(tail, '\n') + 1
	e := &end{}
	e.offset = size - int64(len(tail)-complete)
	if complete == 0 && int64(len(tail)) < size {
		return nil, fmt.Errorf("%s: it ends in %d bytes without a line end, it is not a file of receipts", path, len(tail))
	}
	if complete > 0 {
		begin := bytes.LastIndexByte(tail[:complete-1], '\n') + 1
		if err := e.read(tail[begin : complete-1]); err != nil {
			return nil, fmt.Errorf("%s: its last line: %w; check it with `sallyport receipts verify`, and move the file away to begin a new one", path, err)
		}
		e.born = bornAt(f)
	}
	if e.offset < size {
		e.rest = &rest{e.offset, tail[complete:]}
	}
	return e, nil
}

// bornAt is the time of the first record; now, when it cannot be read.
func bornAt(f io.ReaderAt) time.Time {
	line, err := (&lines{f: f}).next()
	if err == nil {
		if e, err := parseEntry(line); err == nil {
			if t, err := time.Parse(timeLayout, e.Time); err == nil {
				return t
			}
		}
	}
	return time.Now()
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
	if e.tag, _, _ = strings.Cut(entry.ID, "-"); e.tag == "" {
		return errors.New("it is not a receipt: its id has no tag")
	}
	e.seq, e.prev, e.signed = entry.Seq+1, hash, entry.Kind == Checkpoint
	if !e.signed {
		e.unsigned = 1
	}
	return nil
}
