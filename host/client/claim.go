//go:build linux

package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/sallyport-dev/sallyport/host/wgquick"
)

// claim is the right to be the only one on this host who uses a peer. WireGuard sends all packets of a
// peer to the address that it heard from last: of two tunnels with one key, each would starve the other.
type claim int

// claimPeer takes the right, or says who has it. It is an abstract socket with a name made from the key,
// so that it is free again when this process ends in whatever way.
func claimPeer(peer *wgquick.Config) (claim, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("run in tunnel: claim the peer: %w", err)
	}
	// The key has 256 random bits: its hash tells nothing about it.
	hash := sha256.Sum256(append([]byte("sallyport run: claim of a peer\n"), peer.Interface.PrivateKey[:]...))
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: "@sallyport-run-" + hex.EncodeToString(hash[:])})
	if err != nil {
		unix.Close(fd)
		if errors.Is(err, unix.EADDRINUSE) {
			return -1, errors.New("run in tunnel: another `sallyport run` on this host uses this peer, and WireGuard serves only one of " +
				"them: run both commands in one tunnel (a shell can be the command), or add a second peer")
		}
		return -1, fmt.Errorf("run in tunnel: claim the peer: %w", err)
	}
	return claim(fd), nil
}

func (c claim) release() { unix.Close(int(c)) }
