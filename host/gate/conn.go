package gate

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/abi/answers"
)

// conn is the state of one connection. mu guards everything below it, and every call into the guest.
type conn struct {
	ctx      context.Context
	agent    Conn // as it came, without TLS
	guest    Guest
	manifest *abi.Manifest
	facts    abi.Facts
	session  Session
	limits   Limits

	wg       sync.WaitGroup
	over     chan struct{} // closed by the first to call leave, which has the connection finished
	finished chan struct{} // closed when it is

	agentRead chan struct{} // closed when the agent's reader has returned

	mu      sync.Mutex
	wake    sync.Cond // a pause ended, or a write, or a handshake, or the connection
	conns   [2]Conn
	in      [2]input
	out     [2]output
	actions actions
	calls   int // how many more events the guest may have before it must wait for bytes
	records int // and how many more records it may have written
	stock   uint64
	dial    uint32 // the action under which a dial is wanted
	dialed  bool
	called  bool // how the dial went is told
	login   login
	// waiting are the actions that wait for a person, with what ends the wait; nil: it was ended, and the verdict is to come.
	waiting   map[uint32]context.CancelFunc
	answers   answers.Book
	judged    map[uint32]context.CancelFunc // questions about answers whose verdict is to come
	heard     []answered                    // verdicts about answers of which the guest is to hear
	decided   uint64                        // questions that the session was asked
	settled   uint64                        // and those whose decisions are on record
	gone      bool                          // the agent has ended its side: nobody is left to wait for a person
	aliasUsed chan uint8                    // which; made with the first alias
	// What follows is used again and again, so that a statement costs no memory.
	command abi.Command
	asked   Question
	action  abi.Action // of asked
	event   []byte     // for the guest
	left    bool
	hard    bool // end with a reset on both sides and write nothing more
	end     End
}

func newConn(ctx context.Context, cfg Config) *conn {
	c := &conn{ctx: ctx, agent: cfg.Agent, guest: cfg.Guest, manifest: cfg.Manifest, facts: cfg.Facts, session: cfg.Session, limits: cfg.Limits,
		over: make(chan struct{}), finished: make(chan struct{}), agentRead: make(chan struct{}), calls: firstCalls, records: firstRecords}
	c.conns[abi.Agent] = cfg.Agent
	c.wake.L = &c.mu
	return c
}

// stopping is the end of a connection whose context ended.
const stopping = "the gateway is stopping"

// leave ends the connection: the first reason is the one that counts. mu is held.
func (c *conn) leave(hard, failClosed bool, reason string) {
	if c.left {
		return
	}
	c.left, c.hard = true, hard
	c.end.FailClosed, c.end.Reason = failClosed, reason
	c.takeBackAll()
	c.forsake()
	c.wake.Broadcast()
	close(c.over)
	go func() { // begun only now: a connection that does nothing has no goroutine for its end
		defer close(c.finished)
		c.finish()
	}()
}

// fail is the fourth law: what is not understood ends the connection. mu is held.
func (c *conn) fail(format string, args ...any) {
	c.leave(true, true, fmt.Sprintf(format, args...))
}

func (c *conn) abort(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave(true, false, reason)
	for _, k := range c.conns { // also in the middle of a last write
		if k != nil {
			k.Abort()
		}
	}
}

// finish writes out what is queued, within the linger limit, and closes both sides, which ends their readers.
func (c *conn) finish() {
	c.mu.Lock()
	agent, upstream, hard := c.conns[abi.Agent], c.conns[abi.Upstream], c.hard
	agentEnded := c.in[abi.Agent].ended
	c.mu.Unlock()
	if upstream != nil {
		c.closeSide(abi.Upstream, upstream, hard)
		if !hard {
			_ = upstream.CloseWrite() // before a reset that bytes nobody read may cause
		}
		_ = upstream.Close()
	}
	c.closeSide(abi.Agent, agent, hard)
	if !hard && !agentEnded {
		c.drainAgent(agent)
	}
	_ = agent.Close()
}

// closeSide writes the last bytes to one side and has its reader return. What fails here is a connection that is being
// closed. A handshake is not waited for, and what waits for its end is not written.
func (c *conn) closeSide(side abi.Side, k Conn, hard bool) {
	if hard || c.stopHandshake(side) {
		k.Abort()
		return
	}
	_ = k.SetReadDeadline(time.Unix(1, 0))
	_ = k.SetWriteDeadline(time.Now().Add(c.limits.Linger))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flush(side)
}

// drainAgent lets the agent read what was written last. Closing while bytes of it are unread would reset the connection,
// and the reset may overtake the error message that explains it.
func (c *conn) drainAgent(k Conn) {
	const most = 1 << 20
	if k.CloseWrite() != nil {
		return
	}
	<-c.agentRead
	_ = k.SetReadDeadline(time.Now().Add(c.limits.Linger))
	_, _ = io.CopyN(io.Discard, k, most)
}

// settle does what the steps of side's reader want done outside the mutex, and reports whether the connection goes on. When
// it returns nothing refers to the reader's buffer.
func (c *conn) settle(side abi.Side) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dial != 0 && !c.dialed && !c.left {
		c.dialed = true
		c.kick(abi.Agent) // what the agent is told meanwhile does not wait for the dial
		c.connect()
	}
	c.kick(side)
	c.flush(side.Other())
	for c.backedUp(side) && !c.left {
		c.wake.Wait()
	}
	if !c.left && (c.stuck(abi.Agent) || c.stuck(abi.Upstream)) {
		c.fail("the plugin paused a side, and nothing is left that could end the pause")
	}
	return !c.left
}

// backedUp reports whether side is not to be read on before something else is written: its own answers when they pile up, or what
// waits for a handshake of the other side. A side that is to begin TLS itself goes on, because that needs its reader. mu is held.
func (c *conn) backedUp(side abi.Side) bool {
	if c.in[side].wantsTLS.Load() {
		return false
	}
	other := &c.out[side.Other()]
	return side == abi.Agent && c.out[side].queued > backlog || other.sealed && other.queued > backlog
}

// stuck reports whether side is paused for good: a pause ends in a call into the guest, and none is to come. mu is held.
func (c *conn) stuck(side abi.Side) bool {
	in := &c.in[side]
	return in.paused && !in.ended && !c.awaits() && len(c.judged) == 0 && len(in.todo) == 0 && !c.speaks(side.Other()) && !in.wantsTLS.Load() && (c.dial == 0 || c.called)
}

// speaks reports whether the guest will hear of side again. mu is held.
func (c *conn) speaks(side abi.Side) bool {
	in := &c.in[side]
	return c.conns[side] != nil && !in.ended && (!in.paused || in.scan != nil || in.wantsTLS.Load())
}

// ruling has the session decide. mu is held.
func (c *conn) ruling(q *Question) Verdict {
	c.decided++
	return c.session.Decide(c.ctx, q)
}

// record returns when what was decided before the call is on record, and reports whether it is: the seventh law. Without that the connection is over. mu is
// held, but not meanwhile: who writes takes its bytes first, because others may queue more by then.
func (c *conn) record() bool {
	n := c.decided
	if c.settled >= n {
		return true
	}
	c.mu.Unlock()
	err := c.session.Settle()
	c.mu.Lock()
	if err != nil {
		c.fail("a decision cannot be recorded: %v", err)
		return false
	}
	c.settled = max(c.settled, n)
	return true
}

// connect dials the upstream, without the mutex, and tells the guest. mu is held.
func (c *conn) connect() {
	if !c.record() || c.left {
		return
	}
	c.mu.Unlock()
	k, err := c.session.Dial(c.ctx)
	c.mu.Lock()
	if c.left {
		if err == nil {
			k.Abort()
		}
		return
	}
	c.called = true
	e := abi.Event{Kind: abi.KindConnected}
	if err != nil {
		e = abi.Event{Kind: abi.KindRefused, Reason: err.Error()}
	} else {
		c.conns[abi.Upstream] = k
		c.wg.Go(func() { c.read(abi.Upstream, k) })
	}
	c.step(c.guest.Event(abi.AppendEvent(nil, &e)))
	c.catchUp()
}
