// Package tunnel is the first door: it ends the WireGuard tunnels of all peers in userspace and yields the TCP connections that
// come through them, each with the peer that it belongs to, before the connection's handshake is answered.
//
// WireGuard runs over one UDP socket and a network stack inside this process (gVisor's netstack): no root, no network interface,
// no route and no firewall rule of the machine is touched. Nothing is forwarded. What a peer sends either ends here or is dropped:
//
//   - TCP over IPv4, to any address and port, becomes a [Request] for [Handler.ServeTCP], which accepts or resets it. The stack
//     pretends to be every address, so the destination that the agent dialled is known and nothing has reached it.
//   - DNS, UDP and TCP, to port 53 of the gateway (see [Gateway]) is answered from [Handler.Resolve]. Nothing is asked elsewhere.
//   - An ICMP echo request to the gateway is answered, so that "ping" can tell whether the tunnel is up, and so are those to
//     addresses for which the handler answers (see [EchoHandler]).
//   - Other UDP, over IPv4 and IPv6, is refused with ICMP "port unreachable" and counted, so that a client of QUIC turns to TCP
//     without waiting.
//   - TCP over IPv6 is reset at once, so that a client that tries IPv6 first turns to IPv4 without waiting. Each peer has an IPv6
//     address (see [PeerAddress6]) only for this: an agent that routes all of its traffic into the tunnel has no way around it.
//   - The ICMP message that a packet was too big for the way to the agent has the gateway send smaller ones (path MTU discovery).
//   - Everything else (other ICMP, other protocols, fragments, IP options) is dropped and counted for the peer.
//
// # Identity
//
// A connection belongs to the peer whose WireGuard key authenticated its packets. Each peer may send from its own IPv4 and IPv6
// address only; WireGuard drops a packet that claims another source. The address is looked up while the packet is delivered, in the
// same call, so a peer that is removed and one that gets its address later are never confused. A removed peer's connections are
// aborted, its requests cannot be accepted any more, and packets on their way to it are thrown away.
//
// # Bounds
//
// [Limits] bounds what a peer can make the gateway hold: requests without a decision, connections (from the first packet until the
// last byte is acknowledged or given up, so that an agent cannot keep closed connections alive outside the count), buffers of each
// connection, DNS questions in work. The limit on all peers together bounds the whole. Packets that were received and not worked on yet are bounded, too, for all
// peers together.
//
// # Life
//
// [New] starts everything, [Tunnel.Close] ends everything and waits for it: handlers, goroutines, the UDP socket.
package tunnel
