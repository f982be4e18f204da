package request

import (
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Class is how grave a request is. upgrade says that the connection shall go on with another protocol.
func (r *Request) Class(method string, upgrade bool) abi.Class {
	switch {
	case r.Problem != "":
		return abi.ClassOpaque
	case r.Connects():
		return abi.ClassExecute
	case upgrade:
		return abi.ClassOpaque
	case r.Resource == "":
		return r.plainClass(method)
	}
	switch r.Verb {
	case "get", "list", "watch":
		if r.IsSecret() {
			return abi.ClassAdmin
		}
		return abi.ClassRead
	case "create":
		return r.createClass()
	case "update", "patch":
		switch {
		case r.Subresource == "ephemeralcontainers": // one more program in a pod that runs
			return abi.ClassExecute
		case r.IsSecret() && r.Verb == "patch": // it is answered with the whole of it
			return abi.ClassAdmin
		}
		return max(abi.ClassWrite, r.changes())
	case "delete":
		if r.IsSecret() {
			return abi.ClassAdmin // it is answered with the whole of it when something holds up its end
		}
		return max(abi.ClassDelete, r.changes())
	case "deletecollection":
		return abi.ClassAdmin
	}
	return abi.ClassOpaque
}

// IsSecret reports whether the request is about Secrets.
func (r *Request) IsSecret() bool { return r.is("", "secrets") }

func (r *Request) is(group, resource string) bool { return r.Group == group && r.Resource == resource }

// createClass is that of a POST.
func (r *Request) createClass() abi.Class {
	switch {
	case r.Resource == "serviceaccounts" && r.Subresource == "token":
		return abi.ClassAdmin
	case r.Subresource == "eviction":
		return abi.ClassDelete
	case r.Subresource == "ephemeralcontainers":
		return abi.ClassExecute
	case r.Group == "authorization.k8s.io" && strings.HasSuffix(r.Resource, "reviews"), r.is("authentication.k8s.io", "selfsubjectreviews"):
		return abi.ClassRead // questions, of which nothing is kept
	case r.is("", "namespaces") && r.Subresource == "":
		return abi.ClassWrite
	}
	return max(abi.ClassWrite, r.changes())
}

// changes is the class of a change that is more than one of an object: of who may do what, and of what objects there can be.
func (r *Request) changes() abi.Class {
	switch r.Group {
	case "":
		switch r.Resource {
		case "namespaces", "nodes", "persistentvolumes":
			return abi.ClassAdmin
		}
	case "rbac.authorization.k8s.io", "admissionregistration.k8s.io", "apiregistration.k8s.io", "apiextensions.k8s.io", "certificates.k8s.io", "flowcontrol.apiserver.k8s.io",
		"storage.k8s.io", "policy.networking.k8s.io", "node.k8s.io", "scheduling.k8s.io":
		return abi.ClassAdmin
	}
	if r.is("policy", "podsecuritypolicies") {
		return abi.ClassAdmin
	}
	return abi.ClassSession
}

// plainClass is that of a path without a resource: what says what a server is and how it feels is read, and nothing else is known.
func (r *Request) plainClass(method string) abi.Class {
	if method != "GET" && method != "HEAD" {
		return abi.ClassOpaque
	}
	switch first, rest, _ := strings.Cut(strings.TrimPrefix(r.Plain, "/"), "/"); first {
	case "", "version":
		if rest == "" {
			return abi.ClassRead
		}
	case "api", "apis", "healthz", "livez", "readyz", "metrics", "openapi":
		return abi.ClassRead
	}
	switch r.Plain {
	case "/.well-known/openid-configuration", "/openid/v1/jwks", "/swagger.json", "/swagger-2.0.0.pb-v1":
		return abi.ClassRead
	}
	return abi.ClassOpaque
}
