package request

import (
	"strings"
	"unicode/utf8"
)

// Query is what of a query means something for rules.
type Query struct {
	// Watch says that a list is watched.
	Watch bool
	// DryRun says that nothing is to be changed: dryRun is there, and nothing but All.
	DryRun bool
	// FieldManager, LabelSelector and FieldSelector are as given.
	FieldManager, LabelSelector, FieldSelector string
	// Container, Command, Stdin and TTY belong to exec and attach; logs have a container too.
	Container  string
	Command    []string
	Stdin, TTY bool
}

// maxParameters bounds how many parameters a query may have.
const maxParameters = 512

// single are the parameters that a request has once, by what they set.
var single = [...]string{"watch", "fieldManager", "labelSelector", "fieldSelector", "container", "stdin", "stdout", "stderr", "tty", "force", "fieldValidation"}

// several are those that may be there more than once.
var several = [...]string{"dryRun", "command"}

// readQuery reads a query as net/url does, and refuses what that leaves out.
func readQuery(query string) (q Query, problem string) {
	var seen [len(single)]bool
	dry, real := 0, 0
	count := 0
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		if count++; count > maxParameters {
			return Query{}, "there are more parameters than any request needs"
		}
		if strings.IndexByte(pair, ';') >= 0 {
			return Query{}, "a semicolon stands in the query"
		}
		k, v, _ := strings.Cut(pair, "=")
		key, ok := unescape(k, true)
		value, ok2 := unescape(v, true)
		if !ok || !ok2 {
			return Query{}, "a percent sign in the query encodes nothing"
		}
		if !utf8.ValidString(key) || !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 {
			return Query{}, "the query is no text"
		}
		switch key {
		case "dryRun":
			if value == "All" {
				dry++
			} else {
				real++
			}
			continue
		case "command":
			q.Command = append(q.Command, value)
			continue
		}
		i := which(key)
		switch {
		case i < 0:
			if almost(key) {
				return Query{}, "the parameter " + key + " has another spelling"
			}
			continue
		case seen[i]:
			return Query{}, "the parameter " + key + " is there more than once"
		}
		seen[i] = true
		q.set(key, value)
	}
	q.DryRun = dry > 0 && real == 0
	return q, ""
}

// prune forgets what means nothing for a request.
func (q *Query) prune(r *Request) {
	q.Watch = r.Verb == "watch"
	switch r.Verb {
	case "list", "watch", "deletecollection":
	default:
		q.LabelSelector, q.FieldSelector = "", ""
	}
	switch r.Verb {
	case "create", "update", "patch":
	case "delete", "deletecollection":
		q.FieldManager = ""
	default:
		q.FieldManager, q.DryRun = "", false
	}
	q.DryRun = q.DryRun && r.Resource != "" && drySubresource(r.Subresource)
	if r.Subresource != "exec" {
		q.Command = nil
	}
	if r.Subresource != "exec" && r.Subresource != "attach" {
		q.Stdin, q.TTY = false, false
		if r.Subresource != "log" {
			q.Container = ""
		}
	}
}

// drySubresource reports the subresources that know of dry runs. Issuing a token, for one, does not.
func drySubresource(s string) bool {
	switch s {
	case "", "status", "scale", "eviction", "binding", "ephemeralcontainers", "resize", "finalize", "approval":
		return true
	}
	return false
}

func which(key string) int {
	for i, name := range single {
		if key == name {
			return i
		}
	}
	return -1
}

// almost reports a name that differs by capital letters from one that means something.
func almost(key string) bool {
	for _, list := range [...][]string{single[:], several[:]} {
		for _, name := range list {
			if len(key) == len(name) && strings.EqualFold(key, name) {
				return true
			}
		}
	}
	return false
}

func (q *Query) set(key, value string) {
	switch key {
	case "watch":
		q.Watch = isTrue(value)
	case "fieldManager":
		q.FieldManager = value
	case "labelSelector":
		q.LabelSelector = value
	case "fieldSelector":
		q.FieldSelector = value
	case "container":
		q.Container = value
	case "stdin":
		q.Stdin = isTrue(value)
	case "tty":
		q.TTY = isTrue(value)
	}
}

// isTrue reads a bool as Kubernetes does (Convert_Slice_string_To_bool): whatever is not false or 0 is true.
func isTrue(v string) bool { return v != "0" && !strings.EqualFold(v, "false") }

// selected is the name that the field selector asks for, as RequestInfo finds it; empty when it asks for anything else, or cannot be read.
func (q *Query) selected() (name string) {
	if strings.IndexByte(q.FieldSelector, '\\') >= 0 { // names have nothing to escape
		return ""
	}
	found := false
	for term := range strings.SplitSeq(q.FieldSelector, ",") {
		if term == "" {
			continue
		}
		at := strings.IndexAny(term, "=!")
		if at >= 0 && term[at] == '!' && !strings.HasPrefix(term[at:], "!=") { // a sign of its own: the operator comes later
			at = strings.Index(term, "=")
			if i := strings.Index(term, "!="); i >= 0 {
				at = min(i, at)
			}
		}
		if at < 0 {
			return ""
		}
		key, value, exact := term[:at], strings.TrimPrefix(term[at+1:], "="), term[at] == '='
		if strings.IndexByte(value, '=') >= 0 {
			return ""
		}
		if key == "metadata.name" && exact && !found {
			name, found = value, true
		}
	}
	if name == "." || name == ".." || strings.ContainsAny(name, "/%") {
		return ""
	}
	return name
}
