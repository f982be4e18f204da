package object

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/kubernetes/request"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/yaml"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/yaml/convert"
)

var update = flag.Bool("update", false, "write what comes out into the vectors")

const vectors = "testdata/bodies.txt"

func reader() *Reader {
	return &Reader{YAML: func(text []byte) ([]byte, error) {
		out := make([]byte, yaml.MaxOutput)
		n, err := convert.JSON(text, out)
		return out[:n], err
	}}
}

// summary is one line about a body.
func summary(method, path, media, body string) string {
	r := request.Read(method, path, "")
	patch := ""
	if method == "PATCH" {
		patch = PatchType(media)
	}
	o := reader().Read(&r, media, patch, []byte(body))
	s := "nothing is known"
	if o.Named {
		s = fmt.Sprintf("kind %q, name %q, namespace %q, labels %q", o.Kind, o.Name, o.Namespace, o.Labels)
	}
	if o.Whole {
		s += fmt.Sprintf("; replicas %d %v, operation %q; %q", o.Replicas, !o.Countless, o.Operation, o.Values)
	}
	if method == "DELETE" {
		dry, known := o.DryRun()
		s += fmt.Sprintf("; dry %v %v", dry, known)
	}
	return patch + " " + s
}

// TestVectors: what each body says.
func TestVectors(t *testing.T) {
	file, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	n, head := 0, ""
	for line := range strings.Lines(string(file)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "\t"):
			continue
		case strings.HasPrefix(line, `"`):
			body, err := strconv.Unquote(line)
			part := strings.SplitN(head, " ", 3)
			if err != nil || len(part) != 3 {
				t.Fatalf("%s\n%s: %v", head, line, err)
			}
			n++
			fmt.Fprintf(&out, "%s\n\t%s\n", line, strings.TrimSpace(summary(part[0], part[1], part[2], body)))
			continue
		}
		head = line
		fmt.Fprintln(&out, line)
	}
	if *update {
		if err := os.WriteFile(vectors, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, got := strings.Split(string(file), "\n"), strings.Split(out.String(), "\n")
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Errorf("%s:%d\nis   %s\nwant %s", vectors, i+1, got[i], want[i])
		}
	}
	for _, line := range got {
		if strings.HasPrefix(line, "\t") && strings.Contains(line, "hunter2") {
			t.Errorf("a secret is shown: %s", line)
		}
	}
	if len(want) != len(got) || n < 50 {
		t.Errorf("%d lines, want %d; %d bodies", len(got), len(want), n)
	}
}

// FuzzRead: nothing that a body holds does harm, and what is known of the object agrees with its values.
func FuzzRead(f *testing.F) {
	file, err := os.ReadFile(vectors)
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		if body, err := strconv.Unquote(strings.TrimRight(line, "\n")); err == nil {
			for i := range medias {
				f.Add(uint8(i), []byte(body))
			}
		}
	}
	r := request.Read("PATCH", "/apis/apps/v1/namespaces/web/deployments/web", "")
	d := reader()
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		media := medias[int(kind)%len(medias)]
		patch := PatchType(media)
		if patch == OtherPatch {
			patch = ""
		}
		o := d.Read(&r, media, patch, body)
		if !o.Whole {
			if len(o.Values) > 0 || o.Operation != "" {
				t.Errorf("%+v", o)
			}
			return
		}
		if o.Operation == request.Restart && !strings.Contains(string(body), "restartedAt") && !bytes.Contains(body, []byte(`\u`)) && media != typeApply {
			t.Errorf("a restart: %s", body)
		}
		if _, known := o.DryRun(); !known {
			t.Error("the options are not known")
		}
		for _, v := range o.Values {
			if strings.HasPrefix(v, "/metadata/managedFields/") && patch != JSONPatch {
				t.Errorf("managed fields: %s", v)
			}
		}
	})
}

var medias = []string{typeJSON, typeYAML, typeProtobuf, typeJSONPatch, typeMerge, typeStrategic, typeApply}

// TestBomb: a text that grows is refused, and so is one that is deep.
func TestBomb(t *testing.T) {
	bomb := "a0: &a0 [x]\n"
	for i := range 30 {
		bomb += fmt.Sprintf("a%d: &a%d [*a%d,*a%d,*a%d]\n", i+1, i+1, i, i, i)
	}
	r := request.Read("POST", "/api/v1/namespaces/web/pods", "")
	for name, text := range map[string]string{"aliases": bomb, "depth": strings.Repeat("[", 20_000), "depth closed": strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000),
		"flow": strings.Repeat("{a: ", 8_000), "long": strings.Repeat("a: b\n", 20_000)} {
		if o := reader().Read(&r, typeYAML, "", []byte(text)); o.Whole || o.Named {
			t.Errorf("%s is read", name)
		}
	}
}
