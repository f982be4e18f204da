package receipt

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
)

// anchored is a checkpoint that was kept elsewhere.
type anchored struct {
	seq  uint64
	hash [hashSize]byte
	tag  string
}

// maxAnchored bounds the checkpoints of an anchor: 15 years of one each minute.
const maxAnchored = 8 << 20

// takeAnchor reads the lines of an anchor, in any order.
func (v *verifier) takeAnchor(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxLine)
	tags := map[string]string{} // one string for each tag
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		hash, err := checkHash(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		e, err := parseEntry(line)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if e.Kind != Checkpoint {
			return fmt.Errorf("line %d: it is a record of kind %s, not a checkpoint", n, e.Kind)
		}
		if len(v.keys) > 0 {
			if err := checkSignature(e, v.keys); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
		if len(v.anchor) == maxAnchored {
			return fmt.Errorf("it has more than %d checkpoints", maxAnchored)
		}
		tag, ok := tags[e.tag()]
		if !ok {
			tag = e.tag()
			tags[tag] = tag
		}
		v.anchor = append(v.anchor, anchored{e.Seq, hash, tag})
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if len(v.anchor) == 0 {
		return errors.New("it has no checkpoint")
	}
	slices.SortFunc(v.anchor, func(a, b anchored) int { return cmp.Compare(a.seq, b.seq) })
	return nil
}

// compare checks a record against what was anchored under its number.
func (v *verifier) compare(seq uint64, hash [hashSize]byte) error {
	for len(v.anchor) > 0 && v.anchor[0].seq <= seq {
		a := v.anchor[0]
		v.anchor = v.anchor[1:]
		switch {
		case a.tag != v.tag:
			v.result.Foreign++
		case a.seq < seq: // in a file that was removed
		case a.hash != hash:
			return fmt.Errorf("it is not the record %s-%d that was anchored, whose hash is %s: what is here was written anew", a.tag, a.seq, hex.EncodeToString(a.hash[:]))
		default:
			v.result.Anchored++
			v.result.AnchoredTo = seq + 1
		}
	}
	return nil
}

// finishAnchor finds a tail that was cut off: what was anchored and is not here.
func (v *verifier) finishAnchor() error {
	for i := len(v.anchor) - 1; i >= 0; i-- {
		if a := v.anchor[i]; a.tag == v.tag {
			return v.bad("the file ends here with record %d, but the checkpoint %s-%d was anchored: at least %d records were cut off", v.seq-1, a.tag, a.seq, a.seq+1-v.seq)
		}
	}
	if v.result.Foreign += len(v.anchor); v.result.Anchored == 0 && v.result.Foreign > 0 {
		v.line, v.offset = 1, 0
		return v.bad("it is of the log %s, of which nothing is anchored: another log was put in its place, or this anchor is not its own", v.tag)
	}
	return nil
}
