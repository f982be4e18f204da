package facts

import (
	"bytes"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/http/head"
)

// What is kept of the headers of a request makes the same action of the next one as taking them anew.
func TestKeptHeadersMakeTheSameAction(t *testing.T) {
	var reused Action
	for i, turn := range []struct {
		block                     uint32
		method, path, query, kind string
		tls                       bool
	}{
		{1, "GET", "/a", "", "", false},
		{1, "GET", "/other", "x=y&b=c", "", false},
		{1, "POST", "/other", "_method=DELETE&more=of+it", "", false},
		{1, "GET", "/a/../b%2f", "", "", false},
		{1, "GET", "/", "", "", true},
		{1, "DELETE", "/\xff", "q", "", true},
		{2, "PUT", "/typed", "", "text/plain", true},
		{2, "PUT", "/typed/too", "", "text/plain", true},
		{1, "GET", "/a", "", "", false},
		{1, "GET", "/a", "%5fmethod=PUT", "", false},
		{1, "GET", "/a", "", "", false},
	} {
		take := func(a *Action) {
			a.Begin()
			a.Header(head.Host, []byte("Host"), []byte("A.example"))
			if turn.kind != "" {
				a.Header(head.ContentType, []byte("Content-Type"), []byte(turn.kind))
			}
			a.Keep(turn.block)
		}
		ask := func(a *Action) []byte {
			r := Request{Method: []byte(turn.method), Authority: []byte("A.example"), Path: []byte(turn.path), Query: []byte(turn.query), Version: "1.1",
				TLS: turn.tls, Body: Body{Known: true}}
			a.Ask(nil, &r, &Raise{})
			return append(bytes.Clone(a.front[:a.size]), a.fields[a.start():a.used]...)
		}
		var fresh Action
		take(&fresh)
		if !reused.Again(turn.block) {
			take(&reused)
		}
		if got, want := ask(&reused), ask(&fresh); !bytes.Equal(got, want) || reused.Class != fresh.Class {
			t.Errorf("turn %d:\n%q, but with headers taken anew\n%q", i, got, want)
		}
	}
}
