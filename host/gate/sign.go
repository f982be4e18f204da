package gate

import "github.com/sallyport-dev/sallyport/sdk/abi"

// Signer is a Session that has slots whose form signs. Without it SIGN is refused.
type Signer interface {
	// Sign is what makes a request authentic, written as the plugin asked for; number is the stream of a frame. Its error's text
	// is safe to show.
	Sign(slot int, as abi.SignAs, number uint32, request []byte) ([]byte, error)
}

// sign has a request signed, and what that adds to it written to the upstream. The plugin sees neither the key nor the signature.
func (c *conn) sign(cmd *abi.Command) {
	if int(cmd.Slot) >= len(c.manifest.Slots) || !c.facts.Filled(c.manifest.Slots[cmd.Slot].Name) {
		c.fail("the plugin signs with slot %d of %d, which is not filled", cmd.Slot, len(c.manifest.Slots))
		return
	}
	s, ok := c.session.(Signer)
	if !ok {
		c.fail("the plugin signs with slot %d, and nothing signs here", cmd.Slot)
		return
	}
	p, err := s.Sign(int(cmd.Slot), cmd.As, cmd.Number, cmd.Data)
	if err != nil {
		c.fail("the signature of slot %d: %v", cmd.Slot, err)
		return
	}
	if len(p) > abi.MaxSigned {
		c.fail("the signature of slot %d is longer than %d bytes", cmd.Slot, abi.MaxSigned)
		return
	}
	c.login.written |= 1 << cmd.Slot
	c.writeUnder(cmd.ID, p)
}
