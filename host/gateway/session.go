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
	"syscall"

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

	// layers are the transports of both sides and the login.
	layers layers

	// dialError is why the upstream could not be reached, for the operator.
	dialError string

	// receipts are the ids of the last decisions, so that a note can name the one it is about; a ring.
	receipts [64]struct {
		action uint32
		id     string
	}
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
func (s *session) Decide(_ context.Context, q *gate.Question) gate.Verdict {
	v := s.a.rules.Decide(decide.Input{Endpoint: s.endpoint.cfg.Name.Value, Peer: s.peer, Profile: s.profile, Action: q.Action, Streaming: q.Streaming})
	r := s.byPlugin(receipt.Decision)
	r.ActionID, r.Action, r.Streaming = q.ID, q.Action, q.Streaming
	r.Outcome, r.Rule, r.Reason, r.Unknown = v.Outcome.String(), v.Rule, v.Reason, v.Unknown
	for _, o := range v.Observed {
		r.WouldDeny = append(r.WouldDeny, o.Rule)
	}
	id, err := s.handler.record.Append(r)
	if err != nil {
		s.log.Error("a decision cannot be recorded, so it is a denial", "peer", s.peer, "endpoint", r.Endpoint, "error", err)
		return gate.Verdict{Outcome: abi.Deny, Reason: "the gateway cannot record its decision"}
	}
	kept := &s.receipts[q.ID%uint32(len(s.receipts))]
	kept.action, kept.id = q.ID, id
	verdict := gate.Verdict{Outcome: abi.Deny, Rule: v.Rule, Reason: reason(&v), Receipt: id}
	if v.Outcome == decide.Allow {
		verdict.Outcome = abi.Allow
	}
	return verdict
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
	if kept := &s.receipts[id%uint32(len(s.receipts))]; kept.action == id {
		r.Parent = kept.id
	}
	if err := s.handler.record.Later(r); err != nil {
		s.log.Error("what became of an action cannot be recorded", "peer", s.peer, "endpoint", r.Endpoint, "error", err)
	}
}

// ended records the end of the connection.
func (s *session) ended(end gate.End) {
	r := s.byPlugin(receipt.End)
	r.Reason, r.FailClosed = end.Reason, end.FailClosed
	r.Up, r.Down = end.Written[abi.Upstream], end.Written[abi.Agent]
	r.Detail = cmp.Or(s.dialError, s.layers.failure)
	if end.FailClosed {
		s.log.Warn("a connection was cut off", "peer", s.peer, "endpoint", r.Endpoint, "plugin", r.Plugin, "reason", end.Reason)
	}
	if _, err := s.handler.record.Append(r); err != nil {
		s.log.Error("the end of a connection cannot be recorded", "peer", s.peer, "endpoint", r.Endpoint, "error", err)
	}
}

// Dial connects to the upstream. Its error is for the agent, so it names the endpoint and not where it is.
func (s *session) Dial(ctx context.Context) (gate.Conn, error) {
	c := s.endpoint.cfg
	d := net.Dialer{Timeout: s.a.cfg.Limits.DialTimeout}
	k, err := d.DialContext(ctx, "tcp", net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
	if err != nil {
		s.log.Warn("an upstream cannot be reached", "endpoint", c.Name.Value, "error", err)
		s.dialError = err.Error()
		return nil, fmt.Errorf("upstream %s %s", c.Name.Value, dialReason(err))
	}
	return upstreamConn{k.(*net.TCPConn)}, nil
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
