package sql

import "github.com/sallyport-dev/sallyport/sdk/abi"

// Class is the gravity of a statement, in the words every family shares.
type Class = abi.Class

// Version is the server's, as major times 1000 plus minor: 18016 is 18.16, 25003 is 25.3. Zero is unknown.
type Version uint32

// Limits of a text. What goes past them is opaque.
const (
	// MaxDepth bounds how deep expressions, subqueries and types nest.
	MaxDepth = 200
	// MaxList bounds each list of Facts, in names. A longer list is unknown.
	MaxList = 256
	// MaxTitle bounds Facts.Title, in bytes.
	MaxTitle = 200
)

// Kind says what a session has to know of a statement.
type Kind uint8

// The kinds of statements.
const (
	KindOther  Kind = iota
	KindSelect      // SELECT, also in brackets or with WITH
	KindInsert      // INSERT; see Facts.Data
	KindSet         // SET name = value; Facts.Changes has the names
	KindUse         // USE database; Facts.Object
	KindShow        // SHOW, DESCRIBE, EXISTS, EXPLAIN, CHECK
)

// Data says where the rows of an INSERT come from.
type Data uint8

// Where rows come from.
const (
	DataNone   Data = iota // there are none: not an INSERT, or INSERT … SELECT without input()
	DataInline             // they stand in the text, from Facts.DataAt on
	DataStream             // they follow: behind the text as blocks of the native protocol or as the body of HTTP
)

// Facts is what one text does. Its lists refer to the text and to the Reader's memory: they are good until the next Read.
type Facts struct {
	// Class is the gravest class of all parts. See the package comment.
	Class Class
	// Kind is the statement's kind.
	Kind Kind
	// Title says in one line of at most MaxTitle bytes what the text does.
	Title string
	// Statements is the number of statements; 1 for whatever was recognised, 0 otherwise.
	Statements int
	// Verbs lists what is done, nested statements included: "select", "insert", "alter delete", "create table".
	Verbs []string
	// Reads lists the tables read, also those that dictGet and joinGet name; Writes those written, created, altered or dropped.
	Reads, Writes []string
	// Functions lists the functions, table functions and engines called by name. Columns lists the columns named, "*" for all.
	Functions, Columns []string
	// Settings lists what the text sets as "name=value", for itself (SETTINGS) or the session (SET); SettingNames the names alone, in
	// lower case. Changes lists those of SET, which outlive the statement, and "database" (USE) and "role" (SET ROLE).
	Settings, SettingNames, Changes []string
	// Params lists the parameters that the text names: {name:Type}.
	Params []string
	// Bounded is false when a DELETE, an UPDATE or a mutation has a condition that is always true, and for TRUNCATE and DROP.
	Bounded bool
	// Unknown says that the text was not recognised: the lists mean nothing, Class is opaque, and Problem says why.
	Unknown bool
	Problem string
	// ReadsUnknown says that tables are read which the text does not name, so Reads is not the whole list. ColumnsUnknown and
	// FunctionsUnknown are the like for lists that are too long.
	ReadsUnknown, WritesUnknown, ColumnsUnknown, FunctionsUnknown, SettingsUnknown bool
	// Data says where the rows of an INSERT come from, and DataAt where in the text they begin if they stand there.
	Data   Data
	DataAt int
	// Values says that the data are in the format Values, in which the server evaluates expressions: inline ones were read as part of
	// the text, and whoever lets others pass must refuse what [Rows] refuses.
	Values bool
	// Format is the name behind FORMAT, as written.
	Format string
	// Object is the database of USE.
	Object string
}

// Insert reports whether rows may follow from the client. They may also behind rows that stand in the text, because servers of the native
// protocol ask for blocks then, too.
func (f *Facts) Insert() bool { return f.Data != DataNone }
