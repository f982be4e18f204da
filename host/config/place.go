package config

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// lines finds places by their offset. Offsets that mostly grow cost one pass over the file in all.
type lines struct {
	data []byte
	// at is an offset on the line that begins at begin, chars the number of characters between them.
	at, begin, line, chars int
}

func (l *lines) pos(offset int) Pos {
	if offset < l.at {
		if offset >= l.begin {
			l.at, l.chars = l.begin, 0
		} else {
			l.at, l.begin, l.line, l.chars = 0, 0, 1, 0
		}
	}
	for {
		nl := bytes.IndexByte(l.data[l.at:offset], '\n')
		if nl < 0 {
			break
		}
		l.at += nl + 1
		l.begin, l.chars = l.at, 0
		l.line++
	}
	l.chars += utf8.RuneCount(l.data[l.at:offset])
	l.at = offset
	return Pos{l.line, l.chars + 1}
}

// shorten cuts a word of the file for a message.
func shorten(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// quote returns a word of the file in quotes, cut when it is long.
func quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }
