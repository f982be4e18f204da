package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestPlaceholder: the secret takes the place of the placeholder in a header that carries a credential, and nowhere else.
func TestPlaceholder(t *testing.T) {
	const placeholder, real = "placeholder-1", "real-5f2e9c1b7a684d30"
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var all []string
		for name, values := range r.Header {
			for _, v := range values {
				if strings.HasPrefix(name, "X-") || name == "Authorization" || name == "Cookie" {
					all = append(all, name+": "+v)
				}
			}
		}
		slices.Sort(all)
		fmt.Fprintf(w, "%s | %s | %s", r.RequestURI, strings.Join(all, "; "), body)
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	for name, c := range map[string]struct {
		path, body string
		header     []string
		want       string
	}{
		"bearer":                {"/", "", []string{"Authorization", "Bearer " + placeholder}, "/ | Authorization: Bearer " + real + " | "},
		"alone":                 {"/", "", []string{"X-Api-Key", placeholder}, "/ | X-Api-Key: " + real + " | "},
		"of the user's own":     {"/", "", []string{"X-My-Token", "token " + placeholder}, "/ | X-My-Token: token " + real + " | "},
		"the first of two":      {"/", "", []string{"Authorization", "Bearer " + placeholder, "X-Other", "1"}, "/ | Authorization: Bearer " + real + "; X-Other: 1 | "},
		"in another header":     {"/", "", []string{"X-Note", placeholder}, "/ | X-Note: " + placeholder + " | "},
		"in a longer value":     {"/", "", []string{"Authorization", "Bearer x" + placeholder}, "/ | Authorization: Bearer x" + placeholder + " | "},
		"with something behind": {"/", "", []string{"X-Api-Key", placeholder + "-2"}, "/ | X-Api-Key: " + placeholder + "-2 | "},
		"behind two words":      {"/", "", []string{"Authorization", "a b " + placeholder}, "/ | Authorization: a b " + placeholder + " | "},
		"in a cookie":           {"/", "", []string{"Cookie", "session=" + placeholder}, "/ | Cookie: session=" + placeholder + " | "},
		"in the path and query": {"/" + placeholder + "?token=" + placeholder, "", nil, "/" + placeholder + "?token=" + placeholder + " |  | "},
		"in the body":           {"/", placeholder, []string{"Authorization", "Bearer " + placeholder}, "/ | Authorization: Bearer " + real + " | " + placeholder},
		"nowhere":               {"/", "", nil, "/ |  | "},
		"its own token":         {"/", "", []string{"Authorization", "Bearer mine"}, "/ | Authorization: Bearer mine | "},
	} {
		g := gatewayTo(t, s.Listener.Addr().String(), map[string]any{"h2c": true}, nil)
		g.has(func(f *abi.Facts) {
			f.Slots, f.Sizes = []string{"secret"}, []uint32{uint32(len(real))}
			f.Attributes = []abi.Attribute{{Name: "placeholder", Value: placeholder}}
		}, slots{secret: func(int) ([]byte, error) { return []byte(real), nil }})
		for version, agent := range agents(t) {
			for range 2 { // on one connection
				r, err := http.NewRequestWithContext(t.Context(), "POST", g.url(c.path), strings.NewReader(c.body))
				if err != nil {
					t.Fatal(err)
				}
				for i := 0; i < len(c.header); i += 2 {
					r.Header.Set(c.header[i], c.header[i+1])
				}
				if status, got := do(t, agent, r); status != 200 || got != c.want {
					t.Errorf("HTTP/%s, %s: %d %q, want %q", version, name, status, got, c.want)
				}
			}
		}
	}
}
