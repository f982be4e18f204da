package abi

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"
)

// AppendManifest appends m as JSON, as sallyport_describe gives it. It writes what encoding/json would, without the reflection
// that would make every guest larger.
func AppendManifest(b []byte, m *Manifest) []byte {
	w := jsonWriter{append(b, '{')}
	w.str("name", m.Name)
	w.str("version", m.Version)
	w.optional("doc", m.Doc)
	w.list("families", len(m.Families), func(i int) { w.family(&m.Families[i]) })
	if len(m.Options) > 0 {
		w.list("options", len(m.Options), func(i int) { w.option(&m.Options[i]) })
	}
	if len(m.Stock) > 0 {
		w.list("stock", len(m.Stock), func(i int) {
			w.str("name", m.Stock[i].Name)
			w.str("bytes", base64.StdEncoding.EncodeToString(m.Stock[i].Bytes))
		})
	}
	if len(m.Companions) > 0 {
		w.list("companions", len(m.Companions), func(i int) { w.str("name", m.Companions[i].Name) })
	}
	if len(m.Slots) > 0 {
		w.list("slots", len(m.Slots), func(i int) {
			w.str("name", m.Slots[i].Name)
			w.str("form", m.Slots[i].Form)
			w.str("doc", m.Slots[i].Doc)
		})
	}
	if len(m.Attributes) > 0 {
		w.list("attributes", len(m.Attributes), func(i int) {
			w.str("name", m.Attributes[i].Name)
			w.str("doc", m.Attributes[i].Doc)
		})
	}
	if m.TLS != nil {
		w.member("tls")
		w.b = append(w.b, '{')
		w.strings("protocols", m.TLS.Protocols)
		w.member("first")
		w.b = strconv.AppendBool(w.b, m.TLS.First)
		w.b = append(w.b, '}')
	}
	w.optional("transport", m.Transport)
	return append(w.b, '}')
}

func (w *jsonWriter) family(f *Family) {
	w.str("name", f.Name)
	w.optional("doc", f.Doc)
	w.list("fields", len(f.Fields), func(i int) {
		d := &f.Fields[i]
		w.str("name", d.Name)
		w.str("type", string(d.Type))
		w.optional("role", string(d.Role))
		w.values(d.Values)
		w.str("doc", d.Doc)
	})
}

func (w *jsonWriter) option(o *Option) {
	w.str("name", o.Name)
	w.str("type", string(o.Type))
	w.values(o.Values)
	if o.Min != 0 {
		w.member("min")
		w.b = strconv.AppendInt(w.b, o.Min, 10)
	}
	if o.Max != 0 {
		w.member("max")
		w.b = strconv.AppendInt(w.b, o.Max, 10)
	}
	w.member("default")
	switch v := o.Default.(type) {
	case bool:
		w.b = strconv.AppendBool(w.b, v)
	case int:
		w.b = strconv.AppendInt(w.b, int64(v), 10)
	case int64:
		w.b = strconv.AppendInt(w.b, v, 10)
	case string:
		w.text(v)
	default: // of no type that an option has: the host says so
		w.b = append(w.b, "null"...)
	}
	w.str("doc", o.Doc)
}

// jsonWriter writes members of objects.
type jsonWriter struct{ b []byte }

func (w *jsonWriter) member(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.text(name)
	w.b = append(w.b, ':')
}

func (w *jsonWriter) str(name, value string) {
	w.member(name)
	w.text(value)
}

func (w *jsonWriter) optional(name, value string) {
	if value != "" {
		w.str(name, value)
	}
}

// list writes an array of n objects.
func (w *jsonWriter) list(name string, n int, object func(i int)) {
	w.member(name)
	w.b = append(w.b, '[')
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, '{')
		object(i)
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
}

func (w *jsonWriter) values(values []string) {
	if len(values) > 0 {
		w.strings("values", values)
	}
}

func (w *jsonWriter) strings(name string, values []string) {
	w.member(name)
	if len(values) == 0 {
		w.b = append(w.b, "[]"...)
		return
	}
	for i, v := range values {
		w.b = append(w.b, "[,"[min(i, 1)])
		w.text(v)
	}
	w.b = append(w.b, ']')
}

// text writes a string (RFC 8259, section 7).
func (w *jsonWriter) text(s string) {
	const hex = "0123456789abcdef"
	w.b = append(w.b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.b = append(w.b, '\\', byte(r))
		case r < 0x20:
			w.b = append(w.b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			w.b = utf8.AppendRune(w.b, r)
		}
	}
	w.b = append(w.b, '"')
}
