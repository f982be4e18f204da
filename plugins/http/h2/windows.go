package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
	"github.com/sallyport-dev/sallyport/sdk"
)

// windows are the connection's flow control, section 5.2. As in a stream, takes is what the upstream takes of the agent's data, granted what the agent may send; wants is what
// the agent takes of the upstream's, offered what the upstream may send.
type windows struct {
	takes, granted int64
	wants, offered int64
	kept           int // bytes of bodies that wait here

	// What a new stream begins with, by the SETTINGS of each end and by what each was told.
	firstTakes, firstGranted int64
	firstWants, firstOffered int64
}

func (w *windows) init() {
	const n = h2frame.DefaultWindow
	*w = windows{takes: n, granted: n, wants: n, offered: n, firstTakes: n, firstGranted: n, firstWants: n, firstOffered: n}
}

// reserve is how much of the upstream's window is kept from the agent while bodies wait here, in bytes: a frame's worth, which comes back when the upstream has taken it.
const reserve = frameSize

// worthwhile is the least that is granted at once, in bytes, unless it doubles what there is: small updates are no use to anybody.
const worthwhile = 4 << 10

// worth reports whether n more is to be granted to who has have.
func worth(n, have int64) bool { return n > 0 && (n >= worthwhile || n >= have) }

// grant lets the agent send what the upstream takes on the connection.
func (s *Session) grant(c *sdk.Conn) {
	w := &s.windows
	if w.kept > maxKept {
		return
	}
	if n := w.takes - w.granted - int64(min(w.kept, reserve)); worth(n, w.granted) {
		w.granted += n
		s.down(c, h2frame.AppendWindowUpdate(s.out[:0], 0, uint32(n)))
	}
}

// grantStream lets the agent send what the upstream takes on a stream.
func (s *Session) grantStream(c *sdk.Conn, st *stream) {
	if st.state != open || st.agentDone {
		return
	}
	if n := st.takes - int64(len(st.body)-st.sent) - st.granted; worth(n, st.granted) {
		st.granted += n
		s.down(c, h2frame.AppendWindowUpdate(s.out[:0], st.agent, uint32(n)))
	}
}

// offer lets the upstream send what the agent takes on the connection.
func (s *Session) offer(c *sdk.Conn) {
	w := &s.windows
	if n := w.wants - w.offered; worth(n, w.offered) && s.agentSet {
		w.offered += n
		s.up(c, h2frame.AppendWindowUpdate(s.out[:0], 0, uint32(n)))
	}
}

// offerStream lets the upstream send what the agent takes on a stream.
func (s *Session) offerStream(c *sdk.Conn, st *stream) {
	if st.state != open || st.upstreamDone || st.result.waits() {
		return
	}
	if n := st.wants - st.offered; worth(n, st.offered) {
		st.offered += n
		s.up(c, h2frame.AppendWindowUpdate(s.out[:0], st.upstream, uint32(n)))
	}
}

// widen takes a WINDOW_UPDATE in: what of it is wrong, or nothing.
func widen(window *int64, n uint32) bool {
	*window += int64(n)
	return *window <= h2frame.MaxWindow
}
