// Package sshwire reads and writes the records in which a connection of SSH reaches a plugin: u32 stream, u32 length (big endian), then a message
// of RFC 4254 that begins with its number, without channel numbers, windows and packet sizes. Stream 0 carries global requests; channels have the
// numbers that the host gives: odd ones opened by the agent, even ones by the upstream. sdk/ABI.md ("SSH") is the whole agreement.
package sshwire

import "encoding/binary"

// Numbers of messages, RFC 4254 section 9, and the host's own.
const (
	GlobalRequest  = 80
	RequestSuccess = 81
	RequestFailure = 82
	Open           = 90
	OpenConfirm    = 91
	OpenFailure    = 92
	Data           = 94
	ExtendedData   = 95
	EOF            = 96
	Close          = 97
	ChannelRequest = 98
	ChannelSuccess = 99
	ChannelFailure = 100
	Ready          = 192 // to the agent: its login succeeds
	Refuse         = 193 // to the agent: it fails, with this text
	Adjust         = 194 // to the side whose data was dropped: so many bytes are free again
	Splice         = 195 // to a side: data to it comes from the other one in the host
	Record         = 196 // to the agent: this terminal begins, and belongs to that action
	Discard        = 197 // to a side: data to it is thrown away in the host from now on
	Transfers      = 198 // to the upstream: file data of SFTP for these handles passes in the host, both ways
	HeadSize       = 8
	MaxMessage     = 64 << 10 // of a record, in bytes
	MaxData        = 32 << 10 // of the data in one
	Administrative = 1        // reason of OpenFailure: administratively prohibited
	StandardError  = 1        // code of ExtendedData
	dataHead       = 1 + 4
	DataAt         = HeadSize + dataHead // where the data of a record begins
	ExtendedAt     = DataAt + 4
)

// Head reads a record's head. ok is false while it has not come.
func Head(p []byte) (stream uint32, length int, ok bool) {
	if len(p) < HeadSize {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(p), int(binary.BigEndian.Uint32(p[4:])), true
}

// Begin appends the head and the number of a message whose length is set by End.
func Begin(b []byte, stream uint32, number byte) []byte {
	b = binary.BigEndian.AppendUint32(b, stream)
	b = binary.BigEndian.AppendUint32(b, 0)
	return append(b, number)
}

// End sets the length of the record that begins at start.
func End(b []byte, start int) []byte {
	binary.BigEndian.PutUint32(b[start+4:], uint32(len(b)-start-HeadSize))
	return b
}

// AppendEmpty appends a message that is its number alone.
func AppendEmpty(b []byte, stream uint32, number byte) []byte {
	return End(Begin(b, stream, number), len(b))
}

// AppendData appends DATA, in records of at most MaxData bytes.
func AppendData(b []byte, stream uint32, p []byte) []byte {
	for len(p) > 0 {
		n := min(len(p), MaxData)
		start := len(b)
		b = AppendString(Begin(b, stream, Data), p[:n])
		b = End(b, start)
		p = p[n:]
	}
	return b
}

// AppendString appends a string as RFC 4251 section 5 has it.
func AppendString[T string | []byte](b []byte, s T) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// AppendStderr appends text for the standard error of a session.
func AppendStderr(b []byte, stream uint32, text string) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint32(Begin(b, stream, ExtendedData), StandardError)
	return End(AppendString(b, text), start)
}

// AppendText appends a message that is one string: Refuse.
func AppendText(b []byte, stream uint32, number byte, text string) []byte {
	start := len(b)
	return End(AppendString(Begin(b, stream, number), text), start)
}

// AppendAdjust appends Adjust.
func AppendAdjust(b []byte, stream uint32, n int) []byte {
	start := len(b)
	return End(binary.BigEndian.AppendUint32(Begin(b, stream, Adjust), uint32(n)), start)
}

// AppendRecord appends Record.
func AppendRecord(b []byte, stream, action uint32) []byte {
	start := len(b)
	return End(binary.BigEndian.AppendUint32(Begin(b, stream, Record), action), start)
}

// AppendOpenFailure appends CHANNEL_OPEN_FAILURE.
func AppendOpenFailure(b []byte, stream uint32, text string) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint32(Begin(b, stream, OpenFailure), Administrative)
	return End(AppendString(AppendString(b, text), "en"), start)
}

// AppendExit appends the request exit-status.
func AppendExit(b []byte, stream uint32, status uint32) []byte {
	start := len(b)
	b = append(AppendString(Begin(b, stream, ChannelRequest), "exit-status"), 0)
	return End(binary.BigEndian.AppendUint32(b, status), start)
}

// Fields reads the parts of a message. Bad is set when one is not there.
type Fields struct {
	P   []byte
	Bad bool
}

// U32 reads a number.
func (f *Fields) U32() uint32 {
	if len(f.P) < 4 {
		f.Bad, f.P = true, nil
		return 0
	}
	v := binary.BigEndian.Uint32(f.P)
	f.P = f.P[4:]
	return v
}

// Bool reads a boolean.
func (f *Fields) Bool() bool {
	if len(f.P) < 1 {
		f.Bad = true
		return false
	}
	v := f.P[0] != 0
	f.P = f.P[1:]
	return v
}

// Bytes reads a string.
func (f *Fields) Bytes() []byte {
	n := f.U32()
	if f.Bad || uint64(n) > uint64(len(f.P)) {
		f.Bad, f.P = true, nil
		return nil
	}
	s := f.P[:n]
	f.P = f.P[n:]
	return s
}

// String reads a string.
func (f *Fields) String() string { return string(f.Bytes()) }

// Over reports whether nothing is left and nothing was missing.
func (f *Fields) Over() bool { return !f.Bad && len(f.P) == 0 }

// AppendOpenRefusal appends CHANNEL_OPEN_FAILURE as a server gave it.
func AppendOpenRefusal(b []byte, stream, reason uint32, text string) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint32(Begin(b, stream, OpenFailure), reason)
	return End(AppendString(AppendString(b, text), "en"), start)
}
