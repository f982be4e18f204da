// Package h2frame reads and writes the frames of HTTP/2, RFC 9113 sections 4 and 6: sizes, flags, stream numbers and padding, strictly. What a frame means in
// the state that a connection or a stream is in is not its business.
//
// It is written for a guest: nothing is allocated, a frame's parts are places in the input.
package h2frame

// HeadSize is the size of a frame's head in bytes, section 4.1.
const HeadSize = 9

// Sizes of a frame's payload in bytes, section 6.5.2: what everybody takes, and the most that anybody may ask for.
const (
	DefaultMaxSize = 1 << 14
	MostMaxSize    = 1<<24 - 1
)

// MaxWindow is the most that a flow-control window can have, section 6.9.1; DefaultWindow is what it has at first.
const (
	MaxWindow     = 1<<31 - 1
	DefaultWindow = 1<<16 - 1
)

// MaxStream is the largest number of a stream, section 5.1.1.
const MaxStream = 1<<31 - 1

// Preface is what a client begins with, section 3.4.
const Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Type is the type of a frame.
type Type uint8

// The types, section 6. Others are ignored.
const (
	Data         Type = 0x0 // section 6.1
	Headers      Type = 0x1 // section 6.2
	Priority     Type = 0x2 // section 6.3
	ResetStream  Type = 0x3 // section 6.4
	Settings     Type = 0x4 // section 6.5
	PushPromise  Type = 0x5 // section 6.6
	Ping         Type = 0x6 // section 6.7
	GoAway       Type = 0x7 // section 6.8
	WindowUpdate Type = 0x8 // section 6.9
	Continuation Type = 0x9 // section 6.10
)

// Flags of a frame. Which mean something depends on the type; others are ignored.
type Flags uint8

// The flags.
const (
	EndStream    Flags = 0x1  // Data, Headers
	Ack          Flags = 0x1  // Settings, Ping
	EndHeaders   Flags = 0x4  // Headers, PushPromise, Continuation
	Padded       Flags = 0x8  // Data, Headers, PushPromise
	WithPriority Flags = 0x20 // Headers
)

// Code is an error code, section 7.
type Code uint32

// The error codes.
const (
	NoError            Code = 0x0
	ProtocolError      Code = 0x1
	InternalError      Code = 0x2
	FlowControlError   Code = 0x3
	SettingsTimeout    Code = 0x4
	StreamClosed       Code = 0x5
	FrameSizeError     Code = 0x6
	RefusedStream      Code = 0x7
	Cancel             Code = 0x8
	CompressionError   Code = 0x9
	ConnectError       Code = 0xa
	EnhanceYourCalm    Code = 0xb
	InadequateSecurity Code = 0xc
	HTTP11Required     Code = 0xd
)

// Problem is what is wrong with a frame. All of these end the connection: where section 6 has them end a stream only, a sender that does such a thing is
// not one to go on with (section 5.4.2 allows that).
type Problem struct {
	Code Code
	Text string
}

func (p *Problem) Error() string { return p.Text }

// The problems.
var (
	errSize       = &Problem{FrameSizeError, "a frame is larger than was allowed"}
	errFixedSize  = &Problem{FrameSizeError, "a frame has not the size that its type has"}
	errTooSmall   = &Problem{FrameSizeError, "a frame is too small for what its flags promise"}
	errNoStream   = &Problem{ProtocolError, "a frame that belongs to a stream names none"}
	errStream     = &Problem{ProtocolError, "a frame of the connection names a stream"}
	errPadding    = &Problem{ProtocolError, "a frame has more padding than payload"}
	errPush       = &Problem{ProtocolError, "PUSH_PROMISE, which nobody asked for"}
	errIncrement  = &Problem{ProtocolError, "WINDOW_UPDATE by nothing"}
	errAckSize    = &Problem{FrameSizeError, "an acknowledgement of SETTINGS is not empty"}
	errEnablePush = &Problem{ProtocolError, "SETTINGS_ENABLE_PUSH is neither 0 nor 1"}
	errWindow     = &Problem{FlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE is larger than a window can be"}
	errMaxSize    = &Problem{ProtocolError, "SETTINGS_MAX_FRAME_SIZE is out of its bounds"}
)

// Head is the head of a frame, section 4.1.
type Head struct {
	Length uint32 // of the payload
	Type   Type
	Flags  Flags
	Stream uint32 // without the reserved bit
}

// ReadHead reads a head; p has HeadSize bytes or more.
func ReadHead(p []byte) Head {
	_ = p[HeadSize-1]
	return Head{Length: uint32(p[0])<<16 | uint32(p[1])<<8 | uint32(p[2]), Type: Type(p[3]), Flags: Flags(p[4]), Stream: U32(p[5:]) & MaxStream}
}

// Has reports whether all of the flags are set.
func (h *Head) Has(f Flags) bool { return h.Flags&f == f }

// fixed are the sizes of frames that have one, as size plus 1.
var fixed = [...]uint8{Priority: 5 + 1, ResetStream: 4 + 1, Ping: 8 + 1, WindowUpdate: 4 + 1, Continuation: 0}

// Check looks at a head: its size, at most maxSize, and whether it names a stream. Nil: it is in order.
func (h *Head) Check(maxSize uint32) *Problem {
	if h.Length > maxSize {
		return errSize
	}
	if h.Type > Continuation {
		return nil
	}
	if n := fixed[h.Type]; n > 0 && h.Length != uint32(n-1) {
		return errFixedSize
	}
	switch h.Type {
	case Settings, Ping, GoAway:
		if h.Stream != 0 {
			return errStream
		}
	case WindowUpdate:
		return nil
	case PushPromise:
		return errPush
	default:
		if h.Stream == 0 {
			return errNoStream
		}
	}
	switch h.Type {
	case Settings:
		if h.Has(Ack) && h.Length > 0 {
			return errAckSize
		}
		if h.Length%settingSize != 0 {
			return errFixedSize
		}
	case GoAway:
		if h.Length < goAwaySize {
			return errTooSmall
		}
	case Data, Headers:
		if h.Length < h.Fixed() {
			return errTooSmall
		}
	}
	return nil
}

// Fixed is how many bytes stand before the data of Data and the block of Headers: the length of the padding, and a priority (section 6.2).
func (h *Head) Fixed() (n uint32) {
	if h.Has(Padded) {
		n = 1
	}
	if h.Type == Headers && h.Has(WithPriority) {
		n += 5
	}
	return n
}

// Body tells where the data of Data or the block of Headers stands in the payload: from Fixed on, n bytes. p is the payload's beginning, at least its first byte when the
// frame is padded.
func (h *Head) Body(p []byte) (n uint32, err *Problem) {
	n = h.Length - h.Fixed()
	if !h.Has(Padded) {
		return n, nil
	}
	if pad := uint32(p[0]); pad <= n {
		return n - pad, nil
	}
	return 0, errPadding
}

// U32 reads an integer of 32 bits.
func U32(p []byte) uint32 {
	_ = p[3]
	return uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3])
}
