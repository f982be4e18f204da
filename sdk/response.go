package sdk

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// parent is an action whose answer is looked at before it reaches the agent.
type parent struct {
	id       uint32
	question uint32 // about its answer; 0: not asked
	limit    int
	kept     int // bytes
	left     int // of them, not released or discarded
	text     int // bytes of texts
	at       int // where its last VALUES begins in out, while epoch is that of parents
	epoch    int
	long     bool // asked about as truncated
	decided  bool
}

// parents are those of one connection, and the question that has the upstream wait.
type parents struct {
	all   []parent
	waits uint32
	epoch int // how often out was begun anew
}

// begin notes that the answer of action id is to be looked at.
func (p *parents) begin(id, limit uint32) {
	p.all = append(p.all, parent{id: id, limit: int(limit), at: -1})
}

func (p *parents) of(id uint32) *parent {
	for i := range p.all {
		if p.all[i].id == id {
			return &p.all[i]
		}
	}
	return nil
}

func (p *parents) remove(id uint32) {
	for i := range p.all {
		if p.all[i].id == id {
			p.all = append(p.all[:i], p.all[i+1:]...)
			break
		}
	}
	if len(p.all) == 0 {
		p.all = nil
	}
}

// decided takes the verdict on a question about an answer.
func (p *parents) decided(e *abi.Event) {
	if e.ID == p.waits {
		p.waits = 0
	}
	for i := range p.all {
		if a := &p.all[i]; a.question == e.ID {
			a.decided = true
			if e.Outcome != abi.Allow {
				a.left = 0
			}
			if !a.long && a.left == 0 {
				p.remove(a.id)
			}
			return
		}
	}
}

// keptInAll is how many bytes are kept of all answers.
func (p *parents) keptInAll() (n int) {
	for i := range p.all {
		n += p.all[i].left
	}
	return n
}

// Fits reports whether n more bytes may be kept of the answer of action parent, whose verdict said that it is to be looked at. When they
// may not, the answer is too long: ask about what is kept, with abi.AskTruncated.
func (c *Conn) Fits(parent uint32, n int) bool {
	p := c.parents.of(parent)
	return p != nil && p.question == 0 && n <= p.limit-p.kept && n <= abi.MaxKept-c.parents.keptInAll()
}

// Kept is how many bytes are kept of the answer of action parent: where the next one will stand.
func (c *Conn) Kept(parent uint32) int {
	if p := c.parents.of(parent); p != nil {
		return p.kept
	}
	return 0
}

// Keep has the host keep the next n bytes of the upstream, which have all been delivered, for the answer of action parent. The plugin
// counts them as read and forgets them.
func (c *Conn) Keep(parent uint32, n int) {
	p := c.parents.of(parent)
	if n == 0 || c.closed || p == nil {
		return
	}
	p.kept += n
	p.left += n
	c.out = abi.AppendKeep(c.out, parent, uint64(n))
}

// Value names a value of the answer: length bytes at start of what is kept, which it is in order. column is its place in the field columns,
// or abi.NoColumn; a value whose column is not larger than that of the one before begins a new row.
func (c *Conn) Value(parent uint32, column uint16, format abi.Format, start, length int) {
	c.value(parent, column, format, false, start, length)
}

// ValueMore says that the value before goes on in further bytes of what is kept.
func (c *Conn) ValueMore(parent uint32, start, length int) {
	c.value(parent, 0, 0, true, start, length)
}

// ValueOn says that the last value of a column goes on in further bytes of what is kept, behind which others may have begun: one of the
// last 16 values.
func (c *Conn) ValueOn(parent uint32, column uint16, start, length int) {
	if p := c.parents.of(parent); p != nil && !c.closed {
		at := c.valuesOf(p)
		c.out, p.at = abi.AppendValueOn(c.out, at, parent, column, uint32(start), uint32(length))
		p.epoch = c.parents.epoch
	}
}

func (c *Conn) value(id uint32, column uint16, format abi.Format, more bool, start, length int) {
	p := c.parents.of(id)
	if c.closed || p == nil {
		return
	}
	at := c.valuesOf(p)
	c.out, p.at = abi.AppendValue(c.out, at, id, column, format, more, uint32(start), uint32(length))
	p.epoch = c.parents.epoch
}

// valuesOf is where a VALUES begins that more can be added to; below 0: nowhere.
func (c *Conn) valuesOf(p *parent) int {
	if p.at >= 0 && p.epoch == c.parents.epoch && p.at+abi.CommandSize(c.out[p.at:]) == len(c.out) && len(c.out)-p.at < manyValues {
		return p.at
	}
	return -1
}

// manyValues is how many bytes of values one command has, so that it fits into the smallest buffer.
const manyValues = 16 << 10

// FitsText reports whether n more bytes of text may be given for the answer of action parent.
func (c *Conn) FitsText(parent uint32, n int) bool {
	p := c.parents.of(parent)
	return p != nil && p.question == 0 && n <= p.limit-p.text
}

// Text gives a value of the answer that does not stand in what is kept as it is, such as text out of a compressed body.
func (c *Conn) Text(parent uint32, column uint16, b []byte) { c.giveText(parent, column, false, b) }

// TextMore says how the value before, which Text gave, goes on.
func (c *Conn) TextMore(parent uint32, b []byte) { c.giveText(parent, 0, true, b) }

func (c *Conn) giveText(id uint32, column uint16, more bool, b []byte) {
	p := c.parents.of(id)
	if c.closed || p == nil || more && len(b) == 0 {
		return
	}
	p.text += len(b)
	for first := true; first || len(b) > 0; first = false {
		n := min(len(b), abi.MaxText)
		c.out = abi.AppendText(c.out, id, column, more, b[:n])
		b, more, column = b[n:], true, 0
	}
}

// AskResponse begins the question about the answer of an action: may the agent have it? The builder's methods give the fields columns,
// rows and the plugin's own, its DoResponse asks.
func (c *Conn) AskResponse(family uint16, class abi.Class, title string) *AskBuilder {
	c.action.Begin(c.spare[:0], family, class, title)
	return (*AskBuilder)(c)
}

// DoResponse asks about what is kept of the answer of action parent, once. flags are abi.AskTruncated, when the answer is longer than
// fits, and abi.AskAside, with which the upstream is shown meanwhile, for protocols that carry several things at once. Event brings the
// verdict in every case. Allowed: Release what is kept. Denied: the host has forgotten it.
func (b *AskBuilder) DoResponse(parent uint32, flags uint8) (id uint32) {
	c := (*Conn)(b)
	action := c.action.End()
	c.spare = action
	c.nextID++
	p := c.parents.of(parent)
	switch {
	case c.closed:
	case p == nil || p.question != 0:
		c.Fail("a question about the answer of action " + strconv.Itoa(int(parent)) + ", which is not to be looked at, or was")
	case c.asked != 0 && c.fresh:
		c.Fail("a question about an answer behind one that is not decided, in one step")
	case len(action) > abi.MaxAction:
		c.Fail("an action of " + strconv.Itoa(len(action)) + " bytes is more than may be asked at once")
	default:
		p.question, p.long = c.nextID, flags&abi.AskTruncated != 0
		c.out = abi.AppendAsk(c.out, c.nextID, uint64(parent), flags|abi.AskResponse, action)
		if flags&abi.AskAside == 0 {
			c.parents.waits = c.nextID
		}
	}
	return c.nextID
}

// Release has the next n bytes that are kept of the answer of action parent go to the agent, 0: all of them. The question about it was
// allowed.
func (c *Conn) Release(parent uint32, n int) { c.release(parent, false, n) }

// Discard drops the next n bytes that are kept of the answer of action parent, 0: all of them, when the question about it was allowed.
func (c *Conn) Discard(parent uint32, n int) { c.release(parent, true, n) }

func (c *Conn) release(id uint32, drop bool, n int) {
	p := c.parents.of(id)
	if c.closed || p == nil || p.left == 0 {
		return
	}
	c.out = abi.AppendRelease(c.out, id, drop, uint64(n))
	if n == 0 {
		n = p.left
	}
	if p.left -= n; p.left <= 0 && !p.long {
		c.parents.remove(id)
	}
}

// Answered says that the answer of action parent is over: of one that was asked about as truncated, its last byte was passed or dropped; of
// one that was not asked about, there is none, and what was kept is forgotten.
func (c *Conn) Answered(parent uint32) {
	if c.closed || c.parents.of(parent) == nil {
		return
	}
	c.out = abi.AppendAnswered(c.out, parent)
	c.parents.remove(parent)
}

// Inspected reports whether the answer of action id is to be looked at, and is not over.
func (c *Conn) Inspected(id uint32) bool { return c.parents.of(id) != nil }

// Inspecting reports whether any answer is to be looked at and is not over: then bytes of the upstream pass under an id only.
func (c *Conn) Inspecting() bool {
	for i := range c.parents.all {
		if p := &c.parents.all[i]; !p.decided || p.long {
			return true
		}
	}
	return false
}
