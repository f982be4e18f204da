package console

import (
	"context"
	"net/http"
	"net/netip"
	"time"
)

// PeerLister is a Gateway that knows what its peers do. One that is none answers that it does not.
type PeerLister interface {
	Peers() ([]Peer, error)
}

// Peer is a peer of the running gateway.
type Peer struct {
	Name string `json:"name"`
	// Address is the peer's inside the tunnel.
	Address netip.Addr `json:"address"`
	// Endpoint is where it was last heard from, UDP; empty: nowhere yet.
	Endpoint string `json:"endpoint"`
	// Handshake is when the last one was completed; null: never.
	Handshake *time.Time `json:"handshake"`
	// Received and Sent are bytes of WireGuard since the gateway knows the peer.
	Received uint64 `json:"received"`
	Sent     uint64 `json:"sent"`
	// Connections are open now.
	Connections int `json:"connections"`
}

// peerRoutes adds what the console says of peers.
func peerRoutes(mux *http.ServeMux, g Gateway) {
	mux.HandleFunc("GET /v1/peers", func(w http.ResponseWriter, _ *http.Request) {
		lister, ok := g.(PeerLister)
		if !ok {
			answer(w, http.StatusNotImplemented, &Failure{Message: "this gateway does not tell of its peers"})
			return
		}
		peers, err := lister.Peers()
		if err != nil {
			fail(w, err)
			return
		}
		answer(w, http.StatusOK, peers)
	})
}

// Peers lists the peers of the gateway. Its error wraps ErrNotRunning when there is none.
func (c *Client) Peers(ctx context.Context) ([]Peer, error) {
	var peers []Peer
	if err := c.call(ctx, http.MethodGet, "/v1/peers", nil, &peers); err != nil {
		return nil, err
	}
	return peers, nil
}
