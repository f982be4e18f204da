package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/judge"
	"github.com/sallyport-dev/sallyport/host/judge/budget"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/route"
	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// Running is what a gateway tells about itself once it serves.
type Running struct {
	Port      uint16 // WireGuard's, UDP
	PublicKey tunnel.Key
	// Addresses are the endpoints' virtual addresses by name.
	Addresses map[string]netip.Addr
	// Reload serves new connections by another configuration. Connections that are open stay with what they began with, but
	// for those of peers that are gone or have another key or address: they end. An error of type config.Problems says what
	// is wrong with the configuration; after any error everything is as it was.
	// When it waits for a confirmation it is of type *Unconfirmed, and the last argument confirms what that showed.
	Reload func(context.Context, *config.Config, bool) (*Change, error)
	// Holds is what waits for people.
	Holds *approve.Book
	// Peers says what each peer does.
	Peers func() ([]tunnel.PeerStatus, error)
	// Judges says what judges there are, and what they have cost.
	Judges Judges
}

// ReceiptsPath is the file of the record of a gateway with this configuration.
func ReceiptsPath(cfg *config.Config) string {
	return filepath.Join(cfg.Gateway.State, "receipts.jsonl")
}

// Serve runs the gateway until ctx ends, and then until every connection has ended. ready is called once, when agents can
// connect; it may be nil. What a reload has put in the assembly's place is let go at the end.
func (a *Assembly) Serve(ctx context.Context, ready func(Running)) (err error) {
	if a.options.PolicyOnly {
		return errors.New("what was assembled to try a policy cannot serve")
	}
	if err := MakeState(a.cfg); err != nil {
		return err
	}
	// The record's lock keeps a second gateway out of the state, so it comes first.
	settings, problems := a.receiptOptions(ctx)
	if len(problems) > 0 {
		return problems
	}
	log, err := receipt.Open(ReceiptsPath(a.cfg), settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if _, err := log.Append(&receipt.Record{Kind: receipt.Start, Policy: a.policy(), Detail: a.version}); err != nil {
		return err
	}
	err = a.serve(ctx, log, ready)
	reason := "asked to stop"
	if err != nil {
		reason = "it cannot serve: " + err.Error()
	}
	_, unwritten := log.Append(&receipt.Record{Kind: receipt.Stop, Reason: reason})
	return errors.Join(err, unwritten)
}

// serve is Serve with an open record.
func (a *Assembly) serve(ctx context.Context, log *receipt.Log, ready func(Running)) (err error) {
	key, err := Key(a.cfg)
	if err != nil {
		return err
	}
	addresses, err := virtualAddresses(ctx, a.cfg)
	if err != nil {
		return err
	}
	table, err := a.routes(addresses)
	if err != nil {
		return err
	}
	ca, err := CertificateAuthority(a.cfg)
	if err != nil {
		return err
	}
	for _, w := range a.warnings {
		a.log.Warn(w.String())
	}
	holds, err := a.openHoldings(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, holds.close()) }()
	h := newHandler(newServing(a, table), a.log, log)
	h.ca, h.book = ca, holds.book
	spent, err := budget.Open(ctx, holds.store)
	if err != nil {
		return err
	}
	h.bench = judge.NewBench(spent, a.log)
	t, err := tunnel.New(ctx, a.tunnelConfig(key, h))
	if err != nil {
		return err
	}
	s := &server{handler: h, tunnel: t, record: log, key: key, current: a, holds: holds}
	running := Running{Port: t.ListenPort(), PublicKey: key.Public(), Addresses: addresses, Reload: s.Reload, Holds: holds.book, Peers: t.Peers, Judges: Judges{h}}
	a.log.Info("ready", "wireguard_port", running.Port, "public_key", running.PublicKey.String(), "endpoints", len(a.endpoints), "peers", len(a.cfg.Peers))
	if ready != nil {
		ready(running)
	}
	<-ctx.Done()
	a.logCounters(t.Counters())
	t.Close()
	return s.stop()
}

// logCounters says what the tunnel let through and dropped, of each peer that sent anything.
func (a *Assembly) logCounters(c tunnel.Counters) {
	a.log.Info("stopping", "connections", c.Connections)
	for _, name := range slices.Sorted(maps.Keys(c.Peers)) {
		p := c.Peers[name]
		var dropped []any
		for _, d := range tunnel.Drops() {
			if n := p.Dropped[d]; n > 0 {
				dropped = append(dropped, slog.Uint64(d.String(), n))
			}
		}
		if p.Requests > 0 || len(dropped) > 0 {
			a.log.Info("peer", "name", name, "connection_requests", p.Requests, "accepted", p.Accepted, slog.Group("dropped", dropped...))
		}
	}
}

// totalConnections is how many connections all peers together may have, unless one peer may have more.
const totalConnections = 16 << 10

func (a *Assembly) tunnelConfig(key tunnel.Key, h *handler) tunnel.Config {
	c := tunnel.Config{
		Listen:     a.cfg.Gateway.Listen,
		PrivateKey: key,
		Network:    a.cfg.Gateway.Network,
		Handler:    h,
		Limits:     tunnel.Limits{Connections: a.cfg.Limits.Connections, TotalConnections: max(totalConnections, a.cfg.Limits.Connections)},
		Logger:     a.log.With("room", "tunnel"),
	}
	for i := range a.cfg.Peers {
		c.Peers = append(c.Peers, tunnelPeer(&a.cfg.Peers[i]))
	}
	return c
}

// routes is the table of the configured endpoints.
func (a *Assembly) routes(addresses map[string]netip.Addr) (*route.Table, error) {
	var endpoints []route.Endpoint
	for i := range a.cfg.Endpoints {
		e := &a.cfg.Endpoints[i]
		r := route.Endpoint{Name: e.Name.Value, Host: e.Host, Port: e.Port}
		for _, p := range e.Profiles {
			r.Profiles = append(r.Profiles, p.Value)
		}
		endpoints = append(endpoints, r)
	}
	return route.New(endpoints, addresses)
}

// limits are those of one connection.
func (a *Assembly) limits() gate.Limits {
	return gate.Limits{Window: int(a.cfg.Limits.Window), Linger: a.cfg.Limits.Linger}
}

// policy is a hash of what decides: the rules, what they apply to, and the plugins with their options.
func (a *Assembly) policy() string {
	var p struct {
		Endpoints []policyEndpoint
		Rules     [][]string
		Approvers [][]string
		Judges    [][]string `json:",omitempty"`
	}
	p.Judges = a.policyJudges()
	p.Approvers = a.policyApprovers()
	for i := range a.cfg.Endpoints {
		p.Endpoints = append(p.Endpoints, a.policyEndpoint(&a.cfg.Endpoints[i]))
	}
	for i := range a.effective {
		p.Rules = append(p.Rules, a.effective[i].policyRule())
	}
	b, err := json.Marshal(p)
	if err != nil {
		return "" // what a configuration can hold always marshals
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// policyEndpoint is what of an endpoint decides.
type policyEndpoint struct {
	Name, Address, Plugin, Digest string
	Profiles                      []string
	Options                       map[string]any
	Transport                     policyTransport
	Mode                          config.Mode
	OnHold                        config.OnHold
}

func (a *Assembly) policyEndpoint(c *config.Endpoint) policyEndpoint {
	e := policyEndpoint{c.Name.Value, c.Address.Value, c.Plugin.Value, a.endpoints[c.Name.Value].digest, nil, values(c.Options), a.endpoints[c.Name.Value].policyTransport(), a.cfg.ModeOf(c), c.OnHold}
	for _, profile := range c.Profiles {
		e.Profiles = append(e.Profiles, profile.Value)
	}
	return e
}
