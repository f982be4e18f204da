package approve

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Digest names an action exactly: two actions with the same digest are the same in everything that counts.
type Digest [sha256.Size]byte

// String is the digest in hexadecimal, as votes and receipts name it.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Subject is everything that makes an action the one that it is.
type Subject struct {
	// Profile is the peer's; the peer itself is not part of it, a grant names it besides.
	Profile, Endpoint, Credential, PluginDigest string
	// Action has the family, the class, the title and all fields. Streaming: it covers a stream without a known end.
	Action    *abi.Action
	Streaming bool
}

// digestTag begins what is hashed. Another encoding gets another tag.
const digestTag = "sallyport action 1"

// DigestOf is the SHA-256 of the subject's encoding:
//
//	string tag | string profile | string endpoint | string credential | string plugin digest |
//	string family | string class | string title | u8 streaming | u32 count | count fields
//
// A field is: string name | string type | u8 known, and if it is known its value: a bool as u8, an int as i64, a string as a string,
// strings as a u32 count of strings. A string is a u32 length and its bytes. Numbers are big endian. Every string has its length before
// it and every value its type, so no two subjects have the same encoding.
func DigestOf(s Subject) Digest {
	return sha256.Sum256(appendSubject(nil, &s))
}

func appendSubject(b []byte, s *Subject) []byte {
	for _, text := range []string{digestTag, s.Profile, s.Endpoint, s.Credential, s.PluginDigest} {
		b = appendString(b, text)
	}
	a := s.Action
	if a == nil {
		a = &abi.Action{}
	}
	f := a.Family
	if f == nil {
		f = &abi.Family{}
	}
	b = appendString(b, f.Name)
	b = appendString(b, a.Class.String())
	b = appendString(b, a.Title)
	b = appendBool(b, s.Streaming)
	b = binary.BigEndian.AppendUint32(b, uint32(len(a.Values)))
	for i := range a.Values {
		var field abi.Field
		if i < len(f.Fields) {
			field = f.Fields[i]
		}
		b = appendString(b, field.Name)
		b = appendString(b, string(field.Type))
		b = appendValue(b, field.Type, &a.Values[i])
	}
	return b
}

func appendValue(b []byte, t abi.Type, v *abi.Value) []byte {
	b = appendBool(b, v.Known)
	if !v.Known {
		return b
	}
	switch t {
	case abi.TypeBool:
		return appendBool(b, v.Bool)
	case abi.TypeInt:
		return binary.BigEndian.AppendUint64(b, uint64(v.Int))
	case abi.TypeString:
		return appendString(b, v.Str)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(v.List)))
	for _, s := range v.List {
		b = appendString(b, s)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}
