// Package kubernetes drives the real command with real kubectl: under `sallyport run`, with the kubeconfig that `sallyport kubeconfig` prints, before an API server that speaks TLS and
// HTTP/2, to which the gateway adds a token.
package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/test/apiserver"
	"github.com/sallyport-dev/sallyport/test/rig"
)

// token is the gateway's: no agent may see it.
const token = "tok-77aa01c2f9e84b6d"

// world is a gateway before an API server, and an agent with kubectl.
type world struct {
	*rig.Gateway
	t      *testing.T
	ctx    context.Context
	server *apiserver.Server
	config string // the agent's kubeconfig
	dir    string // where it works
}

// rules let an agent look, change what is its own, and run what is harmless; deletes wait for a person.
const rules = `
[[rule]]
name = "look"
when = 'action.class in ["session", "read"]'
then = "allow"

[[rule]]
name = "change deployments"
when = 'action.class == "write" && k8s.resource in ["deployments", "configmaps"]'
then = "allow"

[[rule]]
name = "commands"
when = 'k8s.subresource == "exec" && (k8s.command == ["echo", "hello"] || k8s.command.exists(c, c == "tar" || c == "false" || c == "cat" || c == "test"))'
then = "allow"

[[rule]]
name = "into the pod"
when = 'k8s.subresource in ["attach", "portforward"] && k8s.name == "foo"'
then = "allow"

[[rule]]
name = "deletes need a person"
when = 'action.class == "delete"'
then = "hold"
reason = "a person looks at deletes"
timeout = "2m"

[[rule]]
name = "no secrets"
when = 'k8s.resource == "secrets"'
then = "deny"
reason = "Secrets are not shown"
`

func newWorld(t *testing.T) *world {
	t.Helper()
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("kubectl is not installed (scripts/deps test does that)")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, server: apiserver.New(), dir: t.TempDir()}
	w.server.Token = token
	s := httptest.NewUnstartedServer(w.server)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(w.dir, "server.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	binary, err := rig.Build(ctx, w.dir)
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(w.dir, "gateway")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	w.Gateway, err = rig.New(ctx, binary, state, fmt.Sprintf(`
[plugins]
kubernetes = "builtin"

[[credential]]
name = "cluster-agent"
bearer = "env:CLUSTER_TOKEN"

[[endpoint]]
name = "cluster"
address = "127.0.0.1:%d"
plugin = "kubernetes"
tls = "verify-full"
ca = %q
profiles = { agents = "cluster-agent" }
`, s.Listener.Addr().(*net.TCPAddr).Port, ca)+rules)
	if err != nil {
		t.Fatal(err)
	}
	w.Env = append(w.Env, "CLUSTER_TOKEN="+token)
	if err := w.Serve(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(); err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the gateway logged:\n%s\nand recorded:\n%s", w.Log(), w.Receipts())
		}
	})
	var problems bytes.Buffer
	c := w.Command(ctx, "kubeconfig", "cluster", "--config", w.Gateway.Config, "--namespace", "web")
	c.Stderr = &problems
	config, err := c.Output()
	if err != nil || bytes.Contains(config, []byte(token)) {
		t.Fatalf("%v %s\n%s", err, problems.String(), config)
	}
	w.config = filepath.Join(w.dir, "agent.kubeconfig")
	if err := os.WriteFile(w.config, config, 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// agent is a command of the agent, which has the kubeconfig in its environment.
func (w *world) agent(ctx context.Context, command ...string) *exec.Cmd {
	k := w.Agent(ctx, command...)
	if k.Env == nil {
		k.Env = os.Environ()
	}
	k.Env = append(k.Env, "KUBECONFIG="+w.config, "HOME="+w.dir)
	k.Dir = w.dir
	return k
}

// kubectl runs it, and has it show nobody the token.
func (w *world) kubectl(args ...string) (string, error) {
	w.t.Helper()
	out, err := w.agent(w.ctx, append([]string{"kubectl"}, args...)...).CombinedOutput()
	if bytes.Contains(out, []byte(token)) {
		w.t.Errorf("kubectl %q prints the token:\n%s", args, out)
	}
	return string(out), err
}

// TestKubectl tries everything in one world, because a gateway takes its time to compile the plugin: what changes its rules comes last.
func TestKubectl(t *testing.T) {
	w := newWorld(t)
	for _, part := range []struct {
		name string
		try  func(*testing.T, *world)
	}{{"requests", requests}, {"changes", changes}, {"commands", commands}, {"streams", streams}} {
		t.Run(part.name, func(t *testing.T) {
			here := *w
			here.t = t
			part.try(t, &here)
		})
	}
}

// requests are looks, changes and denials, and deletes that a person approves.
func requests(t *testing.T, w *world) {
	ctx, g, server, agent := w.ctx, w.Gateway, w.server, w.kubectl
	server.Put("/api/v1/namespaces/web/pods/bar", server.Get("/api/v1/namespaces/web/pods/foo"))
	for _, c := range []struct {
		args  string
		fails bool
		out   string
	}{
		{"get pods", false, "foo"},
		{"describe pod foo", false, "foo"},
		{"get deployment web -o yaml", false, "kind: Deployment"},
		{"patch deployment web -p {\"spec\":{\"replicas\":2}}", false, "patched"},
		{"get deployment web -o name", false, "deployment.apps/web"},
		{"scale deployment web --replicas=3", false, "scaled"},
		{"rollout restart deployment web", false, "restarted"},
		{"rollout undo deployment web", false, "rolled back"},
		{"auth can-i get pods", false, "yes"},
		{"get secrets", true, "Error from server (Forbidden): secrets is forbidden: Secrets are not shown (rule no secrets, receipt "},
		{"annotate pod foo a=b", true, `Error from server (Forbidden): pods "foo" is forbidden: `},
		{"exec foo -- ls /", true, `pods/exec "foo" is forbidden: `},
		{"exec foo -- echo hello", false, "hello"},
	} {
		if out, err := agent(strings.Fields(c.args)...); (err != nil) != c.fails || !strings.Contains(out, c.out) {
			t.Errorf("kubectl %s: %v\n%s", c.args, err, out)
		}
	}
	if strings.Contains(server.Changed(), "/pods/foo ") {
		t.Errorf("what was denied has arrived:\n%s", server.Changed())
	}
	// A delete waits until a person has approved it, under the title that a person would give it.
	done := make(chan string, 1)
	go func() {
		out, _ := agent("delete", "pod", "foo", "--wait=false")
		done <- out
	}()
	id, digest := held(ctx, t, g, "open", done)
	if strings.Contains(server.Changed(), "DELETE") {
		t.Error("the delete arrived before anybody decided")
	}
	if out, err := g.Command(ctx, "holds", "approve", id, "--digest", digest, "--config", g.Config).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out := <-done; !strings.Contains(out, `pod "foo" deleted`) || !strings.Contains(server.Changed(), "DELETE /api/v1/namespaces/web/pods/foo") {
		t.Errorf("kubectl delete prints %q, and the server got\n%s", out, server.Changed())
	}
	server.Put("/api/v1/namespaces/web/pods/foo", server.Get("/api/v1/namespaces/web/pods/bar"))
	// An agent that gives up before anybody has decided: what is approved then is a grant, under which the same command passes, once.
	again := []string{"delete", "pod", "foo", "--wait=false"}
	deleted := func() int { return strings.Count(server.Changed(), "DELETE /api/v1/namespaces/web/pods/foo") }
	before := deleted()
	gaveUp := func() {
		t.Helper()
		waits, giveUp := context.WithCancel(ctx)
		defer giveUp()
		k := w.agent(waits, append([]string{"kubectl"}, again...)...)
		k.Cancel = func() error { return k.Process.Signal(os.Interrupt) }
		done := make(chan string, 1)
		go func() {
			out, _ := k.CombinedOutput()
			done <- string(out)
		}()
		held(ctx, t, g, "open", done)
		giveUp()
		<-done
	}
	gaveUp()
	id, digest = held(ctx, t, g, "withdrawn", nil)
	if out, err := g.Command(ctx, "holds", "approve", id, "--digest", digest, "--config", g.Config).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if deleted() != before {
		t.Error("it was carried out for nobody")
	}
	if out, err := agent(again...); err != nil || deleted() != before+1 {
		t.Errorf("under the grant: %v %s", err, out)
	}
	server.Put("/api/v1/namespaces/web/pods/foo", server.Get("/api/v1/namespaces/web/pods/bar"))
	gaveUp() // a second time it waits
	if deleted() != before+1 {
		t.Error("the grant counted twice")
	}
	if n := server.Refused(); n > 0 {
		t.Errorf("%d requests arrived without the gateway's token", n)
	}
	if who := server.Who(); !slices.Contains(who, "HTTP/2.0 Bearer "+token) || slices.ContainsFunc(who, func(w string) bool { return !strings.HasSuffix(w, "Bearer "+token) }) {
		t.Errorf("requests arrived as %q", who)
	}
	if strings.Contains(g.Receipts(), token) || !strings.Contains(g.Receipts(), "delete pod foo in namespace web") {
		t.Error("the record has the token, or lacks the title")
	}
}

// held waits for the one hold in a state.
func held(ctx context.Context, t *testing.T, g *rig.Gateway, state string, done <-chan string) (id, digest string) {
	t.Helper()
	for {
		out, err := g.Command(ctx, "holds", "list", "--json", "--state", state, "--config", g.Config).Output()
		var list []struct{ ID, Digest, Title string }
		if err == nil && json.Unmarshal(out, &list) != nil {
			t.Fatalf("holds list prints %s", out)
		}
		for _, h := range list {
			if h.Title != "delete pod foo in namespace web" {
				t.Errorf("it is held as %q", h.Title)
			}
			return h.ID, h.Digest
		}
		select {
		case text := <-done:
			t.Fatalf("kubectl delete ends without a question: %s", text)
		case <-ctx.Done():
			t.Fatalf("nothing is held: %v %s", err, out)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
