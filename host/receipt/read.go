package receipt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"
)

// Entry is a record as it stands in a file. Members that its kind does not have are zero.
type Entry struct {
	// Raw is the line without its newline; the entry owns it.
	Raw []byte `json:"-"`

	Hash string `json:"_hash"`
	Prev string `json:"_prev"`
	Seq  uint64 `json:"seq"`
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	Time string `json:"time"` // RFC 3339, UTC, microseconds

	Conn         string `json:"conn"`
	ActionID     uint32 `json:"action"`
	Parent       string `json:"parent"`
	Peer         string `json:"peer"`
	Profile      string `json:"profile"`
	Endpoint     string `json:"endpoint"`
	Credential   string `json:"credential"`
	Plugin       string `json:"plugin"`
	PluginDigest string `json:"plugin_digest"`
	Target       string `json:"target"`

	Family string         `json:"family"`
	Class  string         `json:"class"`
	Title  string         `json:"title"`
	Fields map[string]any `json:"fields"` // bool, json.Number, string (also for huge ints) or a list of strings
	// Cut has the true size of each field that the line holds only a part of.
	Cut map[string]int64 `json:"cut"`
	// LeftOut are the known fields that the settings leave out.
	LeftOut   []string `json:"left_out"`
	Streaming bool     `json:"streaming"`

	Outcome Outcome `json:"outcome"`
	Rule    string  `json:"rule"`
	Reason  string  `json:"reason"`
	// FailClosed says that the outcome is fail_closed.
	FailClosed bool            `json:"fail_closed"`
	Unknown    []string        `json:"unknown"`
	WouldDeny  []string        `json:"would_deny"`
	WouldHold  []string        `json:"would_hold"`
	WouldJudge []string        `json:"would_judge"`
	Judges     []JudgmentEntry `json:"judges"`
	Masked     int             `json:"masked"`
	MaskedBy   []string        `json:"masked_by"`
	Hold       string          `json:"hold"`
	Digest     string          `json:"digest"`
	Deadline   string          `json:"deadline"`
	Needs      []NeedEntry     `json:"needs"`
	By         []string        `json:"by"`
	Granted    bool            `json:"granted"`
	GrantUses  int             `json:"grant_uses"`
	GrantUntil string          `json:"grant_until"`
	Note       [][2]string     `json:"note"`
	Up         uint64          `json:"up"`
	Down       uint64          `json:"down"`
	Policy     string          `json:"policy"`
	Detail     string          `json:"detail"`

	// Previous is the name of the file before this one, of a genesis. Key and Sig are a checkpoint's.
	Previous string `json:"previous"`
	Key      string `json:"key"`
	Sig      string `json:"sig"`
}

// NeedEntry is a Need as it stands in a file.
type NeedEntry struct {
	Rule         string   `json:"rule"`
	Approvers    []string `json:"approvers"`
	Approvals    int      `json:"approvals"`
	NotRequester bool     `json:"not_requester"`
}

// settle gives outcomes to records of versions that had a flag and a note for them.
func (e *Entry) settle() {
	if e.FailClosed && (e.Outcome == "" || e.Outcome == OutcomeDeny) {
		e.Outcome = OutcomeFailClosed
	}
	e.FailClosed = e.Outcome == OutcomeFailClosed
	if e.Kind == Note && e.Outcome == "" && slices.ContainsFunc(e.Note, func(p [2]string) bool { return p[0] == mismatch }) {
		e.Outcome = OutcomeMismatch
	}
}

// tag is the log's part of the id.
func (e *Entry) tag() string {
	tag, _, _ := strings.Cut(e.ID, "-")
	return tag
}

// parseEntry reads a line, without its newline. It does not check the hash.
func parseEntry(line []byte) (*Entry, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	e := &Entry{}
	if err := d.Decode(e); err != nil {
		return nil, fmt.Errorf("it is not a receipt: %w", err)
	}
	e.Raw = bytes.Clone(line)
	e.settle()
	if e.ID == "" || e.Kind == "" {
		return nil, errors.New("it is not a receipt: it has no id or no kind")
	}
	return e, nil
}

// checkHash computes the hash of a line and compares it with the one that it claims.
func checkHash(line []byte) (hash [hashSize]byte, err error) {
	if len(line) <= restAt || string(line[:hashAt]) != `{"_hash":"` || string(line[restAt-2:restAt]) != `",` {
		return hash, errors.New("it is not a receipt: it does not begin with its hash")
	}
	h := sha256.New()
	h.Write([]byte{'{'})
	h.Write(line[restAt:])
	h.Sum(hash[:0])
	if hex.EncodeToString(hash[:]) != string(line[hashAt:restAt-2]) {
		return hash, errors.New("its content does not match its hash: it was changed")
	}
	return hash, nil
}

// ReadOptions choose what is read.
type ReadOptions struct {
	// Last begins at the last n records; 0 means at the first.
	Last int
	// Older reads the older files of the log as well, before the one that is named.
	Older bool
	// Filter chooses among them; nil: all. Last counts before it.
	Filter *Filter
}

// Read yields the records of a file. What is not a record is an error, after which the next line follows; a file that cannot
// be read yields one error. It does not check the chain: that is Verify. What it needs of memory does not depend on the size of files.
func Read(path string, o ReadOptions) iter.Seq2[*Entry, error] {
	return read(path, o, nil)
}

// Follow is Read that waits for more at the end, also in files that are begun later, until ctx is done.
func Follow(ctx context.Context, path string, o ReadOptions) iter.Seq2[*Entry, error] {
	const pause = 200 * time.Millisecond
	return read(path, o, func() bool {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
			return true
		}
	})
}

// reading is one walk through records.
type reading struct {
	path  string
	walk  walker
	yield func(*Entry, error) bool
	more  func() bool // waits for more at the end; nil: the end is the end
	only  *Filter     // nil: everything
	sieve sieve
}

// read yields records and calls more at the end of the newest file.
func read(path string, o ReadOptions, more func() bool) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		r := &reading{path: path, walk: walker{path: path, single: !o.Older && more == nil, newest: !o.Older}, yield: yield, more: more, only: o.Filter}
		if r.only != nil {
			r.sieve = r.only.sieve()
		}
		offset, err := r.walk.startAt(o.Last)
		if err != nil {
			yield(nil, fmt.Errorf("receipts: %w", err))
			return
		}
		for {
			f, err := r.walk.open()
			switch {
			case err == io.EOF && (more == nil || !more()):
				return
			case err == io.EOF:
				continue
			case err != nil:
				yield(nil, fmt.Errorf("receipts: %w", err))
				return
			}
			on := r.file(f, offset)
			f.Close()
			if !on {
				return
			}
			offset = 0
		}
	}
}

// file yields the records of one file; false when that is all.
func (r *reading) file(f *os.File, offset int64) bool {
	l := &lines{f: f, offset: offset}
	left := false // it is not the newest any more, so nothing comes behind what there is
	for {
		at := l.offset
		line, err := l.next()
		switch {
		case err == io.EOF && r.more != nil && !left:
			if left = !r.isNewest(f); !left && !r.more() {
				return false
			}
			continue
		case err == io.EOF && l.incomplete():
			return r.yield(nil, fmt.Errorf("receipts: %s: at byte %d: the last line is incomplete", f.Name(), at))
		case err == io.EOF:
			return true
		case err == nil && !r.sieve.passes(line):
			continue
		case err == nil:
			e, bad := parseEntry(line)
			if bad == nil {
				if (r.only == nil || r.only.Match(e)) && !r.yield(e, nil) {
					return false
				}
				continue
			}
			err = bad
		}
		if !r.yield(nil, fmt.Errorf("receipts: %s: the line at byte %d: %w", f.Name(), at, err)) || l.dead {
			return false
		}
	}
}

// isNewest reports whether f is still the file that is written to.
func (r *reading) isNewest(f *os.File) bool {
	mine, err := f.Stat()
	if err != nil {
		return true
	}
	there, err := os.Stat(r.path)
	return err != nil || os.SameFile(mine, there)
}

// startAt makes the walk begin in the file that has the last n records begin, and returns where in it.
func (w *walker) startAt(n int) (int64, error) {
	if n <= 0 {
		return 0, nil
	}
	f, err := os.Open(w.path)
	if err != nil {
		return 0, err
	}
	offset, seen, err := lastLines(f, n)
	if err = errors.Join(err, f.Close()); err != nil || w.newest {
		return offset, err
	}
	older, err := archives(w.path)
	if err != nil {
		return 0, err
	}
	i := len(older)
	for ; i > 0 && seen < n; i-- {
		f, err := os.Open(older[i-1].path)
		if err != nil {
			return 0, err
		}
		var more int
		offset, more, err = lastLines(f, n-seen)
		if err = errors.Join(err, f.Close()); err != nil {
			return 0, err
		}
		seen += more
	}
	if i > 0 {
		w.begun, w.first = true, older[i-1].first
	}
	return offset, nil
}

// lines reads complete lines, from an offset on. It reads by position, so that a file which grows, or loses an incomplete
// end again, is read right.
type lines struct {
	f      io.ReaderAt
	offset int64 // of what next returns next
	buf    []byte
	from   int64 // the offset of buf
	long   bool  // the beginning of a line that is too long was skipped
	dead   bool  // reading failed
}

var errLong = fmt.Errorf("it has more than %d bytes", MaxLine)

// next returns the next line without its newline, valid until the next call; io.EOF when there is no complete one.
func (l *lines) next() ([]byte, error) {
	for {
		have := l.buf[min(l.offset-l.from, int64(len(l.buf))):]
		if i := bytes.IndexByte(have, '\n'); i >= 0 {
			l.offset += int64(i) + 1
			long := l.long || i >= MaxLine
			l.long = false
			if long {
				return nil, errLong
			}
			return have[:i], nil
		}
		if len(have) >= MaxLine {
			l.long = true
			l.offset += int64(len(have))
			have = nil
		}
		if err := l.fill(have); err != nil {
			return nil, err
		}
	}
}

// fill moves what is left to the front of the buffer and reads behind it.
func (l *lines) fill(have []byte) error {
	if l.buf == nil {
		l.buf = make([]byte, 0, 64<<10)
	}
	n := copy(l.buf[:cap(l.buf)], have)
	if n == cap(l.buf) {
		l.buf = append(make([]byte, 0, 2*n), l.buf[:n]...)
	}
	l.from = l.offset
	m, err := l.f.ReadAt(l.buf[n:cap(l.buf)], l.from+int64(n))
	l.buf = l.buf[:n+m]
	if m > 0 {
		return nil
	}
	if err != io.EOF {
		l.dead = true
		return err
	}
	// The rest is read again next time: it may be taken back.
	l.buf = l.buf[:0]
	return io.EOF
}

// incomplete reports whether something follows the last complete line.
func (l *lines) incomplete() bool {
	var b [1]byte
	n, _ := l.f.ReadAt(b[:], l.offset)
	return n == 1 || l.long
}

// lastLines finds where the last n lines of a file begin, and how many there are.
func lastLines(f *os.File, n int) (offset int64, count int, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	buf := make([]byte, 64<<10)
	seen := 0
	for end := info.Size(); end > 0; {
		begin := max(0, end-int64(len(buf)))
		chunk := buf[:end-begin]
		if _, err := f.ReadAt(chunk, begin); err != nil {
			return 0, 0, err
		}
		for i := len(chunk) - 1; i >= 0; i-- {
			if chunk[i] != '\n' {
				continue
			}
			if seen++; seen == n+1 {
				return begin + int64(i) + 1, n, nil
			}
		}
		end = begin
	}
	return 0, seen, nil
}
