// Package apiserver is a small API server of Kubernetes for tests: what it answers is what a real one does, as far as kubectl looks at it. It has one pod "foo" and one deployment "web" of two
// revisions in each namespace, logs and watches that go on when the test says so, and commands that say their arguments.
package apiserver

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// Server answers requests, by any host name and without asking who it is. What changes something is kept for the test.
type Server struct {
	// Next lets a log or a watch go on by one piece.
	Next chan struct{}

	mu      sync.Mutex
	changes []string
	who     map[string]bool
}

// New makes one.
func New() *Server { return &Server{Next: make(chan struct{}), who: map[string]bool{}} }

const (
	aPod        = `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"foo","namespace":"web","uid":"u1","resourceVersion":"1"},"spec":{"containers":[{"name":"c","image":"x"}]},"status":{"phase":"Running"}}`
	aDeployment = `{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web","namespace":"web","uid":"u2","resourceVersion":"1","annotations":{"deployment.kubernetes.io/revision":"2"}},"spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},` +
		`"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"x"}]}}}}`
	aReplicaSet = `{"metadata":{"name":"web-N","namespace":"web","uid":"rN","annotations":{"deployment.kubernetes.io/revision":"N"},"labels":{"a":"b"},"ownerReferences":[{"apiVersion":"apps/v1",` +
		`"kind":"Deployment","name":"web","uid":"u2","controller":true}]},"spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b","pod-template-hash":"N"}},` +
		`"spec":{"containers":[{"name":"c","image":"x:N"}]}}}}`
	verbs = `"verbs":["create","delete","deletecollection","get","list","patch","update","watch"]`
)

// discovery are the answers that do not depend on anything.
var discovery = map[string]string{
	"/version": `{"major":"1","minor":"32","gitVersion":"v1.32.0"}`,
	"/api":     `{"kind":"APIVersions","versions":["v1"]}`,
	"/apis": `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}],` +
		`"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}]}`,
	"/api/v1": `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod",` + verbs +
		`},{"name":"pods/log","singularName":"","namespaced":true,"kind":"Pod","verbs":["get"]},{"name":"secrets","singularName":"secret","namespaced":true,"kind":"Secret",` + verbs + `}]}`,
	"/apis/apps/v1": `{"kind":"APIResourceList","groupVersion":"apps/v1","resources":[{"name":"deployments","singularName":"deployment","namespaced":true,"kind":"Deployment",` + verbs +
		`},{"name":"replicasets","singularName":"replicaset","namespaced":true,"kind":"ReplicaSet",` + verbs + `},{"name":"deployments/scale","singularName":"","namespaced":true,"kind":"Scale","group":"autoscaling","version":"v1",` + verbs + `}]}`,
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.who[r.Proto+" "+r.Header.Get("Authorization")] = true
	if r.Method != "GET" {
		s.changes = append(s.changes, r.Method+" "+r.URL.Path+" "+string(body))
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	p := r.URL.Path
	switch {
	case discovery[p] != "":
		fmt.Fprint(w, discovery[p])
	case strings.HasSuffix(p, "/exec"):
		s.exec(w, r)
	case strings.HasSuffix(p, "/replicasets"):
		fmt.Fprintf(w, `{"kind":"ReplicaSetList","apiVersion":"apps/v1","metadata":{},"items":[%s,%s]}`, strings.ReplaceAll(aReplicaSet, "N", "1"), strings.ReplaceAll(aReplicaSet, "N", "2"))
	case strings.HasSuffix(p, "/log"):
		w.Header().Set("Content-Type", "text/plain")
		s.stream(w, r, "line 1\n", "line 2\n")
	case strings.HasSuffix(p, "/pods") && r.URL.Query().Get("watch") != "":
		s.stream(w, r, `{"type":"ADDED","object":`+strings.ReplaceAll(aPod, "foo", "later")+"}\n", `{"type":"ADDED","object":`+strings.ReplaceAll(aPod, "foo", "latest")+"}\n")
	case strings.HasSuffix(p, "/pods") && r.Method == "GET":
		fmt.Fprint(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[`+aPod+`]}`)
	case strings.HasSuffix(p, "/scale"):
		fmt.Fprint(w, `{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"web","namespace":"web"},"spec":{"replicas":3}}`)
	case strings.HasSuffix(p, "/deployments/web"):
		fmt.Fprint(w, aDeployment)
	case strings.HasSuffix(p, "/pods/foo") && r.Method == "DELETE":
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}`)
	case strings.HasSuffix(p, "/pods/foo"), strings.HasSuffix(p, "/pods"):
		fmt.Fprint(w, aPod)
	case strings.HasSuffix(p, "selfsubjectaccessreviews"):
		fmt.Fprint(w, `{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}`)
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"NotFound","code":404,"message":"there is nothing here"}`)
	}
}

// exec runs a command that says its arguments, by WebSocket: the first byte of each message is its channel.
func (s *Server) exec(w http.ResponseWriter, r *http.Request) {
	k, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"v5.channel.k8s.io"}})
	if err != nil {
		return
	}
	defer k.CloseNow()
	for _, m := range []string{"\x01" + strings.Join(r.URL.Query()["command"], " ") + "\n", "\x03" + `{"metadata":{},"status":"Success"}`} {
		if k.Write(r.Context(), websocket.MessageBinary, []byte(m)) != nil {
			return
		}
	}
	_ = k.Close(websocket.StatusNormalClosure, "")
}

// stream sends one piece after the other, each when the test says so.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, pieces ...string) {
	for _, p := range pieces {
		fmt.Fprint(w, p)
		w.(http.Flusher).Flush()
		select {
		case <-s.Next:
		case <-r.Context().Done():
			return
		}
	}
}

// Who are the versions of HTTP and the credentials with which requests have arrived: "HTTP/2.0 Bearer …".
func (s *Server) Who() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.who))
}

// Changed is what has arrived that changes something: METHOD PATH BODY, a line for each.
func (s *Server) Changed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.changes, "\n")
}
