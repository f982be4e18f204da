package tunnel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
)

const (
	// resolveTimeout is what Handler.Resolve gets.
	resolveTimeout = 5 * time.Second
	// dnsIdle is how long a DNS connection over TCP may take for one question (RFC 7766 section 6.2.3: a few seconds).
	dnsIdle = 10 * time.Second
)

var errNotAQuestion = errors.New("not a plain DNS question")

// startDNS opens the resolver's UDP socket in the stack and serves it.
func (t *Tunnel) startDNS() error {
	local := tcpip.FullAddress{NIC: nic, Addr: tcpip.AddrFrom4(t.gateway.As4()), Port: dnsPort}
	socket, err := gonet.DialUDP(t.stack, &local, nil, ipv4.ProtocolNumber)
	if err != nil {
		return fmt.Errorf("open the resolver in the tunnel: %w", err)
	}
	t.dns = socket
	t.running.Go(t.serveUDP)
	return nil
}

// serveUDP reads questions until the socket is closed. Each is answered on its own goroutine, as many for a peer as its limit says.
func (t *Tunnel) serveUDP() {
	buffer := make([]byte, maxQuestion)
	for {
		n, from, err := t.dns.ReadFrom(buffer)
		if err != nil {
			return // closed: nothing else ends a UDP socket of the stack
		}
		udp, ok := from.(*net.UDPAddr)
		if !ok {
			continue
		}
		p := t.peerAt(udp.AddrPort().Addr().Unmap())
		if p == nil {
			t.strangers.Add(1)
			continue
		}
		if !p.takeQuestion(t.config.Limits.DNS) {
			continue
		}
		question := append([]byte(nil), buffer[:n]...)
		t.running.Go(func() {
			defer p.asking.Add(-1)
			if reply := t.answer(p, question); reply != nil {
				t.dns.WriteTo(reply, udp) // a lost answer is asked for again
			}
		})
	}
}

// takeQuestion counts a question in work unless there are too many.
func (p *peer) takeQuestion(limit int) bool {
	if p.asking.Add(1) > int64(limit) {
		p.asking.Add(-1)
		p.tally.drop(DropDNS)
		return false
	}
	return true
}

// answer answers one question of a peer.
func (t *Tunnel) answer(p *peer, question []byte) []byte {
	ctx, cancel := context.WithTimeout(p.ctx, resolveTimeout)
	defer cancel()
	reply := answerDNS(question, func(name string) found {
		addr, exists := t.config.Handler.Resolve(ctx, p.Name, name)
		return found{addr: addr, exists: exists, failed: !exists && ctx.Err() != nil}
	})
	if reply != nil {
		p.tally.dns.Add(1)
	}
	return reply
}

// serveDNS answers DNS over one TCP connection: questions one after the other, each after its length (RFC 1035 section 4.2.2).
func (t *Tunnel) serveDNS(r *Request) {
	c, err := r.Accept()
	if err != nil {
		return
	}
	buffer := make([]byte, 2+maxQuestion)
	for c.SetDeadline(time.Now().Add(dnsIdle)) == nil {
		if _, err := io.ReadFull(c, buffer[:2]); err != nil {
			break
		}
		length := int(binary.BigEndian.Uint16(buffer))
		if length > maxQuestion {
			break
		}
		question := buffer[2 : 2+length]
		if _, err := io.ReadFull(c, question); err != nil || !r.peer.takeQuestion(t.config.Limits.DNS) {
			break
		}
		reply := t.answer(r.peer, question)
		r.peer.asking.Add(-1)
		if reply == nil {
			break
		}
		out := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(reply)), uint16(len(reply)))
		if _, err := c.Write(append(out, reply...)); err != nil {
			break
		}
	}
	c.Close()
}

// Resolver returns where the gateway answers DNS inside the tunnel.
func (t *Tunnel) Resolver() netip.AddrPort { return netip.AddrPortFrom(t.gateway, dnsPort) }
