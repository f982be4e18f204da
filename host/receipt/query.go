package receipt

import (
	"bytes"
	"slices"
	"time"
)

// Filter chooses records. Where a list is not empty, a record has to have one of its words; where several lists are not empty, one of
// each. The zero value chooses all.
type Filter struct {
	// Since and Until bound the time: not before Since, and before Until.
	Since, Until time.Time
	// Hold finds what belongs to a hold: the held decision, its end, and uses of its grant.
	Peer, Endpoint, Class, Outcome, Rule, Conn, Hold, Kind []string
}

// Match reports whether the filter chooses e.
func (f *Filter) Match(e *Entry) bool {
	// The layout has a fixed width, so that times compare as strings.
	if !f.Since.IsZero() && e.Time < f.Since.UTC().Format(timeLayout) || !f.Until.IsZero() && e.Time >= f.Until.UTC().Format(timeLayout) {
		return false
	}
	for _, c := range []struct {
		want []string
		is   string
	}{
		{f.Peer, e.Peer}, {f.Endpoint, e.Endpoint}, {f.Class, e.Class}, {f.Outcome, string(e.Outcome)}, {f.Rule, e.Rule}, {f.Conn, e.Conn},
		{f.Hold, e.Hold}, {f.Kind, string(e.Kind)},
	} {
		if len(c.want) > 0 && !slices.Contains(c.want, c.is) {
			return false
		}
	}
	return true
}

// sieve finds lines that the filter cannot choose without reading them: reading costs far more than looking for bytes.
type sieve [][][]byte

// sieve makes one. Outcomes are not in it, because lines of older versions say some of them in other ways.
func (f *Filter) sieve() sieve {
	var s sieve
	for _, c := range []struct {
		key  string
		want []string
	}{{`"peer":`, f.Peer}, {`"endpoint":`, f.Endpoint}, {`"class":`, f.Class}, {`"rule":`, f.Rule}, {`"conn":`, f.Conn}, {`"hold":`, f.Hold}, {`"kind":`, f.Kind}} {
		var any [][]byte
		for _, w := range c.want {
			any = append(any, appendString([]byte(c.key), w))
		}
		if any != nil {
			s = append(s, any)
		}
	}
	return s
}

// passes reports whether a line may be chosen.
func (s sieve) passes(line []byte) bool {
	for _, any := range s {
		if !slices.ContainsFunc(any, func(w []byte) bool { return bytes.Contains(line, w) }) {
			return false
		}
	}
	return true
}
