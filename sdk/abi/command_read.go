//go:build !wasip1

package abi

import "fmt"

// Command is one command as the host reads it. Which fields mean something depends on Tag. Data aliases the list that it was
// read from and is valid as long as that is; Pairs is used again by the next NOTE that is read into the same Command.
type Command struct {
	Tag    Tag
	ID     uint32
	Side   Side
	N      uint64 // ASK: extent; PASS, DROP, ALIAS, UNALIAS: bytes
	Flags  uint8  // ASK
	Stock  uint16 // STOCK
	Slot   uint16 // AUTH, RELOGIN, SECRET, SIGN
	Failed bool   // CLOSE
	On     bool   // PAUSE; TEXT: it continues; RELEASE: the bytes are dropped
	Data   []byte // ASK: the encoded action; SEND: the bytes; AUTH, RELOGIN: the server's words; CLOSE: the reason; SIGN: the request; VALUES: the entries; TEXT: the bytes
	Pairs  []string

	Framing Framing // SCAN
	Types   TypeSet // SCAN

	As     SignAs // SIGN
	Number uint32 // SIGN

	Column uint16 // TEXT
}

// Next reads the first command of list and returns what follows it. An error says which command is wrong and why; the rest of
// such a list means nothing.
func Next(list []byte, c *Command) (rest []byte, err error) {
	if len(list) < commandHead {
		return nil, fmt.Errorf("command head: %w", ErrShort)
	}
	*c = Command{Tag: Tag(list[0]), Pairs: c.Pairs[:0]}
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
		if about := c.Flags & (AskResponse | AskTruncated); about == AskTruncated || about != 0 && c.Flags&(AskStreaming|AskQuiet) != 0 {
			return fmt.Errorf("flags %#x do not go together", c.Flags)
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
	case TagDial, TagDone, TagWithdraw:
		c.ID = r.u32()
	case TagSecret:
		c.ID, c.Slot = r.u32(), r.u16()
	case TagSign:
		c.readSign(&r)
	case TagKeep:
		c.ID, c.N = r.u32(), r.u64()
	case TagValues:
		c.readValues(&r)
	case TagText:
		c.readText(&r)
	case TagRelease:
		c.ID, c.On, c.N = r.u32(), r.flag(), r.u64()
	case TagAnswered:
		c.ID = r.u32()
	case TagShut, TagTLS:
		c.readSide(&r)
	case TagPause:
		c.readSide(&r)
		c.On = r.flag()
	case TagClose:
		c.readClose(&r)
	case TagNote:
		c.readNote(&r)
	case TagAuth:
		c.readAuth(&r, MaxAuth)
	case TagRelogin:
		c.readAuth(&r, MaxReason)
	case TagAlias, TagUnalias:
		c.readAlias(&r)
	case TagScan:
		c.readScan(&r)
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
	if r.err != nil {
		return
	}
	t := textReader{reader: *r, text: string(r.b)}
	for t.err == nil && len(t.b) > 0 {
		c.Pairs = append(c.Pairs, t.str(), t.str())
	}
	*r = t.reader
}

func (c *Command) readAuth(r *reader, most int) {
	c.ID, c.Slot = r.u32(), r.u16()
	if r.err == nil && len(r.b) > most {
		r.err = fmt.Errorf("words of %d bytes, the limit is %d", len(r.b), most)
	}
	c.Data = r.take(len(r.b))
}

func (c *Command) readAlias(r *reader) {
	if c.Tag == TagUnalias {
		c.ID = r.u32()
	}
	c.N = uint64(r.u32())
	if r.err == nil && (c.N < MinAlias || c.N > MaxAlias) {
		r.err = fmt.Errorf("%d bytes, not %d to %d", c.N, MinAlias, MaxAlias)
	}
}

func (c *Command) readScan(r *reader) {
	c.readSide(r)
	c.ID = r.u32()
	f := &c.Framing
	f.Head, f.TypeAt, f.LengthAt, f.LengthWidth = r.u8(), r.u8(), r.u8(), r.u8()
	flags := r.u8()
	f.BigEndian = flags&scanBigEndian != 0
	f.Adjust, f.Max = int32(r.u32()), r.u64()
	copy(c.Types[:], r.take(len(c.Types)))
	if r.err == nil && flags&^scanBigEndian != 0 {
		r.err = fmt.Errorf("flags %#x are not defined", flags)
	}
	if r.err == nil {
		r.err = f.Check()
	}
}
