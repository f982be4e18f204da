package session

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestHidden has statements that delete in every disguise of the wire, each with a twin that does not. %s is the table.
func TestHidden(t *testing.T) {
	v := startLive(t, noDeletes)
	for _, c := range []struct{ name, attack, twin, answer string }{
		{"second statement", "SELECT 1; DELETE FROM %s", "SELECT 1; SELECT 2", "D:1 C:SELECT-1 D:2 C:SELECT-1 Z:I"},
		{"writing CTE", "WITH d AS (DELETE FROM %s RETURNING 1) SELECT 3", "WITH d AS (SELECT id FROM %s) SELECT 3", "D:3 C:SELECT-1 Z:I"},
		{"explain analyze", "EXPLAIN (ANALYZE, COSTS off) DELETE FROM %s", "EXPLAIN (COSTS off) SELECT 1", "D:Result C:EXPLAIN Z:I"},
		{"prepare", "PREPARE x AS DELETE FROM %s", "PREPARE y AS SELECT 1", "C:PREPARE Z:I"},
		{"execute of what is not known", "EXECUTE nothing", "EXECUTE y", "D:1 C:SELECT-1 Z:I"},
		{"prepare and execute in one text", "PREPARE z AS DELETE FROM %s; EXECUTE z", "PREPARE z AS SELECT 4; EXECUTE z", "C:PREPARE D:4 C:SELECT-1 Z:I"},
		{"execute with a parameter that does something", "EXECUTE p(query_to_xml('delete from %s', true, true, '')::text)", "PREPARE p(text) AS SELECT $1; EXECUTE p('x')", "C:PREPARE D:x C:SELECT-1 Z:I"},
		{"copy", "COPY (DELETE FROM %s RETURNING id) TO STDOUT", "COPY (SELECT 1) TO STDOUT", "C:COPY-1 Z:I"},
		{"do", "DO $$ BEGIN DELETE FROM %s; END $$", "SELECT $$ BEGIN; END $$", "D: BEGIN; END  C:SELECT-1 Z:I"},
		{"fetch of what is not known", "FETCH nothing", "BEGIN; DECLARE c CURSOR FOR SELECT 5; FETCH c; COMMIT", "C:BEGIN C:DECLARE-CURSOR D:5 C:FETCH-1 C:COMMIT Z:I"},
		{"what PostgreSQL 15 does not parse", "DELETE FROM %s WHERE", "SELECT", "D: C:SELECT-1 Z:I"},
		{"a comment that is none", "SELECT 1 /* /* */ ; */ ; DELETE FROM %s", "SELECT 1 /* /* */ ; DELETE FROM t */", "D:1 C:SELECT-1 Z:I"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := table(t, 3)
			fill := func(text string) string { return strings.ReplaceAll(text, "%s", name) }
			r := v.raw(t)
			if strings.Contains(c.twin, "EXECUTE y") {
				r.send(query("PREPARE y AS SELECT 1"))
				r.want("C:PREPARE Z:I")
			}
			r.send(query(fill(c.attack)))
			r.want("E:42501 Z:I")
			if c.name != "second statement" && !strings.Contains(c.attack, ";") && !strings.HasPrefix(c.attack, "EXECUTE p") {
				r.send(together(run(fill(c.attack)), one(sync1))...)
				r.want("E:42501 Z:I")
			}
			if c.name == "execute with a parameter that does something" {
				r.send(query("PREPARE p(text) AS SELECT $1"))
				r.want("C:PREPARE Z:I")
				r.send(query(fill(c.attack)))
				r.want("E:42501 Z:I")
				r.send(query("DEALLOCATE p"))
				r.want("C:DEALLOCATE Z:I")
			}
			r.send(query(fill(c.twin)))
			if c.twin == "SELECT" {
				c.answer = "C:SELECT-1 Z:I"
				r.answersWithoutColumns(c.answer)
			} else {
				r.want(c.answer)
			}
			if n := count(t, name); n != 3 {
				t.Errorf("%d rows are left", n)
			}
			if server.logged(t, fill(c.attack)) {
				t.Error("the server was given the attack")
			}
		})
	}
}

// answersWithoutColumns is want for rows without columns.
func (r *raw) answersWithoutColumns(want string) {
	r.t.Helper()
	for {
		m, err := r.f.Receive()
		if err != nil {
			r.t.Fatal(err)
		}
		switch m := m.(type) {
		case *pgproto3.ErrorResponse:
			r.t.Errorf("%s, not %s", m.Message, want)
		case *pgproto3.ReadyForQuery:
			return
		}
	}
}

// TestCopyTricks breaks the order of messages around COPY.
func TestCopyTricks(t *testing.T) {
	v := startLive(t, noDeletes)
	name := table(t, 3)
	data := &pgproto3.CopyData{Data: []byte("4\tfour\n")}
	done := &pgproto3.CopyDone{}
	in := query("COPY " + name + " FROM STDIN")
	for _, c := range []struct {
		name string
		sent []pgproto3.FrontendMessage
		want []string
	}{
		{"twin: everything at once", one(in, data, done, query("SELECT 1")), []string{"G", "C:COPY-1 Z:I", "D:1 C:SELECT-1 Z:I"}},
		{"twin: two COPY in one query", one(query("COPY "+name+" FROM STDIN; COPY "+name+" FROM STDIN"), data, done, data, done), []string{"G", "C:COPY-1 G", "C:COPY-1 Z:I"}},
		{"twin: extended, with a Sync too many", together(run("COPY "+name+" FROM STDIN"), one(sync1, data, done, sync1)), []string{"1 2 G", "C:COPY-1 Z:I"}},
		{"twin: given up", one(in, data, &pgproto3.CopyFail{Message: "no"}, query("SELECT 1")), []string{"G", "E:57014 Z:I", "D:1 C:SELECT-1 Z:I"}},
		{"twin: a COPY that fails first", together(run("COPY nowhere FROM STDIN"), one(data, done, sync1), run("SELECT 1"), one(sync1)), []string{"1 2 E:42P01 Z:I", "1 2 D:1 C:SELECT-1 Z:I"}},
		{"a Query during COPY", one(in, data, query("DELETE FROM "+name)), []string{"G", "E:08P01 FATAL:08P01 EOF"}},
		{"an Execute during COPY", together(one(in), run("DELETE FROM "+name), one(sync1)), []string{"G", "E:08P01 FATAL:08P01 EOF"}},
		{"data without a COPY", one(data, done, query("DELETE FROM "+name), data, query("SELECT 1")), []string{"E:42501 Z:I", "D:1 C:SELECT-1 Z:I"}},
		{"data in the middle of a statement", one(parse("", "SELECT 1"), data, bind("", ""), done, execute(""), sync1), []string{"1 2 D:1 C:SELECT-1 Z:I"}},
		{"data behind a denied statement", together(run("DELETE FROM "+name), one(data, done, query("DELETE FROM "+name), sync1, query("SELECT 1"))), []string{"E:42501 Z:I", "D:1 C:SELECT-1 Z:I"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := v.raw(t)
			before := count(t, name)
			r.send(c.sent...)
			r.want(c.want...)
			if n := count(t, name); n < before {
				t.Errorf("%d of %d rows are left", n, before)
			}
			if server.logged(t, "DELETE FROM "+name) {
				t.Error("the server was given the attack")
			}
		})
	}
}

// TestLengths declares lengths that no message has.
func TestLengths(t *testing.T) {
	v := startLive(t, noDeletes)
	head := func(typ byte, n int64) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{typ}, uint32(n)), "SELECT 1\x00"...)
	}
	for _, typ := range []byte("QPBEDCSHFXdcf") {
		for _, n := range []int64{0, 3, -1, -1 << 31, 1<<31 - 1} {
			r := v.raw(t)
			r.write(head(typ, n))
			r.want("EOF")
		}
	}
	for _, typ := range []byte("pqR\x00\xff") {
		r := v.raw(t)
		r.write(head(typ, 13))
		r.want("FATAL:08P01 EOF")
	}
	r := v.raw(t) // the twin
	r.write(head('Q', 13))
	r.want("D:1 C:SELECT-1 Z:I")
}

// TestTooLarge sends messages past max_message, and goes on.
func TestTooLarge(t *testing.T) {
	v := startLiveWith(t, noDeletes, map[string]any{"max_message": int64(4096)})
	r := v.raw(t)
	long := "SELECT '" + strings.Repeat("x", 100_000) + "'"
	r.send(query(long), query("SELECT 1"))
	r.want("E:54000 Z:I", "D:1 C:SELECT-1 Z:I")
	r.send(together(run("SELECT 2"), run(long), run("SELECT 3"), one(sync1), run("SELECT 4"), one(sync1))...)
	r.want("1 2 D:2 C:SELECT-1 E:54000 Z:I", "1 2 D:4 C:SELECT-1 Z:I")
	r.send(parse("s", "SELECT $1::text"), &pgproto3.Bind{PreparedStatement: "s", Parameters: [][]byte{[]byte(long)}}, execute(""), sync1)
	r.want("1 2 D:" + long + " C:SELECT-1 Z:I") // what it does is known, whatever the values
	name := table(t, 3)
	r.send(parse("d", "DELETE FROM "+name+" WHERE name = $1"), sync1)
	r.want("E:42501 Z:I")
	r.send(&pgproto3.Bind{PreparedStatement: "d", Parameters: [][]byte{[]byte(long)}}, execute(""), sync1)
	r.want("E:54000 Z:I")
	r.send(&pgproto3.Bind{PreparedStatement: "s", Parameters: [][]byte{[]byte("ok")}}, execute(""), sync1)
	r.want("2 D:ok C:SELECT-1 Z:I")
}

// TestBeforeTheSession has packets that are no session.
func TestBeforeTheSession(t *testing.T) {
	v := startLive(t, noDeletes)
	try := func(packets ...[]byte) string {
		t.Helper()
		conn, err := net.Dial("tcp", v.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, p := range packets {
			conn.Write(p)
		}
		conn.(*net.TCPConn).CloseWrite()
		b, _ := io.ReadAll(conn)
		return string(b)
	}
	packet := func(code uint32, body string) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
		return append(binary.BigEndian.AppendUint32(b, code), body...)
	}
	const v3 = 3 << 16
	for _, c := range []struct {
		name, want string
		packets    [][]byte
	}{
		{"cancel", "", [][]byte{packet(80877102, "12345678")}},
		{"SSL and GSS", "NN", [][]byte{packet(80877103, ""), packet(80877104, "")}},
		{"SSL twice", "unsupported frontend protocol 1234.5679", [][]byte{packet(80877103, ""), packet(80877103, "")}},
		{"protocol 2", "unsupported frontend protocol 2.0", [][]byte{packet(2<<16, "")}},
		{"TLS at once", "", [][]byte{[]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")}},
		{"too long", "", [][]byte{binary.BigEndian.AppendUint32(nil, 10005)}},
		{"no user", "no PostgreSQL user name", [][]byte{packet(v3, "database\x00x\x00\x00")}},
		{"no end", "expected terminator", [][]byte{packet(v3, "user\x00postgres\x00")}},
		{"more behind the end", "expected terminator", [][]byte{packet(v3, "user\x00postgres\x00\x00x")}},
		{"two users", "given twice", [][]byte{packet(v3, "user\x00postgres\x00user\x00other\x00\x00")}},
		{"a long user", "longer than 63", [][]byte{packet(v3, "user\x00"+strings.Repeat("u", 64)+"\x00\x00")}},
		{"replication", "42501", [][]byte{packet(v3, "user\x00postgres\x00replication\x00true\x00\x00")}},
	} {
		got := try(c.packets...)
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	// The twins: a session, also in a version that the server has to talk down, with SSL asked for first.
	for _, packets := range [][][]byte{
		{packet(v3, "user\x00postgres\x00replication\x00off\x00\x00")},
		{packet(80877103, ""), packet(v3+2, "user\x00postgres\x00\x00")},
		{packet(v3+9999, "user\x00postgres\x00_pq_.something\x00x\x00\x00")},
	} {
		got := try(append(packets, encoded(query("SELECT 'y' || 'es'"), &pgproto3.Terminate{}))...)
		if !strings.Contains(got, "yes") {
			t.Errorf("%q: %q", packets, got)
		}
	}
}

// TestShadowed puts another schema before pg_catalog, so that a function's name can be anybody's.
func TestShadowed(t *testing.T) {
	reads := func(a *action) verdict {
		if a.Class > abi.ClassRead {
			return deny("no " + a.Class.String())
		}
		return allow
	}
	v := startLive(t, reads)
	for _, c := range []struct{ path, answer string }{
		{"public", "D:x C:SELECT-1 Z:I"},
		{"public, pg_catalog", "E:42501 Z:I"},
		{`"PG_CATALOG", "pg_catalog"`, "E:42501 Z:I"},
	} {
		r := v.raw(t)
		r.send(query("SET search_path = " + c.path))
		r.want("C:SET Z:I")
		r.send(query("SELECT lower('X')"))
		r.want(c.answer)
		r.send(query("SELECT 1"))
		r.want("D:1 C:SELECT-1 Z:I")
	}
}

// TestRolledBack has a denied statement in a transaction by hand.
func TestRolledBack(t *testing.T) {
	v := startLive(t, noDeletes)
	name := table(t, 3)
	r := v.raw(t)
	r.send(query("BEGIN"), query(fmt.Sprintf("UPDATE %s SET name = 'lost'", name)), query("DELETE FROM "+name), query("COMMIT"))
	r.want("C:BEGIN Z:T", "C:UPDATE-3 Z:T", "E:42501 Z:E", "C:ROLLBACK Z:I")
	r.send(query(fmt.Sprintf("SELECT count(*) FROM %s WHERE name = 'lost'", name)))
	r.want("D:0 C:SELECT-1 Z:I")
}

// TestOpaqueCopy has COPY in texts that cannot be read. Where that is allowed they work like any other, and what follows does too; where it
// is not, no data passes.
func TestOpaqueCopy(t *testing.T) {
	name := table(t, 3)
	data := &pgproto3.CopyData{Data: []byte("7\tseven\n")}
	off, in, out := query("SET standard_conforming_strings = off"), query("COPY "+name+" FROM STDIN"), query("COPY "+name+" TO STDOUT")
	allowed := startLive(t, allowAll)
	r := allowed.raw(t)
	r.send(off)
	r.want("C:SET Z:I")
	r.send(in)
	r.want("G")
	r.send(data, data, &pgproto3.CopyDone{}, query("SELECT 1"))
	r.want("C:COPY-2 Z:I", "D:1 C:SELECT-1 Z:I")
	r.send(out, in, data, &pgproto3.CopyFail{Message: "no"}, query("SELECT 2"))
	r.want("C:COPY-5 Z:I", "G", "E:57014 Z:I", "D:2 C:SELECT-1 Z:I")
	r.send(query("COPY "+name+" FROM STDIN; COPY "+name+" FROM STDIN; SELECT 3"), data, &pgproto3.CopyDone{}, data, &pgproto3.CopyDone{})
	r.want("G", "C:COPY-1 G", "C:COPY-1 D:3 C:SELECT-1 Z:I")
	if n := count(t, name); n != 7 {
		t.Errorf("%d rows", n)
	}
	denied := startLive(t, func(a *action) verdict {
		if a.Class == abi.ClassOpaque {
			return deny("no opaque")
		}
		return allowAll(a)
	})
	r = denied.raw(t)
	r.send(off)
	r.want("C:SET Z:I")
	r.send(in, data, &pgproto3.CopyDone{}, query("SET standard_conforming_strings = on"))
	r.want("E:42501 Z:I", "C:SET Z:I")
	r.send(query("SELECT 1"))
	r.want("D:1 C:SELECT-1 Z:I")
	if n := count(t, name); n != 7 {
		t.Errorf("%d rows", n)
	}
}
