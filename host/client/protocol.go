//go:build linux

package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// The conversation between Run (outside) and the helper (inside) goes over a pair of stream sockets, one
// line of JSON for each message:
//
//	outside: plan
//	inside:  report, with the TUN device's descriptor if all went well
//	inside:  report, with the descriptor of the list of connections
//	outside: an empty line, once WireGuard runs
//	inside:  the end of the stream when the command has taken the helper's place, else a report
//
// Whoever fails closes its end, at which the other gives up.

// plan is what the helper has to set up.
type plan struct {
	Addresses, Routes []netip.Prefix
	DNS               []netip.Addr
	Gateway           netip.Addr // where it gives out its CA; not valid: nowhere
	MTU               int
	Home              string   // the user's home directory, "" if unknown
	RuntimeDir        string   // XDG_RUNTIME_DIR
	SSHAgent          string   // socket to leave in place, "" for none
	Sockets           []string // absolute paths of the sockets that are bound in the host's network namespace
	Unprivileged      bool     // in a user namespace
}

// report is the helper's answer: an empty Error is success.
type report struct {
	Code  int
	Error string
}

// helperError is a failure inside. Its text is meant for the user.
type helperError struct{ report report }

func (e *helperError) Error() string { return "run in tunnel: " + e.report.Error }

// maxMessage bounds a line in bytes: a plan names at most a few thousand sockets.
const maxMessage = 4 << 20

// channel is one end of the conversation.
type channel struct {
	conn *net.UnixConn
	rest []byte // read, but not of the last message
}

// newChannel takes over a descriptor.
func newChannel(fd int) (*channel, error) {
	unix.CloseOnExec(fd)
	file := os.NewFile(uintptr(fd), "control")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, errors.New("control socket: not a unix socket")
	}
	return &channel{conn: socket}, nil
}

func (c *channel) Close() { c.conn.Close() }

// send writes a message, with a descriptor unless it is negative.
func (c *channel) send(message any, fd int) error {
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if fd >= 0 {
		n, _, err := c.conn.WriteMsgUnix(line, unix.UnixRights(fd), nil)
		if err != nil {
			return err
		}
		line = line[n:]
	}
	_, err = c.conn.Write(line)
	return err
}

// receive reads a message; the descriptor is -1 if none came with it. At the end of the stream the error is io.EOF.
func (c *channel) receive(message any) (fd int, err error) {
	fd = -1
	defer func() {
		if err != nil && fd >= 0 {
			unix.Close(fd)
			fd = -1
		}
	}()
	buffer, control := make([]byte, 32<<10), make([]byte, unix.CmsgSpace(4))
	for {
		if line, rest, found := bytes.Cut(c.rest, []byte{'\n'}); found {
			c.rest = rest
			return fd, json.Unmarshal(line, message)
		}
		if len(c.rest) > maxMessage {
			return fd, errors.New("control socket: message too long")
		}
		n, controls, _, _, err := c.conn.ReadMsgUnix(buffer, control)
		if controls > 0 && fd < 0 {
			fd = descriptorIn(control[:controls])
		}
		if err != nil {
			return fd, err
		}
		if n == 0 {
			return fd, io.EOF
		}
		c.rest = append(c.rest, buffer[:n]...)
	}
}

// descriptorIn takes the first descriptor from control messages, -1 if there is none.
func descriptorIn(control []byte) int {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return -1
	}
	for _, m := range messages {
		if fds, err := unix.ParseUnixRights(&m); err == nil && len(fds) > 0 {
			return fds[0]
		}
	}
	return -1
}
