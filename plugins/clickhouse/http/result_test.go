package http_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/plugin"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/session"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// lookedAt plays a statement and the server's answer, whole and in pieces, where answers to statements about "looked" are looked at, up to 600 bytes: those with "secret" and those that
// cannot be read are withheld, values with "mask" are masked, what is longer passes when the statement is about "long".
func lookedAt(t *testing.T, says ...string) (got, server string, asked []*drygate.Entry) {
	t.Helper()
	var first drygate.Transcript
	for _, piece := range []int{0, 1} {
		p := &plugin.Plugin{}
		m, err := sdk.ConfigureNative(p, map[string]any{"protocol": "http"})
		if err != nil {
			t.Fatal(err)
		}
		cfg := drygate.Config{Guest: sdk.NewNative(p, nil), Manifest: m, Facts: abi.Facts{Endpoint: "ch", Inspect: true},
			Decide: func(e *drygate.Entry) (v drygate.Verdict) {
				r := e.Response
				if r == nil {
					if strings.Contains(e.Action.Title, "looked") {
						v.Inspect = 600
					}
					return v
				}
				long := strings.Contains(e.Action.Title, "long")
				if text := e.Action.Values[abi.ResponseText]; !text.Known || strings.Contains(text.Str, "secret") || r.Truncated && !long {
					return drygate.Verdict{Outcome: abi.Deny, Reason: "not that"}
				}
				for i := range r.Values {
					if v := &r.Values[i]; !v.Given && v.Format != abi.FormatFixed && bytes.Contains(v.Raw(r.Kept, nil), []byte("mask")) {
						for _, p := range v.Pieces {
							copy(r.Kept[p.Start:p.End], bytes.Repeat([]byte("*"), int(p.End-p.Start)))
						}
					}
				}
				return v
			}}
		if piece > 0 {
			cfg.Piece = func(abi.Side, uint64, int) int { return piece }
		}
		g := drygate.New(cfg)
		g.Open()
		for i, p := range says {
			g.Send(abi.Side(i%2), []byte(p))
		}
		log := g.Transcript()
		if log.Breached() != "" || log.Crashed() != nil {
			t.Fatalf("in pieces of %d: %q %v", piece, log.Breached(), log.Crashed())
		}
		if piece == 0 {
			first = append(first, log...)
			got, server = string(log.Gets(abi.Agent)), string(log.Gets(abi.Upstream))
			for _, e := range log.Asks() {
				if e.Response != nil {
					asked = append(asked, e)
				}
			}
		} else if same, ours, theirs := first.Equal(log); !same {
			t.Errorf("in pieces of %d: %s, and %s", piece, ours, theirs)
		}
	}
	return got, server, asked
}

func answer(format, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nX-ClickHouse-Format: %s\r\nContent-Length: %d\r\n\r\n%s", format, len(body), body)
}

// TestResponses: columns and rows are known by the format, and answers go on as they came, masked, or not at all.
func TestResponses(t *testing.T) {
	const document = `{"meta":[{"name":"id","type":"UInt64"},{"name":"v","type":"String"}],"data":[{"id":1,"v":"%s"},{"id":2,"v":"x"}],"rows":2,"statistics":{"elapsed":0.1}}`
	const compact = `{"meta":[{"name":"id","type":"UInt64"},{"name":"v","type":"Array(String)"}],"data":[[1,["%s"]],[2,["x","y"]]],"totals":[3,[]],"rows":2}`
	in := func(form, v string) string { return strings.Replace(form, "%s", v, 1) }
	many := strings.Repeat("0123456789\n", 90)
	for _, c := range []struct {
		name, answer  string
		want          string // "": as it came
		withheld      bool
		text, columns string // "?": not known
		rows          int64
		statement     string
	}{
		{name: "TabSeparated", answer: answer("TabSeparated", "1\ta\n2\tb\n"), columns: "?", rows: 2, text: "X-ClickHouse-Format: TabSeparated\n1\ta\n2\tb"},
		{name: "with names", answer: answer("TSVWithNames", "id\tv\n1\tmask\n"), want: answer("TSVWithNames", "id\tv\n1\t****\n"), columns: "id v", rows: 1},
		{name: "with names and types", answer: answer("TabSeparatedWithNamesAndTypes", "id\tv\nUInt64\tString\n1\tx\n"), columns: "id v", rows: 1},
		{name: "a secret", answer: answer("TabSeparated", "1\ta secret\n"), withheld: true},
		{name: "a secret in escapes", answer: answer("TabSeparated", "1\ta\\tse\\cret\n"), withheld: true},
		{name: "escapes", answer: answer("TabSeparated", "1\ta\\tb\n"), text: "X-ClickHouse-Format: TabSeparated\n1\ta\tb", rows: 1},
		{name: "a secret as a name", answer: answer("TabSeparatedWithNames", "secret\n1\n"), withheld: true},
		{name: "JSON", answer: answer("JSON", in(document, "mask")), want: answer("JSON", in(document, "****")), columns: "id v", rows: 2},
		{name: "JSON with a secret in escapes", answer: answer("JSON", in(document, `\u0073ecret`)), withheld: true},
		{name: "JSON with a secret as a key", answer: answer("JSON", strings.Replace(document, `"%s"`, `{"\u0073ecret":1}`, 1)), withheld: true},
		{name: "JSON with another key", answer: answer("JSON", strings.Replace(document, `"%s"`, `{"key":1}`, 1)), columns: "id v", rows: 2},
		{name: "JSONCompact", answer: answer("JSONCompact", in(compact, "mask")), want: answer("JSONCompact", in(compact, "****")), columns: "id v", rows: 2},
		{name: "JSONCompact with a secret", answer: answer("JSONCompact", in(compact, "secret")), withheld: true},
		{name: "lines", answer: answer("JSONEachRow", "{\"id\":1,\"v\":\"mask\"}\n{\"id\":2,\"v\":\"x\"}\n"), want: answer("JSONEachRow", "{\"id\":1,\"v\":\"****\"}\n{\"id\":2,\"v\":\"x\"}\n"), columns: "id v", rows: 2},
		{name: "compact lines", answer: answer("JSONCompactEachRowWithNames", "[\"id\",\"v\"]\n[1,\"mask\"]\n"), want: answer("JSONCompactEachRowWithNames", "[\"id\",\"v\"]\n[1,\"****\"]\n"), columns: "id v", rows: 1},
		{name: "another format", answer: answer("Pretty", "id: 1\n"), columns: "?", rows: 1},
		{name: "a binary one", answer: answer("Native", "\x01\x00secre"), withheld: true, text: "?"},
		{name: "an exception", answer: "HTTP/1.1 500 Internal Server Error\r\nX-ClickHouse-Exception-Code: 6\r\nX-ClickHouse-Format: JSON\r\nContent-Length: 9\r\n\r\nCode: 6. ", rows: 1},
		{name: "an exception with a secret", answer: "HTTP/1.1 500 Internal Server Error\r\nX-ClickHouse-Exception-Code: 6\r\nContent-Length: 15\r\n\r\nCode: 6. secret", withheld: true},
		{name: "an exception in the middle", answer: answer("JSON", `{"meta":[{"name":"id","type":"UInt64"}],"data":[{"id":1},Code: 6. secret`), withheld: true},
		{name: "too long", answer: answer("TabSeparated", many), withheld: true},
		{name: "too long, and it may be", statement: "select * from looked_long", answer: answer("TabSeparated", many)},
		{name: "one that is not looked at", statement: "select * from other", answer: answer("TabSeparated", "secret\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			statement := c.statement
			if statement == "" {
				statement = "select * from looked"
			}
			request := func(s string) string {
				return fmt.Sprintf("POST / HTTP/1.1\r\nHost: ch\r\nAccept-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(s), s)
			}
			after := answer("TabSeparated", "after\n")
			got, server, asked := lookedAt(t, request(statement), c.answer, request("select 1"), after)
			got, ok := strings.CutSuffix(got, after)
			if !ok {
				t.Fatalf("the connection does not go on behind it: %q", got)
			}
			if strings.Contains(statement, "looked") == strings.Contains(server, "Accept-Encoding: gzip\r\nContent-Length: "+fmt.Sprint(len(statement))+"\r\n\r\n"+statement) {
				t.Errorf("the server got %q", server)
			}
			want := c.want
			if want == "" {
				want = c.answer
			}
			if c.withheld {
				if !strings.HasPrefix(got, "HTTP/1.1 403 Forbidden\r\n") || !strings.Contains(got, "X-ClickHouse-Exception-Code: 497") || !strings.Contains(got, "the statement ran, and its result is withheld") || strings.Contains(got, "secre") {
					t.Errorf("it was answered %q", got)
				}
			} else if got != want {
				t.Errorf("it got %q, not %q", got, want)
			}
			if c.statement == "select * from other" {
				return
			}
			if len(asked) != 1 {
				t.Fatalf("%d questions", len(asked))
			}
			v := asked[0].Action.Values
			if text := v[abi.ResponseText]; c.text != "" && (text.Known != (c.text != "?") || text.Known && text.Str != c.text) {
				t.Errorf("text %t %q, not %q", text.Known, text.Str, c.text)
			}
			if columns := v[abi.ResponseColumns]; c.columns != "" && (columns.Known != (c.columns != "?") || columns.Known && strings.Join(columns.List, " ") != c.columns) || c.rows != 0 && v[abi.ResponseRows].Int != c.rows {
				t.Errorf("columns %v, %d rows", columns, v[abi.ResponseRows].Int)
			}
			if exception := v[session.ResponseException].Int; strings.Contains(c.answer, "-Code: 6") != (exception == 6) {
				t.Errorf("exception %d", exception)
			}
		})
	}
}

// TestRefused: the operator is told when the server does not take the gateway's password, and only then.
func TestRefused(t *testing.T) {
	for head, want := range map[string]int{"403 Forbidden\r\nX-ClickHouse-Exception-Code: 516": 1, "401 Unauthorized\r\nX-ClickHouse-Exception-Code: 194": 1,
		"403 Forbidden\r\nX-ClickHouse-Exception-Code: 497": 0, "200 OK": 0} {
		p := &plugin.Plugin{}
		m, err := sdk.ConfigureNative(p, map[string]any{"protocol": "http"})
		if err != nil {
			t.Fatal(err)
		}
		g := drygate.New(drygate.Config{Guest: sdk.NewNative(p, nil), Manifest: m, Decide: func(*drygate.Entry) drygate.Verdict { return drygate.Verdict{} },
			Facts: abi.Facts{Endpoint: "ch", Slots: []string{session.SlotNameHTTP}}})
		g.Open()
		g.Send(abi.Agent, []byte("POST / HTTP/1.1\r\nHost: ch\r\nContent-Length: 8\r\n\r\nselect 1"))
		g.Send(abi.Upstream, []byte("HTTP/1.1 "+head+"\r\nContent-Length: 0\r\n\r\n"))
		log, told := g.Transcript(), 0
		for i := range log {
			if e := &log[i]; e.Kind == drygate.Relogin && strings.HasPrefix("HTTP/1.1 "+head, string(e.Bytes)) {
				told++
			}
		}
		if told != want || log.Breached() != "" || g.Over() {
			t.Errorf("%q: the operator is told %d times; %q", head, told, log.Breached())
		}
	}
}
