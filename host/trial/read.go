package trial

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/receipt"
)

// MaxFile bounds a file of cases, in bytes, and MaxCases how many it may have.
const (
	MaxFile  = 32 << 20
	MaxCases = 100_000
)

// ReadFile reads the actions of a file; see Parse.
func ReadFile(path string) ([]Action, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return Parse(filepath.Base(path), data)
}

// Parse reads actions. TOML has a [[case]] for each, or is one action; JSON has {"case": […]}, a list, or one object after another:
// cases or receipts, of which those that are no decisions by rules are left out. Which of both it is the name's ending says: .json and .jsonl
// are JSON. What is wrong is said with the place of the case.
func Parse(name string, data []byte) ([]Action, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("%s is larger than %d MiB", name, MaxFile>>20)
	}
	read := parseTOML
	if strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".jsonl") {
		read = parseJSON
	}
	objects, err := read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var actions []Action
	var wrong []error
	for i, object := range objects {
		where := fmt.Sprintf("%s: case %d", name, i+1)
		a, skip, err := fromObject(object)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("%s%s: %w", where, called(object), err))
		case !skip:
			if a.Where == "" {
				a.Where = where
			}
			actions = append(actions, *a)
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong[:min(len(wrong), 20)]...)
	}
	if len(actions) == 0 {
		return nil, fmt.Errorf("%s has no case; write [[case]] with endpoint, family, class and fields", name)
	}
	return actions, nil
}

func called(object map[string]any) string {
	if name, ok := object["name"].(string); ok && name != "" {
		return fmt.Sprintf(" (%q)", name)
	}
	return ""
}

func parseTOML(data []byte) ([]map[string]any, error) {
	var top map[string]any
	if _, err := toml.NewDecoder(bytes.NewReader(data)).Decode(&top); err != nil {
		var bad toml.ParseError
		if errors.As(err, &bad) {
			return nil, fmt.Errorf("line %d: %s", bad.Position.Line, bad.Message)
		}
		return nil, err
	}
	return cases(top)
}

// cases finds the objects in what a file is at its top.
func cases(top map[string]any) ([]map[string]any, error) {
	list, ok := top["case"]
	if !ok {
		return []map[string]any{top}, nil
	}
	for key := range top {
		if key != "case" {
			return nil, fmt.Errorf("%q stands beside case; it belongs into one", key)
		}
	}
	switch list := list.(type) {
	case []map[string]any:
		return limited(list)
	case []any:
		return objects(list)
	}
	return nil, errors.New("case has to be a list of tables: [[case]]")
}

func objects(list []any) ([]map[string]any, error) {
	out := make([]map[string]any, len(list))
	for i, v := range list {
		o, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("case %d is not an object", i+1)
		}
		out[i] = o
	}
	return limited(out)
}

func limited(list []map[string]any) ([]map[string]any, error) {
	if len(list) > MaxCases {
		return nil, fmt.Errorf("more than %d cases", MaxCases)
	}
	return list, nil
}

func parseJSON(data []byte) ([]map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var all []any
	for {
		var v any
		err := d.Decode(&v)
		if err == io.EOF {
			break
		}
		if err != nil {
			at := min(int(d.InputOffset()), len(data)) // the end of what was read before
			at += len(data[at:]) - len(bytes.TrimLeft(data[at:], " \t\r\n"))
			line := 1 + bytes.Count(data[:at], []byte("\n"))
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		all = append(all, v)
	}
	if len(all) == 1 {
		switch v := all[0].(type) {
		case []any:
			return objects(v)
		case map[string]any:
			return cases(v)
		}
	}
	return objects(all)
}

// The members of a case.
var members = []string{"name", "endpoint", "peer", "profile", "family", "class", "title", "streaming", "fields", "response", "usage", "judges", "outcome", "rule"}

// fromObject makes an action of an object, which is a receipt or a case. A receipt that is not a decision is skipped.
func fromObject(object map[string]any) (a *Action, skip bool, err error) {
	if _, ok := object["_hash"]; ok {
		return fromLine(object)
	}
	a = &Action{Fields: map[string]any{}}
	texts := map[string]*string{"name": &a.Name, "endpoint": &a.Endpoint, "peer": &a.Peer, "profile": &a.Profile, "family": &a.Family,
		"class": &a.Class, "title": &a.Title, "judges": &a.Judges, "outcome": &a.Outcome, "rule": &a.Rule}
	for key, value := range object {
		if to := texts[key]; to != nil {
			s, ok := value.(string)
			if !ok {
				return nil, false, fmt.Errorf("%s has to be a string", key)
			}
			*to = s
			continue
		}
		switch key {
		case "streaming":
			var ok bool
			if a.Streaming, ok = value.(bool); !ok {
				return nil, false, errors.New("streaming has to be true or false")
			}
		case "fields":
			err = readFields("fields", value, a.Fields)
		case "response":
			a.Response = map[string]any{}
			err = readFields("response", value, a.Response)
		case "usage":
			err = a.readUsage(value)
		default:
			err = fmt.Errorf("unknown key %q%s", key, hint(key, members))
		}
		if err != nil {
			return nil, false, err
		}
	}
	return a, false, a.check()
}

// fromLine reads an object that is a line of a record.
func fromLine(object map[string]any) (*Action, bool, error) {
	line, err := json.Marshal(object)
	if err != nil {
		return nil, false, err
	}
	var e receipt.Entry
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&e); err != nil {
		return nil, false, fmt.Errorf("it is not a receipt: %w", err)
	}
	e.Raw = line
	a, ok := FromReceipt(&e)
	return a, !ok || a.Outcome == "", nil
}

func readFields(key string, value any, into map[string]any) error {
	table, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%s has to be a table", key)
	}
	for name, v := range table {
		p, ok := plain(v)
		if !ok {
			return fmt.Errorf("field %q has to be a boolean, an integer, a string or a list of strings", name)
		}
		into[name] = p
	}
	return nil
}

func (a *Action) readUsage(value any) error {
	table, ok := value.(map[string]any)
	if !ok {
		return errors.New("usage has to be a table")
	}
	a.Usage = &decide.Usage{}
	into := map[string]*int64{"actions_per_minute": &a.Usage.ActionsPerMinute, "connections": &a.Usage.Connections,
		"bytes_out_per_minute": &a.Usage.BytesOutPerMinute}
	for name, v := range table {
		to := into[name]
		if to == nil {
			return fmt.Errorf("unknown usage %q%s", name, hint(name, []string{"actions_per_minute", "connections", "bytes_out_per_minute"}))
		}
		p, _ := plain(v)
		n, ok := p.(int64)
		if !ok || n < 0 {
			return fmt.Errorf("usage %s has to be an integer that is not negative", name)
		}
		*to = n
	}
	return nil
}

// check looks at what a case needs.
func (a *Action) check() error {
	for _, need := range []struct{ name, value string }{{"endpoint", a.Endpoint}, {"family", a.Family}, {"class", a.Class}} {
		if need.value == "" {
			return fmt.Errorf("it has no %s", need.name)
		}
	}
	words := []string{"allow", "judge", "hold", "deny", "would_judge", "would_hold", "would_deny"}
	if a.Response != nil {
		words = append(words, "redact", "would_redact")
	}
	if a.Outcome != "" && !slices.Contains(words, a.Outcome) {
		return fmt.Errorf("unknown outcome %q%s", a.Outcome, hint(a.Outcome, words))
	}
	if a.Judges != "" && !slices.Contains(answers, a.Judges) {
		return fmt.Errorf("unknown answer of judges %q%s", a.Judges, hint(a.Judges, answers))
	}
	return nil
}
