//go:build !wasip1

package abi

import "fmt"

// Command is one command as the host reads it. Which fields mean something depends on Tag. Data, Action and Pairs alias the
// list that they were read from and are valid as long as that is.
type Command struct {
	Tag    Tag
	ID     uint32
	Side   Side
	N      uint64 // ASK: extent; PASS, DROP: bytes
	Flags  uint8  // ASK
	Stock  uint16 // STOCK
	Failed bool   // CLOSE
	On     bool   // PAUSE
	Data   []byte // ASK: the encoded action; SEND: the bytes; CLOSE: the reason
	Pairs  []string
}

// Next reads the first command of list and returns what follows it. An error says which command is wrong and why; the rest of
// such a list means nothing.
func Next(list []byte, c *Command) (rest []byte, err error) {
	if len(list) < commandHead {
		return nil, fmt.Errorf("command head: %w", ErrShort)
	}
	*c = Command{Tag: Tag(list[0])}
	n := le.Uint32(list[1:])
	if uint64(n) > uint64(len(list)-commandHead) {
		return nil, fmt.Errorf("%v: length %d: %w", c.Tag, n, ErrShort)
	}
	value, rest := list[commandHead:commandHead+int(n)], list[commandHead+int(n):]
	if err := c.read(value); err != nil {
		return nil, fmt.Errorf("%v: %w", c.Tag, err)
	}
	return rest, nil
}

func (c *Command) read(value []byte) error {
	r := reader{b: value}
	switch c.Tag {
	case TagAsk:
		c.ID, c.N, c.Flags = r.u32(), r.u64(), r.u8()
		if r.err == nil && c.Flags&^askFlags != 0 {
			return fmt.Errorf("flags %#x are not defined", c.Flags)
		}
		if len(r.b) > MaxAction {
			return fmt.Errorf("an action of %d bytes, the limit is %d", len(r.b), MaxAction)
		}
		c.Data = r.take(len(r.b))
	case TagPass:
		c.readSide(&r)
		c.ID, c.N = r.u32(), r.u64()
	case TagDrop:
		c.readSide(&r)
		c.N = r.u64()
	case TagSend:
		c.readSide(&r)
		c.ID = r.u32()
		c.Data = r.take(len(r.b))
	case TagStock:
		c.Stock = r.u16()
	case TagDial, TagDone:
		c.ID = r.u32()
	case TagShut:
		c.readSide(&r)
	case TagPause:
		c.readSide(&r)
		c.On = r.flag()
	case TagClose:
		c.readClose(&r)
	case TagNote:
		c.readNote(&r)
	default:
		return fmt.Errorf("tag %d", uint8(c.Tag))
	}
	return r.end()
}

func (c *Command) readSide(r *reader) {
	c.Side = Side(r.u8())
	if r.err == nil && c.Side > Upstream {
		r.err = fmt.Errorf("side %d", uint8(c.Side))
	}
}

func (c *Command) readClose(r *reader) {
	c.Failed = r.flag()
	if r.err == nil && len(r.b) > MaxReason {
		r.err = fmt.Errorf("a reason of %d bytes, the limit is %d", len(r.b), MaxReason)
	}
	c.Data = r.take(len(r.b))
}

func (c *Command) readNote(r *reader) {
	c.ID = r.u32()
	if r.err == nil && len(r.b) > MaxNote {
		r.err = fmt.Errorf("%d bytes, the limit is %d", len(r.b), MaxNote)
	}
	for r.err == nil && len(r.b) > 0 {
		c.Pairs = append(c.Pairs, r.str(), r.str())
	}
}
