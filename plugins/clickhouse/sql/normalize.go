package sql

import "github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"

// Normalize appends text to dst with ? in place of its constants, ?.. in place of several with commas between, one space between tokens
// at most, and no comments. What Read calls data ends it, so it takes the facts of that text.
func (r *Reader) Normalize(dst, text []byte, v Version, f *Facts) []byte {
	if f.Data == DataInline {
		text = text[:f.DataAt]
	}
	var l lex.Lexer
	l.Reset(text, v.since(nestedFrom), v.since(heredocFrom))
	begin := len(dst)
	space, constants, comma := false, 0, false // of what stands before
	for {
		t := l.Next()
		switch t.Kind {
		case lex.End:
			return dst
		case lex.Space, lex.Comment:
			space = true
			continue
		case lex.Number, lex.String, lex.HereDoc:
			if comma && constants > 0 {
				if constants++; constants == 2 {
					dst = append(dst[:len(dst)-1], '.', '.')
				} else {
					dst = dst[:len(dst)-1]
				}
				comma, space = false, false
				continue
			}
			constants = 1
		case lex.Comma:
			comma = constants > 0 && !comma
			dst, space = append(dst, ','), false
			continue
		default:
			constants = 0
		}
		if comma = false; space && len(dst) > begin {
			dst = append(dst, ' ')
		}
		if space = false; constants > 0 {
			dst = append(dst, '?')
		} else {
			dst = append(dst, text[t.Start:t.End]...)
		}
	}
}

// Fingerprint is 16 hexadecimal digits that texts with the same normalized text share: its FNV-1a hash.
func Fingerprint(normalized []byte) string {
	h := uint64(14695981039346656037)
	for _, c := range normalized {
		h = (h ^ uint64(c)) * 1099511628211
	}
	var out [16]byte
	for i := range out {
		out[i] = "0123456789abcdef"[h>>(60-4*i)&15]
	}
	return string(out[:])
}
