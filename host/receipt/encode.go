package receipt

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

const (
	hashSize = sha256.Size
	// hashAt is where the digits of the hash begin in a line, and restAt what the hash is about.
	hashAt = len(`{"_hash":"`)
	restAt = hashAt + 2*hashSize + len(`",`)
	// format is the detail of a genesis record.
	format = "sallyport receipts, format 2"
	// timeLayout has a fixed width, so that lines sort.
	timeLayout = "2006-01-02T15:04:05.000000Z"
	// maxExact is the greatest integer that every JSON reader keeps; larger ones are written as strings.
	maxExact = 1<<53 - 1
)

// encoder writes lines. It remembers for each family how its fields are written, and the last second.
type encoder struct {
	tag      string
	maxField int
	text     Text
	plans    map[*abi.Family]plan
	known    []int // places in the plan of the fields of the record in hand
	id       []byte
	lastHash [hashSize]byte // of the line written last, and in hexadecimal
	last     [2 * hashSize]byte
	second   int64
	stamp    [len("2006-01-02T15:04:05")]byte // of second
}

// line appends the line of r, which follows end, to b. Members are written in the order of their names.
func (e *encoder) line(b []byte, r *Record, end *tip) (line []byte, id string, hash [hashSize]byte) {
	begin := len(b)
	e.id = e.appendID(e.id[:0], end.seq)
	id = string(e.id)
	b = append(b, `{"_hash":"`...)
	b = append(b, e.last[:]...) // the place of the hash
	b = append(b, `","_prev":"`...)
	if end.prev == e.lastHash && end.seq > 0 { // nearly always
		b = append(b, e.last[:]...)
	} else {
		b = hex.AppendEncode(b, end.prev[:])
	}
	b = append(b, '"')
	b = e.members(b, r, id, end.seq)
	b = append(b, '}')
	// The hash is that of the object without the member _hash: "{" stands for a moment where its comma is.
	b[begin+restAt-1] = '{'
	hash = sha256.Sum256(b[begin+restAt-1:])
	b[begin+restAt-1] = ','
	hex.Encode(e.last[:], hash[:])
	e.lastHash = hash
	copy(b[begin+hashAt:], e.last[:])
	return append(b, '\n'), id, hash
}

func (e *encoder) appendID(b []byte, seq uint64) []byte {
	return strconv.AppendUint(append(append(b, e.tag...), '-'), seq, 10)
}

func (e *encoder) members(b []byte, r *Record, id string, seq uint64) []byte {
	a := r.Action
	if r.Kind == Decision || r.Kind == HoldEnd || r.Kind == Note {
		b = append(b, `,"action":`...)
		b = strconv.AppendUint(b, uint64(r.ActionID), 10)
	}
	b = names(b, `,"by":`, r.By)
	if a != nil {
		b = member(b, `,"class":`, a.Class.String())
	}
	b = member(b, `,"conn":`, r.Conn)
	b = member(b, `,"credential":`, r.Credential)
	if a != nil && a.Family != nil {
		e.choose(a)
		b = e.cuts(b, a)
	}
	b = moment(b, `,"deadline":`, r.Deadline)
	b = member(b, `,"detail":`, r.Detail)
	b = member(b, `,"digest":`, r.Digest)
	if r.Kind == End {
		b = number(b, `,"down":`, r.Down)
	}
	b = member(b, `,"endpoint":`, r.Endpoint)
	if a != nil && a.Family != nil {
		b = member(b, `,"family":`, a.Family.Name)
		b = e.fields(b, a)
	}
	b = moment(b, `,"grant_until":`, r.GrantUntil)
	if r.GrantUses > 0 {
		b = number(b, `,"grant_uses":`, uint64(r.GrantUses))
	}
	b = flag(b, `,"granted":`, r.Granted)
	b = member(b, `,"hold":`, r.Hold)
	b = member(b, `,"id":`, id)
	b = judgments(b, r.Judges)
	b = member(b, `,"key":`, r.key)
	b = member(b, `,"kind":`, string(r.Kind))
	if a != nil && a.Family != nil && e.text != Full {
		b = e.leftOut(b, a)
	}
	if r.Masked > 0 {
		b = number(b, `,"masked":`, uint64(r.Masked))
	}
	b = names(b, `,"masked_by":`, r.MaskedBy)
	b = needs(b, r.Needs)
	b = pairs(b, r.Pairs)
	b = member(b, `,"outcome":`, string(outcomeOf(r)))
	b = member(b, `,"parent":`, r.Parent)
	b = member(b, `,"peer":`, r.Peer)
	b = member(b, `,"plugin":`, r.Plugin)
	b = member(b, `,"plugin_digest":`, r.PluginDigest)
	b = member(b, `,"policy":`, r.Policy)
	b = member(b, `,"previous":`, r.previous)
	b = member(b, `,"profile":`, r.Profile)
	b = member(b, `,"reason":`, r.Reason)
	b = member(b, `,"rule":`, r.Rule)
	b = number(b, `,"seq":`, seq)
	b = member(b, `,"sig":`, r.sig)
	b = flag(b, `,"streaming":`, r.Streaming)
	b = member(b, `,"target":`, r.Target)
	b = append(e.time(append(b, `,"time":"`...), r.Time), '"')
	if a != nil && e.text != None {
		b = member(b, `,"title":`, a.Title)
	}
	b = names(b, `,"unknown":`, r.Unknown)
	if r.Kind == End {
		b = number(b, `,"up":`, r.Up)
	}
	b = names(b, `,"would_deny":`, r.WouldDeny)
	b = names(b, `,"would_hold":`, r.WouldHold)
	return names(b, `,"would_judge":`, r.WouldJudge)
}

// mismatch is the name of the pair of a note that says that a server did something else than what was allowed.
const mismatch = "mismatch"

// outcomeOf is the outcome as it is written.
func outcomeOf(r *Record) Outcome {
	if r.FailClosed {
		return OutcomeFailClosed
	}
	if r.Kind == Note && r.Outcome == "" {
		for i := 0; i+1 < len(r.Pairs) && i < 2*MaxPairs; i += 2 {
			if r.Pairs[i] == mismatch {
				return OutcomeMismatch
			}
		}
	}
	return r.Outcome
}

// moment appends a time, or nothing when it is zero.
func moment(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b = append(append(b, name...), '"')
	return append(when(t).AppendFormat(b, timeLayout), '"')
}

// needs writes what a held action waits for.
func needs(b []byte, all []Need) []byte {
	if len(all) == 0 {
		return b
	}
	b = append(b, `,"needs":[`...)
	for i, n := range all[:min(len(all), MaxNames)] {
		if i > 0 {
			b = append(b, ',')
		}
		b = number(b, `{"approvals":`, uint64(max(n.Approvals, 1)))
		b = names(b, `,"approvers":`, n.Approvers)
		b = flag(b, `,"not_requester":`, n.NotRequester)
		b = append(appendString(append(b, `,"rule":`...), cut(n.Rule, 256)), '}')
	}
	return append(b, ']')
}

func when(t time.Time) time.Time {
	if t.IsZero() {
		t = time.Now()
	}
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return time.Time{} // nothing that the layout can show
	}
	return t
}

// time appends t in timeLayout, or now when it is zero. Most records are of the same second as the one before.
func (e *encoder) time(b []byte, t time.Time) []byte {
	if t.IsZero() {
		t = time.Now()
	}
	if second := t.Unix(); second != e.second || e.stamp[0] == 0 {
		t = when(t)
		e.second = t.Unix()
		t.AppendFormat(e.stamp[:0], "2006-01-02T15:04:05")
	}
	b = append(b, e.stamp[:]...)
	n := len(b)
	b = append(b, ".000000Z"...)
	for micro, i := t.Nanosecond()/1000, n+6; micro > 0; micro, i = micro/10, i-1 {
		b[i] += byte(micro % 10)
	}
	return b
}

// member appends a string member, or nothing when it is empty.
func member(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, name...)
	return appendString(b, cut(value, MaxString))
}

func number(b []byte, name string, n uint64) []byte {
	return strconv.AppendUint(append(b, name...), min(n, maxExact), 10)
}

func flag(b []byte, name string, v bool) []byte {
	if !v {
		return b
	}
	return append(append(b, name...), "true"...)
}

func names(b []byte, name string, values []string) []byte {
	if len(values) == 0 {
		return b
	}
	b = append(append(b, name...), '[')
	for i, v := range values[:min(len(values), MaxNames)] {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, cut(v, 256))
	}
	return append(b, ']')
}

// pairs writes a note as a list of pairs, because a plugin may use a name twice.
func pairs(b []byte, values []string) []byte {
	if len(values) == 0 {
		return b
	}
	b = append(b, `,"note":[`...)
	for i := 0; i+1 < len(values) && i < 2*MaxPairs; i += 2 {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(b, '['), cut(values[i], 256))
		b = appendString(append(b, ','), cut(values[i+1], MaxString))
		b = append(b, ']')
	}
	return append(b, ']')
}

// cut shortens s to at most n bytes, not inside a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
