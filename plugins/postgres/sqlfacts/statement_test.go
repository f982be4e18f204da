package sqlfacts_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/plugins/postgres/pgquery/pgquerytest"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func decode(t testing.TB, companion *pgquerytest.Companion, mode byte, sql string) sqlfacts.Facts {
	t.Helper()
	record, err := companion.Call(mode, []byte(sql))
	if err != nil {
		t.Fatalf("%.100s: %v", sql, err)
	}
	facts, err := sqlfacts.Decode(string(record))
	if err != nil {
		t.Fatalf("%.100s: %v", sql, err)
	}
	return facts
}

// TestStatementsForTheSession checks all that the protocol session keeps books about.
func TestStatementsForTheSession(t *testing.T) {
	const session, read, write, remove, admin, execute, opaque = abi.ClassSession, abi.ClassRead, abi.ClassWrite, abi.ClassDelete,
		abi.ClassAdmin, abi.ClassExecute, abi.ClassOpaque
	type statement = sqlfacts.Statement
	companion := pgquerytest.New(t)
	for _, c := range []struct {
		sql  string
		want statement
	}{
		{"select 1", statement{Kind: sqlfacts.KindSelect, Class: read, Rest: read, Verb: "select"}},
		{"insert into t values (1)", statement{Kind: sqlfacts.KindInsert, Class: write, Rest: write, Verb: "insert"}},
		{"update t set a = 1", statement{Kind: sqlfacts.KindUpdate, Class: write, Rest: write, Verb: "update"}},
		{"delete from t", statement{Kind: sqlfacts.KindDelete, Class: remove, Rest: remove, Verb: "delete"}},
		{"select * into n from t", statement{Class: admin, Rest: admin, Verb: "select"}},
		{"merge into t using s on t.a = s.a when matched then do nothing", statement{Kind: sqlfacts.KindMerge, Class: write, Rest: write, Verb: "merge"}},
		{"start transaction read only", statement{Kind: sqlfacts.KindBegin, Verb: "begin"}},
		{"commit and chain", statement{Kind: sqlfacts.KindCommit, Verb: "commit", Chain: true}},
		{"commit", statement{Kind: sqlfacts.KindCommit, Verb: "commit"}},
		{"rollback", statement{Kind: sqlfacts.KindRollback, Verb: "rollback"}},
		{`savepoint "S p"`, statement{Kind: sqlfacts.KindSavepoint, Verb: "savepoint", Name: "S p"}},
		{"rollback to SP", statement{Kind: sqlfacts.KindRollbackTo, Verb: "rollback to", Name: "sp"}},
		{"release sp", statement{Kind: sqlfacts.KindRelease, Verb: "release", Name: "sp"}},
		{"prepare transaction 'x'", statement{Kind: sqlfacts.KindPrepareTransaction, Class: write, Rest: write, Verb: "prepare transaction", Name: "x"}},
		{"commit prepared 'x'", statement{Kind: sqlfacts.KindCommitPrepared, Class: write, Rest: write, Verb: "commit prepared", Name: "x"}},
		{"rollback prepared 'x'", statement{Kind: sqlfacts.KindRollbackPrepared, Class: write, Rest: write, Verb: "rollback prepared", Name: "x"}},
		{"prepare P as select 1", statement{Kind: sqlfacts.KindPrepare, Class: read, Rest: read, Verb: "prepare", Name: "p"}},
		{"prepare p as delete from t", statement{Kind: sqlfacts.KindPrepare, Class: remove, Rest: remove, Verb: "prepare", Name: "p"}},
		{"execute p(1)", statement{Kind: sqlfacts.KindExecute, Class: opaque, Verb: "execute", Name: "p"}},
		{"execute p(f())", statement{Kind: sqlfacts.KindExecute, Class: opaque, Rest: execute, Verb: "execute", Name: "p"}},
		{"execute p(query_to_xml('', true, true, ''))", statement{Kind: sqlfacts.KindExecute, Class: opaque, Rest: opaque, Verb: "execute", Name: "p"}},
		{"explain execute p", statement{Kind: sqlfacts.KindExplain, Class: opaque, Rest: read, Verb: "explain"}},
		{"deallocate prepare p", statement{Kind: sqlfacts.KindDeallocate, Verb: "deallocate", Name: "p"}},
		{"deallocate all", statement{Kind: sqlfacts.KindDeallocate, Verb: "deallocate", All: true}},
		{`deallocate "all"`, statement{Kind: sqlfacts.KindDeallocate, Verb: "deallocate", Name: "all"}},
		{"declare c cursor with hold for select 1", statement{Kind: sqlfacts.KindDeclareCursor, Class: read, Rest: read, Verb: "declare cursor", Name: "c", Hold: true}},
		{"declare c cursor for select 1", statement{Kind: sqlfacts.KindDeclareCursor, Class: read, Rest: read, Verb: "declare cursor", Name: "c"}},
		{"fetch all from c", statement{Kind: sqlfacts.KindFetch, Class: read, Rest: read, Verb: "fetch", Name: "c"}},
		{"move c", statement{Kind: sqlfacts.KindFetch, Class: read, Rest: read, Verb: "move", Name: "c"}},
		{"close c", statement{Kind: sqlfacts.KindCloseCursor, Verb: "close", Name: "c"}},
		{"close all", statement{Kind: sqlfacts.KindCloseCursor, Verb: "close", All: true}},
		{"copy t from stdin", statement{Kind: sqlfacts.KindCopyIn, Class: write, Rest: write, Verb: "copy"}},
		{"copy t to stdout", statement{Kind: sqlfacts.KindCopyOut, Class: read, Rest: read, Verb: "copy"}},
		{"copy (delete from t returning 1) to stdout", statement{Kind: sqlfacts.KindCopyOut, Class: remove, Rest: remove, Verb: "copy"}},
		{"copy t to program 'x'", statement{Kind: sqlfacts.KindCopyFile, Class: execute, Rest: execute, Verb: "copy", Value: "program"}},
		{"copy t from '/x'", statement{Kind: sqlfacts.KindCopyFile, Class: execute, Rest: execute, Verb: "copy", Value: "file"}},
		{"set search_path = a, \"B\", 'c d'", statement{Kind: sqlfacts.KindSet, Verb: "set", Name: "search_path", Value: "a, B, c d"}},
		{`set local "DateStyle" to iso`, statement{Kind: sqlfacts.KindSet, Verb: "set", Name: "datestyle", Value: "iso", Local: true}},
		{"set standard_conforming_strings = off", statement{Kind: sqlfacts.KindSet, Verb: "set", Name: "standard_conforming_strings", Value: "off"}},
		{"set names 'LATIN1'", statement{Kind: sqlfacts.KindSet, Verb: "set", Name: "client_encoding", Value: "LATIN1"}},
		{"set statement_timeout = 5", statement{Kind: sqlfacts.KindSet, Verb: "set", Name: "statement_timeout", Value: "5"}},
		{"set geqo to default", statement{Kind: sqlfacts.KindSet, Verb: "set", Name: "geqo", Default: true}},
		{"set geqo from current", statement{Kind: sqlfacts.KindSet, Verb: "set", Name: "geqo", Default: true}},
		{"set role none", statement{Kind: sqlfacts.KindSet, Class: admin, Rest: admin, Verb: "set", Name: "role", Value: "none"}},
		{"set session authorization default", statement{Kind: sqlfacts.KindSet, Class: admin, Rest: admin, Verb: "set", Name: "session_authorization", Default: true}},
		{"reset timezone", statement{Kind: sqlfacts.KindReset, Verb: "reset", Name: "timezone"}},
		{"reset all", statement{Kind: sqlfacts.KindReset, Verb: "reset", All: true}},
		{"show all", statement{Kind: sqlfacts.KindShow, Verb: "show", Name: "all"}},
		{"discard all", statement{Kind: sqlfacts.KindDiscard, Verb: "discard", Value: "all", All: true}},
		{"discard temporary", statement{Kind: sqlfacts.KindDiscard, Verb: "discard", Value: "temp"}},
		{"listen Ch", statement{Kind: sqlfacts.KindListen, Verb: "listen", Name: "ch"}},
		{"unlisten *", statement{Kind: sqlfacts.KindUnlisten, Verb: "unlisten", All: true}},
		{"unlisten ch", statement{Kind: sqlfacts.KindUnlisten, Verb: "unlisten", Name: "ch"}},
		{"notify ch", statement{Kind: sqlfacts.KindNotify, Class: write, Rest: write, Verb: "notify", Name: "ch"}},
		{"do ''", statement{Kind: sqlfacts.KindCall, Class: opaque, Rest: opaque, Verb: "do"}},
		{"call p()", statement{Kind: sqlfacts.KindCall, Class: execute, Rest: execute, Verb: "call", Name: "p"}},
		{"alter role r set role = x", statement{Class: admin, Rest: admin, Verb: "alter role", Name: "r"}},
		{"drop table t", statement{Class: admin, Rest: admin, Verb: "drop table"}},
	} {
		facts := decode(t, companion, sqlfacts.ModeFacts, c.sql)
		if len(facts.Each) != 1 || facts.Each[0] != c.want {
			t.Errorf("%s\n\t%+v\n\twant %+v", c.sql, facts.Each, c.want)
		}
	}
}

// TestEachKeepsOrder: the statements of a text stand in their order, each with its own class.
func TestEachKeepsOrder(t *testing.T) {
	facts := decode(t, pgquerytest.New(t), sqlfacts.ModeFacts, "begin; select f(); select f(); delete from a.b; ; commit")
	var got []string
	for _, s := range facts.Each {
		got = append(got, s.Verb+" "+s.Class.String())
	}
	want := []string{"begin session", "select execute", "select execute", "delete delete", "commit session"}
	if !slices.Equal(got, want) || facts.Statements != 5 || facts.Class != abi.ClassExecute || facts.Bounded {
		t.Errorf("%q, %+v", got, facts)
	}
}

func TestFingerprint(t *testing.T) {
	companion := pgquerytest.New(t)
	one := decode(t, companion, sqlfacts.ModeFingerprint, "SELECT * FROM t WHERE a = 1 AND b IN (1, 2)")
	two := decode(t, companion, sqlfacts.ModeFingerprint, "select *  from t where a=99 and b in (3, 4, 5)")
	other := decode(t, companion, sqlfacts.ModeFingerprint, "select * from u where a = 1")
	if len(one.Fingerprint) != 16 || one.Fingerprint != two.Fingerprint || one.Fingerprint == other.Fingerprint {
		t.Errorf("fingerprints %q, %q, %q", one.Fingerprint, two.Fingerprint, other.Fingerprint)
	}
	if one.Normalized != "SELECT * FROM t WHERE a = $1 AND b IN ($2, $3)" {
		t.Errorf("normalized %q", one.Normalized)
	}
	// Statements that the normalizer does not know stay as they are; they must not fail.
	for _, sql := range []string{"create table t (a int default 5)", "vacuum t", "grant select on t to bob", "do 'x'", "begin; select 1"} {
		if f := decode(t, companion, sqlfacts.ModeFingerprint, sql); f.Normalized == "" || f.Unknown {
			t.Errorf("%s: %+v", sql, f)
		}
	}
	plain := decode(t, companion, sqlfacts.ModeFacts, "select 1")
	if plain.Fingerprint != "" || plain.Normalized != "" {
		t.Errorf("unasked: %+v", plain)
	}
	long := decode(t, companion, sqlfacts.ModeFingerprint, "select "+strings.Repeat("ä, ", 10_000)+"b from t")
	if long.Unknown || !long.NormalizedCut || !utf8.ValidString(long.Normalized) || len(long.Normalized) > 16<<10 {
		t.Errorf("long text: %v %v %d", long.Unknown, long.NormalizedCut, len(long.Normalized))
	}
}

// TestUnreadIsOpaque: a record that was cut, or a tree too deep to walk, is opaque in all of its statements.
func TestUnreadIsOpaque(t *testing.T) {
	companion := pgquerytest.New(t)
	facts := decode(t, companion, sqlfacts.ModeFacts, "select 1; select 1"+strings.Repeat("+1", 5000))
	if !facts.Unknown || facts.Class != abi.ClassOpaque || !strings.Contains(facts.Title, "unreadable") {
		t.Errorf("%+v", facts)
	}
	for _, s := range facts.Each {
		if s.Class != abi.ClassOpaque || s.Rest != abi.ClassOpaque {
			t.Errorf("%+v", s)
		}
	}
	if twin := decode(t, companion, sqlfacts.ModeFacts, "select 1; select 1"+strings.Repeat("+1", 500)); twin.Unknown || twin.Class != abi.ClassRead {
		t.Errorf("twin %+v", twin)
	}
}

func TestTitleIsOneBoundedLine(t *testing.T) {
	companion := pgquerytest.New(t)
	for _, sql := range []string{
		"drop table \"a\nb\u2028c\td\u0085\"",
		"select * from " + strings.Repeat("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, ", 50) + "b",
		strings.Repeat("delete from x;", 100),
		"delete from \"" + strings.Repeat("é", 31) + "\"." + `"` + strings.Repeat("日", 21) + `"`,
		`select "` + strings.Repeat("é", 31) + `".f()` + strings.Repeat(`; select "`+strings.Repeat("é", 31)+`".g()`, 9),
	} {
		title := decode(t, companion, sqlfacts.ModeFacts, sql).Title
		if len(title) > sqlfacts.MaxTitle || !utf8.ValidString(title) || strings.ContainsAny(title, "\n\r\t\u2028\u0085") || title == "" {
			t.Errorf("%.40s…: %q (%d bytes)", sql, title, len(title))
		}
	}
}

// TestEverySpelling writes one relation in every way that PostgreSQL reads as the same: a rule that names it fires for each.
func TestEverySpelling(t *testing.T) {
	companion := pgquerytest.New(t)
	plain := []string{"users", "USERS", "Users", `"users"`, `U&"users"`, `U&"\0075sers"`, `u&"\+000075sers"`, `U&"!0075sers" UESCAPE '!'`, "/* */users--\n", "users\t"}
	for _, name := range plain {
		for _, schema := range []string{"", "public.", "PUBLIC.", `"public".`, `U&"\0070ublic".`, "db.public.", "public . "} {
			spelled := schema + name
			for _, sql := range []string{"delete from %", "delete from only %", "delete from % as u", "update % set a = 1", "insert into % values (1)", "truncate %",
				"truncate t, %", "drop table %", "with a as (delete from % returning *) select * from a", "explain delete from %", "prepare p as delete from %",
				"copy % from stdin", "merge into % using t on true when matched then delete", "alter table % drop a", "create index on % (a)", "comment on table % is ''"} {
				facts := decode(t, companion, sqlfacts.ModeFacts, strings.Replace(sql, "%", spelled, 1))
				if !slices.Contains(facts.Writes, "users") || (schema != "") != slices.Contains(facts.Writes, "public.users") {
					t.Errorf("%s as %q: writes %q", sql, spelled, facts.Writes)
				}
			}
			for _, sql := range []string{"select * from %", "select * from t, %", "select (select 1 from % limit 1)", "table %", "copy % to stdout", "lock % in access share mode",
				"select 1 where exists (select from only %)", "insert into t select * from %", "select * from t join lateral (select * from %) x on true"} {
				facts := decode(t, companion, sqlfacts.ModeFacts, strings.Replace(sql, "%", spelled, 1))
				if !slices.Contains(facts.Reads, "users") || (schema != "") != slices.Contains(facts.Reads, "public.users") {
					t.Errorf("%s as %q: reads %q", sql, spelled, facts.Reads)
				}
			}
		}
	}
	for _, other := range []string{`"Users"`, `"users "`, `"public.users"`, `U&"\0055sers"`, `"user"`, "users2"} {
		if facts := decode(t, companion, sqlfacts.ModeFacts, "delete from "+other); slices.Contains(facts.Writes, "users") {
			t.Errorf("%s is another relation: %q", other, facts.Writes)
		}
	}
}
