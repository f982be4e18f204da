package sshe2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// agentParts are clients inside of the tunnel. Their argument is the address of the endpoint.
var agentParts = map[string]func(args []string) error{
	"channels": floodChannels, "requests": floodRequests, "malformed": malformed, "alive": alive,
}

func dialAgent(address string) (*ssh.Client, error) {
	return ssh.Dial("tcp", address, &ssh.ClientConfig{User: "somebody", HostKeyCallback: ssh.InsecureIgnoreHostKey()})
}

// alive is the benign twin of all of them.
func alive(args []string) error {
	c, err := dialAgent(args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	return aliveOn(c)
}

func aliveOn(c *ssh.Client) error {
	s, err := c.NewSession()
	if err != nil {
		return err
	}
	defer s.Close()
	if out, err := s.Output("echo alive"); err != nil || string(out) != "alive\n" {
		return fmt.Errorf("%q, %w", out, err)
	}
	return nil
}

// floodChannels opens more channels than may be open, keeps them, and goes on.
func floodChannels(args []string) error {
	c, err := dialAgent(args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var open []ssh.Channel
	refused := 0
	for range 2000 {
		wg.Go(func() {
			ch, requests, err := c.OpenChannel("session", nil)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused++
				return
			}
			go ssh.DiscardRequests(requests)
			open = append(open, ch)
		})
	}
	wg.Wait()
	if len(open) != 64 || refused != 2000-64 {
		return fmt.Errorf("%d channels are open, %d refused", len(open), refused)
	}
	_ = open[0].Close()
	for range 1000 { // the gateway has heard of it
		if err = aliveOn(c); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// floodRequests makes small requests, as many as its argument says, and another one that is answered.
func floodRequests(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	c, err := dialAgent(args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.NewSession()
	if err != nil {
		return err
	}
	for i := range n {
		if err := s.WindowChange(24, 80+i%7); err != nil {
			return err
		}
	}
	if out, err := s.Output("echo alive"); err != nil || string(out) != "alive\n" {
		return fmt.Errorf("%q, %w", out, err)
	}
	return aliveOn(c)
}

// malformed sends what nobody may send. The connection ends each time, or the request fails.
func malformed(args []string) error {
	for name, send := range map[string]func(c *ssh.Client, s ssh.Channel) error{
		"a command that is cut off":  func(c *ssh.Client, s ssh.Channel) error { return request(s, "exec", []byte{0, 0, 0, 9, 'x'}) },
		"a command with more behind": func(c *ssh.Client, s ssh.Channel) error { return request(s, "exec", []byte{0, 0, 0, 1, 'x', 'y'}) },
		"a terminal that is cut off": func(c *ssh.Client, s ssh.Channel) error { return request(s, "pty-req", []byte{0, 0, 0, 1, 'x', 0}) },
		"a variable without a value": func(c *ssh.Client, s ssh.Channel) error { return request(s, "env", []byte{0, 0, 0, 2, 'L', 'C'}) },
		"a forward without a port":   func(c *ssh.Client, s ssh.Channel) error { return open(c, "direct-tcpip", []byte{0, 0, 0, 1, 'x'}) },
		"a port that cannot be": func(c *ssh.Client, s ssh.Channel) error {
			return open(c, "direct-tcpip", ssh.Marshal(target{"x", 1 << 20, "y", 1}))
		},
		"a session with data":        func(c *ssh.Client, s ssh.Channel) error { return open(c, "session", []byte("x")) },
		"a channel of an empty type": func(c *ssh.Client, s ssh.Channel) error { return open(c, "", make([]byte, 100)) },
		"listening at nothing":       func(c *ssh.Client, s ssh.Channel) error { return global(c, "tcpip-forward", []byte{0, 0}) },
		"an exit status of an agent": func(c *ssh.Client, s ssh.Channel) error { return request(s, "exit-status", []byte{0, 0, 0, 1}) },
		"a subsystem that is cut off": func(c *ssh.Client, s ssh.Channel) error {
			return request(s, "subsystem", []byte{0xff, 0xff, 0xff, 0xff})
		},
		"a request as long as it gets": func(c *ssh.Client, s ssh.Channel) error { return request(s, "nothing", make([]byte, 200<<10)) },
	} {
		c, err := dialAgent(args[0])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s, requests, err := c.OpenChannel("session", nil)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		go ssh.DiscardRequests(requests)
		if err = send(c, s); err == nil {
			return fmt.Errorf("%s is taken", name)
		}
		_ = c.Close()
	}
	for name, text := range map[string]string{
		"no version":        "GET / HTTP/1.1\r\n\r\n",
		"an endless line":   "SSH-2.0-" + strings.Repeat("x", 100<<10),
		"a packet too long": "SSH-2.0-x\r\n\xff\xff\xff\xff\x04\x14",
		"an empty packet":   "SSH-2.0-x\r\n\x00\x00\x00\x00\x00",
		"padding too long":  "SSH-2.0-x\r\n\x00\x00\x00\x0c\xff\x14" + strings.Repeat("\x00", 100),
		"another message":   "SSH-2.0-x\r\n\x00\x00\x00\x0c\x0a\x5a" + strings.Repeat("\x00", 100),
	} {
		c, err := net.Dial("tcp", args[0])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(c, text)
		_ = c.(*net.TCPConn).CloseWrite()
		if _, err = io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("%s: the connection goes on", name)
		}
		_ = c.Close()
	}
	return alive(args)
}

type target struct {
	Host string
	Port uint32
	From string
	At   uint32
}

var errRefused = errors.New("refused")

func request(s ssh.Channel, name string, payload []byte) error {
	ok, err := s.SendRequest(name, true, payload)
	if err == nil && !ok {
		err = errRefused
	}
	return err
}

func open(c *ssh.Client, kind string, data []byte) error {
	_, _, err := c.OpenChannel(kind, data)
	return err
}

func global(c *ssh.Client, name string, payload []byte) error {
	ok, _, err := c.SendRequest(name, true, payload)
	if err == nil && !ok {
		err = errRefused
	}
	return err
}

// part runs one of agentParts in the tunnel.
func (g *gateway) part(t *testing.T, name string, args ...string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := g.gw.Agent(ctx, append([]string{self}, args...)...)
	cmd.Env = append(cmd.Env, agentPart+"="+name)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}

// floods: an agent that asks for too much, or for what cannot be, gets no more than there is, the gateway's memory does not grow with it, and others go on.
func (g *gateway) floods(t *testing.T, port string) {
	address := "box:" + port
	g.part(t, "alive", address)
	before := resident(t, g.gw.PID())
	g.part(t, "channels", address)
	g.part(t, "requests", address, "30000")
	g.part(t, "malformed", address)
	if after := resident(t, g.gw.PID()); after > before+200<<20 {
		t.Errorf("the gateway had %d MiB, and has %d", before>>20, after>>20)
	}
	g.part(t, "alive", address)
}

// resident is the memory of a process, in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
