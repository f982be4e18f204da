package gate

import (
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// login is what the host does about keys in the plugin's place.
type login struct {
	begun   bool   // something was answered
	written uint64 // by slot: its secret was, or signed
	again   bool   // a second time, because the upstream refused the first
	failed  bool
	owed    bool   // the event of the failure
	slot    uint16 // of it
	reason  string
	aliases int
}

// mostAliases is how many aliases one connection may have.
const mostAliases = 4

// auth has the session answer a step of a login, and writes the answer to the upstream.
func (c *conn) auth(cmd *abi.Command) {
	if !c.mayLogIn(cmd, "logs in") || c.scanned(abi.Agent) || !c.mayReach() {
		return
	}
	answer, err := c.session.Auth(int(cmd.Slot), cmd.Data)
	if err != nil {
		c.loginFails(cmd.Slot, err.Error())
		return
	}
	c.login.begun = true
	c.writeOwn(abi.Upstream, answer)
}

// mayLogIn cuts the connection off when there is nothing that the plugin could log in at, or no longer.
func (c *conn) mayLogIn(cmd *abi.Command, what string) bool {
	switch {
	case !c.actions.isOpen(cmd.ID) || c.dial != cmd.ID:
		c.fail("the plugin %s under action %d, which is not the open streaming action that was dialed", what, cmd.ID)
	case c.conns[abi.Upstream] == nil:
		c.fail("the plugin %s at an upstream that is not connected", what)
	case c.actions.others:
		c.fail("the plugin %s after the agent's first action", what)
	case c.login.failed:
		c.fail("the plugin goes on with a login that has failed")
	case int(cmd.Slot) >= len(c.manifest.Slots) || !c.facts.Filled(c.manifest.Slots[cmd.Slot].Name):
		c.fail("the plugin %s with slot %d of %d, which is not filled", what, cmd.Slot, len(c.manifest.Slots))
	default:
		return true
	}
	return false
}

// loginFails ends a login: the guest is told why.
func (c *conn) loginFails(slot uint16, reason string) {
	l := &c.login
	l.failed, l.owed, l.slot, l.reason = true, true, slot, reason
}

// loginEvent tells the guest of a login that failed.
func (c *conn) loginEvent() []byte {
	l := &c.login
	l.owed = false
	c.event = abi.AppendEvent(c.event[:0], &abi.Event{Kind: abi.KindAuthFailed, Slot: l.slot, Reason: l.reason})
	return c.event
}

// alias replaces the next bytes of the upstream.
func (c *conn) alias(cmd *abi.Command) {
	original, ok := c.shown(abi.Upstream, cmd.N)
	if !ok {
		return
	}
	if c.login.aliases++; c.login.aliases > mostAliases {
		c.fail("the plugin wants more than %d aliases", mostAliases)
		return
	}
	k := uint8(c.login.aliases - 1)
	if c.aliasUsed == nil {
		c.aliasUsed = make(chan uint8, mostAliases)
		c.wg.Go(c.watchAliases)
	}
	used := c.aliasUsed
	alias, err := c.session.Alias(original, func() {
		select {
		case used <- k:
		default: // it is told already
		}
	})
	if err == nil && len(alias) != len(original) {
		err = errAliasLength
	}
	if err != nil {
		c.fail("an alias: %v", err)
		return
	}
	c.move(abi.Upstream, cmd.N, todoDrop)
	c.queueCopy(abi.Agent, alias)
}

// unalias passes what the next bytes of the agent are an alias of.
func (c *conn) unalias(cmd *abi.Command) {
	alias, ok := c.shown(abi.Agent, cmd.N)
	if !ok || !c.mayPass() {
		return
	}
	if err := c.actions.covers(cmd.ID, c.in[abi.Agent].cursor, cmd.N); err != nil {
		c.fail("the plugin passes an alias of the agent: %v", err)
		return
	}
	original, ok := c.session.Unalias(alias)
	switch {
	case !ok:
		c.leave(false, false, "the agent named something by an alias that is not known")
	case len(original) != len(alias):
		c.fail("an alias: %v", errAliasLength)
	default:
		c.move(abi.Agent, cmd.N, todoDrop)
		if c.actions.asides.get(cmd.ID) != nil {
			c.putAside(cmd.ID, original, false)
			return
		}
		c.queueCopy(abi.Upstream, original)
	}
}

// shown is a copy of the next n bytes of side, all of which the guest was shown. mu is held.
func (c *conn) shown(side abi.Side, n uint64) ([]byte, bool) {
	in := &c.in[side]
	switch {
	case c.scanned(side):
		return nil, false
	case len(in.todo) > 0 || n > uint64(len(in.pending())+len(in.fresh)):
		c.fail("the plugin has %d bytes of the %v replaced, not all of which it was shown", n, side)
		return nil, false
	}
	p := append(make([]byte, 0, n), in.pending()[:min(n, uint64(len(in.pending())))]...)
	return append(p, in.fresh[:n-uint64(len(p))]...), true
}
