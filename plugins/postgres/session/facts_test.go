package session

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/plugins/postgres/pgquery/pgquerytest"
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// parsed is a session that reads SQL, past its login.
func parsed(t testing.TB, options map[string]any, policy func(*action) verdict) *gate {
	t.Helper()
	g := newGate(t, pgquerytest.New(t), &Plugin{}, options, policy)
	g.agent(encoded(hello))
	g.server(encoded(&pgproto3.AuthenticationOk{}), settings1, encoded(ready))
	g.check(t)
	return g
}

func (g *gate) last() *action { return g.asks[len(g.asks)-1] }

// TestParams binds values in both formats, with their types declared, described by the server, and not known.
func TestParams(t *testing.T) {
	be := binary.BigEndian
	types := []uint32{23, 20, 21, 16, 701, 25, 2950, 3802, 17, 26, 1184, 23}
	values := [][]byte{be.AppendUint32(nil, 0xfffffff9), be.AppendUint64(nil, 1<<40), {0, 5}, {1}, be.AppendUint64(nil, math.Float64bits(1.5)), []byte("ä"),
		bytes.Repeat([]byte{0xab}, 16), []byte("\x01{}"), {0, 255}, be.AppendUint32(nil, 1<<31), {1, 2}, nil}
	want := []string{"-7", "1099511627776", "5", "true", "1.5", "ä", "abababab-abab-abab-abab-abababababab", "{}", `\x00ff`, "2147483648", `\x0102`, "NULL"}
	all := &pgproto3.Bind{PreparedStatement: "s", ParameterFormatCodes: []int16{1}, Parameters: values}
	text := "SELECT " + strings.Repeat("$1, ", 11) + "$2"

	declared := parsed(t, nil, allowAll)
	declared.agent(encoded(&pgproto3.Parse{Name: "s", Query: text, ParameterOIDs: types}, all, execute(""), sync1))
	described := parsed(t, nil, allowAll)
	described.agent(encoded(parse("s", text), &pgproto3.Describe{ObjectType: 'S', Name: "s"}, sync1))
	described.server(encoded(&pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{ParameterOIDs: types}, &pgproto3.NoData{}, ready))
	described.agent(encoded(all, execute(""), sync1))
	for name, g := range map[string]*gate{"declared": declared, "described": described} {
		if g.check(t); !slices.Equal(g.last().value("params").List, want) {
			t.Errorf("%s: %q", name, g.last().value("params").List)
		}
	}

	g := parsed(t, nil, allowAll)
	g.agent(encoded(parse("s", "SELECT $1, $2"), sync1))
	if v := g.last().value("params"); !v.Known || len(v.List) != 0 {
		t.Errorf("a Parse has values: %+v", v)
	}
	g.server(encoded(&pgproto3.ParseComplete{}, ready))
	for _, c := range []struct {
		formats []int16
		values  [][]byte
		want    []string
	}{
		{nil, [][]byte{[]byte("7"), []byte("\xff")}, []string{"7", `\xff`}},
		{[]int16{0, 1}, [][]byte{[]byte("x"), {0, 0, 0, 7}}, []string{"x", `\x00000007`}},
		{[]int16{0}, [][]byte{[]byte(""), []byte("NULL")}, []string{"", "NULL"}},
		{nil, [][]byte{bytes.Repeat([]byte("x"), maxParams), nil}, nil},
	} {
		g.agent(encoded(&pgproto3.Bind{PreparedStatement: "s", ParameterFormatCodes: c.formats, Parameters: c.values}, execute(""), sync1))
		if v := g.last().value("params"); v.Known != (c.want != nil) || !slices.Equal(v.List, c.want) {
			t.Errorf("%.20q: %.60q, known %v", c.values, v.List, v.Known)
		}
		g.server(encoded(&pgproto3.BindComplete{}, complete("SELECT 0"), ready))
	}
	g.check(t)
}

// TestParamsOfPortals executes portals later than they were bound, each with its own values.
func TestParamsOfPortals(t *testing.T) {
	g := parsed(t, nil, allowAll)
	value := func(portal, v string) *pgproto3.Bind {
		return &pgproto3.Bind{DestinationPortal: portal, PreparedStatement: "s", Parameters: [][]byte{[]byte(v)}}
	}
	g.agent(encoded(query("BEGIN"), parse("s", "SELECT $1"), value("", "1"), value("p", "2"), value("q", "3"), &pgproto3.Flush{}))
	g.server(encoded(complete("BEGIN"), &pgproto3.ReadyForQuery{TxStatus: 'T'}, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.BindComplete{}, &pgproto3.BindComplete{}))
	for portal, want := range map[string]string{"": "1", "p": "2", "q": "3"} {
		g.agent(encoded(execute(portal)))
		if got := g.last().value("params").List; !slices.Equal(got, []string{want}) {
			t.Errorf("portal %q: %q", portal, got)
		}
	}
	g.agent(encoded(value("", "4"), execute(""), value("", "5"), execute(""), value("p", "6"), execute(""), execute("p")))
	var got []string
	for _, a := range g.asks[len(g.asks)-4:] {
		if a.value("executes").Bool {
			got = append(got, a.value("params").List...)
		}
	}
	if g.check(t); !slices.Equal(got, []string{"4", "5", "5", "6"}) {
		t.Errorf("%q", got)
	}
}

// TestChanged sets what the session is, and finds it in all that follows; what was denied is not there.
func TestChanged(t *testing.T) {
	g := parsed(t, nil, func(a *action) verdict {
		if a.Family.Name == "sql" && strings.Contains(a.text(), "forbidden") {
			return deny("no")
		}
		return allow
	})
	for _, c := range []struct {
		sql  string
		want []string
	}{
		{"SELECT 1", nil},
		{"SET ROLE forbidden", nil},
		{"SET work_mem = 100", nil},
		{"SET ROLE bob", []string{"role", "role=bob"}},
		{"SET search_path = app, public", []string{"role", "role=bob", "search_path", "search_path=app, public"}},
		{"SELECT set_config('search_path', '', false)", []string{"role", "role=bob", "search_path", "search_path=app, public"}},
		{"SET SESSION AUTHORIZATION DEFAULT", []string{"role", "role=bob", "search_path", "search_path=app, public", "session_authorization"}},
		{"RESET ALL", []string{"role", "role=bob", "search_path", "search_path=app, public", "session_authorization", "*"}},
	} {
		g.agent(encoded(query(c.sql)))
		g.server(encoded(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42601"}, ready))
		g.agent(encoded(query("SELECT 2")))
		if got := g.last().value("changed"); !got.Known || !slices.Equal(got.List, c.want) {
			t.Errorf("after %s: %q", c.sql, got.List)
		}
		g.server(encoded(complete("SELECT 0"), ready))
	}
	g.check(t)
	for range 3 { // a value that is too long makes the list unknown, for good
		g.agent(encoded(query("SET search_path = '" + strings.Repeat("x", maxChange) + "'")))
		g.server(encoded(complete("SET"), ready))
	}
	if g.agent(encoded(query("SELECT 3"))); g.last().value("changed").Known {
		t.Errorf("known: %q", g.last().value("changed").List)
	}
	g.check(t)
}

// TestDeniedIsTakenBack denies what a pipeline holds: the session is as if it had never been given.
func TestDeniedIsTakenBack(t *testing.T) {
	g := parsed(t, nil, func(a *action) verdict {
		if a.Class == abi.ClassDelete || a.Class == abi.ClassAdmin {
			return deny("no")
		}
		return allow
	})
	refused := encoded(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42601"}, ready)
	g.agent(encoded(parse("d", "DELETE FROM t"), bind("", "d"), execute(""), sync1))
	g.server(refused)
	g.agent(encoded(query("SELECT set_config('search_path', 'x, pg_catalog', false)")))
	g.server(refused)
	g.agent(encoded(query("SELECT lower('X')")))
	if a := g.last(); a.Class != abi.ClassRead {
		t.Errorf("a search_path that was denied counts: %v", a.Class)
	}
	g.server(encoded(complete("SELECT 0"), ready))
	g.agent(encoded(bind("", "d"), execute(""), sync1))
	if a := g.last(); a.Class != abi.ClassOpaque {
		t.Errorf("a statement that was denied is in the book: %v", a.Class)
	}
	g.check(t)
}

// TestFingerprint has the option on and off.
func TestFingerprint(t *testing.T) {
	on, off := parsed(t, map[string]any{"fingerprint": true}, allowAll), parsed(t, nil, allowAll)
	var prints []string
	for _, sql := range []string{"SELECT a FROM t WHERE b = 1", "select a from t where b=22", "SELECT a FROM t WHERE c = 1"} {
		for _, g := range []*gate{on, off} {
			g.agent(encoded(query(sql)))
			g.server(encoded(complete("SELECT 0"), ready))
			g.check(t)
		}
		prints = append(prints, on.last().value("fingerprint").Str)
		if got := on.last().value("normalized").Str; !strings.HasSuffix(strings.ReplaceAll(got, " ", ""), "=$1") {
			t.Errorf("%s: %q", sql, got)
		}
		if off.last().value("fingerprint").Known || off.last().value("normalized").Known {
			t.Errorf("%s: known without the option", sql)
		}
	}
	if len(prints[0]) != 16 || prints[0] != prints[1] || prints[0] == prints[2] {
		t.Errorf("%q", prints)
	}
}

func TestScanFindsWhatIsSensitive(t *testing.T) {
	for text, want := range map[string]bool{
		"select 'plain', \"quoted\", $$dollar$$ -- comment": false,
		"": false, "select 'a\\'": true, "select E'\\n'": true, "-- \\": true, "select 'é'": true, "select 1 \x80": true, "\x7f": false,
	} {
		if _, got := scan([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("select 'x'"))
	f.Add([]byte("12345678\\"))
	f.Add([]byte("1234567\xc3\xa9"))
	f.Add([]byte("[\x01\\]\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		want := slices.ContainsFunc(text, func(c byte) bool { return c > 127 || c == '\\' })
		hash, got := scan(text)
		if again, _ := scan(bytes.Clone(text)); got != want || again != hash {
			t.Errorf("%q: %v, %x, %x", text, got, hash, again)
		}
	})
}

// FuzzParams binds anything: the values are a field that the host can read, and the session does not fall over.
func FuzzParams(f *testing.F) {
	f.Add(encoded(&pgproto3.Bind{ParameterFormatCodes: []int16{1, 0}, Parameters: [][]byte{{0, 0, 0, 1}, nil}})[proto.HeaderSize:], "\x00\x00\x00\x17\x00\x00\x00\x19")
	f.Add(encoded(&pgproto3.Bind{ParameterFormatCodes: []int16{1}, Parameters: [][]byte{{1}, {}, []byte("\xff")}})[proto.HeaderSize:], "\x00\x00\x0e\xda")
	f.Fuzz(func(t *testing.T, body []byte, types string) {
		m := proto.Append(nil, proto.Bind, body...)
		if _, _, err := proto.ReadBind(m); err != nil {
			s := &Session{}
			s.names.unnamed = &statement{shape: &shape{usual: true}}
			if len(m) > proto.HeaderSize && s.bindParams(m, new([]byte)) != nil {
				t.Errorf("%q: %v, and it is read in a usual exchange", m, err)
			}
			return
		}
		s := &Session{}
		st := &statement{types: types}
		field := s.paramsOf(m, st)
		var w abi.ActionWriter
		w.Begin(nil, familySQL, abi.ClassRead, "")
		action := append(w.End(), field...)
		action[headSize+4] = 1
		manifest := (&Plugin{}).Manifest()
		a, err := abi.ReadAction(action, &manifest)
		if err != nil {
			t.Fatalf("%q: %v", field, err)
		}
		values := proto.ReadValues(m)
		if v := a.Values[sqlParams]; v.Known && len(v.List) != values.Count() || len(field) > maxParams {
			t.Errorf("%q", field)
		}
		portal, name, _ := proto.ReadBind(m)
		st.shape = &shape{usual: true}
		s.names.setStatement(string(name), st)
		var straight []byte
		if s.bindParams(m, &straight) != nil && (!bytes.Equal(straight, field) || len(portal) > 0) {
			t.Errorf("%q by itself, %q in a usual exchange", field, straight)
		}
	})
}

// TestNothingIsAllocated runs statements whose shape was seen before.
func TestNothingIsAllocated(t *testing.T) {
	for _, c := range steadyStatements() {
		g := loggedIn(t)
		i := 0
		step := func() {
			if _, more, _ := g.Data(abi.Agent, c.query(i), 0); more {
				g.Event(nil)
			}
			g.Data(abi.Upstream, c.answer, 0)
			i++
		}
		for range 200 {
			step()
		}
		if n := testing.AllocsPerRun(100, step); n != 0 {
			t.Errorf("%s: %v allocations for a statement", c.name, n)
		}
	}
}
