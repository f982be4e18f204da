package session

import (
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sqlfamily"
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
	sqlParams
	sqlChanged
	sqlNormalized
	sqlFingerprint
	sqlTransaction
)

var sqlFamily = abi.Family{Name: sqlfamily.Name, Doc: "Statements, as PostgreSQL's parser reads them.", Fields: []abi.Field{
	sqlVerbs:       sqlfamily.Verbs,
	sqlStatements:  sqlfamily.Statements,
	sqlReads:       sqlfamily.Reads,
	sqlWrites:      sqlfamily.Writes,
	sqlFunctions:   sqlfamily.Functions,
	sqlColumns:     sqlfamily.Columns,
	sqlBounded:     sqlfamily.Bounded,
	sqlLocks:       sqlfamily.Locks,
	sqlReturning:   sqlfamily.Returning,
	sqlExecutes:    sqlfamily.Executes,
	sqlPrepared:    sqlfamily.Prepared,
	sqlDatabase:    sqlfamily.Database,
	sqlUser:        sqlfamily.User,
	sqlApplication: sqlfamily.Application,
	sqlText:        {Name: "text", Type: abi.TypeString, Role: abi.RoleText, Doc: "the text as sent; unknown when it is longer than 16 KiB"},
	sqlParams:      {Name: "params", Type: abi.TypeStrings, Role: abi.RoleValues, Doc: "the values bound to the statement's parameters, in their order; NULL is \"NULL\", a binary value of a type that is not simple \\x and hexadecimal digits; unknown when they take more than 4 KiB"},
	sqlChanged:     {Name: "changed", Type: abi.TypeStrings, Doc: "what the session may have set since the login of role, session_authorization and search_path, each as name and, where the value is written down, as name=value; all values, also those of transactions that were rolled back; * when anything can have been set"},
	sqlNormalized:  {Name: "normalized", Type: abi.TypeString, Role: abi.RoleNormalized, Doc: "the text with $1, $2 … in place of its constants; unknown without the option fingerprint, and when it is longer than 16 KiB"},
	sqlFingerprint: {Name: "fingerprint", Type: abi.TypeString, Role: abi.RoleFingerprint, Doc: "16 hexadecimal digits that texts of one shape share (libpg_query's); unknown without the option fingerprint"},
	sqlTransaction: sqlfamily.Transaction,
}}
