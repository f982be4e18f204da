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
	ErrCancelLength  = errors.New("invalid length of cancel key in cancel request packet")
)

// TLSHandshake is the first byte of a TLS connection that begins without an SSLRequest (PostgreSQL 17), and ALPN the protocol
// that its client must ask for there.
const (
	TLSHandshake = 0x16
	ALPN         = "postgresql"
)

// Sizes of cancel keys, in bytes: 4 in protocol 3.0, up to MaxKey from 3.2 on. CancelHead is what stands before the key in a
// CancelRequest, KeyHead in a BackendKeyData: in both the process ID comes last.
const (
	MinKey     = 4
	MaxKey     = 256
	CancelHead = 12
	KeyHead    = HeaderSize + 4
)

// CancelKey is the length of the key in a CancelRequest of size bytes.
func CancelKey(size int) (n int, err error) {
	if n = size - CancelHead; n < MinKey || n > MaxKey {
		return 0, ErrCancelLength
	}
	return n, nil
}

// BackendKey is the length of the key in a BackendKeyData of size bytes, its type byte included, in minor version minor.
func BackendKey(size int64, minor uint32) (n int, err error) {
	k := size - KeyHead
	if k < MinKey || k > MaxKey || minor < 2 && k != MinKey {
		return 0, ErrFormat
	}
	return int(k), nil
}

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
		if b.bad() {
			return ErrStartupLayout
		}
		if len(name) == 0 {
			if len(b.p) != 0 {
				return ErrStartupLayout
			}
			return nil
		}
		value := b.str()
		if b.bad() {
			return ErrStartupLayout
		}
		each(name, value)
	}
}

// RewriteStartup writes a StartupMessage, the whole packet, that is read without an error, with another user and database; an
// empty one is left as it is. Everything else stays, in its order.
func RewriteStartup(packet []byte, user, database string) []byte {
	out := append(make([]byte, 0, len(packet)+len(user)+len(database)+16), packet[:8]...)
	parameter := func(name, value string) {
		out = append(append(append(append(out, name...), 0), value...), 0)
	}
	hasUser, hasDatabase := user == "", database == ""
	ReadStartup(packet, func(name, value []byte) {
		switch {
		case string(name) == "user" && user != "":
			parameter("user", user)
			hasUser = true
		case string(name) == "database" && database != "":
			parameter("database", database)
			hasDatabase = true
		default:
			parameter(string(name), string(value))
		}
	})
	if !hasUser {
		parameter("user", user)
	}
	if !hasDatabase {
		parameter("database", database)
	}
	out = append(out, 0)
	binary.BigEndian.PutUint32(out, uint32(len(out)))
	return out
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

// AppendRequest appends a packet that is nothing but its code, such as SSLRequest.
func AppendRequest(b []byte, code uint32) []byte {
	b = binary.BigEndian.AppendUint32(b, 8)
	return binary.BigEndian.AppendUint32(b, code)
}
