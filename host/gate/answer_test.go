package gate

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func (l list) keep(parent uint32, n uint64) list { return abi.AppendKeep(l, parent, n) }
func (l list) answered(parent uint32) list       { return abi.AppendAnswered(l, parent) }
func (l list) release(parent uint32, n uint64) list {
	return abi.AppendRelease(l, parent, false, n)
}
func (l list) discard(parent uint32, n uint64) list {
	return abi.AppendRelease(l, parent, true, n)
}
func (l list) value(parent uint32, start, length uint32) list {
	b, _ := abi.AppendValue(l, -1, parent, 0, abi.FormatText, false, start, length)
	return b
}
func (l list) text(parent uint32, s string) list {
	return abi.AppendText(l, parent, 0, false, []byte(s))
}
func (l list) passAnswer(id uint32, n uint64) list { return abi.AppendPass(l, abi.Upstream, id, n) }
func (l list) dropAnswer(n uint64) list            { return abi.AppendDrop(l, abi.Upstream, n) }

// askAnswer asks about what is kept for parent.
func (l list) askAnswer(id, parent uint32, flags uint8, title string) list {
	return l.action(id, uint64(parent), abi.AskResponse|flags, 2, title)
}

// look asks about an action whose answer is to be looked at, up to 16 bytes.
func (l list) look(id uint32, extent uint64, flags uint8) list {
	return l.action(id, extent, flags, 1, "look")
}

const theAnswer = "ROWS secret END!" // 16 bytes

// looking serves with answers that are looked at: those of actions with the title "look".
func looking(cfg *Config, s *session) {
	cfg.Facts.Inspect = true
	cfg.Manifest = testManifest()
	cfg.Manifest.Families = append(cfg.Manifest.Families, abi.ResponseFamily("what came back"))
	s.decide = decideLooking
}

func decideLooking(_ context.Context, q *Question) Verdict {
	v := byTitle(q)
	switch {
	case v.Outcome != abi.Allow:
	case q.Action.Title == "look":
		v.Inspect, v.Parent = 16, q.ID
	case q.Action.Title == "mask":
		copy(q.Response.Kept[5:11], "******")
	}
	return v
}

// answering is a guest that asks about the agent's ten bytes with first, passes them, and says answer once it has seen all of the
// upstream's bytes, in pieces or not.
func answering(first list, answer []list, events map[uint32]list) *script {
	g := &script{open: one(dialing())}
	seen := 0
	g.data = func(side abi.Side, p []byte, end bool) []list {
		switch {
		case end:
			return []list{list(nil).shut(side.Other())}
		case side == abi.Agent:
			return one(first)
		}
		if seen += len(p); seen == len(theAnswer) {
			return answer
		}
		return nil
	}
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindVerdict && events[e.ID] != nil {
			return one(events[e.ID])
		}
		return nil
	}
	return g
}

// plainly is the action whose answer is looked at.
func plainly() list { return list(nil).look(2, 10, 0).pass(2, 10) }

// kept keeps all of the answer and asks about it.
func kept() list { return list(nil).keep(2, 16).value(2, 5, 6).askAnswer(3, 2, 0, title) }

var answerAttacks = []struct {
	name   string
	first  list // nil: plainly
	answer list
	events map[uint32]list
	reason string
	gets   string // what may have reached the agent
	// twin is what is fine, and twinGets what the agent gets.
	twinFirst  list
	twin       list
	twinEvents map[uint32]list
	twinGets   string
}{
	{name: "passes at once", answer: list(nil).passBack(16), reason: "name nothing that they answer",
		twinFirst: list(nil).ask(2, 10).pass(2, 10), twin: list(nil).passBack(16), twinGets: theAnswer},
	{name: "passes under the action", answer: list(nil).passAnswer(2, 16), reason: "was not allowed",
		twin: kept(), twinEvents: map[uint32]list{3: list(nil).release(2, 0)}, twinGets: theAnswer},
	{name: "passes under an unknown action", answer: list(nil).passAnswer(9, 16), reason: "never asked about"},
	{name: "scans", answer: list(nil).scan(abi.Upstream, 0), reason: "name nothing that they answer",
		twinFirst: list(nil).ask(2, 10).pass(2, 10), twin: list(nil).passBack(16).scan(abi.Upstream, 0), twinGets: theAnswer},
	{name: "scans under the action", answer: list(nil).scan(abi.Upstream, 2), reason: "was not allowed"},
	{name: "releases without asking", answer: list(nil).keep(2, 16).release(2, 0), reason: "was not allowed"},
	{name: "releases what is denied", answer: list(nil).keep(2, 16).askAnswer(3, 2, 0, "deny"), events: map[uint32]list{3: list(nil).release(2, 0)},
		reason: "was not allowed", twin: list(nil).keep(2, 16).askAnswer(3, 2, 0, "deny"), twinEvents: map[uint32]list{3: list(nil).send("withheld")}, twinGets: "withheld"},
	{name: "releases more than is kept", answer: list(nil).keep(2, 10).askAnswer(3, 2, 0, title), events: map[uint32]list{3: list(nil).release(2, 11)},
		reason: "of which 10 are kept"},
	{name: "asks about a part and passes the rest", answer: list(nil).keep(2, 4).askAnswer(3, 2, 0, title), events: map[uint32]list{3: list(nil).release(2, 0).passAnswer(2, 12)},
		reason: "nothing left that could answer", gets: "ROWS", twin: list(nil).keep(2, 4).askAnswer(3, 2, abi.AskTruncated, title),
		twinEvents: map[uint32]list{3: list(nil).release(2, 0).passAnswer(2, 12).answered(2)}, twinGets: theAnswer},
	{name: "passes the rest before what is kept", answer: list(nil).keep(2, 4).askAnswer(3, 2, abi.AskTruncated, title),
		events: map[uint32]list{3: list(nil).passAnswer(2, 12)}, reason: "begins with 4 bytes that are kept"},
	{name: "passes the rest of what is too long and denied", answer: list(nil).keep(2, 4).askAnswer(3, 2, abi.AskTruncated, "deny"),
		events: map[uint32]list{3: list(nil).passAnswer(2, 12)}, reason: "was not allowed",
		twin: list(nil).keep(2, 4).askAnswer(3, 2, abi.AskTruncated, "deny"), twinEvents: map[uint32]list{3: list(nil).dropAnswer(12).answered(2).send("no")}, twinGets: "no"},
	{name: "passes the rest as nobody's", answer: list(nil).keep(2, 4).askAnswer(3, 2, abi.AskTruncated, "deny"),
		events: map[uint32]list{3: list(nil).passBack(12)}, reason: "name nothing that they answer"},
	{name: "passes the rest after it said that it is over", answer: list(nil).keep(2, 4).askAnswer(3, 2, abi.AskTruncated, title),
		events: map[uint32]list{3: list(nil).release(2, 0).answered(2).passAnswer(2, 12)}, reason: "nothing left that could answer", gets: "ROWS"},
	{name: "asks twice", answer: kept(), events: map[uint32]list{3: list(nil).askAnswer(4, 2, 0, title)}, reason: "was asked about"},
	{name: "asks twice at once", answer: kept().askAnswer(4, 2, 0, title), reason: "was asked about"},
	{name: "keeps after it asked", answer: list(nil).keep(2, 4).askAnswer(3, 2, 0, title).keep(2, 4), reason: "is not to be looked at, or was asked about"},
	{name: "names values after it asked", answer: kept().value(2, 12, 1), reason: "is not to be looked at, or was asked about"},
	{name: "asks about an unknown parent", answer: list(nil).askAnswer(3, 9, 0, title), reason: "the answer of action 9 is not to be looked at"},
	{name: "asks about an action that nobody looks at", first: list(nil).ask(2, 10).pass(2, 10), answer: list(nil).askAnswer(3, 2, 0, title),
		reason: "the answer of action 2 is not to be looked at"},
	{name: "asks with an old id", answer: list(nil).keep(2, 16).askAnswer(2, 2, 0, title), reason: "does not follow"},
	{name: "asks in the words of an action", answer: list(nil).keep(2, 16).action(3, 2, abi.AskResponse, 1, title), reason: "in the words of family toy"},
	{name: "keeps more than the limit", answer: list(nil).keep(2, 10).keep(2, 7), reason: "not all of the bytes",
		twin: kept(), twinEvents: map[uint32]list{3: list(nil).release(2, 10).release(2, 6)}, twinGets: theAnswer},
	{name: "keeps for nobody", answer: list(nil).keep(9, 1), reason: "not to be looked at"},
	{name: "names values that are not kept", answer: list(nil).keep(2, 4).value(2, 2, 3), reason: "4 bytes are kept"},
	{name: "names values twice", answer: list(nil).keep(2, 8).value(2, 2, 3).value(2, 4, 1), reason: "the value before ends at 5"},
	{name: "gives more text than the limit", answer: list(nil).text(2, strings.Repeat("x", 17)), reason: "more than 16 bytes",
		twin: list(nil).text(2, strings.Repeat("x", 16)).keep(2, 16).askAnswer(3, 2, 0, title), twinEvents: map[uint32]list{3: list(nil).release(2, 0)}, twinGets: theAnswer},
	{name: "says that there is no answer, and passes it", answer: list(nil).answered(2).passAnswer(2, 16), reason: "nothing left that could answer",
		twin: list(nil).keep(2, 4).answered(2).dropAnswer(12).send("none"), twinGets: "none"},
	{name: "says twice that it is over", answer: list(nil).answered(2).answered(2), reason: "is over"},
	{name: "says that it is over while it is asked about", answer: list(nil).keep(2, 16).askAnswer(3, 2, 0, "wait").answered(2), reason: "is being asked about"},

	// Several in flight: answers come in order.
	{name: "passes the second's answer before the first's", first: list(nil).look(2, 5, abi.AskQuiet).pass(2, 5).ask(3, 5).pass(3, 5), answer: list(nil).passAnswer(3, 16),
		reason: "action 3 is answered behind action 2"},
	{name: "keeps the second's answer before the first's", first: list(nil).look(2, 5, abi.AskQuiet).pass(2, 5).look(3, 5, 0).pass(3, 5), answer: list(nil).keep(3, 16),
		reason:     "action 3 is answered behind action 2",
		twinFirst:  list(nil).look(2, 5, abi.AskQuiet).pass(2, 5).look(3, 5, 0).pass(3, 5),
		twin:       list(nil).keep(2, 4).askAnswer(4, 2, 0, title),
		twinEvents: map[uint32]list{4: list(nil).release(2, 0).keep(3, 12).askAnswer(5, 3, 0, title), 5: list(nil).release(3, 0)}, twinGets: theAnswer},
	{name: "passes as the answer to a question", answer: list(nil).keep(2, 4).askAnswer(3, 2, 0, title), events: map[uint32]list{3: list(nil).release(2, 0).passAnswer(3, 12)},
		reason: "nothing left that could answer", gets: "ROWS"},
}

func TestAnswerAttacks(t *testing.T) {
	for _, a := range answerAttacks {
		if a.first == nil {
			a.first = plainly()
		}
		t.Run(a.name, func(t *testing.T) {
			r := start(t, answering(a.first, one(a.answer), a.events), lookingSlowly)
			r.write(r.agent, tenBytes)
			r.read(r.upstream, tenBytes)
			r.write(r.upstream, theAnswer)
			if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, a.reason) {
				t.Errorf("ended with %+v, want fail-closed and %q", e, a.reason)
			}
			if got := string(collect(r.agent)); !strings.HasPrefix(a.gets, got) {
				t.Errorf("%q reached the agent, %q was allowed", got, a.gets)
			}
		})
		if a.twin == nil {
			continue
		}
		if a.twinFirst == nil {
			a.twinFirst = plainly()
		}
		t.Run("twin of "+a.name, func(t *testing.T) {
			r := start(t, answering(a.twinFirst, one(a.twin), a.twinEvents), lookingSlowly)
			r.write(r.agent, tenBytes)
			r.read(r.upstream, tenBytes)
			r.write(r.upstream, theAnswer)
			r.read(r.agent, a.twinGets)
			_ = r.upstream.Close()
			_ = r.agent.CloseWrite()
			r.readEnd(r.agent, "")
			if e := r.wait(); e.FailClosed {
				t.Errorf("ended with %+v", e)
			}
		})
	}
}

// lookingSlowly is looking with a judge that takes its time about what has the title "wait".
func lookingSlowly(cfg *Config, s *session) {
	looking(cfg, s)
	s.decide = func(ctx context.Context, q *Question) Verdict {
		if q.Action.Title == "wait" {
			return Verdict{Pending: ending{}}
		}
		return decideLooking(ctx, q)
	}
}

// ending is a verdict that comes when the connection has ended.
type ending struct{}

func (ending) Wait(ctx context.Context, _ func(context.Context) error) Verdict {
	<-ctx.Done()
	return Verdict{Outcome: abi.Deny, Reason: "nobody waits"}
}

// What the guest hears: the limit, also of a quiet question; and the session is shown what is kept, with its values, and may mask it.
func TestAnswerIsMasked(t *testing.T) {
	var mu sync.Mutex
	var heard []abi.Event
	g := answering(list(nil).look(2, 10, abi.AskQuiet).pass(2, 10), one(list(nil).keep(2, 16).value(2, 5, 6).askAnswer(3, 2, 0, "mask")), map[uint32]list{3: list(nil).release(2, 0)})
	event := g.event
	g.event = func(e abi.Event) []list {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, e)
		return event(e)
	}
	var asked *Question
	r := start(t, g, func(cfg *Config, s *session) {
		looking(cfg, s)
		s.decide = func(ctx context.Context, q *Question) Verdict {
			if q.Response != nil {
				asked = &Question{ID: q.ID, Action: q.Action, Parent: q.Parent}
			}
			return decideLooking(ctx, q)
		}
	})
	r.write(r.agent, tenBytes)
	r.read(r.upstream, tenBytes)
	r.write(r.upstream, theAnswer)
	r.read(r.agent, "ROWS ****** END!")
	_ = r.upstream.Close()
	_ = r.agent.CloseWrite()
	r.readEnd(r.agent, "")
	if e := r.wait(); e.FailClosed {
		t.Errorf("ended with %+v", e)
	}
	mu.Lock()
	defer mu.Unlock()
	var limit uint32
	for _, e := range heard {
		if e.Kind == abi.KindVerdict && e.ID == 2 {
			limit = e.Inspect
		}
	}
	v := asked.Action.Values
	if limit != 16 || asked.Parent != uint32(2) || v[abi.ResponseText].Str != "secret" || v[abi.ResponseBytes].Int != 16 || !v[abi.ResponseTruncated].Known || v[abi.ResponseTruncated].Bool {
		t.Errorf("limit %d, asked %+v", limit, asked)
	}
}

// A guest that was told that no answer is looked at keeps none back: it is cut off before a byte of one can pass.
func TestAnswerWithoutFact(t *testing.T) {
	r := start(t, answering(plainly(), one(list(nil).passBack(16)), nil), func(cfg *Config, s *session) {
		looking(cfg, s)
		cfg.Facts.Inspect = false
	})
	r.write(r.agent, tenBytes)
	if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, "was told that none is") {
		t.Errorf("ended with %+v", e)
	}
	if got := collect(r.upstream); len(got) > 0 {
		t.Errorf("%q reached the upstream", got)
	}
}

// judged is a verdict that a test gives.
type judged chan Verdict

func (j judged) Wait(ctx context.Context, _ func(context.Context) error) Verdict {
	select {
	case v := <-j:
		return v
	case <-ctx.Done():
		return Verdict{Outcome: abi.Deny, Reason: "nobody waits"}
	}
}

// While a judge looks at an answer nothing of the upstream is shown, actions go on, and the answer passes although both sides have ended.
func TestAnswerIsJudged(t *testing.T) {
	judge := make(judged)
	asked := make(chan struct{})
	shown := make(chan string, 10)
	g := answering(plainly(), nil, nil)
	data := g.data
	seen := 0
	g.data = func(side abi.Side, p []byte, end bool) []list {
		if side == abi.Agent || end {
			if side == abi.Agent && string(p) == "more" {
				return one(list(nil).ask(9, 4).pass(9, 4))
			}
			return data(side, p, end)
		}
		if seen += len(p); seen <= 16 {
			l := list(nil).keep(2, uint64(len(p)))
			if seen == 16 {
				l = l.askAnswer(3, 2, 0, "judge")
			}
			return one(l)
		}
		shown <- string(p)
		return one(list(nil).passBack(uint64(len(p))))
	}
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindVerdict && e.ID == 3 {
			return one(list(nil).release(2, 0))
		}
		return nil
	}
	r := start(t, g, func(cfg *Config, s *session) {
		looking(cfg, s)
		s.decide = func(ctx context.Context, q *Question) Verdict {
			if q.Action.Title == "judge" {
				close(asked)
				return Verdict{Pending: judge}
			}
			return decideLooking(ctx, q)
		}
	})
	r.write(r.agent, tenBytes)
	r.read(r.upstream, tenBytes)
	r.write(r.upstream, theAnswer)
	<-asked
	r.write(r.upstream, "later")
	_ = r.upstream.CloseWrite()
	r.write(r.agent, "more")
	r.read(r.upstream, "more")
	_ = r.agent.CloseWrite()
	select {
	case p := <-shown:
		t.Errorf("%q is shown before the verdict", p)
	default:
	}
	judge <- Verdict{Outcome: abi.Allow}
	r.readEnd(r.agent, theAnswer+"later")
	if e := r.wait(); e.FailClosed {
		t.Errorf("ended with %+v", e)
	}
}

// A judge of an answer leaves nothing to people, and a connection that ends waits for no judge.
func TestAnswerIsLeftToPeople(t *testing.T) {
	judge := make(judged, 1)
	judge <- Verdict{Pending: ending{}}
	g := answering(plainly(), one(list(nil).keep(2, 16).askAnswer(3, 2, 0, "judge")), nil)
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindVerdict && e.ID == 3 {
			return one(list(nil).send(e.Outcome.String() + ": " + e.Reason))
		}
		return nil
	}
	r := start(t, g, func(cfg *Config, s *session) {
		looking(cfg, s)
		s.decide = func(ctx context.Context, q *Question) Verdict {
			if q.Action.Title == "judge" {
				return Verdict{Pending: judge}
			}
			return decideLooking(ctx, q)
		}
	})
	r.write(r.agent, tenBytes)
	r.read(r.upstream, tenBytes)
	r.write(r.upstream, theAnswer)
	r.read(r.agent, "deny: it was left to people")
	r.stop()
	r.wait()
}

// Aside: the answers of others pass while one is kept and judged, whole frames in any order.
func TestAnswerAside(t *testing.T) {
	judge := make(judged)
	asked := make(chan struct{})
	const aside = abi.AskAside | abi.AskQuiet
	g := answering(list(nil).look(2, 0, aside).action(3, 0, aside, 1, title).pass(2, 5).pass(3, 5), nil, nil)
	seen := 0
	data := g.data
	g.data = func(side abi.Side, p []byte, end bool) []list {
		if side == abi.Agent || end {
			return data(side, p, end)
		}
		if seen += len(p); seen < 16 { // whole frames of 4 bytes: 2, 3, 2, 3
			return nil
		}
		if seen == 16 {
			return one(list(nil).keep(2, 4).passAnswer(3, 4).keep(2, 4).passAnswer(1, 4).askAnswer(4, 2, abi.AskAside, "judge"))
		}
		return one(list(nil).passAnswer(3, uint64(len(p))))
	}
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindVerdict && e.ID == 4 {
			return one(list(nil).discard(2, 4).release(2, 0))
		}
		return nil
	}
	r := start(t, g, func(cfg *Config, s *session) {
		looking(cfg, s)
		s.decide = func(ctx context.Context, q *Question) Verdict {
			if q.Action.Title == "judge" {
				close(asked)
				return Verdict{Pending: judge}
			}
			return decideLooking(ctx, q)
		}
	})
	r.write(r.agent, tenBytes)
	r.read(r.upstream, tenBytes)
	r.write(r.upstream, "aaaabbbbccccdddd")
	r.read(r.agent, "bbbbdddd")
	<-asked
	r.write(r.upstream, "eeee")
	r.read(r.agent, "eeee")
	judge <- Verdict{Outcome: abi.Allow}
	r.read(r.agent, "cccc")
	r.stop()
	r.wait()
}

// A scan of the upstream that runs when an answer is to be looked at ends with its frame, be that whole or not.
func TestAnswerEndsScan(t *testing.T) {
	g := &script{open: one(dialing())}
	scanned := make(chan abi.Event, 1)
	g.data = func(side abi.Side, p []byte, end bool) []list {
		switch {
		case end:
			return one(list(nil).shut(side.Other()))
		case side == abi.Agent && string(p) == "1":
			return one(list(nil).ask(2, 1).pass(2, 1).scan(abi.Upstream, 0))
		case side == abi.Agent:
			return one(list(nil).look(3, 1, 0).pass(3, 1))
		}
		return one(list(nil).keep(3, uint64(len(p))).askAnswer(4, 3, 0, "deny"))
	}
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindScanned {
			scanned <- e
		}
		if e.Kind == abi.KindVerdict && e.ID == 4 {
			return one(list(nil).send("withheld"))
		}
		return nil
	}
	r := start(t, g, looking)
	r.write(r.agent, "1")
	r.read(r.upstream, "1")
	r.write(r.upstream, "d\x03abcd\x03ab")
	r.read(r.agent, "d\x03abcd\x03ab")
	r.write(r.agent, "2")
	r.read(r.upstream, "2")
	r.write(r.upstream, "cd\x02xy")
	r.read(r.agent, "cwithheld")
	if e := <-scanned; e.Frames != 2 || e.Bytes != 10 {
		t.Errorf("%+v", e)
	}
	r.stop()
	r.wait()
}
