//go:build !wasip1

package abi

import "fmt"

func (c *Command) readSign(r *reader) {
	c.ID, c.Slot = r.u32(), r.u16()
	c.As, c.Number = SignAs(r.u8()), r.u32()
	switch {
	case r.err != nil:
	case c.As > SignFrame:
		r.err = fmt.Errorf("as %d", uint8(c.As))
	case c.As == SignFields && c.Number != 0:
		r.err = fmt.Errorf("number %d of header fields, which have none", c.Number)
	case len(r.b) > MaxSign:
		r.err = fmt.Errorf("a request of %d bytes, the limit is %d", len(r.b), MaxSign)
	}
	c.Data = r.take(len(r.b))
}
