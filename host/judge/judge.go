// Package judge has models and programs decide about actions.
//
// A [Judge] is asked about a [Subject] and gives an [Opinion]: allow, deny or escalate, or that there was no answer. What an opinion
// leads to is not decided here; a judge can only tighten what rules said. What is common to all judges is here: the form of an answer
// (ParseAnswer), how long one may take, how many questions are asked at a time, what a peer may spend in a day (budget), and answers that
// are kept for a while (cache). How a question is put is the business of the packages frame with openai and anthropic, and program.
//
// Nothing that an agent writes is trusted, and neither is what a model answers: an answer that is not exactly of the form is none,
// its reason is made printable and cut, and it can lead to nothing but the three outcomes.
package judge

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/host/judge/budget"
	"github.com/sallyport-dev/sallyport/host/judge/cache"
)

// Options describe a judge.
type Options struct {
	Name string
	// Model is what is asked: a model's name, or "sha256:…" of a program.
	Model string
	// Identity is everything else that its answers depend on: provider, address, policy, settings.
	Identity []string
	Asker    Asker

	Timeout     time.Duration
	CacheFor    time.Duration // 0: answers are not kept
	MaxInput    int           // bytes of the subject
	Concurrency int
	Calls       int64 // a peer's, in a day
	// Tokens are a peer's in a day, 0: not counted. Overhead is how many a question takes at most beside the subject's, with its answer.
	Tokens, Overhead int64
	// InputPrice and OutputPrice are of a million tokens, in millionths of the operator's currency.
	InputPrice, OutputPrice int64
}

// Judge is one judge. It is safe for concurrent use.
type Judge struct {
	Options
	slots  chan struct{}
	mu     sync.Mutex
	ofPeer map[string]*share
}

type share struct {
	slots chan struct{}
	users int
}

// New makes a judge.
func New(o Options) *Judge {
	o.Concurrency = max(o.Concurrency, 1)
	return &Judge{Options: o, slots: make(chan struct{}, o.Concurrency), ofPeer: map[string]*share{}}
}

// Opinion is what came of asking a judge.
type Opinion struct {
	Judge, Model string
	Outcome      Outcome
	// Reason is the judge's. Err is why there is no answer, for the record; Said the same for the agent.
	Reason, Err, Said string
	// Digest is of the question; Cached says that an earlier answer counted.
	Digest cache.Key
	Cached bool
	// Input and Output are tokens and Cost what they cost, of this question: nothing where an earlier answer counted.
	Input, Output, Cost int64
	Took                time.Duration
}

// Bench is what judges share: the answers that are kept, and what was spent. It outlives configurations.
type Bench struct {
	budget *budget.Book
	cache  *cache.Cache[Opinion]
	log    *slog.Logger
	now    func() time.Time
}

// MaxKept is how many answers are kept at a time.
const MaxKept = 20_000

// NewBench makes a bench. Log may be nil.
func NewBench(b *budget.Book, log *slog.Logger) *Bench {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Bench{budget: b, cache: cache.New[Opinion](MaxKept), log: log, now: time.Now}
}

// Spent is what was spent since a day, "2006-01-02" in UTC.
func (b *Bench) Spent(from string) []budget.Spent { return b.budget.List(from) }

// Kept is how many answers are kept, by the judge's name.
func (b *Bench) Kept() map[string]int {
	n := map[string]int{}
	b.cache.Each(b.now(), func(o Opinion) { n[o.Judge]++ })
	return n
}

// Forget forgets every answer that is kept, and returns how many.
func (b *Bench) Forget() int { return b.cache.Clear() }

// Question is a subject that is to be put to a judge.
type Question struct {
	judge   *Judge
	subject *Subject
	digest  cache.Key
}

// Question prepares a question.
func (j *Judge) Question(s *Subject) *Question {
	q := &Question{judge: j, subject: s}
	h := sha256.New()
	for _, part := range append([]string{"sallyport judge 1", j.Name, j.Model, s.text()}, j.Identity...) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	h.Sum(q.digest[:0])
	return q
}

// KeptAnswer returns an earlier answer, if one counts. It waits for nothing.
func (b *Bench) KeptAnswer(q *Question) (Opinion, bool) {
	if q.judge.CacheFor == 0 {
		return Opinion{}, false
	}
	o, ok := b.cache.Get(q.digest, b.now())
	if ok {
		o.Cached, o.Input, o.Output, o.Cost, o.Took = true, 0, 0, 0, 0
		b.budget.Count(b.now(), q.judge.Name, q.subject.Peer, func(s *budget.Spent) {
			s.Cached++
			count(s, o.Outcome)
		})
	}
	return o, ok
}

// count counts an outcome.
func count(s *budget.Spent, o Outcome) {
	switch o {
	case Allow:
		s.Allowed++
	case Deny:
		s.Denied++
	case Escalate:
		s.Escalated++
	default:
		s.Failed++
	}
}

// Ask puts a question. It returns when there is an answer or the judge's timeout is over, and soon after ctx has ended.
func (b *Bench) Ask(ctx context.Context, q *Question) Opinion {
	if o, ok := b.KeptAnswer(q); ok {
		return o
	}
	j := q.judge
	o := Opinion{Judge: j.Name, Model: j.Model, Digest: q.digest}
	started := b.now()
	called, err := b.ask(ctx, q, &o)
	o.Took = b.now().Sub(started)
	if err != nil {
		o.Outcome, o.Err = Failed, Line(err.Error())
		if o.Said = "the judge " + j.Name + " gave no answer"; errors.Is(err, budget.ErrSpent) || errors.Is(err, errTooLong) {
			o.Said += ": " + o.Err // what the agent can do something about
		}
		b.log.Warn("a judge gave no answer", "judge", j.Name, "peer", q.subject.Peer, "endpoint", q.subject.Endpoint, "error", o.Err)
	}
	if !called {
		b.budget.Count(started, j.Name, q.subject.Peer, func(s *budget.Spent) { count(s, o.Outcome) })
	}
	if err == nil && j.CacheFor > 0 {
		b.cache.Put(q.digest, o, b.now().Add(j.CacheFor))
	}
	return o
}

var errTooLong = errors.New("too long to be judged")

// ask is Ask without what is common to answers and failures. called says that the budget has counted it.
func (b *Bench) ask(ctx context.Context, q *Question, o *Opinion) (called bool, err error) {
	j, s := q.judge, q.subject
	if n := s.Size(); n > j.MaxInput {
		return false, fmt.Errorf("%w: %d bytes, at most %d", errTooLong, n, j.MaxInput)
	}
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, j.Timeout)
	defer cancel()
	leave, err := j.enter(ctx, s.Peer)
	if err != nil {
		return false, fmt.Errorf("waiting for a place among %d questions: %w", j.Concurrency, cause(whole, j.Timeout, err))
	}
	defer leave()
	// A token is seldom less than a byte.
	worst := int64(0)
	if j.Tokens > 0 {
		worst = j.Overhead + int64(s.Size())
	}
	taken, err := b.budget.Take(ctx, b.now(), j.Name, s.Peer, budget.Limits{Calls: j.Calls, Tokens: j.Tokens}, worst)
	if err != nil {
		return false, err
	}
	answer, err := j.Asker.Ask(ctx, s)
	if err != nil {
		err = cause(whole, j.Timeout, err)
	} else if answer.Outcome == Failed {
		err = errors.New("it said nothing")
	} else if ctx.Err() != nil { // what comes late does not count
		err = cause(whole, j.Timeout, ctx.Err())
	}
	o.Input, o.Output = max(answer.Input, 0), max(answer.Output, 0)
	o.Cost = j.cost(o.Input, o.Output)
	if err == nil {
		o.Outcome, o.Reason = answer.Outcome, Line(answer.Reason)
	}
	// The agent may have left, and it is spent all the same.
	unsettled := taken.Settle(context.WithoutCancel(ctx), o.Input, o.Output, o.Cost, func(s *budget.Spent) { count(s, o.Outcome) })
	return true, errors.Join(err, unsettled)
}

// cause says that time was over, where that is why.
func cause(whole context.Context, timeout time.Duration, err error) error {
	switch {
	case whole.Err() != nil:
		return errors.New("the agent took the action back")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %v", timeout)
	}
	return err
}

// cost is what tokens cost, in millionths, rounded up.
func (j *Judge) cost(input, output int64) int64 {
	const most = 1 << 40 // tokens: no server's count makes this overflow
	in, out := float64(min(input, most))*float64(j.InputPrice), float64(min(output, most))*float64(j.OutputPrice)
	n := int64((in + out) / 1e6)
	if float64(n)*1e6 < in+out {
		n++
	}
	return n
}

// enter takes a place, which leave gives back. One peer has at most half of them.
func (j *Judge) enter(ctx context.Context, peer string) (leave func(), err error) {
	j.mu.Lock()
	s := j.ofPeer[peer]
	if s == nil {
		s = &share{slots: make(chan struct{}, (j.Concurrency+1)/2)}
		j.ofPeer[peer] = s
	}
	s.users++
	j.mu.Unlock()
	gone := func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		if s.users--; s.users == 0 {
			delete(j.ofPeer, peer)
		}
	}
	for i, slots := range []chan struct{}{s.slots, j.slots} {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			if i == 1 {
				<-s.slots
			}
			gone()
			return nil, ctx.Err()
		}
	}
	return func() {
		<-j.slots
		<-s.slots
		gone()
	}, nil
}
