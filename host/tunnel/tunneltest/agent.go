// Package tunneltest is the agent's side of a tunnel for tests: WireGuard and a network stack in userspace, without root, as real
// as what an agent's machine runs. Other packages use it to send traffic through a gateway.
package tunneltest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.zx2c4.com/wireguard/device"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/host/tunnel/internal/bridge"
	"github.com/sallyport-dev/sallyport/host/tunnel/internal/tcpconn"
	"github.com/sallyport-dev/sallyport/host/tunnel/internal/udpbind"
)

// nic is the agent's only interface.
const nic tcpip.NICID = 1

// Options say who the agent is and where its gateway. All but Filter, MTU and Way are required.
type Options struct {
	Endpoint   netip.AddrPort // the gateway's UDP address
	GatewayKey tunnel.Key     // the gateway's public key
	PrivateKey tunnel.Key     // the agent's
	Network    netip.Prefix   // of the tunnel
	Address    netip.Addr     // the agent's, IPv4; its IPv6 address follows from it
	MTU        int            // 0 is tunnel.DefaultMTU
	// Filter, if set, sees each IP packet that arrives and says whether the agent's network stack gets it. It must not keep the packet.
	Filter func(packet []byte) bool
	// Way is the network between the agent and the gateway; the zero value is a perfect one.
	Way Network
}

// Agent is a machine with nothing but the tunnel: all of its traffic goes to the gateway.
type Agent struct {
	options Options
	bridge  *bridge.Bridge
	stack   *stack.Stack
	device  *device.Device
	once    sync.Once
}

// Conn is a TCP connection as the agent has it. Its errors are typed as those of tunnel.Conn are.
type Conn = tcpconn.Conn

// New starts an agent; the test's end closes it. An agent that cannot be made fails the test.
func New(t testing.TB, options Options) *Agent {
	t.Helper()
	a, err := start(options)
	if err != nil {
		t.Fatalf("start an agent: %v", err)
	}
	t.Cleanup(a.Close)
	return a
}

// Dial is New for a running tunnel on this machine.
func Dial(t testing.TB, gateway *tunnel.Tunnel, network netip.Prefix, privateKey tunnel.Key, address netip.Addr) *Agent {
	t.Helper()
	return New(t, Options{
		Endpoint:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), gateway.ListenPort()),
		GatewayKey: gateway.PublicKey(),
		PrivateKey: privateKey,
		Network:    network,
		Address:    address,
	})
}

func start(options Options) (*Agent, error) {
	if options.MTU == 0 {
		options.MTU = tunnel.DefaultMTU
	}
	a := &Agent{options: options}
	a.bridge = bridge.New(options.MTU, options.Filter)
	a.stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocolWithOptions(ipv6.Options{})},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol},
	})
	bind := udpbind.New(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if options.Way != (Network{}) {
		bind = options.Way.impair(bind)
	}
	a.device = device.NewDevice(a.bridge, a.bridge.Bind(bind),
		&device.Logger{Verbosef: device.DiscardLogf, Errorf: device.DiscardLogf})
	if err := a.configure(); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *Agent) configure() error {
	sack := tcpip.TCPSACKEnabled(true)
	if err := a.stack.SetTransportProtocolOption(tcp.ProtocolNumber, &sack); err != nil {
		return errors.New(err.String())
	}
	if err := a.stack.CreateNIC(nic, a.bridge.Link()); err != nil {
		return errors.New(err.String())
	}
	for _, addr := range []netip.Addr{a.options.Address, a.Address6()} {
		if err := a.stack.AddProtocolAddress(nic, tcpip.ProtocolAddress{
			Protocol:          protocolOf(addr),
			AddressWithPrefix: tcpip.AddrFromSlice(addr.AsSlice()).WithPrefix(),
		}, stack.AddressProperties{}); err != nil {
			return errors.New(err.String())
		}
	}
	a.stack.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, NIC: nic},
		{Destination: header.IPv6EmptySubnet, NIC: nic},
	})
	config := fmt.Sprintf("private_key=%x\nlisten_port=0\npublic_key=%x\nendpoint=%s\nallowed_ip=0.0.0.0/0\nallowed_ip=::/0\n",
		a.options.PrivateKey[:], a.options.GatewayKey[:], a.options.Endpoint)
	if err := a.device.IpcSet(config); err != nil {
		return err
	}
	return a.device.Up()
}

func protocolOf(addr netip.Addr) tcpip.NetworkProtocolNumber {
	if addr.Is4() {
		return ipv4.ProtocolNumber
	}
	return ipv6.ProtocolNumber
}

// Close ends the agent without a word to the gateway, like a machine that is switched off.
func (a *Agent) Close() {
	a.once.Do(func() {
		a.device.Close()
		a.stack.Destroy()
	})
}

// Address returns the agent's IPv4 address.
func (a *Agent) Address() netip.Addr { return a.options.Address }

// Address6 returns the agent's IPv6 address.
func (a *Agent) Address6() netip.Addr {
	return tunnel.PeerAddress6(a.options.Network, a.options.Address)
}

// Roam has the agent go on from another UDP port, as one does that changes its network.
func (a *Agent) Roam() error {
	if err := a.device.IpcSet("listen_port=0\n"); err != nil {
		return fmt.Errorf("roam: %w", err)
	}
	return nil
}

// Rekey ends WireGuard's session, so that the next packet begins another with a handshake, as each does after some minutes.
func (a *Agent) Rekey() {
	if p := a.device.LookupPeer(device.NoisePublicKey(a.options.GatewayKey)); p != nil {
		p.ExpireCurrentKeypairs()
	}
}

// Inject sends an IP packet as it is, whatever it claims.
func (a *Agent) Inject(packet []byte) { a.bridge.Inject(packet) }

// DialContext connects through the tunnel. The network is "tcp", "tcp4" or "tcp6"; a host name is looked up with LookupHost. The
// connection is a *Conn.
func (a *Agent) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if network != "tcp" && network != "tcp4" && network != "tcp6" {
		return nil, &net.OpError{Op: "dial", Net: network, Err: net.UnknownNetworkError(network)}
	}
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		hosts, err := a.LookupHost(ctx, host)
		if err != nil {
			return nil, err
		}
		if addr, err = netip.ParseAddr(hosts[0]); err != nil {
			return nil, err
		}
	}
	return a.DialTCP(ctx, netip.AddrPortFrom(addr, uint16(port)))
}

// DialTCP connects through the tunnel. A refused connection is syscall.ECONNREFUSED.
func (a *Agent) DialTCP(ctx context.Context, to netip.AddrPort) (*Conn, error) {
	queue := new(waiter.Queue)
	fail := func(err error) (*Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(to), Err: err}
	}
	ep, terr := a.stack.NewEndpoint(tcp.ProtocolNumber, protocolOf(to.Addr()), queue)
	if terr != nil {
		return fail(tcpconn.Errno(terr))
	}
	entry, connected := waiter.NewChannelEntry(waiter.WritableEvents)
	queue.EventRegister(&entry)
	defer queue.EventUnregister(&entry)
	terr = ep.Connect(tcpip.FullAddress{NIC: nic, Addr: tcpip.AddrFromSlice(to.Addr().AsSlice()), Port: to.Port()})
	if _, started := terr.(*tcpip.ErrConnectStarted); started {
		select {
		case <-connected:
			terr = ep.LastError()
		case <-ctx.Done():
			ep.Abort()
			return fail(ctx.Err())
		}
	}
	if terr != nil {
		ep.Close()
		return fail(tcpconn.Errno(terr))
	}
	return tcpconn.New(queue, ep), nil
}

// ListenTCP listens in the agent's own stack.
func (a *Agent) ListenTCP(port uint16) (net.Listener, error) {
	return gonet.ListenTCP(a.stack, tcpip.FullAddress{NIC: nic, Addr: tcpip.AddrFromSlice(a.options.Address.AsSlice()), Port: port},
		ipv4.ProtocolNumber)
}

// DialUDP returns a UDP socket whose packets go through the tunnel to one address.
func (a *Agent) DialUDP(to netip.AddrPort) (net.Conn, error) {
	remote := tcpip.FullAddress{NIC: nic, Addr: tcpip.AddrFromSlice(to.Addr().AsSlice()), Port: to.Port()}
	return gonet.DialUDP(a.stack, nil, &remote, protocolOf(to.Addr()))
}

// Resolver returns a resolver that asks the gateway; its network, "udp" or "tcp", is fixed unless it is empty.
func (a *Agent) Resolver(network string) *net.Resolver {
	gateway := netip.AddrPortFrom(tunnel.Gateway(a.options.Network), 53)
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, asked, _ string) (net.Conn, error) {
		if network != "" {
			asked = network
		}
		if asked == "tcp" {
			return a.DialTCP(ctx, gateway)
		}
		return a.DialUDP(gateway) // also a net.PacketConn, by which the resolver knows UDP
	}}
}

// LookupHost asks the gateway for the addresses of a host name.
func (a *Agent) LookupHost(ctx context.Context, host string) ([]string, error) {
	return a.Resolver("").LookupHost(ctx, strings.TrimSuffix(host, ".")+".") // the dot: no search domains of this machine
}
