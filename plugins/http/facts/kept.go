package facts

import "encoding/binary"

// kept is what stays of an action for the next request with the same headers: its fields up to those that follow from the request line, which
// come last for that reason.
type kept struct {
	block           uint32 // the number of the headers; 0: they cannot stand for those of another request
	headers         int    // where they end in fields
	used, count     int    // behind what follows from the headers and the connection; 0: that was not needed yet
	tls, credential bool
	authority       []byte // in lower case, in fields
}

// Keep says that the headers taken since Begin are those with this number, not 0.
func (a *Action) Keep(block uint32) {
	if a.typed || a.rewrites || a.cut || len(a.override) > 0 || a.Dialect != nil {
		return
	}
	a.kept.block, a.kept.headers, a.kept.used = block, a.used, 0
}

// Again reports whether the headers with this number are at hand. It stands for Begin and a Header for each then.
func (a *Action) Again(block uint32) bool {
	k := &a.kept
	if k.block == 0 || k.block != block {
		return false
	}
	a.used, a.count = k.headers, 0
	a.override = ""
	return true
}

// putFront gives what follows from the headers and the connection.
func (a *Action) putFront(r *Request, simple bool) {
	k := &a.kept
	k.used = 0 // what stood there is written over
	a.endHeaders()
	a.putLower(fieldAuthority, r.Authority) // for which there is always room behind the headers
	k.authority = a.fields[a.used-len(r.Authority) : a.used]
	a.putFixed(r)
	if !simple {
		return
	}
	a.used += copy(a.fields[a.used:], nothing)
	a.count += nothingCount
	if k.block != 0 {
		k.used, k.count, k.tls, k.credential = a.used, a.count, r.TLS, r.Credential
	}
}

// recall is putFront for a request like the one before.
func (a *Action) recall(r *Request) bool {
	k := &a.kept
	if k.block == 0 || k.used == 0 || k.tls != r.TLS || k.credential != r.Credential {
		return false
	}
	a.used, a.count = k.used, k.count
	return true
}

// putLine gives what follows from the request line. It is one straight piece: in a guest each call and each branch counts.
func (a *Action) putLine(r *Request, normal []byte, ambiguous bool) {
	const heads = 4*(2+1+4) + 2 + 1 + 1
	n := heads + len(r.Method) + len(r.Path) + len(normal) + len(r.Query)
	if n > len(a.fields)-a.used {
		a.put(fieldMethod, r.Method)
		a.putBool(fieldAmbiguous, ambiguous)
		a.put(fieldPath, r.Path)
		a.put(fieldPathNormal, normal)
		a.put(fieldQuery, r.Query)
		return
	}
	b := a.fields[a.used : a.used+n]
	a.used += n
	a.count += 5
	b[0], b[1], b[2], b[3] = byte(fieldAmbiguous), 0, 1, 0
	if ambiguous {
		b[3] = 1
	}
	b = b[4:]
	put(b, fieldMethod, len(r.Method))
	b = b[7+copy(b[7:], r.Method):]
	put(b, fieldPath, len(r.Path))
	b = b[7+copy(b[7:], r.Path):]
	put(b, fieldPathNormal, len(normal))
	b = b[7+copy(b[7:], normal):]
	put(b, fieldQuery, len(r.Query))
	copy(b[7:], r.Query)
}

// put writes the head of a field that is known, of n bytes.
func put(b []byte, field uint16, n int) {
	_ = b[6]
	b[0], b[1], b[2] = byte(field), 0, 1
	binary.LittleEndian.PutUint32(b[3:], uint32(n))
}
