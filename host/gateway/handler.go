package gateway

import (
	"context"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/route"
	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// handler is what the tunnel calls.
type handler struct {
	a        *Assembly
	table    *route.Table
	log      *receipt.Log
	profiles map[string]string // of peers
	refusals *refusals
	run      string // tells connections of this run from those of others
	conns    atomic.Uint64
}

func newHandler(a *Assembly, table *route.Table, log *receipt.Log) *handler {
	h := &handler{a: a, table: table, log: log, profiles: map[string]string{}, refusals: newRefusals(), run: strconv.FormatInt(time.Now().Unix(), 36)}
	for _, p := range a.cfg.Peers {
		h.profiles[p.Name.Value] = p.Profile.Value
	}
	return h
}

// Resolve answers a DNS question. What is not there for the peer's profile is on record.
func (h *handler) Resolve(_ context.Context, peer, name string) (netip.Addr, bool) {
	addr, ok := h.table.Resolve(h.profiles[peer], name)
	if !ok {
		h.refuse(peer, name, "no endpoint has this name", false)
	}
	return addr, ok
}

// ServeTCP serves one connection request.
func (h *handler) ServeTCP(r *tunnel.Request) {
	peer := r.Peer()
	profile := h.profiles[peer]
	name, err := h.table.Find(profile, r.Destination())
	if err != nil {
		h.refuse(peer, r.Destination().String(), err.Error(), false)
		r.Reset()
		return
	}
	e := h.a.endpoints[name]
	g, err := e.guest(r.Context())
	if err != nil {
		h.a.log.Error("no guest for a connection", "endpoint", name, "peer", peer, "error", err)
		h.refuse(peer, name, err.Error(), true)
		r.Reset()
		return
	}
	agent, err := r.Accept()
	if err != nil { // the agent left before the handshake was done
		g.Close()
		return
	}
	s := &session{handler: h, endpoint: e, peer: peer, profile: profile, conn: h.run + "-" + strconv.FormatUint(h.conns.Add(1), 10)}
	end := gate.Serve(r.Context(), gate.Config{
		Agent: agent, Guest: g, Manifest: e.manifest, Session: s, Limits: h.a.limits(),
		Facts: abi.Facts{Endpoint: name, Peer: peer, Profile: profile},
	})
	s.ended(end)
}

// refuse records that something led nowhere, and logs when it cannot.
func (h *handler) refuse(peer, target, reason string, failClosed bool) {
	ok, left := h.refusals.record(peer)
	if !ok {
		return
	}
	detail := ""
	if left > 0 {
		detail = strconv.FormatUint(left, 10) + " more refusals of this peer before this one are not on record: too many at once"
	}
	_, err := h.log.Append(&receipt.Record{Kind: receipt.Refused, Peer: peer, Profile: h.profiles[peer], Target: target, Reason: reason,
		Outcome: "deny", FailClosed: failClosed, Detail: detail})
	if err != nil {
		h.a.log.Error("a refusal cannot be recorded", "peer", peer, "target", target, "error", err)
	}
}
