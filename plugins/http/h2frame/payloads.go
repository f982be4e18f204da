package h2frame

// SettingID names a parameter, section 6.5.2. Those that are not known are ignored.
type SettingID uint16

// The parameters.
const (
	HeaderTableSize       SettingID = 0x1
	EnablePush            SettingID = 0x2
	MaxConcurrentStreams  SettingID = 0x3
	InitialWindowSize     SettingID = 0x4
	MaxFrameSize          SettingID = 0x5
	MaxHeaderListSize     SettingID = 0x6
	EnableConnectProtocol SettingID = 0x8 // RFC 8441
	NoRFC7540Priorities   SettingID = 0x9 // RFC 9218
)

// Setting is one parameter of a SETTINGS frame.
type Setting struct {
	ID    SettingID
	Value uint32
}

const (
	settingSize = 6
	goAwaySize  = 8
)

// SettingsCount is how many parameters a payload has.
func SettingsCount(p []byte) int { return len(p) / settingSize }

// SettingAt reads parameter i of the payload of a SETTINGS frame and looks at its value.
func SettingAt(p []byte, i int) (Setting, *Problem) {
	p = p[i*settingSize:]
	s := Setting{SettingID(p[0])<<8 | SettingID(p[1]), U32(p[2:])}
	switch {
	case s.ID == EnablePush && s.Value > 1:
		return s, errEnablePush
	case s.ID == InitialWindowSize && s.Value > MaxWindow:
		return s, errWindow
	case s.ID == MaxFrameSize && (s.Value < DefaultMaxSize || s.Value > MostMaxSize):
		return s, errMaxSize
	}
	return s, nil
}

// Increment reads the payload of a WINDOW_UPDATE frame.
func Increment(p []byte) (uint32, *Problem) {
	n := U32(p) & MaxWindow
	if n == 0 {
		return 0, errIncrement
	}
	return n, nil
}

// ReadGoAway reads the fixed part of the payload of a GOAWAY frame.
func ReadGoAway(p []byte) (last uint32, code Code) { return U32(p) & MaxStream, Code(U32(p[4:])) }

// AppendHead appends a head.
func AppendHead(b []byte, length int, t Type, f Flags, stream uint32) []byte {
	return append(b, byte(length>>16), byte(length>>8), byte(length), byte(t), byte(f), byte(stream>>24), byte(stream>>16), byte(stream>>8), byte(stream))
}

func appendU32(b []byte, v uint32) []byte {
	return append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

// AppendSettings appends a SETTINGS frame.
func AppendSettings(b []byte, settings ...Setting) []byte {
	b = AppendHead(b, len(settings)*settingSize, Settings, 0, 0)
	for _, s := range settings {
		b = appendU32(append(b, byte(s.ID>>8), byte(s.ID)), s.Value)
	}
	return b
}

// AppendSettingsAck appends the acknowledgement of a SETTINGS frame.
func AppendSettingsAck(b []byte) []byte { return AppendHead(b, 0, Settings, Ack, 0) }

// AppendWindowUpdate appends a WINDOW_UPDATE frame; stream 0 is the connection.
func AppendWindowUpdate(b []byte, stream, n uint32) []byte {
	return appendU32(AppendHead(b, 4, WindowUpdate, 0, stream), n)
}

// AppendReset appends a RST_STREAM frame.
func AppendReset(b []byte, stream uint32, code Code) []byte {
	return appendU32(AppendHead(b, 4, ResetStream, 0, stream), uint32(code))
}

// AppendGoAway appends a GOAWAY frame; text is for people.
func AppendGoAway(b []byte, last uint32, code Code, text string) []byte {
	b = AppendHead(b, goAwaySize+len(text), GoAway, 0, 0)
	b = appendU32(appendU32(b, last), uint32(code))
	return append(b, text...)
}

// AppendHeaders appends a header block in as many frames as it takes, none with more than size bytes.
func AppendHeaders(b []byte, stream uint32, f Flags, block []byte, size int) []byte {
	n := min(len(block), size)
	last := Flags(0)
	if n == len(block) {
		last = EndHeaders
	}
	b = append(AppendHead(b, n, Headers, f|last, stream), block[:n]...)
	for block = block[n:]; len(block) > 0; block = block[n:] {
		if n = min(len(block), size); n == len(block) {
			last = EndHeaders
		}
		b = append(AppendHead(b, n, Continuation, last, stream), block[:n]...)
	}
	return b
}
