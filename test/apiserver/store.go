package apiserver

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// object is one of Kubernetes' objects, as JSON has it.
type object = map[string]any

// key is where an object is: /api/v1/namespaces/web/pods/foo.
type key struct{ collection, namespace, name string }

// event is a change, as watches have it.
type event struct {
	Type   string `json:"type"` // ADDED, MODIFIED, DELETED
	Object object `json:"object"`
	at     key
}

// store holds objects and tells watchers of their changes.
type store struct {
	mu      sync.Mutex
	objects map[key]object
	version int
	history []event
	changed chan struct{} // closed and made anew with each change
}

func newStore() *store { return &store{objects: map[key]object{}, changed: make(chan struct{})} }

// clone is a copy of JSON.
func clone(o object) object {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err) // it came from JSON
	}
	var c object
	if err := json.Unmarshal(b, &c); err != nil {
		panic(err)
	}
	return c
}

// meta is the metadata of an object, which has one from then on.
func meta(o object) object {
	m, ok := o["metadata"].(object)
	if !ok {
		m = object{}
		o["metadata"] = m
	}
	return m
}

func text(o object, field string) string {
	s, _ := o[field].(string)
	return s
}

// get returns a copy.
func (s *store) get(k key) (object, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[k]
	if !ok {
		return nil, false
	}
	return clone(o), true
}

// put stores an object, new or changed, and returns it as it is then.
func (s *store) put(k key, o object) object {
	s.mu.Lock()
	defer s.mu.Unlock()
	o = clone(o)
	old, had := s.objects[k]
	m := meta(o)
	s.version++
	m["resourceVersion"], m["name"] = strconv.Itoa(s.version), k.name
	if k.namespace != "" {
		m["namespace"] = k.namespace
	}
	if had {
		m["uid"], m["creationTimestamp"] = meta(old)["uid"], meta(old)["creationTimestamp"]
		generation, _ := meta(old)["generation"].(float64)
		if fmt.Sprint(old["spec"]) != fmt.Sprint(o["spec"]) {
			generation++
		}
		m["generation"] = generation
	} else {
		m["uid"], m["creationTimestamp"], m["generation"] = fmt.Sprintf("uid-%d", s.version), "2026-01-02T03:04:05Z", float64(1)
	}
	o = clone(o)
	s.objects[k] = o
	s.tell(event{map[bool]string{false: "ADDED", true: "MODIFIED"}[had], clone(o), k})
	return clone(o)
}

// remove deletes an object, and reports whether there was one.
func (s *store) remove(k key) (object, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[k]
	if !ok {
		return nil, false
	}
	delete(s.objects, k)
	s.version++
	meta(o)["resourceVersion"] = strconv.Itoa(s.version)
	s.tell(event{"DELETED", clone(o), k})
	return o, true
}

// tell keeps a change for watchers. mu is held.
func (s *store) tell(e event) {
	s.history = append(s.history, e)
	close(s.changed)
	s.changed = make(chan struct{})
}

// list are the objects of a collection, in one namespace or all, that the selectors match.
func (s *store) list(collection, namespace string, wanted func(object) bool) (items []any, version int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slices.SortedFunc(maps.Keys(s.objects), func(a, b key) int { return strings.Compare(a.namespace+"/"+a.name, b.namespace+"/"+b.name) }) {
		if k.collection == collection && (namespace == "" || k.namespace == namespace) && wanted(s.objects[k]) {
			items = append(items, clone(s.objects[k]))
		}
	}
	return items, s.version
}

// since are the changes behind a version, and what is closed when there are more.
func (s *store) since(from int) (events []event, more <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.history {
		if v, _ := strconv.Atoi(text(meta(e.Object), "resourceVersion")); v > from {
			events = append(events, e)
		}
	}
	return events, s.changed
}
