package session

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// lookingGate is a dry gate around a session that is ready, where the answers to statements with "look" in them are looked at, up to 400 bytes: those with
// "secret" are withheld, "mask" is masked.
func lookingGate(t *testing.T, piece int) *drygate.Gate {
	t.Helper()
	p := wordsPlugin(nil)
	m, err := sdk.ConfigureNative(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := drygate.Config{Guest: sdk.NewNative(p, nil), Manifest: m, Facts: abi.Facts{Endpoint: "db", Inspect: true},
		Decide: func(e *drygate.Entry) (v drygate.Verdict) {
			switch {
			case e.Response == nil && strings.Contains(e.Action.Title, "look"):
				v.Inspect = 400
			case e.Response == nil:
			case strings.Contains(e.Action.Values[abi.ResponseText].Str, "secret"):
				v.Outcome, v.Reason = abi.Deny, "no secrets"
			}
			if e.Response != nil {
				if i := bytes.Index(e.Response.Kept, []byte("mask")); i >= 0 {
					copy(e.Response.Kept[i:], "****")
				}
			}
			return v
		}}
	if piece > 0 {
		cfg.Piece = func(abi.Side, uint64, int) int { return piece }
	}
	g := drygate.New(cfg)
	g.Open()
	g.Send(abi.Agent, greeting(0, "user", "u"))
	g.Send(abi.Upstream, welcome)
	if g.Over() {
		t.Fatal(g.Transcript().End())
	}
	return g
}

func columns(names ...string) *pgproto3.RowDescription {
	d := &pgproto3.RowDescription{}
	for _, n := range names {
		d.Fields = append(d.Fields, pgproto3.FieldDescription{Name: []byte(n), DataTypeOID: oidText})
	}
	return d
}

func rowOf(values ...string) *pgproto3.DataRow {
	d := &pgproto3.DataRow{}
	for _, v := range values {
		d.Values = append(d.Values, []byte(v))
	}
	return d
}

// lookedAt plays one exchange behind the login, whole and in pieces, and returns what the agent got and the questions about answers.
func lookedAt(t *testing.T, says ...[]byte) (got []byte, asked []*drygate.Entry) {
	t.Helper()
	var first drygate.Transcript
	for _, piece := range []int{0, 1, 3} {
		g := lookingGate(t, piece)
		for i, p := range says {
			g.Send(abi.Side(i%2), p)
		}
		log := g.Transcript()
		if log.Breached() != "" || log.Crashed() != nil || g.Over() {
			t.Fatalf("in pieces of %d: %q %v %+v", piece, log.Breached(), log.Crashed(), log.End())
		}
		if piece == 0 {
			first = append(first, log...)
			got = log.Gets(abi.Agent)[len(welcome):]
			for _, e := range log.Asks() {
				if e.Response != nil {
					asked = append(asked, e)
				}
			}
			continue
		}
		if same, ours, theirs := first.Equal(log); !same {
			t.Errorf("in pieces of %d: %s, and %s", piece, ours, theirs)
		}
	}
	return got, asked
}

func TestResponses(t *testing.T) {
	extended := func(text string) []byte {
		return encoded(&pgproto3.Parse{Query: text}, &pgproto3.Bind{}, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{})
	}
	made := []encoder{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}}
	idle := &pgproto3.ReadyForQuery{TxStatus: 'I'}
	many := make([]encoder, 40)
	for i := range many {
		many[i] = rowOf("1", "0123456789")
	}
	withheld := "the statement ran, and its result is withheld: no secrets"
	for _, c := range []struct {
		name          string
		agent, server []byte
		then          [][]byte
		want          []byte // nil: what the server said
		told          string // instead: the agent gets an error with this, and then rest
		rest          []byte
		asked         int
		text          string // of the last question
		rows          int64
	}{
		{name: "a Query that nobody looks at", agent: encoded(query("select")), server: encoded(columns("a"), rowOf("secret"), complete("SELECT 1"), idle)},
		{name: "one that is fine", agent: encoded(query("select look")), server: encoded(columns("a", "b"), rowOf("1", "x"), rowOf("2", "y"), complete("SELECT 2"), idle), asked: 1, text: "1\tx\n2\ty", rows: 2},
		{name: "one that is withheld, and the next", agent: encoded(query("select look"), query("select")),
			server: encoded(columns("a"), rowOf("secret"), complete("SELECT 1"), &pgproto3.ReadyForQuery{TxStatus: 'T'}, rowOf("2"), complete("SELECT 1"), idle),
			told:   withheld, rest: encoded(&pgproto3.ReadyForQuery{TxStatus: 'T'}, rowOf("2"), complete("SELECT 1"), idle), asked: 1, text: "secret", rows: 1},
		{name: "one that is masked", agent: encoded(query("select look")), server: encoded(columns("a"), rowOf("mask it"), complete("SELECT 1"), idle),
			want: encoded(columns("a"), rowOf("**** it"), complete("SELECT 1"), idle), asked: 1, text: "mask it", rows: 1},
		{name: "an error is an answer", agent: encoded(query("select look")), server: encoded(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "22P02", Message: "not a number: secret"}, idle),
			told: withheld, rest: encoded(idle), asked: 1, text: "not a number: secret"},
		{name: "a notice is part of it", agent: encoded(query("select look")), server: encoded(&pgproto3.NoticeResponse{Severity: "NOTICE", Message: "the secret"}, columns("a"), complete("SELECT 0"), idle),
			told: withheld, rest: encoded(idle), asked: 1, text: "the secret"},
		{name: "too long, and its beginning is fine", agent: encoded(query("select look")), server: encoded(append(append([]encoder{columns("a", "b")}, many...), complete("SELECT 40"), idle)...), asked: 1},
		{name: "too long, and its beginning is not", agent: encoded(query("select look")),
			server: encoded(append(append([]encoder{columns("a", "b"), rowOf("secret", "b")}, many...), complete("SELECT 41"), idle)...), told: withheld, rest: encoded(idle), asked: 1},
		{name: "the extended protocol", agent: extended("select look"), server: encoded(append(made, columns("a"), rowOf("1"), complete("SELECT 1"), idle)...), asked: 1, text: "1", rows: 1},
		{name: "the extended protocol, withheld", agent: append(extended("select look"), extended("select")...),
			server: encoded(append(append(append([]encoder{}, made...), columns("a"), rowOf("secret"), complete("SELECT 1"), idle), append(made, columns("a"), rowOf("1"), complete("SELECT 1"), idle)...)...),
			told:   withheld, rest: encoded(append(append([]encoder{idle}, made...), columns("a"), rowOf("1"), complete("SELECT 1"), idle)...), asked: 1, text: "secret", rows: 1},
		{name: "a pipeline, withheld in the middle", agent: encoded(&pgproto3.Parse{Query: "select"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Parse{Query: "select look"}, &pgproto3.Bind{},
			&pgproto3.Execute{}, &pgproto3.Parse{Query: "select more look"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}),
			server: encoded(append(append(append(append([]encoder{}, made...), rowOf("1"), complete("SELECT 1")), append(made, rowOf("secret"), complete("SELECT 1"))...), append(made, rowOf("3"), complete("SELECT 1"), idle)...)...),
			want:   nil, told: withheld, rest: encoded(idle), asked: 1, text: "secret", rows: 1},
		{name: "a pipeline that fails", agent: encoded(&pgproto3.Parse{Query: "select look"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Parse{Query: "select more look"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}, query("select")),
			server: encoded(&pgproto3.ParseComplete{}, &pgproto3.ErrorResponse{Severity: "ERROR", Code: "22P02", Message: "bad"}, idle, rowOf("2"), complete("SELECT 1"), idle), asked: 1, text: "bad"},
		{name: "only prepared", agent: encoded(&pgproto3.Parse{Name: "s", Query: "select look"}, &pgproto3.Describe{ObjectType: 'S', Name: "s"}, &pgproto3.Sync{}),
			server: encoded(&pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{}, columns("a"), idle)},
		{name: "prepared before", agent: encoded(&pgproto3.Parse{Name: "s", Query: "select look"}, &pgproto3.Describe{ObjectType: 'S', Name: "s"}, &pgproto3.Sync{}),
			server: encoded(&pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{}, columns("a"), idle),
			then:   [][]byte{encoded(&pgproto3.Bind{PreparedStatement: "s"}, &pgproto3.Execute{}, &pgproto3.Sync{}), encoded(&pgproto3.BindComplete{}, rowOf("mask"), complete("SELECT 1"), idle)},
			want:   encoded(&pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{}, columns("a"), idle, &pgproto3.BindComplete{}, rowOf("****"), complete("SELECT 1"), idle), asked: 1, text: "mask", rows: 1},
		{name: "COPY to the agent", agent: encoded(query("copyout look")), server: encoded(&pgproto3.CopyOutResponse{}, &pgproto3.CopyData{Data: []byte("1\tsecret\n")}, &pgproto3.CopyDone{}, complete("COPY 1"), idle),
			told: withheld, rest: encoded(idle), asked: 1, text: "1\tsecret\n", rows: 1},
		{name: "a long COPY to the agent", agent: encoded(query("copyout look")), server: encoded(&pgproto3.CopyOutResponse{}, &pgproto3.CopyData{Data: []byte("1\n")}, &pgproto3.CopyData{Data: make([]byte, 500)}, &pgproto3.CopyDone{}, complete("COPY 1"), idle), asked: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, asked := lookedAt(t, slices.Concat([][]byte{c.agent, c.server}, c.then)...)
			switch {
			case c.told != "":
				e := bytes.IndexByte(got, 'E')
				if strings.HasPrefix(c.name, "a pipeline") {
					if !bytes.HasPrefix(got, encoded(append(made, rowOf("1"), complete("SELECT 1"))...)) {
						t.Errorf("%q", got)
					}
					e = bytes.LastIndex(got, []byte("E\x00\x00"))
				}
				if e < 0 || !bytes.Contains(got, []byte(c.told)) || !bytes.HasSuffix(got, c.rest) || bytes.Contains(got, []byte("secret\x00")) || bytes.Contains(got, []byte("the secret")) {
					t.Errorf("the agent got %q", got)
				}
				n := int(got[e+3])<<8 | int(got[e+4])
				if string(got[e+1+n:]) != string(c.rest) {
					t.Errorf("behind the error %q, want %q", got[e+1+n:], c.rest)
				}
			case c.want != nil && !bytes.Equal(got, c.want), c.want == nil && !bytes.Equal(got, c.server):
				t.Errorf("the agent got %q", got)
			}
			if len(asked) != c.asked {
				t.Fatalf("%d questions", len(asked))
			}
			if c.asked == 0 || c.text == "" {
				return
			}
			v := asked[len(asked)-1].Action.Values
			if v[abi.ResponseText].Str != c.text || v[abi.ResponseRows].Int != c.rows {
				t.Errorf("%+v", v)
			}
		})
	}
}

// What the values of a result are: columns over several results, numbers in binary form as text, and what must not be masked.
func TestResponseValues(t *testing.T) {
	d := &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("n"), DataTypeOID: oidInt4, Format: 1}, {Name: []byte("j"), DataTypeOID: oidJSON}, {Name: []byte("e"), DataTypeOID: 20000}}}
	server := encoded(columns("a"), rowOf("x"), complete("SELECT 1"), d, &pgproto3.DataRow{Values: [][]byte{{0, 0, 0, 42}, []byte(`{}`), nil}}, complete("SELECT 1"), &pgproto3.ReadyForQuery{TxStatus: 'I'})
	got, asked := lookedAt(t, encoded(query("select look;select")), server)
	if !bytes.Equal(got, server) || len(asked) != 1 {
		t.Fatalf("%q", got)
	}
	r := asked[0].Response
	if strings.Join(asked[0].Action.Values[abi.ResponseColumns].List, ",") != "a,n,j,e" || len(r.Values) != 3 {
		t.Fatalf("%+v", asked[0].Action.Values)
	}
	if v := r.Values[0]; v.Format != abi.FormatText || v.Column != 0 {
		t.Errorf("%+v", v)
	}
	if v := r.Values[1]; !v.Given || string(v.Text) != "42" || v.Column != 1 {
		t.Errorf("%+v", v)
	}
	if v := r.Values[2]; v.Format != abi.FormatFixed || v.Column != 2 {
		t.Errorf("%+v", v)
	}
}

// COPY … FROM STDIN by itself has no result, and its data is asked for; among other statements it cannot be looked at.
func TestResponseCopyIn(t *testing.T) {
	g := lookingGate(t, 0)
	g.Send(abi.Agent, encoded(query("copyin look")))
	g.Send(abi.Upstream, encoded(&pgproto3.CopyInResponse{}))
	if got := g.Transcript().Gets(abi.Agent); g.Over() || !bytes.HasSuffix(got, encoded(&pgproto3.CopyInResponse{})) {
		t.Errorf("%q", got)
	}
	g = lookingGate(t, 0)
	g.Send(abi.Agent, encoded(query("select look;copyin")))
	g.Send(abi.Upstream, encoded(columns("a"), rowOf("secret"), complete("SELECT 1"), &pgproto3.CopyInResponse{}))
	if got := g.Transcript().Gets(abi.Agent); !g.Over() || bytes.Contains(got, []byte("secret")) || !bytes.Contains(got, []byte("Send the COPY by itself")) {
		t.Errorf("%q", got)
	}
}
