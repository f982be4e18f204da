package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	chproto "github.com/ClickHouse/ch-go/proto"
	clickhouse "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/redact"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// looks has a gateway look at the answers to statements with "looked at" in their text: up to 64 KiB, which rows with a token do not pass. With
// "masked" in it tokens are masked in place, with "long" in it an answer that does not fit passes.
func looks(g *gateway) {
	g.facts.Inspect = true
	g.look = func(text string) gate.Verdict { return gate.Verdict{Inspect: 64 << 10, Parent: text} }
	masks, err := redact.New([]string{"ghp_[A-Za-z0-9]+"}, []string{"password"})
	if err != nil {
		g.t.Error(err)
	}
	g.answer = func(q *gate.Question) gate.Verdict {
		deny := gate.Verdict{Outcome: abi.Deny, Reason: "a token", Rule: "no tokens", Receipt: "r-2"}
		text, columns := q.Action.Values[abi.ResponseText], q.Action.Values[abi.ResponseColumns]
		switch about := q.Parent.(string); {
		case q.Response.Truncated && !strings.Contains(about, "long"):
			deny.Reason = "it is long"
			return deny
		case strings.Contains(about, "masked"):
			if masks.Mask(q.Response, columns.List, columns.Known).Stuck > 0 {
				deny.Reason = "it cannot be masked"
				return deny
			}
		case !text.Known || strings.Contains(text.Str, "ghp_"):
			return deny
		}
		return gate.Verdict{}
	}
}

// answers are the questions about answers so far.
func (g *gateway) answers() (all []*abi.Action) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range g.actions {
		if a.Family.Name == abi.FamilyResponse {
			all = append(all, a)
		}
	}
	return all
}

// TestResponses has answers of the distribution's server looked at before its client gets them.
func TestResponses(t *testing.T) {
	for _, compression := range []string{"true", "false"} {
		t.Run("compression "+compression, func(t *testing.T) {
			direct(t, `DROP TABLE IF EXISTS secrets; CREATE TABLE secrets (id UInt64, name String, value String, password FixedString(8), n Nullable(Int32), d Decimal(9, 2), e Enum8('ghp_word' = 1, 'b' = 2)) ENGINE = Memory;
INSERT INTO secrets VALUES (1, 'HOME', '/root', 'hunter2', NULL, 1.25, 'b'), (2, 'TOKEN', 'first ghp_abc123, then ghp_x', 'x', -5, -0.5, 'b')`)
			g := newGateway(t, looks)
			run := func(script string, args ...string) string {
				t.Helper()
				out, _ := g.client(t.Context(), "", append([]string{"--compression", compression, "-n", "--ignore-error", "-q", script}, args...)...)
				return out
			}
			same := func(script string, args ...string) {
				t.Helper()
				if out, want := run("/* looked at */ "+script, args...), direct(t, script); out != want {
					t.Errorf("%s: %.300q, want %.300q", script, out, want)
				}
			}
			same("SELECT id, name, value FROM secrets WHERE id = 1")
			same("SELECT toUInt64(number) AS a, toString(number) AS b, [a, a + 1] AS c, (a, b) AS d, toDateTime('2020-01-02 03:04:05') AS e, NULL AS f, 1.5 AS g FROM system.numbers LIMIT 100")
			same("SELECT id, count() FROM secrets GROUP BY id WITH TOTALS ORDER BY id")
			same("SELECT count() FROM system.numbers WHERE number < 0 LIMIT 0")
			if out := run("/* looked at */ SELECT sleep(0.3), 'slow'; SELECT 7"); out != "0\tslow\n7" {
				t.Errorf("%q", out)
			}
			withheld := `the statement ran, and its result is withheld: a token (rule "no tokens", receipt r-2)`
			for i, c := range []string{"SELECT value FROM secrets", "SELECT arrayJoin(['a', value]) FROM secrets", "SELECT any(value), id FROM secrets WHERE id = 2 GROUP BY id WITH TOTALS",
				"SELECT CAST('b' AS Enum8('b' = 1, 'ghp_abc' = 2)) FROM secrets", "SELECT toUInt64(throwIf(value != '', value)) FROM secrets WHERE id = 2", "SELECT [['x'], [value]], id FROM secrets", "SELECT (id, (1, value)) FROM secrets",
				"SELECT toFixedString(substring(value, 7, 10), 12) FROM secrets WHERE id = 2"} {
				mark := fmt.Sprintf("withheld-%s-%d", compression, i)
				out := run("/* looked at " + mark + " */ " + c + "; SELECT 8; /* looked at */ SELECT 9")
				if strings.Contains(out, "ghp_a") || !strings.Contains(out, "Code: 497") || !strings.Contains(out, withheld) || !strings.HasSuffix(out, "8\n9") {
					if i == 4 && strings.HasSuffix(out, "8\n9") && !strings.Contains(out, "ghp_") { // an error without the value
						continue
					}
					t.Errorf("%s: %q", c, out)
				}
				if i == 0 && !saw(t, mark) {
					t.Errorf("%s did not run", c)
				}
			}
			out := run("/* looked at, masked */ SELECT id, value, password FROM secrets ORDER BY id; SELECT 8")
			if want := "1\t/root\t*******\\0\n2\tfirst **********, then *****\t*\\0\\0\\0\\0\\0\\0\\0\n8"; compression == "false" && out != want ||
				compression == "true" && (strings.Contains(out, "ghp_") || !strings.Contains(out, "it cannot be masked") || !strings.HasSuffix(out, "\n8")) {
				t.Errorf("%q", out)
			}
			same("SELECT number FROM system.numbers LIMIT 50000 /* long */")
			if out := run("/* looked at */ SELECT number FROM system.numbers LIMIT 50000; SELECT 8; SELECT 9"); strings.Count(out, "it is long") != 1 ||
				!strings.HasSuffix(out, "9") || strings.Contains(out, "\n49") {
				t.Errorf("%.500q", out)
			}
			// What has no result: nothing is kept of it, and it works.
			if out := run("INSERT /* looked at */ INTO secrets (id) VALUES (77)\n; INSERT /* looked at */ INTO secrets (id) SELECT toUInt64(77); SELECT count() FROM secrets WHERE id = 77; ALTER /* looked at */ TABLE secrets DELETE WHERE id = 78"); !strings.HasPrefix(out, "2\n") {
				t.Errorf("%q", out)
			}
			if out := run("/* looked at */ SELECT * FROM nothing_like_this; SELECT 8"); !strings.Contains(out, "Code: 60") || !strings.HasSuffix(out, "8") {
				t.Errorf("%q", out)
			}
			for _, a := range g.answers() {
				if c := value(a, "exception"); c.Known && c.Int == 60 {
					if text := value(a, "text").Str; !strings.Contains(text, "nothing_like_this") {
						t.Errorf("%q", text)
					}
					return
				}
			}
			t.Error("no exception was looked at")
		})
	}
}

// rows of a SELECT at the test server.
func selectRows(t *testing.T, client *ch.Client, text string) (words []string, progress, events int, err error) {
	t.Helper()
	var (
		id  chproto.ColUInt64
		str chproto.ColStr
		arr = new(chproto.ColStr).Array()
	)
	err = client.Do(t.Context(), ch.Query{Body: text, Result: chproto.Results{{Name: "id", Data: &id}, {Name: "s", Data: &str}, {Name: "a", Data: arr}},
		OnResult: func(context.Context, chproto.Block) error {
			for i := range str.Rows() {
				words = append(words, str.Row(i))
			}
			return nil
		},
		OnProgress:      func(context.Context, chproto.Progress) error { progress++; return nil },
		OnProfileEvents: func(_ context.Context, e []ch.ProfileEvent) error { events += len(e); return nil }})
	return words, progress, events, err
}

// TestResponsesAtCurrentServer has answers of the current protocol looked at, with both drivers, compressed and not, and in chunks.
func TestResponsesAtCurrentServer(t *testing.T) {
	for name, compression := range compressions {
		t.Run("ch-go "+name, func(t *testing.T) {
			s := newCurrent(t, 54492, "notchunked_optional", "notchunked_optional")
			g := s.before(t, looks)
			client := dialCH(t, g.l.Addr().String(), compression)
			want := func(text string, rows int, word string) {
				t.Helper()
				words, progress, events, err := selectRows(t, client, text)
				if err != nil || len(words) != rows || rows > 0 && words[rows-1] != word {
					t.Fatalf("%s: %d rows, %v", text, len(words), err)
				}
				if strings.Contains(text, "busy") && (progress != 3 || events != 60) {
					t.Fatalf("%d and %d", progress, events)
				}
			}
			withheld := func(text, reason string) {
				t.Helper()
				words, _, _, err := selectRows(t, client, text)
				var e *ch.Exception
				if !errors.As(err, &e) || e.Code != 497 || !strings.Contains(e.Message, "the statement ran, and its result is withheld: "+reason) || len(words) > 0 {
					t.Fatalf("%s: %d rows, %v", text, len(words), err)
				}
			}
			for range 2 {
				want("SELECT * FROM t -- looked at", 10, "text")
				want("SELECT * FROM t -- looked at, busy", 13, "text")
				withheld("SELECT secret FROM t -- looked at", "a token")
				withheld("SELECT secret FROM t -- looked at, busy", "a token")
				want("SELECT secret FROM t", 10, "a ghp_abc123")
				if name == "disabled" {
					want("SELECT secret FROM t -- looked at, masked", 10, "a **********")
				} else {
					withheld("SELECT secret FROM t -- looked at, masked", "it cannot be masked")
				}
				want("SELECT many FROM t -- looked at, long", 45010, "text")
				withheld("SELECT many FROM t -- looked at, busy", "it is long")
				if err := client.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if !s.saw("secret FROM t -- looked at") || len(s.errors()) > 0 {
				t.Errorf("%q, %v", s.queries, s.errors())
			}
			for _, a := range g.answers() {
				if fmt.Sprint(value(a, "columns").List) != "[id s a]" {
					t.Errorf("%+v", a.Values)
				}
			}
		})
	}
	for _, method := range methods {
		t.Run(fmt.Sprint("clickhouse-go ", method), func(t *testing.T) {
			s := newCurrent(t, 54492, "chunked_optional", "chunked_optional")
			g := s.before(t, looks)
			db, err := clickhouse.Open(&clickhouse.Options{Addr: []string{g.l.Addr().String()}, Compression: &clickhouse.Compression{Method: method}, MaxOpenConns: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for range 2 {
				for text, want := range map[string]string{"SELECT * FROM t -- looked at, busy": "13 text", "SELECT secret FROM t": "10 a ghp_abc123", "SELECT secret FROM t -- looked at": "withheld: a token",
					"SELECT many FROM t -- looked at": "withheld: it is long", "SELECT many FROM t -- looked at, long": "45010 text"} {
					got, word := 0, ""
					rows, err := db.Query(t.Context(), text)
					for err == nil && rows.Next() {
						var id uint64
						var a []string
						got++
						err = rows.Scan(&id, &word, &a)
					}
					if err == nil {
						err = rows.Err()
					}
					answer := fmt.Sprint(got, " ", word)
					var e *clickhouse.Exception
					if errors.As(err, &e) && e.Code == 497 {
						_, answer, _ = strings.Cut(e.Message, "its result is ")
						answer, _, _ = strings.Cut(answer, " (")
					} else if err != nil {
						t.Fatal(err)
					}
					if answer != want {
						t.Fatalf("%s: %q", text, answer)
					}
				}
			}
			if err := db.Ping(t.Context()); err != nil || len(s.errors()) > 0 {
				t.Error(err, s.errors())
			}
		})
	}
}

// TestResponseAttacks has an agent that says what it likes try to get an answer that is withheld, and tries to have one answer taken for another.
// Every connection ends with the agent's half close, so that what it got is all there is.
func TestResponseAttacks(t *testing.T) {
	end := data("", emptyBlock())
	for i, c := range []struct {
		name string
		// wire has %s in its texts for what is evil, or benign.
		wire func(r *raw, text string) [][]byte
		// denied: so is the twin, because it cannot be told from the attack.
		denied bool
	}{
		{"by itself", func(r *raw, text string) [][]byte { return [][]byte{r.query("", text), end} }, false},
		{"behind a long answer that nobody looks at", func(r *raw, text string) [][]byte {
			return [][]byte{r.query("", "SELECT many FROM t"), end, r.query("", text), end}
		}, false},
		{"behind one that is busy", func(r *raw, text string) [][]byte {
			return [][]byte{r.query("", "SELECT busy FROM t"), end, r.query("", text+", busy"), end}
		}, false},
		{"behind one that is withheld", func(r *raw, text string) [][]byte {
			return [][]byte{r.query("", "SELECT secret FROM t -- looked at"), end, r.query("", text), end}
		}, false},
		{"behind a long one that is withheld", func(r *raw, text string) [][]byte {
			return [][]byte{r.query("", "SELECT many FROM t -- looked at"), end, r.query("", text), end}
		}, false},
		{"behind one that is denied", func(r *raw, text string) [][]byte {
			return [][]byte{r.query("", "SELECT 'forbidden'"), end, r.query("", text), end}
		}, false},
		{"behind pings", func(r *raw, text string) [][]byte { return [][]byte{{4}, {4}, r.query("", text), end, {4}} }, false},
		{"with a cancel", func(r *raw, text string) [][]byte { return [][]byte{r.query("", text), end, {3}} }, false},
		{"between others", func(r *raw, text string) [][]byte {
			return [][]byte{r.query("", "SELECT 1"), end, r.query("", text), end, r.query("", "SELECT 2"), end}
		}, false},
		{"behind an INSERT", func(r *raw, text string) [][]byte {
			return [][]byte{r.query("", "INSERT INTO t VALUES -- looked at"), end, data("", emptyBlock()), r.query("", text), end}
		}, false},
		{"before another", func(r *raw, text string) [][]byte {
			return [][]byte{r.query("", text), end, r.query("", "SELECT looked FROM t"), end}
		}, false},
		{"in a column of a strange type", func(r *raw, text string) [][]byte { return [][]byte{r.query("", text+", strange"), end} }, true},
		{"behind an answer whose end cannot be told", func(r *raw, text string) [][]byte {
			return [][]byte{r.query("", "SELECT strange FROM t"), end, r.query("", text), end}
		}, true},
	} {
		for _, chunks := range []string{"notchunked", "chunked"} {
			t.Run(c.name+", "+chunks, func(t *testing.T) {
				s := newCurrent(t, 54492, chunks, chunks)
				g := s.before(t, looks)
				play := func(text string) string {
					r := rawAgent(t, g.l.Addr().String(), 54483, chunks)
					var all []byte
					for _, p := range c.wire(r, text) {
						all = append(all, r.chunk(p)...)
					}
					r.write(all)
					if err := r.Conn.(*net.TCPConn).CloseWrite(); err != nil {
						t.Fatal(err)
					}
					return r.ended()
				}
				got := play(fmt.Sprintf("SELECT secret FROM attack_%d -- looked at", i))
				if strings.Contains(got, "ghp_abc123") || !strings.Contains(got, "its result is withheld") && c.name != "behind an answer whose end cannot be told" {
					t.Errorf("the agent got %.600q", got)
				}
				got = play(fmt.Sprintf("SELECT public FROM twin_%d -- looked at", i))
				// A value may be in two chunks.
				if !c.denied && (strings.Count(got, "text") < 9 || c.name != "behind one that is withheld" && c.name != "behind a long one that is withheld" && strings.Contains(got, "withheld")) {
					t.Errorf("the twin got %.600q, %v", got, g.ends)
				}
				// Masked in place, also where a value stands in two chunks.
				got = play("SELECT secret FROM t -- looked at, masked")
				if !c.denied && (strings.Count(got, "a **********") < 9 || strings.Count(got, "*") < 100) || strings.Contains(got, "ghp_abc123") {
					t.Errorf("the agent got %.600q", got)
				}
				if !c.denied && !s.saw(fmt.Sprintf("attack_%d", i)) {
					t.Error("the statement did not run")
				}
			})
		}
	}
}

// TestHeldResponses has a person asked before the answer is looked at, and has a query cancelled whose answer is kept.
func TestHeldResponses(t *testing.T) {
	s := newCurrent(t, 54460, "", "")
	p := person{make(chan gate.Verdict, 1)}
	g := s.before(t, func(g *gateway) {
		looks(g)
		g.look = func(text string) gate.Verdict {
			if strings.Contains(text, "held") {
				return gate.Verdict{Pending: p, Hold: "h-1", Reason: "ask a person", Until: "2030-01-01T00:00:00Z"}
			}
			return gate.Verdict{Inspect: 64 << 10, Parent: text}
		}
	})
	end := data("", emptyBlock())
	r := rawAgent(t, g.l.Addr().String(), 54460, "")
	for text, want := range map[string]string{"secret": "its result is withheld", "public": "text"} {
		r.write(append(r.query("", "SELECT "+text+" -- looked at, held"), end...))
		p.verdict <- gate.Verdict{Inspect: 64 << 10, Parent: text}
		r.until(want)
		if want == "text" {
			r.until("\x00\x00\x05")
		} else {
			r.until("\x00\x00")
		}
		r.works()
	}
	r.write(append(r.query("", "SELECT slow secret -- looked at"), end...))
	for !s.saw("slow secret") {
		time.Sleep(time.Millisecond)
	}
	r.write([]byte{3})
	close(s.gate)
	if got := r.until("receipt r-2)\x00\x00"); strings.Contains(got, "ghp_") || !strings.Contains(got, "its result is withheld") {
		t.Errorf("%q", got)
	}
	r.works()
}
