package sqlfacts

import "github.com/sallyport-dev/sallyport/sdk/abi"

// Class is the gravity of a statement, in the words every family shares.
type Class = abi.Class

// Facts is what one text (a Query message or the text of a Parse) would do, all of its statements together.
//
// Relation names (Reads, Writes) appear as PostgreSQL folds them: unquoted names in lower case, quoted and U&"" names as
// they are. A relation written without a schema is listed once, as "users". One written with a schema is listed twice, as
// "public.users" and as "users", so that `"users" in sql.writes` holds however the table is written, whatever the
// search_path. Function names follow the same rule. Each list is sorted and free of duplicates.
type Facts struct {
	// Class is the gravest class of all parts. See the package comment for what each class holds.
	Class Class
	// Title says in one line of at most MaxTitle bytes what the text does.
	Title string
	// Statements counts the top-level statements; an empty text has none.
	Statements int
	// Verbs lists what is done, nested statements included: "select", "delete", "drop table", "explain".
	Verbs []string
	// Reads lists the relations read or locked; Writes those written, created, altered, dropped or truncated.
	Reads, Writes []string
	// Functions lists the functions and procedures called by name, in every clause.
	Functions []string
	// Columns lists the columns named, without their tables; "*" stands for all.
	Columns []string
	// Settings lists the session's variables that SET, RESET and set_config change, in lower case; AnySetting stands for all
	// of them or for one whose name is not written as a literal.
	Settings []string
	// Shadows says that the text may put another schema before pg_catalog: it computes a search_path, or gives one that names
	// pg_catalog. PostgreSQL searches that first unless the path names it, so only such a path can put functions of others
	// before PostgreSQL's own.
	Shadows bool
	// Bounded is false when an UPDATE or DELETE anywhere in the text has no WHERE clause or one that is constant true, and
	// for TRUNCATE and for DROP of anything that holds data.
	Bounded bool
	// Locks says that rows or tables are locked explicitly (FOR UPDATE and its kin, LOCK TABLE).
	Locks bool
	// Returning says that a writing statement returns rows.
	Returning bool
	// Unknown says that the lists may be incomplete: the record was cut at its limit, or the companion met a node that it
	// does not know. Class is then opaque.
	Unknown bool
	// Each holds the top-level statements in their order.
	Each []Statement
	// Normalized is the text with constants replaced by parameters, Fingerprint 16 hexadecimal digits that equal texts of
	// one shape share. Both are empty unless the companion was asked for them (ModeFingerprint).
	Normalized, Fingerprint string
	// NormalizedCut says that Normalized is only the first 16 KiB. Nothing else is cut by that.
	NormalizedCut bool
}

// Statement is one top-level statement, with what the protocol session needs to keep its books.
type Statement struct {
	// Kind says which book the statement concerns.
	Kind Kind
	// Class is the gravity of this statement alone, with all that it contains.
	Class Class
	// Verb is the statement's own verb ("insert", "create table").
	Verb string
	// Rest is Class without the opaque of the names that EXECUTE names: the gravity of the parameters and of all else. A
	// session that knows the prepared statement takes the graver of Rest and of what it knows.
	Rest Class
	// Name is the savepoint, prepared statement, cursor, channel, global transaction id, variable (lower case) or object.
	// It is empty when All is set.
	Name string
	// Value is the value given to SET, literals joined with ", "; for DISCARD its target (all, plans, sequences, temp),
	// and for COPY from or to a server's file or program "file" or "program".
	Value string
	// Default says that SET … TO DEFAULT or FROM CURRENT was written, so there is no Value.
	Default bool
	// Local says SET LOCAL.
	Local bool
	// All says that the statement concerns every name of its kind (DEALLOCATE ALL, CLOSE ALL, UNLISTEN *, RESET ALL,
	// DISCARD ALL).
	All bool
	// Chain says COMMIT AND CHAIN or ROLLBACK AND CHAIN.
	Chain bool
	// Hold says that a cursor was declared WITH HOLD.
	Hold bool
}

// Kind is the kind of a top-level statement.
type Kind uint8

// The kinds of statements. What the session has no book for is KindOther.
const (
	KindOther Kind = iota
	KindSelect
	KindInsert
	KindUpdate
	KindDelete
	KindMerge
	KindBegin              // BEGIN, START TRANSACTION
	KindCommit             // COMMIT, END
	KindRollback           // ROLLBACK, ABORT
	KindSavepoint          // Name
	KindRollbackTo         // Name
	KindRelease            // Name
	KindPrepareTransaction // Name
	KindCommitPrepared     // Name
	KindRollbackPrepared   // Name
	KindPrepare            // Name; Class is that of the statement inside
	KindExecute            // Name; Class is opaque, the session merges what it knows of the name
	KindDeallocate         // Name or All
	KindDeclareCursor      // Name
	KindFetch              // Name; also MOVE
	KindCloseCursor        // Name or All
	KindCopyIn             // COPY … FROM STDIN
	KindCopyOut            // COPY … TO STDOUT
	KindSet                // Name, Value, Local, Default
	KindReset              // Name or All
	KindShow               // Name
	KindDiscard            // Value
	KindListen             // Name
	KindUnlisten           // Name or All
	KindNotify             // Name
	KindExplain
	KindCall     // CALL, DO
	KindCopyFile // COPY from or to a file or a program of the server
)

const (
	// AnySetting in Facts.Settings: RESET ALL, DISCARD ALL, set_config with a computed name, an UPDATE of pg_settings.
	AnySetting = "*"
	// MaxTitle bounds Facts.Title, in bytes.
	MaxTitle = 200
	// ModeFacts asks the companion for facts only; it is the first byte of the companion's input.
	ModeFacts = 0
	// ModeFingerprint asks for the fingerprint and the normalized text as well.
	ModeFingerprint = 1
)
