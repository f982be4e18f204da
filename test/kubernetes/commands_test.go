package kubernetes

import (
	"bufio"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// changes: what kubectl does to change things, with an object of its own. What the server has afterwards is the witness.
func changes(t *testing.T, w *world) {
	const path = "/api/v1/namespaces/web/configmaps/settings"
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(w.dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	manifest := func(value string) string {
		return write(value+".yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, labels: {app: web}}\ndata: {color: "+value+"}\n")
	}
	editor := write("edit", "#!/bin/sh\nsed -i s/green/yellow/ \"$1\"\n")
	if err := os.Chmod(editor, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, out, has string }{
		{"create -f " + manifest("red"), "configmap/settings created", `"color":"red"`},
		{"apply -f " + manifest("blue"), "configmap/settings configured", `"color":"blue"`},
		{"apply -f " + manifest("green"), "configmap/settings configured", `"color":"green"`},
		{"diff -f " + manifest("green"), "", `"color":"green"`},
		{"edit configmap settings", "configmap/settings edited", `"color":"yellow"`},
		{"apply --server-side --force-conflicts -f " + manifest("white"), "configmap/settings serverside-applied", `"color":"white"`},
		{"label configmap settings app-", "configmap/settings unlabeled", `"labels":{}`},
		{"patch configmap settings --type=json -p [{\"op\":\"replace\",\"path\":\"/data/color\",\"value\":\"black\"}]", "configmap/settings patched", `"color":"black"`},
		{"replace -f " + manifest("grey"), "configmap/settings replaced", `"color":"grey"`},
		{"apply --dry-run=server -f " + manifest("none"), "configmap/settings configured (server dry run)", `"color":"grey"`},
	} {
		k := w.agent(w.ctx, append([]string{"kubectl"}, strings.Fields(c.args)...)...)
		k.Env = append(k.Env, "KUBE_EDITOR="+editor)
		out, err := k.CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.out) || !strings.Contains(w.server.Get(path), c.has) {
			t.Errorf("kubectl %s: %v\n%s\n%s", c.args, err, out, w.server.Get(path))
		}
	}
	// What an agent may not write does not arrive, however it is sent.
	before := w.server.Changed()
	for _, args := range []string{"apply -f", "create -f", "apply --server-side -f"} {
		file := write("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: mine}\nspec: {containers: [{name: c, image: x}]}\n")
		if out, err := w.kubectl(append(strings.Fields(args), file)...); err == nil || !strings.Contains(out, "is forbidden") {
			t.Errorf("kubectl %s: %v\n%s", args, err, out)
		}
	}
	if change := strings.TrimPrefix(w.server.Changed(), before); change != "" {
		t.Errorf("what was denied has arrived: %s", change)
	}
}

// lines begins a command of the agent that goes on, and gives what it prints line by line.
func (w *world) lines(args ...string) (next func(want string), stop func()) {
	w.t.Helper()
	k := w.agent(w.ctx, append([]string{"kubectl"}, args...)...)
	out, err := k.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	var problems strings.Builder
	k.Stderr = &problems
	if err := k.Start(); err != nil {
		w.t.Fatal(err)
	}
	read := bufio.NewScanner(out)
	next = func(want string) {
		w.t.Helper()
		if !read.Scan() || read.Text() != want {
			w.t.Fatalf("kubectl %s: %q, %v, want %q; %s", args, read.Text(), read.Err(), want, problems.String())
		}
	}
	return next, func() {
		_ = k.Process.Signal(os.Interrupt)
		_, _ = io.Copy(io.Discard, out)
		_ = k.Wait()
	}
}

// streams: logs and watches come as they are made, and a watch goes on when the gateway takes another configuration up.
func streams(t *testing.T, w *world) {
	next, stop := w.lines("logs", "-f", "foo")
	next("line 1")
	w.server.Next <- struct{}{} // the server sends the second line when the first one was read
	next("line 2")
	w.server.Next <- struct{}{}
	stop()

	const pod = "/api/v1/namespaces/web/pods/"
	next, stop = w.lines("get", "pods", "-w", "-o", "name")
	next("pod/bar")
	next("pod/foo")
	w.server.Put(pod+"second", w.server.Get(pod+"foo"))
	next("pod/second")
	text, err := os.ReadFile(w.Gateway.Config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.Gateway.Config, append(text, "\n[[rule]]\nname = \"one more\"\nwhen = 'action.class == \"execute\"'\nthen = \"deny\"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := w.Command(w.ctx, "reload", w.Gateway.Config).CombinedOutput(); err != nil {
		t.Fatalf("reload: %v\n%s", err, out)
	}
	w.server.Put(pod+"third", w.server.Get(pod+"foo"))
	next("pod/third")
	stop()
	if out, err := w.kubectl("exec", "foo", "--", "echo", "hello"); err == nil || !strings.Contains(out, "is forbidden") {
		t.Errorf("the new configuration has not been taken up: %v %s", err, out)
	}
}

// commands: commands, files, attachments and ports, by WebSocket and by SPDY.
func commands(t *testing.T, w *world) {
	w.server.Root = t.TempDir()
	if err := os.MkdirAll(filepath.Join(w.server.Root, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	inside := func(name string) string { return filepath.Join(w.server.Root, "data", name) }
	content := strings.Repeat("a line of text\n", 100_000)
	if err := os.WriteFile(inside("from"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	w.server.Put("/api/v1/namespaces/web/pods/bar", w.server.Get("/api/v1/namespaces/web/pods/foo"))
	w.server.Ports = map[string]string{"80": echoing(t)}
	for name, environ := range map[string][]string{"WebSocket": nil, "SPDY": {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false", "KUBECTL_PORT_FORWARD_WEBSOCKETS=false"}} {
		t.Run(name, func(t *testing.T) {
			run := func(stdin string, command ...string) (string, error) {
				k := w.agent(w.ctx, command...)
				k.Env = append(k.Env, environ...)
				k.Stdin = strings.NewReader(stdin)
				out, err := k.CombinedOutput()
				return string(out), err
			}
			for _, c := range []struct{ args, stdin, out, fails string }{
				{"exec foo -- echo hello", "", "hello\n", ""},
				{"exec -i foo -- cat", "to the command\n", "to the command\n", ""},
				{"exec foo -- false", "", "", "exit code 1"},
				{"exec foo -- ls /", "", "", "is forbidden: "},
				{"attach -i foo", "to what runs\n", "attached\nto what runs\n", ""},
				{"attach bar", "", "", `"bar" is forbidden: `},
			} {
				out, err := run(c.stdin, append([]string{"kubectl"}, strings.Fields(c.args)...)...)
				if (err != nil) != (c.fails != "") || !strings.Contains(out, c.fails) || c.fails == "" && !strings.HasSuffix(out, c.out) {
					t.Errorf("kubectl %s: %v\n%.300s", c.args, err, out)
				}
			}
			down, up := filepath.Join(w.dir, "down-"+name), filepath.Join(w.dir, "up-"+name)
			if err := os.WriteFile(up, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := run("", "kubectl", "cp", "foo:/data/from", down); err != nil || read(t, down) != content {
				t.Errorf("kubectl cp from a pod: %v\n%.300s", err, out)
			}
			if out, err := run("", "kubectl", "cp", up, "foo:/data/to-"+name); err != nil || read(t, inside("to-"+name)) != content {
				t.Errorf("kubectl cp to a pod: %v\n%.300s", err, out)
			}
			// Both ends are on the agent's machine, in the network of the command.
			script := `kubectl port-forward pod/foo 18080:80 & forward=$!
for i in $(seq 600); do printf 'ping %s\n' "$0" | timeout 60 bash -c 'exec 3<>/dev/tcp/127.0.0.1/18080 && cat >&3 && head -n 1 <&3' 2>/dev/null && break; sleep 0.1; done
kill $forward; wait`
			if out, err := run("", "bash", "-c", script, name); !strings.Contains(out, "echo ping "+name) {
				t.Errorf("kubectl port-forward: %v\n%.300s", err, out)
			}
			if out, err := run("", "kubectl", "port-forward", "pod/bar", "18080:80"); err == nil || !strings.Contains(out, `"bar" is forbidden: `) {
				t.Errorf("a port of another pod: %v\n%.300s", err, out)
			}
		})
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// echoing is a server behind a port of a pod.
func echoing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			k, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer k.Close()
				line, err := bufio.NewReader(k).ReadString('\n')
				if err == nil {
					_, _ = io.WriteString(k, "echo "+line)
				}
			}()
		}
	}()
	return l.Addr().String()
}
