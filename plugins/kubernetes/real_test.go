package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// status is the object that an API server answers a refusal with.
type status struct {
	Kind, APIVersion, Status, Message, Reason string
	Code                                      int
	Details                                   struct {
		Name, Group, Kind string
		Causes            []struct{ Reason, Message string }
	}
}

func do(t *testing.T, c *http.Client, method, url, media, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	r.Header.Set("User-Agent", "kubectl/v1.30.0 (linux/amd64) kubernetes/0000000")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

// TestDenied: a denial is the object Status, by both versions of HTTP, and nothing of the request arrives; the benign twin does.
func TestDenied(t *testing.T) {
	arrived := make(chan string, 10)
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		arrived <- r.Method + " " + r.URL.Path + " " + string(b)
	}), func(a *abi.Action) gate.Verdict {
		if a.Class == abi.ClassDelete || a.Class == abi.ClassAdmin {
			return gate.Verdict{Outcome: abi.Deny, Reason: "not \"this\"", Rule: "baseline/delete", Receipt: "r1"}
		}
		return gate.Verdict{}
	})
	for version, c := range clients(t) {
		res, body := do(t, c, "DELETE", g.url("/apis/apps/v1/namespaces/web/deployments/web"), "application/json", `{"kind":"DeleteOptions","apiVersion":"v1"}`)
		var s status
		if err := json.Unmarshal([]byte(body), &s); err != nil {
			t.Fatalf("HTTP/%s: %v in %s", version, err, body)
		}
		if res.StatusCode != 403 || res.Header.Get("Content-Type") != "application/json" || s.Kind != "Status" || s.APIVersion != "v1" || s.Status != "Failure" || s.Reason != "Forbidden" || s.Code != 403 {
			t.Errorf("HTTP/%s: %s %s", version, res.Status, body)
		}
		if want := `deployments.apps "web" is forbidden: not "this" (rule baseline/delete, receipt r1)`; s.Message != want {
			t.Errorf("HTTP/%s: %s, want %s", version, s.Message, want)
		}
		if s.Details.Name != "web" || s.Details.Group != "apps" || s.Details.Kind != "deployments" || len(s.Details.Causes) != 2 || s.Details.Causes[1].Message != "r1" {
			t.Errorf("HTTP/%s: %+v", version, s.Details)
		}
		if res, body := do(t, c, "GET", g.url("/api/v1/namespaces/web/secrets"), "", ""); res.StatusCode != 403 || !strings.Contains(body, `"secrets is forbidden:`) {
			t.Errorf("HTTP/%s: %s %s", version, res.Status, body)
		}
		if len(arrived) > 0 {
			t.Errorf("HTTP/%s: %q arrived", version, <-arrived)
		}
		if res, body := do(t, c, "GET", g.url("/apis/apps/v1/namespaces/web/deployments/web"), "", ""); res.StatusCode != 200 {
			t.Errorf("HTTP/%s: %s %s", version, res.Status, body)
		}
		if got := <-arrived; got != "GET /apis/apps/v1/namespaces/web/deployments/web " {
			t.Errorf("HTTP/%s: %q arrived", version, got)
		}
	}
}

// TestHeld: a delete waits and reads as its client would say it, while others go on; the body arrives when it is approved. A client that waits for 100 waits no longer than it wants to.
func TestHeld(t *testing.T) {
	who := person{verdict: make(chan gate.Verdict, 1)}
	waiting := make(chan struct{}, 1)
	arrived := make(chan string, 10)
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		arrived <- r.Method + " " + r.URL.Path + " " + string(b)
	}), func(a *abi.Action) gate.Verdict {
		if a.Class != abi.ClassRead {
			waiting <- struct{}{}
			return gate.Verdict{Pending: who}
		}
		return gate.Verdict{}
	})
	for version, c := range clients(t) {
		for _, expect := range []string{"", "100-continue"} {
			done := make(chan string, 1)
			go func() {
				header := []string{}
				if expect != "" {
					header = []string{"Expect", expect}
				}
				r, err := http.NewRequestWithContext(t.Context(), "DELETE", g.url("/api/v1/namespaces/web/pods/foo"), strings.NewReader(`{"gracePeriodSeconds":0}`))
				if err != nil {
					done <- err.Error()
					return
				}
				r.Header.Set("Content-Type", "application/json")
				for i := 0; i < len(header); i += 2 {
					r.Header.Set(header[i], header[i+1])
				}
				res, err := c.Do(r)
				if err != nil {
					done <- err.Error()
					return
				}
				res.Body.Close()
				done <- res.Status
			}()
			<-waiting
			if res, _ := do(t, c, "GET", g.url("/api/v1/namespaces/web/pods/foo"), "", ""); res.StatusCode != 200 { // on another connection, or stream
				t.Errorf("HTTP/%s: %s while another waits", version, res.Status)
			}
			if got := <-arrived; !strings.HasPrefix(got, "GET ") {
				t.Errorf("HTTP/%s: %q arrived before anybody decided", version, got)
			}
			who.verdict <- gate.Verdict{}
			if got := <-done; got != "200 OK" {
				t.Errorf("HTTP/%s %s: %s", version, expect, got)
			}
			if got := <-arrived; got != `DELETE /api/v1/namespaces/web/pods/foo {"gracePeriodSeconds":0}` {
				t.Errorf("HTTP/%s %s: %q arrived", version, expect, got)
			}
		}
	}
	if !slices.Contains(g.asked(), "delete pod foo in namespace web") {
		t.Errorf("asked %q", g.asked())
	}
}

// TestWatch: what a watch sends arrives event by event.
func TestWatch(t *testing.T) {
	next := make(chan struct{})
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprintf(w, "{\"type\":\"ADDED\",\"n\":%d}\n", i)
			w.(http.Flusher).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	}), func(*abi.Action) gate.Verdict { return gate.Verdict{} })
	for version, c := range clients(t) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", g.url("/api/v1/namespaces/web/pods?watch=true"), nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(res.Body)
		for i := range 3 { // the server goes on when this one was read
			if !lines.Scan() || lines.Text() != fmt.Sprintf(`{"type":"ADDED","n":%d}`, i) {
				t.Errorf("HTTP/%s: event %d is %q: %v", version, i, lines.Text(), lines.Err())
			}
			next <- struct{}{}
		}
		res.Body.Close()
	}
	if got := g.asked(); len(got) != 2 || got[0] != "watch pods in namespace web" {
		t.Errorf("asked %q", got)
	}
}

// TestLarge: a body past the limit streams, and the object is unknown; one within it is known.
func TestLarge(t *testing.T) {
	sizes := make(chan int, 10)
	known := make(chan bool, 10)
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		sizes <- len(b)
	}), func(a *abi.Action) gate.Verdict {
		for i, f := range a.Family.Fields {
			if f.Name == "object" {
				known <- a.Values[i].Known
			}
		}
		return gate.Verdict{}
	})
	for version, c := range clients(t) {
		for _, n := range []int{100, 20 << 10, 200 << 10} {
			body := `{"kind":"ConfigMap","data":{"a":"` + strings.Repeat("x", n) + `"}}`
			if res, _ := do(t, c, "POST", g.url("/api/v1/namespaces/web/configmaps"), "application/json", body); res.StatusCode != 200 {
				t.Errorf("HTTP/%s: %s", version, res.Status)
			}
			if got := <-sizes; got != len(body) {
				t.Errorf("HTTP/%s: %d bytes arrived of %d", version, got, len(body))
			}
			if got := <-known; got != (n < 32<<10) {
				t.Errorf("HTTP/%s: of %d bytes the object is known: %v", version, n, got)
			}
		}
	}
}

// TestProxied: what goes through a proxy subresource streams both ways, at once.
func TestProxied(t *testing.T) {
	g := newGateway(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintln(w, "got", lines.Text())
			w.(http.Flusher).Flush()
		}
	}), func(*abi.Action) gate.Verdict { return gate.Verdict{} })
	for version, c := range clients(t) {
		in, out := io.Pipe()
		r, err := http.NewRequestWithContext(t.Context(), "POST", g.url("/api/v1/namespaces/web/services/web:80/proxy/talk%2Fa//b?x=1;y"), in)
		if err != nil {
			t.Fatal(err)
		}
		go func() { fmt.Fprintln(out, "one") }()
		res, err := c.Do(r)
		if err != nil {
			t.Fatalf("HTTP/%s: %v", version, err)
		}
		lines := bufio.NewScanner(res.Body)
		for i, text := range []string{"one", "two", "three"} {
			if i > 0 {
				fmt.Fprintln(out, text)
			}
			if !lines.Scan() || lines.Text() != "got "+text {
				t.Errorf("HTTP/%s: %q %v", version, lines.Text(), lines.Err())
			}
		}
		out.Close()
		res.Body.Close()
	}
	if got := g.asked(); len(got) != 2 || got[0] != "proxy POST to service web:80 in namespace web: /talk/a//b" {
		t.Errorf("asked %q", got)
	}
}
