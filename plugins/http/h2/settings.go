package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// settingsState is what the SETTINGS of each end said last.
type settingsState struct {
	agentWindow    uint32 // INITIAL_WINDOW_SIZE of the agent
	upstreamWindow uint32 // and of the upstream
	streams        uint32 // MAX_CONCURRENT_STREAMS that the agent was told
}

func (f *settingsState) init() {
	*f = settingsState{agentWindow: h2frame.DefaultWindow, upstreamWindow: h2frame.DefaultWindow, streams: maxStreams}
}

// waiting are SETTINGS that were sent to one side and were not acknowledged yet, in order.
type waiting struct {
	all   [maxWaiting]sentSettings
	count int
}

type sentSettings struct {
	owed   int   // SETTINGS of the other side that are acknowledged when these are
	shrink int64 // by how much windows of streams become smaller then
}

func (w *waiting) push(shrink int64) { w.all[w.count] = sentSettings{shrink: shrink}; w.count++ }

func (w *waiting) full() bool { return w.count == maxWaiting }

func (w *waiting) pop() sentSettings {
	first := w.all[0]
	w.count--
	copy(w.all[:], w.all[1:w.count+1])
	return first
}

// owes has one more SETTINGS of the other side acknowledged with the last of these; false: at once. sent: they were sent for it. Those that wait for nothing else do not delay
// it, but none overtakes another.
func (w *waiting) owes(sent bool) bool {
	if !sent {
		before := 0
		for i := range w.count {
			before += w.all[i].owed
		}
		if before == 0 {
			return false
		}
	}
	w.all[w.count-1].owed++
	return true
}

// readSettings takes SETTINGS of a side; p is their payload.
func (s *Session) readSettings(c *sdk.Conn, side abi.Side, h *h2frame.Head, p []byte) {
	if h.Has(h2frame.Ack) {
		s.acknowledged(c, side)
		return
	}
	if s.settings[side.Other()].full() {
		s.fail(c, side, h2frame.EnhanceYourCalm, "too many SETTINGS that were not acknowledged yet")
		return
	}
	window, streams := s.forwarded.agentWindow, s.forwarded.streams
	if side == abi.Upstream {
		window = s.forwarded.upstreamWindow
	}
	for i := range h2frame.SettingsCount(p) {
		set, problem := h2frame.SettingAt(p, i)
		if problem != nil {
			s.fail(c, side, problem.Code, problem.Text)
			return
		}
		switch set.ID {
		case h2frame.InitialWindowSize:
			window = set.Value
		case h2frame.MaxConcurrentStreams:
			streams = min(set.Value, maxStreams)
		}
	}
	sent := false
	if side == abi.Agent {
		sent = s.agentSettings(c, window)
	} else {
		sent = s.upstreamSettings(c, window, streams)
	}
	if s.over {
		return
	}
	if !sent {
		s.strain(c, side, idleCost)
	}
	if !s.settings[side.Other()].owes(sent) {
		s.acknowledge(c, side, 1)
	}
}

// acknowledge says that n SETTINGS of a side are in effect.
func (s *Session) acknowledge(c *sdk.Conn, side abi.Side, n int) {
	b := s.out[:0]
	for range n {
		b = h2frame.AppendSettingsAck(b)
	}
	switch {
	case len(b) == 0:
	case side == abi.Agent:
		s.down(c, b)
		s.updated[abi.Agent] = false
	case !s.agentSet: // the preface comes first
		s.early += n
	default:
		s.up(c, b)
		s.updated[abi.Upstream] = false
	}
}

// acknowledged takes the acknowledgement of a side.
func (s *Session) acknowledged(c *sdk.Conn, side abi.Side) {
	if s.settings[side].count == 0 {
		s.fail(c, side, h2frame.ProtocolError, "an acknowledgement of SETTINGS that were not sent")
		return
	}
	first := s.settings[side].pop()
	w := &s.windows
	if first.shrink > 0 {
		if side == abi.Agent {
			w.firstGranted -= first.shrink
		} else {
			w.firstOffered -= first.shrink
		}
		for i := range s.streams.slots {
			if st := &s.streams.slots[i]; st.agent == 0 {
				continue
			} else if side == abi.Agent {
				st.granted -= first.shrink
				s.grantStream(c, st)
			} else if st.upstream != 0 {
				st.offered -= first.shrink
				s.offerStream(c, st)
			}
		}
	}
	s.acknowledge(c, side.Other(), first.owed)
}

// agentSettings has the agent's window in effect, and reports whether the upstream was sent SETTINGS for it.
func (s *Session) agentSettings(c *sdk.Conn, window uint32) bool {
	first := !s.agentSet
	s.agentSet = true
	change := int64(window) - int64(s.forwarded.agentWindow)
	s.forwarded.agentWindow = window
	if !first && change == 0 {
		return false
	}
	b := s.out[:0]
	if first {
		b = append(b, h2frame.Preface...)
		b = h2frame.AppendSettings(b, h2frame.Setting{ID: h2frame.EnablePush, Value: 0},
			h2frame.Setting{ID: h2frame.InitialWindowSize, Value: window}, h2frame.Setting{ID: h2frame.MaxHeaderListSize, Value: maxReply})
	} else {
		b = h2frame.AppendSettings(b, h2frame.Setting{ID: h2frame.InitialWindowSize, Value: window})
	}
	s.up(c, b)
	s.settings[abi.Upstream].push(max(-change, 0))
	w := &s.windows
	w.firstWants += change
	w.firstOffered += max(change, 0)
	for i := range s.streams.slots {
		st := &s.streams.slots[i]
		if st.agent == 0 {
			continue
		}
		if st.wants += change; st.wants > h2frame.MaxWindow {
			s.fail(c, abi.Agent, h2frame.FlowControlError, "SETTINGS make a window larger than it can be")
			return true
		}
		if st.upstream != 0 {
			st.offered += max(change, 0)
		}
	}
	s.drainAll(c)
	if first {
		s.offer(c)
		s.acknowledge(c, abi.Upstream, s.early)
	}
	return true
}

// upstreamSettings has the upstream's window in effect, and reports whether the agent was sent SETTINGS for them.
func (s *Session) upstreamSettings(c *sdk.Conn, window, streams uint32) bool {
	s.upSet = true
	f, w := &s.forwarded, &s.windows
	change := int64(window) - int64(f.upstreamWindow)
	f.upstreamWindow = window
	w.firstTakes += change
	for i := range s.streams.slots {
		st := &s.streams.slots[i]
		if st.upstream == 0 {
			continue
		}
		if st.takes += change; st.takes > h2frame.MaxWindow {
			s.fail(c, abi.Upstream, h2frame.FlowControlError, "SETTINGS make a window larger than it can be")
			return false
		}
	}
	// The agent is told of no more than is kept here for a request that waits.
	first := w.firstGranted
	for i := range s.settings[abi.Agent].count {
		first -= s.settings[abi.Agent].all[i].shrink
	}
	told := min(w.firstTakes, firstGr) - first
	sent := false
	if told != 0 || streams != f.streams {
		b := h2frame.AppendSettings(s.out[:0], h2frame.Setting{ID: h2frame.MaxConcurrentStreams, Value: streams},
			h2frame.Setting{ID: h2frame.InitialWindowSize, Value: uint32(first + told)})
		f.streams = streams
		s.down(c, b)
		s.settings[abi.Agent].push(max(-told, 0))
		w.firstGranted += max(told, 0)
		sent = true
	}
	for i := range s.streams.slots {
		st := &s.streams.slots[i]
		if st.agent == 0 {
			continue
		}
		st.granted += max(told, 0)
		if st.upstream != 0 && change > 0 {
			s.flush(c, st)
		}
		s.grantStream(c, st)
	}
	return sent
}

// pings are the PINGs that one side was sent and did not acknowledge.
type pings struct {
	all   [maxWaiting][8]byte
	count int
}

// readPing passes a PING on, or its acknowledgement: the way is as long as it seems.
func (s *Session) readPing(c *sdk.Conn, side abi.Side, h *h2frame.Head, p []byte) {
	to, flags := side.Other(), h2frame.Flags(0)
	if h.Has(h2frame.Ack) {
		q := &s.pings[side]
		if q.count == 0 || string(q.all[0][:]) != string(p) {
			s.strain(c, side, idleCost)
			return
		}
		q.count--
		copy(q.all[:], q.all[1:q.count+1])
		flags = h2frame.Ack
	} else {
		q := &s.pings[to]
		if q.count == maxWaiting {
			s.fail(c, side, h2frame.EnhanceYourCalm, "too many PINGs that were not acknowledged yet")
			return
		}
		copy(q.all[q.count][:], p)
		q.count++
	}
	b := append(h2frame.AppendHead(s.out[:0], len(p), h2frame.Ping, flags, 0), p...)
	if to == abi.Agent {
		s.down(c, b)
	} else {
		s.up(c, b)
	}
}
