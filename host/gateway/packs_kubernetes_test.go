package gateway

import (
	"fmt"
	"maps"
	"testing"

	"github.com/sallyport-dev/sallyport/host/trial"
)

// TestPacksKubernetes: what each pack makes of requests to an API server.
func TestPacksKubernetes(t *testing.T) {
	cluster := "[plugins]\nkubernetes = \"builtin\"\n\n[[endpoint]]\nname = \"cluster\"\naddress = \"cluster.internal:6443\"\nplugin = \"kubernetes\"\nprofiles = [\"dev\"]\n\n"
	w := newWorld(t, cluster)
	cfg, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	a, err := Assemble(t.Context(), cfg, Options{CacheDir: cacheDir, PolicyOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &policies{w, a}
	request := func(class, verb, resource string, fields map[string]any) *trial.Action {
		all := map[string]any{"verb": verb, "group": "", "version": "v1", "resource": resource, "subresource": "", "namespace": "web", "name": "foo", "impersonate": []string{}, "problem": ""}
		maps.Copy(all, fields)
		for name, v := range all {
			if v == nil { // unknown
				delete(all, name)
			}
		}
		return &trial.Action{Endpoint: "cluster", Peer: "alice", Family: "k8s", Class: class, Title: verb, Fields: all}
	}
	as := map[string]any{"impersonate": []string{"user=admin"}}
	sub := func(name string) map[string]any { return map[string]any{"subresource": name} }
	unknown := map[string]any{"group": nil, "version": nil, "resource": nil, "subresource": nil, "namespace": nil, "name": nil, "problem": "a segment of the path is empty"}
	plain, open := map[string]*Assembly{}, map[string]*Assembly{}
	for _, name := range []string{"baseline", "readonly"} {
		plain[name] = p.of(fmt.Sprintf("packs = [%q]", name), cluster)
	}
	// Exceptions for what a team does every day, and a rule that allows it.
	open["baseline"] = p.of("packs = [\"baseline\"]", cluster+
		"[[override]]\nrule = \"baseline/no execute\"\nunless = 'k8s.namespace == \"web\"'\nendpoints = [\"cluster\"]\n\n"+
		"[[override]]\nrule = \"baseline/no admin\"\nunless = 'true'\nendpoints = [\"cluster\"]\n\n"+
		ruleTable("everything", `true`, "allow", "endpoints = [\"cluster\"]"))
	for _, c := range []struct {
		name               string
		action             *trial.Action
		baseline, readonly string
	}{
		{"get", request("read", "get", "pods", nil), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"watch", request("read", "watch", "pods", map[string]any{"name": ""}), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"discovery", request("read", "get", "", map[string]any{"group": "apps", "namespace": "", "name": ""}), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"can-i", request("read", "create", "selfsubjectaccessreviews", map[string]any{"group": "authorization.k8s.io"}), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"create", request("write", "create", "pods", nil), "hold by baseline/write", "deny by readonly/no changes"},
		{"delete", request("delete", "delete", "pods", nil), "hold by baseline/delete", "deny by readonly/no changes"},
		{"evict", request("delete", "create", "pods", sub("eviction")), "hold by baseline/delete", "deny by readonly/no changes"},
		{"delete all", request("admin", "deletecollection", "pods", nil), "deny by baseline/no admin", "deny by readonly/no changes"},
		{"exec", request("execute", "connect", "pods", sub("exec")), "deny by baseline/no execute", "deny by readonly/no changes"},
		{"opaque", request("opaque", "get", "", unknown), "deny", "deny"},
		{"secret", request("admin", "get", "secrets", nil), "deny by baseline/secrets", "deny by readonly/no changes"},
		{"secrets", request("admin", "list", "secrets", map[string]any{"namespace": "", "name": ""}), "deny by baseline/secrets", "deny by readonly/no changes"},
		{"somebody else's secrets", request("read", "get", "secrets", map[string]any{"group": "example.com"}), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"create secret", request("write", "create", "secrets", nil), "hold by baseline/write", "deny by readonly/no changes"},
		{"token", request("admin", "create", "serviceaccounts", sub("token")), "deny by baseline/service account tokens", "deny by readonly/no changes"},
		{"service account", request("read", "get", "serviceaccounts", nil), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"node proxy", request("execute", "connect", "nodes", sub("proxy")), "deny by baseline/node proxy", "deny by readonly/no changes"},
		{"node", request("read", "get", "nodes", nil), "allow by baseline/session and read", "allow by readonly/session and read"},
		{"impersonated read", request("read", "get", "pods", as), "deny by baseline/impersonation", "deny by readonly/impersonation"},
		{"headers that are not all known", request("read", "get", "pods", map[string]any{"impersonate": nil}), "deny by baseline/impersonation", "deny by readonly/impersonation"},
	} {
		for pack, want := range map[string]string{"baseline": c.baseline, "readonly": c.readonly} {
			got := outcome(t, plain[pack], c.action)
			if got != want && !(want == "deny" && len(got) > 4 && got[:4] == "deny") {
				t.Errorf("%s, %s: %s, want %s", c.name, pack, got, want)
			}
		}
	}
	// With exceptions for what administers and runs code the worst stays denied.
	for name, c := range map[string]struct {
		action *trial.Action
		want   string
	}{
		"exec":           {request("execute", "connect", "pods", sub("exec")), "allow by everything"},
		"exec elsewhere": {request("execute", "connect", "pods", map[string]any{"subresource": "exec", "namespace": "prod"}), "deny by baseline/no execute"},
		"delete all":     {request("admin", "deletecollection", "pods", nil), "allow by everything"},
		"secret":         {request("admin", "get", "secrets", nil), "deny by baseline/secrets"},
		"patched secret": {request("admin", "patch", "secrets", nil), "deny by baseline/secrets"},
		"token":          {request("admin", "create", "serviceaccounts", sub("token")), "deny by baseline/service account tokens"},
		"node proxy":     {request("execute", "connect", "nodes", sub("proxy")), "deny by baseline/node proxy"},
		"old node proxy": {request("execute", "proxy", "nodes", nil), "deny by baseline/node proxy"},
		"in a name":      {request("execute", "connect", "pods", map[string]any{"subresource": "exec", "impersonate": []string{"group=system:masters"}}), "deny by baseline/impersonation"},
	} {
		if got := outcome(t, open["baseline"], c.action); got != c.want {
			t.Errorf("%s with exceptions: %s, want %s", name, got, c.want)
		}
	}
	// Helm's exception in docs/kubernetes.md: one override and one rule.
	condition := `(k8s.name.startsWith("sh.helm.release.v1.") || k8s.label_selector.matches("^([^()]*,)?owner=helm(,[^()]*)?$"))`
	helm := p.of("packs = [\"baseline\"]", cluster+"[[override]]\nrule = \"baseline/secrets\"\nunless = '"+condition+"'\nendpoints = [\"cluster\"]\n\n"+
		ruleTable("helm's releases", `k8s.resource == "secrets" && k8s.verb in ["get", "list"] && `+condition, "allow", "endpoints = [\"cluster\"]"))
	for _, c := range []struct{ verb, name, selector, want string }{
		{"list", "", "owner=helm", "allow by helm's releases"},
		{"list", "", "name=web,owner=helm,status=deployed", "allow by helm's releases"},
		{"get", "sh.helm.release.v1.web.v3", "", "allow by helm's releases"},
		{"list", "", "", "deny by baseline/secrets"},
		{"list", "", "owner!=helm", "deny by baseline/secrets"},
		{"list", "", "a in (b,owner=helm,c)", "deny by baseline/secrets"},
		{"get", "db", "", "deny by baseline/secrets"},
		{"patch", "db", "", "deny by baseline/secrets"},
	} {
		a := request("admin", c.verb, "secrets", map[string]any{"name": c.name, "label_selector": c.selector})
		if got := outcome(t, helm, a); got != c.want {
			t.Errorf("helm: %s %q %q: %s, want %s", c.verb, c.name, c.selector, got, c.want)
		}
	}
}

// TestRulesForManyClusters: one set of rules for 14 clusters, by a pattern, and what it stands for is shown.
func TestRulesForManyClusters(t *testing.T) {
	text := "[plugins]\nkubernetes = \"builtin\"\n\n"
	for i := range 14 {
		text += fmt.Sprintf("[[endpoint]]\nname = \"k8s-%d\"\naddress = \"10.0.0.%d:6443\"\nplugin = \"kubernetes\"\nprofiles = [\"dev\"]\n\n", i, i+1)
	}
	text += "[[endpoint]]\nname = \"other\"\naddress = \"10.0.1.1:6443\"\nplugin = \"kubernetes\"\nprofiles = [\"dev\"]\n\n"
	w := newWorld(t, text)
	cfg, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	a, err := Assemble(t.Context(), cfg, Options{CacheDir: cacheDir, PolicyOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	with := (&policies{w, a}).of("packs = [\"baseline\"]", text+ruleTable("no deletes in production", `k8s.namespace == "prod" && k8s.verb == "delete"`, "deny", "endpoints = [\"k8s-*\"]\nreason = \"no\""))
	for name, want := range map[string]string{"k8s-0": "deny by no deletes in production", "k8s-13": "deny by no deletes in production", "other": "hold by baseline/delete"} {
		action := &trial.Action{Endpoint: name, Peer: "alice", Family: "k8s", Class: "delete", Title: "t", Fields: map[string]any{"verb": "delete", "group": "", "resource": "pods", "subresource": "",
			"namespace": "prod", "name": "foo", "impersonate": []string{}}}
		if got := outcome(t, with, action); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	r := with.Rules()[0]
	if len(r.Reach) != 14 || len(r.Patterns) != 1 || r.Patterns[0].Value != "k8s-*" || len(r.Patterns[0].Matched) != 14 {
		t.Errorf("%d endpoints, patterns %+v", len(r.Reach), r.Patterns)
	}
}
