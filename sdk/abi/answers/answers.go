//go:build !wasip1

// Package answers is the law about what comes back, for one connection: what the upstream answers to an action whose answer is to be
// looked at (a parent) reaches the agent only when the question about it was allowed.
//
// A parent begins when its action is allowed with a limit, and is over
//
//   - with the verdict on the question about its answer, when that was whole,
//   - with ANSWERED, when the answer was longer than the limit, or there is none.
//
// Until then every byte of the upstream that passes names what it answers: another action that was asked about, and, where actions are
// not aside, an earlier one than the oldest parent, because answers come in order then; or a parent that was allowed as too long, once
// what is kept of it is out. The answer of a parent goes to what is kept instead (KEEP), up to the limit, and out of there only when it
// is allowed (RELEASE). What an action's answer is, is the plugin's word, as what an action is; but it has to say so of every byte.
//
// It is apart because the gateway's gate and the gate that plugins are tested in keep the same law.
package answers

import (
	"errors"
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// remembered is how many parents that are over, and questions, are known not to be what other bytes answer.
const remembered = 1024

// Book is the parents of one connection. Its zero value has none.
type Book struct {
	all    map[uint32]*parent
	plain  []uint32 // those that are open and not aside, in order
	open   int      // how many are
	kept   int      // bytes of all
	past   []uint32 // the last ones that are over, and their questions, from next on
	next   int
	waits  uint32 // the question that has the upstream wait
	byAsk  map[uint32]uint32
	answer Answer
}

// parent is an action whose answer is looked at.
type parent struct {
	abi.Response
	limit    int
	aside    bool
	about    any
	question uint32
	decided  bool
	allowed  bool
	over     bool
	gone     int // bytes of Kept that were released or discarded
}

// Answer is a question about an answer, as [Book.Ask] returns it.
type Answer struct {
	ID       uint32
	Response *abi.Response // stays as it is until the question is decided
	About    any           // as Begin was given it
}

// Open reports whether the answer of any action is to be looked at and not over.
func (b *Book) Open() bool { return b.open > 0 }

// Waits reports whether nothing of the upstream may be shown, because an answer is asked about.
func (b *Book) Waits() bool { return b.waits != 0 }

// Begin makes action id, which was allowed, a parent; about is whatever the caller knows of it.
func (b *Book) Begin(id, limit uint32, aside bool, about any) error {
	if len(b.all) >= abi.MaxParents {
		return fmt.Errorf("the answers of %d actions are to be looked at already", abi.MaxParents)
	}
	if b.all == nil {
		b.all, b.byAsk = map[uint32]*parent{}, map[uint32]uint32{}
	}
	b.all[id] = &parent{Response: abi.Response{Parent: id}, limit: int(min(limit, abi.MaxInspect)), aside: aside, about: about}
	b.open++
	if !aside {
		b.plain = append(b.plain, id)
	}
	return nil
}

// MayPass says what is wrong with passing bytes of the upstream as the answer of action id, where last is the last one that was asked about.
func (b *Book) MayPass(id, last uint32) error {
	p := b.all[id]
	switch {
	case id == 0 && b.open > 0:
		return errors.New("they name nothing that they answer, while the answer of an action is to be looked at")
	case id == 0:
		return nil
	case id > last:
		return fmt.Errorf("action %d was never asked about", id)
	case p != nil && (!p.decided || !p.allowed):
		return fmt.Errorf("the answer of action %d is to be looked at, and was not allowed", id)
	case p != nil && p.over:
		return fmt.Errorf("the answer of action %d was asked about as whole", id)
	case p != nil && p.gone < len(p.Kept):
		return fmt.Errorf("the answer of action %d begins with %d bytes that are kept", id, len(p.Kept)-p.gone)
	case p != nil:
		return nil
	case b.isPast(id):
		return fmt.Errorf("action %d has nothing left that could answer it", id)
	case len(b.plain) > 0 && id > b.plain[0]:
		return fmt.Errorf("action %d is answered behind action %d, whose answer is to be looked at", id, b.plain[0])
	}
	return nil
}

// MayKeep says what is wrong with keeping n bytes of the upstream for action id.
func (b *Book) MayKeep(id uint32, n uint64) error {
	p := b.all[id]
	switch {
	case p == nil || p.over || p.question != 0:
		return fmt.Errorf("the answer of action %d is not to be looked at, or was asked about", id)
	case !p.aside && id != b.plain[0]:
		return fmt.Errorf("action %d is answered behind action %d", id, b.plain[0])
	case n > uint64(p.limit-len(p.Kept)):
		return fmt.Errorf("more than the %d bytes that are to be kept of the answer of action %d", p.limit, id)
	case n > uint64(abi.MaxKept-b.kept):
		return fmt.Errorf("more than %d bytes of answers", abi.MaxKept)
	}
	return nil
}

// Keep keeps a copy of p for action id, for which MayKeep has nothing against.
func (b *Book) Keep(id uint32, bytes []byte) {
	p := b.all[id]
	p.Kept = append(p.Kept, bytes...)
	b.kept += len(bytes)
}

// Describe takes VALUES or TEXT.
func (b *Book) Describe(cmd *abi.Command) error {
	p := b.all[cmd.ID]
	switch {
	case p == nil || p.over || p.question != 0:
		return fmt.Errorf("the answer of action %d is not to be looked at, or was asked about", cmd.ID)
	case cmd.Tag == abi.TagValues:
		return p.AddValues(cmd.Data)
	}
	return p.AddText(cmd, p.limit)
}

// Ask takes an ASK about an answer; the id is new.
func (b *Book) Ask(cmd *abi.Command) (*Answer, error) {
	if cmd.N > 1<<32-1 || b.all[uint32(cmd.N)] == nil {
		return nil, fmt.Errorf("the answer of action %d is not to be looked at", cmd.N)
	}
	id := uint32(cmd.N)
	p := b.all[id]
	switch {
	case p.question != 0 || p.over:
		return nil, fmt.Errorf("the answer of action %d was asked about", id)
	case !p.aside && id != b.plain[0]:
		return nil, fmt.Errorf("action %d is answered behind action %d", id, b.plain[0])
	case b.waits != 0 && cmd.Flags&abi.AskAside == 0:
		return nil, fmt.Errorf("question %d about an answer is not decided yet", b.waits)
	}
	p.question, p.Truncated = cmd.ID, cmd.Flags&abi.AskTruncated != 0
	b.byAsk[cmd.ID] = id
	if cmd.Flags&abi.AskAside == 0 {
		b.waits = cmd.ID
	}
	b.answer = Answer{ID: cmd.ID, Response: &p.Response, About: p.about}
	return &b.answer, nil
}

// Asked reports whether id is a question about an answer that is not decided.
func (b *Book) Asked(id uint32) bool {
	_, ok := b.byAsk[id]
	return ok
}

// Limit is up to how many bytes of the answer of action id are to be kept; 0: none.
func (b *Book) Limit(id uint32) uint32 {
	if p := b.all[id]; p != nil {
		return uint32(p.limit)
	}
	return 0
}

// Decide takes the verdict on question id.
func (b *Book) Decide(id uint32, allowed bool) {
	if b.waits == id {
		b.waits = 0
	}
	p := b.all[b.byAsk[id]]
	delete(b.byAsk, id)
	b.pass(id)
	if p == nil || p.question != id {
		return
	}
	p.decided, p.allowed, p.Values = true, allowed, nil
	if !allowed {
		b.forget(p)
	}
	if !p.Truncated {
		b.end(p)
	}
}

// Release takes RELEASE: bytes are those that go to the agent; they are not used again.
func (b *Book) Release(cmd *abi.Command) (bytes []byte, err error) {
	p := b.all[cmd.ID]
	if p == nil || !p.decided || !p.allowed {
		return nil, fmt.Errorf("the answer of action %d was not allowed", cmd.ID)
	}
	n := uint64(len(p.Kept) - p.gone)
	switch {
	case cmd.N > n:
		return nil, fmt.Errorf("%d bytes of the answer of action %d, of which %d are kept", cmd.N, cmd.ID, n)
	case cmd.N != 0:
		n = cmd.N
	}
	bytes = p.Kept[p.gone : p.gone+int(n)]
	p.gone += int(n)
	b.kept -= int(n)
	if p.gone == len(p.Kept) {
		p.Kept, p.gone = nil, 0
		if p.over {
			b.remove(p)
		}
	}
	if cmd.On {
		return nil, nil
	}
	return bytes, nil
}

// Answered takes ANSWERED.
func (b *Book) Answered(id uint32) error {
	p := b.all[id]
	switch {
	case p == nil || p.over:
		return fmt.Errorf("the answer of action %d is not to be looked at, or is over", id)
	case p.question != 0 && !p.decided:
		return fmt.Errorf("the answer of action %d is being asked about", id)
	}
	b.forget(p)
	b.end(p)
	return nil
}

// forget drops what is kept.
func (b *Book) forget(p *parent) {
	b.kept -= len(p.Kept) - p.gone
	p.Kept, p.gone, p.Values = nil, 0, nil
}

// end has a parent be over.
func (b *Book) end(p *parent) {
	p.over = true
	b.open--
	for i, id := range b.plain {
		if id == p.Parent {
			b.plain = append(b.plain[:i], b.plain[i+1:]...)
			break
		}
	}
	if p.gone == len(p.Kept) {
		b.remove(p)
	}
}

func (b *Book) remove(p *parent) {
	delete(b.all, p.Parent)
	b.pass(p.Parent)
	if len(b.all) == 0 {
		b.all, b.plain = nil, nil
		if len(b.byAsk) == 0 {
			b.byAsk = nil
		} else {
			b.all = map[uint32]*parent{}
		}
	}
}

// pass remembers that nothing answers id.
func (b *Book) pass(id uint32) {
	if len(b.past) < remembered {
		b.past = append(b.past, id)
		return
	}
	b.past[b.next] = id
	b.next = (b.next + 1) % remembered
}

func (b *Book) isPast(id uint32) bool {
	for _, p := range b.past {
		if p == id {
			return true
		}
	}
	return false
}
