// Package session is the HTTP plugin: it follows one connection of HTTP/1.1, or hands it to package h2, and asks about every request before the server sees
// anything of it.
//
// # How a connection is read
//
// One request at a time: the next one is not looked at before the response to the one before is known to its end, so a pipeline is
// answered in order and no response can be taken for that of another request. Heads are read by package head, strictly; the body of an allowed
// request passes natively when it has a length, and chunk by chunk when it comes in chunks. The same goes for responses. Requests and responses
// are passed as they are; the few lines that must not go on are taken out, see edits.
//
// # What is asked
//
// The connection is one action of family "connect", asked about before TLS with the agent, or without TLS when the first request is there; a
// denial is the answer to the first request. Every request is one of family "http"; package facts says what it is. The upstream is dialed behind the first request that is allowed: one that
// waits for a person does not wait on a connection that the server gives up.
//
// # Denials
//
// A denied request is dropped, body and all, and answered with 403 and a problem document; the connection goes on. What two servers
// could read differently is answered with 400, and the connection ends.
package session

import (
	"errors"
	"sync/atomic"

	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/h2"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Limits, in bytes.
const (
	defaultHead = 32 << 10
	leastHead   = 4 << 10
	mostHead    = 48 << 10
	// A body must fit into an action (abi.MaxAction) together with everything else.
	defaultBody = 32 << 10
	mostBody    = 40 << 10
	// maxResponseHead bounds the head of a response.
	maxResponseHead = 64 << 10
	// maxHashed is how much of a body is read before its request is signed, where the service takes no other: it waits in the gate's window.
	maxHashed = 768 << 10
	// maxDropped is how much of a denied request's body is dropped to keep the connection.
	maxDropped = 1 << 20
)

// Plugin is the plugin, with the options of an endpoint.
type Plugin struct {
	maxHead     int
	inspect     bool
	bodyLimit   int
	interim     string
	raise       *facts.Raise
	authorities *facts.Authorities
	plaintext2  bool
	// inspectSockets: the messages of WebSockets are asked about, one by one.
	inspectSockets bool
	two            h2.Options
	// NewDialect makes what reads the requests of one connection in place of family http; nil: nothing does.
	NewDialect func() facts.Dialect
	// spare is a session that was made before the snapshot, so that connections share what they do not write to.
	spare atomic.Pointer[Session]
}

// Values of the option interim.
const (
	interimKnown = "known"
	interimNone  = "none"
	interimAll   = "all"
)

// Manifest declares everything.
func (*Plugin) Manifest() abi.Manifest {
	return abi.Manifest{
		Name: "http", Version: "1.0.0", Doc: "HTTP/1.1 and HTTP/2 (RFC 9110, 9112, 9113).",
		Families:   facts.Families(),
		Slots:      slots(),
		Attributes: attributes(),
		Companions: []abi.Companion{{Name: decode.Companion}},
		TLS:        &abi.TLSWords{Protocols: []string{"h2", "http/1.1"}, First: true},
		Options: []abi.Option{
			{Name: "authorities", Type: abi.TypeString, Default: "",
				Doc: "further host names, with or without a port, that requests may name in Host besides the endpoint's own, separated by spaces; * allows every one"},
			{Name: "inspect_body", Type: abi.TypeBool, Default: false,
				Doc: "read bodies before the verdict, so that rules can use http.body and http.json; nothing of such a request goes on before it is whole"},
			{Name: "body_limit", Type: abi.TypeInt, Min: 0, Max: mostBody, Default: int64(defaultBody),
				Doc: "bytes of a body that are read at most, as sent and decoded; of a longer one body and json are unknown"},
			{Name: "inspect_websocket", Type: abi.TypeBool, Default: false,
				Doc: "ask about every message that an agent sends in a WebSocket, as an action of family websocket; of one longer than body_limit the text is unknown"},
			{Name: "max_head", Type: abi.TypeInt, Min: leastHead, Max: mostHead, Default: int64(defaultHead),
				Doc: "bytes of a request's head; a longer one is answered with 431"},
			{Name: "raise", Type: abi.TypeString, Default: "",
				Doc: "methods that count as graver here, as METHOD=class separated by spaces: POST=execute"},
			{Name: "h2c", Type: abi.TypeBool, Default: false,
				Doc: "HTTP/2 without TLS, for clients and an upstream that know beforehand that the other speaks it"},
			{Name: "interim", Type: abi.TypeString, Values: []string{interimKnown, interimNone, interimAll}, Default: interimKnown,
				Doc: "which HTTP/1.1 clients are sent 102 (Processing) when a person is asked: those that are known to take it, none, or all"},
		},
	}
}

// Configure takes the options.
func (p *Plugin) Configure(options []byte) error {
	o, err := sdk.ReadOptions(options)
	if err != nil {
		return err
	}
	p.maxHead, p.bodyLimit = int(o.Int("max_head")), int(o.Int("body_limit"))
	p.inspect, p.interim = o.Bool("inspect_body"), o.String("interim")
	var wrong [2]error
	p.raise, wrong[0] = facts.ParseRaise(o.String("raise"))
	p.authorities, wrong[1] = facts.ParseAuthorities(o.String("authorities"))
	if err := errors.Join(wrong[:]...); err != nil {
		return err
	}
	p.plaintext2, p.inspectSockets = o.Bool("h2c"), o.Bool("inspect_websocket")
	p.two = h2.Options{Raise: p.raise, Authorities: p.authorities, MaxHead: p.maxHead, Inspect: p.inspect, BodyLimit: p.bodyLimit, Undo: undo}
	s := newSession(p)
	s.two = h2.New(&p.two, s.action)
	p.spare.Store(s)
	return nil
}

// undo undoes content codings by the companion.
func undo(c *sdk.Conn, encoding, body []byte, limit int) ([]byte, error) {
	return decode.Body(c, 0, encoding, body, limit)
}

// Open begins a connection.
func (p *Plugin) Open(c *sdk.Conn, f abi.Facts) sdk.Session {
	s := p.spare.Swap(nil)
	if s == nil {
		s = newSession(p)
	}
	s.open(c, f)
	return s
}
