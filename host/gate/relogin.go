package gate

import (
	"context"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Relogger is a Session that may know a newer secret than the one that an upstream has refused. Without it RELOGIN is answered with a
// failed login.
type Relogger interface {
	// Refused is told that the upstream refused the secret of a slot, in words that are the operator's alone. What is used next is looked up
	// anew. It does not wait.
	Refused(slot int, words string)
	// Relogin is called behind Refused when it was a login. Where the session now has another secret for it, it connects to the upstream anew.
	// Its error's text is safe to show to the agent. It runs without the mutex.
	Relogin(ctx context.Context, slot int) (Conn, error)
}

// relogin takes the plugin's word that the upstream has refused a secret. Of a login the gateway parts from the upstream then, and has the session
// look for a newer secret, once for a connection: the upstream's stream begins anew, and what was said about the old one is void.
func (c *conn) relogin(cmd *abi.Command) {
	l, in := &c.login, &c.in[abi.Upstream]
	if l.written&(1<<cmd.Slot) != 0 {
		if r, ok := c.session.(Relogger); ok {
			r.Refused(int(cmd.Slot), printable(cmd.Data))
		}
		return
	}
	switch {
	case !c.mayLogIn(cmd, "logs in anew") || c.scanned(abi.Agent) || c.scanned(abi.Upstream):
	case !l.begun:
		c.fail("the plugin logs in anew at an upstream at which it did not log in")
	case in.wantsTLS.Load() || c.out[abi.Upstream].shut:
		c.fail("the plugin logs in anew at an upstream to which nothing is written now")
	default:
		r, ok := c.session.(Relogger)
		if ok {
			r.Refused(int(cmd.Slot), printable(cmd.Data))
		}
		if !ok || l.again {
			c.loginFails(cmd.Slot, loginRefused)
			return
		}
		l.again, l.begun = true, false
		old := c.part()
		c.called = false
		slot := cmd.Slot
		c.wg.Go(func() { c.dialAnew(r, old, slot) })
	}
}

// loginRefused is what the agent is told when no newer secret is there, or it is not taken either.
const loginRefused = "the upstream refuses the gateway's login"

// part forgets the upstream and everything that was said about its bytes. Whoever reads or writes it finds out by itself. mu is held.
func (c *conn) part() Conn {
	old, in, o := c.conns[abi.Upstream], &c.in[abi.Upstream], &c.out[abi.Upstream]
	c.conns[abi.Upstream] = nil
	in.cursor, in.held, in.used, in.fresh, in.todo, in.behind, in.paused = in.count, nil, 0, nil, nil, 0, false
	in.back, in.piece, in.handshake, in.secured, in.ended = nil, 0, nil, false, false
	o.pieces, o.queued, o.copied, o.grows, o.sealed, o.first = nil, 0, 0, false, false, nil
	_ = old.SetDeadline(time.Unix(1, 0)) // ends a write that nobody takes
	return old
}

// dialAnew has the session connect again, and tells the guest.
func (c *conn) dialAnew(r Relogger, old Conn, slot uint16) {
	old.Abort()
	k, err := r.Relogin(c.ctx, int(slot))
	c.mu.Lock()
	for c.out[abi.Upstream].busy && !c.left { // somebody still writes to the old one
		c.wake.Wait()
	}
	switch {
	case c.left && err == nil:
		k.Abort()
	case c.left:
	case err != nil:
		c.called = true
		c.loginFails(slot, err.Error())
		c.step(nil, false, nil)
	default:
		c.called = true
		c.conns[abi.Upstream] = k
		c.wg.Go(func() { c.read(abi.Upstream, k) })
		c.topUp(0)
		c.event = abi.AppendEvent(c.event[:0], &abi.Event{Kind: abi.KindConnected})
		c.step(c.guest.Event(c.event))
		c.catchUp()
	}
	c.mu.Unlock()
	c.settle(abi.Upstream)
}

// isParted reports whether k is an upstream that was parted from. mu is held.
func (c *conn) isParted(side abi.Side, k Conn) bool {
	return side == abi.Upstream && c.conns[side] != k
}
