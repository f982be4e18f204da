package tunnel

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestReadStatus(t *testing.T) {
	a, b := Key{1}, Key{2}
	got := readStatus("private_key=00\nlisten_port=5\npublic_key=" + a.hex() + "\nprotocol_version=1\nendpoint=[2001:db8::1]:7\n" +
		"last_handshake_time_sec=100\nlast_handshake_time_nsec=5\ntx_bytes=12\nrx_bytes=34\nallowed_ip=10.89.0.2/32\n" +
		"public_key=zz\nrx_bytes=99\npublic_key=" + b.hex() + "\nlast_handshake_time_sec=0\nlast_handshake_time_nsec=0\nnew_thing=1\nrx_bytes=-1\nerrno=0\n")
	if p := got[a]; len(got) != 2 || p.Endpoint != netip.MustParseAddrPort("[2001:db8::1]:7") || !p.Handshake.Equal(time.Unix(100, 5)) || p.Sent != 12 || p.Received != 34 {
		t.Errorf("%+v", got)
	}
	if p := got[b]; !p.Handshake.IsZero() || p.Endpoint.IsValid() || p.Received != 0 {
		t.Errorf("%+v", p)
	}
}

func FuzzReadStatus(f *testing.F) {
	f.Add("public_key=" + strings.Repeat("0a", 32) + "\nrx_bytes=1\n")
	f.Fuzz(func(_ *testing.T, text string) { readStatus(text) })
}
