// Package sqlfamily has the fields that every plugin of family sql declares, so that a rule about statements holds at each of their
// endpoints: the shipped packs use these and no others. A plugin may declare more, and says in its own words what its names are; name,
// type and role are the same everywhere ([Check]).
package sqlfamily

import (
	"errors"
	"slices"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Name is the family's name.
const Name = "sql"

// The fields. Lists are sorted or in the order of the text, and have no duplicates.
var (
	Verbs       = abi.Field{Name: "verbs", Type: abi.TypeStrings, Doc: "everything that is done, nested statements included: select, delete, drop table"}
	Statements  = abi.Field{Name: "statements", Type: abi.TypeInt, Doc: "the number of statements in the text"}
	Reads       = abi.Field{Name: "reads", Type: abi.TypeStrings, Doc: "relations read or locked; one with a schema is listed with and without it"}
	Writes      = abi.Field{Name: "writes", Type: abi.TypeStrings, Doc: "relations written, created, altered, dropped or truncated"}
	Functions   = abi.Field{Name: "functions", Type: abi.TypeStrings, Doc: "functions and procedures called by name"}
	Columns     = abi.Field{Name: "columns", Type: abi.TypeStrings, Doc: "columns named, without their tables; * stands for all"}
	Bounded     = abi.Field{Name: "bounded", Type: abi.TypeBool, Doc: "false when an UPDATE or DELETE has no WHERE or one that is always true, and for TRUNCATE and DROP"}
	Locks       = abi.Field{Name: "locks", Type: abi.TypeBool, Doc: "rows or tables are locked explicitly"}
	Returning   = abi.Field{Name: "returning", Type: abi.TypeBool, Doc: "a writing statement returns rows"}
	Executes    = abi.Field{Name: "executes", Type: abi.TypeBool, Doc: "false when the statement is only prepared, bound or described; its execution is an action of its own"}
	Prepared    = abi.Field{Name: "prepared", Type: abi.TypeBool, Doc: "the statement comes by the extended protocol (Parse, Bind, Execute)"}
	Database    = abi.Field{Name: "database", Type: abi.TypeString, Doc: "the session's database"}
	User        = abi.Field{Name: "user", Type: abi.TypeString, Doc: "the user that the session logged in as"}
	Application = abi.Field{Name: "application_name", Type: abi.TypeString, Doc: "what the client calls itself now, as the server reports it"}
	Transaction = abi.Field{Name: "transaction", Type: abi.TypeBool, Doc: "the server last said that the session is in a transaction block: a statement that is held keeps its locks"}
)

// Common are all of them.
func Common() []abi.Field {
	return []abi.Field{Verbs, Statements, Reads, Writes, Functions, Columns, Bounded, Locks, Returning, Executes, Prepared, Database, User, Application, Transaction}
}

// Check refuses a family that lacks one of the common fields, or has it with another type or role.
func Check(f *abi.Family) error {
	if f.Name != Name {
		return errors.New("the family is " + f.Name + ", not " + Name)
	}
	for _, want := range Common() {
		i := slices.IndexFunc(f.Fields, func(g abi.Field) bool { return g.Name == want.Name })
		switch {
		case i < 0:
			return errors.New("family sql has no field " + want.Name)
		case f.Fields[i].Type != want.Type || f.Fields[i].Role != want.Role:
			return errors.New("field " + want.Name + " of family sql has another type or role")
		}
	}
	return nil
}
