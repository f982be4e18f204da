package session

import (
	"errors"
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// words reads a language of a few words in place of SQL: "select", "delete", "fail", "begin", "commit", "copyin", "copyout",
// "prepare NAME TEXT", "execute NAME", "deallocate NAME|all", "declare NAME TEXT", "fetch NAME", "close NAME", with ";"
// between statements. Everything else does not parse.
type words struct{ reads *int }

func wordsPlugin(reads *int) *Plugin {
	return &Plugin{NewReader: func(*sdk.Conn) Reader { return words{reads} }}
}

func (w words) Read(text []byte) (*sqlfacts.Facts, error) {
	if w.reads != nil {
		*w.reads++
	}
	f := &sqlfacts.Facts{Bounded: true}
	if strings.TrimSpace(string(text)) == "" {
		return f, nil
	}
	for _, part := range strings.Split(string(text), ";") {
		fields := strings.Fields(part)
		e, ok := word(fields)
		if !ok {
			return nil, errors.New("syntax error")
		}
		f.Each = append(f.Each, e)
		f.Statements++
		f.Class = max(f.Class, e.Class)
		f.Verbs = []string{fields[0]}
		f.Title = string(text)[:min(len(text), 40)]
	}
	return f, nil
}

func word(fields []string) (e sqlfacts.Statement, ok bool) {
	if len(fields) == 0 {
		return e, false
	}
	kinds := map[string]sqlfacts.Statement{
		"select":  {Kind: sqlfacts.KindSelect, Class: abi.ClassRead},
		"delete":  {Kind: sqlfacts.KindDelete, Class: abi.ClassDelete},
		"fail":    {Kind: sqlfacts.KindOther, Class: abi.ClassRead},
		"begin":   {Kind: sqlfacts.KindBegin},
		"commit":  {Kind: sqlfacts.KindCommit},
		"copyin":  {Kind: sqlfacts.KindCopyIn, Class: abi.ClassWrite},
		"copyout": {Kind: sqlfacts.KindCopyOut, Class: abi.ClassRead},
	}
	if e, ok = kinds[fields[0]]; ok {
		return e, true
	}
	if len(fields) < 2 {
		return e, false
	}
	e.Name = fields[1]
	switch fields[0] {
	case "prepare", "declare":
		inner, ok := word(fields[2:])
		if !ok {
			return e, false
		}
		e.Class, e.Kind = inner.Class, sqlfacts.KindPrepare
		if fields[0] == "declare" {
			e.Kind = sqlfacts.KindDeclareCursor
		}
	case "execute":
		e.Kind, e.Class = sqlfacts.KindExecute, abi.ClassOpaque
	case "deallocate":
		e.Kind, e.All = sqlfacts.KindDeallocate, e.Name == "all"
	case "fetch":
		e.Kind, e.Class = sqlfacts.KindFetch, abi.ClassRead
	case "close":
		e.Kind = sqlfacts.KindCloseCursor
	default:
		return e, false
	}
	return e, true
}
