package apiserver

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// Media types of patches.
const (
	jsonPatch      = "application/json-patch+json"
	mergePatch     = "application/merge-patch+json"
	strategicPatch = "application/strategic-merge-patch+json"
	applyPatch     = "application/apply-patch+yaml"
)

// patched is an object with a patch carried out. Strategic and applied ones merge lists of objects by their name or port, which is what the types that are here want.
func patched(o object, mediaType string, body []byte) (object, error) {
	o = clone(o)
	switch mediaType {
	case jsonPatch:
		return jsonPatched(o, body)
	case mergePatch, strategicPatch, applyPatch:
		var p object
		if err := yaml.Unmarshal(body, &p); err != nil {
			return nil, err
		}
		merged, _ := merged(o, p, mediaType != mergePatch).(object)
		return clone(merged), nil
	}
	return nil, fmt.Errorf("the body of the request was in an unknown format - accepted media types include: %s", strings.Join([]string{jsonPatch, mergePatch, strategicPatch, applyPatch}, ", "))
}

// merged is RFC 7396, and with lists the strategic form of Kubernetes.
func merged(old, patch any, lists bool) any {
	switch p := patch.(type) {
	case object:
		o, ok := old.(object)
		if !ok || text(p, "$patch") == "replace" {
			o = object{}
		}
		for name, v := range p {
			switch {
			case strings.HasPrefix(name, "$"):
			case v == nil:
				delete(o, name)
			default:
				o[name] = merged(o[name], v, lists)
			}
		}
		return o
	case []any:
		if o, ok := old.([]any); ok && lists && named(p) != "" {
			return mergedList(o, p, named(p))
		}
	}
	return patch
}

// named is the field that the objects of a list are known by; empty: it is replaced as a whole.
func named(list []any) string {
	for _, field := range []string{"name", "containerPort", "port", "type"} {
		if len(list) > 0 && !slices.ContainsFunc(list, func(v any) bool { o, ok := v.(object); return !ok || o[field] == nil }) {
			return field
		}
	}
	return ""
}

func mergedList(old, patch []any, field string) []any {
	for _, v := range patch {
		p := v.(object)
		i := slices.IndexFunc(old, func(v any) bool { o, ok := v.(object); return ok && reflect.DeepEqual(o[field], p[field]) })
		switch {
		case i >= 0 && text(p, "$patch") == "delete":
			old = slices.Delete(old, i, i+1)
		case i >= 0:
			old[i] = merged(old[i], p, true)
		default:
			old = append(old, merged(object{}, p, true))
		}
	}
	return old
}

// jsonPatched carries out add, replace, remove and test (RFC 6902).
func jsonPatched(o object, body []byte) (object, error) {
	var operations []struct {
		Op, Path string
		Value    any
	}
	if err := json.Unmarshal(body, &operations); err != nil {
		return nil, err
	}
	for _, op := range operations {
		path := strings.Split(op.Path, "/")[1:]
		for i := range path {
			path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(path[i])
		}
		changed, err := at(o, path, op.Op, op.Value)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", op.Op, op.Path, err)
		}
		o, _ = changed.(object)
	}
	return clone(o), nil
}

// at changes what stands at a path, and returns what then holds it.
func at(in any, path []string, op string, value any) (any, error) {
	if len(path) == 0 {
		if op == "test" && !reflect.DeepEqual(in, value) {
			return nil, fmt.Errorf("the value is another one")
		}
		if op == "test" {
			return in, nil
		}
		return value, nil
	}
	switch c := in.(type) {
	case object:
		if op == "remove" && len(path) == 1 {
			delete(c, path[0])
			return c, nil
		}
		v, err := at(c[path[0]], path[1:], op, value)
		c[path[0]] = v
		return c, err
	case []any:
		i, err := strconv.Atoi(path[0])
		switch {
		case path[0] == "-":
			return append(c, value), nil
		case err != nil || i < 0 || i >= len(c):
			return nil, fmt.Errorf("there is no element %s", path[0])
		case op == "remove" && len(path) == 1:
			return slices.Delete(c, i, i+1), nil
		case op == "add" && len(path) == 1:
			return slices.Insert(c, i, value), nil
		}
		c[i], err = at(c[i], path[1:], op, value)
		return c, err
	}
	return nil, fmt.Errorf("there is nothing at %q", path[0])
}
