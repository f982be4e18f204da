package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestServerCommands asks a real server for its commands: the table has all of them, with keys in the same places, and nothing that
// writes is called a read.
func TestServerCommands(t *testing.T) {
	server := dial(t)
	all := server.ask(t, "*1\r\n$7\r\nCOMMAND\r\n").([]any)
	if len(all) < 200 {
		t.Fatalf("the server has %d commands", len(all))
	}
	seen := 0
	var check func(c []any)
	check = func(c []any) {
		seen++
		name, flags, categories := c[0].(string), words(c[2]), words(c[6])
		subs, _ := c[9].([]any)
		for _, s := range subs {
			check(s.([]any))
		}
		e := find(name)
		if len(subs) > 0 {
			if !slices.Contains(containers[:], name) {
				t.Errorf("%s has subcommands, and the table does not know", name)
			}
			if e == nil {
				return
			}
		}
		switch {
		case e == nil:
			t.Errorf("%s is not in the table", name)
			return
		case slices.Contains(flags, "write") && (e.class == abi.ClassRead || e.class == abi.ClassSession):
			t.Errorf("%s writes, and is %v", name, e.class)
		case (slices.Contains(flags, "admin") || slices.Contains(categories, "@admin")) && e.class < abi.ClassAdmin && !strings.HasSuffix(name, "|help"):
			t.Errorf("%s is for administrators, and is %v", name, e.class)
		}
		first, last, step := c[3].(int64), c[4].(int64), c[5].(int64)
		if e.keys == keysRange && (int64(e.first) != first || int64(e.last) != last || int64(e.step) != step) {
			t.Errorf("%s has its keys from %d to %d by %d", name, first, last, step)
		}
		if e.keys == keysNone && (first != 0 || slices.Contains(flags, "movablekeys")) {
			t.Errorf("%s has keys", name)
		}
	}
	for _, c := range all {
		check(c.([]any))
	}
	if seen < 300 {
		t.Errorf("only %d commands and subcommands", seen)
	}
	// The server's refusal of the command that marks denials, on which everything rests.
	if _, err := io.WriteString(server.k, "*1\r\n$16\r\n"+refusedName+"\r\n"); err != nil {
		t.Fatal(err)
	}
	line, err := server.r.ReadSlice('\n')
	if err != nil || !isRefusal(line) {
		t.Errorf("the server refuses with %q, %v", line, err)
	}
}

func words(v any) (out []string) {
	for _, w := range v.([]any) {
		out = append(out, w.(string))
	}
	return out
}

type client struct {
	k net.Conn
	r *bufio.Reader
}

// dial starts a server and connects to it.
func dial(t *testing.T) *client {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("%v: install it (Debian: redis-server)", err)
	}
	socket := t.TempDir() + "/redis.sock"
	cmd := exec.Command(path, "--port", "0", "--unixsocket", socket, "--save", "")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		k, err := net.Dial("unix", socket)
		if err == nil {
			t.Cleanup(func() { _ = k.Close() })
			return &client{k, bufio.NewReader(k)}
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func (c *client) ask(t *testing.T, request string) any {
	t.Helper()
	if _, err := io.WriteString(c.k, request); err != nil {
		t.Fatal(err)
	}
	v, err := c.read()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (c *client) read() (any, error) {
	line, err := c.r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, line := line[0], strings.TrimSpace(line[1:])
	switch kind {
	case '+', '-':
		return line, nil
	}
	n, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		return nil, err
	}
	switch kind {
	case ':':
		return n, nil
	case '$':
		if n < 0 {
			return "", nil
		}
		b := make([]byte, n+2)
		_, err := io.ReadFull(c.r, b)
		return string(b[:n]), err
	case '*':
		list := []any{}
		for range n {
			v, err := c.read()
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	return nil, fmt.Errorf("an answer of type %q", kind)
}
