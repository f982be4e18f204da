package dialect

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/object"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/request"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/yaml"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Dialect reads the requests of one connection.
type Dialect struct {
	out    abi.ActionWriter
	spare  []byte
	bodies object.Reader
	lost   bool // it is not known what the present request is for
	// endless: what answers it goes on until somebody ends it.
	endless bool
}

// Endless reports whether the answer to the request that was asked about last goes on until somebody ends it: a watch, a log that is followed.
func (d *Dialect) Endless() bool { return d.endless }

func newDialect() *Dialect { return &Dialect{spare: make([]byte, 0, 2<<10)} }

// Ask makes the action that a request is.
func (d *Dialect) Ask(c *sdk.Conn, q *facts.Request, h *facts.Headers) (encoded []byte, class abi.Class, about string) {
	method, path, media := string(q.Method), string(q.Path), string(h.ContentType)
	r := request.Read(method, path, string(q.Query))
	patch := ""
	if method == "PATCH" {
		patch = object.PatchType(media)
	}
	if r.Problem == "" {
		r.Problem = hidden(h)
	}
	d.lost = r.Problem != ""
	if r.Problem == "" {
		r.Problem = unreadable(q, media)
	}
	var o object.Object
	if q.Body.Known && !h.Untold && r.Problem == "" && !r.Proxies() {
		d.bodies.YAML = func(text []byte) ([]byte, error) { return yaml.JSON(c, companionYAML, text) }
		o = d.bodies.Read(&r, media, patch, q.Body.Bytes)
	}
	change := request.Change{Operation: o.Operation, Replicas: -1}
	if o.Whole && !o.Countless {
		change.Replicas = o.Replicas
	}
	if o.Named {
		change.Name = printable(o.Name)
	}
	dry, dryKnown := d.dryRun(&r, q, &o)
	change.DryRun = dry && dryKnown
	class = r.Class(method, len(q.Upgrade) > 0)
	d.endless = r.Verb == "watch" || r.Subresource == "log" && bytes.Contains(q.Query, []byte("follow"))
	if class == abi.ClassOpaque && r.Problem == "" {
		r.Problem = "this is nothing that an API server is known to have"
		if len(q.Upgrade) > 0 {
			r.Verb = request.Connect
			r.Problem = "what goes through the upgraded connection cannot be read"
		}
	}
	w := &d.out
	w.Begin(d.spare[:0], familyK8s, class, title(&r, method, path, change))
	d.place(&r, method, path, q)
	if dryKnown {
		w.Bool(fieldDryRun, dry)
	} else {
		w.Unknown(fieldDryRun)
	}
	d.body(&r, h, media, patch, &o)
	d.rest(&r, q, h)
	d.object(&o, q.Length == 0)
	encoded = w.End()
	d.spare = encoded
	return encoded, class, aboutOf(&r, change.Name)
}

// Reads reports whether a body says something to an API server: behind a proxy it is for somebody else, who may want it piece by piece.
func (*Dialect) Reads(method, path []byte) bool {
	r := request.Read(string(method), string(path), "")
	return !r.Proxies()
}

// hidden says why a request may be for something else than its method and path say.
func hidden(h *facts.Headers) string {
	switch {
	case h.Rewrites:
		return "a header names another path"
	case h.Override != "":
		return "a header or a parameter names another method"
	}
	return ""
}

// unreadable says what of a request cannot be read besides.
func unreadable(q *facts.Request, media string) string {
	switch {
	case object.IsCBOR(media):
		return "the body is CBOR, which is not read here"
	case string(q.Method) == "CONNECT":
		return "a tunnel leads past the API"
	}
	return ""
}

// title is cut where a letter ends, and says so.
func title(r *request.Request, method, path string, change request.Change) string {
	t := r.Title(method, path, change)
	if len(t) <= abi.MaxTitle && utf8.ValidString(t) {
		return t
	}
	const more = "…"
	t = strings.ToValidUTF8(t, "?")
	if len(t) <= abi.MaxTitle {
		return t
	}
	n := abi.MaxTitle - len(more)
	for n > 0 && !utf8.RuneStart(t[n]) {
		n--
	}
	return t[:n] + more
}

// printable is a name of the agent's choice where a title has it: what is no name of Kubernetes is not shown.
func printable(name string) string {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f {
			return ""
		}
	}
	return name
}

// place gives what the request is for.
func (d *Dialect) place(r *request.Request, method, path string, q *facts.Request) {
	w := &d.out
	w.String(fieldMethod, method)
	w.String(fieldPath, path)
	w.String(fieldQuery, string(q.Query))
	w.String(fieldProblem, r.Problem)
	if d.lost {
		for f := fieldVerb; f <= fieldName; f++ {
			w.Unknown(f)
		}
		return
	}
	w.String(fieldVerb, r.Verb)
	w.String(fieldGroup, r.Group)
	w.String(fieldVersion, r.Version)
	w.String(fieldResource, r.Resource)
	w.String(fieldSubresource, r.Subresource)
	w.String(fieldNamespace, r.Namespace)
	w.String(fieldName, r.Name)
}

// rest gives what follows from the connection, the query and the headers.
func (d *Dialect) rest(r *request.Request, q *facts.Request, h *facts.Headers) {
	w := &d.out
	w.String(fieldUpgrade, string(bytes.ToLower(q.Upgrade)))
	w.String(fieldAuthority, string(bytes.ToLower(q.Authority)))
	w.Bool(fieldTLS, q.TLS)
	w.Bool(fieldGatewayCredential, q.Credential)
	if list, ok := impersonated(h); ok {
		w.Strings(fieldImpersonate, list)
	} else {
		w.Unknown(fieldImpersonate)
	}
	if d.lost {
		for _, f := range [...]uint16{fieldFieldManager, fieldLabelSelector, fieldFieldSelector, fieldContainer, fieldCommand, fieldStdin, fieldTTY, fieldProxyPath} {
			w.Unknown(f)
		}
		return
	}
	w.String(fieldFieldManager, r.Query.FieldManager)
	w.String(fieldLabelSelector, r.Query.LabelSelector)
	w.String(fieldFieldSelector, r.Query.FieldSelector)
	w.String(fieldContainer, r.Query.Container)
	w.Strings(fieldCommand, r.Query.Command)
	w.Bool(fieldStdin, r.Query.Stdin)
	w.Bool(fieldTTY, r.Query.TTY)
	w.String(fieldProxyPath, r.ProxyPath)
}

// body gives what the body says, but for its values.
func (d *Dialect) body(r *request.Request, h *facts.Headers, media, patch string, o *object.Object) {
	w := &d.out
	if h.Untold {
		w.Unknown(fieldContentType)
	} else {
		w.String(fieldContentType, media)
	}
	w.String(fieldPatchType, patch)
	if o.Named && len(o.Kind) <= maxNames && len(o.Name) <= maxNames && len(o.Namespace) <= maxNames && size(o.Labels) <= maxNames {
		w.String(fieldKind, o.Kind)
		w.String(fieldObjectName, o.Name)
		w.String(fieldObjectNamespace, o.Namespace)
		w.Strings(fieldLabels, o.Labels)
	} else {
		w.Unknown(fieldKind)
		w.Unknown(fieldObjectName)
		w.Unknown(fieldObjectNamespace)
		w.Unknown(fieldLabels)
	}
	if o.Whole && !o.Countless {
		w.Int(fieldReplicas, o.Replicas)
	} else {
		w.Unknown(fieldReplicas)
	}
	if o.Whole || !d.lost && r.Verb != "patch" && r.Verb != "update" {
		w.String(fieldOperation, o.Operation)
	} else {
		w.Unknown(fieldOperation)
	}
}

// maxNames bounds what of a body goes into fields of their own, in bytes.
const maxNames = 2 << 10

// dryRun says whether anything is to be changed. The options of a DELETE are in its body, if it has one: the server does not look at the query then.
func (d *Dialect) dryRun(r *request.Request, q *facts.Request, o *object.Object) (dry, known bool) {
	switch {
	case d.lost:
		return false, false
	case r.Connects(), string(q.Method) == "DELETE" && r.Subresource != "":
		return false, true
	case string(q.Method) == "DELETE" && q.Length != 0:
		return o.DryRun()
	}
	return r.Query.DryRun, true
}

// object gives the values of the body, if there is room.
func (d *Dialect) object(o *object.Object, empty bool) {
	w := &d.out
	if room := abi.MaxAction - w.Len() - 16; (o.Whole || empty) && size(o.Values) <= room {
		w.Strings(fieldObject, o.Values)
	} else {
		w.Unknown(fieldObject)
	}
}

// size is what a list takes in an action, in bytes.
func size(list []string) int {
	n := 4
	for _, s := range list {
		n += 4 + len(s)
	}
	return n
}

// impersonated lists whom the headers say that the request is. ok is false when they are not all there.
func impersonated(h *facts.Headers) (list []string, ok bool) {
	if h.Cut {
		return nil, false
	}
	h.Each(func(line []byte) bool {
		switch line[0] {
		case 'i':
			if rest, found := bytes.CutPrefix(line, []byte("impersonate-")); found {
				list = append(list, pair("", rest))
			}
		case 'x':
			if rest, found := bytes.CutPrefix(line, []byte("x-remote-")); found {
				list = append(list, pair("remote-", rest))
			}
		case 's':
			if bytes.HasPrefix(line, []byte("sec-websocket-protocol: ")) && bytes.Contains(line, []byte("base64url.bearer.authorization.k8s.io.")) {
				list = append(list, "token=")
			}
		}
		return true
	})
	return list, size(list) <= 2*maxNames
}

// pair writes "name: value" as name=value.
func pair(before string, line []byte) string {
	name, value, _ := bytes.Cut(line, []byte(": "))
	return before + strings.ToValidUTF8(string(name)+"="+string(value), "?")
}
