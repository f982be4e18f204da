// Package sdk is what the author of a Sallyport plugin imports. A plugin is a state machine over the bytes of one connection:
// it is given what the agent and the upstream send, and says what the agent is about to do (an action), which bytes may go on,
// and what to answer in place of what was refused. The host decides about the actions and moves the bytes.
//
// An author writes a [Plugin], whose Open makes a [Session] for the connection, and registers it:
//
//	func init() { sdk.Register(plugin{}) }
//	func main() {}
//
// and builds it with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o NAME.wasm
//
// The life of a connection: the session is given unread bytes with Data, as often as there are new ones, and returns how many
// it has read. Reading a message means one of: [Conn.Pass] it, [Conn.Drop] it, or [Conn.Ask] about it and Pass it under the
// action's id. What was asked is decided before Data is called with anything behind it, so there is never more than one
// undecided action, and never a byte to take back. After a denial the rest of what the step said is void, [Session.Event]
// is called with the verdict, drops the denied bytes and answers in the protocol's own words.
//
// Transport security and secrets are the host's: [Conn.StartTLS] has it end TLS on one side, [Conn.Auth] has it answer a login
// from a slot of the manifest, [Conn.Alias] keeps a session's key from the agent. [Conn.Scan] leaves frames that need no look
// to the host.
//
// Everything must follow from the configuration and the order of calls alone: no clock, no randomness, no map order. How the
// stream is cut into deliveries must make no difference; tests deliver every recording byte by byte.
//
// One instance serves one connection on one thread. Allocate little: what a guest touches stays resident as long as its
// connection. Maps are fine in Manifest and Configure, which run once before the
// snapshot; fmt and encoding/json are better left out altogether, because each function of a module costs memory in every
// connection ([ReadOptions] reads options without them).
package sdk

import "github.com/sallyport-dev/sallyport/sdk/abi"

// Plugin is what a module registers: it describes itself and makes the session of a connection.
type Plugin interface {
	// Manifest declares everything that the plugin can say. It is called before Configure and must always be the same.
	Manifest() abi.Manifest
	// Configure is given the endpoint's options as a JSON object, every declared option in it, checked. It runs once,
	// before any connection. An error stops the gateway from starting and is shown to the operator.
	Configure(options []byte) error
	// Open begins a connection.
	Open(c *Conn, facts abi.Facts) Session
}

// Session is the state machine of one connection.
type Session interface {
	// Data is given all bytes of side that are not read yet, with end true when none will follow, and returns how many of
	// them it has read. It is called again at once with the rest as long as it reads something, and with more when more has
	// come; a session that reads nothing waits for more. p is valid during the call only.
	//
	// With end true and nothing left unread the session says what becomes of the half-closed connection, usually
	// c.Shut(side.Other()); it is called once for that.
	Data(c *Conn, side abi.Side, p []byte, end bool) (read int)
	// Event is told of every verdict (but for the allowed ones of quiet questions), that the upstream is connected or
	// refused, and how TLS, a login and a scan went.
	Event(c *Conn, e abi.Event)
}

// MaxUnread bounds how many bytes of a side a session may leave unread, in bytes. Past it the connection is closed; a
// protocol with larger messages reads them in parts.
const MaxUnread = 24 << 20
