package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/test/apiserver"
)

// TestKubectl: real kubectl through the plugin. Discovery and reads pass, a change waits under the title that a person would give it, a denial is printed as an error of the server,
// and what streams does so line by line.
func TestKubectl(t *testing.T) {
	path, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("kubectl is not installed (scripts/deps test does that)")
	}
	s := apiserver.New()
	who := person{verdict: make(chan gate.Verdict, 1)}
	waiting := make(chan string, 1)
	g := newGateway(t, s, func(a *abi.Action) gate.Verdict {
		switch {
		case a.Class == abi.ClassDelete:
			waiting <- a.Title
			return gate.Verdict{Pending: who}
		case a.Class > abi.ClassDelete && !strings.HasSuffix(a.Title, ": echo hello"):
			return gate.Verdict{Outcome: abi.Deny, Reason: "not here", Rule: "baseline/some", Receipt: "r7"}
		}
		return gate.Verdict{}
	})
	home := t.TempDir()
	manifest := filepath.Join(home, "pod.yaml")
	if err := os.WriteFile(manifest, []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: new, labels: {app: web}}\nspec: {containers: [{name: c, image: x}]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	kubectl := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(ctx, path, append([]string{"--server", g.url(""), "--namespace", "web"}, args...)...)
		c.Env = append(os.Environ(), "HOME="+home, "KUBECONFIG="+filepath.Join(home, "none"))
		return c
	}
	for _, c := range []struct {
		args               string
		fails              bool
		out, title, change string
	}{
		{"get pods", false, "foo", "list pods in namespace web", ""},
		{"get pod foo -o name", false, "pod/foo", "get pod foo in namespace web", ""},
		{"auth can-i delete pods", false, "yes", "create a selfsubjectaccessreview", ""},
		{"scale deployment web --replicas=3", false, "scaled", "scale deployment web to 3 replicas in namespace web", "/deployments/web/scale"},
		{"rollout restart deployment web", false, "restarted", "restart deployment web in namespace web", "restartedAt"},
		{"rollout undo deployment web --to-revision=1", false, "rolled back", "replace the pod template of deployment web in namespace web, as a rollback does", `"image":"x:1"`},
		{"annotate pod foo a=b", false, "annotated", "patch pod foo in namespace web", `"a":"b"`},
		{"create -f " + manifest, false, "created", "create pod new in namespace web", `"app":"web"`},
		{"apply --server-side --force-conflicts -f " + manifest, false, "serverside-applied", "patch pod new in namespace web", `"app":"web"`},
		{"get secrets", true, `Error from server (Forbidden): secrets is forbidden: not here (rule baseline/some, receipt r7)`, "list secrets in namespace web", ""},
		{"exec foo -- ls /", true, `pods/exec "foo" is forbidden: not here (rule baseline/some, receipt r7)`, "exec in pod foo in namespace web, container c: ls /", ""},
		{"port-forward pod/foo 8080:80", true, `pods/portforward "foo" is forbidden: not here`, "forward ports to pod foo in namespace web", ""},
		{"get --raw /api/v1/namespaces/web/pods/../secrets", true, "dot segment", "GET /api/v1/namespaces/web/pods/../secrets", ""},
	} {
		before := s.Changed()
		out, err := kubectl(strings.Fields(c.args)...).CombinedOutput()
		if (err != nil) != c.fails || !strings.Contains(string(out), c.out) {
			t.Errorf("kubectl %s: %v\n%s", c.args, err, out)
		}
		if got := g.asked(); !strings.Contains("\n"+strings.Join(got, "\n")+"\n", "\n"+c.title+"\n") {
			t.Errorf("kubectl %s: asked %q", c.args, got)
		}
		if change := strings.TrimPrefix(s.Changed(), before); !strings.Contains(change, c.change) || c.fails && change != "" {
			t.Errorf("kubectl %s: arrived %q", c.args, change)
		}
	}
	// A delete waits, and nothing of it arrives before somebody has decided.
	for _, verdict := range []gate.Verdict{{Outcome: abi.Deny, Reason: "not today"}, {}} {
		done := make(chan string, 1)
		go func() {
			out, _ := kubectl("delete", "pod", "foo", "--wait=false").CombinedOutput()
			done <- string(out)
		}()
		select {
		case title := <-waiting:
			if title != "delete pod foo in namespace web" {
				t.Errorf("held as %q", title)
			}
		case out := <-done:
			t.Fatalf("kubectl delete ends without a question: %s", out)
		}
		if strings.Contains(s.Changed(), "DELETE") {
			t.Error("it arrived before anybody decided")
		}
		who.verdict <- verdict
		want := `pod "foo" deleted`
		if verdict.Outcome == abi.Deny {
			want = `Error from server (Forbidden): pods "foo" is forbidden: not today`
		}
		if out := <-done; !strings.Contains(out, want) {
			t.Errorf("kubectl delete prints %q, want %q", out, want)
		}
	}
	if !strings.Contains(s.Changed(), "DELETE /api/v1/namespaces/web/pods/foo") {
		t.Error("the delete did not arrive")
	}
	s.Put("/api/v1/namespaces/web/pods/foo", `{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"name":"c","image":"x"}]}}`)
	if text, err := kubectl("version", "--client", "-o", "json").Output(); err != nil || !webSockets(text) {
		t.Logf("exec is not tried: it takes a kubectl that speaks WebSocket (%v)", err)
	} else if out, err := kubectl("exec", "foo", "--", "echo", "hello").CombinedOutput(); err != nil || string(out) != "hello\n" {
		t.Errorf("kubectl exec: %v\n%s", err, out)
	}
	line := func() { // the server sends the next one when this one was read
		select {
		case s.Next <- struct{}{}:
		case <-ctx.Done():
			t.Fatal("the server's stream has ended")
		}
	}
	another := func(name string) func() {
		return func() { s.Put("/api/v1/namespaces/web/pods/"+name, s.Get("/api/v1/namespaces/web/pods/foo")) }
	}
	for _, c := range []struct {
		args  string
		lines []string
		next  []func()
	}{
		{"logs -f foo", []string{"line 1", "line 2"}, []func(){line, line}},
		{"get pods --watch -o name", []string{"pod/foo", "pod/new", "pod/newer", "pod/newest"}, []func(){func() {}, another("newer"), another("newest"), func() {}}},
	} {
		k := kubectl(strings.Fields(c.args)...)
		out, err := k.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for i, want := range c.lines {
			if !lines.Scan() || lines.Text() != want {
				t.Fatalf("kubectl %s: %q, %v, want %q", c.args, lines.Text(), lines.Err(), want)
			}
			c.next[i]()
		}
		_ = k.Process.Kill() // a watch begins again when it ends
		_ = k.Wait()
	}
}

// webSockets reports whether a kubectl with this version runs commands by WebSocket, as it does since 1.31.
func webSockets(version []byte) bool {
	var v struct{ ClientVersion struct{ Major, Minor string } }
	if json.Unmarshal(version, &v) != nil || v.ClientVersion.Major != "1" {
		return false
	}
	minor, err := strconv.Atoi(strings.TrimSuffix(v.ClientVersion.Minor, "+"))
	return err == nil && minor >= 31
}
