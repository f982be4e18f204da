package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun/netstack"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
)

// stockGateway is the first argument of this command when it is what the gateway's tunnel is compared with: the bridge between
// WireGuard and the network stack that comes with wireguard-go, and io.Copy.
const stockGateway = "stock-gateway"

// stockAddress is where it listens inside the tunnel.
const stockAddress = "10.89.0.1:9"

func runStockGateway(args []string) int {
	if len(args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: stock-gateway PORT PRIVATE-HEX PEER-HEX UPSTREAM")
		return 2
	}
	if err := serveStock(args[0], args[1], args[2], args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "stock-gateway:", err)
		return 1
	}
	return 0
}

func serveStock(port, private, peer, upstream string) error {
	link, stack, err := netstack.CreateNetTUN([]netip.Addr{netip.MustParseAddr("10.89.0.1")}, nil, 1420)
	if err != nil {
		return err
	}
	d := device.NewDevice(link, conn.NewDefaultBind(), device.NewLogger(device.LogLevelSilent, ""))
	defer d.Close()
	if err := d.IpcSet("private_key=" + private + "\nlisten_port=" + port + "\npublic_key=" + peer + "\nallowed_ip=10.89.0.0/16\n"); err != nil {
		return err
	}
	if err := d.Up(); err != nil {
		return err
	}
	l, err := stack.ListenTCPAddrPort(netip.MustParseAddrPort(stockAddress))
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go relayStock(c.(*gonet.TCPConn), upstream)
		}
	}()
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}

func relayStock(agent *gonet.TCPConn, address string) {
	defer agent.Close()
	c, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	up := c.(*net.TCPConn)
	defer up.Close()
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(up, agent)
		_ = up.CloseWrite()
	})
	both.Go(func() {
		_, _ = io.Copy(agent, up)
		_ = agent.CloseWrite()
	})
	both.Wait()
}
