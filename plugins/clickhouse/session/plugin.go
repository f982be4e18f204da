// Package session is the native half of the ClickHouse plugin: it follows one connection of ClickHouse's native protocol and asks about
// everything in it that could do something.
//
// # What is asked
//
// The hello is one action of family "connect"; it covers the login and the addendum. A Query packet is one action of family "sql";
// its bytes, and the data behind it, reach the server when it is allowed. A request for the status of tables is one, too. Ping is a
// constant.
//
// # Revisions
//
// What is on the wire depends on the lower revision of both ends. Revisions newer than proto.Newest are negotiated down to that, by
// saying so to both ends, so that nothing is spoken that is not known here.
//
// # Data
//
// Blocks of data are followed to their ends, column by column, also through LZ4 and ZSTD, because nothing else says where the next
// packet begins: the chunks of newer clients bind no server. What a server would stumble over in the middle of a block is refused
// before it comes to that: behind an error servers take the rest of the block for packets. So the columns of an INSERT must be those
// that the server asked for, of its types or of types that no server refuses, and frames are checked before a byte behind them goes on.
//
// The server's bytes are passed as they come. They are read where something follows from them: the hello, and the answer to a Query
// that may be an INSERT up to the columns that it wants.
//
// # Denials
//
// A denied Query is dropped, with all data behind it, and answered with an Exception of code 497 (ACCESS_DENIED). While a person is
// asked nothing is answered; Cancel takes the question back.
package session

import (
	"errors"
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/zstd"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Limits of the option max_query, in bytes: a query must fit into the window of a connection.
const (
	MinMaxQuery     = 1 << 10
	DefaultMaxQuery = 256 << 10
	MaxMaxQuery     = 1 << 20
)

// Slots of the manifest, by their places.
const (
	SlotPassword uint16 = iota
	SlotHTTPPassword
)

// Names of slots and attributes.
const (
	SlotName          = "password"
	SlotNameHTTP      = "http_password"
	attributeUser     = "user"
	attributeDatabase = "database"
)

// The companions of the manifest, by their places.
const (
	CompanionDecode = iota
	CompanionZSTD
)

// Stock constants.
const (
	stockPing uint16 = iota
	stockPingChunked
)

// Native is what a connection of the native protocol needs of the endpoint's options.
type Native struct {
	MaxQuery int
	// Classify says what a text does, at a server of a version (0: not known).
	Classify func(text []byte, v sql.Version) *Facts
}

// Stock are the constants that the native half sends.
func Stock() []abi.Constant {
	return []abi.Constant{
		{Name: "ping", Bytes: []byte{4}},
		{Name: "ping in a chunk", Bytes: []byte{1, 0, 0, 0, 4, 0, 0, 0, 0}},
	}
}

// CheckMaxQuery refuses a limit that is out of range.
func CheckMaxQuery(n int64) error {
	if n < MinMaxQuery || n > MaxMaxQuery {
		return errors.New("option max_query: " + strconv.FormatInt(n, 10) + " is out of range")
	}
	return nil
}

// New is the session of a connection.
func (n *Native) New(c *sdk.Conn, f abi.Facts) sdk.Session {
	s := &Session{native: n, facts: f, gatewayLogin: f.Filled(SlotName)}
	undo := func(out, in []byte) error { return zstd.Undo(c, CompanionZSTD, out, in) }
	s.data.frame.Undo, s.answer.frame.Undo, s.result.aside.frame.Undo = undo, undo, undo
	return s
}
