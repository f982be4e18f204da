package session

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// scripted is what an agent says at a quiet point in one piece, and what a server answers in one.
type scripted struct {
	name   string
	agent  []encoder
	server []encoder
	usual  bool // it is read without the queue
}

// exchanges are usual ones and such as look like them. The statement s is a prepared "select".
func exchanges() []scripted {
	e := func(messages ...encoder) []encoder { return messages }
	portal := &pgproto3.Describe{ObjectType: 'P'}
	values := func(codes []int16, values ...[]byte) *pgproto3.Bind {
		return &pgproto3.Bind{PreparedStatement: "s", ParameterFormatCodes: codes, Parameters: values, ResultFormatCodes: []int16{1}}
	}
	bound, columns, one := &pgproto3.BindComplete{}, &pgproto3.RowDescription{}, complete("SELECT 1")
	t := &pgproto3.ReadyForQuery{TxStatus: 'T'}
	return []scripted{
		{"query", e(query("select")), e(columns, row, one, ready), true},
		{"query without rows", e(query("select")), e(columns, complete("SELECT 0"), ready), true},
		{"query that changes rows", e(query("delete")), e(complete("DELETE 3"), ready), true}, // and denied in the first part
		{"query in a transaction", e(query("select")), e(columns, row, one, t), true},
		{"bound", e(bind("", "s"), execute(""), sync1), e(bound, row, one, ready), true},
		{"bound and described", e(bind("", "s"), portal, execute(""), sync1), e(bound, columns, row, row, complete("SELECT 2"), ready), true},
		{"bound, described, without columns", e(bind("", "s"), portal, execute(""), sync1), e(bound, &pgproto3.NoData{}, complete("SELECT 0"), ready), true},
		{"values", e(values(nil, []byte("a"), nil, []byte("\xff")), execute(""), sync1), e(bound, row, one, ready), true},
		{"values, all binary", e(values([]int16{1}, []byte("a"), []byte{0, 0, 0, 7}), execute(""), sync1), e(bound, row, one, ready), true},
		{"values, some binary", e(values([]int16{0, 1}, []byte("a"), []byte{0, 0, 0, 7}), execute(""), sync1), e(bound, row, one, ready), true},
		{"long values", e(values(nil, bytes.Repeat([]byte("x"), 60), nil), execute(""), sync1), e(bound, row, one, ready), true},

		{"too many formats", e(values([]int16{0, 1, 1}, []byte("a")), execute(""), sync1), e(failure("ERROR"), ready), false},
		{"unknown statement", e(bind("", "nobody"), execute(""), sync1), e(failure("ERROR"), ready), false},
		{"named portal", e(bind("p", "s"), execute("p"), sync1), e(bound, row, one, ready), false},
		{"twice", e(bind("", "s"), execute(""), bind("", "s"), execute(""), sync1), e(bound, row, one, bound, row, one, ready), false},
		{"without Sync", e(bind("", "s"), execute("")), e(bound, row, one), false},
		{"two queries", e(query("select"), query("select")), e(columns, row, one, ready, columns, row, one, ready), false},
		{"two statements", e(query("select; select")), e(columns, row, one, columns, row, one, ready), false},
		{"error", e(bind("", "s"), execute(""), sync1), e(bound, failure("ERROR"), ready), false},
		{"error of a query", e(query("select")), e(failure("ERROR"), ready), false},
		{"notice", e(query("select")), e(&pgproto3.NoticeResponse{Message: "n"}, columns, row, one, ready), false},
		{"setting", e(query("select")), e(columns, row, one, &pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "off"}, ready), false},
		{"suspended", e(bind("", "s"), &pgproto3.Execute{MaxRows: 1}, sync1), e(bound, row, &pgproto3.PortalSuspended{}, ready), false},
		{"more behind it", e(query("select")), e(columns, row, one, ready, &pgproto3.NotificationResponse{Channel: "c"}), false},
		{"many rows", e(query("select")), append(append(e(columns), repeated(row, rowsBeforeScan+4)...), complete("SELECT 20"), ready), false},

		{"fewer rows than the tag says", e(query("select")), e(columns, complete("SELECT 1"), ready), false},
		{"another tag", e(query("select")), e(columns, row, complete("DELETE 1"), ready), false},
		{"no description", e(bind("", "s"), portal, execute(""), sync1), e(bound, row, one, ready), false},
		{"not bound", e(bind("", "s"), execute(""), sync1), e(row, one, ready), false},
		{"two completions", e(query("select")), e(columns, row, one, one, ready), false},
		{"unknown status", e(query("select")), e(columns, row, one, &pgproto3.ReadyForQuery{TxStatus: 'X'}), false},
	}
}

func repeated(m encoder, n int) (all []encoder) {
	for range n {
		all = append(all, m)
	}
	return all
}

// TestUsual has an exchange in one piece each say to the host what the same bytes say that come one by one, where nothing is whole, also when it comes
// again, and what follows it. That those which should be are read without the queue shows in their commands: the answer passes in one.
func TestUsual(t *testing.T) {
	for _, x := range exchanges() {
		t.Run(x.name, func(t *testing.T) {
			play := func(cut int) *gate {
				g := newGate(t, nil, wordsPlugin(nil), nil, noDeletes)
				g.agent(encoded(hello))
				g.server(encoded(&pgproto3.AuthenticationOk{}), settings1, encoded(ready))
				g.agent(encoded(parse("s", "select"), sync1))
				g.server(encoded(&pgproto3.ParseComplete{}, ready))
				g.cut = cut
				for range 2 {
					g.agent(encoded(x.agent...))
					g.server(encoded(x.server...))
				}
				g.agent(encoded(bind("", "s"), execute(""), sync1, query("select")))
				g.server(encoded(&pgproto3.BindComplete{}, row, complete("SELECT 1"), ready, row, complete("SELECT 1"), ready))
				if g.broken != nil {
					t.Fatal(g.broken)
				}
				return g
			}
			whole, bytewise := play(0), play(1)
			for side := range whole.sides {
				if got, want := whole.sides[side].all, bytewise.sides[side].all; !bytes.Equal(got, want) {
					t.Errorf("to the %v:\n%s", abi.Side(side), differ(string(got), string(want)))
				}
			}
			if got, want := strings.Join(whole.log, "\n"), strings.Join(bytewise.log, "\n"); got != want {
				t.Errorf("%s", differ(got, want))
			}
			if got := usually(t, x); got != x.usual {
				t.Errorf("read without the queue: %v", got)
			}
		})
	}
}

// usually plays an exchange and reports whether its answer passes in one piece behind the note of what it says.
func usually(t *testing.T, x scripted) bool {
	g := loggedInTo(t, wordsPlugin(nil), "select", nil)
	g.Data(abi.Agent, encoded(x.agent...), 0)
	list, _, err := g.Data(abi.Upstream, encoded(x.server...), 0)
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for len(list) > 0 {
		var c abi.Command
		if list, err = abi.Next(list, &c); err != nil {
			t.Fatal(err)
		}
		tags = append(tags, c.Tag.String())
	}
	return fmt.Sprint(tags) == "[NOTE PASS]"
}
