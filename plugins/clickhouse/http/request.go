package http

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/session"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
)

// plan is what a request says beside its body, and what is changed in it on its way.
type plan struct {
	about    session.About
	query    []byte // of the URL, decoded
	edits    []edit
	offer    edit // takes out what asks for compression, where the answer is looked at
	encoding []byte
	path     string
	// frames: the body is in ClickHouse's own compression. form: it is multipart/form-data, with this boundary.
	frames, form bool
	boundary     string
	fetches      bool            // the method is GET or HEAD
	tables       []string        // words of the URL that belong to the tables of a form
	seen         map[string]bool // the parameters of the URL, which a form must not have again
}

// edit is one change of a head: so many bytes are taken out at a place, and something is written, perhaps with the secret behind it.
type edit struct {
	at, out int
	text    []byte
	secret  bool
}

// words are the parameters of the interface that are no settings, and change nothing about what a statement may do.
var words = map[string]bool{
	"quota_key": true, "default_format": true, "query_id": true, "session_timeout": true, "session_check": true, "close_session": true,
	"stacktrace": true, "buffer_size": true, "wait_end_of_query": true, "compress": true, "client_protocol_version": true,
}

// read reads what stands in the head. A text says why it cannot be read in one way only.
func (s *Session) read(p []byte) (wrong string) {
	r := &s.request
	pl := &s.plan
	*pl = plan{edits: pl.edits[:0], seen: map[string]bool{}}
	a := &pl.about
	a.Interface = "http"
	method := string(r.Method.Of(p))
	a.Readonly = method == "GET" // servers change what HEAD asks for
	pl.fetches = method == "GET" || method == "HEAD"
	s.last = r.Last()
	pl.path = string(r.Path.Of(p))
	a.User, a.Database = "default", "default"
	if wrong := s.headers(p); wrong != "" {
		return wrong
	}
	if r.HasQuery {
		if wrong := s.parameters(p); wrong != "" {
			return wrong
		}
	}
	if s.hasUser {
		a.User = s.ownUser
	}
	if s.hasDatabase {
		a.Database = s.ownDatabase
	}
	// A ping with a database would be a statement for old servers.
	if f := s.otherPath(); s.hasDatabase && (f == nil || f.Unknown) {
		at, text := int(r.Query.Start), "database="+escape(s.ownDatabase)
		if r.HasQuery {
			text += "&"
		} else {
			at, text = int(r.Path.End), "?"+text
		}
		pl.edits = append([]edit{{at: at, text: []byte(text)}}, pl.edits...)
	}
	if strings.ContainsFunc(a.User, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "a user's name with control characters"
	}
	if s.gatewayLogin {
		pl.edits = append(pl.edits, edit{at: s.size - 2, text: []byte("X-ClickHouse-User: " + a.User + "\r\nX-ClickHouse-Key: "), secret: true})
	}
	sortEdits(pl.edits)
	return ""
}

// sortEdits puts changes into the order of their places; those at one place stay as they are.
func sortEdits(e []edit) {
	for i := 1; i < len(e); i++ {
		for k := i; k > 0 && e[k].at < e[k-1].at; k-- {
			e[k], e[k-1] = e[k-1], e[k]
		}
	}
}

// headers reads the fields of the head.
func (s *Session) headers(p []byte) (wrong string) {
	r, pl := &s.request, &s.plan
	a := &pl.about
	for i := range r.Count {
		f := &r.All[i]
		name, value := strings.ToLower(string(f.Name.Of(p))), f.Value.Of(p)
		out := false
		switch {
		case f.Known == head.ContentEncoding:
			pl.encoding = append(append(pl.encoding, value...), ',')
		case f.Known == head.ContentType:
			media, rest, _ := strings.Cut(string(value), ";")
			switch {
			case strings.TrimRight(media, " \t") == "multipart/form-data":
				pl.form, pl.boundary = true, boundaryOf(rest)
			case len(media) >= len("multipart") && strings.EqualFold(media[:len("multipart")], "multipart"):
				a.More = true // a form for some servers, and for others the text of a statement
			}
		case f.Known == head.Authorization:
			user, ok := basicUser(value)
			if !ok && !s.gatewayLogin {
				a.More = true
			}
			a.User, out = user, s.gatewayLogin
		case f.Known == head.UserAgent:
			a.Application = string(value)
		case f.Known == head.Expect:
			out = true // the gateway asks for the body itself
		case name == "accept-encoding":
			line := f.Line(p)
			pl.offer = edit{at: int(line.Start), out: int(line.End - line.Start)}
		case name == "x-clickhouse-user":
			a.User, out = string(value), s.gatewayLogin || s.hasUser
		case name == "x-clickhouse-key":
			out = s.gatewayLogin
		case name == "x-clickhouse-database":
			a.Database, out = string(value), s.hasDatabase
		case name == "x-clickhouse-quota", name == "x-clickhouse-format", name == "x-clickhouse-timezone", name == "x-clickhouse-progress":
		case strings.HasPrefix(name, "x-clickhouse-"), f.Known == head.MethodOverride, f.Known == head.Rewrite:
			a.More = true
		}
		if out {
			line := f.Line(p)
			pl.edits = append(pl.edits, edit{at: int(line.Start), out: int(line.End - line.Start)})
		}
	}
	if s.hasUser && !s.gatewayLogin {
		return "the credential names a user and has no password"
	}
	return ""
}

// boundaryOf reads the boundary of a form from the parameters of its media type, empty where servers could read another one.
func boundaryOf(parameters string) (boundary string) {
	for _, part := range strings.Split(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		if strings.Trim(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+=/':") != "" {
			return ""
		}
		if strings.EqualFold(name, "boundary") {
			if boundary != "" {
				return ""
			}
			boundary = value
		}
	}
	return boundary
}

func basicUser(value []byte) (string, bool) {
	scheme, rest, _ := strings.Cut(string(value), " ")
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	user, _, ok := bytes.Cut(b, []byte(":"))
	return string(user), strings.EqualFold(scheme, "basic") && err == nil && ok
}

// parameters reads the query of the URL.
func (s *Session) parameters(p []byte) (wrong string) {
	r, pl := &s.request, &s.plan
	for at := int(r.Query.Start); at < int(r.Query.End); {
		end := at
		for end < int(r.Query.End) && p[end] != '&' {
			end++
		}
		next := min(end+1, int(r.Query.End))
		name, value, _ := bytes.Cut(p[at:end], []byte("="))
		n, ok1 := unescape(name)
		v, ok2 := unescape(value)
		if !ok1 || !ok2 {
			return "a parameter of the URL is not well formed"
		}
		if len(n) > 0 {
			out, wrong := s.parameter(string(n), v, pl.seen)
			if wrong != "" {
				return wrong
			}
			if out {
				pl.edits = append(pl.edits, edit{at: at, out: next - at})
			}
		}
		at = next
	}
	return ""
}

// parameter takes a parameter of the URL or of a form. out: it must not go on.
func (s *Session) parameter(name string, value []byte, seen map[string]bool) (out bool, wrong string) {
	pl := &s.plan
	a := &pl.about
	lower := strings.ToLower(name)
	setting := true
	switch lower {
	case "query", "user", "password", "database", "session_id", "decompress":
		setting = false
	default:
		setting = !words[lower] && !strings.HasPrefix(lower, "param_")
	}
	// Servers compare some names without regard to case, and take the first or the last of two.
	if !setting && lower != name && !strings.HasPrefix(lower, "param_") {
		return false, "the parameter " + lower + " is not written in lower case"
	}
	if seen[lower] && (!setting || strings.HasPrefix(lower, "param_")) {
		return false, "the parameter " + lower + " is there more than once"
	}
	seen[lower] = true
	switch {
	case lower == "query":
		pl.query = value
	case lower == "user":
		a.User, out = string(value), s.gatewayLogin || s.hasUser
	case lower == "password":
		out = s.gatewayLogin
	case lower == "database":
		a.Database, out = string(value), s.hasDatabase
	case lower == "session_id":
		a.ChangedUnknown = true
	case lower == "decompress":
		pl.frames = pl.frames || string(value) != "0"
	case strings.HasPrefix(lower, "param_"):
		a.Params = append(a.Params, name[len("param_"):]+"="+string(value))
	case words[lower]:
	case strings.HasSuffix(lower, "_structure"), strings.HasSuffix(lower, "_types"), strings.HasSuffix(lower, "_format") && pl.form:
		pl.tables = append(pl.tables, name+"="+string(value))
		if strings.HasSuffix(lower, "_format") && strings.EqualFold(string(value), "values") {
			a.More = true // the server evaluates expressions in such a table
		}
	default:
		a.Set(name, string(value))
	}
	return out, ""
}

// unescape decodes a name or a value of a query.
func unescape(p []byte) ([]byte, bool) {
	b := make([]byte, 0, len(p))
	for i := 0; i < len(p); i++ {
		switch c := p[i]; c {
		case '+':
			b = append(b, ' ')
		case '%':
			if i+2 >= len(p) || digit(p[i+1]) < 0 || digit(p[i+2]) < 0 {
				return nil, false
			}
			b = append(b, byte(digit(p[i+1])<<4|digit(p[i+2])))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return b, bytes.IndexByte(b, 0) < 0
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// escape writes a value into a query.
func escape(v string) string {
	const hex = "0123456789ABCDEF"
	var b []byte
	for i := range len(v) {
		if c := v[i]; 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.' {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}
