package drygate

import (
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// sign writes what stands for a signature here: a line "<" slot " signs " request ">", of which the request's line ends are shown, or a
// CONTINUATION frame with that in it.
func (g *Gate) sign(cmd *abi.Command) {
	switch {
	case int(cmd.Slot) >= len(g.cfg.Manifest.Slots) || !g.cfg.Facts.Filled(g.cfg.Manifest.Slots[cmd.Slot].Name):
		g.breach("SIGN with slot %d, which the credential does not fill", cmd.Slot)
	case g.in[abi.Agent].scan != nil:
		g.breach("SIGN while the host scans the agent")
	default:
		g.relogins.written |= 1 << cmd.Slot
		g.writeUnder(cmd, Signature(cmd.As, cmd.Number, g.cfg.Manifest.Slots[cmd.Slot].Name, cmd.Data))
	}
}

// Signature is what stands for a signature in conversations.
func Signature(as abi.SignAs, number uint32, slot string, request []byte) []byte {
	text := fmt.Sprintf("%q", request)
	if as == abi.SignFields {
		return fmt.Appendf(nil, "authorization: <%s signs %s>\r\n", slot, text)
	}
	block := append([]byte{0x10, byte(len("signed"))}, "signed"...) // the literal's name
	value := "<" + slot + ">"
	block = append(append(block, byte(len(value))), value...)
	frame := []byte{0, 0, byte(len(block)), 9, 4, byte(number >> 24), byte(number >> 16), byte(number >> 8), byte(number)}
	return append(frame, block...)
}
