// Package session is the PostgreSQL plugin: it follows one connection of protocol 3 from the startup packet to the end, and asks
// about everything in it that could do something.
//
// # What is asked
//
// The startup packet is one action of family "connect"; it covers the login that the server asks for, until the server is ready.
// A Query message is one action of family "sql", all of its statements together. Of the extended protocol, Parse, Bind, Describe
// and Close are kept unread until something forces them (Execute, Sync, Flush, a message about another statement, or the limit);
// then all that is held is one action, about the one statement that it concerns, and reaches the server as it was when it is
// allowed. So planning, which can run code, is covered as well, and every Execute is decided on its own. Sync, Flush and
// Terminate carry nothing: constants take their place. CopyData belongs to the streaming action of its COPY … FROM STDIN.
//
// # What a name holds
//
// The book of prepared statements and portals changes when the server confirms, never when the agent asks. Inside a pipeline a
// name is what the last message before it made of it, because the server skips everything else after an error; across a Sync
// (or a Query, which ends in ReadyForQuery as well) the session waits until the server has said what became of the name. A name
// that is not in the book could be anything: opaque.
//
// # How a denial looks
//
// The server fails by itself: a constant with a syntax error takes the place of what was denied, a Query for a Query and a Parse
// for a message of the extended protocol. The parser refuses it in every state of a transaction, before anything else happens,
// so everything after it is what PostgreSQL does after any syntax error: the transaction is failed, the pipeline is skipped up to
// Sync, ReadyForQuery tells the truth. The ErrorResponse to it, found by its place in the order of answers, is replaced by one
// with SQLSTATE 42501, the rule's reason, its name and the receipt; also in a transaction that has failed already. A denied
// Parse of the unnamed statement takes the unnamed statement away, as every failed Parse does; other denials leave it alone.
//
// # Lexer settings
//
// The server's settings decide how a text falls into tokens, and ParameterStatus tells of a change only before ReadyForQuery. So
// a text that is [sqlfacts.LexerSensitive] is read only while nothing is under way; between queries the session waits for that,
// and in a pipeline that has done something since the last Sync the text is opaque. While standard_conforming_strings is not
// on, everything but setting it back is opaque; while client_encoding is not UTF8, every sensitive text but that is. (A text
// without backslashes and bytes beyond ASCII reads the same in every client encoding, so an SQL_ASCII database is usable.)
package session

import (
	"errors"
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Reader says what a text would do. An error means that PostgreSQL's parser does not understand it. Its results never change and
// may be shared by texts that do the same.
type Reader interface {
	Read(text []byte) (*sqlfacts.Facts, error)
}

// Limits of the option max_message, in bytes.
const (
	MinMaxMessage     = 1 << 10
	DefaultMaxMessage = 1 << 20
	MaxMaxMessage     = 16 << 20
)

// Plugin is the PostgreSQL plugin. The zero value is ready for use.
type Plugin struct {
	// NewReader makes what reads the statements of a connection; nil for companion 0, pgquery.
	NewReader func(c *sdk.Conn) Reader

	maxMessage int64
	// record is the buffer for the companion's results. It is made before the snapshot, so that a connection that reads no
	// statement has none of its own, and belongs to the first connection, the only one that a guest has.
	record []byte
}

// The families, by their index in the manifest.
const (
	familyConnect = iota
	familySQL
)

// The fields of family connect.
const (
	connectUser = iota
	connectDatabase
	connectApplication
	connectOptions
	connectParameters
	connectProtocol
	connectReplication
)

// The fields of family sql.
const (
	sqlVerbs = iota
	sqlStatements
	sqlReads
	sqlWrites
	sqlFunctions
	sqlColumns
	sqlBounded
	sqlLocks
	sqlReturning
	sqlExecutes
	sqlPrepared
	sqlDatabase
	sqlUser
	sqlApplication
	sqlText
)

// The constants that take the place of what the agent sent.
const (
	stockQuery = iota
	stockParseUnnamed
	stockParseNamed
	stockSync
	stockFlush
	stockTerminate
)

// deniedText is what the server gets for what was denied: never a statement, in any version and any state.
const deniedText = "denied by sallyport"

// Manifest declares what the plugin can say.
func (*Plugin) Manifest() abi.Manifest {
	query := append([]byte(deniedText), 0)
	return abi.Manifest{
		Name:     "postgres",
		Version:  "0.1.0",
		Doc:      "PostgreSQL, protocol 3: every statement is read by PostgreSQL's own parser and decided before the server sees it.",
		Families: []abi.Family{connectFamily, sqlFamily},
		Options: []abi.Option{{Name: "max_message", Type: abi.TypeInt, Min: MinMaxMessage, Max: MaxMaxMessage, Default: DefaultMaxMessage,
			Doc: "the largest Query, Parse, Bind or FunctionCall message in bytes; a larger one is denied without being kept (SQLSTATE 54000). A text of more than 2 MiB is opaque, because the parser takes no more. Data of COPY has no limit."}},
		Stock: []abi.Constant{
			{Name: "denied query", Bytes: proto.Append(nil, proto.Query, query...)},
			{Name: "denied parse, unnamed", Bytes: proto.Append(nil, proto.Parse, append(append([]byte{0}, query...), 0, 0)...)},
			{Name: "denied parse, named", Bytes: proto.Append(nil, proto.Parse, append(append([]byte("sallyport\x00"), query...), 0, 0)...)},
			{Name: "sync", Bytes: proto.Append(nil, proto.Sync)},
			{Name: "flush", Bytes: proto.Append(nil, proto.Flush)},
			{Name: "terminate", Bytes: proto.Append(nil, proto.Terminate)},
		},
		Companions: []abi.Companion{{Name: "pgquery"}},
	}
}

var connectFamily = abi.Family{Name: abi.FamilyConnect, Doc: "Opening a session.", Fields: []abi.Field{
	connectUser:        {Name: "user", Type: abi.TypeString, Doc: "the user that the agent logs in as"},
	connectDatabase:    {Name: "database", Type: abi.TypeString, Doc: "the database; the user's name when the agent gives none"},
	connectApplication: {Name: "application_name", Type: abi.TypeString, Doc: "what the client calls itself; empty when it does not"},
	connectOptions:     {Name: "options", Type: abi.TypeString, Doc: "command-line options for the server (-c name=value)"},
	connectParameters:  {Name: "parameters", Type: abi.TypeStrings, Doc: "every other startup parameter, as name=value"},
	connectProtocol:    {Name: "protocol", Type: abi.TypeString, Doc: "the version that the agent asks for: 3.0"},
	connectReplication: {Name: "replication", Type: abi.TypeBool, Doc: "a replication connection; the plugin refuses those itself, so this is false"},
}}

var sqlFamily = abi.Family{Name: "sql", Doc: "Statements, as PostgreSQL's parser reads them.", Fields: []abi.Field{
	sqlVerbs:       {Name: "verbs", Type: abi.TypeStrings, Doc: "everything that is done, nested statements included: select, delete, drop table"},
	sqlStatements:  {Name: "statements", Type: abi.TypeInt, Doc: "the number of statements in the text"},
	sqlReads:       {Name: "reads", Type: abi.TypeStrings, Doc: "relations read or locked; one with a schema is listed with and without it"},
	sqlWrites:      {Name: "writes", Type: abi.TypeStrings, Doc: "relations written, created, altered, dropped or truncated"},
	sqlFunctions:   {Name: "functions", Type: abi.TypeStrings, Doc: "functions and procedures called by name"},
	sqlColumns:     {Name: "columns", Type: abi.TypeStrings, Doc: "columns named, without their tables; * stands for all"},
	sqlBounded:     {Name: "bounded", Type: abi.TypeBool, Doc: "false when an UPDATE or DELETE has no WHERE or one that is always true, and for TRUNCATE and DROP"},
	sqlLocks:       {Name: "locks", Type: abi.TypeBool, Doc: "rows or tables are locked explicitly"},
	sqlReturning:   {Name: "returning", Type: abi.TypeBool, Doc: "a writing statement returns rows"},
	sqlExecutes:    {Name: "executes", Type: abi.TypeBool, Doc: "false when the statement is only prepared, bound or described; its execution is an action of its own"},
	sqlPrepared:    {Name: "prepared", Type: abi.TypeBool, Doc: "the statement comes by the extended protocol (Parse, Bind, Execute)"},
	sqlDatabase:    {Name: "database", Type: abi.TypeString, Doc: "the session's database"},
	sqlUser:        {Name: "user", Type: abi.TypeString, Doc: "the user that the session logged in as"},
	sqlApplication: {Name: "application_name", Type: abi.TypeString, Doc: "what the client calls itself now, as the server reports it"},
	sqlText:        {Name: "text", Type: abi.TypeString, Doc: "the text as sent; unknown when it is longer than 16 KiB"},
}}

// Configure takes the endpoint's options.
func (p *Plugin) Configure(options []byte) error {
	o, err := sdk.ReadOptions(options)
	if err != nil {
		return err
	}
	p.maxMessage = o.Int("max_message")
	if p.maxMessage < MinMaxMessage || p.maxMessage > MaxMaxMessage {
		return errors.New("option max_message: " + strconv.FormatInt(p.maxMessage, 10) + " is out of range")
	}
	p.record = make([]byte, recordSize)
	return nil
}

// Open begins a connection.
func (p *Plugin) Open(c *sdk.Conn, facts abi.Facts) sdk.Session {
	s := &Session{endpoint: facts.Endpoint, maxMessage: p.maxMessage}
	if p.NewReader != nil {
		s.reader = p.NewReader(c)
	} else {
		s.reader = &companion{conn: c, out: p.record}
		p.record = nil
	}
	return s
}
