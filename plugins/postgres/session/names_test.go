package session

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// executedDeletes denies what could delete when it is executed, and lets it be prepared.
func executedDeletes(a *action) verdict {
	if a.Class >= abi.ClassDelete && a.value("executes").Bool {
		return deny("no " + a.Class.String())
	}
	return allow
}

// TestNames has pipelines in which a name is not what it seems. The policy allows to prepare what deletes, not to execute it.
func TestNames(t *testing.T) {
	long := strings.Repeat("n", 63)
	for _, c := range []struct {
		name   string
		before []pgproto3.FrontendMessage // one answer
		sent   []pgproto3.FrontendMessage
		want   []string
	}{
		{"twin: prepared before", one(parse("s", "SELECT 1"), sync1), one(bind("", "s"), execute(""), sync1), []string{"2 D:1 C:SELECT-1 Z:I"}},
		{"prepared before", one(parse("s", "DELETE FROM %s"), sync1), one(bind("", "s"), execute(""), sync1), []string{"E:42501 Z:I"}},
		{"twin: renamed in a pipeline", one(parse("s", "DELETE FROM %s"), sync1),
			one(closing1("s"), parse("s", "SELECT 1"), sync1, bind("", "s"), execute(""), sync1), []string{"3 1 Z:I", "2 D:1 C:SELECT-1 Z:I"}},
		{"renamed in a pipeline that fails before", one(parse("s", "DELETE FROM %s"), sync1),
			one(parse("", "SELECT nothing"), closing1("s"), parse("s", "SELECT 1"), sync1, bind("", "s"), execute(""), sync1),
			[]string{"E:42703 Z:I", "E:42501 Z:I"}},
		{"renamed in a pipeline whose new text fails", one(parse("s", "DELETE FROM %s"), sync1),
			one(parse("s", "SELECT 1"), sync1, bind("", "s"), execute(""), sync1), []string{"E:42P05 Z:I", "E:42501 Z:I"}},
		{"twin: unnamed in a pipeline", one(parse("", "DELETE FROM %s"), sync1),
			one(parse("", "SELECT 1"), sync1, bind("", ""), execute(""), sync1), []string{"1 Z:I", "2 D:1 C:SELECT-1 Z:I"}},
		{"unnamed in a pipeline that fails before", one(parse("", "DELETE FROM %s"), sync1),
			one(parse("x", "SELECT nothing"), parse("", "SELECT 1"), sync1, bind("", ""), execute(""), sync1), []string{"E:42703 Z:I", "E:42501 Z:I"}},
		{"unnamed, a Query that is skipped does not take it away", one(parse("", "DELETE FROM %s"), sync1),
			one(parse("x", "SELECT nothing"), query("SELECT 1"), sync1, bind("", ""), execute(""), sync1), []string{"E:42703 Z:I", "E:42501 Z:I"}},
		{"names that the server cuts", one(parse(long+"a", "SELECT 1"), sync1),
			one(closing1(long+"b"), parse(long+"c", "DELETE FROM %s"), sync1, bind("", long+"a"), execute(""), sync1), []string{"3 1 Z:I", "E:42501 Z:I"}},
		{"twin: names that the server cuts", one(parse(long+"a", "SELECT 1"), sync1), one(bind("", long+"x"), execute(""), sync1), []string{"2 D:1 C:SELECT-1 Z:I"}},
		{"SQL EXECUTE of a Parse", one(parse("s", "DELETE FROM %s"), sync1), one(query("EXECUTE s")), []string{"E:42501 Z:I"}},
		{"twin: SQL EXECUTE of a Parse", one(parse("s", "SELECT 1"), sync1), one(query("EXECUTE s")), []string{"D:1 C:SELECT-1 Z:I"}},
		{"SQL EXECUTE by the extended protocol", one(parse("s", "DELETE FROM %s"), sync1), together(run("EXECUTE s"), one(sync1)), []string{"E:42501 Z:I"}},
		{"twin: SQL EXECUTE by the extended protocol", one(parse("s", "SELECT 1"), sync1), together(run("EXECUTE s"), one(sync1)), []string{"1 2 D:1 C:SELECT-1 Z:I"}},
		{"FETCH from a portal", one(parse("s", "DELETE FROM %s RETURNING id"), sync1),
			one(query("BEGIN"), bind("c", "s"), sync1, query("FETCH ALL FROM c"), query("COMMIT")), []string{"C:BEGIN Z:T", "2 Z:T", "E:42501 Z:E", "C:ROLLBACK Z:I"}},
		{"twin: FETCH from a portal", one(parse("s", "SELECT id FROM %s ORDER BY id"), sync1),
			one(query("BEGIN"), bind("c", "s"), sync1, query("FETCH 1 FROM c"), query("COMMIT")), []string{"C:BEGIN Z:T", "2 Z:T", "D:1 C:FETCH-1 Z:T", "C:COMMIT Z:I"}},
		{"EXPLAIN EXECUTE", one(parse("s", "DELETE FROM %s"), sync1), one(query("EXPLAIN ANALYZE EXECUTE s")), []string{"E:42501 Z:I"}},
		{"DEALLOCATE that failed", one(parse("s", "DELETE FROM %s"), sync1),
			one(query("BEGIN; SELECT nothing; DEALLOCATE s"), query("ROLLBACK"), bind("", "s"), execute(""), sync1), []string{"C:BEGIN E:42703 Z:E", "C:ROLLBACK Z:I", "E:42501 Z:I"}},
		{"twin: DISCARD ALL, then another", one(parse("s", "DELETE FROM %s"), sync1),
			one(query("DISCARD ALL"), parse("s", "SELECT 1"), bind("", "s"), execute(""), sync1), []string{"C:DISCARD-ALL Z:I", "1 2 D:1 C:SELECT-1 Z:I"}},
		{"after DISCARD ALL nothing is known", one(parse("s", "SELECT 1"), sync1),
			one(query("DISCARD ALL"), bind("", "s"), execute(""), sync1), []string{"C:DISCARD-ALL Z:I", "E:42501 Z:I"}},
		{"a portal executed twice is decided twice", one(parse("s", "SELECT id FROM %s ORDER BY id"), sync1),
			one(bind("c", "s"), &pgproto3.Execute{Portal: "c", MaxRows: 1}, &pgproto3.Execute{Portal: "c", MaxRows: 1}, sync1), []string{"2 D:1 s D:2 s Z:I"}},
		{"in one segment without Sync", one(query("SELECT 1")),
			one(parse("s", "SELECT 1"), bind("", "s"), execute(""), closing1("s"), parse("s", "DELETE FROM %s"), bind("", "s"), execute(""), sync1),
			[]string{"1 2 D:1 C:SELECT-1 3 E:42501 Z:I"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := startLive(t, executedDeletes)
			name := table(t, 3)
			for _, list := range [][]pgproto3.FrontendMessage{c.before, c.sent} {
				for _, m := range list {
					if p, ok := m.(*pgproto3.Parse); ok {
						p.Query = strings.ReplaceAll(p.Query, "%s", name)
					}
				}
			}
			r := v.raw(t)
			r.send(c.before...)
			r.answers()
			r.send(c.sent...)
			r.want(c.want...)
			r.send(query("SELECT 'still here'"))
			r.want("D:still here C:SELECT-1 Z:I")
			if n := count(t, name); n != 3 {
				t.Errorf("%d rows are left", n)
			}
		})
	}
}

// TestLexerSettings has texts that read differently once the agent has changed the lexer.
func TestLexerSettings(t *testing.T) {
	v := startLive(t, noDeletes)
	name := table(t, 3)
	// One literal while standard_conforming_strings is on; two statements when it is off.
	text := `SELECT '\''; DELETE FROM ` + name + `; --'`
	value := `\'; DELETE FROM ` + name + `; --`
	off := query("SET standard_conforming_strings = off")
	for _, c := range []struct {
		name string
		sent []pgproto3.FrontendMessage
		want []string
	}{
		{"twin: as it is", one(query(text)), []string{"D:" + value + " C:SELECT-1 Z:I"}},
		{"twin: pipelined behind another query", one(query("SELECT 1"), query(text)), []string{"D:1 C:SELECT-1 Z:I", "D:" + value + " C:SELECT-1 Z:I"}},
		{"switched off before", one(off, query(text)), []string{"C:SET Z:I", "E:42501 Z:I"}},
		{"twin: switched back", one(off, query("SET standard_conforming_strings TO on"), query(text)), []string{"C:SET Z:I", "C:SET Z:I", "D:" + value + " C:SELECT-1 Z:I"}},
		{"in one pipeline", together(run("SET standard_conforming_strings = off"), run(`SELECT '\'''`), one(sync1)), []string{"1 2 C:SET E:42501 Z:I"}},
		{"prepared in a pipeline and used later", together(run("SELECT 1"), one(parse("s", `SELECT '\'''`), sync1)), []string{"1 2 D:1 C:SELECT-1 E:42501 Z:I"}},
		{"twin: prepared first in its pipeline", together(one(sync1, parse("s", `SELECT '\'''`), bind("", "s"), execute(""), sync1)), []string{"Z:I", `1 2 D:\' C:SELECT-1 Z:I`}},
		{"another encoding", one(query("SET client_encoding = latin1"), query("SELECT 'ä'"), query("SELECT 'a'")), []string{"C:SET Z:I", "E:42501 Z:I", "D:a C:SELECT-1 Z:I"}},
		{"twin: the right encoding", one(query("SET client_encoding = 'utf8'"), query("SELECT 'ä'")), []string{"C:SET Z:I", "D:ä C:SELECT-1 Z:I"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := v.raw(t)
			r.send(c.sent...)
			r.want(c.want...)
			if n := count(t, name); n != 3 {
				t.Fatalf("%d rows are left", n)
			}
		})
	}
}

// TestSwitchedOff has every other statement opaque once the server has said that the lexer reads differently.
func TestSwitchedOff(t *testing.T) {
	v := startLive(t, noDeletes)
	r := v.raw(t)
	for _, step := range [][2]string{
		{"SELECT 1", "D:1 C:SELECT-1 Z:I"},
		{"SET standard_conforming_strings = off", "C:SET Z:I"},
		{"SELECT 1", "E:42501 Z:I"},
		{"SET standard_conforming_strings = off", "E:42501 Z:I"},
		{"SET standard_conforming_strings = on; DELETE FROM t1", "E:42501 Z:I"},
		{"SET standard_conforming_strings = on", "C:SET Z:I"},
		{"SELECT 1", "D:1 C:SELECT-1 Z:I"},
	} {
		r.send(query(step[0]))
		r.want(step[1])
	}
}
