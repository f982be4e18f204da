package apiserver

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// resource is a kind of objects that the server has.
type resource struct {
	group, version, name, singular, kind string
	short                                string
	cluster                              bool // it has no namespace
	sub                                  []string
}

// resources are all of them.
var resources = []resource{
	{version: "v1", name: "namespaces", singular: "namespace", kind: "Namespace", short: "ns", cluster: true},
	{version: "v1", name: "pods", singular: "pod", kind: "Pod", short: "po", sub: []string{"log", "exec", "attach", "portforward"}},
	{version: "v1", name: "services", singular: "service", kind: "Service", short: "svc"},
	{version: "v1", name: "configmaps", singular: "configmap", kind: "ConfigMap", short: "cm"},
	{version: "v1", name: "secrets", singular: "secret", kind: "Secret"},
	{version: "v1", name: "events", singular: "event", kind: "Event"},
	{version: "v1", name: "serviceaccounts", singular: "serviceaccount", kind: "ServiceAccount", short: "sa"},
	{group: "apps", version: "v1", name: "deployments", singular: "deployment", kind: "Deployment", short: "deploy", sub: []string{"scale"}},
	{group: "apps", version: "v1", name: "replicasets", singular: "replicaset", kind: "ReplicaSet", short: "rs"},
}

// groupVersion is "v1" or "apps/v1".
func (r *resource) groupVersion() string {
	if r.group == "" {
		return r.version
	}
	return r.group + "/" + r.version
}

// root is the path of its group and version.
func (r *resource) root() string {
	if r.group == "" {
		return "/api/" + r.version
	}
	return "/apis/" + r.groupVersion()
}

var verbs = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}

// discovery answers what kubectl asks before it asks for anything.
func discovery(path string) (any, bool) {
	switch path {
	case "/version":
		return object{"major": "1", "minor": "32", "gitVersion": "v1.32.0"}, true
	case "/api":
		return object{"kind": "APIVersions", "versions": []string{"v1"}}, true
	case "/apis":
		version := object{"groupVersion": "apps/v1", "version": "v1"}
		reviews := object{"groupVersion": "authorization.k8s.io/v1", "version": "v1"}
		return object{"kind": "APIGroupList", "apiVersion": "v1", "groups": []object{{"name": "apps", "versions": []object{version}, "preferredVersion": version},
			{"name": "authorization.k8s.io", "versions": []object{reviews}, "preferredVersion": reviews}}}, true
	case "/apis/authorization.k8s.io/v1":
		return object{"kind": "APIResourceList", "groupVersion": "authorization.k8s.io/v1", "resources": []object{
			{"name": "selfsubjectaccessreviews", "singularName": "selfsubjectaccessreview", "kind": "SelfSubjectAccessReview", "verbs": []string{"create"}}}}, true
	case "/openapi/v3":
		paths := object{}
		for i := range resources {
			paths[strings.TrimPrefix(resources[i].root(), "/")] = object{"serverRelativeURL": "/openapi/v3" + resources[i].root() + "?hash=1"}
		}
		return object{"paths": paths}, true
	}
	if rest, ok := strings.CutPrefix(path, "/openapi/v3"); ok {
		return openAPI(rest)
	}
	return resourceList(path)
}

// resourceList is what there is of one group and version.
func resourceList(path string) (any, bool) {
	var list []object
	groupVersion := ""
	for i := range resources {
		r := &resources[i]
		if r.root() != path {
			continue
		}
		groupVersion = r.groupVersion()
		o := object{"name": r.name, "singularName": r.singular, "namespaced": !r.cluster, "kind": r.kind, "verbs": verbs}
		if r.short != "" {
			o["shortNames"] = []string{r.short}
		}
		list = append(list, o)
		for _, sub := range r.sub {
			s := object{"name": r.name + "/" + sub, "singularName": "", "namespaced": true, "kind": r.kind, "verbs": []string{"create", "get"}}
			if sub == "scale" {
				s["kind"], s["group"], s["version"], s["verbs"] = "Scale", "autoscaling", "v1", []string{"get", "patch", "update"}
			}
			list = append(list, s)
		}
	}
	return object{"kind": "APIResourceList", "groupVersion": groupVersion, "resources": list}, list != nil
}

// openAPI says of each kind that the server checks fields itself, which is what kubectl looks for.
func openAPI(path string) (any, bool) {
	paths := object{}
	for i := range resources {
		r := &resources[i]
		if r.root() != path {
			continue
		}
		operation := object{"parameters": []object{{"name": "fieldValidation", "in": "query", "schema": object{"type": "string"}}},
			"x-kubernetes-group-version-kind": object{"group": r.group, "version": r.version, "kind": r.kind}}
		at := r.root() + "/namespaces/{namespace}/" + r.name
		if r.cluster {
			at = r.root() + "/" + r.name
		}
		paths[at+"/{name}"] = object{"patch": operation}
	}
	return object{"openapi": "3.0.0", "info": object{"title": "Kubernetes", "version": "v1.32.0"}, "paths": paths}, len(paths) > 0
}

// target is what a path names.
type target struct {
	resource  *resource
	namespace string
	name      string
	sub       string
}

// targetOf reads a path; nil: it names no resource.
func targetOf(path string) *target {
	i := slices.IndexFunc(resources, func(r resource) bool { return strings.HasPrefix(path, r.root()+"/") })
	if i < 0 {
		return nil
	}
	root := resources[i].root()
	words := strings.Split(strings.TrimPrefix(path, root+"/"), "/")
	t := &target{}
	if words[0] == "namespaces" && len(words) > 2 {
		t.namespace, words = words[1], words[2:]
	}
	k := slices.IndexFunc(resources, func(r resource) bool { return r.root() == root && r.name == words[0] })
	if k < 0 || len(words) > 3 {
		return nil
	}
	t.resource = &resources[k]
	if len(words) > 1 {
		t.name = words[1]
	}
	if len(words) > 2 {
		t.sub = words[2]
	}
	return t
}

// key is where the object of the path is stored.
func (t *target) key() key {
	return key{t.resource.groupVersion() + "/" + t.resource.name, t.namespace, t.name}
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

// failure answers with a Status, as every error is.
func failure(w http.ResponseWriter, code int, reason, message string) {
	answer(w, code, object{"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Failure", "reason": reason, "code": code, "message": message})
}
