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
// # Before the session
//
// GSSAPI encryption is refused. TLS with the agent, asked for or at once, and TLS with the server, which is asked for it with a
// constant, are the host's; what anybody says in clear behind a request for TLS becomes part of the handshake and makes that fail.
// When a credential fills the slot "password", each Authentication message of the server goes to the host, which answers it, and
// the agent hears only that it is logged in. User and database are the credential's or else the agent's: a StartupMessage that
// has to say something else is written anew. The agent's cancel key is an alias of the server's, and a CancelRequest, an action
// of family "connect" on a connection of its own, reaches the server with the key that the alias stands for.
//
// A replication connection is of class admin. What is said on it is no SQL: one opaque action covers all of it.
//
// # Bulk data
//
// Rows behind the first of a result and the data of COPY, both ways, pass natively by SCAN; the frames are counted. A message
// beyond max_message is not read but asked about as opaque, and passes natively when that is allowed.
//
// # Reconciliation
//
// The server must answer what it was given, in that order: tags of the kinds that were allowed, as many results as statements,
// as many rows as the tag of a SELECT or FETCH says, COPY only where one was allowed. Anything else is noted as a mismatch and
// ends the session.
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
// a text with a backslash or a byte beyond ASCII in it is read only while nothing is under way; between queries the session waits
// for that, and in a pipeline that has done something since the last Sync the text is opaque. While standard_conforming_strings is not
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
	mode       byte // of the companion
	// space is what reading statements needs. It is made before the snapshot, so that a connection that reads none has none of
	// its own, and belongs to the first connection, the only one that a guest has.
	space *space
}

// space is the memory that a session works in.
type space struct {
	companion companion
	cache     cache
	record    [recordSize]byte
}

// The families, by their index in the manifest.
const (
	familyConnect = iota
	familySQL
	familyResponse
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
	connectAskedUser
	connectAskedDatabase
	connectTLS
	connectGatewayLogin
	connectCancel
)

// The constants that take the place of what the agent sent.
const (
	stockQuery = iota
	stockParseUnnamed
	stockParseNamed
	stockSync
	stockFlush
	stockTerminate
	stockSSLRequest
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
		Families: []abi.Family{connectFamily, sqlFamily, responseFamily},
		Options: []abi.Option{{Name: "max_message", Type: abi.TypeInt, Min: MinMaxMessage, Max: MaxMaxMessage, Default: DefaultMaxMessage,
			Doc: "the largest Query, Parse, Bind or FunctionCall message in bytes that is read; a larger one is opaque, is not kept, and is denied with SQLSTATE 54000 unless a rule allows what is opaque. A text of more than 2 MiB is opaque, because the parser takes no more. Data of COPY has no limit."},
			{Name: "fingerprint", Type: abi.TypeBool, Default: false, Doc: "give sql.fingerprint and sql.normalized, which costs up to 5 times as much for each new text as all other facts; without it both are unknown, so rules that deny by them always do"}},
		Stock: []abi.Constant{
			{Name: "denied query", Bytes: proto.Append(nil, proto.Query, query...)},
			{Name: "denied parse, unnamed", Bytes: proto.Append(nil, proto.Parse, append(append([]byte{0}, query...), 0, 0)...)},
			{Name: "denied parse, named", Bytes: proto.Append(nil, proto.Parse, append(append([]byte("sallyport\x00"), query...), 0, 0)...)},
			{Name: "sync", Bytes: proto.Append(nil, proto.Sync)},
			{Name: "flush", Bytes: proto.Append(nil, proto.Flush)},
			{Name: "terminate", Bytes: proto.Append(nil, proto.Terminate)},
			{Name: "SSLRequest", Bytes: proto.AppendRequest(nil, proto.SSLRequest)},
		},
		Slots: []abi.Slot{slotPassword: {Name: slotName, Form: "postgres",
			Doc: "the password with which the gateway logs in, so that the agent needs none"}},
		Attributes: []abi.CredentialAttribute{
			{Name: attributeUser, Doc: "the user to log in as; without it the one that the agent names"},
			{Name: attributeDatabase, Doc: "the database to open; without it the one that the agent names, or that of the user's name"},
		},
		Companions: []abi.Companion{{Name: "pgquery"}},
	}
}

var connectFamily = abi.Family{Name: abi.FamilyConnect, Doc: "Opening a session.", Fields: []abi.Field{
	connectUser:          {Name: "user", Type: abi.TypeString, Doc: "the user that logs in at the server: the credential's, or the one that the agent names"},
	connectDatabase:      {Name: "database", Type: abi.TypeString, Doc: "the database: the credential's, or the one that the agent names, or that of the user's name"},
	connectApplication:   {Name: "application_name", Type: abi.TypeString, Doc: "what the client calls itself; empty when it does not"},
	connectOptions:       {Name: "options", Type: abi.TypeString, Doc: "command-line options for the server (-c name=value)"},
	connectParameters:    {Name: "parameters", Type: abi.TypeStrings, Doc: "every other startup parameter, as name=value"},
	connectProtocol:      {Name: "protocol", Type: abi.TypeString, Doc: "the version that the agent asks for: 3.0"},
	connectReplication:   {Name: "replication", Type: abi.TypeBool, Doc: "a replication connection: of class admin, and everything said on it is one opaque action of family sql"},
	connectAskedUser:     {Name: "asked_user", Type: abi.TypeString, Doc: "the user that the agent names"},
	connectAskedDatabase: {Name: "asked_database", Type: abi.TypeString, Doc: "the database that the agent names; that of the user it names when it does not"},
	connectTLS:           {Name: "tls", Type: abi.TypeBool, Doc: "the agent speaks TLS with the gateway"},
	connectGatewayLogin:  {Name: "gateway_login", Type: abi.TypeBool, Doc: "the gateway logs in with the credential's password"},
	connectCancel:        {Name: "cancel", Type: abi.TypeBool, Doc: "a request to cancel what another connection of this agent does (Ctrl-C in psql); user, database and all other strings are empty then"},
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
	p.space = new(space)
	p.mode = sqlfacts.ModeFacts
	if o.Bool("fingerprint") {
		p.mode = sqlfacts.ModeFingerprint
	}
	return nil
}

// Open begins a connection.
func (p *Plugin) Open(c *sdk.Conn, facts abi.Facts) sdk.Session {
	own := p.space
	if p.space = nil; own == nil {
		own = new(space)
	}
	s := &Session{facts: facts, gatewayLogin: facts.Filled(slotName), maxMessage: p.maxMessage, cache: &own.cache}
	if p.NewReader != nil {
		s.reader = p.NewReader(c)
	} else {
		s.companion = &own.companion
		s.companion.conn, s.companion.out, s.companion.mode = c, own.record[:], p.mode
	}
	return s
}
