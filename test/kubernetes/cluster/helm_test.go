package cluster

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// chart is a small one.
var chart = map[string]string{
	"Chart.yaml":  "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
	"values.yaml": "image: x:1\n",
	"templates/shop.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data: {image: {{ .Values.image | quote }}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: c, image: {{ .Values.image | quote }}}]}
`,
}

// helm: a release is installed, upgraded, looked at and rolled back under the rules that the manual has for it; what it deletes waits; and no other Secret is to be had that way.
func helm(ctx context.Context, t *testing.T, w *world) {
	for name, text := range chart {
		file := filepath.Join(w.dir, "shop", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args string) (string, error) {
		out, err := w.agent(ctx, nil, append([]string{w.cluster.helm}, strings.Fields(args)...)...).CombinedOutput()
		return string(out), err
	}
	image := func(want string) {
		t.Helper()
		for _, path := range []string{"deployment/sale {.spec.template.spec.containers[0].image}", "configmap/sale-settings {.data.image}"} {
			what, field, _ := strings.Cut(path, " ")
			if got := w.admin(ctx, t, "", "get", what, "-o", "jsonpath="+field); got != want {
				t.Errorf("%s has %s, want %s", what, got, want)
			}
		}
	}
	for _, c := range []struct{ args, out, image string }{
		{"install sale ./shop", "STATUS: deployed", "x:1"},
		{"list", "sale", "x:1"},
		{"upgrade sale ./shop --set image=x:2", "has been upgraded", "x:2"},
		{"history sale", "superseded", "x:2"},
		{"get values sale", "image: x:2", "x:2"},
		{"rollback sale 1", "Rollback was a success", "x:1"},
		{"status sale", "REVISION: 3", "x:1"},
	} {
		if out, err := run(c.args); err != nil || !strings.Contains(out, c.out) {
			t.Errorf("helm %s: %v\n%s", c.args, err, out)
		}
		image(c.image)
	}
	if out := w.admin(ctx, t, "", "get", "secrets", "-o", "jsonpath={.items[*].type}"); strings.Count(out, "helm.sh/release.v1") != 3 {
		t.Errorf("the cluster has Secrets of the types %s", out)
	}
	if out, err := w.kubectl(ctx, t, "", "get", "secrets", "-l", "owner!=helm"); err == nil || !strings.Contains(out, "Secrets are not shown") {
		t.Errorf("other Secrets: %v\n%s", err, out)
	}
	// An uninstall deletes, one thing after the other. Its time-out is about hooks and --wait, not about an answer that takes long.
	done := make(chan string, 1)
	go func() {
		out, _ := run("uninstall sale --keep-history --timeout=1s")
		done <- out
	}()
	for range 2 {
		h := w.next(ctx, t, "open", done)
		if h.Title != "delete deployment sale in namespace web" && h.Title != "delete configmap sale-settings in namespace web" {
			t.Errorf("it is held as %q", h.Title)
		}
		time.Sleep(2 * time.Second)
		w.decide(ctx, t, "approve", h)
	}
	if out := <-done; !strings.Contains(out, `release "sale" uninstalled`) {
		t.Errorf("helm uninstall prints %s", out)
	}
}
