package sdk

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// AskEncoded asks as Ask and Do ask, about an action that is encoded already: the parts, one behind the other, in the form of
// abi.ActionWriter. A plugin that asks the same again and again keeps what stays the same instead of building it anew.
func (c *Conn) AskEncoded(extent uint64, flags uint8, parts ...[]byte) (id uint32) {
	if c.asked != 0 {
		panic("sdk: a second Ask before the first is decided")
	}
	c.nextID++
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if size > abi.MaxAction {
		c.Fail("an action of " + strconv.Itoa(size) + " bytes is more than may be asked at once")
		return c.nextID
	}
	if !c.closed {
		c.out = abi.AppendAsk(c.out, c.nextID, extent, flags, parts...)
		if flags&abi.AskAside == 0 {
			c.wait(flags)
		}
	}
	return c.nextID
}

// Undecided says that a question of this step, or of an earlier one, has no answer yet.
func (c *Conn) Undecided() bool { return c.asked != 0 }
