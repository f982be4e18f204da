package head

import (
	"bytes"
	"testing"
)

// told is everything that a request is found to be.
type told struct {
	Fields     []Field
	Framing    Framing
	Size       int
	Minor      uint8
	Form       Form
	Spans      [5]Span
	HasQuery   bool
	Secure     bool
	Continue   bool
	Last       bool
	Plaintext2 bool
	Problem    Problem
}

func tell(r *Request, p []byte) told {
	problem := r.Read(p)
	if problem != "" {
		return told{Problem: problem}
	}
	return told{append([]Field(nil), r.All[:r.Count]...), r.Framing, r.Size, r.Minor, r.Form, [5]Span{r.Method, r.Target, r.Authority, r.Path, r.Query},
		r.HasQuery, r.Secure, r.Continue, r.Last(), r.Plaintext2(p), ""}
}

func sameTold(a, b told) bool {
	if len(a.Fields) != len(b.Fields) {
		return false
	}
	for i := range a.Fields {
		if a.Fields[i] != b.Fields[i] {
			return false
		}
	}
	return a.Framing == b.Framing && a.Size == b.Size && a.Minor == b.Minor && a.Form == b.Form && a.Spans == b.Spans && a.HasQuery == b.HasQuery &&
		a.Secure == b.Secure && a.Continue == b.Continue && a.Last == b.Last && a.Plaintext2 == b.Plaintext2 && a.Problem == b.Problem
}

// A reader that has seen other requests finds the same as one that has seen none, whichever came before. Each input is two request lines and two
// sections of fields, so that each line meets each of the fields.
func FuzzRequestsInTurn(f *testing.F) {
	const fields = "Host: a.example\r\nAccept: */*\r\n\r\n"
	for _, seed := range [][3]string{
		{"GET / HTTP/1.1\r\n", "GET /longer?q HTTP/1.1\r\n", fields},
		{"GET / HTTP/1.1\r\n", "GET / HTTP/1.0\r\n", "Host: a\r\nConnection: keep-alive\r\n\r\n"},
		{"GET / HTTP/1.1\r\n", "CONNECT a.example:443 HTTP/1.1\r\n", fields},
		{"OPTIONS * HTTP/1.1\r\n", "GET http://b.example/ HTTP/1.1\r\n", fields},
		{"TRACE / HTTP/1.1\r\n", "GET / HTTP/1.1\r\n", "Host: a\r\nContent-Length: 3\r\n\r\n"},
		{"GET / HTTP/1.1\r\n", "CONNECT a:1 HTTP/1.1\r\n", "Host: a:1\r\nContent-Length: 0\r\n\r\n"},
		{"GET / HTTP/1.1\r\n", "GET / HTTP/1.0\r\n", "Host: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"GET / HTTP/1.1\r\n", "GET / HTTP/1.0\r\n", "Host: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"},
		{"GET / HTTP/1.1\r\n", "GET / HTTP/1.0\r\n", "Host: a\r\nExpect: 100-continue\r\n\r\n"},
		{"GET / HTTP/1.1\r\n", "GET /x HTTP/1.1\r\n", "Host: a\r\nHost: b\r\n\r\n"},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]), []byte(seed[2]), []byte(fields))
	}
	f.Fuzz(func(t *testing.T, one, two, fields, others []byte) {
		var r Request
		for i, turn := range [][2][]byte{{one, fields}, {two, fields}, {one, others}, {two, fields}, {two, fields}, {one, fields}, {two, fields[:len(fields)/2]}, {one, fields}} {
			p := bytes.Join(turn[:], nil)
			var fresh Request
			if want, got := tell(&fresh, p), tell(&r, p); !sameTold(got, want) {
				t.Fatalf("turn %d, %q:\n%+v, but read afresh\n%+v", i, p, got, want)
			}
		}
	})
}

// Nothing but the request line differs: the fields are compared, not read.
func TestFieldsAreReadOnce(t *testing.T) {
	var r Request
	for i, p := range []string{"GET /a HTTP/1.1\r\n", "GET /other HTTP/1.1\r\n", "DELETE /b?c HTTP/1.1\r\n"} {
		if problem := r.Read([]byte(p + "Host: a\r\nAccept: b\r\n\r\n")); problem != "" {
			t.Fatal(problem)
		}
		if r.Block != 1 {
			t.Errorf("request %d has block %d, not 1", i, r.Block)
		}
	}
	if problem := r.Read([]byte("GET / HTTP/1.1\r\nHost: a\r\nAccept: c\r\n\r\n")); problem != "" || r.Block != 2 {
		t.Errorf("other fields: %v, block %d, not 2", problem, r.Block)
	}
}

// The same for responses.
func FuzzResponsesInTurn(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nA: b\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n"))
	f.Add([]byte("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"), []byte("HTTP/1.1 204\r\n\r\n"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		var r Response
		for i, p := range [][]byte{one, two, one, two, two, two[:len(two)/2], one, one} {
			var fresh Response
			want, got := fresh.Read(p), r.Read(p)
			if got != want {
				t.Fatalf("turn %d, %q: %q, but read afresh %q", i, p, got, want)
			}
			if want == "" && (r.Framing != fresh.Framing || r.Size != fresh.Size || r.Status != fresh.Status || r.Minor != fresh.Minor || r.Code != fresh.Code || r.Count != fresh.Count) {
				t.Fatalf("turn %d, %q: another response than read afresh", i, p)
			}
			for j := range fresh.Count {
				if want == "" && r.All[j] != fresh.All[j] {
					t.Fatalf("turn %d, %q: field %d is another than read afresh", i, p, j)
				}
			}
		}
	})
}
