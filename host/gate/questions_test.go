package gate

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestManyQuestions: where much is asked about in one delivery, the next ones are shown in pieces, and what one piece led to is at the upstream before the next one is
// shown; one that leads to few questions makes no difference.
func TestManyQuestions(t *testing.T) {
	const lines = 100
	for name, c := range map[string]struct {
		each int // every how many lines are asked about together
		want []int
	}{
		"each line":    {1, []int{lines, 16, 32, 16, 32, 4}}, // those of the first write, then those of the second
		"ten together": {10, []int{lines, lines}},
	} {
		var r *rig
		var mu sync.Mutex
		var shown []int
		begin := make(chan struct{}) // r is there
		id, sent := uint32(1), 0
		g := &script{open: []list{dialing()}}
		g.data = func(side abi.Side, p []byte, end bool) []list {
			if side == abi.Upstream || end {
				return shutEnds(side, p, end)
			}
			<-begin
			if at := int(r.session.conn.wrote.Load()); sent >= 5*lines && at != sent {
				t.Errorf("%s: %d bytes are at the upstream when the next are shown, of %d", name, at, sent)
			}
			mu.Lock()
			shown = append(shown, len(p)/5)
			mu.Unlock()
			var l list
			for n := len(p); n > 0; n -= min(n, 5*c.each) {
				id++
				l = l.action(id, uint64(min(n, 5*c.each)), abi.AskQuiet, 1, title).pass(id, uint64(min(n, 5*c.each)))
			}
			sent += len(p)
			return []list{l}
		}
		r = start(t, g, nil)
		close(begin)
		for n := range 2 {
			var text strings.Builder
			for i := range lines {
				fmt.Fprintf(&text, "%04d\n", n*lines+i)
			}
			r.write(r.agent, text.String())
			r.read(r.upstream, text.String())
		}
		mu.Lock()
		if !slices.Equal(shown, c.want) {
			t.Errorf("%s: shown %d lines, want %d", name, shown, c.want)
		}
		mu.Unlock()
		_ = r.agent.Close()
		_ = r.upstream.Close()
		r.wait()
	}
}
