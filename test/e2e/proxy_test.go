package e2e

import (
	"io"
	"net"
	"sync"
)

// proxy stands in front of the server and breaks connections when it is told to, as a server that dies does.
type proxy struct {
	listener net.Listener
	network  string // of the target: tcp or unix
	target   string
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns map[halfCloser]bool
	over  bool
}

// halfCloser is a TCP or a Unix connection.
type halfCloser interface {
	net.Conn
	CloseWrite() error
}

func newProxy(listen, network, target string) (*proxy, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, network: network, target: target, conns: map[halfCloser]bool{}}
	p.wg.Go(p.accept)
	return p, nil
}

func (p *proxy) port() int { return p.listener.Addr().(*net.TCPAddr).Port }

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial(p.network, p.target)
		if err != nil {
			near.Close()
			continue
		}
		p.join(near.(halfCloser), far.(halfCloser))
	}
}

func (p *proxy) join(near, far halfCloser) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		near.Close()
		far.Close()
		return
	}
	for from, to := range map[halfCloser]halfCloser{near: far, far: near} {
		p.conns[from] = true
		p.wg.Go(func() {
			_, _ = io.Copy(to, from)
			_ = to.CloseWrite()
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.conns, from)
			if !p.conns[to] { // both directions are done
				from.Close()
				to.Close()
			}
		})
	}
}

// cut resets every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}

func (p *proxy) close() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.listener.Close()
	p.cut()
	p.wg.Wait()
}
