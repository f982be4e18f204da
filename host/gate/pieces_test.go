package gate

import (
	"context"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestPieces: bytes that stand behind each other in memory are written in one piece, and nothing else is taken for that.
func TestPieces(t *testing.T) {
	agent, _ := tcpPair(t)
	b := []byte("one-two-three")
	for name, c := range map[string]struct {
		queue func(c *conn)
		want  []string
	}{
		"behind each other":    {func(c *conn) { c.queue(abi.Agent, b[:4]); c.queue(abi.Agent, b[4:8]); c.queue(abi.Agent, b[8:]) }, []string{"one-two-three"}},
		"with a gap":           {func(c *conn) { c.queue(abi.Agent, b[:3]); c.queue(abi.Agent, b[4:7]) }, []string{"one", "two"}},
		"the same again":       {func(c *conn) { c.queue(abi.Agent, b[:3]); c.queue(abi.Agent, b[:3]) }, []string{"one", "one"}},
		"the other way around": {func(c *conn) { c.queue(abi.Agent, b[4:]); c.queue(abi.Agent, b[:4]) }, []string{"two-three", "one-"}},
		"with a copy in between": {func(c *conn) {
			c.queue(abi.Agent, b[:4])
			c.queueCopy(abi.Agent, []byte("X"))
			c.queue(abi.Agent, b[4:])
		}, []string{"one-", "X", "two-three"}},
		"copies":               {func(c *conn) { c.queueCopy(abi.Agent, b[:4]); c.queueCopy(abi.Agent, b[4:]) }, []string{"one-two-three"}},
		"behind a copy":        {func(c *conn) { c.queueCopy(abi.Agent, b[:4]); c.queue(abi.Agent, b[4:]) }, []string{"one-", "two-three"}},
		"beyond what was read": {func(c *conn) { c.queue(abi.Agent, b[:4:4]); c.queue(abi.Agent, b[4:]) }, []string{"one-", "two-three"}},
		"another side":         {func(c *conn) { c.queue(abi.Agent, b[:4]); c.queueCopy(abi.Upstream, b[4:]) }, []string{"one-"}},
	} {
		k := newConn(context.Background(), Config{Agent: agent, Limits: DefaultLimits})
		c.queue(k)
		o := &k.out[abi.Agent]
		total := 0
		for i, p := range o.pieces {
			if total += len(p); i >= len(c.want) || string(p) != c.want[i] {
				t.Errorf("%s: piece %d is %q, want %q", name, i, p, c.want)
			}
		}
		if len(o.pieces) != len(c.want) || o.queued != total {
			t.Errorf("%s: %d pieces of %d bytes, %d are counted", name, len(o.pieces), total, o.queued)
		}
	}
	if string(b) != "one-two-three" {
		t.Errorf("what was queued is %q now", b)
	}
}
