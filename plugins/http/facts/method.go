package facts

import "github.com/sallyport-dev/sallyport/sdk/abi"

// ClassOf is the class of a method by RFC 9110 and WebDAV; one that is not known is opaque.
func ClassOf(method []byte) abi.Class {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "SEARCH", "QUERY":
		return abi.ClassRead
	case "POST", "PUT", "PATCH", "MKCOL", "COPY", "PROPPATCH", "LOCK", "UNLOCK", "MKCALENDAR", "LINK", "BIND", "REBIND", "VERSION-CONTROL",
		"CHECKIN", "CHECKOUT", "UNCHECKOUT", "UPDATE", "LABEL", "MERGE", "BASELINE-CONTROL", "MKACTIVITY", "MKWORKSPACE", "ORDERPATCH", "ACL":
		return writing(method)
	case "DELETE", "MOVE", "UNLINK", "UNBIND", "PURGE":
		return abi.ClassDelete
	case "TRACE":
		return abi.ClassAdmin
	}
	return abi.ClassOpaque // CONNECT too: what goes through a tunnel cannot be read
}

// writing tells those that change rights from those that change contents.
func writing(method []byte) abi.Class {
	if string(method) == "ACL" {
		return abi.ClassAdmin
	}
	return abi.ClassWrite
}

// Raise is what an endpoint's options make of classes: methods that count as graver.
type Raise struct {
	methods []string
	classes []abi.Class
}

// Of is the class of a method that counts as class otherwise.
func (r *Raise) Of(method []byte, class abi.Class) abi.Class {
	for i, m := range r.methods {
		if m == string(method) {
			return max(class, r.classes[i])
		}
	}
	return class
}
