//go:build !wasip1

package drygate

import (
	"bytes"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// relogins is what is known of logins that the upstream refused.
type relogins struct {
	begun   bool   // an AUTH was answered
	written uint64 // by slot: its secret was, or signed
	wanted  bool   // the upstream is to be connected to anew
	slot    uint16
	again   bool // it was
}

// loginRefused is what the gateway says when there is no newer secret, or it is not taken either.
const loginRefused = "the upstream refuses the gateway's login"

// mayLogIn cuts the connection off when there is nothing that the plugin could log in at, or no longer.
func (g *Gate) mayLogIn(cmd *abi.Command) bool {
	switch {
	case int(cmd.Slot) >= len(g.cfg.Manifest.Slots):
		g.breach("%v with slot %d of %d", cmd.Tag, cmd.Slot, len(g.cfg.Manifest.Slots))
	case !g.cfg.Facts.Filled(g.cfg.Manifest.Slots[cmd.Slot].Name):
		g.breach("%v with slot %d, which the credential does not fill", cmd.Tag, cmd.Slot)
	case !g.actions.isOpen(cmd.ID) || cmd.ID != g.dialUnder:
		g.breach("%v under action %d, which is not an open connect action that was dialed", cmd.Tag, cmd.ID)
	case !g.connected:
		g.breach("%v at an upstream that is not connected", cmd.Tag)
	case g.asked || g.authUsed:
		g.breach("%v after the login: an action was asked about, or an AUTH failed", cmd.Tag)
	default:
		return true
	}
	return false
}

// relogin takes the plugin's word that the upstream has refused a secret.
func (g *Gate) relogin(cmd *abi.Command) {
	l, in, o := &g.relogins, &g.in[abi.Upstream], &g.out[abi.Upstream]
	e := Entry{Kind: Relogin, ID: cmd.ID, Slot: int(cmd.Slot), Bytes: bytes.Clone(cmd.Data)}
	if l.written&(1<<cmd.Slot) != 0 {
		g.note(e)
		return
	}
	switch {
	case !g.mayLogIn(cmd):
	case g.in[abi.Agent].scan != nil || in.scan != nil || o.secure == handshaking || o.shut:
		g.breach("RELOGIN at an upstream to which nothing is written now, or while a side is scanned")
	case !l.begun:
		g.breach("RELOGIN without an AUTH")
	case l.again:
		g.note(e)
		g.loginFails(cmd.Slot, loginRefused)
	default:
		g.note(e)
		l.again, l.begun, l.wanted, l.slot = true, false, true, cmd.Slot
		g.connected = false
		*in = input{count: in.count, cursor: in.count}
		o.waiting, o.secure = nil, plain
	}
}

// connectAnew does what RELOGIN wants.
func (g *Gate) connectAnew() bool {
	l := &g.relogins
	if !l.wanted {
		return false
	}
	l.wanted = false
	if g.cfg.Relogin == nil {
		g.loginFails(l.slot, loginRefused)
		return true
	}
	if err := g.cfg.Relogin(int(l.slot)); err != nil {
		g.loginFails(l.slot, err.Error())
		return true
	}
	g.connected = true
	for _, w := range g.out[abi.Upstream].waiting {
		g.note(w)
	}
	g.out[abi.Upstream].waiting = nil
	g.event(&abi.Event{Kind: abi.KindConnected})
	return true
}

func (g *Gate) loginFails(slot uint16, reason string) {
	g.authUsed = true
	g.due = append(g.due, abi.Event{Kind: abi.KindAuthFailed, Slot: slot, Reason: reason})
}
