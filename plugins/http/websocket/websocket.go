// Package websocket reads the frames of a WebSocket, RFC 6455 section 5.2, as far as it takes to tell messages apart: strictly, since what two
// ends could read differently would be another message than the one that was decided about.
package websocket

import "encoding/binary"

// Opcode says what a frame is.
type Opcode uint8

// The opcodes. Those from Close on are control frames.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

// Control reports whether frames of this kind stand between and inside of messages.
func (o Opcode) Control() bool { return o >= Close }

// MaxControl bounds what a control frame holds, in bytes.
const MaxControl = 125

// Head is the head of a frame.
type Head struct {
	Final  bool
	Opcode Opcode
	Mask   [4]byte
	Size   int    // of the head, in bytes
	Length uint64 // of what follows
}

// Problem says what of a frame breaks the rules.
type Problem string

// What can be wrong.
const (
	reserved   Problem = "a frame has bits or a kind that no extension was agreed on for"
	unmasked   Problem = "a frame of the client is not masked"
	masked     Problem = "a frame of the server is masked"
	badControl Problem = "a control frame is cut up, or longer than 125 bytes"
	badLength  Problem = "the length of a frame is not written in the shortest way, or too large"
)

// Read reads the head that p begins with. Without a problem ok is false when it has not come whole. client says whose frame it is: those are masked.
func Read(p []byte, client bool) (h Head, ok bool, problem Problem) {
	if len(p) < 2 {
		return h, false, ""
	}
	h.Final, h.Opcode = p[0]&0x80 != 0, Opcode(p[0]&0x0f)
	mask := p[1]&0x80 != 0
	h.Length, h.Size = uint64(p[1]&0x7f), 2
	switch {
	case p[0]&0x70 != 0, h.Opcode > Binary && h.Opcode < Close, h.Opcode > Pong:
		return h, false, reserved
	case client && !mask:
		return h, false, unmasked
	case !client && mask:
		return h, false, masked
	case h.Opcode.Control() && (!h.Final || h.Length > MaxControl):
		return h, false, badControl
	}
	least := uint64(0)
	switch h.Length {
	case 126:
		if len(p) < 4 {
			return h, false, ""
		}
		h.Length, h.Size, least = uint64(binary.BigEndian.Uint16(p[2:])), 4, 126
	case 127:
		if len(p) < 10 {
			return h, false, ""
		}
		h.Length, h.Size, least = binary.BigEndian.Uint64(p[2:]), 10, 1<<16
	}
	if h.Length < least || h.Length > 1<<62 {
		return h, false, badLength
	}
	if mask {
		if len(p) < h.Size+4 {
			return h, false, ""
		}
		h.Mask = [4]byte(p[h.Size:])
		h.Size += 4
	}
	return h, true, ""
}

// AppendUnmasked appends the payload p of a frame with this mask in clear.
func AppendUnmasked(b, p []byte, mask [4]byte) []byte {
	at := len(b)
	b = append(b, p...)
	for i := range b[at:] {
		b[at+i] ^= mask[i&3]
	}
	return b
}

// Codes with which a connection is closed, section 7.4.1.
const (
	ProtocolError = 1002
	Violation     = 1008 // of a policy
)

// AppendClose appends the frame that closes a connection. The reason is cut to what fits, between characters. client: the frame is masked, by zeros.
func AppendClose(b []byte, client bool, code uint16, reason string) []byte {
	most := MaxControl - 2
	if len(reason) > most {
		for most > 0 && reason[most]&0xc0 == 0x80 {
			most--
		}
		reason = reason[:most]
	}
	b = append(b, 0x80|byte(Close), byte(2+len(reason)))
	if client {
		b[len(b)-1] |= 0x80
		b = append(b, 0, 0, 0, 0)
	}
	b = binary.BigEndian.AppendUint16(b, code)
	return append(b, reason...)
}
