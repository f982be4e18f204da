//go:build linux

package client

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// defaultLinger is how long the tunnel stays for what the command said last. An agent that says goodbye and exits would otherwise
// take its goodbye with it, and the gateway would keep its sessions, and their locks, until it notices by itself.
const defaultLinger = 3 * time.Second

// partingStates are the states of TCP connections that have been closed by the command and whose end the other side has not
// acknowledged (bit n is state n of include/net/tcp_states.h).
const partingStates = 1<<4 /* FIN-WAIT-1 */ | 1<<9 /* LAST-ACK */ | 1<<11 /* CLOSING */

// socketList asks the kernel about the TCP connections of a network namespace: a netlink socket of sock_diag(7) that was opened
// there, and also answers elsewhere. It keeps the namespace alive.
type socketList struct{ fd int }

func openSocketList() (fd int, err error) {
	fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return -1, fmt.Errorf("list connections: %w", err)
	}
	return fd, nil
}

func (s socketList) close() { unix.Close(s.fd) }

// linger waits until no connection is parting any more, or the limit has passed, or ctx ends.
func (s socketList) linger(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(limit, defaultLinger))
	defer cancel()
	for ctx.Err() == nil {
		n, err := s.parting()
		if err != nil || n == 0 {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// parting counts the connections in partingStates.
func (s socketList) parting() (n int, err error) {
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		k, err := s.count(family, partingStates)
		if err != nil {
			return 0, err
		}
		n += k
	}
	return n, nil
}

// Sizes of netlink(7) and sock_diag(7).
const (
	nlmsgHeader   = 16
	diagRequest   = 56 // struct inet_diag_req_v2
	sockDiagQuery = 20 // SOCK_DIAG_BY_FAMILY
)

// count asks for the TCP connections of a family in some states.
func (s socketList) count(family uint8, states uint32) (n int, err error) {
	ne := binary.NativeEndian
	request := make([]byte, nlmsgHeader+diagRequest)
	ne.PutUint32(request, uint32(len(request)))
	ne.PutUint16(request[4:], sockDiagQuery)
	ne.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	request[nlmsgHeader] = family
	request[nlmsgHeader+1] = unix.IPPROTO_TCP
	ne.PutUint32(request[nlmsgHeader+4:], states)
	if err := unix.Sendto(s.fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, os.NewSyscallError("sendto", err)
	}
	buffer := make([]byte, 32<<10)
	for {
		size, _, err := unix.Recvfrom(s.fd, buffer, 0)
		if err != nil {
			return 0, os.NewSyscallError("recvfrom", err)
		}
		for b := buffer[:size]; len(b) >= nlmsgHeader; {
			length := int(ne.Uint32(b))
			if length < nlmsgHeader || length > len(b) {
				return 0, fmt.Errorf("list connections: a netlink message of %d bytes in %d", length, len(b))
			}
			switch kind := ne.Uint16(b[4:]); kind {
			case unix.NLMSG_DONE:
				return n, nil
			case unix.NLMSG_ERROR:
				return 0, fmt.Errorf("list connections: the kernel refuses")
			case sockDiagQuery:
				n++
			}
			b = b[min((length+3)&^3, len(b)):]
		}
	}
}
