package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const clusters = `[gateway]
listen = "127.0.0.1:0"
state = "state"

[plugins]
kubernetes = "builtin"
postgres = "builtin"

[[endpoint]]
name = "k8s-prod"
address = "10.0.0.1:6443"
plugin = "kubernetes"
tls = "verify-full"
profiles = ["dev"]

[[endpoint]]
name = "k8s-test"
address = "10.0.0.2:6443"
plugin = "kubernetes"
tls = "verify-full"
profiles = ["dev"]

[[endpoint]]
name = "clear"
address = "10.0.0.3:8001"
plugin = "kubernetes"
profiles = ["dev"]

[[endpoint]]
name = "db"
address = "10.0.0.3:5432"
plugin = "postgres"
profiles = ["dev"]

[[rule]]
name = "all"
when = "true"
then = "allow"
`

// TestKubeconfig prints what kubectl reads: real kubectl says so where it is.
func TestKubeconfig(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sallyport.toml")
	if err := os.WriteFile(path, []byte(clusters), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		root := newRoot()
		root.SetOut(&out)
		root.SetErr(&errs)
		code := execute(t.Context(), root, append([]string{"kubeconfig", "-c", path}, args...))
		return code, out.String(), errs.String()
	}
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"", "ENDPOINT", exitUsage},
		{"k8s-pord", "k8s-prod", exitFailure},
		{"db", "has the plugin postgres", exitFailure},
		{"k8s-prod k8s-prod", "twice", exitUsage},
		{"k8s-prod --namespace a/b", "no name of a namespace", exitUsage},
	} {
		if code, out, errs := run(strings.Fields(c.args)...); code != c.code || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%s: %d %s%s", c.args, code, out, errs)
		}
	}
	if code, out, errs := run("clear"); code != 0 || !strings.Contains(out, "server: http://clear:8001\n") || strings.Contains(out, "authority") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	_, yaml, _ := run("k8s-prod", "k8s-test", "--namespace", "web")
	_, text, _ := run("k8s-prod", "k8s-test", "--namespace", "web", "--json")
	var k kubeconfig
	if err := json.Unmarshal([]byte(text), &k); err != nil || k.Current != "k8s-prod" || len(k.Clusters) != 2 || k.Clusters[1].Cluster.Server != "https://k8s-test:6443" ||
		!bytes.Contains(k.Clusters[0].Cluster.Authority, []byte("BEGIN CERTIFICATE")) {
		t.Errorf("%v\n%s", err, text)
	}
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("there is no kubectl here, which would read what is printed")
	}
	var seen []string
	for name, text := range map[string]string{"yaml": yaml, "json": text} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), kubectl, "config", "view", "--kubeconfig", file, "--raw", "-o", "json").Output()
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, string(out))
	}
	if seen[0] != seen[1] || !strings.Contains(seen[0], `"namespace": "web"`) || !strings.Contains(seen[0], "https://k8s-prod:6443") {
		t.Errorf("kubectl reads\n%s\nand\n%s", seen[0], seen[1])
	}
}
