// Package gate is the life of one connection: it moves bytes between the agent and the upstream, shows them to a guest, has
// the guest's questions decided, and enforces the laws. It knows no protocol.
//
// Its invariant is the first law: a byte reaches the upstream only inside the range that an allowed action covers, or as a
// constant of the plugin's manifest. The guest's word is never enough: every PASS is checked against the ranges of what was
// allowed, and a guest that asks for more is cut off, and with it its connection only.
//
// How it runs: one goroutine reads each side. What it read goes to the guest, under the connection's mutex; the guest's
// commands are carried out at once and queue bytes for either side; the queues are written outside the mutex, in order. A
// reader writes what it queued for the other side itself and reads on when that is out. Answers to its own side are written
// by a goroutine that lives as long as that takes, so that a side which does not read stops only what fills its queue, and
// two sides that both write first and read later do not block each other. While a PASS goes beyond what was delivered, bytes
// are moved without calling the guest. The memory of a connection is bounded by a few times [Limits].Window.
package gate

import (
	"context"
	"net"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Conn is one side of a connection.
type Conn interface {
	net.Conn
	// CloseWrite ends the outgoing direction: the peer reads an end of stream.
	CloseWrite() error
	// Abort ends the connection at once; the peer sees a reset rather than an end of stream.
	Abort()
}

// Guest is one running copy of a plugin. Its results are valid until the next call; after an error it is not called again,
// except for Close. more asks for Event(nil) once the commands are carried out.
type Guest interface {
	InputCapacity() int
	Open(facts []byte) (commands []byte, more bool, err error)
	Data(side abi.Side, p []byte, flags uint32) (commands []byte, more bool, err error)
	Event(event []byte) (commands []byte, more bool, err error)
	Close()
}

// Question is an action that a guest asks about.
type Question struct {
	ID        uint32 // counts within the connection
	Action    *abi.Action
	Streaming bool
}

// Verdict answers a question. It is final, and on record, when it is given.
type Verdict struct {
	Outcome abi.Outcome
	Rule    string // name of the rule that decided; empty when none did
	Reason  string
	Receipt string // id of the record
}

// Session is the rest of the gateway, as one connection needs it. Its methods are called one at a time, but for Dial, and
// must not call back into the gate.
type Session interface {
	// Decide decides about an action and records the decision. It must deny what it cannot record.
	Decide(ctx context.Context, q *Question) Verdict
	// Dial connects to the endpoint's upstream; its error is shown to the agent.
	Dial(ctx context.Context) (Conn, error)
	// Note records what became of an action.
	Note(id uint32, pairs []string)
}

// Limits bound one connection.
type Limits struct {
	// Window is how many bytes of one side may be shown to the guest and neither passed nor dropped, or wait for the
	// upstream to be connected, or stand behind passed bytes that have not come. A connection that needs more is closed,
	// and so is one whose guest queues four times as much for one side at once.
	Window int
	// Linger bounds how long the last bytes may take once the connection has ended.
	Linger time.Duration
}

// DefaultLimits are the limits of an ordinary connection.
var DefaultLimits = Limits{Window: 2 << 20, Linger: 5 * time.Second}

// End says how a connection ended.
type End struct {
	// FailClosed: it was cut off because something could not be understood, decided or bounded.
	FailClosed bool
	// Reason is one line for the record.
	Reason string
	// Read counts the bytes that came from each side, Written those that went to it.
	Read, Written [2]uint64
}

// Config is one connection to serve.
type Config struct {
	Agent    Conn
	Guest    Guest // Serve closes it
	Manifest *abi.Manifest
	Facts    abi.Facts
	Session  Session
	Limits   Limits
}

// Serve runs a connection until it has ended and everything that belongs to it is closed: both sides, the guest, and the
// goroutines. Cancelling ctx resets both sides.
func Serve(ctx context.Context, cfg Config) End {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := newConn(ctx, cfg)
	aborted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(aborted)
		c.abort(stopping)
	})
	c.wg.Go(func() { c.readAgent() })
	<-c.over
	c.finish()
	c.wg.Wait()
	if !stop() {
		<-aborted
	}
	c.guest.Close()
	c.end.Read = [2]uint64{c.in[abi.Agent].count, c.in[abi.Upstream].count}
	return c.end
}
