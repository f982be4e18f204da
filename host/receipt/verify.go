package receipt

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// Result is what Verify found before it stopped.
type Result struct {
	// Records is how many records are good, from the first on.
	Records uint64
	// Hash is that of the last good record, in hexadecimal. Kept elsewhere, it proves later that nothing before it was
	// changed or cut off.
	Hash string
	// Torn counts the records that say that an incomplete line was set aside.
	Torn int
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

// Verify walks the chain of a file. The error is a *BadLine when the chain is broken. While a gateway is writing, the last
// line can be incomplete for a moment.
func Verify(path string) (Result, error) {
	var r Result
	f, err := os.Open(path)
	if err != nil {
		return r, fmt.Errorf("receipts: %w", err)
	}
	defer f.Close()
	v := verifier{result: &r}
	l := &lines{f: f}
	for {
		at := l.offset
		line, err := l.next()
		switch {
		case l.dead:
			return r, fmt.Errorf("receipts: %s: %w", path, err)
		case err == io.EOF && l.incomplete():
			err = errors.New("the last line is incomplete: a crash, a gateway that is writing it now, or its end was changed")
		case err == io.EOF && r.Records == 0:
			return r, fmt.Errorf("receipts: %s: the file is empty", path)
		case err == io.EOF:
			return r, nil
		case err == nil:
			err = v.check(line)
		}
		if err != nil {
			return r, &BadLine{path, int64(r.Records) + 1, at, err.Error()}
		}
	}
}

// verifier knows what the next line has to be.
type verifier struct {
	result *Result
	prev   [hashSize]byte
	tag    string
}

func (v *verifier) check(line []byte) error {
	hash, err := checkHash(line)
	if err != nil {
		return err
	}
	e, err := parseEntry(line)
	if err != nil {
		return err
	}
	want := v.result.Records
	switch {
	case want == 0 && (e.Seq > 0 || e.Kind != Genesis):
		return fmt.Errorf("it is record %s of kind %s: the beginning of the file is missing", e.ID, e.Kind)
	case e.Seq > want:
		return fmt.Errorf("it is record %d, %d was expected: a record before it is missing", e.Seq, want)
	case e.Seq < want:
		return fmt.Errorf("it is record %d, %d was expected: it was moved or copied here", e.Seq, want)
	case e.Prev != hex.EncodeToString(v.prev[:]):
		return errors.New("it does not follow the line before it: one of the two was inserted or replaced")
	case want > 0 && e.Kind == Genesis:
		return errors.New("a second genesis record: two files were joined")
	case want > 0 && e.tag() != v.tag:
		return fmt.Errorf("its id %s is of another log", e.ID)
	}
	if e.Kind == Torn {
		v.result.Torn++
	}
	v.prev, v.tag = hash, e.tag()
	v.result.Records++
	v.result.Hash = hex.EncodeToString(hash[:])
	return nil
}
