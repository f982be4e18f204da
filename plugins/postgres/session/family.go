package session

import "github.com/sallyport-dev/sallyport/sdk/abi"

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
	sqlParams
	sqlChanged
	sqlNormalized
	sqlFingerprint
	sqlTransaction
)

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
	sqlText:        {Name: "text", Type: abi.TypeString, Role: abi.RoleText, Doc: "the text as sent; unknown when it is longer than 16 KiB"},
	sqlParams:      {Name: "params", Type: abi.TypeStrings, Role: abi.RoleValues, Doc: "the values bound to the statement's parameters, in their order; NULL is \"NULL\", a binary value of a type that is not simple \\x and hexadecimal digits; unknown when they take more than 4 KiB"},
	sqlChanged:     {Name: "changed", Type: abi.TypeStrings, Doc: "what the session may have set since the login of role, session_authorization and search_path, each as name and, where the value is written down, as name=value; all values, also those of transactions that were rolled back; * when anything can have been set"},
	sqlNormalized:  {Name: "normalized", Type: abi.TypeString, Role: abi.RoleNormalized, Doc: "the text with $1, $2 … in place of its constants; unknown without the option fingerprint, and when it is longer than 16 KiB"},
	sqlFingerprint: {Name: "fingerprint", Type: abi.TypeString, Role: abi.RoleFingerprint, Doc: "16 hexadecimal digits that texts of one shape share (libpg_query's); unknown without the option fingerprint"},
	sqlTransaction: {Name: "transaction", Type: abi.TypeBool, Doc: "the server last said that the session is in a transaction block: a statement that is held keeps its locks"},
}}
