package session

import (
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// ask asks about the held messages, which are read by that.
func (s *Session) ask(c *sdk.Conn, k pendingKind) (read int, next step) {
	h := &s.held
	facts := h.facts
	if facts == nil && h.st != nil {
		var wait bool
		if facts, wait = s.resolve(h.st, 0); wait {
			s.stop(c)
			return 0, stepWait
		}
	}
	if k == heldPending && h.params == nil {
		h.params = h.bound()
	}
	executes := k == queryPending || h.items[len(h.items)-1].kind == itemExecute
	p := pending{kind: k, size: h.size}
	extent, flags := uint64(h.size), abi.AskQuiet
	if h.st != nil {
		p.problem = h.st.problem
		p.shadows = facts.Shadows
		if executes && len(facts.Settings) > 0 {
			p.sets = facts
		}
		// What cannot be read may turn out to be a COPY. By the extended protocol it may not: its answer can wait for the Sync behind it.
		if p.copy = executes && (h.st.copyIn || h.st.facts.Unknown && k == queryPending); p.copy {
			extent, flags = 0, abi.AskStreaming
		}
	}
	q := question{st: h.st, facts: facts, text: h.text, params: h.params, executes: executes, prepared: k == heldPending}
	if q.st == nil { // only names are closed
		q.st, q.facts = closing, closing.facts
	}
	if q.params == nil {
		q.params = noParams
	}
	p.id = s.askSQL(c, q, extent, flags)
	s.pending = p
	if flags == abi.AskQuiet {
		s.assume(c)
	}
	return p.size, stepWait
}

// bound are the values of the last Bind that is held.
func (h *held) bound() []byte {
	for i := len(h.items) - 1; i >= 0; i-- {
		if h.items[i].kind != itemBind {
			continue
		}
		if h.items[i].params == nil {
			return unknownParams
		}
		return h.items[i].params
	}
	return noParams
}

// pending is what the last ASK was about.
type pending struct {
	kind pendingKind
	size int
	id   uint32
	copy bool
	// problem is why it could not be read, hint what to do about it, and code the SQLSTATE of its denial when that is not 42501.
	problem, hint, code string
	// shadows: it could put another schema before pg_catalog, see settings.
	shadows bool
	sets    *sqlfacts.Facts // what it sets, nil for most
	// quiet: what its being allowed means has been done already, and undo says what has to be taken back if it is not.
	quiet bool
	undo  undo
	// hold: a person is asked. canceled: the agent has taken it back meanwhile.
	hold, canceled bool
}

type pendingKind uint8

const (
	nothingPending pendingKind = iota
	connectPending
	queryPending
	functionPending
	heldPending
	replicationPending
)

// undo is how the session was before a question that nobody has answered yet was taken for allowed.
type undo struct {
	pushed            int // items of the queue
	changed           int // length of the list of changes
	settled, shadowed bool
	unnamed           bool // see held
	sync              bool // a Sync behind it was read as well
}

// assume does what follows from the quiet question being allowed, which is nearly always so.
func (s *Session) assume(c *sdk.Conn) {
	p := &s.pending
	p.quiet = true
	p.undo = undo{pushed: len(s.held.items), changed: len(s.changed), settled: s.settled, shadowed: s.settings.shadowed, unnamed: s.held.unnamed}
	s.granting(*p)
	s.allowed(c, *p)
}

// granting notes what the session changes by what is allowed.
func (s *Session) granting(p pending) {
	if p.sets != nil {
		s.change(p.sets)
	}
}

// syncBehind reads the Sync that stands behind what was just taken for allowed, as it nearly always does: that saves a call. What it
// does is void with the rest when that is denied, and then comes again.
func (s *Session) syncBehind(c *sdk.Conn, p []byte) int {
	typ, size, ok := proto.Header(p)
	if !s.pending.quiet || s.pending.kind != heldPending || !ok || typ != proto.Sync || size != proto.HeaderSize || s.queue.len() >= maxQueue {
		return 0
	}
	n, _ := s.bare(c, p, typ, size)
	s.pending.undo.pushed++
	s.pending.undo.sync = true
	return n
}

// granted is called when the host goes on: a quiet question has been allowed.
func (s *Session) granted(c *sdk.Conn) {
	if s.pending.quiet && !c.Undecided() {
		s.pending = pending{}
	}
}

// verdict hears of a decision.
func (s *Session) verdict(c *sdk.Conn, e *abi.Event) {
	p := s.pending
	if s.asking() && e.ID == s.result.question {
		s.resultDecided(c, e)
		return
	}
	if p.kind == nothingPending || e.ID != p.id {
		if e.Inspect > 0 { // of a quiet one, behind which another was asked
			s.inspects(c, p, e)
		}
		return
	}
	s.pending = pending{}
	switch {
	case e.Outcome != abi.Allow:
		if p.quiet {
			s.queue.unpush(p.undo.pushed)
			s.changed = s.changed[:p.undo.changed]
			s.settled, s.settings.shadowed, s.held.unnamed = p.undo.settled, p.undo.shadowed, p.undo.unnamed
		}
		s.denied(c, p, e)
		if p.undo.sync {
			s.bare(c, nil, proto.Sync, proto.HeaderSize)
		}
	case !p.quiet:
		s.granting(p)
		s.allowed(c, p)
	}
	if e.Inspect > 0 && s.phase != phaseEnded {
		s.inspects(c, p, e)
	}
}

// unpush takes the last n items back.
func (q *queue) unpush(n int) {
	for ; n > 0; n-- {
		last := len(q.items) - 1
		if q.items[last].renames() {
			q.names--
		}
		q.items[last] = item{}
		q.items = q.items[:last]
	}
	if q.first == len(q.items) {
		q.items, q.first = q.items[:0], 0
	}
}
