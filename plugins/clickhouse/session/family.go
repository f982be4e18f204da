package session

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

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
	connectProtocol
	connectAskedUser
	connectAskedDatabase
	connectTLS
	connectGatewayLogin
)

// ConnectFamily is what is said of a connection, whichever interface it speaks.
var ConnectFamily = abi.Family{Name: abi.FamilyConnect, Doc: "Opening a session.", Fields: []abi.Field{
	connectUser:          {Name: "user", Type: abi.TypeString, Doc: "the user that logs in at the server: the credential's, or the one that the agent names; unknown over HTTP, where each request says it"},
	connectDatabase:      {Name: "database", Type: abi.TypeString, Doc: "the database: the credential's, or the one that the agent names, or default; unknown over HTTP"},
	connectApplication:   {Name: "application_name", Type: abi.TypeString, Doc: "what the client calls itself; unknown over HTTP"},
	connectProtocol:      {Name: "protocol", Type: abi.TypeString, Doc: "native and the revision that the agent speaks, at most the newest that is known here: native 54460; or http"},
	connectAskedUser:     {Name: "asked_user", Type: abi.TypeString, Doc: "the user that the agent names; unknown over HTTP"},
	connectAskedDatabase: {Name: "asked_database", Type: abi.TypeString, Doc: "the database that the agent names; unknown over HTTP"},
	connectTLS:           {Name: "tls", Type: abi.TypeBool, Doc: "the agent speaks TLS with the gateway"},
	connectGatewayLogin:  {Name: "gateway_login", Type: abi.TypeBool, Doc: "the gateway logs in with the credential's password"},
}}

// The fields of family sql. Names and meanings are those of the PostgreSQL plugin, so that rules hold for both; what ClickHouse has
// besides follows at the end.
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
	sqlTransaction
	sqlSettings
	sqlSettingNames
	sqlOutside
	sqlInterface
	sqlReadonly
)

// SQLFamily is what is said of a statement.
var SQLFamily = abi.Family{Name: "sql", Doc: "Statements of ClickHouse's SQL.", Fields: []abi.Field{
	sqlVerbs:        {Name: "verbs", Type: abi.TypeStrings, Doc: "everything that is done, nested statements included: select, insert, alter delete"},
	sqlStatements:   {Name: "statements", Type: abi.TypeInt, Doc: "the number of statements in the text; unknown when it cannot be read"},
	sqlReads:        {Name: "reads", Type: abi.TypeStrings, Doc: "tables read; one with a database is listed with and without it"},
	sqlWrites:       {Name: "writes", Type: abi.TypeStrings, Doc: "tables written, created, altered, dropped or truncated"},
	sqlFunctions:    {Name: "functions", Type: abi.TypeStrings, Doc: "functions, table functions and engines called by name"},
	sqlColumns:      {Name: "columns", Type: abi.TypeStrings, Doc: "columns named, without their tables; * stands for all"},
	sqlBounded:      {Name: "bounded", Type: abi.TypeBool, Doc: "false when a mutation, an UPDATE or a DELETE has a condition that is always true, and for TRUNCATE and DROP"},
	sqlLocks:        {Name: "locks", Type: abi.TypeBool, Doc: "always false: ClickHouse has no explicit locks"},
	sqlReturning:    {Name: "returning", Type: abi.TypeBool, Doc: "always false: no writing statement returns rows"},
	sqlExecutes:     {Name: "executes", Type: abi.TypeBool, Doc: "always true: there are no prepared statements"},
	sqlPrepared:     {Name: "prepared", Type: abi.TypeBool, Doc: "always false: there are no prepared statements"},
	sqlDatabase:     {Name: "database", Type: abi.TypeString, Doc: "the session's database: the credential's, or the one that the agent names, or default; changed says when USE may have changed it"},
	sqlUser:         {Name: "user", Type: abi.TypeString, Doc: "the user that the session logs in as"},
	sqlApplication:  {Name: "application_name", Type: abi.TypeString, Doc: "what the client calls itself"},
	sqlText:         {Name: "text", Type: abi.TypeString, Role: abi.RoleText, Doc: "the text as sent; unknown when it is longer than 16 KiB"},
	sqlParams:       {Name: "params", Type: abi.TypeStrings, Role: abi.RoleValues, Doc: "the values of the text's parameters, as name=value, as they are sent; unknown when they take more than 4 KiB"},
	sqlChanged:      {Name: "changed", Type: abi.TypeStrings, Doc: "the names of the settings, database and role among them, that earlier statements of the session may have changed"},
	sqlTransaction:  {Name: "transaction", Type: abi.TypeBool, Doc: "a transaction may be open, as far as BEGIN, COMMIT and ROLLBACK say"},
	sqlSettings:     {Name: "settings", Type: abi.TypeStrings, Role: abi.RoleValues, Doc: "every setting that is changed, in the text and beside it (in the packet, in the URL), as name=value, the name in lower case; unknown when they take more than 8 KiB"},
	sqlSettingNames: {Name: "setting_names", Type: abi.TypeStrings, Doc: "the names of all of them"},
	sqlOutside:      {Name: "outside", Type: abi.TypeStrings, Doc: "the names of those that come beside the text"},
	sqlInterface:    {Name: "interface", Type: abi.TypeString, Values: []string{"native", "http"}, Doc: "how the statement came"},
	sqlReadonly:     {Name: "readonly", Type: abi.TypeBool, Doc: "the server is told beside the text that nothing may be changed, as it is by GET over HTTP"},
}}

// AskConnect begins the question about a connection over HTTP, where each request says who it is.
func AskConnect(c *sdk.Conn, endpoint string, tls, gatewayLogin bool) *sdk.AskBuilder {
	return c.Ask(familyConnect, abi.ClassSession, "connect to "+endpoint).String(connectProtocol, "http").Bool(connectTLS, tls).Bool(connectGatewayLogin, gatewayLogin)
}

// The fields of family response behind those that every plugin has.
const (
	ResponseStatus    = abi.ResponseFields + iota // over HTTP; natively it is unknown
	ResponseException                             // the code of the server's exception; 0: none
)

// FamilyResponse is the index of ResponseFamily in the manifest.
const FamilyResponse = 2

// ResponseFamily is what is said of an answer, whichever interface it comes by.
var ResponseFamily = abi.ResponseFamily("What came back from a statement: columns and rows, totals and extremes among them, exceptions and log lines with their texts.",
	abi.Field{Name: "status", Type: abi.TypeInt, Doc: "over HTTP, the status of the answer; unknown natively"},
	abi.Field{Name: "exception", Type: abi.TypeInt, Doc: "the code of the server's exception in the answer: 0 when there is none"},
)
