package dialect

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/request"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestFields: the numbers of the fields are their places in the family.
func TestFields(t *testing.T) {
	m := New().Manifest()
	if f := m.Families[familyK8s]; f.Name != "k8s" || len(f.Fields) != int(fieldProblem)+1 || f.Fields[fieldCommand].Name != "command" || f.Fields[fieldDryRun].Name != "dry_run" {
		t.Errorf("%s with %d fields", f.Name, len(f.Fields))
	}
	if m.Companions[companionYAML].Name != "yaml" || m.Families[0].Name != abi.FamilyConnect {
		t.Errorf("%+v", m.Companions)
	}
	if _, err := abi.ParseManifest(abi.AppendManifest(nil, &m)); err != nil {
		t.Error(err)
	}
}

// FuzzAnswer: whatever a request and a rule are called, the answer is one JSON object that says what it should.
func FuzzAnswer(f *testing.F) {
	f.Add("GET", "/api/v1/namespaces/web/pods/foo", "no", "a rule", "r")
	f.Add("DELETE", `/apis/example.com/v1/things/a"b`, "\xff\x00\"", "\\", strings.Repeat("x", 3000))
	f.Add("POST", "/api/v1/namespaces/web/pods/foo/exec", strings.Repeat("ä", 2000), "", "")
	f.Add("GET", "/", "", "", "")
	f.Fuzz(func(t *testing.T, method, path, reason, rule, receipt string) {
		r := request.Read(method, path, "")
		b, kind := newDialect().Answer([]byte("before"), &facts.Answer{Status: 403, Title: "Forbidden", Detail: reason, Rule: rule, Receipt: receipt, About: aboutOf(&r, "")})
		var s struct {
			Kind, APIVersion, Status, Reason, Message string
			Code                                      int
			Details                                   struct{ Name, Kind string }
		}
		if err := json.Unmarshal(b[len("before"):], &s); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		if kind != "application/json" || s.Kind != "Status" || s.APIVersion != "v1" || s.Status != "Failure" || s.Code != 403 || s.Reason != "Forbidden" || s.Message == "" {
			t.Errorf("%s: %s", kind, b)
		}
		if r.Problem == "" && r.Resource != "" && (s.Details.Name != r.Name || !strings.HasPrefix(s.Details.Kind, r.Resource)) && len(path) < 1000 {
			t.Errorf("%+v of %+v", s.Details, r)
		}
	})
}

// FuzzAsk: every request becomes an action that the host takes.
func FuzzAsk(f *testing.F) {
	f.Add("GET", "/api/v1/namespaces/web/pods", "watch=true", "Impersonate-User: a", "application/json", []byte("{}"))
	f.Add("PATCH", "/apis/apps/v1/namespaces/web/deployments/web", "", "", "application/apply-patch+yaml", []byte("a: b"))
	f.Add("POST", "/api/v1/namespaces/web/pods/foo/exec", "command=ls&command=%ff", "Upgrade: x", "", []byte{})
	f.Add("\xff", "\xff", "\xff=\xff", "impersonate-extra-\xff: \xff", "\xff", []byte("\xff"))
	f.Add("POST", "/"+strings.Repeat("a", 4000), strings.Repeat("command=&", 450), "Impersonate-Extra-X: "+strings.Repeat("y", 8000), "application/json", []byte(`{"kind":"`+strings.Repeat("k", 3000)+`"}`))
	p := New()
	m := p.Manifest()
	f.Fuzz(func(t *testing.T, method, path, query, header, media string, body []byte) {
		if len(path)+len(query) > head.MaxTarget || len(method) > head.MaxMethod {
			return
		}
		d := &watched{Dialect: newDialect()}
		a := facts.Action{Dialect: d}
		a.Begin()
		name, value, _ := strings.Cut(header, ": ")
		for _, h := range [][2]string{{"content-type", media}, {name, value}} {
			if h[0] != "" {
				n, _ := head.NameOf([]byte(h[0]))
				a.Header(n, []byte(h[0]), []byte(h[1]))
			}
		}
		q := facts.Request{Method: []byte(method), Authority: []byte("cluster"), Path: []byte(path), Query: []byte(query), Version: "1.1", Length: int64(len(body)), Body: facts.Body{Known: true, Bytes: body}}
		a.Ask(&sdk.Conn{}, &q, &facts.Raise{})
		got, err := abi.ReadAction(d.encoded, &m)
		if err != nil {
			t.Fatalf("%s %s?%s: %v", method, path, query, err)
		}
		if len(d.encoded) > abi.MaxAction || got.Class != a.Class || len(got.Values) != len(m.Families[familyK8s].Fields) {
			t.Errorf("%d bytes, %s, %d fields", len(d.encoded), got.Class, len(got.Values))
		}
	})
}

// watched keeps what a Dialect says.
type watched struct {
	*Dialect
	encoded []byte
}

func (w *watched) Ask(c *sdk.Conn, r *facts.Request, h *facts.Headers) (encoded []byte, class abi.Class, about string) {
	w.encoded, class, about = w.Dialect.Ask(c, r, h)
	return w.encoded, class, about
}
