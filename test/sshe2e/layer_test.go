// Package sshe2e plays real clients against real servers through the SSH plugin. Between them stands a small layer of this package (layer_test.go): x/crypto/ssh ends the
// transport on both sides, and package drygate does with the guest what the gate does. So what is tested is the plugin with what programs really say; the server's
// own debug log is the witness of what reached it.
package sshe2e

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/plugins/ssh/line"
	"github.com/sallyport-dev/sallyport/plugins/ssh/session"
	"github.com/sallyport-dev/sallyport/plugins/ssh/shell"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// front listens for agents and connects them with a server through the plugin.
type front struct {
	t        *testing.T
	listener net.Listener
	host     ssh.Signer
	upstream string
	login    *ssh.ClientConfig
	decide   func(action string) (deny string)
	options  map[string]any

	mu      sync.Mutex
	actions []string
	breach  string
	conns   []io.Closer
	wg      sync.WaitGroup
}

func (f *front) serve() {
	f.wg.Go(func() {
		for {
			c, err := f.listener.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns = append(f.conns, c)
			f.mu.Unlock()
			f.wg.Go(func() { f.connection(c) })
		}
	})
}

func (f *front) close() {
	_ = f.listener.Close()
	f.mu.Lock()
	for _, c := range f.conns {
		_ = c.Close()
	}
	f.mu.Unlock()
	f.wg.Wait()
	if f.breach != "" {
		f.t.Errorf("the plugin was cut off: %s", f.breach)
	}
}

// seen are the actions so far.
func (f *front) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.actions...)
}

// link is one connection: the gate and its two ends.
type link struct {
	f    *front
	mu   sync.Mutex
	gate *drygate.Gate
	at   int // entries of the transcript that were carried out
	ends [2]*end
	wg   sync.WaitGroup
	said string // of REFUSE
	in   bool   // READY came
}

// end is one side.
type end struct {
	l       *link
	side    abi.Side
	conn    ssh.Conn
	rest    []byte // of records
	next    uint32
	halves  map[uint32]*half
	opening map[uint32]ssh.NewChannel
	asked   []*ssh.Request // global ones that wait for an answer
	global  *queue
}

// half is one side of a channel.
type half struct {
	e       *end
	id      uint32
	ch      ssh.Channel
	started chan struct{}
	once    sync.Once
	mu      sync.Mutex
	asked   []*ssh.Request
	queue   *queue
}

// queue runs functions one after the other.
type queue struct {
	mu   sync.Mutex
	cond *sync.Cond
	list []func()
	over bool
}

func newQueue(wg *sync.WaitGroup) *queue {
	q := &queue{}
	q.cond = sync.NewCond(&q.mu)
	wg.Go(func() {
		for {
			q.mu.Lock()
			for len(q.list) == 0 && !q.over {
				q.cond.Wait()
			}
			if len(q.list) == 0 {
				q.mu.Unlock()
				return
			}
			f := q.list[0]
			q.list = q.list[1:]
			q.mu.Unlock()
			f()
		}
	})
	return q
}

func (q *queue) add(f func()) {
	q.mu.Lock()
	q.list = append(q.list, f)
	q.mu.Unlock()
	q.cond.Signal()
}

func (q *queue) end() {
	q.mu.Lock()
	q.over = true
	q.mu.Unlock()
	q.cond.Signal()
}

func (f *front) connection(c net.Conn) {
	defer func() { _ = c.Close() }()
	l := &link{f: f}
	enter := func(m ssh.ConnMetadata) (*ssh.Permissions, error) { return nil, l.open(m) }
	cfg := &ssh.ServerConfig{
		NoClientAuth: true, NoClientAuthCallback: enter,
		PasswordCallback:  func(m ssh.ConnMetadata, _ []byte) (*ssh.Permissions, error) { return nil, l.open(m) },
		PublicKeyCallback: func(m ssh.ConnMetadata, _ ssh.PublicKey) (*ssh.Permissions, error) { return nil, l.open(m) },
	}
	cfg.AddHostKey(f.host)
	conn, chans, requests, err := ssh.NewServerConn(c, cfg)
	if err != nil {
		l.close()
		return
	}
	a := l.ends[abi.Agent]
	a.conn = conn
	l.wg.Go(func() { a.serve(chans, requests) })
	up := l.ends[abi.Upstream]
	_ = conn.Wait()
	if up != nil {
		_ = up.conn.Close()
	}
	l.close()
	l.wg.Wait()
}

// close ends what still runs.
func (l *link) close() {
	l.mu.Lock()
	for _, e := range l.ends {
		if e == nil {
			continue
		}
		e.global.end()
		for _, h := range e.halves {
			h.queue.end()
		}
		if e.conn != nil {
			_ = e.conn.Close()
		}
	}
	l.mu.Unlock()
}

func (l *link) newEnd(side abi.Side, conn ssh.Conn) *end {
	e := &end{l: l, side: side, conn: conn, next: 1, halves: map[uint32]*half{}, opening: map[uint32]ssh.NewChannel{}, global: newQueue(&l.wg)}
	if side == abi.Upstream {
		e.next = 2
	}
	l.ends[side] = e
	return e
}

// open begins the gate when the agent wants to log in, and says whether it may.
func (l *link) open(m ssh.ConnMetadata) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gate != nil {
		if l.in {
			return nil
		}
		return errors.New("refused")
	}
	l.newEnd(abi.Agent, nil)
	p := &session.Plugin{}
	manifest, err := sdk.ConfigureNative(p, l.f.options)
	if err != nil {
		return err
	}
	l.gate = drygate.New(drygate.Config{
		Guest: sdk.NewNative(p, companion), Manifest: manifest, Facts: abi.Facts{Endpoint: "box", AgentTLS: true, AgentTLSRequired: true, UpstreamTLS: true},
		Decide: func(e *drygate.Entry) drygate.Verdict {
			text := e.String()
			l.f.mu.Lock()
			l.f.actions = append(l.f.actions, text)
			l.f.mu.Unlock()
			if reason := l.f.decide(text); reason != "" {
				return drygate.Verdict{Outcome: abi.Deny, Reason: reason}
			}
			return drygate.Verdict{}
		},
		Secure: func(side abi.Side) (drygate.Secured, error) {
			if side == abi.Agent {
				return drygate.Secured{Version: "2.0", Name: m.User(), Protocol: string(m.ClientVersion())}, nil
			}
			return drygate.Secured{Version: "2.0"}, l.dial()
		},
	})
	l.gate.Open()
	l.carryOut()
	if !l.in {
		return &ssh.BannerError{Err: errors.New("refused"), Message: l.said}
	}
	return nil
}

func (l *link) dial() error {
	c, err := net.Dial("tcp", l.f.upstream)
	if err != nil {
		return err
	}
	conn, chans, requests, err := ssh.NewClientConn(c, l.f.upstream, l.f.login)
	if err != nil {
		return err
	}
	u := l.newEnd(abi.Upstream, conn)
	l.wg.Go(func() {
		u.serve(chans, requests)
		l.mu.Lock()
		a := l.ends[abi.Agent].conn
		l.mu.Unlock()
		if a != nil {
			_ = a.Close()
		}
	})
	return nil
}

// deliver gives the guest a record of a side, and carries out what comes of it.
func (l *link) deliver(side abi.Side, record []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.gate.Over() {
		l.gate.Send(side, record)
		l.carryOut()
	}
}

func (l *link) carryOut() {
	log := l.gate.Transcript()
	for ; l.at < len(log); l.at++ {
		e := &log[l.at]
		if e.Kind == drygate.Gets {
			l.ends[e.Side].write(e.Bytes)
		}
	}
	if b := log.Breached(); b != "" {
		l.f.mu.Lock()
		l.f.breach = b
		l.f.mu.Unlock()
	}
	if e := log.End(); e != nil {
		l.f.t.Logf("the connection ended: %s %v", e.Text, e.Err)
		for _, e := range l.ends {
			if e != nil && e.conn != nil {
				go func() { _ = e.conn.Close() }()
			}
		}
	}
}

// serve takes what the other end of a connection opens and asks.
func (e *end) serve(chans <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	e.l.wg.Go(func() {
		for r := range requests {
			e.l.mu.Lock()
			if r.WantReply {
				e.asked = append(e.asked, r)
			}
			e.l.mu.Unlock()
			start := 0
			b := append(sshwire.AppendString(sshwire.Begin(nil, 0, sshwire.GlobalRequest), r.Type), flag(r.WantReply))
			e.l.deliver(e.side, sshwire.End(append(b, r.Payload...), start))
		}
	})
	for n := range chans {
		e.l.mu.Lock()
		id := e.next
		e.next += 2
		e.opening[id] = n
		e.l.mu.Unlock()
		b := sshwire.AppendString(sshwire.Begin(nil, id, sshwire.Open), n.ChannelType())
		e.l.deliver(e.side, sshwire.End(append(b, n.ExtraData()...), 0))
	}
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// write takes records for this side; the link's lock is held.
func (e *end) write(p []byte) {
	e.rest = append(e.rest, p...)
	for {
		stream, n, ok := sshwire.Head(e.rest)
		if !ok || len(e.rest) < sshwire.HeadSize+n {
			return
		}
		e.record(stream, e.rest[sshwire.HeadSize], append([]byte(nil), e.rest[sshwire.HeadSize+1:sshwire.HeadSize+n]...))
		e.rest = e.rest[sshwire.HeadSize+n:]
	}
}

func (e *end) record(stream uint32, number byte, body []byte) {
	f := sshwire.Fields{P: body}
	switch number {
	case sshwire.Ready:
		e.l.in = true
	case sshwire.Refuse:
		e.l.said = f.String()
	case sshwire.GlobalRequest:
		name, want := f.String(), f.Bool()
		e.global.add(func() {
			ok, answer, err := e.conn.SendRequest(name, want, f.P)
			if err != nil || !want {
				return
			}
			number := byte(sshwire.RequestFailure)
			if ok {
				number = sshwire.RequestSuccess
			}
			e.l.deliver(e.side, sshwire.End(append(sshwire.Begin(nil, 0, number), answer...), 0))
		})
	case sshwire.RequestSuccess, sshwire.RequestFailure:
		r := e.asked[0]
		e.asked = e.asked[1:]
		_ = r.Reply(number == sshwire.RequestSuccess, body)
	case sshwire.Open:
		name := f.String()
		e.l.wg.Go(func() { e.open(stream, name, f.P) })
	case sshwire.OpenConfirm:
		n := e.opening[stream]
		delete(e.opening, stream)
		ch, requests, err := n.Accept()
		if err == nil {
			e.begin(stream, ch, requests, n.ChannelType() == "session")
		}
	case sshwire.OpenFailure:
		n := e.opening[stream]
		delete(e.opening, stream)
		code, text := f.U32(), f.String()
		_ = n.Reject(ssh.RejectionReason(code), text)
	case sshwire.Adjust, sshwire.Splice, sshwire.Transfers: // nothing is bounded here, and everything is shown
	default:
		if h := e.halves[stream]; h != nil {
			h.queue.add(func() { h.write(number, &f) })
		}
	}
}

// open opens a channel on this side.
func (e *end) open(stream uint32, name string, extra []byte) {
	ch, requests, err := e.conn.OpenChannel(name, extra)
	if err != nil {
		text := err.Error()
		var failed *ssh.OpenChannelError
		if errors.As(err, &failed) {
			text = failed.Message
		}
		e.l.deliver(e.side, sshwire.AppendOpenFailure(nil, stream, text))
		return
	}
	e.l.mu.Lock()
	e.begin(stream, ch, requests, false)
	e.l.mu.Unlock()
	e.l.deliver(e.side, sshwire.AppendEmpty(nil, stream, sshwire.OpenConfirm))
}

// begin reads a channel.
func (e *end) begin(stream uint32, ch ssh.Channel, requests <-chan *ssh.Request, waits bool) {
	h := &half{e: e, id: stream, ch: ch, started: make(chan struct{}), queue: newQueue(&e.l.wg)}
	e.halves[stream] = h
	if !waits {
		h.start()
	}
	var readers sync.WaitGroup
	readers.Go(func() { h.read(ch, false) })
	readers.Go(func() { h.read(ch.Stderr(), true) })
	ended := make(chan struct{})
	e.l.wg.Go(func() { // nothing can be written behind the end, to either stream
		defer close(ended)
		readers.Wait()
		e.l.deliver(e.side, sshwire.AppendEmpty(nil, h.id, sshwire.EOF))
	})
	e.l.wg.Go(func() {
		for r := range requests {
			h.mu.Lock()
			if r.WantReply {
				h.asked = append(h.asked, r)
			}
			h.mu.Unlock()
			b := append(sshwire.AppendString(sshwire.Begin(nil, h.id, sshwire.ChannelRequest), r.Type), flag(r.WantReply))
			e.l.deliver(e.side, sshwire.End(append(b, r.Payload...), 0))
			switch r.Type {
			case "exec", "shell", "subsystem":
				h.start()
			}
		}
		h.start()
		<-ended
		e.l.deliver(e.side, sshwire.AppendEmpty(nil, h.id, sshwire.Close))
		h.queue.end()
	})
}

func (h *half) start() { h.once.Do(func() { close(h.started) }) }

func (h *half) read(r io.Reader, extended bool) {
	<-h.started
	buffer := make([]byte, sshwire.MaxData)
	for {
		n, err := r.Read(buffer)
		if n > 0 {
			b := sshwire.Begin(nil, h.id, sshwire.Data)
			if extended {
				b = binary.BigEndian.AppendUint32(sshwire.Begin(nil, h.id, sshwire.ExtendedData), sshwire.StandardError)
			}
			h.e.l.deliver(h.e.side, sshwire.End(sshwire.AppendString(b, buffer[:n]), 0))
		}
		if err != nil {
			return
		}
	}
}

// write carries out a record for this half.
func (h *half) write(number byte, f *sshwire.Fields) {
	switch number {
	case sshwire.Data:
		_, _ = h.ch.Write(f.Bytes())
	case sshwire.ExtendedData:
		f.U32()
		_, _ = h.ch.Stderr().Write(f.Bytes())
	case sshwire.EOF:
		_ = h.ch.CloseWrite()
	case sshwire.Close:
		_ = h.ch.Close()
	case sshwire.ChannelRequest:
		name, want := f.String(), f.Bool()
		ok, err := h.ch.SendRequest(name, want, f.P)
		if want && err == nil {
			number := byte(sshwire.ChannelFailure)
			if ok {
				number = sshwire.ChannelSuccess
			}
			h.e.l.deliver(h.e.side, sshwire.AppendEmpty(nil, h.id, number))
		}
	case sshwire.ChannelSuccess, sshwire.ChannelFailure:
		h.mu.Lock()
		r := h.asked[0]
		h.asked = h.asked[1:]
		h.mu.Unlock()
		_ = r.Reply(number == sshwire.ChannelSuccess, nil)
	}
}

// has reports whether an action with all these words was asked about.
func (f *front) has(words ...string) bool {
	for _, a := range f.seen() {
		all := true
		for _, w := range words {
			all = all && strings.Contains(a, w)
		}
		if all {
			return true
		}
	}
	return false
}

// companion is the companion module as ordinary Go.
func companion(_ int, in, out []byte) (int, error) {
	text, terminal, err := line.ReadCall(in)
	if err != nil {
		return 0, err
	}
	facts := shell.Read(text, terminal)
	return copy(out, line.AppendFacts(nil, &facts)), nil
}
