package session

import (
	"bytes"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
)

// repeat is what followed from the last query packet. Clients send the same query again and again, with another ID at most: then it is not read once more, and the same is asked.
type repeat struct {
	words      []byte // the packet behind its ID; empty: it is to be read
	action     []byte // what was asked
	follows    bool   // the server's answer is read, because it may want rows
	takesRows  bool
	compressed bool
}

// maxRepeat bounds a packet that is kept, in bytes.
const maxRepeat = 4 << 10

// standing is what of a session a query can change, and what is asked depends on.
type standing struct {
	changed            int
	transaction, risky bool
}

// keep notes a packet that changes nothing of the session. What is read of a packet depends on its bytes alone, and what is asked on these and on the session.
func (r *repeat) keep(packet []byte) {
	if at := proto.BehindID(packet); at > 0 && len(packet) <= maxRepeat {
		r.words = append(r.words[:0], packet[at:]...)
	}
}

// size is that of the packet at the front of p, if it is the last one again; else 0.
func (r *repeat) size(p []byte) int {
	if len(r.words) == 0 {
		return 0
	}
	at := proto.BehindID(p)
	if at == 0 || !bytes.HasPrefix(p[at:], r.words) {
		return 0
	}
	return at + len(r.words)
}
