// Package object reads the body of a request to an API server: an object of Kubernetes in JSON, YAML or its protobuf envelope, a patch, or the options of a DELETE. What it cannot read
// whole and in one way only it says nothing about.
package object

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/request"
)

// Kinds of patches, by their media type.
const (
	JSONPatch      = "json"
	MergePatch     = "merge"
	StrategicPatch = "strategic"
	ApplyPatch     = "apply"
	OtherPatch     = "other"
)

// PatchTypes lists them, and that there is none.
func PatchTypes() []string {
	return []string{"", JSONPatch, MergePatch, StrategicPatch, ApplyPatch, OtherPatch}
}

// Media types.
const (
	typeYAML      = "application/yaml"
	typeApply     = "application/apply-patch+yaml"
	typeProtobuf  = "application/vnd.kubernetes.protobuf"
	typeJSON      = "application/json"
	typeJSONPatch = "application/json-patch+json"
	typeMerge     = "application/merge-patch+json"
	typeStrategic = "application/strategic-merge-patch+json"
)

// PatchType is what a PATCH of this media type is.
func PatchType(media string) string {
	switch media {
	case typeJSONPatch:
		return JSONPatch
	case typeMerge:
		return MergePatch
	case typeStrategic:
		return StrategicPatch
	case typeApply:
		return ApplyPatch
	}
	return OtherPatch
}

// IsCBOR reports a media type of which bodies are not read here.
func IsCBOR(media string) bool {
	return strings.HasPrefix(media, "application/cbor") || strings.HasSuffix(media, "+cbor") || strings.HasSuffix(media, "+cbor-seq")
}

// Object is what a body says.
type Object struct {
	// Named says that Kind, Name, Namespace and Labels are known; Whole that Values, Replicas and Operation are.
	Named, Whole          bool
	Kind, Name, Namespace string
	Labels                []string // name=value
	// Values are all of them as pointer=value, but for metadata.managedFields.
	Values []string
	// Replicas is /spec/replicas; negative: there is none, or it is no number, which Countless says.
	Replicas  int64
	Countless bool
	Operation string
}

// Limits of a body that is written out.
const (
	maxValues = 2 << 10
	maxRoom   = 96 << 10
)

// Reader reads bodies. YAML turns a text of YAML into JSON; nil: YAML is not read.
type Reader struct {
	YAML   func(text []byte) ([]byte, error)
	values *facts.Values
}

// Read reads the body of a request. media is its type in lower case; patch is empty unless the request patches. What it returns is good until the next call.
func (d *Reader) Read(r *request.Request, media, patch string, body []byte) Object {
	if len(body) == 0 {
		return Object{Named: true, Whole: true, Replicas: -1}
	}
	switch {
	case patch == "" && media == typeProtobuf:
		return readProtobuf(body)
	case patch == "" && (media == typeJSON || media == ""):
		return d.json(r, patch, body)
	case patch == JSONPatch, patch == MergePatch, patch == StrategicPatch:
		return d.json(r, patch, body)
	case patch == ApplyPatch, patch == "" && media == typeYAML:
		// JSON is YAML, and read strictly it is read alike; kubectl writes that.
		if o := d.json(r, patch, body); o.Whole || d.YAML == nil {
			return o
		}
		text, err := d.YAML(body)
		if err != nil {
			return Object{}
		}
		return d.json(r, patch, text)
	}
	return Object{}
}

// json reads an object, or a patch, that is JSON.
func (d *Reader) json(r *request.Request, patch string, text []byte) Object {
	if d.values == nil {
		d.values = facts.NewValues(maxValues, maxRoom)
	}
	list, ok := d.values.Read(text)
	if !ok || !utf8.Valid(text) {
		return Object{}
	}
	if r.IsSecret() {
		for i, v := range list {
			list[i] = withheld(v, patch)
		}
	}
	o := Object{Whole: true, Replicas: -1}
	kept := list[:0]
	if patch == JSONPatch {
		o.Values = list
		o.readJSONPatch(r)
		return o
	}
	o.Named = true
	for _, v := range list {
		if strings.HasPrefix(v, "/metadata/managedFields") && (v[len("/metadata/managedFields")] == '/' || v[len("/metadata/managedFields")] == '=') {
			continue
		}
		kept = append(kept, v)
		o.take(v)
	}
	o.Values = kept
	o.Operation = operation(r, patch, kept)
	return o
}

// withheld is a value of a Secret without what is secret of it: neither rules nor records need that.
func withheld(v, patch string) string {
	const lastApplied = "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"
	name, _, _ := strings.Cut(v, "=")
	secret := strings.HasPrefix(v, "/data") || strings.HasPrefix(v, "/stringData") || name == lastApplied
	if patch == JSONPatch {
		_, rest, _ := strings.Cut(strings.TrimPrefix(name, "/"), "/")
		secret = rest == "value" || strings.HasPrefix(rest, "value/")
	}
	if !secret {
		return v
	}
	return name + "=" + Withheld
}

// Withheld stands in place of what is secret.
const Withheld = "(withheld)"

// take notes what a value says about the object as a whole.
func (o *Object) take(v string) {
	const labels = "/metadata/labels/"
	name, value, ok := strings.Cut(v, "=")
	if !ok {
		return
	}
	switch {
	case name == "/kind":
		o.Kind = value
	case name == "/metadata/name":
		o.Name = value
	case name == "/metadata/namespace":
		o.Namespace = value
	case name == "/spec/replicas":
		o.count(value)
	case strings.HasPrefix(name, labels):
		o.Labels = append(o.Labels, member(name[len(labels):])+"="+value)
	}
}

func (o *Object) count(value string) {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 {
		o.Countless = true
		return
	}
	o.Replicas = n
}

// member undoes the escapes of a pointer's last step.
func member(s string) string {
	if strings.IndexByte(s, '~') < 0 {
		return s
	}
	return strings.NewReplacer("~2", "=", "~1", "/", "~0", "~").Replace(s)
}

const restartedAt = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt="

// operation is the change that a body amounts to, if that has a name.
func operation(r *request.Request, patch string, values []string) string {
	switch {
	case r.Subresource == "scale" && (r.Verb == "patch" || r.Verb == "update"):
		return request.Scale
	case r.Subresource != "" || !workload(r) || patch != MergePatch && patch != StrategicPatch: // what an apply leaves out it takes away
		return ""
	}
	var restart, template, others int
	simple, replaced := "", false
	for _, v := range values {
		op := ""
		switch {
		case strings.HasPrefix(v, "/apiVersion="), strings.HasPrefix(v, "/kind="), strings.HasPrefix(v, "/metadata/name="), strings.HasPrefix(v, "/metadata/namespace="):
			continue
		case strings.HasPrefix(v, restartedAt):
			restart++
			continue
		case strings.HasPrefix(v, "/spec/template/"):
			template++
			replaced = replaced || v == "/spec/template/$patch=replace"
			continue
		case strings.HasPrefix(v, "/spec/replicas="):
			op = request.Scale
		case v == "/spec/paused=true":
			op = request.Pause
		case v == "/spec/paused=null", v == "/spec/paused=false":
			op = request.Resume
		}
		if others++; others > 1 || op == "" {
			return ""
		}
		simple = op
	}
	switch {
	case others == 1 && restart+template == 0:
		return simple
	case others == 0 && template == 0 && restart == 1:
		return request.Restart
	case others == 0 && replaced && patch == StrategicPatch:
		return request.Rollback
	}
	return ""
}

// workload reports what kubectl scales, restarts and rolls back.
func workload(r *request.Request) bool {
	return r.Group == "apps" && (r.Resource == "deployments" || r.Resource == "statefulsets" || r.Resource == "daemonsets" || r.Resource == "replicasets")
}

// readJSONPatch finds the patches that have a name: those of one or two operations.
func (o *Object) readJSONPatch(r *request.Request) {
	o.Countless = true // it may set them, at any place
	replaces := func(i int, path string) bool {
		at := "/" + strconv.Itoa(i)
		op, where := false, false
		for _, v := range o.Values {
			op = op || v == at+"/op=replace"
			where = where || v == at+"/path="+path
		}
		return op && where
	}
	most, simple := -1, true // operations; and nothing but op, path and value in them
	for _, v := range o.Values {
		n, rest, ok := strings.Cut(strings.TrimPrefix(v, "/"), "/")
		i, err := strconv.Atoi(n)
		if !ok || err != nil {
			simple = false
			break
		}
		most = max(most, i)
		simple = simple && (strings.HasPrefix(rest, "op=") || strings.HasPrefix(rest, "path=") || strings.HasPrefix(rest, "value=") || strings.HasPrefix(rest, "value/"))
	}
	switch {
	case r.Verb != "patch" || !simple:
	case most == 0 && replaces(0, "/spec/replicas") && (r.Subresource == "scale" || r.Subresource == "" && workload(r)):
		o.Operation = request.Scale
		for _, v := range o.Values {
			if n, ok := strings.CutPrefix(v, "/0/value="); ok {
				o.Countless = false
				o.count(n)
			}
		}
	case r.Subresource == "scale":
		o.Operation = request.Scale
	case r.Subresource == "" && workload(r) && most == 1 && replaces(0, "/spec/template") && replaces(1, "/metadata/annotations"),
		r.Subresource == "" && workload(r) && most == 0 && replaces(0, "/spec/template"):
		o.Operation = request.Rollback
	}
}

// DryRun reads the options of a DELETE, which the server takes from the body if there is one, and not from the query then. known is false when the body cannot be read.
func (o *Object) DryRun() (dry, known bool) {
	if !o.Whole {
		return false, false
	}
	all, any := true, false
	for _, v := range o.Values {
		if !strings.HasPrefix(v, "/dryRun") {
			continue
		}
		_, value, _ := strings.Cut(v, "=")
		if strings.HasPrefix(v, "/dryRun/") && value == "All" {
			any = true
		} else if strings.HasPrefix(v, "/dryRun/") || strings.HasPrefix(v, "/dryRun=") {
			all = false
		}
	}
	return any && all, true
}
