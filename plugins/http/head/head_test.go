package head

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
)

// vector is one entry of a corpus: a message and what is to be said about it.
type vector struct {
	name, want, asked string
	bytes             []byte
}

// corpus reads a file of testdata.
func corpus(t testing.TB, file string) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	for n, line := range strings.Split(string(text), "\n") {
		switch {
		case line == "", line[0] == '#':
		case line[0] == '"' || len(all) > 0 && all[len(all)-1].bytes == nil:
			v := &all[len(all)-1]
			if v.asked, line, _ = strings.Cut(line, `"`); v.bytes != nil {
				t.Fatalf("%s:%d: bytes a second time", file, n+1)
			}
			v.asked = strings.TrimSpace(v.asked)
			v.bytes = data(t, `"`+line)
		default:
			name, want, ok := strings.Cut(line, " = ")
			if !ok {
				t.Fatalf("%s:%d: not NAME = REASON", file, n+1)
			}
			all = append(all, vector{name: name, want: want})
		}
	}
	return all
}

// data reads quoted strings, with *N behind those that are repeated.
func data(t testing.TB, line string) []byte {
	t.Helper()
	var out []byte
	for line != "" {
		q, err := strconv.QuotedPrefix(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		line = line[len(q):]
		text, _ := strconv.Unquote(q)
		times := 1
		if strings.HasPrefix(line, "*") {
			n, _, _ := strings.Cut(line[1:], " ")
			if times, err = strconv.Atoi(n); err != nil {
				t.Fatal(err)
			}
			line = line[1+len(n):]
		}
		out = append(out, strings.Repeat(text, times)...)
		line = strings.TrimSpace(line)
	}
	return out
}

// whole reads p as exactly one request.
func whole(p []byte) Problem {
	var s Scanner
	var r Request
	size, problem := s.End(p)
	if (problem != "" || size == 0) && s.FirstLine() || size == 0 && problem != "" {
		if wrong := r.CheckLine(p); wrong != "" {
			return wrong
		}
	}
	switch {
	case problem != "":
		return problem
	case size == 0:
		return incompletely
	}
	if problem := r.Read(p[:size]); problem != "" {
		return problem
	}
	rest := p[size:]
	if r.Chunked {
		return walk(rest, true)
	}
	if int64(len(rest)) != max(r.Length, 0) {
		return "other bytes follow"
	}
	return ""
}

// walk reads p as exactly one body in chunks.
func walk(p []byte, request bool) Problem {
	var c Chunks
	c.Begin(request)
	for {
		piece, problem := c.Next(p)
		switch {
		case problem != "":
			return problem
		case piece.Size == 0 || piece.Size > uint64(len(p)):
			return badChunkEnd // nothing more comes
		}
		p = p[piece.Size:]
		if piece.Last {
			if len(p) > 0 {
				return "other bytes follow"
			}
			return ""
		}
	}
}

func TestRequests(t *testing.T) {
	for _, v := range corpus(t, "requests.txt") {
		t.Run(v.name, func(t *testing.T) { check(t, v, whole(v.bytes)) })
	}
}

func check(t *testing.T, v vector, got Problem) {
	t.Helper()
	switch {
	case v.want == "ok" && got != "":
		t.Errorf("%q is refused: %s", v.bytes, got)
	case v.want != "ok" && got == "":
		t.Errorf("%q is read, and should be refused: %s", v.bytes, v.want)
	case v.want != "ok" && !strings.HasPrefix(string(got), v.want):
		t.Errorf("%q is refused because %q, not because %q", v.bytes, got, v.want)
	}
}

func TestResponses(t *testing.T) {
	for _, v := range corpus(t, "responses.txt") {
		t.Run(v.name, func(t *testing.T) { check(t, v, wholeResponse(v)) })
	}
}

func wholeResponse(v vector) Problem {
	var s Scanner
	var r Response
	size, problem := s.End(v.bytes)
	if problem != "" {
		return problem
	}
	if problem := r.Read(v.bytes[:size]); problem != "" {
		return problem
	}
	body, problem := r.Body(Asked{Head: v.asked == "HEAD", Connect: v.asked == "CONNECT", Upgrade: v.asked == "UPGRADE"})
	rest := v.bytes[size:]
	switch {
	case problem != "":
		return problem
	case body == InChunks:
		return walk(rest, false)
	case body == Counted && int64(len(rest)) != r.Length, body != Counted && body != UntilClose && len(rest) > 0:
		return "other bytes follow"
	}
	return ""
}

// What comes in pieces is read as what comes at once.
func TestScannerInPieces(t *testing.T) {
	for _, v := range corpus(t, "requests.txt") {
		var once Scanner
		size, problem := once.End(v.bytes)
		var s Scanner
		for n := 1; n <= len(v.bytes); n++ {
			got, wrong := s.End(v.bytes[:n])
			if got == 0 && wrong == "" {
				continue
			}
			if got != size || wrong != problem {
				t.Errorf("%s: %d, %q in pieces, %d, %q at once", v.name, got, wrong, size, problem)
			}
			break
		}
	}
}

// What is read, net/http reads in the same way: it is more lenient, so what it refuses is for its own reasons.
func differential(t *testing.T, p []byte) {
	if whole(p) != "" {
		return
	}
	b := bufio.NewReader(bytes.NewReader(p))
	q, err := http.ReadRequest(b)
	if err != nil {
		return
	}
	body, err := io.ReadAll(q.Body)
	if err != nil {
		t.Errorf("%q: net/http cannot read the body: %v", p, err)
		return
	}
	if _, err := b.ReadByte(); err != io.EOF {
		t.Errorf("%q: net/http takes the end of it for another request", p)
	}
	var r Request
	var s Scanner
	size, _ := s.End(p)
	r.Read(p[:size])
	if got := string(r.Method.Of(p)); got != q.Method {
		t.Errorf("%q: method %q, net/http: %q", p, got, q.Method)
	}
	if got := string(r.Target.Of(p)); got != q.RequestURI {
		t.Errorf("%q: target %q, net/http: %q", p, got, q.RequestURI)
	}
	if got := string(r.Authority.Of(p)); !strings.EqualFold(got, q.Host) {
		t.Errorf("%q: authority %q, net/http: %q", p, got, q.Host)
	}
	if !r.Chunked && int64(len(body)) != max(r.Length, 0) {
		t.Errorf("%q: a body of %d bytes, net/http: %d", p, r.Length, len(body))
	}
	fields := 0
	for _, v := range q.Header {
		fields += len(v)
	}
	for i := range r.Count {
		switch f := &r.All[i]; f.Known {
		case Host, TransferEncoding, ContentLength: // net/http keeps these elsewhere
			if f.Known == ContentLength {
				fields--
			}
		default:
			fields--
			found := false
			for _, v := range q.Header.Values(string(f.Name.Of(p))) {
				found = found || v == string(f.Value.Of(p))
			}
			if !found && f.Known != Trailer {
				t.Errorf("%q: net/http does not see %q", p, f.Name.Of(p))
			}
		}
	}
}

func TestLikeNetHTTP(t *testing.T) {
	for _, v := range corpus(t, "requests.txt") {
		differential(t, v.bytes)
	}
}

func FuzzRequest(f *testing.F) {
	for _, v := range corpus(f, "requests.txt") {
		f.Add(v.bytes)
	}
	f.Fuzz(differential)
}

func FuzzResponse(f *testing.F) {
	for _, v := range corpus(f, "responses.txt") {
		f.Add(v.bytes, len(v.asked))
	}
	f.Fuzz(func(t *testing.T, p []byte, asked int) {
		v := vector{bytes: p, asked: [...]string{"GET", "HEAD", "CONNECT", "UPGRADE"}[asked&3]}
		if !bytes.Contains(p, []byte("\r\n\r\n")) || wholeResponse(v) != "" || v.asked == "CONNECT" || v.asked == "UPGRADE" {
			return
		}
		b := bufio.NewReader(bytes.NewReader(p))
		r, err := http.ReadResponse(b, &http.Request{Method: v.asked})
		if err != nil || r.StatusCode < 200 {
			return
		}
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Errorf("%q: net/http cannot read the body: %v", p, err)
		}
		if _, err := b.ReadByte(); err != io.EOF {
			t.Errorf("%q: net/http takes the end of it for something else", p)
		}
	})
}

// FuzzChunks walks the same chunks whole and in pieces.
func FuzzChunks(f *testing.F) {
	for _, v := range corpus(f, "requests.txt") {
		if _, body, ok := bytes.Cut(v.bytes, []byte("\r\n\r\n")); ok {
			f.Add(body, uint8(3))
		}
	}
	f.Fuzz(func(t *testing.T, p []byte, cut uint8) {
		var a, b Chunks
		a.Begin(true)
		b.Begin(true)
		rest, have := p, 0
		for {
			x, wrong := a.Next(rest)
			if wrong != "" || x.Size == 0 || x.Size > uint64(len(rest)) {
				return
			}
			var y Piece
			for have = min(have, len(rest)); ; have = min(have+1+int(cut), len(rest)) {
				var problem Problem
				if y, problem = b.Next(rest[:have]); problem != "" {
					t.Fatalf("%q in pieces: %s", p, problem)
				}
				if y.Size > 0 || have == len(rest) {
					break
				}
			}
			if x != y {
				t.Fatalf("%q: %+v at once, %+v in pieces", p, x, y)
			}
			if rest, have = rest[x.Size:], max(have-int(x.Size), 0); x.Last {
				return
			}
		}
	})
}

// example is what a program sends.
const example = "GET /api/v1/users/1234?fields=name,mail HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: python-requests/2.31.0\r\n" +
	"Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n"

func BenchmarkRequest(b *testing.B) {
	p := []byte(example)
	var r Request
	var s Scanner
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		s.Reset()
		size, _ := s.End(p)
		if problem := r.Read(p[:size]); problem != "" {
			b.Fatal(problem)
		}
	}
}

func TestNothingAllocated(t *testing.T) {
	p := []byte(example)
	var r Request
	var s Scanner
	if n := testing.AllocsPerRun(100, func() {
		s.Reset()
		size, _ := s.End(p)
		_ = r.Read(p[:size])
	}); n != 0 {
		t.Errorf("%v allocations for a request", n)
	}
}
