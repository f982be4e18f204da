package sshside

import (
	"sync"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// Who is on a side of a connection. The numbers are those of the sides in the plugin interface.
const (
	agent    = 0
	upstream = 1
)

// Limits of the data that is on its way from one side to the other as records, in bytes.
const (
	maxUnderWay    = 256 << 10 // of one channel, in one direction
	maxAllUnderWay = 1 << 20   // of all channels of a connection, in one direction
)

// Link is what both sides of one connection share in the host: numbers of channels, and how much data of each is on its way. The zero
// value is ready.
type Link struct {
	mu      sync.Mutex
	changed sync.Cond
	streams map[uint32]*stream
	last    [2]uint32 // number of the newest channel that a side has opened
	between [2]int    // bytes on their way from a side that have not come to the other one, of all channels
	sides   [2]*Side
	banner  string
	silent  bool // agents are not shown the banner
	over    bool
	spliced [2]uint64
	buffers buffers
	record  func(action uint32, t Terminal) (Recording, error)
	records []Recording // that were begun
}

// stream is a channel as both sides know it.
type stream struct {
	ends     [2]*channel
	underWay [2]int  // bytes on their way from a side, as records, until they are written to the other end
	between  [2]int  // those of them that have not come to the other side yet
	wanted   [2]bool // data to a side goes there directly, once nothing of it is on its way as a record
	unwanted [2]bool // data to a side is thrown away

	transfers transfers
}

// NewLink makes a link for one connection.
func NewLink() *Link {
	l := &Link{streams: map[uint32]*stream{}}
	l.changed.L = &l.mu
	return l
}

// Spliced is how many bytes of data went directly to each side: agent, upstream.
func (l *Link) Spliced() (toAgent, toUpstream uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spliced[agent], l.spliced[upstream]
}

// join enters a side.
func (l *Link) join(s *Side) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sides[s.me] = s
}

// end releases everybody who waits for the other side to take data.
func (l *Link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.changed.Broadcast()
}

// open gives a channel that a side opens its number: odd ones are the agent's.
func (l *Link) open(me int, c *channel) uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := l.last[me] + 2
	if l.last[me] == 0 {
		id = uint32(1 + me)
	}
	l.last[me] = id
	l.streams[id] = &stream{}
	l.streams[id].ends[me] = c
	return id
}

// enter makes a channel the end of a stream that the other side has opened. It reports false when there is one already or never was such a stream, and gone
// when whoever opened it has left.
func (l *Link) enter(me int, id uint32, c *channel) (ok, gone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.streams[id]
	if s == nil {
		return false, id != 0 && id <= l.last[1-me] && id%2 == l.last[1-me]%2
	}
	if s.ends[me] != nil {
		return false, false
	}
	s.ends[me] = c
	return true, false
}

// find is the end of a stream on a side, or nil.
func (l *Link) find(me int, id uint32) *channel {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.streams[id]; s != nil {
		return s.ends[me]
	}
	return nil
}

// leave forgets an end of a stream; with the second one the stream is over. What was on its way does not count any more.
func (l *Link) leave(me int, id uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.streams[id]
	if s == nil {
		return
	}
	s.ends[me] = nil
	if s.ends[1-me] == nil {
		l.between[agent] -= s.between[agent]
		l.between[upstream] -= s.between[upstream]
		delete(l.streams, id)
	}
	l.changed.Broadcast()
}

// way is how data goes on.
type way uint8

const (
	nowhere   way = iota // nobody wants it any more
	asRecords            // through the plugin
	directly             // to the other end, which may have left, or want nothing more
	more                 // that cannot be said before more of it has come
)

// take waits until data that a side has read of a stream may go on, and says how many bytes of its beginning go which way. The last of it is read with last set.
func (l *Link) take(me int, id uint32, p []byte, extended, last bool) (how way, n int, to *channel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		s := l.streams[id]
		if s == nil || l.over {
			return nowhere, 0, nil
		}
		if s.unwanted[1-me] {
			return directly, len(p), nil
		}
		if s.wanted[1-me] && s.underWay[me] == 0 {
			return directly, len(p), s.ends[1-me]
		}
		if s.transfers.concern(me) && !extended {
			if how, n = s.transfers.next(me, p, s.underWay[me] == 0, last); how != asRecords {
				if n > 0 || how == more {
					return how, n, s.ends[1-me]
				}
				l.changed.Wait()
				continue
			}
		}
		n = min(len(p), sshwire.MaxData)
		fits := s.underWay[me]+n <= maxUnderWay && l.between[me]+n <= maxAllUnderWay
		if !s.wanted[1-me] && (fits || s.underWay[me] == 0 && l.between[me] == 0) {
			s.underWay[me] += n
			s.between[me] += n
			l.between[me] += n
			return asRecords, n, nil
		}
		l.changed.Wait()
	}
}

// give says that data of a stream from a side is not on its way any more: it arrived, or was dropped.
func (l *Link) give(from int, id uint32, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.streams[id]
	if s == nil || n <= 0 {
		return
	}
	s.underWay[from] -= min(n, s.underWay[from]) // a plugin may write data of its own
	l.come(s, from, s.between[from]-s.underWay[from])
	l.changed.Broadcast()
}

// arrived says that data of a stream from a side has come to the other side, where it waits for its channel and keeps no other one from going on.
func (l *Link) arrived(from int, id uint32, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.streams[id]; s != nil {
		l.come(s, from, n)
		l.changed.Broadcast()
	}
}

// come counts what has come. mu is held.
func (l *Link) come(s *stream, from, n int) {
	n = max(0, min(n, s.between[from]))
	s.between[from] -= n
	l.between[from] -= n
}

// splice has data to a side go there directly, as soon as nothing of it is on its way as a record.
func (l *Link) splice(to int, id uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.streams[id]; s != nil {
		s.wanted[to] = true
		l.changed.Broadcast()
	}
}

// passed counts data of a stream that went directly to a side.
func (l *Link) passed(to int, id uint32, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spliced[to] += uint64(n)
	if s := l.streams[id]; s != nil && to == agent && s.transfers.wrote() {
		l.changed.Broadcast()
	}
}

// transfer has file data of a stream pass, from now on.
func (l *Link) transfer(id uint32, handles [][]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.streams[id]; s != nil {
		s.transfers.set(handles)
		l.changed.Broadcast()
	}
}

// discard has data to a side be thrown away.
func (l *Link) discard(me int, id uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.streams[id]; s != nil {
		s.unwanted[me] = true
		l.changed.Broadcast()
	}
}

func (l *Link) setBanner(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.banner += text
}

func (l *Link) takeBanner() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.silent {
		return ""
	}
	return l.banner
}

// WithoutBanner has the upstream's banner stay here: it is text that no plugin sees, so nobody could look at it. It is called before the first login.
func (l *Link) WithoutBanner() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent = true
}
