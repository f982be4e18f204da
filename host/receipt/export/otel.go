package export

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/sallyport-dev/sallyport/host/receipt"
)

// The messages of OTLP that are used, in the JSON encoding of Protocol Buffers: 64-bit integers are strings.
type (
	logsData struct {
		ResourceLogs []resourceLogs `json:"resourceLogs"`
	}
	resourceLogs struct {
		Resource  resource    `json:"resource"`
		ScopeLogs []scopeLogs `json:"scopeLogs"`
	}
	resource struct {
		Attributes []attribute `json:"attributes"`
	}
	scopeLogs struct {
		Scope      scope       `json:"scope"`
		LogRecords []logRecord `json:"logRecords"`
	}
	scope struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
	}
	logRecord struct {
		Time       string      `json:"timeUnixNano"`
		Observed   string      `json:"observedTimeUnixNano"`
		Severity   int         `json:"severityNumber"`
		SeverityIs string      `json:"severityText"`
		EventName  string      `json:"eventName"`
		Body       value       `json:"body"`
		Attributes []attribute `json:"attributes"`
	}
	attribute struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	// value has one member.
	value struct {
		String *string `json:"stringValue,omitempty"`
		Bool   *bool   `json:"boolValue,omitempty"`
		Int    *string `json:"intValue,omitempty"`
		Array  *list   `json:"arrayValue,omitempty"`
	}
	list struct {
		Values []value `json:"values"`
	}
)

// severities by how much a record matters: INFO, INFO2, WARN, ERROR.
var severities = [5]struct {
	number int
	text   string
}{1: {9, "INFO"}, 2: {10, "INFO2"}, 3: {13, "WARN"}, 4: {17, "ERROR"}}

// otel is the log record of a receipt, nil for those that are left out.
func otel(e *receipt.Entry, version string) any {
	if !about(e.Kind) {
		return nil
	}
	nano := strconv.FormatInt(at(e).UnixNano(), 10)
	severity := severities[grave(e)]
	r := logRecord{Time: nano, Observed: nano, Severity: severity.number, SeverityIs: severity.text, EventName: "sallyport." + string(e.Kind),
		Body: text(message(e)), Attributes: attributes(e)}
	service := []attribute{{"service.name", text("sallyport")}}
	if version != "" {
		service = append(service, attribute{"service.version", text(version)})
	}
	return logsData{[]resourceLogs{{resource{service}, []scopeLogs{{scope{"sallyport.receipts", version}, []logRecord{r}}}}}}
}

// decode keeps numbers as they are written.
func decode(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(into)
}

func text(s string) value { return value{String: &s} }

func number(n string) value { return value{Int: &n} }

// attributes are the members of the receipt, its fields below sallyport.fields. and a note's pairs below sallyport.note.
func attributes(e *receipt.Entry) []attribute {
	var all map[string]any
	if err := decode(e.Raw, &all); err != nil {
		return []attribute{{"sallyport.id", text(e.ID)}}
	}
	delete(all, "_hash")
	delete(all, "_prev")
	delete(all, "note")
	fields, _ := all["fields"].(map[string]any)
	delete(all, "fields")
	list := flat(nil, "sallyport.", all)
	list = flat(list, "sallyport.fields.", fields)
	for i, p := range e.Note { // a name can come twice
		list = append(list, attribute{fmt.Sprintf("sallyport.note.%d.%s", i, p[0]), text(p[1])})
	}
	slices.SortStableFunc(list, func(a, b attribute) int { return cmp.Compare(a.Key, b.Key) })
	return list
}

func flat(list []attribute, prefix string, members map[string]any) []attribute {
	for k, v := range members {
		if m, ok := v.(map[string]any); ok {
			list = flat(list, prefix+k+".", m)
			continue
		}
		list = append(list, attribute{prefix + k, valueOf(v)})
	}
	return list
}

func valueOf(v any) value {
	switch x := v.(type) {
	case string:
		return text(x)
	case bool:
		return value{Bool: &x}
	case json.Number:
		if _, err := x.Int64(); err != nil {
			return text(x.String())
		}
		return number(x.String())
	case []any:
		l := &list{Values: []value{}}
		for _, i := range x {
			l.Values = append(l.Values, valueOf(i))
		}
		return value{Array: l}
	}
	b, err := json.Marshal(v) // an object in a list
	if err != nil {
		return text("")
	}
	return text(string(b))
}
