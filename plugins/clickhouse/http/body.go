package http

import (
	"bytes"
	"maps"
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/session"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// body is what has come of a request's body before it is decided.
type body struct {
	chunks    head.Chunks
	own       []byte // the memory for chunks
	bytes     []byte // what has come, without the framing of chunks
	raw       int    // bytes of it on the wire
	whole     bool   // that is all of it
	over      bool   // it is longer than what is read
	continued bool   // the client was told to send it
	begun     bool
	encoded   bool
	ahead     uint64 // bytes that belong to the request and are still to be read
}

func (b *body) begin(r *head.Request, encoding []byte) {
	*b = body{own: b.own[:0], encoded: len(bytes.Trim(encoding, ", ")) > 0}
	b.whole = !r.Chunked && r.Length <= 0
}

// readBody reads the body as far as the decision needs it, and asks.
func (s *Session) readBody(c *sdk.Conn, p []byte, end bool) int {
	b, r := &s.body, &s.request
	if !b.whole && !b.over {
		if problem := s.gather(p); problem != "" {
			return s.refuse(c, 400, string(problem))
		}
	}
	if f, decided := s.decide(c); decided {
		return s.ask(c, p, f)
	}
	switch {
	case end:
		c.Close("the agent ended in the middle of a request")
	case r.Continue && !b.continued:
		b.continued = true
		c.Send(abi.Agent, 0, goOn)
	}
	return 0
}

var goOn = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// gather takes what of the body stands in p.
func (s *Session) gather(p []byte) head.Problem {
	b, r := &s.body, &s.request
	limit := s.options.MaxQuery
	if !r.Chunked {
		have := p[s.size:]
		if uint64(len(have)) > uint64(r.Length) {
			have = have[:r.Length]
		}
		b.whole = int64(len(have)) == r.Length
		if len(have) > limit {
			have, b.whole, b.over = have[:limit], false, true
		}
		b.bytes, b.raw = have, len(have)
		return ""
	}
	if !b.begun {
		b.begun = true
		b.chunks.Begin(true)
	}
	for {
		at := s.size + b.raw
		piece, problem := b.chunks.Next(p[min(at, len(p)):])
		switch {
		case problem != "":
			return problem
		case piece.Size == 0:
			return ""
		case uint64(len(b.own))+piece.Data > uint64(limit) || b.raw > 4*limit:
			b.over = true
			b.bytes = b.own
			return ""
		case uint64(at)+piece.Size > uint64(len(p)): // this piece is to be seen again
			b.chunks.Again()
			return ""
		}
		end := at + int(piece.Size)
		b.own = append(b.own, p[end-int(piece.Data):end]...)
		b.bytes = b.own
		b.raw += int(piece.Size)
		if piece.Last {
			b.whole = true
			return ""
		}
	}
}

// unknown is a request whose text cannot be read.
func unknown(problem string) *sql.Facts {
	return &sql.Facts{Class: abi.ClassOpaque, Unknown: true, Problem: problem, Title: "a request that cannot be read: " + problem}
}

// decide says what the request does, once enough of its body has come.
func (s *Session) decide(c *sdk.Conn) (*sql.Facts, bool) {
	b, pl := &s.body, &s.plan
	s.text = nil
	if f := s.otherPath(); f != nil {
		s.text = []byte{}
		return f, b.whole || b.over
	}
	all := b.whole || b.over
	plain := !b.encoded && !pl.frames && !pl.form
	if plain && len(pl.query) > 0 && !b.whole {
		// An INSERT whose data are the body.
		if f := s.options.Classify(pl.query, 0); streams(f) {
			if start := b.bytes[lex.Spaces(b.bytes):]; all || len(start) >= len(settingsWord) {
				if !maySet(start) {
					s.text = pl.query
					return f, true
				}
				return unknown("the data of an INSERT begin with a part of its statement"), all
			}
		}
	}
	if !all {
		return nil, false
	}
	text := b.bytes
	if !plain {
		var f *sql.Facts
		if text, f = s.undo(c); f != nil {
			return f, true
		}
	}
	return s.classify(text), true
}

const settingsWord = "settings"

// maySet reports whether data may be taken for the rest of a statement: its settings, or a comment before them.
func maySet(start []byte) bool {
	return len(start) >= len(settingsWord) && strings.EqualFold(string(start[:len(settingsWord)]), settingsWord) ||
		bytes.HasPrefix(start, []byte("/*")) || bytes.HasPrefix(start, []byte("--")) || bytes.HasPrefix(start, []byte("#"))
}

// streams reports whether the data of an INSERT follow a text, in a format that evaluates nothing.
func streams(f *sql.Facts) bool {
	return f.Kind == sql.KindInsert && !f.Unknown && f.Data == sql.DataStream && f.Format != "" && !f.Values
}

// otherPath is what a request for something else than a statement does; nil: it is one. Old servers go by the whole target and by the method:
// to them GET /ping?query=… and POST /ping are statements.
func (s *Session) otherPath() *sql.Facts {
	body := s.request.Chunked || s.request.Length > 0 || s.plan.form
	plain := s.plan.fetches && !body && len(s.plan.query) == 0
	switch path := s.plan.path; {
	case path == "/" && (body || len(s.plan.query) > 0):
		return nil
	case path == "/":
		return &sql.Facts{Class: abi.ClassSession, Title: "ask for the greeting", Verbs: []string{"ping"}, Bounded: true}
	case path == "/ping" && plain && !s.request.HasQuery:
		return &sql.Facts{Class: abi.ClassSession, Title: "ping", Verbs: []string{"ping"}, Bounded: true}
	case path == "/replicas_status" && plain:
		return &sql.Facts{Class: abi.ClassRead, Title: "ask for the status of replicas", Verbs: []string{"replicas status"}, Bounded: true}
	}
	return unknown("a path that is not known, or is not used in this way")
}

// classify reads the text that the server will run.
func (s *Session) classify(text []byte) *sql.Facts {
	query := s.plan.query
	if len(query) == 0 || len(text) == 0 {
		joined := append([]byte{}, text...)
		if len(query) > 0 {
			joined = query
		}
		return s.checked(joined, s.options.Classify(joined, 0))
	}
	// Servers put a line end between them; what would be something else without it is not taken for granted.
	joined := append(append([]byte(nil), query...), text...)
	without := s.options.Classify(joined, 0)
	class, lost := without.Class, without.Unknown
	joined = append(append(append([]byte(nil), query...), '\n'), text...)
	f := s.options.Classify(joined, 0)
	if lost != f.Unknown {
		return unknown("the text of the URL does not end where it should")
	}
	f.Class = max(f.Class, class)
	return s.checked(joined, f)
}

// checked takes what was read of a body that was cut only when the rest is data. Its text is known when it is the whole of it.
func (s *Session) checked(text []byte, f *sql.Facts) *sql.Facts {
	if !s.body.over {
		s.text = text
	}
	if s.body.over && !(f.Kind == sql.KindInsert && !f.Unknown && f.Data == sql.DataInline && !f.Values) {
		return unknown("its text is longer than the option max_query allows, or is none")
	}
	return f
}

// undo undoes what stands between the wire and a text: content codings, and forms. f: it cannot be.
func (s *Session) undo(c *sdk.Conn) (text []byte, f *sql.Facts) {
	b, pl := &s.body, &s.plan
	if b.over {
		return nil, unknown("its body is compressed, or a form, and longer than the option max_query allows")
	}
	if pl.frames {
		return nil, unknown("its body is in ClickHouse's own compression: use Content-Encoding")
	}
	text = b.bytes
	if b.encoded {
		var err error
		if text, err = decode.Body(c, session.CompanionDecode, pl.encoding, text, min(s.options.MaxQuery, decode.MaxOutput)); err != nil {
			return nil, unknown("its body cannot be decoded: " + err.Error())
		}
	}
	if pl.form {
		if !s.fields(text) {
			return nil, unknown("its form is not understood")
		}
		text = nil
	}
	return text, nil
}

// fields reads a form: its fields are parameters, its files tables.
func (s *Session) fields(p []byte) bool {
	mark := []byte("--" + s.plan.boundary)
	if s.plan.boundary == "" || !bytes.HasPrefix(p, mark) {
		return false
	}
	seen := maps.Clone(s.plan.seen) // a form is read again when the connection was asked about first
	for p = p[len(mark):]; ; {
		switch {
		case bytes.HasPrefix(p, []byte("--")):
			return len(bytes.TrimSpace(p[2:])) == 0
		case !bytes.HasPrefix(p, lineEnd):
			return false
		}
		p = p[2:]
		end := bytes.Index(p, []byte("\r\n\r\n"))
		if end < 0 {
			return false
		}
		name, file, ok := disposition(string(p[:end]))
		p = p[end+4:]
		stop := bytes.Index(p, append([]byte("\r\n"), mark...))
		if !ok || stop < 0 || bytes.Index(p, mark) < stop { // for old servers a line feed alone is enough before a boundary
			return false
		}
		if !file {
			if out, wrong := s.parameter(name, p[:stop], seen); wrong != "" || out {
				return false
			}
		}
		p = p[stop+2+len(mark):]
	}
}

// disposition reads the head of a part. What servers could read otherwise is not ok.
func disposition(text string) (name string, file, ok bool) {
	named := 0
	for _, line := range strings.Split(text, "\r\n") {
		if strings.ContainsAny(line, "\r\n") || line == "" || line[0] == ' ' || line[0] == '\t' {
			return "", false, false
		}
		field, value, _ := strings.Cut(line, ":")
		if !strings.EqualFold(strings.TrimSpace(field), "content-disposition") {
			continue
		}
		if ok || strings.ContainsAny(value, "\\") {
			return "", false, false
		}
		for i, part := range strings.Split(value, ";") {
			key, v, has := strings.Cut(strings.TrimSpace(part), "=")
			switch {
			case i == 0 && !strings.EqualFold(key, "form-data"):
				return "", false, false
			case i > 0 && (!has || len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' || strings.Count(v, `"`) != 2):
				return "", false, false
			case strings.EqualFold(key, "name"):
				name, ok = v[1:len(v)-1], true
				named++
			case strings.EqualFold(key, "filename"):
				file = true
			}
		}
	}
	return name, file, ok && named == 1
}

// ask asks about the request, or about the connection first. It returns how much of p was read.
func (s *Session) ask(c *sdk.Conn, p []byte, f *sql.Facts) int {
	if s.connect == 0 {
		s.connect = session.AskConnect(c, s.facts.Endpoint, s.secured, s.gatewayLogin).Do(0, abi.AskAside)
		s.agent = agentAsked
		s.stop(c)
		return 0
	}
	r, b := &s.request, &s.body
	for _, t := range s.plan.tables {
		if !s.plan.form {
			name, value, _ := strings.Cut(t, "=")
			s.plan.about.Set(name, value)
		}
	}
	s.action = session.Describe(s.action[:0], f, s.text, &s.plan.about)
	s.id = c.AskEncoded(0, abi.AskStreaming, s.action)
	s.title, s.class = f.Title, f.Class
	s.agent = agentAsked
	read := s.size
	switch {
	case b.whole:
		read += b.raw
	case !r.Chunked:
		total := uint64(s.size) + uint64(r.Length)
		read = int(min(total, uint64(len(p))))
		b.ahead = total - uint64(read)
	}
	return read
}
