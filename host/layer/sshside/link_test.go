package sshside

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// TestCredit: channels that nobody reads take their own credit and no other's, what a plugin gives back or writes of its own is never counted twice, and nothing is left
// of channels that are over.
func TestCredit(t *testing.T) {
	l := NewLink()
	var ids []uint32
	const stalled = 3 * maxAllUnderWay / maxUnderWay
	for range stalled + 1 {
		id := l.open(agent, &channel{})
		if ok, _ := l.enter(upstream, id, &channel{}); !ok || id%2 != 1 || slices.Contains(ids, id) {
			t.Fatalf("channel %d after %d", id, ids)
		}
		ids = append(ids, id)
	}
	piece := make([]byte, sshwire.MaxData)
	take := func(id uint32) {
		t.Helper()
		if how, n, _ := l.take(agent, id, piece, false, false); how != asRecords || n != len(piece) {
			t.Fatalf("channel %d: %v, %d bytes", id, how, n)
		}
	}
	for _, id := range ids[:stalled] { // all of it came, and nothing is written
		for n := 0; n < maxUnderWay; n += len(piece) {
			take(id)
			l.arrived(agent, id, len(piece))
		}
	}
	for n := 0; n < maxUnderWay; n += len(piece) {
		take(ids[stalled]) // would wait for ever
	}
	if l.between[agent] != maxUnderWay {
		t.Errorf("%d bytes are on their way", l.between[agent])
	}
	l.give(agent, ids[stalled], maxUnderWay) // ADJUST: dropped on the way
	l.give(agent, ids[stalled], maxUnderWay) // a plugin's own data
	l.arrived(agent, ids[stalled], maxUnderWay)
	if s := l.streams[ids[stalled]]; s.underWay[agent] != 0 || s.between[agent] != 0 || l.between[agent] != 0 {
		t.Errorf("after giving back: %+v, %d", s, l.between)
	}
	l.splice(upstream, ids[stalled])
	if how, n, to := l.take(agent, ids[stalled], piece, false, false); how != directly || to == nil || n != len(piece) {
		t.Error("a spliced channel with nothing on its way is not direct")
	}
	for _, id := range ids {
		l.leave(agent, id)
		l.leave(upstream, id)
	}
	if len(l.streams) != 0 || l.between != [2]int{} {
		t.Errorf("left: %d channels, %d bytes", len(l.streams), l.between)
	}
	if how, _, _ := l.take(agent, ids[0], piece, false, false); how != nowhere {
		t.Error("data of a channel that is over is wanted")
	}
}

// TestAlgorithms: nothing that Terrapin needs (CVE-2023-48795), nothing that is called insecure, post-quantum first, AES-GCM first.
func TestAlgorithms(t *testing.T) {
	c := algorithms()
	bad := ssh.InsecureAlgorithms()
	for _, name := range slices.Concat(c.Ciphers, c.MACs, c.KeyExchanges) {
		if strings.Contains(name, "chacha20") || strings.Contains(name, "cbc") || slices.Contains(slices.Concat(bad.Ciphers, bad.MACs, bad.KeyExchanges), name) {
			t.Errorf("%s is offered", name)
		}
	}
	if c.KeyExchanges[0] != ssh.KeyExchangeMLKEM768X25519 || !strings.Contains(c.Ciphers[0], "gcm") {
		t.Errorf("first: %s, %s", c.KeyExchanges[0], c.Ciphers[0])
	}
}

// TestEnter: a stream that was there and has been left is another matter than one that never was, or has both its ends.
func TestEnter(t *testing.T) {
	l := NewLink()
	first, second := l.open(agent, &channel{}), l.open(agent, &channel{})
	l.leave(agent, first)
	for id, want := range map[uint32][2]bool{first: {false, true}, second + 2: {}, 0: {}, 2: {}, second: {true, false}} {
		if ok, gone := l.enter(upstream, id, &channel{}); ok != want[0] || gone != want[1] {
			t.Errorf("channel %d: entered %v, gone %v", id, ok, gone)
		}
	}
	if ok, gone := l.enter(upstream, second, &channel{}); ok || gone {
		t.Errorf("entered twice: %v, %v", ok, gone)
	}
}
