package head

// same are the field lines of the request before. A client nearly always sends the same ones again: then they are compared and not read, and
// what they were found to be holds, since it follows from their bytes.
type same struct {
	lines []byte // with the empty line; none: they cannot stand for others
	at    int    // where they stood
	count int    // of fields
}

// maxSame is how many bytes of field lines are kept.
const maxSame = 4 << 10

// forget is called before field lines are read anew.
func (r *Request) forget() {
	r.same.lines = r.same.lines[:0]
	r.Block++
}

// keep remembers the field lines that stand at i. Only those are worth it, and free of the request line, that come in a request as nearly all are:
// HTTP/1.1, origin-form, without a body and without a wish for another protocol.
func (r *Request) keep(p []byte, i int) {
	const special = 1<<TransferEncoding | 1<<Upgrade | 1<<HTTP2Settings | 1<<Expect
	if r.Form != Origin || r.Minor != 1 || r.Length > 0 || r.Upgrades || r.seen&special != 0 || r.Size-i > maxSame {
		return
	}
	k := &r.same
	k.lines, k.at, k.count = append(k.lines, p[i:r.Size]...), i, r.Count
}

// again reports whether the field lines at i are those of the request before. They are taken over then.
func (r *Request) again(p []byte, i int) bool {
	k := &r.same
	n := len(k.lines)
	if n == 0 || len(p)-i < n || r.Form != Origin || r.Minor != 1 || !sameBytes(p[i:i+n], k.lines) {
		return false
	}
	r.Size, r.Count = i+n, k.count
	if by := uint32(i - k.at); by != 0 {
		k.at = i
		all := r.All[:k.count]
		for j := range all {
			f := &all[j]
			f.Name.Start += by
			f.Name.End += by
			f.Value.Start += by
			f.Value.End += by
		}
	}
	r.Authority = r.value(Host)
	return true
}
