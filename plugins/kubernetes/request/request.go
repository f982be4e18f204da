// Package request says what a request to an API server of Kubernetes is for: verb, resource, namespace and name, read from the method, the path and the query as the server itself
// reads them (RequestInfo of k8s.io/apiserver), its class and its title.
//
// It is stricter than the server: what the server, a proxy before it and an extension behind it could read in different ways has a Problem, and is nothing else. So a path of which a
// segment is empty, a dot segment, or has an encoded slash, backslash or percent sign is not read; neither is one with words where no API has any, a parameter that is there twice, or
// one whose name has other capital letters than the one that counts.
package request

import "strings"

// Request is one request. The strings are empty where there is nothing of the kind.
type Request struct {
	// Verb is that of the API, one of Verbs; of a path without a resource the method in lower case. It is Connect for what is more than a request, whatever its method: for
	// RequestInfo an exec by WebSocket is a get, and a rule about what is got must not be one about commands.
	Verb string
	// Resource is empty for a path without one. Namespace is empty for what has none, and for all of them. Name is also that of a field selector metadata.name=….
	Group, Version, Resource, Subresource, Namespace, Name string
	// ProxyPath is what stands behind a proxy subresource, decoded, with its slash.
	ProxyPath string
	// Plain are the words of a path without a resource, as sent.
	Plain string
	// Query is what of the query means something.
	Query Query
	// Problem says why it is not understood.
	Problem string
}

// Verbs are those that Verb can be where a request is understood.
func Verbs() []string {
	return []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", Connect, "proxy", "head", "post", "put", "options"}
}

// Connect is the verb of exec, attach, port-forward and proxy, and of what else asks for another protocol.
const Connect = "connect"

// other is every method that the API does not have.
const other = "other"

// Read reads a request from its method, and its path and query as sent.
func Read(method, path, query string) Request {
	r := Request{Verb: plainVerb(method)}
	words, raw, problem := segments(path)
	if problem != "" {
		r.Problem = problem
		return r
	}
	r.Problem = r.resolve(method, words, raw)
	if r.Problem != "" {
		return r
	}
	if !r.Proxies() { // else it is somebody else's
		if r.Query, r.Problem = readQuery(query); r.Problem != "" {
			return r
		}
	}
	r.finish()
	return r
}

// plainVerb is the verb of a path without a resource.
func plainVerb(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return strings.ToLower(method)
	}
	return other
}

// Proxies reports whether the request goes on to something else by a proxy subresource.
func (r *Request) Proxies() bool { return r.Subresource == "proxy" || r.Verb == "proxy" }

// Connects reports whether what the request begins is more than a request: commands, streams, requests to somebody else.
func (r *Request) Connects() bool {
	switch r.Subresource {
	case "exec", "attach", "portforward", "proxy":
		return true
	}
	return r.Verb == "proxy"
}

// resolve is RequestInfo: words are the decoded segments, raw those as sent.
func (r *Request) resolve(method string, words, raw []string) (problem string) {
	least := 3 // api, version, resource
	if len(words) > 0 && words[0] == "apis" {
		least = 4
	}
	if len(words) < least || words[0] != "api" && words[0] != "apis" {
		return r.plain(words)
	}
	if least == 4 {
		r.Group = words[1]
	}
	r.Version = words[least-2]
	at := least - 1
	switch words[at] {
	case "proxy", "watch":
		r.Verb = words[at]
		if at++; at == len(words) {
			return "the path ends behind " + r.Verb
		}
		if r.Verb == "watch" && method != "GET" {
			return "a path that watches goes with GET only"
		}
	default:
		r.Verb = verbOf(method)
	}
	if words[at] == "namespaces" && at+1 < len(words) {
		r.Namespace = words[at+1]
		if at+2 < len(words) && words[at+2] != "status" && words[at+2] != "finalize" {
			at += 2
		}
	}
	parts := words[at:]
	r.Resource = parts[0]
	if len(parts) > 1 {
		r.Name = parts[1]
	}
	if len(parts) > 2 && r.Verb != "proxy" {
		r.Subresource = parts[2]
	}
	if problem = r.check(len(parts)); problem != "" {
		return problem
	}
	if r.Connects() && r.Verb != "proxy" {
		r.Verb = Connect
	}
	rest := parts[min(3, len(parts)):]
	if r.Verb == "proxy" {
		rest = parts[min(2, len(parts)):]
	}
	if !r.Proxies() {
		return plainWords(words, raw)
	}
	n := len(words) - len(rest)
	if problem = plainWords(words[:n], raw[:n]); problem != "" {
		return problem
	}
	r.ProxyPath, problem = proxied(rest)
	return problem
}

func verbOf(method string) string {
	switch method {
	case "GET", "HEAD":
		return "get"
	case "POST":
		return "create"
	case "PUT":
		return "update"
	case "PATCH":
		return "patch"
	case "DELETE":
		return "delete"
	}
	return other
}

// check looks at the words that an API chooses, and at how many there are.
func (r *Request) check(parts int) string {
	switch {
	case r.Verb == other:
		return "the API has no such method"
	case r.Group != "" && !isWord(r.Group) || !isWord(r.Version) || !isWord(r.Resource) || r.Subresource != "" && !isWord(r.Subresource):
		return "a group, a version or a resource is not a word of lower case letters, digits, hyphens and dots"
	case r.Proxies() && r.Name == "":
		return "a proxy needs a name"
	case parts > 3 && !r.Proxies():
		return "there is more behind the subresource than APIs have"
	case r.Verb == "watch" && r.Subresource != "":
		return "subresources are not watched"
	}
	return ""
}

// isWord reports whether s can be the name of a group, a version, a resource or a subresource.
func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c != '-' && c != '.' || i == 0) {
			return false
		}
	}
	return s != ""
}

// finish says what the query and the name make of the verb. What the server does not look at for such a request is taken out of the query, so that no rule goes by it: a selector does
// nothing for one object, and dryRun nothing for a GET.
func (r *Request) finish() {
	defer func() { r.Query.prune(r) }()
	if r.Resource == "" {
		return
	}
	switch {
	case r.Name == "" && r.Verb == "get":
		r.Verb = "list"
		if r.Query.Watch {
			r.Verb = "watch"
		}
		r.Name = r.Query.selected()
	case r.Name == "" && r.Verb == "delete":
		r.Verb = "deletecollection"
	}
}

// plain takes a path without a resource.
func (r *Request) plain(words []string) string {
	r.Plain = "/" + strings.Join(words, "/")
	for _, w := range words {
		if problem := plainWord(w); problem != "" {
			return problem
		}
	}
	if r.Verb == other {
		return "the API has no such method"
	}
	if len(words) > 0 && (words[0] == "api" || words[0] == "apis") {
		for _, w := range words[1:] {
			if !isWord(w) {
				return "a group or a version is not a word of lower case letters, digits, hyphens and dots"
			}
		}
		if len(words) > 1 {
			if words[0] == "api" {
				r.Version = words[1]
			} else if r.Group = words[1]; len(words) > 2 {
				r.Version = words[2]
			}
		}
	}
	return ""
}
