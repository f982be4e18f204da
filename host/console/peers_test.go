package console

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

// lister is a gateway that knows its peers.
type lister struct {
	scripted
	peers []Peer
	err   error
}

func (l *lister) Peers() ([]Peer, error) { return l.peers, l.err }

func TestPeers(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	want := []Peer{
		{Name: "claude", Address: netip.MustParseAddr("10.89.0.2"), Endpoint: "192.0.2.1:4711", Handshake: &at, Received: 12, Sent: 1 << 40, Connections: 3},
		{Name: "silent", Address: netip.MustParseAddr("10.89.0.3")},
	}
	got, err := client(t, start(t, &lister{peers: want})).Peers(t.Context())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := client(t, start(t, &lister{err: errors.New("no device")})).Peers(t.Context()); err == nil || err.Error() != "no device" {
		t.Errorf("the gateway fails: %v", err)
	}
	if _, err := client(t, start(t, &scripted{})).Peers(t.Context()); err == nil {
		t.Error("a gateway that knows nothing of peers has some")
	}
	if _, err := client(t, t.TempDir()).Peers(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("without a gateway: %v", err)
	}
}
