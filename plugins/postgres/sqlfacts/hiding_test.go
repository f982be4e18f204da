package sqlfacts_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/postgres/pgquery/pgquerytest"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Places of an expression in an expression, of an expression in a query, of a query in an expression, and of a query in a statement
// that does nothing worse than reading. % is what is put there.
var (
	inExpression = strings.Split(`(%)|- %|% + 1|a = %|not (%)|% is null|case when a then % end|case % when 1 then 2 end|coalesce(a, %)|greatest(%, a)|array[a, %]|row(a, %)|(%)::text|cast(% as numeric(10, 2))|lower(%)|count(*) filter (where % is null)|sum(a) over (partition by % order by b)|sum(a) over (order by a rows between 1 preceding and (%)::int following)|string_agg(a, ',' order by %)|percentile_cont(0.5) within group (order by %)|a in (1, %)|a between % and b|a like % escape 'x'|% at time zone 'utc'|(array[1])[%]|(%).f|nullif(a, %)|a = any (array[%])|xmlelement(name x, xmlattributes(% as y))|xmlforest(% as z)|a is distinct from %|overlay(a placing % from 1)|extract(day from %)|trim(both % from a)|json_object('a': %)|json_array(%, 1)|json_value(%, '$')|grouping(%)|(%) collate "C"|% is json`, "|")
	inQuery      = strings.Split(`select %|select 1 where %|select a from t group by % having b|select a from t group by a having %|select a from t order by %|select distinct on (%) a from t|select 1 limit (%)::int|select 1 offset (%)::int|values (1, %)|select * from f(%) with ordinality|select * from generate_series(1, %) g|select * from t join u on %|select * from t, lateral (select %) x|select * from t tablesample bernoulli (%)|select a from t group by grouping sets ((%), ())|select a from t group by cube (%, b)|select sum(a) over w from t window w as (order by %)|select * from rows from (g(%), h(1)) x|select * from xmltable('/a' passing % columns b text)|select * from json_table(%, '$' columns (a int path '$'))|select a from t group by rollup (%)`, "|")
	asExpression = strings.Split(`(%)|exists (%)|a in (%)|array(%)|a = all (%)|(1, 2) = (%)`, "|")
	around       = strings.Split(`%|explain %|explain analyze %|prepare p as %|declare c cursor for %|copy (%) to stdout|with x as (%) select * from x|with recursive x as (%) select * from x|select * from (%) y|(%) union select 1|select 1 except (%)|with x as materialized (select 1), y as (%) select 1|(%) order by 1|select * from t where exists (%)|select 1; %|%; select 1`, "|")
)

func pick(r *rand.Rand, places []string, inner string) string {
	return strings.Replace(places[r.IntN(len(places))], "%", inner, 1)
}

// bury puts a call somewhere deep in a statement.
func bury(r *rand.Rand, call string) string {
	for {
		for range r.IntN(4) {
			call = pick(r, inExpression, call)
		}
		query := pick(r, inQuery, call)
		for range r.IntN(3) {
			query = pick(r, around, query)
		}
		if r.IntN(2) == 0 {
			return query
		}
		if strings.ContainsAny(query, ";") || strings.HasPrefix(query, "explain") || strings.HasPrefix(query, "prepare") || strings.HasPrefix(query, "declare") || strings.HasPrefix(query, "copy") {
			return query
		}
		call = pick(r, asExpression, query)
	}
}

// FuzzHiding buries a call, a relation or a writing WITH at random, sends it through PostgreSQL's parser, and looks whether the
// facts have it. Texts that PostgreSQL does not accept are skipped; most are accepted.
func FuzzHiding(f *testing.F) {
	for seed := range uint64(400) {
		f.Add(seed)
	}
	companion := pgquerytest.New(f)
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		for payload, has := range map[string]func(*sqlfacts.Facts) bool{
			"pg_read_file('x')": func(f *sqlfacts.Facts) bool {
				return f.Class >= abi.ClassExecute && slices.Contains(f.Functions, "pg_read_file")
			},
			`U&"dblink\005fexec"('x')`: func(f *sqlfacts.Facts) bool {
				return f.Class == abi.ClassOpaque && slices.Contains(f.Functions, "dblink_exec")
			},
			"(select 1 from app.secret)": func(f *sqlfacts.Facts) bool {
				return slices.Contains(f.Reads, "secret") && slices.Contains(f.Reads, "app.secret")
			},
			"(a operator(evil.+) b)":        func(f *sqlfacts.Facts) bool { return f.Class >= abi.ClassExecute },
			"(select 1 from t for update)":  func(f *sqlfacts.Facts) bool { return f.Locks },
			"set_config('role', 'x', true)": func(f *sqlfacts.Facts) bool { return f.Class >= abi.ClassAdmin && slices.Contains(f.Settings, "role") },
			"(select hidden from t)":        func(f *sqlfacts.Facts) bool { return slices.Contains(f.Columns, "hidden") },
			"(with w as (delete from t returning 1) select * from w)": func(f *sqlfacts.Facts) bool {
				return f.Class >= abi.ClassDelete && slices.Contains(f.Writes, "t") && !f.Bounded && f.Returning
			},
		} {
			sql := bury(r, payload)
			record, err := companion.Call(sqlfacts.ModeFacts, []byte(sql))
			if err != nil {
				continue
			}
			facts, err := sqlfacts.Decode(string(record))
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			if !has(&facts) {
				t.Errorf("%s\n\thides %s: %+v", sql, payload, facts)
			}
		}
	})
}

// TestBuryingMakesSQL: the fuzz target above would find nothing if PostgreSQL refused what it makes.
func TestBuryingMakesSQL(t *testing.T) {
	companion := pgquerytest.New(t)
	r := rand.New(rand.NewPCG(1, 1))
	good := 0
	for range 300 {
		if _, err := companion.Call(sqlfacts.ModeFacts, []byte(bury(r, "now()"))); err == nil {
			good++
		}
	}
	if good < 200 {
		t.Errorf("%d of 300 texts are SQL", good)
	}
	for _, places := range [][]string{inExpression, inQuery} { // each place alone is used
		for _, p := range places {
			sql := strings.Replace(p, "%", "now()", 1)
			if places[0] == inExpression[0] {
				sql = "select " + sql + " from t"
			}
			if _, err := companion.Call(sqlfacts.ModeFacts, []byte(sql)); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
}
