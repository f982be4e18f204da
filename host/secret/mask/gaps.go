package mask

import "bytes"

// A server sends a body in pieces, and what stands between two of them may stand in the middle of a secret: the end of a chunk and the size of the next one
// (RFC 9112 section 7.1), or the head of a frame of HTTP/2 that goes on with what the one before began (RFC 9113 sections 6.1 and 6.10). Such a gap does not hide a secret
// from whoever puts the pieces together, so it is looked across. Nothing here needs to know what is spoken: what looks like a gap inside of a secret is one.

const (
	// maxGap is how long a gap can be, in bytes, and mostGaps how many there can be in one secret.
	maxGap   = 2 + 16 + 2
	mostGaps = 8
	// frameHead is the size of a frame's head.
	frameHead = 9
)

// gapAt is the length of the gap that p begins with; 0: there is none. open: there is not enough of p to tell.
func gapAt(p []byte) (n int, open bool) {
	if len(p) == 0 {
		return 0, true
	}
	switch p[0] {
	case '\r':
		return chunkGap(p)
	case 0:
		return frameGap(p)
	}
	return 0, false
}

// chunkGap is the end of a chunk and the size of the next.
func chunkGap(p []byte) (n int, open bool) {
	const end = "\r\n"
	switch {
	case len(p) < 2:
		return 0, true
	case p[1] != '\n':
		return 0, false
	}
	i := 2
	for i < len(p) && i < maxGap-1 && hexDigit(p[i]) {
		i++
	}
	switch {
	case i == len(p):
		return 0, true
	case i == 2 || p[i] != '\r':
		return 0, false
	case i+1 == len(p):
		return 0, true
	case p[i+1] != '\n':
		return 0, false
	}
	return i + len(end), false
}

func hexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// frameGap is the head of DATA or CONTINUATION of at most 16 KiB, which is what the gateway takes.
func frameGap(p []byte) (n int, open bool) {
	const (
		data, continuation   = 0, 9
		endStream, endHeader = 1, 4
		most                 = 0x40 // of the length's second byte
	)
	if len(p) > 1 && p[1] > most {
		return 0, false
	}
	if len(p) > 3 && p[3] != data && p[3] != continuation {
		return 0, false
	}
	if len(p) > 4 && (p[3] == data && p[4]&^endStream != 0 || p[3] == continuation && p[4]&^endHeader != 0) {
		return 0, false
	}
	if len(p) > 5 && p[5]&0x80 != 0 {
		return 0, false
	}
	if len(p) < frameHead {
		return 0, true
	}
	if p[5]|p[6]|p[7]|p[8] == 0 { // of no stream
		return 0, false
	}
	return frameHead, false
}

// pieces are the parts of a secret that was cut: where they stand.
type pieces struct {
	list [mostGaps + 1]span
	n    int
}

// across follows pattern q, of which the first k bytes stand before p[at], where a gap begins. found: it is there to its end. open: p ends before that is known,
// and so many bytes of it are there.
func across(q, p []byte, at, k int, out *pieces) (found bool, open int) {
	out.list[0], out.n = span{at - k, at, Mark}, 1
	for {
		n, may := gapAt(p[at:])
		switch {
		case out.n > mostGaps, n == 0 && !may:
			return false, 0
		case n == 0:
			return false, k
		}
		at += n
		from := at
		for at < len(p) && k < len(q) && p[at] == q[k] {
			at++
			k++
		}
		out.list[out.n] = span{from, at, Mark}
		out.n++
		switch {
		case k == len(q):
			return true, 0
		case at == len(p):
			return false, k
		}
	}
}

// eachGap hands on every place in p where a gap may begin, behind a byte that a pattern has.
func (s *Set) eachGap(p []byte, each func(at int)) {
	for _, first := range [...]byte{'\r', 0} {
		for i := 1; i < len(p); i++ {
			n := bytes.IndexByte(p[i:], first)
			if n < 0 {
				break
			}
			if i += n; s.cutBehind[p[i-1]] != nil {
				each(i)
			}
			if s.cutBehind[first] == nil { // what stands in a row of them begins no gap that cuts anything
				for i+1 < len(p) && p[i+1] == first {
					i++
				}
			}
		}
	}
}

// cut is a place in a pattern: so many bytes of it stand before.
type cut struct{ pattern, before int }

// cuts notes where each pattern can be cut, by the byte before. What is in Huffman code is left out: it stands in a header, which comes in one piece.
func (s *Set) cuts() {
	for i, q := range s.patterns {
		if s.marks[i] != Mark {
			continue
		}
		for k := len(q) - 1; k > 0; k-- {
			s.cutBehind[q[k-1]] = append(s.cutBehind[q[k-1]], cut{i, k})
		}
	}
}

// eachCut hands on every pattern of which the first k bytes stand before p[at].
func (s *Set) eachCut(p []byte, at int, each func(q []byte, k int)) {
	for _, c := range s.cutBehind[p[at-1]] {
		q, k := s.patterns[c.pattern], c.before
		if k <= at && p[at-k] == q[0] && bytes.Equal(p[at-k:at], q[:k]) {
			each(q, k)
		}
	}
}

// findCut reports the pieces of every pattern in p that is cut by gaps.
func (s *Set) findCut(p []byte, found func(list []span)) {
	var out pieces
	s.eachGap(p, func(at int) {
		if n, _ := gapAt(p[at:]); n == 0 {
			return
		}
		s.eachCut(p, at, func(q []byte, k int) {
			if ok, _ := across(q, p, at, k, &out); ok {
				found(out.list[:out.n])
			}
		})
	})
}

// beginningCut is the length of the longest end of p that may be the beginning of a pattern that is cut by gaps.
func (s *Set) beginningCut(p []byte) (longest int) {
	var out pieces
	p = p[max(0, len(p)-s.reach()):]
	s.eachGap(p, func(at int) {
		if n, open := gapAt(p[at:]); n == 0 && !open {
			return
		}
		s.eachCut(p, at, func(q []byte, k int) {
			if _, open := across(q, p, at, k, &out); open > loose {
				longest = max(longest, len(p)-at+k)
			}
		})
	})
	return longest
}

// reach is how much of a stream a pattern can take, its gaps included, without its last byte.
func (s *Set) reach() int { return s.longest - 1 + mostGaps*maxGap }
