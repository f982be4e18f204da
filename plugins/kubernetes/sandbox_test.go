package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// manifest is a page of YAML as people write it.
var manifest = "apiVersion: apps/v1\nmetadata:\n  name: web\n  namespace: web\n  labels:\n    app.kubernetes.io/name: web\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n" + strings.Repeat(`      - name: web
        image: registry.example.com/web:1.2.3
        imagePullPolicy: IfNotPresent
        ports:
        - containerPort: 8080
          name: http
        env:
        - name: DATABASE_URL
          value: "postgres://db.example.com/web"
        resources:
          limits: {cpu: 500m, memory: 256Mi}
        readinessProbe:
          httpGet: {path: /healthz, port: http}
          periodSeconds: 10
`, 24)

// TestDenseBodies: bodies that are made to be hard cost a guest no more than it has, in the sandbox: it goes on asking, and knows the objects that are within the limits.
func TestDenseBodies(t *testing.T) {
	many := func(n int, f func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(f(i))
		}
		return b.String()
	}
	cases := map[string]struct {
		media, body string
		known       bool
	}{
		"an object":   {"application/json", `{"kind":"Pod","metadata":{"name":"foo"}}`, true},
		"names":       {"application/json", `{"data":{` + many(1500, func(i int) string { return fmt.Sprintf(`"k%d":"v",`, i) }) + `"z":1}}`, true},
		"too many":    {"application/json", `{"data":{` + many(3500, func(i int) string { return fmt.Sprintf(`"k%d":"",`, i) }) + `"z":1}}`, false},
		"long":        {"application/json", `{"data":{"a":"` + strings.Repeat("x", 35<<10) + `"}}`, true},
		"pointers":    {"application/json", strings.Repeat(`{"abcdefghij":`, 30) + "[" + many(1000, func(i int) string { return "1," }) + "1]" + strings.Repeat("}", 30), false},
		"values":      {"application/json", "[" + many(20_000, func(i int) string { return "1," }) + "1]", false},
		"depth":       {"application/json", strings.Repeat("[", 39<<10), false},
		"YAML":        {"application/yaml", "kind: Pod\n" + manifest, true},
		"deep YAML":   {"application/yaml", strings.Repeat("[", 39<<10), false},
		"flow YAML":   {"application/yaml", many(5_000, func(i int) string { return "{a: " }), false},
		"nested YAML": {"application/yaml", many(280, func(i int) string { return strings.Repeat(" ", i) + "a:\n" }), false},
		"protobuf":    {"application/vnd.kubernetes.protobuf", "k8s\x00\n\t\n\x02v1\x12\x03Pod\x12\x04" + strings.Repeat("\n\x00", 10_000), false},
	}
	testkit.Each(t, suite(t), func(t *testing.T, p *testkit.Plugin) {
		guests, _ := p.Configure(t, map[string]any{"body_limit": int64(40 << 10)})
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				g := guests()
				defer g.Close()
				list := ask(t, g, fmt.Sprintf("POST /api/v1/namespaces/web/configmaps HTTP/1.1\r\nHost: cluster\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", c.media, len(c.body), c.body))
				if !strings.Contains(list, "in namespace web") {
					t.Fatalf("nothing is asked: %.200q", list)
				}
				if known := strings.Contains(list, "/data/") || strings.Contains(list, "/kind=Pod"); known != c.known {
					t.Errorf("the object is known: %v", known)
				}
			})
		}
	})
}

// ask is what a guest says about a request on a connection that is allowed.
func ask(t *testing.T, g drygate.Guest, request string) (list string) {
	t.Helper()
	if _, _, err := g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "cluster", Peer: "agent", Profile: "dev"})); err != nil {
		t.Fatal(err)
	}
	var b []byte
	var err error
	for len(request) > 0 {
		n := min(len(request), 32<<10)
		if b, _, err = g.Data(abi.Agent, []byte(request[:n]), 0); err != nil {
			t.Fatal(err)
		}
		request = request[n:]
	}
	for i := 0; !strings.Contains(string(b), "configmap") && i < 3; i++ {
		if b, _, err = g.Event(nil); err != nil {
			t.Fatal(err)
		}
	}
	return string(b)
}
