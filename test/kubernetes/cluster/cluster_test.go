// Package cluster drives real kubectl and helm under `sallyport run` against a real API server: etcd, kube-apiserver, and in place of a node's kubelet a program that serves logs, exec, attach and
// port-forward as one does. Its programs take minutes to build, so `make test-kubernetes` runs this and `make test` does not.
package cluster

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// policy is what an agent may do in these tests: the baseline, all changes in namespace web but deletes, commands in pod foo, and what the manual says about helm.
const policy = `
packs = ["baseline"]

[plugins]
kubernetes = "builtin"

[[credential]]
name = "token"
bearer = "env:CLUSTER_TOKEN"

[[credential]]
name = "certificate"
client_cert = %[3]q
client_key = "file:%[4]s"

[[credential]]
name = "exec"
bearer = "exec-credential:%[5]s"

[[endpoint]]
name = "cluster"
address = %[1]q
plugin = "kubernetes"
tls = "verify-full"
ca = %[2]q
profiles = { agents = "token" }

[[endpoint]]
name = "by-certificate"
address = %[1]q
plugin = "kubernetes"
tls = "verify-full"
ca = %[2]q
profiles = { agents = "certificate" }

[[endpoint]]
name = "by-exec"
address = %[1]q
plugin = "kubernetes"
tls = "verify-full"
ca = %[2]q
profiles = { agents = "exec" }

[[override]]
rule = "baseline/write"
unless = 'k8s.namespace == "web"'

[[rule]]
name = "changes in web"
when = 'action.class == "write" && k8s.namespace == "web"'
then = "allow"

[[override]]
rule = "baseline/no execute"
unless = 'k8s.namespace == "web" && k8s.name == "foo"'

[[rule]]
name = "commands in foo"
when = 'action.class == "execute" && k8s.namespace == "web" && k8s.name == "foo"'
then = "allow"

`

// world is a cluster behind a gateway.
type world struct {
	*cluster
	g    *rig.Gateway
	dir  string // the agent's
	file string // its kubeconfig

	others []string // peers for programs that run at the same time as another: one tunnel serves one of them
}

func TestCluster(t *testing.T) {
	p := find(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	c := start(ctx, t, p)
	c.pod(ctx, t, "foo", "node")
	w := serve(ctx, t, c)
	for _, s := range []struct {
		name string
		run  func(context.Context, *testing.T, *world)
	}{
		{"credentials", credentials}, {"commands", commands}, {"refused", refused}, {"held", held}, {"streams", streams}, {"exec", execs}, {"copy", copies}, {"forward", forwards}, {"helm", helm},
	} {
		t.Run(s.name, func(t *testing.T) { s.run(ctx, t, w) })
	}
	for _, secret := range []string{oneToken, execToken} {
		if strings.Contains(w.g.Receipts()+w.g.Log(), secret) {
			t.Error("the record or the log has a credential")
		}
	}
}

// serve has a gateway before a cluster until the test is over.
func serve(ctx context.Context, t *testing.T, c *cluster) *world {
	t.Helper()
	w := &world{cluster: c, dir: t.TempDir()}
	binary, err := rig.Build(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	plugin := filepath.Join(t.TempDir(), "credentials")
	text := "#!/bin/sh\n" + `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"` + execToken + `"}}'` + "\n"
	if err := os.WriteFile(plugin, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	if w.g, err = rig.New(ctx, binary, t.TempDir(), fmt.Sprintf(policy, c.address, c.ca, c.certificate, c.key, plugin)+manual(t)); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		peer, err := w.g.AddPeer(ctx, fmt.Sprintf("agent-%d", i+2), "agents")
		if err != nil {
			t.Fatal(err)
		}
		w.others = append(w.others, peer)
	}
	w.g.Env = append(w.g.Env, "CLUSTER_TOKEN="+oneToken, "HOME="+w.dir)
	if err := w.g.Serve(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.g.Stop(); err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the gateway logged:\n%s", w.g.Log())
		}
	})
	config, err := w.g.Command(ctx, "kubeconfig", "cluster", "by-certificate", "by-exec", "--config", w.g.Config, "--namespace", "web").Output()
	if err != nil {
		t.Fatal(err)
	}
	w.file = filepath.Join(w.dir, "agent.kubeconfig")
	if err := os.WriteFile(w.file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// manual is what docs/kubernetes.md has for helm: an exception and a rule.
func manual(t *testing.T) string {
	t.Helper()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(root, "docs/kubernetes.md"))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	_, text, found := strings.Cut(string(b), "keeps its releases in Secrets:\n")
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "    ") {
			break
		}
		out.WriteString(strings.TrimPrefix(line, "    "))
	}
	if !found || !strings.Contains(out.String(), "[[rule]]") {
		t.Fatal("docs/kubernetes.md says nothing of helm")
	}
	return out.String()
}

// agent is a program under `sallyport run`, with the agent's kubeconfig.
func (w *world) agent(ctx context.Context, env []string, program ...string) *exec.Cmd {
	c := w.g.Agent(ctx, program...)
	c.Dir = w.dir
	c.Env = append(append(c.Env, "KUBECONFIG="+w.file), env...)
	return c
}

// kubectl runs it as the agent and returns what it prints.
func (w *world) kubectl(ctx context.Context, t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	c := w.agent(ctx, nil, append([]string{w.cluster.kubectl}, args...)...)
	if input != "" {
		c.Stdin = strings.NewReader(input)
	}
	out, err := c.CombinedOutput()
	if s := string(out); strings.Contains(s, oneToken) || strings.Contains(s, execToken) {
		t.Errorf("kubectl %q prints a credential:\n%s", args, s)
	}
	return string(out), err
}

// has runs kubectl as the agent, which must do well and print a text.
func (w *world) has(ctx context.Context, t *testing.T, want, input string, args ...string) string {
	t.Helper()
	out, err := w.kubectl(ctx, t, input, args...)
	if err != nil || !strings.Contains(out, want) {
		t.Errorf("kubectl %q prints %s\nwant %q (%v)", args, out, want, err)
	}
	return out
}

// credentials: the API server knows who the gateway is by a token, a certificate, or the output of a credential plugin.
func credentials(ctx context.Context, t *testing.T, w *world) {
	for endpoint, who := range map[string]string{"cluster": "gateway-token", "by-certificate": "gateway-certificate", "by-exec": "gateway-exec"} {
		if out := w.has(ctx, t, "", "", "--context", endpoint, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"); out != who {
			t.Errorf("at %s the gateway is %q, want %s", endpoint, out, who)
		}
	}
	// What an agent brings along counts for nothing, not even an administrator's token.
	if out := w.has(ctx, t, "", "", "--token", adminToken, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"); out != "gateway-token" {
		t.Errorf("an agent with a token of its own is %q", out)
	}
}

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "x:1"}]}
`

// commands: what changes something, and what looks.
func commands(ctx context.Context, t *testing.T, w *world) {
	file := filepath.Join(w.dir, "deployment.yaml")
	if err := os.WriteFile(file, []byte(deployment), 0o600); err != nil {
		t.Fatal(err)
	}
	editor := filepath.Join(w.dir, "editor")
	if err := os.WriteFile(editor, []byte("#!/bin/sh\nexec sed -i 's/^  replicas: .*/  replicas: 6/' \"$1\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	replicas := func(want int) {
		t.Helper()
		if got := w.admin(ctx, t, "", "get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"); got != strconv.Itoa(want) {
			t.Errorf("the cluster has %s replicas, want %d", got, want)
		}
	}
	w.has(ctx, t, "deployment.apps/web created", "", "apply", "-f", file)
	w.has(ctx, t, "unchanged", "", "apply", "-f", file)
	w.has(ctx, t, "configured", strings.Replace(deployment, "replicas: 1", "replicas: 2", 1), "apply", "-f", "-")
	replicas(2)
	w.has(ctx, t, "serverside-applied", strings.Replace(deployment, "replicas: 1", "replicas: 3", 1), "apply", "--server-side", "--force-conflicts", "-f", "-")
	replicas(3)
	w.has(ctx, t, "configmap/settings created", "", "create", "configmap", "settings", "--from-literal=a=b")
	w.has(ctx, t, "patched", "", "patch", "deployment", "web", "-p", `{"spec":{"replicas":4}}`)
	replicas(4)
	w.has(ctx, t, "scaled", "", "scale", "deployment", "web", "--replicas=5")
	replicas(5)
	c := w.agent(ctx, []string{"KUBE_EDITOR=" + editor}, w.cluster.kubectl, "edit", "deployment", "web")
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "edited") {
		t.Errorf("kubectl edit: %v\n%s", err, out)
	}
	replicas(6)
	w.has(ctx, t, "restarted", "", "rollout", "restart", "deployment", "web")
	// The controller that makes replica sets is not here: the revisions are made by hand.
	uid := w.admin(ctx, t, "", "get", "deployment", "web", "-o", "jsonpath={.metadata.uid}")
	for revision := range 2 {
		w.admin(ctx, t, fmt.Sprintf(`{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"web-%[1]d","labels":{"app":"web"},"annotations":{"deployment.kubernetes.io/revision":"%[1]d"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment",`+
			`"name":"web","uid":%[2]q,"controller":true}]},"spec":{"replicas":0,"selector":{"matchLabels":{"app":"web","pod-template-hash":"%[1]d"}},"template":{"metadata":{"labels":{"app":"web","pod-template-hash":"%[1]d"}},`+
			`"spec":{"containers":[{"name":"c","image":"x:r%[1]d"}]}}}}`, revision+1, uid), "create", "-f", "-")
	}
	w.admin(ctx, t, "", "annotate", "deployment", "web", "deployment.kubernetes.io/revision=2")
	w.has(ctx, t, "REVISION", "", "rollout", "history", "deployment", "web")
	w.has(ctx, t, "rolled back", "", "rollout", "undo", "deployment", "web")
	if image := w.admin(ctx, t, "", "get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); image != "x:r1" {
		t.Errorf("after the rollback it runs %s", image)
	}
	for _, c := range [][2]string{
		{"get pods", "foo"}, {"get pods -A -o wide", "foo"}, {"describe pod foo", "node"}, {"describe deployment web", "x:r1"}, {"get deployment web -o yaml", "kind: Deployment"}, {"get events", ""},
		{"auth can-i delete pods", "yes"}, {"api-resources", "deployments"}, {"explain pod.spec", "containers"}, {"version", "Server Version"}, {"get nodes", "node"},
		{"label pod foo tier=front", "labeled"}, {"annotate pod foo a=b", "annotated"}, {"set image deployment web c=x:9", "image updated"}, {"wait --for=condition=Ready pod foo --timeout=60s", "condition met"},
		{"apply --dry-run=server -f " + file, "(server dry run)"}, {"diff -f " + file, "x:1"},
	} {
		if out, err := w.kubectl(ctx, t, "", strings.Fields(c[0])...); err != nil && !strings.HasPrefix(c[0], "diff") || !strings.Contains(out, c[1]) {
			t.Errorf("kubectl %s prints %s\nwant %q (%v)", c[0], out, c[1], err)
		}
	}
}

// refused: what the baseline denies prints as what a server refuses, and nothing of it arrives.
func refused(ctx context.Context, t *testing.T, w *world) {
	w.pod(ctx, t, "bar", "node")
	w.admin(ctx, t, "", "create", "secret", "generic", "top", "--from-literal=password=hunter2")
	for _, c := range [][2]string{
		{"get secrets", "Error from server (Forbidden): secrets is forbidden: Secrets are not shown"},
		{"get secret top -o yaml", `secrets "top" is forbidden`},
		{"describe secret top", `secrets "top" is forbidden`},
		{"delete secret top", `secrets "top" is forbidden`},
		{"create token default", "is forbidden"},
		{"get pods --as=admin", "in the name of somebody else"},
		{"get --raw /api/v1/nodes/node/proxy/metrics", "is forbidden"},
		{"exec bar -- ls", "is forbidden"},
		{"port-forward pod/bar 8080:80", "is forbidden"},
		{"delete --raw /api/v1/namespaces/web/pods", "is forbidden"}, // all at once
	} {
		if out, err := w.kubectl(ctx, t, "", strings.Fields(c[0])...); err == nil || !strings.Contains(out, c[1]) || strings.Contains(out, "hunter2") || strings.Contains(out, "aHVudGVyMg") {
			t.Errorf("kubectl %s prints %s\nwant %q (%v)", c[0], out, c[1], err)
		}
	}
	w.admin(ctx, t, "", "get", "pod", "bar")
	w.admin(ctx, t, "", "get", "secret", "top")
}

// hold is what somebody is asked.
type hold struct{ ID, Digest, Title string }

// next waits for the one hold in a state.
func (w *world) next(ctx context.Context, t *testing.T, state string, done <-chan string) hold {
	t.Helper()
	for {
		out, err := w.g.Command(ctx, "holds", "list", "--json", "--state", state, "--config", w.g.Config).Output()
		var list []hold
		if err == nil && json.Unmarshal(out, &list) != nil {
			t.Fatalf("holds list prints %s", out)
		}
		if len(list) > 0 {
			return list[0]
		}
		select {
		case text := <-done:
			t.Fatalf("it ends without a question: %s", text)
		case <-ctx.Done():
			t.Fatalf("nothing is held: %v %s", err, out)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (w *world) decide(ctx context.Context, t *testing.T, what string, h hold) {
	t.Helper()
	args := []string{"holds", what, h.ID, "--config", w.g.Config}
	if what == "approve" {
		args = append(args, "--digest", h.Digest)
	}
	if out, err := w.g.Command(ctx, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// held: a delete waits for a person, longer than any time-out of kubectl's own, which has none; with the one that its user gives it ends by that.
func held(ctx context.Context, t *testing.T, w *world) {
	w.pod(ctx, t, "doomed", "")
	doomed := func() bool {
		return strings.Contains(w.admin(ctx, t, "", "get", "pods", "-o", "name"), "pod/doomed\n")
	}
	for _, what := range []string{"reject", "approve"} {
		done := make(chan string, 1)
		go func() {
			args := []string{"delete", "pod", "doomed"}
			if what == "reject" {
				args = append(args, "--timeout=1s") // for it to be gone, not for the answer
			}
			out, _ := w.kubectl(ctx, t, "", args...)
			done <- out
		}()
		h := w.next(ctx, t, "open", done)
		if h.Title != "delete pod doomed in namespace web" || !doomed() {
			t.Errorf("it is held as %q", h.Title)
		}
		time.Sleep(2 * time.Second)
		w.decide(ctx, t, what, h)
		want := `pod "doomed" deleted`
		if what == "reject" {
			want = `Error from server (Forbidden): pods "doomed" is forbidden: `
		}
		if out := <-done; !strings.Contains(out, want) || doomed() != (what == "reject") {
			t.Errorf("kubectl delete prints %q", out)
		}
	}
	// What is approved when the agent has given up is a grant: the same command passes under it, once.
	w.pod(ctx, t, "doomed", "")
	command := []string{"delete", "pod", "doomed", "--request-timeout=8s"}
	gaveUp := func() {
		t.Helper()
		if out, err := w.kubectl(ctx, t, "", command...); err == nil || !strings.Contains(out, "imeout") && !strings.Contains(out, "deadline") || !doomed() {
			t.Errorf("kubectl with a time-out of its own: %v %s", err, out)
		}
	}
	gaveUp()
	w.decide(ctx, t, "approve", w.next(ctx, t, "withdrawn", nil))
	if out, err := w.kubectl(ctx, t, "", command...); err != nil || doomed() {
		t.Errorf("under the grant: %v %s", err, out)
	}
	w.pod(ctx, t, "doomed", "")
	gaveUp()
}

// started is a program of which a test reads line after line.
type started struct {
	t     *testing.T
	name  string
	lines *bufio.Scanner
	cmd   *exec.Cmd
}

func (w *world) start(ctx context.Context, t *testing.T, peer string, args ...string) *started {
	t.Helper()
	c := w.g.Command(ctx, append([]string{"run", "--peer", peer, "--", w.cluster.kubectl, "--kubeconfig", w.file}, args...)...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
	})
	return &started{t, strings.Join(args, " "), bufio.NewScanner(out), c}
}

func (s *started) line(want string) {
	s.t.Helper()
	if !s.lines.Scan() || s.lines.Text() != want {
		s.t.Fatalf("kubectl %s: %q (%v), want %q", s.name, s.lines.Text(), s.lines.Err(), want)
	}
}

// streams: each line arrives before there is another, and a watch goes on when the gateway has read its configuration again.
func streams(ctx context.Context, t *testing.T, w *world) {
	logs := w.start(ctx, t, w.others[0], "logs", "-f", "foo")
	logs.line("line 1")
	w.log(t, "foo", "line 2\n")
	logs.line("line 2")
	watch := w.start(ctx, t, w.others[1], "get", "configmaps", "-w", "--watch-only", "-o", "name", "--field-selector", "metadata.name=late")
	// A watch says nothing until something happens: what the record has of it is that it has begun.
	for !strings.Contains(w.g.Receipts(), `watch configmap`) {
		select {
		case <-ctx.Done():
			t.Fatal("the watch does not begin")
		case <-time.After(50 * time.Millisecond):
		}
	}
	w.admin(ctx, t, "", "create", "configmap", "late", "--from-literal=n=1")
	watch.line("configmap/late")
	config, err := os.ReadFile(w.g.Config)
	if err != nil {
		t.Fatal(err)
	}
	config = append(config, "\n[[rule]]\nname = \"nothing of leases\"\nwhen = 'k8s.resource == \"leases\"'\nthen = \"deny\"\nreason = \"they are nobody's\"\n"...)
	if err := os.WriteFile(w.g.Config, config, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := w.g.Command(ctx, "reload", w.g.Config).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := w.kubectl(ctx, t, "", "get", "leases"); err == nil || !strings.Contains(out, "they are nobody's") {
		t.Errorf("the new configuration does not count: %v %s", err, out)
	}
	for i := range 3 {
		w.admin(ctx, t, "", "annotate", "configmap", "late", fmt.Sprintf("n%d=x", i))
		watch.line("configmap/late")
	}
	w.log(t, "foo", "line 3\n")
	logs.line("line 3")
}

// transports are those that kubectl has for streams of both directions.
var transports = map[string][]string{
	"websocket": {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true", "KUBECTL_PORT_FORWARD_WEBSOCKETS=true"},
	"spdy/3.1":  {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false", "KUBECTL_PORT_FORWARD_WEBSOCKETS=false"},
}

// upgrades counts what the record has of each transport.
func (w *world) upgrades() map[string]int {
	n := map[string]int{}
	for name := range transports {
		n[name] = strings.Count(w.g.Receipts(), `"upgrade":"`+name+`"`)
	}
	return n
}

// by checks that so many requests or more went by one transport since then, and none by another: kubectl tries SPDY when a WebSocket fails.
func (w *world) by(t *testing.T, name string, want int, before map[string]int) {
	t.Helper()
	for other, n := range w.upgrades() {
		if n -= before[other]; n < want && other == name || n != 0 && other != name {
			t.Errorf("%d requests by %s, want %d or more by %s alone", n, other, want, name)
		}
	}
}

// execs: commands with input, both outputs and an exit status, and attaching to what runs.
func execs(ctx context.Context, t *testing.T, w *world) {
	long := strings.Repeat("a line of input\n", 50_000)
	for name, env := range transports {
		before := w.upgrades()
		for _, c := range []struct {
			input, command string
			out, errs      string
			code           int
		}{
			{"", "exec foo -- echo hello", "hello\n", "", 0},
			{long, "exec -i foo -- md5sum", fmt.Sprintf("%x  -\n", md5.Sum([]byte(long))), "", 0},
			{"", "exec foo -- sh -c echo${IFS}oops>&2;exit${IFS}3", "", "oops\n", 3},
			{"talk\n", "attach -i foo", "this is foo\ntalk\n", "", 0},
		} {
			k := w.agent(ctx, env, append([]string{w.cluster.kubectl}, strings.Fields(c.command)...)...)
			var out, errs bytes.Buffer
			k.Stdin, k.Stdout, k.Stderr = strings.NewReader(c.input), &out, &errs
			err := k.Run()
			if out.String() != c.out || !strings.Contains(errs.String(), c.errs) || k.ProcessState.ExitCode() != c.code {
				t.Errorf("kubectl %s by %s: %v %q %q", c.command, name, err, out.String(), errs.String())
			}
		}
		w.by(t, name, 4, before)
	}
}

// copies: kubectl cp both ways, which is tar in the pod.
func copies(ctx context.Context, t *testing.T, w *world) {
	pod := t.TempDir() // this machine is the container
	data := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	if err := os.WriteFile(filepath.Join(w.dir, "data"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, env := range transports {
		before := w.upgrades()
		back := filepath.Join(w.dir, "back-"+strings.ReplaceAll(name, "/", "-"))
		for _, args := range [][]string{{"cp", "data", "foo:" + pod + "/there"}, {"cp", "foo:" + pod + "/there", back}} {
			if out, err := w.agent(ctx, env, append([]string{w.cluster.kubectl}, args...)...).CombinedOutput(); err != nil {
				t.Errorf("kubectl %q by %s: %v\n%s", args, name, err, out)
			}
		}
		w.by(t, name, 2, before)
		if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, data) {
			t.Errorf("by %s: %d bytes came back of %d (%v)", name, len(got), len(data), err)
		}
		if err := os.Remove(filepath.Join(pod, "there")); err != nil {
			t.Error(err)
		}
	}
}

// forwards: HTTP through a forwarded port, several connections at once.
func forwards(ctx context.Context, t *testing.T, w *world) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d bytes: %s\n", len(b), strings.Repeat("y", 300_000))
	}))
	defer s.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	script := `"$0" port-forward pod/foo 8080:` + port + ` > forwarding & pid=$!
trap 'kill $pid' EXIT
until grep -q Forwarding forwarding; do kill -0 $pid || exit 1; sleep 0.1; done
for n in 1 2 3; do curl -sS --data-binary @data http://127.0.0.1:8080/$n | wc -c & all="$all $!"; done
wait $all
curl -sS --data-binary @data http://127.0.0.1:8080/last | cut -c-14`
	for name, env := range transports {
		before := w.upgrades()
		_ = os.Remove(filepath.Join(w.dir, "forwarding"))
		out, err := w.agent(ctx, env, "sh", "-c", script, w.cluster.kubectl).CombinedOutput()
		if want := strings.Repeat("300016\n", 3) + "1048576 bytes:\n"; err != nil || string(out) != want {
			t.Errorf("port-forward by %s: %v\n%s", name, err, out)
		}
		w.by(t, name, 1, before)
	}
}
