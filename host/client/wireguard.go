//go:build linux

package client

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun"

	"github.com/sallyport-dev/sallyport/host/wgquick"
)

// tunnelEnd is WireGuard on this side: between the TUN device inside and a UDP socket outside.
type tunnelEnd struct {
	device  *device.Device
	sockets *socketList // inside
}

// open starts WireGuard on a TUN device, whose descriptor it takes over.
func (t *tunnelEnd) open(tunFD, mtu int, endpoint netip.AddrPort, o *Options) error {
	tunDevice, _, err := tun.CreateUnmonitoredTUNFromFD(tunFD)
	if err != nil {
		unix.Close(tunFD)
		return fmt.Errorf("take over the TUN device: %w", err)
	}
	t.device = device.NewDevice(foreignTUN{tunDevice, mtu}, conn.NewDefaultBind(), wireguardLog(o))
	if err := t.device.IpcSet(wireguardSettings(o.Peer, endpoint)); err != nil {
		return err
	}
	return t.device.Up()
}

// close ends the tunnel once what the command said last has arrived, or the limit has passed, or ctx ended.
func (t *tunnelEnd) close(ctx context.Context, limit time.Duration) {
	if t.sockets != nil {
		t.sockets.linger(ctx, limit)
		t.sockets.close()
	}
	if t.device != nil {
		t.device.Close()
	}
}

// foreignTUN is a TUN device in another network namespace, which cannot be asked for its MTU from here.
type foreignTUN struct {
	tun.Device
	mtu int
}

// MTU is what the helper has set.
func (t foreignTUN) MTU() (int, error) { return t.mtu, nil }

// wireguardSettings is the configuration in WireGuard's own protocol (www.wireguard.com/xplatform).
func wireguardSettings(c *wgquick.Config, endpoint netip.AddrPort) string {
	var b strings.Builder
	fmt.Fprintf(&b, "private_key=%s\n", hex.EncodeToString(c.Interface.PrivateKey[:]))
	fmt.Fprintf(&b, "public_key=%s\n", hex.EncodeToString(c.Peer.PublicKey[:]))
	fmt.Fprintf(&b, "endpoint=%s\npersistent_keepalive_interval=%d\n", endpoint, c.Peer.PersistentKeepalive)
	for _, network := range c.Peer.AllowedIPs {
		fmt.Fprintf(&b, "allowed_ip=%s\n", network)
	}
	return b.String()
}

// wireguardLog passes WireGuard's messages on.
func wireguardLog(o *Options) *device.Logger {
	if o.Log == nil {
		return &device.Logger{Verbosef: device.DiscardLogf, Errorf: device.DiscardLogf}
	}
	return &device.Logger{
		Verbosef: func(format string, args ...any) { o.Log.Debug("wireguard: " + fmt.Sprintf(format, args...)) },
		Errorf:   func(format string, args ...any) { o.Log.Error("wireguard: " + fmt.Sprintf(format, args...)) },
	}
}

// resolveEndpoint finds the gateway's address with the host's resolver; the first address counts.
func resolveEndpoint(ctx context.Context, endpoint string) (netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(endpoint)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("run in tunnel: endpoint: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("run in tunnel: endpoint: %w", err)
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(addrs) == 0 {
		return netip.AddrPort{}, fmt.Errorf("run in tunnel: find the gateway %s: %w", host, err)
	}
	return netip.AddrPortFrom(addrs[0].Unmap(), uint16(port)), nil
}

// makePlan says what the helper has to set up for o.
func makePlan(o *Options) (*plan, error) {
	p := &plan{
		DNS: o.Peer.Interface.DNS, MTU: o.Peer.Interface.MTU, Addresses: o.Peer.Interface.Address,
		Home: lookupEnv(o.Env, "HOME"), RuntimeDir: lookupEnv(o.Env, "XDG_RUNTIME_DIR"),
		Unprivileged: needsUserNamespace(),
	}
	if p.MTU == 0 {
		p.MTU = DefaultMTU
	}
	// A route without an address of its family would lead packets nowhere slowly, instead of refusing at once.
	var has4, has6 bool
	for _, a := range p.Addresses {
		has4 = has4 || a.Addr().Is4()
		has6 = has6 || a.Addr().Is6()
	}
	for _, network := range o.Peer.Peer.AllowedIPs {
		if network.Addr().Is4() && has4 || network.Addr().Is6() && has6 {
			p.Routes = append(p.Routes, network)
		}
	}
	for _, a := range p.DNS { // the resolver is the gateway
		if a.Is4() && !p.Gateway.IsValid() {
			p.Gateway = a
		}
	}
	if o.AllowSSHAgent {
		p.SSHAgent = lookupEnv(o.Env, "SSH_AUTH_SOCK")
	}
	var err error
	p.Sockets, err = hostSockets()
	return p, err
}
