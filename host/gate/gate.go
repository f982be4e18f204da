// Package gate is the life of one connection: it moves bytes between the agent and the upstream, shows them to a guest, has
// the guest's questions decided, and enforces the laws. It knows no protocol.
//
// Its invariant is the first law: a byte reaches the upstream only inside the range that an allowed action covers, under an
// open streaming action as a few bytes of the plugin's own, as the answer of a login that the session computes, or as a
// constant of the plugin's manifest; and nothing but constants before the TLS that the endpoint promises. The guest's word is
// never enough: every PASS is checked against the ranges of what was allowed, and a guest that asks for more is cut off, and
// with it its connection only.
//
// The same holds for what comes back where a rule looks at it: from the verdict on, that action's answer is kept (package answers), and
// reaches the agent only when the question about it was allowed, with the bytes that the session has overwritten.
//
// How it runs: one goroutine reads each side. What it read goes to the guest, under the connection's mutex; the guest's
// commands are carried out at once and queue bytes for either side; the queues are written outside the mutex, in order. A
// reader writes what it queued for the other side itself and reads on when that is out. Answers to its own side are written
// by a goroutine that lives as long as that takes, so that a side which does not read stops only what fills its queue, and
// two sides that both write first and read later do not block each other. While a PASS goes beyond what was delivered, bytes
// are moved without calling the guest, and while a SCAN runs frames are walked so. TLS begins in the reader of its side, which
// keeps everybody else from reading and writing there until the handshake is done. The memory of a connection is bounded by a
// few times [Limits].Window.
//
// An action that a person has to approve, or a judge, stops the agent's side: what the guest said behind its question is kept, what the agent
// sends is read ahead (so that its leaving is seen) and shown later, and a goroutine waits for the verdict. Actions asked about
// aside, by protocols that carry several things at once, stop nothing: what is passed and sent under one waits in a queue of its
// own until it is allowed.
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

// Question is an action that a guest asks about. It and the slices of its action are used again for the next one, but for those about answers:
// who wants to keep them copies them. The strings stay as they are.
type Question struct {
	ID        uint32 // counts within the connection
	Action    *abi.Action
	Streaming bool
	Aside     bool // it is one of several that go on at once, and the next may be asked about before anything of it leaves
	// Response is set when the question is about the answer of the action Response.Parent, in the family response: what is kept of it. It stays
	// as it is until the verdict is given, and who decides may overwrite bytes of Kept by then, so that the agent gets those.
	Response *abi.Response
	// Parent is what the verdict on that action had as Parent.
	Parent any
}

// Verdict answers a question. It is final when it is given, and on record when [Session].Settle has returned after that.
type Verdict struct {
	Outcome abi.Outcome
	Rule    string // name of the rule that decided; empty when none did
	Reason  string
	Receipt string // id of the record
	Hold    string // what people who approve call the action, when it is or was held
	// Pending is set when a person or a judge is asked: then the verdict is to come, Outcome means nothing yet, and Until says when the
	// wait is over (RFC 3339, UTC). Without a Hold the guest hears that the action waits, and the agent does not, as for a judge that
	// answers soon.
	Pending Pending
	Until   string
	// Inspect: what comes back is kept, up to this many bytes, and asked about before the agent has it; 0: it is not. Of an action that is
	// allowed, at a connection whose facts say that answers are looked at.
	Inspect uint32
	Parent  any // what the question about the answer is to have
}

// Pending is a verdict to come.
type Pending interface {
	// Wait returns the verdict, which is final, and on record. ctx ends when the agent has left or took the action back: then
	// Wait returns a denial soon. Before it returns an approval it asks probe whether the agent is still there; an error
	// makes it a denial. A verdict with a Pending of its own goes on waiting, and the guest hears so: a judge has left it to people.
	Wait(ctx context.Context, probe func(context.Context) error) Verdict
}

// Prober is a Conn that can tell whether the other end is still there. An agent's connection without it is taken to be.
type Prober interface {
	// Probe asks the other end for a sign of life, and returns an error when none comes before ctx ends.
	Probe(ctx context.Context) error
}

// Session is the rest of the gateway, as one connection needs it. Its methods are called one at a time, but for Settle, Dial and
// Secure, and must not call back into the gate.
type Session interface {
	// Decide decides about an action. It must deny what it cannot record. It does not wait for people: their verdict is Pending.
	Decide(ctx context.Context, q *Question) Verdict
	// Settle returns when every decision before is on record. Nothing that was decided leaves the gate before, to either side: neither bytes nor a
	// dial. An error ends the connection. It runs without the mutex, and more than one at a time.
	Settle() error
	// Dial connects to the endpoint's upstream; its error is shown to the agent.
	Dial(ctx context.Context) (Conn, error)
	// Note records what became of an action. pairs is used again afterwards; the strings stay as they are.
	Note(id uint32, pairs []string)
	// Secure ends TLS on one side of the connection: on the agent's as the server, on the upstream's as the client. k reads
	// what the guest was not given first. The returned Conn takes k over. It must return soon after ctx has ended or k was
	// aborted, bounds a handshake that does not come on by itself, and gives errors that are safe to show. Runs without the
	// mutex.
	Secure(ctx context.Context, side abi.Side, k Conn) (Conn, Secured, error)
	// Auth is the answer of a login slot of the manifest to the server's words. Its error's text is safe to show.
	Auth(slot int, words []byte) (answer []byte, err error)
	// Alias makes a value of the same length that stands for original while this connection lives. used is to be called, from
	// anywhere, whenever another connection brings it back; it does not wait.
	Alias(original []byte, used func()) (alias []byte, err error)
	// Unalias is what an alias that this peer was given at this endpoint stands for.
	Unalias(alias []byte) (original []byte, ok bool)
	// Secret is what stands for a slot of the manifest on the wire, in the one form that the configuration fixes for it.
	Secret(slot int) ([]byte, error)
}

// Secured says what a handshake settled.
type Secured struct {
	Version  string // of TLS, "1.3"
	Name     string // of the agent's side: the server name that it asked for, maybe empty
	Protocol string // what ALPN settled on, maybe empty
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
	Facts    abi.Facts // the guest is told them, and the gate holds it to what they say of TLS and slots
	Session  Session
	Limits   Limits
}

// Serve runs a connection until it has ended and everything that belongs to it is closed: both sides, the guest, and the
// goroutines. Cancelling ctx resets both sides.
func Serve(ctx context.Context, cfg Config) End { return New(ctx, cfg).Serve() }

// Connection is one that is to be served.
type Connection struct {
	c       *conn
	cancel  context.CancelFunc
	stop    func() (stopped bool) // of what ends the connection when the context does
	aborted chan struct{}         // closed when that is done
}

// New prepares a connection; its method Serve must be called. It is what [Serve] begins with, apart because a connection that waits holds
// the stack of whoever called Serve, and a configuration is large.
func New(ctx context.Context, cfg Config) *Connection {
	ctx, cancel := context.WithCancel(ctx)
	n := &Connection{c: newConn(ctx, cfg), cancel: cancel, aborted: make(chan struct{})}
	n.stop = context.AfterFunc(ctx, func() {
		defer close(n.aborted)
		n.c.abort(stopping)
	})
	return n
}

// Serve is [Serve]. It can be called once.
func (n *Connection) Serve() End {
	n.c.readAgent()
	n.finish()
	return n.c.end
}

// finish waits for the end, and closes what is left.
//
//go:noinline
func (n *Connection) finish() {
	defer n.cancel()
	c := n.c
	<-c.finished
	c.wg.Wait()
	if !n.stop() {
		<-n.aborted
	}
	c.guest.Close()
	c.end.Read = [2]uint64{c.in[abi.Agent].count, c.in[abi.Upstream].count}
}
