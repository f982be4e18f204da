package request

import (
	"strconv"
	"strings"
)

// Change is what is known of a change from its body.
type Change struct {
	// Operation is one of Operations.
	Operation string
	// Replicas is what it is scaled to; negative: that is not known.
	Replicas int64
	// Name is that of the object, which a POST does not say in its path.
	Name string
	// DryRun says that nothing is changed.
	DryRun bool
}

// Operations are the changes that have a name of their own: nothing else is done by a request that has one.
const (
	Scale    = "scale"
	Restart  = "restart"
	Rollback = "rollback"
	Pause    = "pause"
	Resume   = "resume"
)

// Operations lists them, and that there is none.
func Operations() []string { return []string{"", Scale, Restart, Rollback, Pause, Resume} }

// Title says what the request does as a person would.
func (r *Request) Title(method, path string, change Change) string {
	t := r.title(method, path, change)
	if change.DryRun {
		t += " (dry run)"
	}
	return t
}

func (r *Request) title(method, path string, change Change) string {
	switch {
	case r.Problem != "" || r.Resource == "":
		return method + " " + path
	case r.Connects():
		return r.connectTitle(method)
	case r.Subresource != "":
		return r.subresourceTitle(change)
	}
	switch r.Verb {
	case "list", "watch":
		if r.Name != "" {
			return r.Verb + " " + r.object() + r.where()
		}
		return r.Verb + " " + r.plural() + r.where() + r.matching()
	case "create":
		if r.Name == "" && change.Name == "" {
			return "create " + article(r.kind()) + r.where()
		}
		n := *r
		if n.Name == "" {
			n.Name = change.Name
		}
		if r.Resource == "namespaces" {
			n.Namespace = ""
		}
		return "create " + n.object() + n.where()
	case "deletecollection":
		return "delete all " + r.plural() + r.where() + r.matching()
	}
	switch change.Operation {
	case Scale:
		return r.scaleTitle(change)
	case Restart, Pause, Resume:
		return change.Operation + " " + r.object() + r.where()
	case Rollback:
		return "replace the pod template of " + r.object() + r.where() + ", as a rollback does"
	}
	return r.Verb + " " + r.object() + r.where()
}

func (r *Request) scaleTitle(change Change) string {
	t := "scale " + r.object()
	switch {
	case change.Replicas == 1:
		t += " to 1 replica"
	case change.Replicas >= 0:
		t += " to " + strconv.FormatInt(change.Replicas, 10) + " replicas"
	}
	return t + r.where()
}

// connectTitle is that of what is more than a request.
func (r *Request) connectTitle(method string) string {
	var t string
	switch r.Subresource {
	case "exec":
		t = "exec in " + r.object() + r.where()
	case "attach":
		t = "attach to " + r.object() + r.where()
	case "portforward":
		return "forward ports to " + r.object() + r.where()
	default:
		return "proxy " + method + " to " + r.object() + r.where() + ": " + orRoot(r.ProxyPath)
	}
	if r.Query.Container != "" {
		t += ", container " + r.Query.Container
	}
	if len(r.Query.Command) > 0 {
		t += ": " + commandLine(r.Query.Command)
	}
	return t
}

func orRoot(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// commandLine writes words so that one with blanks in it is not taken for several.
func commandLine(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		if w == "" || strings.ContainsAny(w, " \t\r\n\"'\\$`&|;<>()*?") {
			b.WriteByte('\'')
			b.WriteString(strings.ReplaceAll(w, "'", `'\''`))
			b.WriteByte('\'')
		} else {
			b.WriteString(w)
		}
	}
	return b.String()
}

func (r *Request) subresourceTitle(change Change) string {
	of := " of " + r.object() + r.where()
	switch {
	case r.Subresource == "scale" && (r.Verb == "update" || r.Verb == "patch"):
		return r.scaleTitle(change)
	case r.Subresource == "eviction" && r.Verb == "create":
		return "evict " + r.object() + r.where()
	case r.Subresource == "token" && r.Verb == "create":
		return "issue a token for " + r.object() + r.where()
	case r.Subresource == "binding" && r.Verb == "create":
		return "bind " + r.object() + r.where() + " to a node"
	case r.Subresource == "log" && r.Verb == "get":
		return "read the log" + of
	}
	return r.Verb + " " + r.Subresource + of
}

// object is the resource in the singular, and the name.
func (r *Request) object() string {
	t := r.kind()
	if r.Name != "" {
		t += " " + r.Name
	}
	return t
}

// kind is the resource in the singular, with the group unless that is one of Kubernetes itself.
func (r *Request) kind() string { return singular(r.Resource) + r.groupSuffix() }

func (r *Request) plural() string { return r.Resource + r.groupSuffix() }

func (r *Request) groupSuffix() string {
	switch r.Group {
	case "", "apps", "batch", "autoscaling", "policy", "extensions":
		return ""
	}
	if strings.HasSuffix(r.Group, ".k8s.io") {
		return ""
	}
	return "." + r.Group
}

// where is the namespace.
func (r *Request) where() string {
	switch {
	case r.is("", "namespaces"):
		return ""
	case r.Namespace != "":
		return " in namespace " + r.Namespace
	case (r.Verb == "list" || r.Verb == "watch" || r.Verb == "deletecollection") && !clusterWide(r.Group, r.Resource):
		return " in all namespaces"
	}
	return ""
}

// clusterWide reports resources of Kubernetes itself that are in no namespace.
func clusterWide(group, resource string) bool {
	switch group {
	case "":
		return resource == "nodes" || resource == "persistentvolumes" || resource == "componentstatuses"
	case "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "certificates.k8s.io", "flowcontrol.apiserver.k8s.io", "node.k8s.io", "scheduling.k8s.io":
		return true
	case "rbac.authorization.k8s.io":
		return strings.HasPrefix(resource, "cluster")
	case "storage.k8s.io":
		return resource != "csistoragecapacities"
	case "networking.k8s.io":
		return resource == "ingressclasses"
	}
	return false
}

// matching says which of several.
func (r *Request) matching() string {
	var all []string
	for _, s := range [...]string{r.Query.LabelSelector, r.Query.FieldSelector} {
		if s != "" {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " that match " + strings.Join(all, " and ")
}

// singular is a resource as its kind is called, in lower case.
func singular(s string) string {
	switch {
	case len(s) < 3 || s == "endpoints" || strings.HasSuffix(s, "metrics"):
		return s
	case strings.HasSuffix(s, "ies") && len(s) > 4:
		return s[:len(s)-3] + "y"
	case strings.HasSuffix(s, "sses"), strings.HasSuffix(s, "xes"), strings.HasSuffix(s, "ches"), strings.HasSuffix(s, "shes"), strings.HasSuffix(s, "statuses"):
		return s[:len(s)-2]
	case strings.HasSuffix(s, "ss") || !strings.HasSuffix(s, "s"):
		return s
	}
	return s[:len(s)-1]
}

func article(kind string) string {
	if strings.ContainsRune("aeiou", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}
