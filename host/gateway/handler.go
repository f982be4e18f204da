package gateway

import (
	"context"
	"log/slog"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/sallyport-dev/sallyport/host/alias"
	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/judge"
	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/route"
	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// handler is what the tunnel calls.
type handler struct {
	current  atomic.Pointer[serving]
	log      *slog.Logger
	record   *receipt.Log
	refusals *refusals
	ca       *layer.CA // signs what agents see; nil: agents are offered no TLS
	aliases  *alias.Table
	book     *approve.Book
	bench    *judge.Bench
	usages   usages
	run      string // tells connections of this run from those of others
	conns    atomic.Uint64
}

// serving is what new connections are served by. A reload makes another one.
type serving struct {
	a        *Assembly
	table    *route.Table
	profiles map[string]string // of peers
}

func newServing(a *Assembly, table *route.Table) *serving {
	a.revision = a.policy()
	s := &serving{a: a, table: table, profiles: map[string]string{}}
	for _, p := range a.cfg.Peers {
		s.profiles[p.Name.Value] = p.Profile.Value
	}
	return s
}

func newHandler(first *serving, log *slog.Logger, record *receipt.Log) *handler {
	h := &handler{log: log, record: record, refusals: newRefusals(), aliases: alias.New(), run: strconv.FormatInt(time.Now().Unix(), 36)}
	h.current.Store(first)
	return h
}

// enter is what serves a connection that begins now; the caller drops its assembly.
func (h *handler) enter() *serving {
	for {
		if s := h.current.Load(); s.a.take() {
			return s
		}
		// It was replaced in this moment.
	}
}

// Resolve answers a DNS question. What is not there for the peer's profile is on record.
func (h *handler) Resolve(_ context.Context, peer, name string) (netip.Addr, bool) {
	s := h.current.Load()
	addr, ok := s.table.Resolve(s.profiles[peer], name)
	if !ok {
		h.refuse(peer, s.profiles[peer], name, "no endpoint has this name", false)
	}
	return addr, ok
}

// ServeTCP serves one connection request.
func (h *handler) ServeTCP(r *tunnel.Request) {
	by := h.enter()
	defer by.a.drop()
	if s, c := h.accept(by, r); s != nil {
		s.serve(c)
	}
}

// accept accepts a connection that leads somewhere, for its session to serve; nil: it is over. It is apart because what it takes of the
// stack would be held as long as the connection waits.
//
//go:noinline
func (h *handler) accept(by *serving, r *tunnel.Request) (*session, *gate.Connection) {
	peer := r.Peer()
	profile := by.profiles[peer]
	if by.a.isTrust(r.Destination()) {
		h.serveTrust(r, by.a.environment(peer), h.knownHosts(by, profile))
		return nil, nil
	}
	name, err := by.table.Find(profile, r.Destination())
	if err != nil {
		h.refuse(peer, profile, r.Destination().String(), err.Error(), false)
		r.Reset()
		return nil, nil
	}
	e := by.a.endpoints[name]
	g, err := e.guest(r.Context())
	if err != nil {
		h.log.Error("no guest for a connection", "endpoint", name, "peer", peer, "error", err)
		h.refuse(peer, profile, name, err.Error(), true)
		r.Reset()
		return nil, nil
	}
	agent, err := r.Accept()
	if err != nil { // the agent left before the handshake was done
		g.Close()
		return nil, nil
	}
	s := &session{handler: h, a: by.a, endpoint: e, peer: peer, profile: profile, conn: h.run + "-" + strconv.FormatUint(h.conns.Add(1), 10)}
	s.layers = layers{names: []string{name, r.Destination().Addr().String()}, aliases: h.aliases.Connect(peer, name)}
	counted := gate.Conn(agent)
	if by.a.rules.UsesUsage(name) {
		s.usage = h.usages.of(peer, name)
		s.usage.connect()
		counted = countedConn{agent, s.usage}
	}
	l := by.a.currentLogin(r.Context(), e, profile)
	s.login.Store(l)
	facts := e.facts(peer, profile, l)
	facts.Inspect = by.a.rules.Inspects(name)
	return s, gate.New(r.Context(), gate.Config{Agent: counted, Guest: s.recorded(g), Manifest: e.manifest, Session: s, Limits: by.a.limits(), Facts: facts})
}

// refuse records that something led nowhere, and logs when it cannot.
func (h *handler) refuse(peer, profile, target, reason string, failClosed bool) {
	ok, left := h.refusals.record(peer)
	if !ok {
		return
	}
	detail := ""
	if left > 0 {
		detail = strconv.FormatUint(left, 10) + " more refusals of this peer before this one are not on record: too many at once"
	}
	outcome := receipt.OutcomeDeny
	if failClosed {
		outcome = receipt.OutcomeFailClosed
	}
	_, err := h.record.Append(&receipt.Record{Kind: receipt.Refused, Peer: peer, Profile: profile, Target: target, Reason: reason,
		Outcome: outcome, Detail: detail})
	if err != nil {
		h.log.Error("a refusal cannot be recorded", "peer", peer, "target", target, "error", err)
	}
}
