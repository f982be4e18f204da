package http

import (
	"bytes"
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/http/answer"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// reader names columns and rows in the formats of which it is known where they stand; nil: the body is read as any other.
func reader(format string) answer.Reader {
	lower := strings.ToLower(format)
	lower = strings.Replace(lower, "tsv", "tabseparated", 1)
	if rest, ok := strings.CutPrefix(lower, "tabseparated"); ok {
		raw := strings.HasPrefix(rest, "raw")
		switch strings.TrimPrefix(rest, "raw") {
		case "":
			return separated{raw: raw}.read
		case "withnames":
			return separated{raw: raw, heads: 1}.read
		case "withnamesandtypes":
			return separated{raw: raw, heads: 2}.read
		}
		return nil
	}
	switch lower {
	case "json", "jsonstrings", "jsoncompact", "jsoncompactstrings":
		return document
	case "jsoneachrow", "jsonstringseachrow", "jsonlines", "ndjson", "jsoneachrowwithprogress":
		return rows
	case "jsoncompacteachrow", "jsoncompactstringseachrow":
		return compactRows(0)
	case "jsoncompacteachrowwithnames", "jsoncompactstringseachrowwithnames":
		return compactRows(1)
	case "jsoncompacteachrowwithnamesandtypes", "jsoncompactstringseachrowwithnamesandtypes":
		return compactRows(2)
	}
	return nil
}

// separated is TabSeparated: heads lines of names and types stand in front.
type separated struct {
	raw   bool // without escapes
	heads int
}

func (f separated) read(text []byte, _ bool, tell answer.Tell, say answer.Say) (r answer.Read, ok bool) {
	r.Unnamed = f.heads == 0
	for at, line := 0, 0; at < len(text); line++ {
		end := at + bytes.IndexByte(text[at:], '\n')
		if end < at {
			end = len(text)
		}
		if end > at && line >= f.heads {
			r.Rows++
		}
		for column, from := 0, at; from <= end; column++ {
			to := from + bytes.IndexByte(text[from:end], '\t')
			if to < from {
				to = end
			}
			value := text[from:to]
			escaped := !f.raw && bytes.IndexByte(value, '\\') >= 0
			if line == 0 && f.heads > 0 {
				r.Columns = append(r.Columns, string(plain(value, f.raw)))
			}
			format := abi.FormatText
			if line < f.heads {
				format = abi.FormatFixed // a client finds columns by it
			}
			if !escaped || !say(number(column), plain(value, false)) {
				if escaped {
					format = abi.FormatOpaque
				}
				tell(number(column), format, from, to)
			}
			from = to + 1
		}
		at = end + 1
	}
	return r, true
}

func number(column int) uint16 { return uint16(min(column, int(abi.NoColumn)-1)) }

// plain is a value of TabSeparated without its escapes.
func plain(v []byte, raw bool) []byte {
	if raw || bytes.IndexByte(v, '\\') < 0 {
		return v
	}
	b := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		c := v[i]
		if c == '\\' && i+1 < len(v) {
			i++
			c = v[i]
			if k := strings.IndexByte("tnrbfva0", c); k >= 0 {
				c = "\t\n\r\b\f\v\a\x00"[k]
			}
		}
		b = append(b, c)
	}
	return b
}

// document reads JSON and JSONCompact: what stands in data, totals and extremes are values, by column; what stands in meta names the columns.
func document(text []byte, truncated bool, tell answer.Tell, say answer.Say) (r answer.Read, ok bool) {
	numbers := map[string]uint16{}
	names := members{}
	o := answer.Walk(text, func(f *answer.Found) {
		switch {
		case f.Kind == answer.MemberName:
			names.add(answer.Unescaped(text[f.Start:f.End]))
		case f.Kind == answer.StringValue && word(text, f.Top) == "meta" && word(text, f.Name) == "name":
			name := answer.Unescaped(text[f.Start:f.End])
			if _, twice := numbers[name]; !twice {
				numbers[name] = number(len(r.Columns))
			}
			r.Columns = append(r.Columns, name)
		case f.Kind == answer.ElementBegins && f.Depth == 2 && word(text, f.Top) == "data":
			r.Rows++
		}
	})
	if len(r.Columns) == 0 || o != answer.Complete && (o != answer.Incomplete || !truncated) || !names.say(say) {
		return answer.Read{}, false
	}
	column := abi.NoColumn
	answer.Walk(text, func(f *answer.Found) {
		top := word(text, f.Top)
		format := abi.FormatLiteral
		if f.Kind == answer.StringValue {
			format = abi.FormatJSON
		}
		level := 3
		if top == "totals" {
			level = 2
		}
		values := top == "data" || top == "totals" || top == "extremes"
		switch f.Kind {
		case answer.MemberName:
			if values && f.Depth == level {
				var known bool
				if column, known = numbers[answer.Unescaped(text[f.Start:f.End])]; !known {
					column, r.Unnamed = abi.NoColumn, true
				}
			}
		case answer.ElementBegins:
			if values && f.Depth == level {
				column = number(f.Index)
			}
		case answer.StringValue, answer.LiteralValue:
			if values {
				tell(column, format, f.Start, f.End)
			} else if format = abi.FormatFixed; bytes.IndexByte(text[f.Start:f.End], '\\') < 0 || !say(abi.NoColumn, []byte(answer.Unescaped(text[f.Start:f.End]))) {
				tell(abi.NoColumn, format, f.Start, f.End)
			}
		}
	})
	return r, true
}

// usualNames are members that every document has.
const usualNames = " meta name type data totals extremes min max rows rows_before_limit_at_least statistics elapsed rows_read bytes_read exception "

// members are the names of members, each once.
type members struct {
	seen map[string]bool
	all  []string
}

func (m *members) add(name string) {
	if m.seen == nil {
		m.seen = map[string]bool{}
	}
	if !m.seen[name] {
		m.seen[name] = true
		m.all = append(m.all, name)
	}
}

// say gives those that are not in every document, since they can be data: keys of a map. It reports whether there was room.
func (m *members) say(say answer.Say) bool {
	for _, name := range m.all {
		if !strings.Contains(usualNames, " "+name+" ") && !say(abi.NoColumn, []byte(name)) {
			return false
		}
	}
	return true
}

func word(text []byte, s answer.Span) string {
	if s.Start < 0 {
		return ""
	}
	return answer.Unescaped(text[s.Start:s.End])
}

// rows reads JSONEachRow: an object for each row.
func rows(text []byte, truncated bool, tell answer.Tell, say answer.Say) (r answer.Read, ok bool) {
	numbers, names := map[string]uint16{}, members{}
	o := answer.Walk(text, func(f *answer.Found) {
		switch {
		case f.Kind == answer.TextBegins:
			r.Rows++
		case f.Kind != answer.MemberName:
		case f.Depth > 1:
			names.add(answer.Unescaped(text[f.Start:f.End]))
		default:
			name := answer.Unescaped(text[f.Start:f.End])
			if _, known := numbers[name]; !known {
				numbers[name] = number(len(r.Columns))
				r.Columns = append(r.Columns, name)
				names.add(name)
			}
		}
	})
	if o != answer.Complete && (o != answer.Incomplete || !truncated) || !names.say(say) {
		return answer.Read{}, false
	}
	column := abi.NoColumn
	answer.Walk(text, func(f *answer.Found) {
		switch f.Kind {
		case answer.TextBegins:
			column = abi.NoColumn
		case answer.MemberName:
			if f.Depth == 1 {
				column = numbers[answer.Unescaped(text[f.Start:f.End])]
			}
		case answer.StringValue:
			tell(column, abi.FormatJSON, f.Start, f.End)
		case answer.LiteralValue:
			tell(column, abi.FormatLiteral, f.Start, f.End)
		}
	})
	return r, true
}

// compactRows reads an array for each row, behind so many with the names and types of columns.
func compactRows(heads int) answer.Reader {
	return func(text []byte, truncated bool, tell answer.Tell, say answer.Say) (r answer.Read, ok bool) {
		names := members{}
		o := answer.Walk(text, func(f *answer.Found) {
			if f.Kind == answer.MemberName {
				names.add(answer.Unescaped(text[f.Start:f.End]))
			}
		})
		if o != answer.Complete && (o != answer.Incomplete || !truncated) || !names.say(say) {
			return r, false
		}
		r.Unnamed = heads == 0
		line, column := -1, abi.NoColumn
		answer.Walk(text, func(f *answer.Found) {
			switch f.Kind {
			case answer.TextBegins:
				if line++; line >= heads {
					r.Rows++
				}
			case answer.ElementBegins:
				if f.Depth == 1 {
					column = number(f.Index)
				}
			case answer.StringValue, answer.LiteralValue:
				format := abi.FormatLiteral
				if f.Kind == answer.StringValue {
					format = abi.FormatJSON
				}
				if line == 0 && heads > 0 {
					r.Columns = append(r.Columns, answer.Unescaped(text[f.Start:f.End]))
				}
				if line < heads {
					if bytes.IndexByte(text[f.Start:f.End], '\\') >= 0 && say(column, []byte(answer.Unescaped(text[f.Start:f.End]))) {
						return
					}
					format = abi.FormatFixed
				}
				tell(column, format, f.Start, f.End)
			}
		})
		return r, true
	}
}
