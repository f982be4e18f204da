package apiserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

// selector is what labelSelector and fieldSelector want: labels that are equal, and the name.
func selector(labels, fields string) func(object) bool {
	return func(o object) bool {
		have, _ := meta(o)["labels"].(object)
		for _, s := range split(labels) {
			name, value, ok := strings.Cut(strings.Replace(s, "==", "=", 1), "=")
			if ok && have[name] != value || !ok && have[name] == nil {
				return false
			}
		}
		for _, s := range split(fields) {
			if name, value, _ := strings.Cut(s, "="); name != "metadata.name" || meta(o)["name"] != value {
				return false
			}
		}
		return true
	}
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// watch streams changes, from a version on.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, t *target, wanted func(object) bool) {
	from, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	stream := json.NewEncoder(w)
	for {
		events, more := s.store.since(from)
		for _, e := range events {
			from, _ = strconv.Atoi(text(meta(e.Object), "resourceVersion"))
			if e.at.collection != t.key().collection || t.namespace != "" && e.at.namespace != t.namespace || !wanted(e.Object) {
				continue
			}
			if stream.Encode(e) != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
		select {
		case <-more:
		case <-r.Context().Done():
			return
		}
	}
}

// log has two lines. Who follows it gets each when the test says so.
func (s *Server) log(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	follow := r.URL.Query().Get("follow") == "true"
	for _, line := range []string{"line 1\n", "line 2\n"} {
		fmt.Fprint(w, line)
		w.(http.Flusher).Flush()
		if !follow {
			continue
		}
		select {
		case <-s.Next:
		case <-r.Context().Done():
			return
		}
	}
}

const revision = "deployment.kubernetes.io/revision"

// rollOut does at once what a cluster does for a deployment: a set of replicas for each pod template that it has had, and everything is as it is wanted.
func (s *Server) rollOut(t *target, d object) object {
	spec, _ := d["spec"].(object)
	template, _ := spec["template"].(object)
	sets, _ := s.store.list("apps/v1/replicasets", t.namespace, func(o object) bool { return strings.HasPrefix(text(meta(o), "name"), t.name+"-") })
	last := 0
	var same object
	for _, v := range sets {
		o := v.(object)
		annotations, _ := meta(o)["annotations"].(object)
		n, _ := strconv.Atoi(text(annotations, revision))
		last = max(last, n)
		if setSpec, _ := o["spec"].(object); reflect.DeepEqual(unhashed(setSpec["template"]), unhashed(template)) {
			same = o
		}
	}
	annotations, _ := meta(d)["annotations"].(object)
	if annotations == nil {
		annotations = object{}
	}
	current := text(annotations, revision)
	was := ""
	if same != nil {
		have, _ := meta(same)["annotations"].(object)
		was = text(have, revision)
	}
	if same == nil || was != current {
		current = strconv.Itoa(last + 1)
		name := t.name + "-" + current
		if same != nil {
			name = text(meta(same), "name")
		}
		hashed := clone(template)
		labels, _ := meta(hashed)["labels"].(object)
		labels["pod-template-hash"] = strings.TrimPrefix(name, t.name+"-")
		s.store.put(key{"apps/v1/replicasets", t.namespace, name}, object{"kind": "ReplicaSet", "apiVersion": "apps/v1",
			"metadata": object{"annotations": object{revision: current}, "labels": labels, "ownerReferences": []any{object{"apiVersion": "apps/v1", "kind": "Deployment", "name": t.name, "uid": meta(d)["uid"], "controller": true}}},
			"spec":     object{"replicas": spec["replicas"], "selector": spec["selector"], "template": hashed}})
		annotations[revision] = current
		meta(d)["annotations"] = annotations
	}
	d["status"] = object{"observedGeneration": meta(d)["generation"], "replicas": spec["replicas"], "updatedReplicas": spec["replicas"], "readyReplicas": spec["replicas"], "availableReplicas": spec["replicas"]}
	return s.store.put(t.key(), d)
}

// unhashed is a pod template without what the cluster adds.
func unhashed(template any) object {
	o, _ := template.(object)
	o = clone(o)
	if labels, ok := meta(o)["labels"].(object); ok {
		delete(labels, "pod-template-hash")
	}
	return o
}
