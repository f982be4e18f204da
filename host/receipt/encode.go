package receipt

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
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
	format = "sallyport receipts, format 1"
	// timeLayout has a fixed width, so that lines sort.
	timeLayout = "2006-01-02T15:04:05.000000Z"
	// maxExact is the greatest integer that every JSON reader keeps; larger ones are written as strings.
	maxExact = 1<<53 - 1
)

// encoder writes lines. It remembers for each family the order of its fields.
type encoder struct {
	tag      string
	maxField int
	orders   map[*abi.Family][]int
	order    []int // of the record in hand
}

// line appends the line of r, which follows end, to b. Members are written in the order of their names.
func (e *encoder) line(b []byte, r *Record, end *tip) (line []byte, id string, hash [hashSize]byte) {
	begin := len(b)
	id = e.tag + "-" + strconv.FormatUint(end.seq, 10)
	b = append(b, `{"_hash":"`...)
	b = hex.AppendEncode(b, hash[:])
	b = append(b, `","_prev":"`...)
	b = hex.AppendEncode(b, end.prev[:])
	b = append(b, '"')
	b = e.members(b, r, id, end.seq)
	b = append(b, '}')
	// The hash is that of the object without the member _hash: "{" stands for a moment where its comma is.
	b[begin+restAt-1] = '{'
	hash = sha256.Sum256(b[begin+restAt-1:])
	b[begin+restAt-1] = ','
	hex.Encode(b[begin+hashAt:], hash[:])
	return append(b, '\n'), id, hash
}

func (e *encoder) members(b []byte, r *Record, id string, seq uint64) []byte {
	a := r.Action
	if r.Kind == Decision || r.Kind == Note {
		b = append(b, `,"action":`...)
		b = strconv.AppendUint(b, uint64(r.ActionID), 10)
	}
	if a != nil {
		b = member(b, `,"class":`, a.Class.String())
	}
	b = member(b, `,"conn":`, r.Conn)
	if a != nil && a.Family != nil {
		b = e.cuts(b, a)
	}
	b = member(b, `,"detail":`, r.Detail)
	if r.Kind == End {
		b = number(b, `,"down":`, r.Down)
	}
	b = member(b, `,"endpoint":`, r.Endpoint)
	b = flag(b, `,"fail_closed":`, r.FailClosed)
	if a != nil && a.Family != nil {
		b = member(b, `,"family":`, a.Family.Name)
		b = e.fields(b, a)
	}
	b = member(b, `,"id":`, id)
	b = member(b, `,"kind":`, string(r.Kind))
	b = pairs(b, r.Pairs)
	b = member(b, `,"outcome":`, r.Outcome)
	b = member(b, `,"parent":`, r.Parent)
	b = member(b, `,"peer":`, r.Peer)
	b = member(b, `,"plugin":`, r.Plugin)
	b = member(b, `,"plugin_digest":`, r.PluginDigest)
	b = member(b, `,"policy":`, r.Policy)
	b = member(b, `,"profile":`, r.Profile)
	b = member(b, `,"reason":`, r.Reason)
	b = member(b, `,"rule":`, r.Rule)
	b = number(b, `,"seq":`, seq)
	b = flag(b, `,"streaming":`, r.Streaming)
	b = member(b, `,"target":`, r.Target)
	b = append(b, `,"time":"`...)
	b = when(r.Time).AppendFormat(b, timeLayout)
	b = append(b, '"')
	if a != nil {
		b = member(b, `,"title":`, a.Title)
	}
	b = names(b, `,"unknown":`, r.Unknown)
	if r.Kind == End {
		b = number(b, `,"up":`, r.Up)
	}
	return names(b, `,"would_deny":`, r.WouldDeny)
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

// ordered returns the indices of the family's fields in the order of their names.
func (e *encoder) ordered(f *abi.Family) []int {
	if order, ok := e.orders[f]; ok {
		return order
	}
	if e.orders == nil || len(e.orders) >= 1024 {
		e.orders = map[*abi.Family][]int{}
	}
	order := make([]int, len(f.Fields))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(f.Fields[a].Name, f.Fields[b].Name) })
	e.orders[f] = order
	return order
}

// cuts writes the sizes of the fields that do not fit: of a string in bytes, of a list in elements. It also keeps the order
// of the known fields for fields.
func (e *encoder) cuts(b []byte, a *abi.Action) []byte {
	e.order = e.order[:0]
	open := false
	for _, i := range e.ordered(a.Family) {
		if i >= len(a.Values) || !a.Values[i].Known {
			continue
		}
		e.order = append(e.order, i)
		size := len(a.Values[i].Str)
		if a.Family.Fields[i].Type == abi.TypeStrings {
			size = len(a.Values[i].List)
			if keep := e.keep(a.Values[i].List); keep == size {
				continue
			}
		} else if size <= e.maxField {
			continue
		}
		if !open {
			b = append(b, `,"cut":{`...)
			open = true
		} else {
			b = append(b, ',')
		}
		b = append(appendString(b, a.Family.Fields[i].Name), ':')
		b = strconv.AppendInt(b, int64(size), 10)
	}
	if open {
		b = append(b, '}')
	}
	return b
}

// keep counts the elements of a list that fit.
func (e *encoder) keep(items []string) int {
	left := e.maxField
	for i, s := range items {
		if left -= len(s) + 4; left < 0 {
			return i
		}
	}
	return len(items)
}

func (e *encoder) fields(b []byte, a *abi.Action) []byte {
	if len(e.order) == 0 {
		return b
	}
	b = append(b, `,"fields":{`...)
	for n, i := range e.order {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, a.Family.Fields[i].Name), ':')
		b = e.value(b, a.Family.Fields[i].Type, &a.Values[i])
	}
	return append(b, '}')
}

func (e *encoder) value(b []byte, t abi.Type, v *abi.Value) []byte {
	switch t {
	case abi.TypeBool:
		return strconv.AppendBool(b, v.Bool)
	case abi.TypeInt:
		if v.Int > maxExact || v.Int < -maxExact {
			b = strconv.AppendInt(append(b, '"'), v.Int, 10)
			return append(b, '"')
		}
		return strconv.AppendInt(b, v.Int, 10)
	case abi.TypeStrings:
		b = append(b, '[')
		for i, s := range v.List[:e.keep(v.List)] {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, s)
		}
		return append(b, ']')
	}
	return appendString(b, cut(v.Str, e.maxField))
}

// appendString writes a JSON string as RFC 8785 (section 3.2.2.2) wants it. Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	plain := 0 // what was not copied yet begins here
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[plain:i]...), "\uFFFD"...)
				plain = i + 1
			}
			i += n
			continue
		}
		b = escape(append(b, s[plain:i]...), c)
		i++
		plain = i
	}
	return append(append(b, s[plain:]...), '"')
}

func escape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\t':
		return append(b, '\\', 't')
	case '\n':
		return append(b, '\\', 'n')
	case '\f':
		return append(b, '\\', 'f')
	case '\r':
		return append(b, '\\', 'r')
	}
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}
