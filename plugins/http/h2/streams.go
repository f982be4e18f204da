package h2

import "github.com/sallyport-dev/sallyport/sdk/abi"

// state is how far a stream is.
type state uint8

const (
	fresh     state = iota // its header was read
	gathering              // its body is read before it is asked about
	undecided              // it was asked about
	held                   // a person is asked
	open                   // it has a number at the upstream
)

// stream is one request and its response.
type stream struct {
	agent, upstream uint32 // its numbers; at the upstream 0 before it is allowed
	action          uint32
	state           state

	agentDone    bool // the agent has ended its side
	endSent      bool // and the upstream knows
	upstreamDone bool
	answered     bool // the final response has begun
	headOnly     bool // the method is HEAD
	grpc         bool
	noted        bool  // the response's status is put on record
	known        bool  // gathering: the body is whole
	hashes       bool  // and it is read for a signature
	length       int64 // bytes of the body that are to come by its Content-Length; -1: none is given

	reply int64 // bytes of the response's body that are to come by its Content-Length; -1: none is given

	// Flow control, see windows.
	takes, granted int64 // what the upstream takes; what the agent may send
	wants, offered int64 // what the agent takes; what the upstream may send

	result  *result // its answer, while that is looked at
	title   string  // what it was asked about with, where answers are looked at
	class   abi.Class
	endless bool // its answer has no end

	limit    int    // gathering: bytes of the body that are read at most
	block    []byte // the header block, while it waits,
	secretAt places // and where secrets belong in it
	body     []byte // of the agent, that were not sent on,
	sent     int    // up to here they were
	trailers []byte // the block of its trailers, while it waits
	request  *kept  // gathering: what it is asked about with
	placed   bool   // the placeholder was in its header, and the secret took its place
	hash     string // what stands for the body in a signature
	about    string // what a dialect says of the request
	signing  []byte // what is signed, while it waits
}

// largeBuffer is the size in bytes from which on a stream's buffer is given back.
const largeBuffer = 16 << 10

// reset makes it ready for another request.
func (st *stream) reset() {
	block, body, trailers, signing := reuse(st.block), reuse(st.body), reuse(st.trailers), reuse(st.signing)
	*st = stream{block: block, body: body, trailers: trailers, signing: signing, request: st.request}
}

func reuse(b []byte) []byte {
	if cap(b) > largeBuffer {
		return nil
	}
	return b[:0]
}

// waiting reports whether bytes of its body are kept here.
func (st *stream) waiting() bool { return st.sent < len(st.body) }

// streams are those of one connection, found by either number.
type streams struct {
	slots  [maxStreams]stream
	free   [maxStreams]uint8
	unused int // how many of free
	agent  index
	other  index
}

func (t *streams) init() {
	for i := range t.free {
		t.free[i] = uint8(maxStreams - 1 - i)
	}
	t.unused = maxStreams
}

// byAgent finds a stream by the agent's number; nil: there is none.
func (t *streams) byAgent(id uint32) *stream { return t.at(t.agent.find(id)) }

// byUpstream finds a stream by the upstream's number.
func (t *streams) byUpstream(id uint32) *stream { return t.at(t.other.find(id)) }

func (t *streams) at(slot int) *stream {
	if slot < 0 {
		return nil
	}
	return &t.slots[slot]
}

// byAction finds a held stream.
func (t *streams) byAction(id uint32) *stream {
	for i := range t.slots {
		if st := &t.slots[i]; st.agent != 0 && st.state == held && st.action == id {
			return st
		}
	}
	return nil
}

// add makes one; nil: there are too many.
func (t *streams) add(id uint32) *stream {
	if t.unused == 0 {
		return nil
	}
	t.unused--
	slot := t.free[t.unused]
	t.agent.put(id, slot)
	st := &t.slots[slot]
	st.agent = id
	return st
}

// number gives it a number at the upstream.
func (t *streams) number(st *stream, id uint32) {
	st.upstream = id
	t.other.put(id, uint8(t.agent.find(st.agent)))
}

// remove forgets one.
func (t *streams) remove(st *stream) {
	slot := t.agent.remove(st.agent)
	if st.upstream != 0 {
		t.other.remove(st.upstream)
	}
	st.reset()
	t.free[t.unused] = uint8(slot)
	t.unused++
}

// index finds slots by stream numbers, which follow each other: open addressing, no more than half full.
type index struct {
	keys   [indexSize]uint32 // 0: free
	slots  [indexSize]uint8
	astray int // how many do not stand at home: numbers that follow each other all do
}

const indexSize = 256

func home(id uint32) uint32 { return (id >> 1) % indexSize }

// find is the slot of id; -1: there is none.
func (x *index) find(id uint32) int {
	for i := home(id); x.keys[i] != 0; i = (i + 1) % indexSize {
		if x.keys[i] == id {
			return int(x.slots[i])
		}
	}
	return -1
}

func (x *index) put(id uint32, slot uint8) {
	i := home(id)
	if x.keys[i] != 0 {
		x.astray++
	}
	for x.keys[i] != 0 {
		i = (i + 1) % indexSize
	}
	x.keys[i], x.slots[i] = id, slot
}

// remove forgets id and moves what stands behind it up.
func (x *index) remove(id uint32) (slot int) {
	i := home(id)
	for x.keys[i] != id {
		if x.keys[i] == 0 {
			return -1
		}
		i = (i + 1) % indexSize
	}
	slot = int(x.slots[i])
	if x.astray == 0 {
		x.keys[i] = 0
		return slot
	}
	if i != home(id) {
		x.astray--
	}
	for j := (i + 1) % indexSize; x.keys[j] != 0; j = (j + 1) % indexSize {
		if (j-home(x.keys[j]))%indexSize >= (j-i)%indexSize {
			if i == home(x.keys[j]) {
				x.astray--
			}
			x.keys[i], x.slots[i] = x.keys[j], x.slots[j]
			i = j
		}
	}
	x.keys[i] = 0
	return slot
}
