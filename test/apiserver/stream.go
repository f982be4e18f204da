package apiserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"github.com/coder/websocket"
	"github.com/moby/spdystream"
)

// The protocols inside of an upgraded connection.
const (
	commandsWebSocket = "v5.channel.k8s.io"
	commandsSPDY      = "v4.channel.k8s.io"
	portsSPDY         = "portforward.k8s.io"
	portsWebSocket    = "SPDY/3.1+portforward.k8s.io" // frames of SPDY inside of messages
)

// The channels of a command, by WebSocket the first byte of each message.
const (
	channelStdin = iota
	channelStdout
	channelStderr
	channelError
	channelResize
	channelClose = 255
)

// process is one that runs in a pod. It ends with what the status says.
type process func(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (status string)

const success = `{"metadata":{},"status":"Success"}`

// run carries a command out, or attaches to what runs already, which gives back what it reads.
func (s *Server) run(w http.ResponseWriter, r *http.Request, sub string) {
	p := func(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) string {
		return s.command(ctx, r.URL.Query()["command"], stdin, stdout, stderr)
	}
	if sub == "attach" {
		p = func(_ context.Context, stdin io.Reader, stdout, _ io.Writer) string {
			fmt.Fprintln(stdout, "attached")
			if r.URL.Query().Get("stdin") == "true" {
				_, _ = io.Copy(stdout, stdin)
			}
			return success
		}
	}
	if strings.HasPrefix(r.Header.Get("Upgrade"), "SPDY") {
		s.runSPDY(w, r, p)
		return
	}
	s.runWebSocket(w, r, p)
}

// command runs a program in the pod's folder, where paths that begin at the root are below it.
func (s *Server) command(ctx context.Context, words []string, stdin io.Reader, stdout, stderr io.Writer) string {
	if len(words) == 0 || s.Root == "" && words[0] != "echo" {
		return `{"metadata":{},"status":"Failure","message":"no such command","reason":"InternalError","code":500}`
	}
	for i := range words {
		words[i] = strings.TrimPrefix(words[i], "/")
		if words[i] == "" {
			words[i] = "."
		}
	}
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.Dir, c.Stdout, c.Stderr = s.Root, stdout, stderr
	in, err := c.StdinPipe() // and not Stdin, for whose end Run would wait
	if err == nil {
		err = c.Start()
	}
	if err == nil {
		go func() {
			_, _ = io.Copy(in, stdin)
			_ = in.Close()
		}()
		err = c.Wait()
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return fmt.Sprintf(`{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"%d"}]}}`, exit.ExitCode())
	case err != nil:
		return `{"metadata":{},"status":"Failure","message":` + strconv.Quote(err.Error()) + `,"reason":"InternalError","code":500}`
	}
	return success
}

func (s *Server) runWebSocket(w http.ResponseWriter, r *http.Request, p process) {
	k, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{commandsWebSocket}})
	if err != nil {
		return
	}
	defer k.CloseNow()
	k.SetReadLimit(-1)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stdin, in := io.Pipe()
	defer stdin.Close()
	var reader sync.WaitGroup
	reader.Go(func() {
		defer in.Close()
		for {
			_, m, err := k.Read(ctx)
			switch {
			case err != nil || len(m) > 1 && m[0] == channelClose && m[1] == channelStdin:
				return
			case len(m) > 1 && m[0] == channelStdin:
				if _, err := in.Write(m[1:]); err != nil {
					return
				}
			}
		}
	})
	var mu sync.Mutex
	to := func(channel byte) io.Writer {
		return writer(func(p []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return len(p), k.Write(ctx, websocket.MessageBinary, append([]byte{channel}, p...))
		})
	}
	if r.URL.Query().Get("stdin") != "true" {
		_ = in.Close()
	}
	status := p(ctx, stdin, to(channelStdout), to(channelStderr))
	_, _ = io.WriteString(to(channelError), status)
	_ = stdin.Close()
	_ = k.Close(websocket.StatusNormalClosure, "")
	cancel()
	reader.Wait()
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// upgraded takes the connection over, for SPDY.
func upgraded(w http.ResponseWriter, protocol string) (net.Conn, error) {
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Upgrade", "SPDY/3.1")
	w.Header().Set("X-Stream-Protocol-Version", protocol)
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err
	}
	return bufferedConn{conn, buffered}, nil
}

// bufferedConn is a connection of which the server may have read on.
type bufferedConn struct {
	net.Conn
	read io.Reader
}

func (c bufferedConn) Read(p []byte) (int, error) { return c.read.Read(p) }

func (s *Server) runSPDY(w http.ResponseWriter, r *http.Request, p process) {
	raw, err := upgraded(w, commandsSPDY)
	if err != nil {
		return
	}
	conn, err := spdystream.NewConnection(raw, true)
	if err != nil {
		_ = raw.Close()
		return
	}
	defer conn.Close()
	wanted := map[string]bool{"error": true}
	for _, name := range []string{"stdin", "stdout", "stderr"} {
		wanted[name] = r.URL.Query().Get(name) == "true"
	}
	wanted["resize"] = r.URL.Query().Get("tty") == "true"
	var mu sync.Mutex
	streams, complete := map[string]*spdystream.Stream{}, make(chan struct{})
	go conn.Serve(func(st *spdystream.Stream) {
		mu.Lock()
		defer mu.Unlock()
		if st.SendReply(http.Header{}, false) != nil {
			return
		}
		streams[st.Headers().Get("streamtype")] = st
		for name, is := range wanted {
			if is && streams[name] == nil {
				return
			}
		}
		close(complete)
	})
	select {
	case <-complete:
	case <-conn.CloseChan():
		return
	}
	var stdin io.Reader = strings.NewReader("")
	if st := streams["stdin"]; st != nil {
		stdin = st
	}
	out := func(name string) io.Writer {
		if st := streams[name]; st != nil {
			return st
		}
		return io.Discard
	}
	status := p(context.WithoutCancel(r.Context()), stdin, out("stdout"), out("stderr"))
	_, _ = io.WriteString(out("error"), status)
	for _, st := range streams {
		_ = st.Close()
	}
	_ = conn.CloseWait()
}

// forward connects streams with the ports of a pod.
func (s *Server) forward(w http.ResponseWriter, r *http.Request) {
	var raw net.Conn
	if strings.HasPrefix(r.Header.Get("Upgrade"), "SPDY") {
		k, err := upgraded(w, portsSPDY)
		if err != nil {
			return
		}
		raw = k
	} else {
		k, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{portsWebSocket}})
		if err != nil {
			return
		}
		k.SetReadLimit(-1)
		raw = websocket.NetConn(context.WithoutCancel(r.Context()), k, websocket.MessageBinary)
	}
	conn, err := spdystream.NewConnection(raw, true)
	if err != nil {
		_ = raw.Close()
		return
	}
	defer conn.Close()
	var copies sync.WaitGroup
	conn.Serve(func(st *spdystream.Stream) {
		if st.SendReply(http.Header{}, false) != nil {
			return
		}
		if st.Headers().Get("streamtype") == "data" {
			copies.Go(func() { s.join(st, st.Headers().Get("port")) })
			return
		}
		_ = st.Close() // nothing goes wrong
	})
	copies.Wait()
}

// join connects a stream with a port.
func (s *Server) join(st *spdystream.Stream, port string) {
	defer st.Close()
	k, err := net.Dial("tcp", s.Ports[port])
	if err != nil {
		_ = st.Reset()
		return
	}
	defer k.Close()
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(k, st)
		_ = k.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(st, k)
	_ = st.Close()
	up.Wait()
}
