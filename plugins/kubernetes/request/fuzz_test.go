package request

import (
	"net/url"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// info is what the server makes of a request, written down from its documentation and with net/url, as another program than Read.
type info struct{ verb, group, version, resource, subresource, namespace, name string }

// serverReads is RequestInfo for a decoded path. ok: it is about a resource.
func serverReads(method, decoded string, query url.Values) (i info, ok bool) {
	trimmed := strings.Trim(decoded, "/")
	parts := strings.Split(trimmed, "/")
	switch {
	case parts[0] == "api" && len(parts) >= 3:
		i.version, parts = parts[1], parts[2:]
	case parts[0] == "apis" && len(parts) >= 4:
		i.group, i.version, parts = parts[1], parts[2], parts[3:]
	default:
		return info{}, false
	}
	i.verb = map[string]string{"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[method]
	if parts[0] == "watch" || parts[0] == "proxy" {
		i.verb = parts[0]
		if parts = parts[1:]; len(parts) == 0 {
			return info{}, false
		}
	}
	if parts[0] == "namespaces" && len(parts) > 1 {
		i.namespace = parts[1]
		if len(parts) > 2 && parts[2] != "status" && parts[2] != "finalize" {
			parts = parts[2:]
		}
	}
	i.resource = parts[0]
	if len(parts) > 1 {
		i.name = parts[1]
	}
	if len(parts) > 2 && i.verb != "proxy" {
		i.subresource = parts[2]
	}
	switch i.subresource {
	case "exec", "attach", "portforward", "proxy": // other than RequestInfo, on purpose
		i.verb = Connect
	}
	if i.name == "" {
		switch i.verb {
		case "get":
			i.verb = "list"
			if v := query["watch"]; len(v) > 0 && strings.ToLower(v[0]) != "false" && v[0] != "0" {
				i.verb = "watch"
			}
		case "delete":
			i.verb = "deletecollection"
		}
	}
	return i, true
}

// FuzzRead: what is understood is what the server makes of it, also when something before or behind it decodes once more, resolves dot segments, or joins slashes.
func FuzzRead(f *testing.F) {
	file, err := os.ReadFile(vectors)
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		if method, target, ok := strings.Cut(strings.TrimSpace(line), " "); ok && line[0] != '#' && line[0] != '\t' {
			f.Add(strings.TrimSuffix(method, "*"), target)
		}
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		sent, query, _ := strings.Cut(target, "?")
		r := Read(method, sent, query)
		_ = r.Title(method, sent, Change{})
		if r.Problem != "" {
			return
		}
		u := &url.URL{}
		var err error
		if u.Path, err = url.PathUnescape(sent); err != nil {
			t.Fatalf("%q is understood and cannot be decoded", target)
		}
		values := url.Values{}
		if !r.Proxies() {
			if values, err = url.ParseQuery(query); err != nil {
				t.Fatalf("%q is understood and its query cannot be read: %v", target, err)
			}
		}
		mine := info{r.Verb, r.Group, r.Version, r.Resource, r.Subresource, r.Namespace, r.Name}
		if r.Verb == "list" || r.Verb == "watch" {
			if name := r.Query.selected(); name != "" && r.Name == name { // the selector's
				mine.name = ""
			}
		}
		readings := map[string]string{"as it is": u.Path}
		if !r.Proxies() && r.Class(method, false) != abi.ClassOpaque {
			readings["cleaned"] = path.Clean(u.Path)
			readings["joined"] = strings.ReplaceAll(u.Path, "//", "/")
			if twice, err := url.PathUnescape(u.Path); err == nil {
				readings["decoded twice"] = twice
			}
		}
		for how, p := range readings {
			theirs, resource := serverReads(method, p, values)
			if resource != (r.Resource != "") {
				t.Fatalf("%s %q, %s: a resource %v, read as %+v", method, target, how, resource, mine)
			}
			if theirs.verb == "watch" && r.Verb == "watch" {
				theirs.name = ""
				if mine.name != "" {
					theirs.name = mine.name
				}
			}
			if resource && theirs != mine {
				t.Fatalf("%s %q, %s: the server reads %+v, and this is %+v", method, target, how, theirs, mine)
			}
		}
	})
}
