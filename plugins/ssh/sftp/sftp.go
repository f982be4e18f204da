// Package sftp follows one conversation of SFTP, version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's extensions (its file PROTOCOL, section 4), between an
// agent and a server.
//
// # What is asked
//
// Every request that names a path is asked about, with the path as sent and normalised. Opening a file says whether it is for reading or for writing; what is done with the handle that the server
// gives for it passes without a question, but for the attributes that are set by it. File data of a handle whose turn it is need not come here at all
// (Transfers): then the conversation is the one that is left without those requests and their answers.
//
// # Order
//
// Requests are read one after the other: while one is undecided those behind it wait. The answer to one that was denied comes behind the answers to those before it,
// as a status SSH_FX_PERMISSION_DENIED with the reason.
//
// # Versions
//
// A client that asks for a version above 3 is taken to ask for 3, which every client of versions 4 to 6 must be content with; a server that answers with another one
// ends the conversation.
package sftp

import (
	"encoding/binary"
	"slices"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Version is the version that is spoken.
const Version = 3

// Limits.
const (
	maxPacket      = 48 << 10 // of what is read whole, in bytes: less than may be written under an action that was asked about just now
	maxData        = 1 << 20  // of a packet with file data
	maxHandle      = 256      // of a handle; the draft's own limit
	maxHandles     = 1024
	maxOutstanding = 2048 // requests that wait for an answer
	maxSeen        = 1024 // of an answer that is looked at
	maxText        = 1 << 10
)

// Kind says what becomes of the bytes that a Step is about.
type Kind uint8

// Kinds.
const (
	// Forward: they may go on; Packet in place of them, when that is not nil.
	Forward Kind = iota
	// Kept: they are the beginning of a packet that is read whole.
	Kept
	// Ask: a packet ends with them, and Request says what it wants. Nothing more of the agent is read before Decide.
	Ask
	// Dropped: they are dropped; an answer of the gateway may be ready.
	Dropped
	// Broken: this is not SFTP; Problem says why.
	Broken
)

// Step is what Agent says.
type Step struct {
	Kind    Kind
	N       int // bytes that it is about
	Packet  []byte
	Forget  int // bytes that were kept before and are dropped with these
	Problem string
}

// Request is a request that is asked about.
type Request struct {
	Operation string
	Class     abi.Class
	// Path is what the request names, as sent; Target is the second path of a rename or a link: what is made.
	Path, Target string
	// Handle says that the request named a handle, and Path is what that was opened as.
	Handle bool
	Write  bool // open: for writing
	Read   bool // open: for reading
}

// Mute reports whether the server answers the request with a status and nothing else, so that nothing of what it holds comes back.
func (r *Request) Mute() bool {
	switch r.Operation {
	case "open":
		return r.Write && !r.Read
	case "remove", "rmdir", "mkdir", "rename", "hardlink", "symlink", "setstat", "lsetstat", "fsetstat":
		return true
	}
	return false
}

// pending is a request that has no answer yet.
type pending struct {
	id       uint32
	kind     byte
	done     bool   // answered, but not all before it
	local    bool   // by the gateway, when its turn comes
	path     string // open, opendir: what the handle will stand for
	code     uint32
	text     string
	start    bool // realpath of the folder that the conversation starts in
	answered func(code uint32)
}

// Conversation is one.
type Conversation struct {
	begun, spoken bool   // INIT, VERSION
	packet        []byte // what was kept of the agent's packet
	rest          uint64 // bytes of the agent's packet that pass, or are dropped
	dropping      bool
	asked         bool
	request       Request
	handles       map[string]string // to the path that they were opened as
	files         []string          // those of them that stand for files, the newest last
	home          string
	queue         []pending

	seen   []byte // of the server's packet
	upRest uint64 // bytes of it that are still to come
	length uint64
}

// New begins a conversation.
func New() *Conversation { return &Conversation{handles: map[string]string{}} }

// Request is what Agent asked about last.
func (c *Conversation) Request() *Request { return &c.request }

// Home is the folder in which the conversation starts, once the server has said it to the agent; else empty.
func (c *Conversation) Home() string { return c.home }

// Skip reports whether the agent's next n bytes are all of a packet that passes, and takes them for read.
func (c *Conversation) Skip(n uint64) bool {
	if c.dropping || c.asked || n > c.rest {
		return false
	}
	c.rest -= n
	return true
}

// SkipUpstream is the same for the server's bytes.
func (c *Conversation) SkipUpstream(n uint64) bool {
	if n >= c.upRest || len(c.seen) < maxSeen && uint64(len(c.seen)) < c.length { // the last byte of a packet is looked at
		return false
	}
	c.upRest -= n
	return true
}

// Agent reads the next bytes of the agent, at least one, up to the end of a packet.
func (c *Conversation) Agent(p []byte) Step {
	if c.asked {
		return Step{}
	}
	if c.rest > 0 {
		n := int(min(c.rest, uint64(len(p))))
		c.rest -= uint64(n)
		if c.dropping {
			return Step{Kind: Dropped, N: n}
		}
		return Step{Kind: Forward, N: n}
	}
	c.dropping = false
	before := len(c.packet)
	for {
		need, problem := c.wants()
		if problem != "" {
			return Step{Kind: Broken, Problem: problem}
		}
		if need == 0 {
			break
		}
		n := min(need, len(p)-(len(c.packet)-before))
		if n == 0 {
			return Step{Kind: Kept, N: len(p)}
		}
		at := len(c.packet) - before
		c.packet = append(c.packet, p[at:at+n]...)
	}
	s := c.read()
	s.N = len(c.packet) - before
	switch {
	case s.Kind == Forward && s.Packet == nil && before > 0:
		s.Packet = c.packet
	case s.Kind == Dropped:
		s.Forget = before
	}
	if s.Kind != Ask {
		c.packet = c.packet[:0]
	}
	return s
}

// wants is how many bytes more of a packet must be there to read it; 0: it can be read.
func (c *Conversation) wants() (n int, problem string) {
	p := c.packet
	if len(p) < 5 {
		return 5 - len(p), ""
	}
	length := binary.BigEndian.Uint32(p)
	if length == 0 {
		return 0, "sftp: an empty packet"
	}
	whole := uint64(length) + 4
	if p[4] != typeWrite {
		if whole > maxPacket {
			return 0, "sftp: a request that is too long"
		}
		return int(whole) - len(p), ""
	}
	if whole > maxData {
		return 0, "sftp: a packet of data that is too long"
	}
	head := 4 + 1 + 4 + 4
	if len(p) < head {
		return min(head, int(whole)) - len(p), ""
	}
	size := binary.BigEndian.Uint32(p[9:])
	if size > maxHandle {
		return 0, "sftp: a handle that is too long"
	}
	return max(0, min(head+int(size)+8+4, int(whole))-len(p)), ""
}

// Decide goes on with the packet that was asked about. Allowed, it is to be sent to the server; else the answer is the gateway's, and forgotten is how many bytes
// of the agent were dropped.
func (c *Conversation) Decide(allowed bool, reason string, answered func(code uint32)) (packet []byte, forgotten int) {
	c.asked = false
	last := &c.queue[len(c.queue)-1]
	packet = c.packet
	c.packet = c.packet[:0]
	if !allowed {
		last.local, last.code, last.text = true, statusDenied, cut(reason)
		return nil, len(packet)
	}
	if c.request.Class > abi.ClassRead {
		last.answered = answered
	}
	return packet, 0
}

// cut cuts a text to what an answer holds.
func cut(text string) string { return text[:min(len(text), maxText)] }

// Answers appends the gateway's answers whose turn has come.
func (c *Conversation) Answers(b []byte) []byte {
	n := 0
	for n < len(c.queue) && (c.queue[n].done || c.queue[n].local) && !(c.asked && n == len(c.queue)-1) {
		if e := &c.queue[n]; e.local {
			b = appendStatus(b, e.id, e.code, e.text)
		}
		n++
	}
	c.queue = slices.Delete(c.queue, 0, n)
	return b
}

// ready reports whether Answers has something to say.
func (c *Conversation) ready() bool {
	for i := range c.queue {
		switch e := &c.queue[i]; {
		case e.local:
			return true
		case !e.done:
			return false
		}
	}
	return false
}

// enter takes a request into the queue.
func (c *Conversation) enter(e pending) (problem string) {
	if len(c.queue) == maxOutstanding {
		return "sftp: too many requests without an answer"
	}
	for i := range c.queue {
		if q := &c.queue[i]; q.id == e.id && !q.done && !q.local {
			return "sftp: two requests of one number"
		}
	}
	c.queue = append(c.queue, e)
	return ""
}

// Upstream reads the next bytes of the server, up to the end of a packet behind which answers of the gateway are ready, and returns how many those are.
func (c *Conversation) Upstream(p []byte) (n int, problem string) {
	for n < len(p) {
		if c.upRest == 0 {
			if c.length == 0 { // the packet's length
				k := min(4-len(c.seen), len(p)-n)
				c.seen = append(c.seen, p[n:n+k]...)
				n += k
				if len(c.seen) < 4 {
					return n, ""
				}
				c.length = 4 + uint64(binary.BigEndian.Uint32(c.seen))
				c.upRest = c.length - 4
				if c.length < 5 || c.length > maxData {
					return n, "sftp: a packet of the server with a length that is out of bounds"
				}
				continue
			}
		}
		k := int(min(c.upRest, uint64(len(p)-n)))
		if room := maxSeen - len(c.seen); room > 0 {
			c.seen = append(c.seen, p[n:n+min(k, room)]...)
		}
		n += k
		if c.upRest -= uint64(k); c.upRest > 0 {
			return n, ""
		}
		problem := c.answer(c.seen[4:], c.length-4 > uint64(len(c.seen)-4))
		c.seen, c.length = c.seen[:0], 0
		if problem != "" {
			return n, problem
		}
		if c.ready() {
			return n, ""
		}
		c.queue = slices.Delete(c.queue, 0, c.over())
	}
	return n, ""
}

// over is how many of the first requests have their answer.
func (c *Conversation) over() (n int) {
	for n < len(c.queue) && c.queue[n].done {
		n++
	}
	return n
}
