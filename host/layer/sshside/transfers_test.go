package sshside

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// conversation plays both ends' data of one channel through a link, without SSH.
type conversation struct {
	t    *testing.T
	link *Link
	id   uint32
	kept [2][]byte
	// passed and shown are what went which way, of each side.
	passed, shown [2][]byte
}

func newConversation(t *testing.T, handles ...string) *conversation {
	t.Helper()
	c := &conversation{t: t, link: NewLink()}
	c.id = c.link.open(agent, &channel{})
	if ok, _ := c.link.enter(upstream, c.id, &channel{}); !ok {
		t.Fatal("no channel")
	}
	c.begin(handles...)
	return c
}

func (c *conversation) begin(handles ...string) {
	all := make([][]byte, len(handles))
	for i, h := range handles {
		all[i] = []byte(h)
	}
	c.link.transfer(c.id, all)
}

// sends has a side send data, all of which is shown or passes at once.
func (c *conversation) sends(side int, p []byte, last bool) {
	p = append(c.kept[side], p...)
	c.kept[side] = nil
	for len(p) > 0 {
		how, n, to := c.link.take(side, c.id, p, false, last)
		switch how {
		case more:
			if last {
				c.t.Fatalf("more is wanted of what is over: % x", p)
			}
			if len(p) > 512 {
				c.t.Fatalf("%d bytes wait for more", len(p))
			}
			c.kept[side] = bytes.Clone(p)
			return
		case directly:
			if to == nil || n == 0 {
				c.t.Fatalf("directly: %d bytes to %v", n, to)
			}
			c.passed[side] = append(c.passed[side], p[:n]...)
			c.link.passed(1-side, c.id, n)
		case asRecords:
			c.shown[side] = append(c.shown[side], p[:n]...)
			c.link.give(side, c.id, n)
		default:
			c.t.Fatal("nobody wants it")
		}
		p = p[n:]
	}
}

// packet is one of SFTP.
func packet(kind byte, number uint32, parts ...any) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 0, kind}, number)
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = sshwire.AppendString(b, p)
		case int:
			b = binary.BigEndian.AppendUint32(b, uint32(p))
		case []byte:
			b = append(b, p...)
		}
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

var offset = make([]byte, 8)

func readOf(number uint32, handle string) []byte {
	return packet(sftpRead, number, handle, offset, 32<<10)
}
func writeOf(number uint32, handle, data string) []byte {
	return packet(sftpWrite, number, handle, offset, data)
}
func statusOf(number uint32) []byte            { return packet(sftpStatus, number, 0, "", "") }
func dataOf(number uint32, data string) []byte { return packet(sftpData, number, data) }

// TestTransfers: file data of the named handles passes, and the answers to it; everything else is shown, with all that follows.
func TestTransfers(t *testing.T) {
	const removed = 13
	for name, p := range map[string][]byte{
		"a request that names a path":         packet(removed, 9, "/etc/passwd"),
		"a handle that is not named":          readOf(9, "other"),
		"a handle that begins like one":       readOf(9, "h0\x00"),
		"no handle":                           readOf(9, ""),
		"a READ with something behind it":     packet(sftpRead, 9, "h0", offset, 1, packet(removed, 10, "/x")),
		"a READ that is too short":            packet(sftpRead, 9, "h0", []byte{0, 0, 0, 0}),
		"a WRITE with something behind it":    packet(sftpWrite, 9, "h0", offset, "data", packet(removed, 10, "/x")),
		"a WRITE whose data is too long":      packet(sftpWrite, 9, "h0", offset, 100, []byte("data")),
		"a WRITE whose data is very long":     packet(sftpWrite, 9, "h0", offset, -1, []byte("data")),
		"a handle that is longer than it can": packet(sftpRead, 9, -1, []byte("h0"), offset, 1),
		"a packet that is too long":           append([]byte{0, 0x10, 0, 0, sftpWrite, 0, 0, 0, 9, 0, 0, 0, 2, 'h', '0'}, make([]byte, 40)...),
		"an empty packet":                     make([]byte, 40),
		"a packet without a number":           {0, 0, 0, 1, sftpRead},
		"an answer":                           append(statusOf(9), statusOf(9)...),
	} {
		t.Run(name, func(t *testing.T) {
			c := newConversation(t, "h0", "h1")
			before := append(readOf(1, "h0"), writeOf(2, "h1", "some data")...)
			answers := append(dataOf(1, "what was read"), statusOf(2)...)
			c.sends(agent, before, false)
			c.sends(upstream, answers, false)
			if !bytes.Equal(c.passed[agent], before) || !bytes.Equal(c.passed[upstream], answers) {
				t.Fatalf("passed % x and % x", c.passed[agent], c.passed[upstream])
			}
			behind := readOf(11, "h0")
			c.sends(agent, p, false)
			c.sends(agent, behind, true)
			c.sends(upstream, dataOf(11, "more"), true)
			if want := append(bytes.Clone(p), behind...); !bytes.Equal(c.shown[agent], want) || !bytes.Equal(c.passed[agent], before) {
				t.Errorf("shown % x, not % x", c.shown[agent], want)
			}
			if !bytes.Equal(c.shown[upstream], dataOf(11, "more")) {
				t.Errorf("of the server's shown: % x", c.shown[upstream])
			}
			c.begin("h0") // and anew
			c.sends(agent, behind, true)
			if !bytes.Equal(c.passed[agent], append(before, behind...)) {
				t.Errorf("behind a new beginning passed % x", c.passed[agent])
			}
		})
	}
}

// TestTransferAnswers: of the server's packets only DATA and STATUS pass, once for each request that passed.
func TestTransferAnswers(t *testing.T) {
	for name, p := range map[string][]byte{
		"an answer to nothing":        statusOf(7),
		"a second answer":             dataOf(1, "again"),
		"an answer of another type":   packet(102, 2, "handle"),
		"a packet that is too long":   {0, 0x10, 0, 0, sftpData, 0, 0, 0, 2},
		"a packet without its number": {0, 0, 0, 1, sftpData},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConversation(t, "h0")
			c.sends(agent, append(readOf(1, "h0"), readOf(2, "h0")...), false)
			c.sends(upstream, dataOf(1, "one"), false)
			c.sends(upstream, p, true)
			if !bytes.Equal(c.passed[upstream], dataOf(1, "one")) || !bytes.Equal(c.shown[upstream], p) {
				t.Errorf("passed % x, shown % x", c.passed[upstream], c.shown[upstream])
			}
		})
	}
}

// TestTransfersEnd: what is shown waits until every request that passed has its whole answer, so that requests that a plugin knows and those that it does not are never open together.
func TestTransfersEnd(t *testing.T) {
	c := newConversation(t, "h0")
	c.sends(agent, readOf(1, "h0"), false)
	remove := packet(13, 1, "/etc/passwd")
	done := c.waits(remove)
	answer := dataOf(1, "what was read")
	for _, part := range [][]byte{answer[:3], answer[3:12], answer[12 : len(answer)-1]} {
		c.sends(upstream, part, false)
		c.still(done)
	}
	c.sends(upstream, answer[len(answer)-1:], false)
	<-done
	if !bytes.Equal(c.shown[agent], remove) || !bytes.Equal(c.passed[upstream], answer) {
		t.Errorf("shown % x, passed % x", c.shown[agent], c.passed[upstream])
	}
}

// TestTransferTwice: a second request with the number of an open one waits for that one's answer.
func TestTransferTwice(t *testing.T) {
	c := newConversation(t, "h0")
	c.sends(agent, readOf(1, "h0"), false)
	done := c.waits(readOf(1, "h0"))
	c.still(done)
	c.sends(upstream, dataOf(1, "x"), false)
	<-done
	if !bytes.Equal(c.passed[agent], append(readOf(1, "h0"), readOf(1, "h0")...)) {
		t.Errorf("passed % x", c.passed[agent])
	}
}

// TestTransferMany: no more requests than may be open pass without an answer.
func TestTransferMany(t *testing.T) {
	c := newConversation(t, "h0")
	for i := range uint32(maxTransfers) {
		c.sends(agent, readOf(i, "h0"), false)
	}
	done := c.waits(readOf(maxTransfers, "h0"))
	c.sends(upstream, dataOf(7, "x"), false)
	<-done
	if n := len(c.passed[agent]); n != (maxTransfers+1)*len(readOf(0, "h0")) || len(c.shown[agent]) > 0 {
		t.Errorf("%d bytes passed, %d were shown", n, len(c.shown[agent]))
	}
}

// waits has the agent send what will wait, and returns what is closed when it has gone on.
func (c *conversation) waits(p []byte) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.sends(agent, p, false)
	}()
	c.still(done)
	return done
}

// still fails when what should wait does not. A wrong one is given its chance; a right one waits however long it is.
func (c *conversation) still(done <-chan struct{}) {
	c.t.Helper()
	time.Sleep(time.Millisecond)
	select {
	case <-done:
		c.t.Fatal("it did not wait")
	default:
	}
}

// TestTransfersSettle: what passes never overtakes what was shown before it and has not arrived.
func TestTransfersSettle(t *testing.T) {
	c := newConversation(t)
	open := packet(3, 1, "/x", 1, 0)
	how, n, _ := c.link.take(agent, c.id, open, false, false)
	if how != asRecords || n != len(open) {
		t.Fatalf("%v, %d", how, n)
	}
	c.begin("h0")
	done := c.waits(readOf(2, "h0"))
	c.link.give(agent, c.id, n)
	<-done
	if !bytes.Equal(c.passed[agent], readOf(2, "h0")) {
		t.Errorf("passed % x", c.passed[agent])
	}
}

// FuzzTransfers: wherever a stream is cut, the same of it passes; what does is READ and WRITE of the handle, by another reading of them.
func FuzzTransfers(f *testing.F) {
	good := append(readOf(1, "h0"), writeOf(2, "h0", "some data")...)
	f.Add(good, uint8(3))
	f.Add(append(bytes.Clone(good), packet(13, 9, "/etc/passwd")...), uint8(7))
	f.Add(append(bytes.Clone(good), readOf(3, "h1")...), uint8(1))
	f.Add([]byte{0, 0, 0, 1, 5, 0, 0, 0, 0}, uint8(2))
	f.Fuzz(func(t *testing.T, p []byte, cut uint8) {
		if len(p) > 4<<10 {
			return
		}
		passes, ok := plainly(p)
		if !ok {
			return
		}
		for _, size := range []int{len(p), 1, int(cut) + 1} {
			c := newConversation(t, "h0")
			for at := 0; at < len(p); at += size {
				end := min(at+size, len(p))
				if at >= passes { // what is shown waits for answers
					for number := range c.link.streams[c.id].transfers.waiting {
						c.sends(upstream, statusOf(number), false)
					}
				}
				piece := p[at:end]
				if at < passes && end > passes { // cut where the answers are needed
					c.sends(agent, p[at:passes], false)
					for number := range c.link.streams[c.id].transfers.waiting {
						c.sends(upstream, statusOf(number), false)
					}
					piece = p[passes:end]
				}
				c.sends(agent, piece, end == len(p))
			}
			if !bytes.Equal(c.passed[agent], p[:passes]) || !bytes.Equal(c.shown[agent], p[passes:]) {
				t.Fatalf("in pieces of %d: passed % x, shown % x; %d bytes should have passed", size, c.passed[agent], c.shown[agent], passes)
			}
		}
	})
}

// plainly is how many bytes of p are whole or last packets that may pass, by reading them from the front with everything at hand. Where the last one is not whole it counts as
// far as it is there, once its data has begun. It reports false where a number comes twice: that waits.
func plainly(p []byte) (n int, ok bool) {
	seen := map[uint32]bool{}
	for {
		q := p[n:]
		if len(q) < 27 { // READ with the handle h0
			return n, true
		}
		size, kind, number := 4+uint64(binary.BigEndian.Uint32(q)), q[4], binary.BigEndian.Uint32(q[5:])
		if !bytes.Equal(q[9:15], []byte("\x00\x00\x00\x02h0")) || size > sshwire.MaxPacket {
			return n, true
		}
		switch {
		case kind == 5 && size == 27:
		case kind == 6 && size == 27+uint64(binary.BigEndian.Uint32(q[23:])):
		default:
			return n, true
		}
		if seen[number] {
			return 0, false
		}
		seen[number] = true
		if size >= uint64(len(q)) {
			return len(p), true
		}
		n += int(size)
	}
}
