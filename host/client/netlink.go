//go:build linux

package client

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// tunName is the TUN device's name inside the namespace.
const tunName = "sallyport"

const tunPath = "/dev/net/tun"

// openTUN creates a TUN device in the network namespace of the calling process.
func openTUN(name string) (fd int, err error) {
	fd, err = unix.Open(tunPath, unix.O_RDWR|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return -1, fmt.Errorf("open %s: %w: load the kernel module (modprobe tun), or give the container this device", tunPath, err)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return -1, fmt.Errorf("open %s as user %d: %w: run as root, or let users open it (chmod 0666 %s, which is safe: "+
			"creating an interface on the host still takes a capability)", tunPath, os.Getuid(), err, tunPath)
	case err != nil:
		return -1, fmt.Errorf("open %s: %w", tunPath, err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		// With IFF_VNET_HDR the kernel hands over up to 64 KiB at once, which WireGuard splits.
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("create the TUN device: %w", err)
	}
	return fd, nil
}

// configureNetwork brings up the loopback and the TUN device with their addresses and routes.
func configureNetwork(p *plan, name string) error {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer unix.Close(socket)
	r := route{socket: socket}
	loopback, err := net.InterfaceByName("lo")
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	device, err := net.InterfaceByName(name)
	if err != nil {
		return fmt.Errorf("TUN device: %w", err)
	}
	if err := r.up(loopback.Index, 0); err != nil {
		return fmt.Errorf("bring up the loopback interface: %w", err)
	}
	if err := r.up(device.Index, p.MTU); err != nil {
		return fmt.Errorf("bring up the TUN device with MTU %d: %w", p.MTU, err)
	}
	without6 := false
	for _, address := range p.Addresses {
		err := r.addAddress(device.Index, address)
		if address.Addr().Is6() && withoutIPv6(err) {
			without6 = true // nothing can leave over IPv6 then, inside or around the tunnel
			continue
		}
		if err != nil {
			return fmt.Errorf("add address %v: %w", address, err)
		}
	}
	for _, network := range p.Routes {
		if network.Addr().Is6() && without6 {
			continue
		}
		if err := r.addRoute(device.Index, network); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("add route %v: %w", network, err)
		}
	}
	return nil
}

// withoutIPv6 tells whether an address was refused because the kernel has no IPv6, or has it switched off.
func withoutIPv6(err error) bool {
	return errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EACCES)
}

// route speaks rtnetlink(7).
type route struct {
	socket   int
	sequence uint32
}

func (r *route) up(index, mtu int) error {
	body := make([]byte, unix.SizeofIfInfomsg) // family, type, index, flags, change mask
	binary.NativeEndian.PutUint32(body[4:], uint32(index))
	binary.NativeEndian.PutUint32(body[8:], unix.IFF_UP)
	binary.NativeEndian.PutUint32(body[12:], unix.IFF_UP)
	if mtu > 0 {
		body = attribute(body, unix.IFLA_MTU, binary.NativeEndian.AppendUint32(nil, uint32(mtu)))
	}
	return r.request(unix.RTM_NEWLINK, 0, body)
}

func (r *route) addAddress(index int, address netip.Prefix) error {
	body := make([]byte, unix.SizeofIfAddrmsg) // family, length, flags, scope, index
	body[0], body[1] = family(address.Addr()), byte(address.Bits())
	body[2] = unix.IFA_F_NODAD
	binary.NativeEndian.PutUint32(body[4:], uint32(index))
	body = attribute(body, unix.IFA_LOCAL, address.Addr().AsSlice())
	body = attribute(body, unix.IFA_ADDRESS, address.Addr().AsSlice())
	return r.request(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, body)
}

func (r *route) addRoute(index int, network netip.Prefix) error {
	body := make([]byte, unix.SizeofRtMsg) // family, two lengths, tos, table, protocol, scope, type, flags
	body[0], body[1] = family(network.Addr()), byte(network.Bits())
	body[4], body[5], body[7] = unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, unix.RTN_UNICAST
	if network.Addr().Is4() {
		body[6] = unix.RT_SCOPE_LINK
	}
	if network.Bits() > 0 {
		body = attribute(body, unix.RTA_DST, network.Addr().AsSlice())
	}
	body = attribute(body, unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(index)))
	return r.request(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, body)
}

func family(a netip.Addr) byte {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// attribute appends a netlink attribute, padded to four bytes.
func attribute(body []byte, kind uint16, value []byte) []byte {
	body = binary.NativeEndian.AppendUint16(body, uint16(unix.SizeofRtAttr+len(value)))
	body = binary.NativeEndian.AppendUint16(body, kind)
	body = append(body, value...)
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	return body
}

// request sends one message and waits for the kernel's acknowledgement.
func (r *route) request(kind, flags uint16, body []byte) error {
	r.sequence++
	message := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	message = binary.NativeEndian.AppendUint16(message, kind)
	message = binary.NativeEndian.AppendUint16(message, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	message = binary.NativeEndian.AppendUint32(message, r.sequence)
	message = binary.NativeEndian.AppendUint32(message, 0)
	message = append(message, body...)
	if err := unix.Sendto(r.socket, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 8192)
	for {
		n, _, err := unix.Recvfrom(r.socket, answer, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
			return errors.New("netlink: unexpected answer")
		}
		if binary.NativeEndian.Uint32(answer[8:]) != r.sequence {
			continue
		}
		if code := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); code != 0 {
			return unix.Errno(-code)
		}
		return nil
	}
}
