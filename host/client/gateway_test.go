//go:build linux

package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun/netstack"

	"github.com/sallyport-dev/sallyport/host/wgquick"
)

// patience is how long a test waits for what must happen.
const patience = 2 * time.Minute

var (
	gateway4 = netip.MustParseAddr("10.89.0.1")
	gateway6 = netip.MustParseAddr("fd00:89::1")
)

// gateway is the other end of the tunnel: inside, it answers on port 7 of its addresses with "tunnel: " and
// the line it got, and it is a resolver that knows echo.test.
type gateway struct {
	peer    *wgquick.Config
	network *netstack.Net
}

func newKey(t *testing.T) (private, public wgquick.Key) {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return wgquick.Key(key.Bytes()), wgquick.Key(key.PublicKey().Bytes())
}

func startGateway(t *testing.T) *gateway {
	t.Helper()
	private, public := newKey(t)
	peerPrivate, peerPublic := newKey(t)
	tunDevice, network, err := netstack.CreateNetTUN([]netip.Addr{gateway4, gateway6}, nil, 1420)
	if err != nil {
		t.Fatal(err)
	}
	wg := device.NewDevice(tunDevice, conn.NewDefaultBind(), device.NewLogger(device.LogLevelSilent, ""))
	t.Cleanup(wg.Close)
	settings := fmt.Sprintf("private_key=%s\nlisten_port=0\npublic_key=%s\nallowed_ip=10.89.0.2/32\nallowed_ip=fd00:89::2/128\n",
		hex.EncodeToString(private[:]), hex.EncodeToString(peerPublic[:]))
	if err := errors.Join(wg.IpcSet(settings), wg.Up()); err != nil {
		t.Fatal(err)
	}
	state, err := wg.IpcGet()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(state, "listen_port=")
	port, _, _ = strings.Cut(port, "\n")

	for _, address := range []netip.Addr{gateway4, gateway6} {
		listener, err := network.ListenTCPAddrPort(netip.AddrPortFrom(address, 7))
		if err != nil {
			t.Fatal(err)
		}
		serveEcho(t, listener, "tunnel: ")
	}
	resolver, err := network.ListenUDPAddrPort(netip.AddrPortFrom(gateway4, 53))
	if err != nil {
		t.Fatal(err)
	}
	serveDNS(t, resolver)
	return &gateway{network: network, peer: &wgquick.Config{
		Interface: wgquick.Interface{
			PrivateKey: peerPrivate, DNS: []netip.Addr{gateway4},
			Address: []netip.Prefix{netip.MustParsePrefix("10.89.0.2/32"), netip.MustParsePrefix("fd00:89::2/128")},
		},
		Peer: wgquick.Peer{
			PublicKey: public, Endpoint: "127.0.0.1:" + port,
			AllowedIPs: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
		},
	}}
}

// serveEcho answers each connection's first line, after a prefix, until the test ends.
func serveEcho(t *testing.T, listener net.Listener, prefix string) {
	t.Helper()
	var running sync.WaitGroup
	running.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer connection.Close()
				_ = connection.SetDeadline(time.Now().Add(patience))
				line, err := bufio.NewReader(connection).ReadString('\n')
				if err == nil {
					_, _ = io.WriteString(connection, prefix+line)
				}
			})
		}
	})
	t.Cleanup(func() { listener.Close(); running.Wait() })
}

// serveDNS answers for echo.test, and that nothing else exists, until the test ends.
func serveDNS(t *testing.T, socket net.PacketConn) {
	t.Helper()
	var running sync.WaitGroup
	running.Go(func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := socket.ReadFrom(buffer)
			if err != nil {
				return
			}
			if answer, err := answerDNS(buffer[:n]); err == nil {
				_, _ = socket.WriteTo(answer, from)
			}
		}
	})
	t.Cleanup(func() { socket.Close(); running.Wait() })
}

func answerDNS(query []byte) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(query); err != nil || len(message.Questions) != 1 {
		return nil, errors.New("not a query")
	}
	question := message.Questions[0]
	message.Response, message.RecursionAvailable = true, true
	message.Additionals = nil
	if question.Name.String() != "echo.test." {
		message.RCode = dnsmessage.RCodeNameError
		return message.Pack()
	}
	head := dnsmessage.ResourceHeader{Name: question.Name, Class: question.Class, TTL: 1}
	switch question.Type {
	case dnsmessage.TypeA:
		message.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: gateway4.As4()}}}
	case dnsmessage.TypeAAAA:
		message.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AAAAResource{AAAA: gateway6.As16()}}}
	}
	return message.Pack()
}

// result is what a command left behind.
type result struct {
	code int
	err  error
	out  string // what it wrote to its standard output and standard error
}

// run runs a command in the tunnel.
func (g *gateway) run(t *testing.T, o Options, command ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var out bytes.Buffer
	var copied sync.WaitGroup
	copied.Go(func() { _, _ = io.Copy(&out, reader) })
	o.Peer, o.Command, o.Stdout, o.Stderr = g.peer, command, writer, writer
	code, err := Run(ctx, o)
	writer.Close()
	copied.Wait()
	if ctx.Err() != nil {
		t.Fatalf("%q did not end", command)
	}
	return result{code, err, out.String()}
}

// runProbe runs a probe in the tunnel.
func (g *gateway) runProbe(t *testing.T, args ...string) result {
	t.Helper()
	return g.run(t, Options{}, append([]string{"/proc/self/exe", "probe"}, args...)...)
}

// cli prepares `sallyport run` as a process of its own; with mode unprivileged the first argument of the
// command is becomeNobody's.
func (g *gateway) cli(t *testing.T, mode string, command ...string) *exec.Cmd {
	t.Helper()
	var config strings.Builder
	if err := g.peer.Write(&config); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "/proc/self/exe", append([]string{mode}, command...)...)
	cmd.Args[0] = "test"
	cmd.Env = append(os.Environ(), peerVariable+"="+config.String())
	return cmd
}

// expect compares a result with what it should be; the output may be longer.
func expect(t *testing.T, got result, code int, out string) {
	t.Helper()
	if got.code != code || !strings.Contains(got.out, out) || got.err != nil {
		t.Errorf("got status %d, error %v, output %q; want status %d, output %q", got.code, got.err, got.out, code, out)
	}
}
