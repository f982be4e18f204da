package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/trial"
	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// server is a running gateway.
type server struct {
	handler *handler
	tunnel  *tunnel.Tunnel
	record  *receipt.Log
	key     tunnel.Key
	holds   *holdings

	mu      sync.Mutex // one reload at a time
	current *Assembly
	stopped bool
	// shown is the configuration that waits to be confirmed, empty when none does.
	shown string
}

// Reload serves new connections by cfg. Connections that are open stay with what they began with, but for those of peers that
// are gone or have another key or address: they end. An error that is of type config.Problems says what is wrong with cfg;
// after any error everything is as it was. One of type *Unconfirmed says that the reload waits for a confirmation.
func (s *server) Reload(ctx context.Context, cfg *config.Config, confirm bool) (*Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, errors.New("the gateway is stopping")
	}
	old := s.current
	if problems := old.needRestart(cfg, s.key); len(problems) > 0 {
		problems.Sort()
		return nil, problems
	}
	next, err := assemble(ctx, cfg, old.options, old.sandbox)
	if err != nil {
		return nil, err
	}
	flips, err := s.confirmed(old, next, confirm)
	if err != nil {
		return nil, errors.Join(err, next.Close())
	}
	change, err := s.replace(ctx, old, next)
	if err != nil {
		return nil, errors.Join(err, next.Close())
	}
	change.Flips, s.shown = flips, ""
	if err := old.Close(); err != nil {
		old.log.Error("the old configuration cannot be let go", "error", err)
	}
	return change, nil
}

// replace puts next in the place of old.
func (s *server) replace(ctx context.Context, old, next *Assembly) (*Change, error) {
	addresses, err := virtualAddresses(ctx, next.cfg)
	if err != nil {
		return nil, err
	}
	table, err := next.routes(addresses)
	if err != nil {
		return nil, err
	}
	change := differences(old, next)
	change.Addresses, change.Warnings = addresses, slices.Concat(next.cfg.Warnings, next.Warnings())
	// On record before anything is decided by it.
	if _, err := s.record.Append(&receipt.Record{Kind: receipt.Reload, Policy: change.Policy, Detail: next.version}); err != nil {
		return nil, err
	}
	// A new peer's first connection has to find its profile, so what serves comes before the peers; one that is gone finds nothing.
	before := s.handler.current.Swap(newServing(next, table))
	if err := s.changePeers(old.cfg.Peers, next.cfg.Peers); err != nil {
		s.handler.current.Store(before)
		_, unwritten := s.record.Append(&receipt.Record{Kind: receipt.Reload, Policy: old.policy(), Detail: "undone: " + err.Error()})
		return nil, errors.Join(err, unwritten)
	}
	s.current = next
	if err := s.holds.use(next); err != nil { // what it can refuse was checked before
		next.log.Error("approvers cannot be changed", "error", err)
	}
	return change, nil
}

// changePeers makes the tunnel's peers from old to next, or leaves them as they were.
func (s *server) changePeers(old, next []config.Peer) error {
	gone, added := peersOnlyIn(old, next), peersOnlyIn(next, old)
	for _, p := range gone {
		if err := s.tunnel.RemovePeer(p.Name); err != nil {
			return fmt.Errorf("reload: %w", err)
		}
	}
	for i, p := range added {
		err := s.tunnel.AddPeer(p)
		if err == nil {
			continue
		}
		err = fmt.Errorf("reload: %w", err)
		for _, q := range added[:i] {
			err = errors.Join(err, s.tunnel.RemovePeer(q.Name))
		}
		for _, q := range gone {
			err = errors.Join(err, s.tunnel.AddPeer(q))
		}
		return err
	}
	return nil
}

// peersOnlyIn are the peers of a that b has not, as the tunnel sees them.
func peersOnlyIn(a, b []config.Peer) (only []tunnel.Peer) {
	has := map[tunnel.Peer]bool{}
	for i := range b {
		has[tunnelPeer(&b[i])] = true
	}
	for i := range a {
		if p := tunnelPeer(&a[i]); !has[p] {
			only = append(only, p)
		}
	}
	return only
}

func tunnelPeer(p *config.Peer) tunnel.Peer {
	return tunnel.Peer{Name: p.Name.Value, PublicKey: tunnel.Key(p.PublicKey), Address: p.Address}
}

// needRestart lists what of cfg a running gateway cannot take up.
func (a *Assembly) needRestart(cfg *config.Config, key tunnel.Key) config.Problems {
	var problems config.Problems
	differs := func(pos config.Pos, name string, was, is any) {
		if was != is {
			problems = append(problems, cfg.Problem(pos, "%s was %v and is %v now: that needs a restart of the gateway", name, was, is))
		}
	}
	g := &cfg.Gateway
	differs(g.ListenPos, "gateway.listen", a.cfg.Gateway.Listen, g.Listen)
	differs(g.NetworkPos, "gateway.network", a.cfg.Gateway.Network, g.Network)
	differs(g.StatePos, "gateway.state", a.cfg.Gateway.State, g.State)
	differs(g.CA.CertificatePos, "gateway.ca_cert", a.cfg.Gateway.CA.Certificate, g.CA.Certificate)
	differs(g.CA.KeyPos, "gateway.ca_key", a.cfg.Gateway.CA.Key, g.CA.Key)
	for name, of := range receiptSettings {
		differs(cfg.Receipts.Pos, "receipts."+name, of(&a.cfg.Receipts), of(&cfg.Receipts))
	}
	h, was := &cfg.Holds, &a.cfg.Holds
	differs(h.ListenPos, "holds.listen", was.Listen, h.Listen)
	differs(h.CertificatePos, "holds.certificate", was.Certificate, h.Certificate)
	differs(h.KeyPos, "holds.key", was.Key, h.Key)
	differs(config.Pos{}, "limits.connections", a.cfg.Limits.Connections, cfg.Limits.Connections)
	differs(config.Pos{}, "limits.guest_memory", a.cfg.Limits.GuestMemory, cfg.Limits.GuestMemory)
	if len(problems) > 0 {
		return problems
	}
	switch now, err := Key(cfg); {
	case err != nil:
		problems = append(problems, cfg.Problem(g.PrivateKeyPos, "%v", err))
	case now != key:
		problems = append(problems, cfg.Problem(g.PrivateKeyPos, "the WireGuard key is another one now: that needs a restart of the gateway"))
	}
	return problems
}

// stop ends reloading, and lets the last configuration go.
func (s *server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	return s.current.Close()
}

// Change is what a reload has changed.
type Change struct {
	Policy                           string // the hash of what decides now, as receipts name it
	Peers, Plugins, Endpoints, Rules Difference
	// Flips are recent actions that the old and the new configuration do not agree about.
	Flips *trial.Report
	// Addresses are the endpoints' virtual addresses by name.
	Addresses map[string]netip.Addr
	// Warnings are what is valid and probably not meant.
	Warnings config.Problems
}
