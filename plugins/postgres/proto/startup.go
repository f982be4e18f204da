package proto

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Codes that stand where a StartupMessage has its protocol version.
const (
	CancelRequest = 1234<<16 | 5678
	SSLRequest    = 1234<<16 | 5679
	GSSENCRequest = 1234<<16 | 5680
)

// NewestMinor is the newest minor version of protocol 3 whose messages this package knows: 3.2, of PostgreSQL 18.
const NewestMinor = 2

// Errors of a startup packet. After ErrStartupLength the server says nothing at all.
var (
	ErrStartupLength = errors.New("invalid length of startup packet")
	ErrStartupLayout = errors.New("invalid startup packet layout: expected terminator as last byte")
)

// StartupHeader reads the length of a packet before the session begins, its length word included, and the code or version
// behind it. ok is false while fewer than 8 bytes are there and what is there could still be right.
func StartupHeader(p []byte) (code uint32, size int, ok bool, err error) {
	if len(p) < 4 {
		return 0, 0, false, nil
	}
	n := int64(int32(binary.BigEndian.Uint32(p)))
	if n < 8 || n > 4+MaxStartup {
		return 0, 0, false, ErrStartupLength
	}
	if len(p) < 8 {
		return 0, 0, false, nil
	}
	return binary.BigEndian.Uint32(p[4:]), int(n), true, nil
}

// ReadStartup hands the parameters of a StartupMessage, the whole packet, to each in their order. The values are views into p.
func ReadStartup(p []byte, each func(name, value []byte)) error {
	b := body{p: p[8:]}
	for {
		name := b.str()
		if b.bad {
			return ErrStartupLayout
		}
		if len(name) == 0 {
			if len(b.p) != 0 {
				return ErrStartupLayout
			}
			return nil
		}
		value := b.str()
		if b.bad {
			return ErrStartupLayout
		}
		each(name, value)
	}
}

// IsFalse reports whether the server reads v as a boolean that is false (parse_bool): a prefix of "false" or "no", "off" or
// "of", or "0", in any case.
func IsFalse(v []byte) bool {
	v = bytes.ToLower(v)
	if len(v) == 0 {
		return false
	}
	prefix := func(word string) bool { return len(v) <= len(word) && string(v) == word[:len(v)] }
	return prefix("false") || prefix("no") || string(v) == "0" || len(v) >= 2 && prefix("off")
}
