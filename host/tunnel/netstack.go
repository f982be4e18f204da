package tunnel

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// nic is the stack's only interface.
const nic tcpip.NICID = 1

const (
	// timeWait is short because it guards against old packets of a slow network, and here WireGuard already refuses them
	// (replay protection); a long one would let a peer pile up endpoints.
	timeWait = time.Second
	// finWait bounds how long a closed connection waits for the agent's FIN.
	finWait = 30 * time.Second
	// keepAliveIdle, keepAliveInterval and keepAliveCount find an agent that went away while nothing is sent: after 60 s and 5
	// probes of 15 s. userTimeout finds one that went away with data under way.
	keepAliveIdle     = 60 * time.Second
	keepAliveInterval = 15 * time.Second
	keepAliveCount    = 5
	userTimeout       = 2 * time.Minute
)

// newStack makes a network stack on link that takes TCP for every address and has the gateway's address for DNS and echo.
func newStack(link stack.LinkEndpoint, gateway netip.Addr, limits Limits) (*stack.Stack, error) {
	s := stack.New(stack.Options{
		NetworkProtocols: []stack.NetworkProtocolFactory{
			ipv4.NewProtocol,
			// No options: no neighbour discovery, no router advertisements, no address of its own.
			ipv6.NewProtocolWithOptions(ipv6.Options{}),
		},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol},
	})
	if err := errors.Join(setTCP(s, limits), setAddresses(s, link, gateway)); err != nil {
		s.Destroy()
		return nil, err
	}
	return s, nil
}

func setTCP(s *stack.Stack, limits Limits) error {
	sack := tcpip.TCPSACKEnabled(true)
	// Loss is found by SACK alone (RFC 6675), without RACK and its tail loss probe. The stack takes the late acknowledgement of a probe
	// that was not needed for a loss, where RFC 8985 (section 7.4.2) waits for more, and makes the window smaller; and it probes after two
	// round trips, of which a busy peer on the same processors takes many. On lines that lose packets RACK was not faster.
	recovery := tcpip.TCPRecovery(0)
	congestion := tcpip.CongestionControlOption("cubic")
	moderate := tcpip.TCPModerateReceiveBufferOption(true)
	timeWait := tcpip.TCPTimeWaitTimeoutOption(timeWait)
	finWait := tcpip.TCPLingerTimeoutOption(finWait)
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4096, Default: min(startBuffer, limits.ReceiveBuffer), Max: limits.ReceiveBuffer}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 4096, Default: min(startBuffer, limits.SendBuffer), Max: limits.SendBuffer}
	for _, option := range []tcpip.SettableTransportProtocolOption{
		&sack, &recovery, &congestion, &moderate, &timeWait, &finWait, &receive, &send,
	} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, option); err != nil {
			return fmt.Errorf("set TCP option %T: %s", option, err)
		}
	}
	return nil
}

func setAddresses(s *stack.Stack, link stack.LinkEndpoint, gateway netip.Addr) error {
	if err := s.CreateNIC(nic, link); err != nil {
		return fmt.Errorf("create the stack's interface: %s", err)
	}
	address := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: tcpip.AddrFrom4(gateway.As4()).WithPrefix()}
	if err := s.AddProtocolAddress(nic, address, stack.AddressProperties{}); err != nil {
		return fmt.Errorf("give the stack the address %s: %s", gateway, err)
	}
	// Promiscuous: take packets for any address. Spoofing: answer from any address.
	if err := s.SetPromiscuousMode(nic, true); err != nil {
		return fmt.Errorf("make the stack's interface promiscuous: %s", err)
	}
	if err := s.SetSpoofing(nic, true); err != nil {
		return fmt.Errorf("let the stack's interface answer for every address: %s", err)
	}
	s.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, NIC: nic},
		{Destination: header.IPv6EmptySubnet, NIC: nic},
	})
	return nil
}

// setConnection sets the options of one accepted connection.
func setConnection(ep tcpip.Endpoint) error {
	options := ep.SocketOptions()
	options.SetDelayOption(false) // no Nagle: the gate writes whole messages
	options.SetKeepAlive(true)
	idle := tcpip.KeepaliveIdleOption(keepAliveIdle)
	interval := tcpip.KeepaliveIntervalOption(keepAliveInterval)
	timeout := tcpip.TCPUserTimeoutOption(userTimeout)
	for _, option := range []tcpip.SettableSocketOption{&idle, &interval, &timeout} {
		if err := ep.SetSockOpt(option); err != nil {
			return fmt.Errorf("set option %T: %s", option, err)
		}
	}
	if err := ep.SetSockOptInt(tcpip.KeepaliveCountOption, keepAliveCount); err != nil {
		return fmt.Errorf("set the number of keepalive probes: %s", err)
	}
	return nil
}

// netAddr converts an address of the stack.
func netAddr(a tcpip.Address) netip.Addr {
	addr, _ := netip.AddrFromSlice(a.AsSlice())
	return addr
}

// remoteOf returns the address that an endpoint of the stack talks to; the zero Addr if none.
func remoteOf(ep stack.TransportEndpoint) netip.Addr {
	e, ok := ep.(tcpip.Endpoint)
	if !ok {
		return netip.Addr{}
	}
	info, ok := e.Info().(*stack.TransportEndpointInfo)
	if !ok {
		return netip.Addr{}
	}
	return netAddr(info.ID.RemoteAddress)
}
