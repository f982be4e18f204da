package judge

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Subject is what a judge is shown: an action, and whose it is. It holds copies.
type Subject struct {
	Peer, Profile, Endpoint string
	Family, Class, Title    string
	Streaming               bool
	Fields                  []Field
	// About is the action that this is the answer to, where a judge is asked about what came back (family response); else nil.
	About *Subject
}

// Field is one field of the action. Value is a bool, an int64, a string or a []string, and nil where it is not known.
type Field struct {
	Name  string
	Value any
}

// SubjectOf copies an action.
func SubjectOf(peer, profile, endpoint string, a *abi.Action, streaming bool) *Subject {
	s := &Subject{Peer: peer, Profile: profile, Endpoint: endpoint, Family: a.Family.Name, Class: a.Class.String(), Title: a.Title, Streaming: streaming}
	for i := range a.Values {
		f, v := Field{Name: a.Family.Fields[i].Name}, &a.Values[i]
		switch t := a.Family.Fields[i].Type; {
		case !v.Known:
		case t == abi.TypeBool:
			f.Value = v.Bool
		case t == abi.TypeInt:
			f.Value = v.Int
		case t == abi.TypeString:
			f.Value = v.Str
		default:
			f.Value = append([]string{}, v.List...)
		}
		s.Fields = append(s.Fields, f)
	}
	return s
}

// Size is how much of it the agent wrote, or the upstream, in bytes.
func (s *Subject) Size() int {
	n := len(s.Title)
	for _, f := range s.Fields {
		switch v := f.Value.(type) {
		case string:
			n += len(v)
		case []string:
			for _, e := range v {
				n += len(e)
			}
		}
	}
	if s.About != nil {
		n += s.About.Size()
	}
	return n
}

// text is the subject as it is digested: no two different ones have the same.
func (s *Subject) text() string {
	b := fmt.Appendf(nil, "%q %q %q %q %q %q %t", s.Peer, s.Profile, s.Endpoint, s.Family, s.Class, s.Title, s.Streaming)
	for _, f := range s.Fields {
		b = fmt.Appendf(b, " %q %T %q", f.Name, f.Value, fmt.Sprintf("%q", f.Value))
	}
	if s.About != nil {
		b = append(append(b, " about "...), s.About.text()...)
	}
	return string(b)
}

// JSON is the subject as programs are shown it: fields by name, and the names of those that are not known. What is not UTF-8 becomes
// U+FFFD. Of an answer, "action" is the action that it answers, in the same form.
func (s *Subject) JSON() ([]byte, error) {
	b, err := json.Marshal(s.object())
	if err != nil {
		return nil, fmt.Errorf("write an action for a judge: %w", err)
	}
	return b, nil
}

func (s *Subject) object() map[string]any {
	fields, unknown := map[string]any{}, []string{}
	for _, f := range s.Fields {
		if f.Value == nil {
			unknown = append(unknown, f.Name)
		} else {
			fields[f.Name] = f.Value
		}
	}
	o := map[string]any{"version": 1, "peer": s.Peer, "profile": s.Profile, "endpoint": s.Endpoint, "family": s.Family,
		"class": s.Class, "title": s.Title, "streaming": s.Streaming, "fields": fields, "unknown": unknown}
	if s.About != nil {
		o["action"] = s.About.object()
	}
	return o
}

// Asker asks a model or a program. An error means that there is no answer; the tokens of the Answer count in any case. It returns
// soon after ctx has ended.
type Asker interface {
	Ask(ctx context.Context, s *Subject) (Answer, error)
}
