package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/route"
	"github.com/sallyport-dev/sallyport/host/state"
	"github.com/sallyport-dev/sallyport/host/state/bolt"
)

// addressPrefix is where the state keeps the virtual addresses of endpoints, by name.
const addressPrefix = "address/"

// virtualAddresses gives every endpoint its address inside the tunnel: the one it had before, also in earlier runs.
func virtualAddresses(ctx context.Context, cfg *config.Config) (addresses map[string]netip.Addr, err error) {
	store, err := bolt.Open(filepath.Join(cfg.Gateway.State, "state.db"))
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	entries, err := store.List(ctx, addressPrefix)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	known := map[string]netip.Addr{}
	for _, e := range entries {
		addr, err := netip.ParseAddr(string(e.Value))
		if err != nil {
			return nil, fmt.Errorf("state: %s: %w", e.Key, err)
		}
		known[e.Key[len(addressPrefix):]] = addr
	}
	var names []string
	for i := range cfg.Endpoints {
		names = append(names, cfg.Endpoints[i].Name.Value)
	}
	all, err := route.Assign(config.EndpointRange(cfg.Gateway.Network), names, known)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if known[name] == all[name] {
			continue
		}
		if _, err := store.Put(ctx, addressPrefix+name, []byte(all[name].String()), state.Any, 0); err != nil {
			return nil, fmt.Errorf("state: %w", err)
		}
	}
	return all, nil
}
