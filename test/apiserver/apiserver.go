// Package apiserver is a small API server of Kubernetes for tests: it keeps objects of a few kinds, has watches, patches of each type, discovery, logs, and commands, attachments and
// forwarded ports by WebSocket and SPDY, and it answers as a real one does as far as kubectl looks at it. What it leaves out are admission, defaults, and everything that a cluster does besides, but
// for what a deployment makes of its revisions.
package apiserver

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"
)

// Server answers requests by any host name. What changes something is kept for the test.
type Server struct {
	// Token is what requests must bear; empty: nobody is asked who he is. Certificate is the name in the client's certificate that is taken in its place.
	Token, Certificate string
	// Next lets a log that is followed go on by one line.
	Next chan struct{}
	// Root is the folder that commands in pods see as their root, with real programs; empty: they see none, and only echo is there.
	Root string
	// Ports are the addresses behind the ports of pods.
	Ports map[string]string

	store *store

	mu      sync.Mutex
	changes []string
	who     map[string]bool
	refused int
}

// New makes one that has a namespace "web" with a pod "foo", a deployment "web" of two revisions, and a secret "s".
func New() *Server {
	s := &Server{Next: make(chan struct{}), who: map[string]bool{}, store: newStore()}
	s.Put("/api/v1/namespaces/web", `{"apiVersion":"v1","kind":"Namespace","status":{"phase":"Active"}}`)
	s.Put("/api/v1/namespaces/web/pods/foo", aPod)
	s.Put("/api/v1/namespaces/web/secrets/s", `{"apiVersion":"v1","kind":"Secret","type":"Opaque","data":{"password":"aHVudGVyMg=="}}`)
	for _, image := range []string{"x:1", "x:2"} {
		s.Put("/apis/apps/v1/namespaces/web/deployments/web", strings.ReplaceAll(aDeployment, "IMAGE", image))
	}
	return s
}

const (
	aPod        = `{"apiVersion":"v1","kind":"Pod","spec":{"nodeName":"n","containers":[{"name":"c","image":"x","ports":[{"containerPort":80}]}]},"status":{"phase":"Running","containerStatuses":[{"name":"c","ready":true,"state":{"running":{}}}]}}`
	aDeployment = `{"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"IMAGE"}]}}}}`
)

// Put stores an object, in JSON, at its path.
func (s *Server) Put(path, text string) {
	t := targetOf(path)
	var o object
	if err := json.Unmarshal([]byte(text), &o); err != nil || t == nil {
		panic(fmt.Sprintf("%s: %v", path, err))
	}
	s.put(t, o)
}

// Get is the object at a path, in JSON; empty: there is none.
func (s *Server) Get(path string) string {
	o, ok := s.store.get(targetOf(path).key())
	if !ok {
		return ""
	}
	b, _ := json.Marshal(o)
	return string(b)
}

func (s *Server) put(t *target, o object) object {
	o = s.store.put(t.key(), o)
	if t.resource.name == "deployments" {
		o = s.rollOut(t, o)
	}
	return o
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.knows(r) {
		failure(w, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
		return
	}
	t := targetOf(r.URL.Path)
	var body []byte
	if t == nil || t.sub == "" || t.sub == "scale" {
		body, _ = io.ReadAll(r.Body)
	}
	if r.Method != http.MethodGet {
		s.mu.Lock()
		s.changes = append(s.changes, r.Method+" "+r.URL.Path+" "+string(body))
		s.mu.Unlock()
	}
	found, ok := discovery(r.URL.Path)
	switch {
	case ok:
		answer(w, http.StatusOK, found)
	case strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews"):
		answer(w, http.StatusCreated, object{"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": object{"allowed": true}})
	case t == nil:
		failure(w, http.StatusNotFound, "NotFound", "the server could not find the requested resource")
	case t.name == "":
		s.collection(w, r, t, body)
	case t.sub == "":
		s.one(w, r, t, body)
	default:
		s.subresource(w, r, t, body)
	}
}

// knows reports whether a request is of somebody who may be here.
func (s *Server) knows(r *http.Request) bool {
	who := r.Header.Get("Authorization")
	certified := s.Certificate != "" && r.TLS != nil && len(r.TLS.PeerCertificates) > 0 && r.TLS.PeerCertificates[0].Subject.CommonName == s.Certificate
	s.mu.Lock()
	defer s.mu.Unlock()
	s.who[r.Proto+" "+who] = true
	if s.Token == "" && s.Certificate == "" || s.Token != "" && who == "Bearer "+s.Token || certified {
		return true
	}
	s.refused++
	return false
}

// missing answers that an object is not there.
func missing(w http.ResponseWriter, t *target) {
	name := t.resource.name
	if t.resource.group != "" {
		name += "." + t.resource.group
	}
	answer(w, http.StatusNotFound, object{"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Failure", "reason": "NotFound", "code": 404,
		"message": fmt.Sprintf("%s %q not found", name, t.name), "details": object{"name": t.name, "kind": t.resource.name}})
}

// collection is about all objects of a kind: list, watch, create, deletecollection.
func (s *Server) collection(w http.ResponseWriter, r *http.Request, t *target, body []byte) {
	wanted := selector(r.URL.Query().Get("labelSelector"), r.URL.Query().Get("fieldSelector"))
	collection := t.key().collection
	switch watch, _ := strconv.ParseBool(r.URL.Query().Get("watch")); {
	case r.Method == http.MethodGet && watch:
		s.watch(w, r, t, wanted)
	case r.Method == http.MethodGet:
		items, version := s.store.list(collection, t.namespace, wanted)
		if items == nil {
			items = []any{}
		}
		answer(w, http.StatusOK, object{"kind": t.resource.kind + "List", "apiVersion": t.resource.groupVersion(), "metadata": object{"resourceVersion": strconv.Itoa(version)}, "items": items})
	case r.Method == http.MethodPost:
		var o object
		if err := yaml.Unmarshal(body, &o); err != nil {
			failure(w, http.StatusBadRequest, "BadRequest", err.Error())
			return
		}
		if t.name = text(meta(o), "name"); t.name == "" {
			t.name = text(meta(o), "generateName") + "x1"
		}
		if _, ok := s.store.get(t.key()); ok {
			failure(w, http.StatusConflict, "AlreadyExists", fmt.Sprintf("%s %q already exists", t.resource.name, t.name))
			return
		}
		answer(w, http.StatusCreated, s.kept(r, t, o))
	case r.Method == http.MethodDelete:
		items, _ := s.store.list(collection, t.namespace, wanted)
		for _, o := range items {
			k := t.key()
			k.name = text(meta(o.(object)), "name")
			s.store.remove(k)
		}
		answer(w, http.StatusOK, object{"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Success"})
	default:
		failure(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "the server does not allow this method on the requested resource")
	}
}

// kept stores an object, but for a dry run.
func (s *Server) kept(r *http.Request, t *target, o object) object {
	if r.URL.Query().Get("dryRun") != "" {
		return o
	}
	return s.put(t, o)
}

// one is about one object.
func (s *Server) one(w http.ResponseWriter, r *http.Request, t *target, body []byte) {
	old, ok := s.store.get(t.key())
	apply := r.Method == http.MethodPatch && mediaType(r) == applyPatch
	switch {
	case !ok && !apply:
		missing(w, t)
	case r.Method == http.MethodGet:
		answer(w, http.StatusOK, old)
	case r.Method == http.MethodPut:
		var o object
		if err := yaml.Unmarshal(body, &o); err != nil {
			failure(w, http.StatusBadRequest, "BadRequest", err.Error())
			return
		}
		answer(w, http.StatusOK, s.kept(r, t, o))
	case r.Method == http.MethodPatch:
		if old == nil {
			old = object{"kind": t.resource.kind, "apiVersion": t.resource.groupVersion()}
		}
		o, err := patched(old, mediaType(r), body)
		if err != nil {
			failure(w, http.StatusUnprocessableEntity, "Invalid", err.Error())
			return
		}
		answer(w, map[bool]int{true: http.StatusOK, false: http.StatusCreated}[ok], s.kept(r, t, o))
	case r.Method == http.MethodDelete:
		if r.URL.Query().Get("dryRun") == "" {
			s.store.remove(t.key())
		}
		answer(w, http.StatusOK, object{"kind": "Status", "apiVersion": "v1", "metadata": object{}, "status": "Success", "details": object{"name": t.name, "kind": t.resource.name, "uid": meta(old)["uid"]}})
	default:
		failure(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "the server does not allow this method on the requested resource")
	}
}

func mediaType(r *http.Request) string {
	m, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return m
}

// subresource is about what stands below an object.
func (s *Server) subresource(w http.ResponseWriter, r *http.Request, t *target, body []byte) {
	o, ok := s.store.get(t.key())
	switch {
	case !ok:
		missing(w, t)
	case t.sub == "log":
		s.log(w, r)
	case t.sub == "exec", t.sub == "attach":
		s.run(w, r, t.sub)
	case t.sub == "portforward":
		s.forward(w, r)
	case t.sub == "scale":
		s.scale(w, r, t, o, body)
	default:
		missing(w, t)
	}
}

// scale reads or changes how many there are to be of a deployment.
func (s *Server) scale(w http.ResponseWriter, r *http.Request, t *target, o object, body []byte) {
	spec, _ := o["spec"].(object)
	shown := func() object {
		m := meta(o)
		return object{"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": object{"name": t.name, "namespace": t.namespace, "uid": m["uid"], "resourceVersion": m["resourceVersion"]},
			"spec": object{"replicas": spec["replicas"]}, "status": object{"replicas": spec["replicas"]}}
	}
	if r.Method != http.MethodGet {
		var change object
		if err := json.Unmarshal(body, &change); err != nil {
			failure(w, http.StatusBadRequest, "BadRequest", err.Error())
			return
		}
		wanted, _ := change["spec"].(object)
		spec["replicas"] = wanted["replicas"]
		o = s.kept(r, t, o)
	}
	answer(w, http.StatusOK, shown())
}

// Who are the versions of HTTP and the credentials with which requests have arrived: "HTTP/2.0 Bearer …".
func (s *Server) Who() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.who))
}

// Refused is how many requests had no credential that counts.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// Changed is what has arrived that changes something: METHOD PATH BODY, a line for each.
func (s *Server) Changed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.changes, "\n")
}
