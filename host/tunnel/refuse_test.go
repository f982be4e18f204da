package tunnel_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/host/tunnel/tunneltest"
	"golang.org/x/net/dns/dnsmessage"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// A client of QUIC hears at once that nobody is there, over IPv4 and IPv6; the twin, DNS, is answered.
func TestUDPIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, handler{resolve: func(context.Context, string, string) (netip.Addr, bool) {
		return netip.MustParseAddr("10.89.255.1"), true
	}}, tunnel.Limits{})
	a := w.newAlice(t)
	for _, to := range []string{"10.89.255.1:443", "203.0.113.7:443", "10.89.0.1:443", "[2001:db8::1]:443"} {
		c, err := a.DialUDP(netip.MustParseAddrPort(to))
		if err != nil {
			t.Fatal(err)
		}
		refused := false
		until(t, to+" is refused", func() bool { // what is sent before the tunnel's handshake may be lost
			_, told := c.Write(make([]byte, 1200)) // whoever asks first is told, this or the Read before
			c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			_, err := c.Read(make([]byte, 100))
			refused = strings.Contains(fmt.Sprint(told, err), "refused")
			return refused
		})
		c.Close()
	}
	if n := w.Counters().Peers["alice"].Dropped[tunnel.DropUDP]; n < 4 {
		t.Errorf("%d refusals are counted", n)
	}
	if hosts, err := a.LookupHost(wait(t), "db"); err != nil || len(hosts) != 1 {
		t.Errorf("DNS: %v, %v", hosts, err)
	}
}

// echoHandler answers pings to some addresses.
type echoHandler struct {
	handler
	echo func(peer string, addr netip.Addr) bool
}

func (h echoHandler) Echo(peer string, addr netip.Addr) bool { return h.echo(peer, addr) }

func TestEchoToVirtualAddresses(t *testing.T) {
	virtual, other := netip.MustParseAddr("10.89.255.1"), netip.MustParseAddr("10.89.255.2")
	w := newWorld(t, echoHandler{echo: func(peer string, addr netip.Addr) bool { return peer == "alice" && addr == virtual }}, tunnel.Limits{})
	replies := make(chan netip.Addr, 1000)
	filter := func(p []byte) bool {
		if p[9] == uint8(header.ICMPv4ProtocolNumber) && header.ICMPv4(p[20:]).Type() == header.ICMPv4EchoReply {
			if checksum.Checksum(p[:20], 0) != 0xffff || checksum.Checksum(p[20:], 0) != 0xffff || header.ICMPv4(p[20:]).Ident() != 9 {
				t.Errorf("the reply is %x", p)
			}
			replies <- netip.AddrFrom4([4]byte(p[12:16]))
		}
		return true
	}
	alice := w.agent(t, w.aliceKey, w.alice.Address, filter)
	until(t, "the virtual address and the gateway answer", func() bool {
		alice.Inject(ping(alice.Address(), other))
		alice.Inject(ping(alice.Address(), virtual))
		alice.Inject(ping(alice.Address(), w.Gateway()))
		seen := map[netip.Addr]bool{}
		for len(replies) > 0 {
			seen[<-replies] = true
		}
		if seen[other] {
			t.Fatal("an address of nobody answers")
		}
		return seen[virtual] && seen[w.Gateway()]
	})
	bob := w.agent(t, w.bobKey, w.bob.Address, func(p []byte) bool {
		if p[9] == uint8(header.ICMPv4ProtocolNumber) && netip.AddrFrom4([4]byte(p[12:16])) == virtual {
			t.Error("an address that is not Bob's to see answers him")
		}
		return true
	})
	until(t, "Bob's is dropped", func() bool {
		bob.Inject(ping(bob.Address(), virtual))
		return w.Counters().Peers["bob"].Dropped[tunnel.DropICMP] > 0
	})
}

// A name that exists has an IPv4 address and nothing else, said in the same way whatever is asked, over UDP and TCP; a name that does
// not exist has nothing.
func TestRecordsAreConsistent(t *testing.T) {
	w := newWorld(t, handler{resolve: func(_ context.Context, _, name string) (netip.Addr, bool) {
		return netip.MustParseAddr("10.89.255.1"), name == "db"
	}}, tunnel.Limits{})
	a := w.newAlice(t)
	const https, svcb = dnsmessage.Type(65), dnsmessage.Type(64)
	for _, network := range []string{"udp", "tcp"} {
		for _, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA, https, svcb, dnsmessage.TypeTXT, dnsmessage.TypeMX} {
			for _, name := range []string{"db.", "nobody."} {
				m := ask(t, a, w.Resolver(), network, name, kind)
				wantCode, wantAnswers := dnsmessage.RCodeSuccess, 0
				if name == "nobody." {
					wantCode = dnsmessage.RCodeNameError
				} else if kind == dnsmessage.TypeA {
					wantAnswers = 1
				}
				if m.RCode != wantCode || len(m.Answers) != wantAnswers || wantAnswers == 0 && len(m.Authorities) != 1 {
					t.Errorf("%s, %s %v: %+v", network, name, kind, m)
				}
			}
		}
	}
}

// ask asks one question, over UDP until there is an answer.
func ask(t *testing.T, a *tunneltest.Agent, server netip.AddrPort, network, name string, kind dnsmessage.Type) dnsmessage.Message {
	t.Helper()
	q := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}}}
	b, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 1500)
	var n int
	if network == "tcp" {
		c := dial(t, a, server.String())
		c.Write(append([]byte{byte(len(b) >> 8), byte(len(b))}, b...))
		if _, err := io.ReadFull(c, buffer[:2]); err != nil {
			t.Fatal(err)
		}
		n = int(buffer[0])<<8 | int(buffer[1])
		if _, err := io.ReadFull(c, buffer[:n]); err != nil {
			t.Fatal(err)
		}
	} else {
		c, err := a.DialUDP(server)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		until(t, "there is an answer", func() bool {
			c.Write(b)
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, err = c.Read(buffer)
			return err == nil
		})
	}
	var m dnsmessage.Message
	if err := m.Unpack(buffer[:n]); err != nil {
		t.Fatalf("%x: %v", buffer[:n], err)
	}
	return m
}

// Behind the agent is something that takes less than the tunnel, and says so (path MTU discovery, RFC 1191).
func TestPathMTU(t *testing.T) {
	const mtu = 1000
	data := make([]byte, 1<<20)
	rand.Read(data)
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		c, err := r.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.Write(data)
	}}, tunnel.Limits{})
	var agent atomic.Pointer[tunneltest.Agent]
	var dropped atomic.Int64
	a := w.agent(t, w.aliceKey, w.alice.Address, func(p []byte) bool {
		if len(p) <= mtu {
			return true
		}
		dropped.Add(1)
		icmp := header.ICMPv4(make([]byte, header.ICMPv4MinimumSize+28))
		icmp.SetType(header.ICMPv4DstUnreachable)
		icmp.SetCode(header.ICMPv4FragmentationNeeded)
		icmp.SetMTU(mtu)
		copy(icmp[header.ICMPv4MinimumSize:], p[:28])
		icmp.SetChecksum(^checksum.Checksum(icmp, 0))
		news := ipPacket(header.ICMPv4ProtocolNumber, netip.AddrFrom4([4]byte(p[16:20])), netip.AddrFrom4([4]byte(p[12:16])), icmp)
		if a := agent.Load(); a != nil {
			go a.Inject(news)
		}
		return false
	})
	agent.Store(a)
	c := dial(t, a, "192.0.2.1:80")
	c.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d of %d bytes arrived, %v", len(got), len(data), err)
	}
	if dropped.Load() == 0 {
		t.Error("no packet was too big")
	}
}

var _ net.Conn = (*tunneltest.Conn)(nil)
