package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/postgres/pgquery/pgquerytest"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func TestSkeleton(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"select 1", "select 0"},
		{"select a from t where id = 4711;", "select a from t where id = 0;"},
		{"select a1, b_2 from t3 where id in (1,22,333) limit 5", "select a1, b_2 from t3 where id in (0,0,0) limit 0"},
		{"select -1, 2-3, 4*5/6", "select -0, 0-0, 0*0/0"},
		{"select a<1,b>2,c>=3,d<>4", "select a<0,b>0,c>=0,d<>0"},
		{"select 1.5, .5, 1e5, 0x1f, 1_000, 12abc, a.1, x[1]", "select 1.5, .5, 1e5, 0x1f, 1_000, 12abc, a.1, x[1]"},
		{"", ""}, {"select 'a'", ""}, {`select "a"`, ""}, {"select $1", ""}, {"select 1 -- 2", ""}, {"select 1 /* 2 */", ""}, {"select a \\ 1", ""},
		{"select é", ""}, {"select 1\x00", ""}, {`select U&"d1"`, ""}, {"select " + strings.Repeat("1,", maxSkeleton/2) + "1", ""},
	} {
		var k skeletons
		if has := k.make([]byte(c.text)); has != (c.want != "") || string(k.made) != c.want && has {
			t.Errorf("%q: %v, %q, want %q", c.text, has, k.made, c.want)
		}
	}
}

// numbers are put in the place of every whole number of a text.
var numbers = []string{"0", "1", "2", "7", "32768", "2147483647", "2147483648", "9223372036854775808", "99999999999999999999999"}

// TestNumbersDoNotMatter compares, over all texts of the classifier's vectors and some more, what a text does with what it does with other numbers, if
// the session would take it for the same.
func TestNumbersDoNotMatter(t *testing.T) {
	companion := pgquerytest.New(t)
	texts := []string{
		"select abalance from pgbench_accounts where aid = 17", "insert into t values (1, 2), (3, 4)", "insert into t select 1, a from u where b = 2",
		"select * from generate_series(1, 10) limit 3 offset 4", "select lo_open(1, 131072)", "select lo_open(1, 262144)", "select pg_terminate_backend(1)",
		"select a from t where 1 = 1", "select setval(16384, 1)", "select nextval(16384)", "select pg_advisory_lock(1)", "select a from t for update limit 1",
		"select table_to_xml(1259, true, false, t)", "select float4(1), numeric(2)", "select cast(a as numeric(10,2)) from t", "select loread(0, 100)",
	}
	files, err := filepath.Glob("../sqlfacts/testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	if more := os.Getenv("SALLYPORT_SQL"); more != "" { // statements of others, with ";" behind each
		files = append(files, more)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(name) == ".sql" {
			texts = append(texts, strings.SplitAfter(string(content), ";")...)
			continue
		}
		for line := range strings.Lines(string(content)) {
			if text, ok := strings.CutPrefix(line, "> "); ok {
				texts = append(texts, strings.TrimSpace(text))
			}
		}
	}
	compared := 0
	for _, text := range texts {
		record, sh := shapeOf(t, companion, text)
		var k skeletons
		if sh == nil || !sh.usual || !numberless(sh.facts) || !k.make([]byte(text)) || !strings.Contains(string(k.made), "0") {
			continue
		}
		compared++
		for _, n := range numbers {
			other := strings.ReplaceAll(marked(string(k.made)), "\x00", n)
			if got, sh := shapeOf(t, companion, other); sh != nil && got != record {
				t.Errorf("%q is something else than %q", other, text)
			}
		}
	}
	if compared < 20 {
		t.Errorf("only %d texts were compared", compared)
	}
	t.Logf("%d texts, with %d numbers each", compared, len(numbers))
}

// marked has a zero byte in place of each number that stands for others in a skeleton.
func marked(skeleton string) string {
	b := []byte(skeleton)
	is := func(i int, kind byte) bool { return i < 0 || i >= len(b) || byteKinds[b[i]] == kind }
	for i := range b {
		if b[i] == '0' && is(i-1, boundaryByte) && is(i+1, boundaryByte) {
			b[i] = 0xff
		}
	}
	return strings.ReplaceAll(string(b), "\xff", "\x00")
}

func shapeOf(t *testing.T, companion *pgquerytest.Companion, text string) (record string, sh *shape) {
	t.Helper()
	b, err := companion.Call(sqlfacts.ModeFacts, []byte(text))
	if err != nil {
		return "", nil
	}
	facts, err := sqlfacts.Decode(string(b))
	if err != nil {
		t.Fatal(err)
	}
	return string(b), newShape(&facts)
}

// TestNumbersThatMatter has one session read texts that differ in numbers alone, and see what each does.
func TestNumbersThatMatter(t *testing.T) {
	g := parsed(t, nil, allowAll)
	for _, c := range []struct {
		text    string
		class   abi.Class
		bounded bool
	}{
		{"delete from t where 1 = 2", abi.ClassDelete, true},
		{"delete from t where 1 = 1", abi.ClassDelete, false},
		{"update t set a = 1 where 0 = 1", abi.ClassWrite, true},
		{"update t set a = 1 where 1 = 1", abi.ClassWrite, false},
		{"with d as (delete from t where 0 = 1 returning a) select a from d limit 1", abi.ClassDelete, true},
		{"with d as (delete from t where 1 = 1 returning a) select a from d limit 1", abi.ClassDelete, false},
		{"select a from t where id = 1", abi.ClassRead, true},
		{"select a from t where id = 2", abi.ClassRead, true},
		{"select a from u where id = 2", abi.ClassRead, true},
	} {
		g.agent(encoded(query(c.text)))
		g.check(t)
		a := g.last()
		if bounded := a.value("bounded"); a.Class != c.class || !bounded.Known || bounded.Bool != c.bounded || a.text() != c.text {
			t.Errorf("%q: class %v, bounded %v, text %q", c.text, a.Class, bounded.Bool, a.text())
		}
		table := strings.Fields(c.text[strings.Index(c.text, "t "):])[0]
		if strings.Contains(c.text, " u ") {
			table = "u"
		}
		if !a.has("reads", table) && !a.has("writes", table) {
			t.Errorf("%q: %q, %q", c.text, a.value("reads").List, a.value("writes").List)
		}
		g.server(encoded(failure("ERROR"), ready))
		g.check(t)
	}
}

// TestReadOnce counts what the companion is asked for.
func TestReadOnce(t *testing.T) {
	companion, calls := pgquerytest.New(t), 0
	g := loggedInTo(t, &Plugin{}, "select 1", func(_ int, in, out []byte) (int, error) {
		calls++
		record, err := companion.Call(in[0], in[1:])
		return copy(out, record), err
	})
	for _, c := range []struct {
		text string
		want int
	}{{"select a from t where id = 1", 1}, {"select a from t where id = 2", 0}, {"select a from t where id = 2", 0}, {"select a from t where id = '2'", 1}, {"insert into t values (1, 2)", 1},
		{"insert into t values (10, 20)", 0}, {"delete from t where id = 1", 1}, {"delete from t where id = 2", 1}, {"select a from t where id=3", 1}} {
		before := calls
		g.Data(abi.Agent, encoded(query(c.text)), 0)
		g.Data(abi.Upstream, encoded(failure("ERROR"), ready), 0)
		if calls-before != c.want {
			t.Errorf("%q: read %d times", c.text, calls-before)
		}
	}
}
