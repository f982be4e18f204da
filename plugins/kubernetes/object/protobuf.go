package object

import "unicode/utf8"

// magic is what Kubernetes' protobuf begins with; behind it stands runtime.Unknown: typeMeta (apiVersion, kind), raw, contentEncoding, contentType.
const magic = "k8s\x00"

// Fields of the messages that are read. Every kind of object has its ObjectMeta in field 1.
const (
	unknownType     = 1
	unknownRaw      = 2
	unknownEncoding = 3
	unknownMedia    = 4
	typeKind        = 2
	objectMeta      = 1
	metaName        = 1
	metaNamespace   = 3
	metaLabels      = 11
	entryKey        = 1
	entryValue      = 2
)

// readProtobuf reads the name, the namespace and the labels of an object: what else there is has no names in protobuf, so its values stay unknown.
func readProtobuf(body []byte) Object {
	if len(body) < len(magic) || string(body[:len(magic)]) != magic {
		return Object{}
	}
	var o Object
	var raw, meta []byte
	var raws, metas int
	ok := fields(body[len(magic):], func(n uint64, v []byte) bool {
		switch n {
		case unknownType:
			return fields(v, func(n uint64, v []byte) bool { return n != typeKind || once(&o.Kind, v) })
		case unknownRaw:
			raw, raws = v, raws+1
		case unknownEncoding, unknownMedia:
			return len(v) == 0
		}
		return true
	})
	if !ok || raws != 1 || o.Kind == "" || !hasMeta(o.Kind) {
		return Object{}
	}
	ok = fields(raw, func(n uint64, v []byte) bool {
		if n == objectMeta {
			meta, metas = v, metas+1
		}
		return true
	})
	if !ok || metas > 1 { // parsers put two of them together
		return Object{}
	}
	ok = fields(meta, func(n uint64, v []byte) bool {
		switch n {
		case metaName:
			return once(&o.Name, v)
		case metaNamespace:
			return once(&o.Namespace, v)
		case metaLabels:
			var key, value string
			if !fields(v, func(n uint64, v []byte) bool {
				return n != entryKey && n != entryValue || n == entryKey && once(&key, v) || n == entryValue && once(&value, v)
			}) {
				return false
			}
			o.Labels = append(o.Labels, key+"="+value)
		}
		return true
	})
	if !ok {
		return Object{}
	}
	o.Named = true
	return o
}

// hasMeta reports kinds that are objects: options and reviews of the machinery are not.
func hasMeta(kind string) bool {
	switch kind {
	case "DeleteOptions", "CreateOptions", "UpdateOptions", "PatchOptions", "ListOptions", "GetOptions", "Status", "List", "WatchEvent":
		return false
	}
	return len(kind) < 5 || kind[len(kind)-4:] != "List"
}

// once takes a string that may be there once, and is text.
func once(to *string, v []byte) bool {
	if *to != "" || !utf8.Valid(v) {
		return false
	}
	*to = string(v)
	return true
}

// fields shows the fields of a message that have a length; others are walked over. It reports whether the message was read to its end.
func fields(p []byte, f func(n uint64, v []byte) bool) bool {
	for len(p) > 0 {
		tag, size := varint(p)
		if size == 0 || tag>>3 == 0 {
			return false
		}
		p = p[size:]
		switch tag & 7 {
		case 0:
			if _, size = varint(p); size == 0 {
				return false
			}
			p = p[size:]
		case 1, 5:
			size = 8
			if tag&7 == 5 {
				size = 4
			}
			if len(p) < size {
				return false
			}
			p = p[size:]
		case 2:
			n, size := varint(p)
			if size == 0 || n > uint64(len(p)-size) {
				return false
			}
			if !f(tag>>3, p[size:size+int(n)]) {
				return false
			}
			p = p[size+int(n):]
		default:
			return false
		}
	}
	return true
}

// varint reads a number; size 0: there is none.
func varint(p []byte) (v uint64, size int) {
	for i := 0; i < len(p) && i < 10; i++ {
		v |= uint64(p[i]&0x7f) << (7 * i)
		if p[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
