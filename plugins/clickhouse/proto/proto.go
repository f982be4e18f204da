// Package proto reads and writes the packets of ClickHouse's native protocol as far as a gateway needs them: the hello of both ends,
// the addendum, queries, the blocks of data behind them (compressed or not), exceptions, and the chunks that newer clients wrap
// everything in. It follows src/Server/TCPHandler.cpp, src/Interpreters/ClientInfo.cpp and src/Formats/NativeReader.cpp of ClickHouse,
// and github.com/ClickHouse/ch-go/proto.
//
// Every reader is strict where a server is lenient: a number that is written with more bytes than it needs, or a length beyond its
// limit, is an error, so that nothing here can be read in two ways. Readers of packets work on what has come so far and say
// [ErrMore] when that is not all; readers of data take it in pieces and keep a bounded state.
package proto

import (
	"encoding/binary"
	"errors"
)

// Codes of the agent's packets.
const (
	ClientHello            = 0
	ClientQuery            = 1
	ClientData             = 2
	ClientCancel           = 3
	ClientPing             = 4
	ClientTablesStatus     = 5
	ClientKeepAlive        = 6
	ClientScalar           = 7
	ClientIgnoredPartUUIDs = 8
)

// Codes of the server's packets.
const (
	ServerHello          = 0
	ServerData           = 1
	ServerException      = 2
	ServerProgress       = 3
	ServerPong           = 4
	ServerEndOfStream    = 5
	ServerProfileInfo    = 6
	ServerTotals         = 7
	ServerExtremes       = 8
	ServerTablesStatus   = 9
	ServerLog            = 10
	ServerTableColumns   = 11
	ServerProfileEvents  = 14
	ServerTimezoneUpdate = 17
)

// Revisions of the protocol from which on something is there (src/Core/ProtocolDefines.h).
const (
	// Oldest is the first revision that is spoken here, Newest the last: newer ones are negotiated down to it, on both sides, so that
	// nothing is on the wire which is not known here.
	Oldest = 54058
	Newest = 54483

	revQuotaKeyInInfo    = 54060
	revDisplayName       = 54372
	revVersionPatch      = 54401
	revSettingsAsStrings = 54429
	revInterserverSecret = 54441
	revOpenTelemetry     = 54442
	revDistributedDepth  = 54448
	revQueryStartTime    = 54449
	revParallelReplicas  = 54453
	revCustomSerialized  = 54454
	revAddendum          = 54458
	revParameters        = 54459
	revPasswordRules     = 54461
	revNonce             = 54462
	revChunked           = 54470
	revReplicasVersion   = 54471
	revExternalRoles     = 54472
	revServerSettings    = 54474
	revQueryNumbers      = 54475
	revJWTInInfo         = 54476
	revQueryPlanVersion  = 54477
	revClusterVersion    = 54479
)

// Limits, in bytes and counts.
const (
	// MaxWord bounds names, and the strings of a hello.
	MaxWord = 4 << 10
	// MaxSettings bounds how many settings, and how many parameters, a query may bring.
	MaxSettings = 1 << 10
)

// ErrMore says that what has come so far is not all.
var ErrMore = errors.New("more bytes are needed")

// Errors of form.
var (
	ErrNumber = errors.New("a number is too large, or written in more bytes than it needs")
	ErrLength = errors.New("a length is beyond its limit")
	ErrAnswer = errors.New("a packet of the server that is not known")
)

// AppendString appends a string as the protocol has it: its length and its bytes.
func AppendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Uvarint reads a number. It needs as few bytes as possible, and at most 63 bits.
func Uvarint(p []byte) (v uint64, n int, err error) {
	var shift uint
	for i, c := range p {
		if i == 9 {
			return 0, 0, ErrNumber
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if c == 0 && i > 0 {
				return 0, 0, ErrNumber
			}
			return v, i + 1, nil
		}
		shift += 7
	}
	if len(p) > 9 {
		return 0, 0, ErrNumber
	}
	return 0, 0, ErrMore
}

// reader reads a packet of which p is what has come. After an error everything reads as nothing.
type reader struct {
	p   []byte
	at  int
	err error
	// need is how many bytes there must be before it is worth to look again.
	need int
}

func (r *reader) more(size int) {
	if r.err == nil {
		r.err, r.need = ErrMore, size
	}
}

func (r *reader) number() uint64 {
	if r.err != nil {
		return 0
	}
	v, n, err := Uvarint(r.p[r.at:])
	switch {
	case err == ErrMore:
		r.more(len(r.p) + 1)
	case err != nil:
		r.err = err
	}
	r.at += n
	return v
}

// take reads n bytes.
func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if len(r.p)-r.at < n {
		r.more(r.at + n)
		return nil
	}
	b := r.p[r.at : r.at+n]
	r.at += n
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

// str reads a string of at most limit bytes.
func (r *reader) str(limit int) []byte {
	n := r.number()
	if r.err == nil && n > uint64(limit) {
		r.err = ErrLength
	}
	if r.err != nil {
		return nil
	}
	return r.take(int(n))
}
