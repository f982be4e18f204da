// Package h2 follows one connection of HTTP/2 (RFC 9113) between an agent and an upstream. It ends flow control and header compression on both sides: each stream of the agent
// is a stream of another number at the upstream, so that one that waits for a person stops no other, and one that is denied leaves nothing behind.
//
// # What is asked
//
// Every request is an action aside of family "http", asked about when its header block is whole (or its body, where that is inspected). Only an allowed one gets a
// number at the upstream, the next one: numbers must rise in the order in which streams begin there, and a request that waits begins when it is allowed. Its header block is written
// anew, without state (package hpack). Its body passes natively: the plugin writes the frames' heads, the host moves what they hold. SETTINGS, PING, WINDOW_UPDATE, RST_STREAM and GOAWAY to the
// upstream go under the connection's own action, which lasts as long as the connection.
//
// # Flow control
//
// Nothing is granted that is not there: what the agent may send is what the upstream takes, and the other way round. So what arrives can always be passed at once, and
// nothing waits in between. The exceptions are small and counted: the body of a request that is not allowed yet is kept here, at most a first window of 64 KiB for each stream, and what it
// takes of the connection's window is given back, but for a frame's worth that gets it on its way when it is allowed; the gateway's own answers borrow from the agent's window, and what the
// upstream may send is reduced until the debt is paid.
//
// SETTINGS travel from end to end: they are acknowledged when the other end has acknowledged what they mean for it. So is PING. A change of windows takes effect everywhere in the order in which it
// would without a gateway.
//
// # Answers
//
// A denial is a response: 403 and a problem document, or for gRPC a status of PERMISSION_DENIED with the reason as its message. A malformed request (section 8.1.1) is answered with 400. Other streams live on. A connection
// on which the rules of framing, compression or flow control are broken ends with GOAWAY.
//
// # Bounds
//
// At most 100 streams, header lists of 32 KiB (of responses 64 KiB), blocks of 64 KiB in at most 16 frames; 8 SETTINGS and 8 PINGs that wait for an acknowledgement; and an
// account that frames without use (resets, empty frames, unknown frames, small window updates) draw on and requests and data fill again: it bounds rapid reset and the floods of its kind.
package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/aws"
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Limits.
const (
	maxStreams = 100      // at once
	maxList    = 32 << 10 // of a request's header list as section 6.5.2 counts it, in bytes, unless the options say something else
	maxReply   = 64 << 10 // and of a response's
	maxBlock   = 64 << 10 // of a header block as sent, in bytes
	maxPieces  = 16       // frames of a header block
	maxWaiting = 8        // SETTINGS, and PINGs, of each side that wait for their acknowledgement
	maxKept    = 4 << 20  // of bodies that wait here; past it nothing is given back to the connection's window
	// maxSend is what may be written to the upstream under an action without the agent sending anything, in bytes; the rest is for heads of frames.
	maxSend = 62 << 10

	frameSize = h2frame.DefaultMaxSize
	firstGr   = h2frame.DefaultWindow // what the agent may send of a body before anybody has decided
)

// Options are what an endpoint's configuration says. They are the same for all of its connections.
type Options struct {
	Raise       *facts.Raise
	Authorities *facts.Authorities
	// MaxHead bounds the header list of a request as section 6.5.2 counts it, in bytes; 0: 32 KiB.
	MaxHead int
	// Inspect has bodies read before the verdict, up to BodyLimit bytes as sent and decoded.
	Inspect   bool
	BodyLimit int
	// Undo undoes content codings: encoding is the field's value. An error means that the body is unknown. Nil: only bodies without any are known.
	Undo func(c *sdk.Conn, encoding, body []byte, limit int) ([]byte, error)
}

// Link is what is known of a connection when HTTP/2 begins on it.
type Link struct {
	Endpoint string
	// Connect is the allowed action of family "connect", asked about with abi.AskAside: it stays open as long as the connection. The upstream is connected, and
	// secured where it must be.
	Connect uint32
	// Inspect says that some rule looks at answers.
	Inspect bool
	// Secured and ServerName say whether the agent speaks TLS, and which name in lower case it asked for.
	Secured    bool
	ServerName string
	// UpstreamTLS says that the upstream speaks TLS.
	UpstreamTLS bool
	// Credentials are headers that the gateway writes, at most four; the agent's own of these names are left out.
	Credentials []Credential
	// Parameter is one that the gateway writes into the query, in place of the agent's own of that name. No name: none.
	Parameter Credential
	// Secret is what takes the place of a placeholder, its Name, in a header that carries a credential. No name: there is none.
	Secret Credential
	// Echoes says that a secret itself goes into requests, or may, so that a server could send it back.
	Echoes bool
	// Signer says whether the gateway signs requests, with slot SignSlot, in place of what the agent signed them with.
	Signer   aws.Signer
	SignSlot uint16
}

// Session follows one connection. It is large: make it before the snapshot.
type Session struct {
	options *Options
	link    Link
	action  *facts.Action
	list    int // most bytes of a request's header list

	over      bool
	prefaced  bool // the agent's preface was read
	agentSet  bool // its SETTINGS came
	upSet     bool // the upstream's came
	early     int  // SETTINGS of the upstream that came before the agent's
	updated   [2]bool
	paused    [2]bool
	beyond    [2]bool // the last bytes of a side were passed before they came
	refusing  bool    // the upstream takes no new streams
	calm      int     // what useless frames may still cost
	lastAgent uint32
	nextUp    uint32 // the number of the next stream at the upstream

	requests, responses *hpack.Decoder
	assembly            []byte
	request             request
	block               []byte // of the request that was asked about last
	known               uint32 // the number of the agent's block that request, block and secretAt are about; 0: of none that may come again
	passed              passed
	reply               []byte // a block to the agent
	out                 []byte // frames
	written             []byte // a block to the upstream with the gateway's own headers
	secretAt            places // in block
	signing             aws.Text

	streams   streams
	rest      rest
	forgotten []forgotten
	late      bool    // the upstream has ended, and answers of it are looked at
	asked     *stream // waits for the first answer to its question
	windows   windows
	settings  [2]waiting // SETTINGS that were sent to a side and wait for its acknowledgement
	pings     [2]pings   // PINGs that were sent to a side
	forwarded settingsState
}

// names are those that package head knows.
func names(name []byte) (uint8, bool) {
	n, alike := head.NameOf(name)
	return uint8(n), alike
}

// New makes a session for an endpoint's options. action is what requests are collected in; it may be shared with whatever else reads this connection.
func New(o *Options, action *facts.Action) *Session {
	list := maxList
	if o.MaxHead > 0 {
		list = o.MaxHead
	}
	s := &Session{options: o, action: action, list: list,
		requests:  hpack.NewDecoder(hpack.DefaultTableSize, list, head.MaxFields, names),
		responses: hpack.NewDecoder(hpack.DefaultTableSize, maxReply, 2*head.MaxFields, names),
		block:     make([]byte, 0, 4<<10), out: make([]byte, 0, 8<<10), calm: mostCalm, nextUp: 1}
	s.streams.init()
	s.windows.init()
	s.forwarded.init()
	return s
}

// Start begins: the agent's next bytes are its preface.
func (s *Session) Start(c *sdk.Conn, l Link) {
	s.link = l
	s.action.Begin() // what is kept there has numbers of somebody else's
	s.link.Credentials = l.Credentials[:min(len(l.Credentials), maxCredentials)]
	s.out = h2frame.AppendSettings(s.out[:0], h2frame.Setting{ID: h2frame.MaxConcurrentStreams, Value: maxStreams},
		h2frame.Setting{ID: h2frame.MaxHeaderListSize, Value: uint32(s.list)})
	s.settings[abi.Agent].push(0)
	c.Send(abi.Agent, 0, s.out)
}

// Data reads what a side has sent.
func (s *Session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if s.over {
		return 0
	}
	if len(p) == 0 {
		s.ended(c, side)
		return 0
	}
	s.beyond[side] = false
	r := reader{c: c, side: side, p: p}
	if side == abi.Agent {
		s.readAgent(&r)
		if s.asked != nil && !s.over && r.at < len(p) { // what follows is read when that is decided
			s.pause(c, abi.Agent)
		}
	} else {
		s.readUpstream(&r)
	}
	r.forget()
	if !s.over && end && r.at < len(p) && !s.paused[side] {
		s.ended(c, side)
	}
	return r.at
}

// reader walks one delivery.
type reader struct {
	c    *sdk.Conn
	side abi.Side
	p    []byte
	at   int
	drop uint64 // bytes before at that are to be dropped
}

// rest is what was not read.
func (r *reader) rest() []byte { return r.p[r.at:] }

// skip drops the next n bytes, which may not all have come.
func (r *reader) skip(n uint64) {
	r.drop += n
	r.at = min(len(r.p), r.at+int(n))
}

// pass passes the next n bytes, and reports whether some of them have not come.
func (r *reader) pass(id uint32, n uint64) (beyond bool) {
	r.forget()
	r.c.Pass(r.side, id, n)
	beyond = uint64(len(r.p)-r.at) < n
	r.at = min(len(r.p), r.at+int(n))
	return beyond
}

// passData passes a frame of DATA on under action id, whose head h stands at the beginning of p and whose data has n bytes, as one of a stream of the other side, and
// reports whether some of it has not come. A frame that goes on as it is is passed in one piece, so that frames behind each other are.
func (r *reader) passData(h *h2frame.Head, p []byte, stream, id uint32, n int64) (beyond bool) {
	var head [h2frame.HeadSize]byte
	h2frame.AppendHead(head[:0], int(n), h2frame.Data, h.Flags&h2frame.EndStream, stream)
	if string(head[:]) == string(p[:h2frame.HeadSize]) {
		return r.pass(id, h2frame.HeadSize+uint64(n))
	}
	fixed := uint64(h.Fixed())
	under := id
	if r.side == abi.Upstream { // what the agent is sent is nobody's action
		under = 0
	}
	r.c.Send(r.side.Other(), under, head[:])
	r.skip(h2frame.HeadSize + fixed)
	beyond = r.pass(id, uint64(n))
	r.skip(uint64(h.Length) - fixed - uint64(n))
	return beyond
}

// forget says what is to be dropped.
func (r *reader) forget() {
	r.c.Drop(r.side, r.drop)
	r.drop = 0
}

// pause has nothing more of a side shown until resume.
func (s *Session) pause(c *sdk.Conn, side abi.Side) {
	s.paused[side] = true
	c.Pause(side)
}

func (s *Session) resume(c *sdk.Conn, side abi.Side) {
	if s.paused[side] {
		s.paused[side] = false
		c.Unpause(side)
	}
}

// up writes frames of the connection to the upstream.
func (s *Session) up(c *sdk.Conn, b []byte) { c.Send(abi.Upstream, s.link.Connect, b) }

// down writes to the agent.
func (s *Session) down(c *sdk.Conn, b []byte) { c.Send(abi.Agent, 0, b) }

// fail ends the connection because of what one side did.
func (s *Session) fail(c *sdk.Conn, side abi.Side, code h2frame.Code, text string) {
	if s.over {
		return
	}
	s.over = true
	codes := [2]h2frame.Code{h2frame.InternalError, h2frame.NoError}
	codes[side] = code
	s.down(c, h2frame.AppendGoAway(s.out[:0], s.lastAgent, codes[abi.Agent], text))
	if s.agentSet {
		s.up(c, h2frame.AppendGoAway(s.out[:0], 0, codes[abi.Upstream], ""))
	}
	c.Fail(side.String() + ": " + text)
}

// ended is called when nothing more comes of a side.
func (s *Session) ended(c *sdk.Conn, side abi.Side) {
	if s.late = side == abi.Upstream && s.link.Inspect && s.owes(); s.late {
		return
	}
	s.over = true
	if side == abi.Agent {
		if s.agentSet && !s.beyond[abi.Agent] {
			s.up(c, h2frame.AppendGoAway(s.out[:0], 0, h2frame.NoError, ""))
		}
		c.Close("the agent closed the connection")
		return
	}
	if !s.beyond[abi.Upstream] {
		for i := range s.streams.slots {
			if st := &s.streams.slots[i]; st.agent != 0 && st.upstream == 0 { // the server has seen nothing of it
				s.down(c, h2frame.AppendReset(s.out[:0], st.agent, h2frame.RefusedStream))
			}
		}
		s.down(c, h2frame.AppendGoAway(s.out[:0], s.lastAgent, h2frame.NoError, ""))
	}
	c.Close("the server closed the connection")
}

// The account of frames without use.
const (
	mostCalm  = 2000
	dataCalm  = 4 // what a frame of data gives back
	doneCalm  = 8 // and a stream that ends well
	idleCost  = 1
	resetCost = 8
	badCost   = 20
)

// lateCost is what DATA of a stream costs that has ended here. What was on its way when that happened can be as much as a window, so only small frames cost anything.
func lateCost(length uint32) int {
	const small = 256
	if length < small {
		return idleCost
	}
	return 0
}

// strain draws on the account, and ends the connection when it is empty.
func (s *Session) strain(c *sdk.Conn, side abi.Side, n int) {
	if s.calm -= n; s.calm < 0 {
		s.fail(c, side, h2frame.EnhanceYourCalm, "too many frames of no use")
	}
}

func (s *Session) relax(n int) { s.calm = min(s.calm+n, mostCalm) }
