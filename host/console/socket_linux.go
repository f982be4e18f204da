package console

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Listen makes the socket in dir. One that a gateway left behind that ended without a word is replaced: the lock of the record
// in the same directory has to be held, so that it cannot be a living one's.
func Listen(dir string) (net.Listener, error) {
	if err := os.Remove(filepath.Join(dir, SocketName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("console: an old socket is in the way: %w", err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	defer d.Close()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short(d), Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("console: listen on %s: %w", filepath.Join(dir, SocketName), err)
	}
	l.SetUnlinkOnClose(false) // by a path that is not ours any more by then
	path := filepath.Join(dir, SocketName)
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("console: %w", err), l.Close())
	}
	return &listener{l, path}, nil
}

// listener removes its socket when it is closed.
type listener struct {
	*net.UnixListener
	path string
}

func (l *listener) Close() error {
	err := l.UnixListener.Close()
	if err == nil { // else it was closed before
		err = os.Remove(l.path)
	}
	return err
}

// short is a path of the socket that fits sockaddr_un's 108 bytes wherever dir is.
func short(dir *os.File) string {
	return filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), SocketName)
}

// dial connects to the socket in dir.
func dial(dir string) (net.Conn, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return net.DialUnix("unix", nil, &net.UnixAddr{Name: short(d), Net: "unix"})
}

// checkedListener lets in whom the kernel says to be the gateway's own user or root.
type checkedListener struct {
	net.Listener
	log *slog.Logger
}

func (l *checkedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		who, err := checkCaller(c)
		if err != nil {
			l.log.Warn("a caller of the console was turned away", "error", err)
			_ = c.Close()
			continue
		}
		return &callerConn{c, who}, nil
	}
}

// callerConn is a connection whose caller is known.
type callerConn struct {
	net.Conn
	caller caller
}

// withCaller gives the requests on a connection their caller.
func withCaller(ctx context.Context, c net.Conn) context.Context {
	if k, ok := c.(*callerConn); ok {
		return context.WithValue(ctx, callerKey{}, k.caller)
	}
	return ctx
}

// checkCaller asks the kernel who has connected.
func checkCaller(c net.Conn) (caller, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return caller{}, fmt.Errorf("%T is not a Unix socket", c)
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return caller{}, err
	}
	var who caller
	var asked error
	if err := raw.Control(func(fd uintptr) { who, asked = callerAt(int(fd)) }); err != nil {
		return caller{}, err
	}
	return who, asked
}

func callerAt(socket int) (caller, error) {
	cred, err := unix.GetsockoptUcred(socket, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return caller{}, fmt.Errorf("ask who calls: %w", err)
	}
	if own := uint32(os.Geteuid()); cred.Uid != 0 && cred.Uid != own {
		return caller{}, fmt.Errorf("it runs as user %d, the gateway as %d", cred.Uid, own)
	}
	return caller{uid: cred.Uid, outside: outside(socket, int(cred.Pid))}, nil
}
