package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// session is the gateway as one connection sees it.
type session struct {
	*handler
	a             *Assembly // the one that it began with
	endpoint      *endpoint
	peer, profile string
	conn          string
	login         atomic.Pointer[login] // what the gateway logs in with for the agent; nil: see ownLogin
	usage         *usage                // nil: no rule asks for it

	// layers are the transports of both sides and the login.
	layers layers

	// dialError is why the upstream could not be reached, for the operator.
	dialError string

	// receipts are the ids of the last decisions, so that a note can name the one it is about; a ring of keptReceipts, of which there is as
	// much as was used: a relay makes one decision.
	receipts []keptReceipt
	added    receipt.Mark // up to where the record is to be settled
	// receiptsMu guards both: what judges decide about is decided beside the connection.
	receiptsMu sync.Mutex
}

// keptReceipts is how many decisions may be under way before a note can no longer name the one that it is about.
const keptReceipts = 64

type keptReceipt struct {
	action uint32
	id     string
}

// keep has a later note find the receipt of an action.
func (s *session) keep(action uint32, id string) {
	s.receiptsMu.Lock()
	defer s.receiptsMu.Unlock()
	i := int(action % keptReceipts)
	for i >= len(s.receipts) {
		s.receipts = append(s.receipts, keptReceipt{})
	}
	s.receipts[i] = keptReceipt{action, id}
}

// kept is the id of an action's receipt; empty: it is not known any more.
func (s *session) kept(action uint32) string {
	s.receiptsMu.Lock()
	defer s.receiptsMu.Unlock()
	if i := int(action % keptReceipts); i < len(s.receipts) && s.receipts[i].action == action {
		return s.receipts[i].id
	}
	return ""
}

// record is a record about this connection.
func (s *session) record(kind receipt.Kind) *receipt.Record {
	return &receipt.Record{Kind: kind, Conn: s.conn, Peer: s.peer, Profile: s.profile, Endpoint: s.endpoint.cfg.Name.Value}
}

// byPlugin is a record about this connection that its plugin has a part in.
func (s *session) byPlugin(kind receipt.Kind) *receipt.Record {
	r := s.record(kind)
	r.Plugin, r.PluginDigest = s.endpoint.cfg.Plugin.Value, s.endpoint.digest
	return r
}

// Decide decides by the rules. What cannot be recorded is denied.
func (s *session) Decide(ctx context.Context, q *gate.Question) gate.Verdict {
	if q.Response != nil {
		return s.decideAnswer(ctx, q)
	}
	in := decide.Input{Endpoint: s.endpoint.cfg.Name.Value, Peer: s.peer, Profile: s.profile, Action: q.Action, Streaming: q.Streaming}
	if s.usage != nil {
		in.Usage = s.usage.act(time.Now())
	}
	v := ruling{Verdict: s.a.rules.Decide(in)}
	if v.Inspect != nil {
		return s.inspecting(&in, q, v.Inspect, v.Limit, s.ruled(ctx, q, v))
	}
	return s.ruled(ctx, q, v)
}

// ruled makes a verdict of what rules say.
func (s *session) ruled(ctx context.Context, q *gate.Question, v ruling) gate.Verdict {
	if v.Outcome == decide.Judge || v.Outcome == decide.Hold {
		kept := v // so that what is plainly allowed or denied stays on the stack
		if len(v.Judges) > 0 {
			return s.judged(ctx, q, &kept)
		}
		return s.held(ctx, q, &kept)
	}
	id, err := s.add(q, s.decision(q, &v))
	if err != nil {
		return s.unrecorded(err)
	}
	verdict := gate.Verdict{Outcome: abi.Deny, Rule: v.Rule, Reason: reason(&v.Verdict), Receipt: id}
	if v.Outcome == decide.Allow {
		verdict.Outcome = abi.Allow
	}
	s.layers.decided(q.Action.Family.Name, verdict.Outcome)
	return verdict
}

// decision is the record of what the rules say about an action.
func (s *session) decision(q *gate.Question, v *ruling) *receipt.Record {
	r := s.byPlugin(receipt.Decision)
	r.ActionID, r.Action, r.Streaming, r.Credential = q.ID, q.Action, q.Streaming, s.credential()
	r.Outcome, r.Rule, r.Reason, r.Unknown = receipt.Outcome(v.Word()), v.Rule, v.Reason, v.Unknown
	r.Judges = v.judgments
	if q.Response != nil {
		aboutAnswer(r, q)
	}
	for _, o := range v.Observed {
		switch o.Outcome {
		case decide.Judge:
			r.WouldJudge = append(r.WouldJudge, o.Rule)
		case decide.Hold:
			r.WouldHold = append(r.WouldHold, o.Rule)
		default:
			r.WouldDeny = append(r.WouldDeny, o.Rule)
		}
	}
	return r
}

// append puts a decision on record, and keeps its id for the notes about the action.
func (s *session) append(q *gate.Question, r *receipt.Record) (id string, err error) {
	if id, err = s.handler.record.Append(r); err != nil {
		return "", err
	}
	s.keep(q.ID, id)
	return id, nil
}

// add is append, but that decisions which come several at a time are written together, when the gate settles them. What the layers act upon is on record
// at once.
func (s *session) add(q *gate.Question, r *receipt.Record) (id string, err error) {
	if !q.Aside || q.Action.Family.Name == abi.FamilyConnect {
		return s.append(q, r)
	}
	id, at, err := s.handler.record.Add(r)
	if err != nil {
		return "", err
	}
	s.keep(q.ID, id)
	s.receiptsMu.Lock()
	defer s.receiptsMu.Unlock()
	s.added = s.added.And(at)
	return id, nil
}

// Settle returns when what was decided is on record.
func (s *session) Settle() error {
	s.receiptsMu.Lock()
	at := s.added
	s.receiptsMu.Unlock()
	err := s.handler.record.Settle(at)
	if err != nil {
		s.log.Error("a decision cannot be recorded, so its connection is cut off", "peer", s.peer, "endpoint", s.endpoint.cfg.Name.Value, "error", err)
		return errors.New("the record cannot be written")
	}
	s.receiptsMu.Lock()
	defer s.receiptsMu.Unlock()
	if s.added == at { // all of it is in the file: what is lost later is not of this connection
		s.added = receipt.Mark{}
	}
	return nil
}

// unrecorded is the verdict on what cannot be recorded.
func (s *session) unrecorded(err error) gate.Verdict {
	s.log.Error("a decision cannot be recorded, so it is a denial", "peer", s.peer, "endpoint", s.endpoint.cfg.Name.Value, "error", err)
	return gate.Verdict{Outcome: abi.Deny, Reason: "the gateway cannot record its decision"}
}

// credential is the name of what the gateway logs in with for the agent; empty: the agent does so itself.
func (s *session) credential() string {
	if l := s.ownLogin(); l != nil {
		return l.credential
	}
	return ""
}

// reason is what the agent is told. A rule that matches only because something is not known says little about what the agent did.
func reason(v *decide.Verdict) string {
	if len(v.Unknown) == 0 || v.Rule == "" {
		return v.Reason
	}
	return v.Reason + " (counts because not known: " + strings.Join(v.Unknown, ", ") + ")"
}

// Note records what became of an action.
func (s *session) Note(id uint32, pairs []string) {
	r := s.record(receipt.Note)
	r.ActionID, r.Pairs = id, pairs
	r.Parent = s.kept(id)
	if err := s.handler.record.Later(r); err != nil {
		s.log.Error("what became of an action cannot be recorded", "peer", s.peer, "endpoint", r.Endpoint, "error", err)
	}
}

// serve serves the session's connection until it has ended. It counts no more when its end is on record.
func (s *session) serve(c *gate.Connection) {
	defer s.layers.close()
	end := c.Serve()
	if s.usage != nil {
		s.usage.disconnect()
	}
	s.ended(end)
}

// ended records the end of the connection.
func (s *session) ended(end gate.End) {
	r := s.byPlugin(receipt.End)
	r.Reason = end.Reason
	r.Up, r.Down = end.Written[abi.Upstream], end.Written[abi.Agent]
	if link := s.layers.ssh; link != nil { // the gate sees nothing of what goes from side to side in the layer
		toAgent, toUpstream := link.Spliced()
		r.Up, r.Down = r.Up+toUpstream, r.Down+toAgent
	}
	r.Detail = cmp.Or(s.dialError, s.layers.failure)
	if end.FailClosed {
		r.Outcome = receipt.OutcomeFailClosed
		s.log.Warn("a connection was cut off", "peer", s.peer, "endpoint", r.Endpoint, "plugin", r.Plugin, "reason", end.Reason)
	}
	if _, err := s.handler.record.Append(r); err != nil {
		s.log.Error("the end of a connection cannot be recorded", "peer", s.peer, "endpoint", r.Endpoint, "error", err)
	}
}

// Dial connects to the upstream. Its error is for the agent, so it names the endpoint and not where it is.
func (s *session) Dial(ctx context.Context) (gate.Conn, error) {
	if k, err, ok := s.layers.reached(); ok {
		return k, err
	}
	c := s.endpoint.cfg
	d := net.Dialer{Timeout: s.a.cfg.Limits.DialTimeout}
	k, err := d.DialContext(ctx, "tcp", net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
	if err != nil {
		s.log.Warn("an upstream cannot be reached", "endpoint", c.Name.Value, "error", err)
		s.dialError = err.Error()
		return nil, fmt.Errorf("upstream %s %s", c.Name.Value, dialReason(err))
	}
	if s.endpoint.endsUpstream() { // what is inside of TLS is masked there
		return upstreamConn{k.(*net.TCPConn)}, nil
	}
	return s.unechoed(upstreamConn{k.(*net.TCPConn)}), nil
}

func dialReason(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused the connection"
	case errors.As(err, &dns):
		return "has a name that does not resolve"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "did not answer in time"
	}
	return "cannot be reached"
}

// upstreamConn is a connection to an upstream.
type upstreamConn struct{ *net.TCPConn }

// Abort resets the connection.
func (c upstreamConn) Abort() {
	_ = c.SetLinger(0)
	_ = c.Close()
}
