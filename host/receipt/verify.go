package receipt

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// VerifyOptions say what a log is checked against.
type VerifyOptions struct {
	// Keys are those that checkpoints may be signed with. None: those beside the file (KeysFile), which prove less, because whoever
	// can change the receipts may be able to change them too.
	Keys []PublicKey
	// Single checks the one file that is named, and not the older ones of its log.
	Single bool
	// Anchor are checkpoints that were kept elsewhere, a line each.
	Anchor io.Reader
}

// Result is what Verify found before it stopped.
type Result struct {
	// Files and Records are how many are good, from the first on. First is the number of the first record: not 0 when older files
	// are not there.
	Files   int
	Records uint64
	First   uint64
	// Hash is that of the last good record, in hexadecimal. Kept elsewhere, it proves later that nothing before it was
	// changed or cut off.
	Hash string
	// Torn counts the records that say that an incomplete line was set aside, Removed those that say that retention took a file.
	Torn, Removed int
	// Checkpoints counts the signatures. SignedTo is how many records the last one covers, Unsigned how many come behind it.
	// Unchecked says that there was no key to check them with.
	Checkpoints        int
	SignedTo, Unsigned uint64
	Unchecked          bool
	// Anchored counts the anchored checkpoints that were found in the log, AnchoredTo is how many records they cover. Foreign counts
	// those of other logs.
	Anchored   int
	AnchoredTo uint64
	Foreign    int
}

// BadLine is the first line that does not belong where it stands.
type BadLine struct {
	Path   string
	Line   int64 // from 1
	Offset int64 // in bytes
	Reason string
}

func (e *BadLine) Error() string {
	return fmt.Sprintf("receipts: %s:%d: (byte %d) %s", e.Path, e.Line, e.Offset, e.Reason)
}

// Verify is VerifyWith without options.
func Verify(path string) (Result, error) { return VerifyWith(path, VerifyOptions{}) }

// VerifyWith walks the chain of a log: the file that is named, and the older ones before it. The error is a *BadLine when the chain
// is broken. While a gateway is writing, the last line can be incomplete for a moment. What it needs of memory depends on the
// number of anchored checkpoints only.
func VerifyWith(path string, o VerifyOptions) (Result, error) {
	v := verifier{single: o.Single, live: filepath.Base(path)}
	if err := v.takeKeys(path, o.Keys); err != nil {
		return v.result, fmt.Errorf("receipts: %w", err)
	}
	if o.Anchor != nil {
		if err := v.takeAnchor(o.Anchor); err != nil {
			return v.result, fmt.Errorf("receipts: the anchor: %w", err)
		}
	}
	w := walker{path: path, single: o.Single}
	for {
		f, err := w.open()
		if err == io.EOF {
			return v.result, v.finish()
		}
		if err != nil {
			return v.result, fmt.Errorf("receipts: %w", err)
		}
		err = v.file(f)
		f.Close()
		if err != nil {
			return v.result, err
		}
		v.result.Files++
	}
}

// verifier knows what the next line has to be.
type verifier struct {
	result Result
	single bool
	live   string // the name of the file that is written to
	keys   map[string]PublicKey
	anchor []anchored

	prev   [hashSize]byte
	tag    string
	seq    uint64 // of the next record
	name   string // of the file in hand
	line   int64
	offset int64
	strict bool // there has to be a checkpoint after every MaxUnsigned records

	before string // the file before the first one, which retention has to have removed
	start  BadLine
	gone   bool // it has, a record says
}

func (v *verifier) takeKeys(path string, keys []PublicKey) error {
	if len(keys) == 0 {
		var err error
		if keys, err = ReadKeys(KeysFile(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	v.keys = map[string]PublicKey{}
	for _, k := range keys {
		v.keys[k.ID()] = k
	}
	return nil
}

func (v *verifier) bad(format string, args ...any) *BadLine {
	return &BadLine{v.name, v.line, v.offset, fmt.Sprintf(format, args...)}
}

func (v *verifier) file(f *os.File) error {
	name, records := v.name, v.result.Records
	v.name, v.line = f.Name(), 0
	l := &lines{f: f}
	for {
		v.offset = l.offset
		v.line++
		line, err := l.next()
		switch {
		case l.dead:
			return fmt.Errorf("receipts: %s: %w", v.name, err)
		case err == io.EOF && l.incomplete():
			return v.bad("the last line is incomplete: a crash, a gateway that is writing it now, or its end was changed")
		case err == io.EOF && v.line == 1 && records == 0:
			return fmt.Errorf("receipts: %s: the file is empty", v.name)
		case err == io.EOF && v.line == 1:
			return v.bad("the file is empty, and a record that follows %s should be here", filepath.Base(name))
		case err == io.EOF:
			return nil
		case err == nil:
			err = v.check(line, name)
		}
		if err != nil {
			return v.bad("%v", err)
		}
	}
}

// check takes the next line. before is the name of the file before this one.
func (v *verifier) check(line []byte, before string) error {
	hash, err := checkHash(line)
	if err != nil {
		return err
	}
	e, err := parseEntry(line)
	if err != nil {
		return err
	}
	switch {
	case v.line == 1 && v.result.Records == 0:
		err = v.begin(e)
	case v.line == 1:
		err = v.joint(e, before)
	case e.Kind == Genesis && e.Seq == v.seq:
		err = errors.New("a second genesis record: two files were joined")
	}
	if err == nil {
		err = v.follows(e)
	}
	if err == nil {
		err = v.signature(e)
	}
	if err == nil {
		err = v.compare(e.Seq, hash)
	}
	if err != nil {
		return err
	}
	v.note(e)
	v.prev, v.seq = hash, e.Seq+1
	v.result.Records++
	v.result.Hash = hex.EncodeToString(hash[:])
	return nil
}

// begin takes the first line of all.
func (v *verifier) begin(e *Entry) error {
	if e.Kind != Genesis || e.Seq > 0 && e.Previous == "" {
		return fmt.Errorf("it is record %s of kind %s: the beginning of the file is missing", e.ID, e.Kind)
	}
	if e.Seq > 0 {
		if _, err := hex.Decode(v.prev[:], []byte(e.Prev)); err != nil || len(e.Prev) != 2*hashSize {
			return errors.New("it does not say which record it follows")
		}
		v.before, v.start = e.Previous, *v.bad("it follows %s, which is missing, and no record says that retention removed it", e.Previous)
	}
	v.seq, v.result.First, v.tag = e.Seq, e.Seq, e.tag()
	v.result.SignedTo = e.Seq
	v.strict = len(v.keys) > 0 && strings.HasSuffix(e.Detail, "format 2")
	return nil
}

// joint takes the first line of a file that follows another.
func (v *verifier) joint(e *Entry, before string) error {
	if filepath.Base(before) == v.live {
		before = e.Previous // it got that name after it was opened
	}
	switch {
	case e.Kind != Genesis:
		return fmt.Errorf("it is record %s of kind %s: the beginning of the file is missing", e.ID, e.Kind)
	case e.Seq > v.seq && e.Previous != filepath.Base(before):
		return fmt.Errorf("it follows %s, which is missing", e.Previous)
	case e.Seq > v.seq:
		return fmt.Errorf("it is record %d, %d was expected: the end of %s is missing", e.Seq, v.seq, filepath.Base(before))
	case e.Previous != filepath.Base(before):
		return fmt.Errorf("it says that it follows %q, and stands behind %s", e.Previous, filepath.Base(before))
	}
	return nil
}

// follows checks that e is the record behind the one before.
func (v *verifier) follows(e *Entry) error {
	switch {
	case e.Seq > v.seq:
		return fmt.Errorf("it is record %d, %d was expected: a record before it is missing", e.Seq, v.seq)
	case e.Seq < v.seq:
		return fmt.Errorf("it is record %d, %d was expected: it was moved or copied here", e.Seq, v.seq)
	case e.Prev != hex.EncodeToString(v.prev[:]):
		return errors.New("it does not follow the line before it: one of the two was inserted or replaced")
	case e.tag() != v.tag:
		return fmt.Errorf("its id %s is of another log", e.ID)
	case e.ID != fmt.Sprintf("%s-%d", v.tag, e.Seq):
		return fmt.Errorf("its id %s is not that of record %d", e.ID, e.Seq)
	}
	return nil
}

// signature checks a checkpoint, and that there is one often enough.
func (v *verifier) signature(e *Entry) error {
	if e.Kind != Checkpoint {
		// A record of its own says that a last line was torn before the next checkpoint could be made.
		if v.strict && v.seq-v.result.SignedTo > MaxUnsigned+8 {
			return fmt.Errorf("there is no checkpoint among the %d records before it: checkpoints were removed", v.seq-v.result.SignedTo)
		}
		return nil
	}
	if len(v.keys) == 0 {
		v.result.Unchecked = true
	} else if err := checkSignature(e, v.keys); err != nil {
		return err
	}
	v.strict = len(v.keys) > 0
	return nil
}

// note counts what the record says.
func (v *verifier) note(e *Entry) {
	switch e.Kind {
	case Torn:
		v.result.Torn++
	case Removed:
		v.result.Removed++
		v.gone = v.gone || e.Target == v.before
	case Checkpoint:
		v.result.Checkpoints++
		v.result.SignedTo = e.Seq + 1
	}
	v.result.Unsigned = e.Seq + 1 - v.result.SignedTo
}

// finish checks what can only be known at the end.
func (v *verifier) finish() error {
	if v.before != "" && !v.gone && !v.single {
		return &v.start
	}
	return v.finishAnchor()
}
