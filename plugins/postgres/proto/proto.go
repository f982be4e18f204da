// Package proto holds the words of the PostgreSQL frontend/backend protocol 3: message types, lengths, and the layouts of the
// messages that a session has to look into, under the names of the manual's chapter "Message Formats".
//
// Every reader works on one message that is there as a whole (or says how much of it it needs), checks each length in 64-bit
// arithmetic before it uses it, allocates nothing, and returns views into its input. A message that does not have exactly the
// layout of the manual is an error: what the server might read differently must not be guessed at.
package proto

import "encoding/binary"

// Messages of the frontend.
const (
	Bind         = 'B'
	Close        = 'C'
	CopyData     = 'd' // also of the backend
	CopyDone     = 'c' // also of the backend
	CopyFail     = 'f'
	Describe     = 'D'
	Execute      = 'E'
	Flush        = 'H'
	FunctionCall = 'F'
	Parse        = 'P'
	Password     = 'p' // PasswordMessage, SASLInitialResponse, SASLResponse, GSSResponse
	Query        = 'Q'
	Sync         = 'S'
	Terminate    = 'X'
)

// Messages of the backend.
const (
	Authentication           = 'R'
	BackendKeyData           = 'K'
	BindComplete             = '2'
	CloseComplete            = '3'
	CommandComplete          = 'C'
	CopyBothResponse         = 'W'
	CopyInResponse           = 'G'
	CopyOutResponse          = 'H'
	DataRow                  = 'D'
	EmptyQueryResponse       = 'I'
	ErrorResponse            = 'E'
	FunctionCallResponse     = 'V'
	NegotiateProtocolVersion = 'v'
	NoData                   = 'n'
	NoticeResponse           = 'N'
	NotificationResponse     = 'A'
	ParameterDescription     = 't'
	ParameterStatus          = 'S'
	ParseComplete            = '1'
	PortalSuspended          = 's'
	ReadyForQuery            = 'Z'
	RowDescription           = 'T'
)

// Codes of an Authentication message.
const (
	AuthenticationOk                = 0
	AuthenticationCleartextPassword = 3
	AuthenticationMD5Password       = 5
	AuthenticationSASL              = 10
	AuthenticationSASLContinue      = 11
	AuthenticationSASLFinal         = 12
)

// Limits, in bytes, that the server itself has (src/include/libpq/libpq.h and pqcomm.h).
const (
	// HeaderSize is a message's type and length.
	HeaderSize = 5
	// MaxLarge is PQ_LARGE_MESSAGE_LIMIT (MaxAllocSize - 1), for Query, Parse, Bind, FunctionCall and CopyData.
	MaxLarge = 0x3fffffff - 1
	// MaxSmall is PQ_SMALL_MESSAGE_LIMIT, for every other message of the frontend.
	MaxSmall = 10000
	// MaxStartup is MAX_STARTUP_PACKET_LENGTH, without the length word.
	MaxStartup = 10000
	// MaxPassword is PG_MAX_AUTH_TOKEN_LENGTH.
	MaxPassword = 65535
	// MaxName is NAMEDATALEN - 1. Longer names of statements and portals are cut there by the server's tables.
	MaxName = 63
)

// Header reads the type of a message and its whole size, the type byte included. ok is false while fewer than HeaderSize bytes
// are there. A size below HeaderSize is a message whose length is below 4 (or negative).
func Header(p []byte) (typ byte, size int64, ok bool) {
	if len(p) < HeaderSize {
		return 0, 0, false
	}
	return p[0], 1 + int64(int32(binary.BigEndian.Uint32(p[1:]))), true
}

// FrontendLimit is the largest length word that the server accepts in a message of type typ once it is ready for queries;
// 0 for a type that it does not know (SocketBackend in src/backend/tcop/postgres.c).
func FrontendLimit(typ byte) int64 {
	switch typ {
	case Query, Parse, Bind, FunctionCall, CopyData:
		return MaxLarge
	case Close, Describe, Execute, Flush, Sync, Terminate, CopyDone, CopyFail:
		return MaxSmall
	}
	return 0
}

// Name cuts a name of a statement or portal where the server cuts it: two names with the same first MaxName bytes are one.
func Name(name []byte) []byte { return name[:min(len(name), MaxName)] }

// Append appends a message of type typ with the given body.
func Append(b []byte, typ byte, body ...byte) []byte {
	b = append(b, typ)
	b = binary.BigEndian.AppendUint32(b, uint32(4+len(body)))
	return append(b, body...)
}
