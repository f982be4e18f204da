package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKubernetesExamples: every piece of configuration in kubernetes.md is one that the command takes, once what the page leaves out is there.
func TestKubernetesExamples(t *testing.T) {
	t.Setenv("CLUSTER_TOKEN", "a-secret-of-an-example")
	list := examples(t, "kubernetes.md")
	if len(list) < 3 {
		t.Fatalf("%d examples: %q", len(list), list)
	}
	const (
		gateway  = "[gateway]\nlisten = \"127.0.0.1:0\"\naddress = \"127.0.0.1:1\"\nnetwork = \"10.89.0.0/16\"\nstate = \"state\"\npacks = [\"baseline\"]\n\n"
		approver = "[[approver]]\nname = \"ops\"\nwebhook = \"http://127.0.0.1:1\"\nsecret = \"env:CLUSTER_TOKEN\"\n\n"
		peer     = "[[peer]]\nname = \"a\"\npublic_key = \"xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\"\nprofile = \"dev\"\naddress = \"10.89.0.9\"\n\n"
		cluster  = "[[endpoint]]\nname = \"cluster\"\naddress = \"10.0.0.1:6443\"\nplugin = \"kubernetes\"\ntls = \"verify-full\"\nprofiles = { dev = \"cluster-agent\" }\n\n"
		token    = "[[credential]]\nname = \"cluster-agent\"\nbearer = \"env:CLUSTER_TOKEN\"\n\n"
	)
	dir := t.TempDir()
	for i, example := range list {
		text := gateway
		if strings.HasPrefix(example, "when = ") {
			example = "[[rule]]\nname = \"r\"\nendpoints = [\"cluster\"]\n" + example + "then = \"deny\"\nreason = \"no\"\n\n"
		}
		for part, has := range map[string]string{"[plugins]\nkubernetes = \"builtin\"\n\n": "[plugins]", approver: "[[approver]]", peer: "[[peer]]", cluster: "[[endpoint]]", token: "[[credential]]"} {
			if !strings.Contains(example, has) && (part != approver || strings.Contains(example, "then = \"hold\"")) {
				text += part
			}
		}
		file := filepath.Join(dir, fmt.Sprint(i, ".toml"))
		if err := os.WriteFile(file, []byte(text+example), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := sallyport(t, dir, "check", file); err != nil {
			t.Errorf("%v\n%s\n%s", err, out, example)
		}
	}
}

// TestKubernetesPolicy: examples/kubernetes.toml is taken, and decides as its cases say.
func TestKubernetesPolicy(t *testing.T) {
	t.Setenv("K8S_PROD_TOKEN", "a-secret-of-an-example")
	t.Setenv("K8S_STAGING_TOKEN", "a-secret-of-an-example")
	examples, err := filepath.Abs(filepath.Join(root, "examples"))
	if err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(examples, "kubernetes.toml")
	if out, err := sallyport(t, t.TempDir(), "check", policy); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := sallyport(t, t.TempDir(), "test", policy, filepath.Join(examples, "kubernetes-cases.toml")); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
