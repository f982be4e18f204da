package judge

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/judge/budget"
	"github.com/sallyport-dev/sallyport/host/state/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is an Asker that a test decides for.
type scripted func(ctx context.Context, s *Subject) (Answer, error)

func (f scripted) Ask(ctx context.Context, s *Subject) (Answer, error) { return f(ctx, s) }

func allows(context.Context, *Subject) (Answer, error) {
	return Answer{Outcome: Allow, Reason: "fine", Input: 100, Output: 10}, nil
}

func newBench(t *testing.T, dir string) *Bench {
	t.Helper()
	store, err := bolt.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	b, err := budget.Open(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	return NewBench(b, nil)
}

func subject(text string) *Subject {
	return &Subject{Peer: "agent", Profile: "dev", Endpoint: "db", Family: "sql", Class: "read", Title: "select", Fields: []Field{{"text", text}, {"bounded", nil}}}
}

func options(a Asker) Options {
	return Options{Name: "j", Model: "m", Identity: []string{"policy"}, Asker: a, Timeout: time.Minute, MaxInput: 1000, Concurrency: 4, Calls: 100, Tokens: 10_000, Overhead: 50,
		InputPrice: 1_000_000, OutputPrice: 5_000_000}
}

// TestKept: an answer counts for exactly the same question of the same judge, for as long as it is kept, and costs nothing again.
func TestKept(t *testing.T) {
	b := newBench(t, t.TempDir())
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b.now = func() time.Time { return now }
	calls := 0
	o := options(scripted(func(ctx context.Context, s *Subject) (Answer, error) { calls++; return allows(ctx, s) }))
	o.CacheFor = time.Hour
	ask := func(o Options, s *Subject) Opinion { return b.Ask(t.Context(), New(o).Question(s)) }
	first := ask(o, subject("a"))
	if first.Outcome != Allow || first.Cached || first.Cost != 150 || first.Input != 100 {
		t.Errorf("%+v", first)
	}
	if again := ask(o, subject("a")); again.Outcome != Allow || !again.Cached || again.Cost != 0 || again.Reason != "fine" || calls != 1 {
		t.Errorf("%+v after %d calls", again, calls)
	}
	other := o
	other.Identity = []string{"another policy"}
	model := o
	model.Model = "another"
	another := subject("a")
	another.Peer = "other"
	unknown := subject("a")
	unknown.Fields[0].Value = nil
	list := subject("a")
	list.Fields[0].Value = []string{"a"}
	for i, c := range []struct {
		o Options
		s *Subject
	}{{other, subject("a")}, {model, subject("a")}, {o, another}, {o, unknown}, {o, list}, {o, subject("b")}, {o, subject("a\xff")}, {o, subject("a\ufffd")}} {
		if got := ask(c.o, c.s); got.Cached {
			t.Errorf("question %d had an answer", i)
		}
	}
	now = now.Add(time.Hour)
	if late := ask(o, subject("a")); late.Cached {
		t.Error("an answer is kept too long")
	}
	if n := b.Forget(); n == 0 || ask(o, subject("a")).Cached {
		t.Errorf("forgot %d", n)
	}
	// What is no answer is not kept.
	o.Asker = scripted(func(context.Context, *Subject) (Answer, error) { return Answer{}, errors.New("down") })
	for range 2 {
		if got := ask(o, subject("failing")); got.Cached || got.Outcome != Failed || got.Said != "the judge j gave no answer" || got.Err != "down" {
			t.Errorf("%+v", got)
		}
	}
}

// TestBudget: calls and tokens of a day end, for one peer, over restarts, and begin anew the next day.
func TestBudget(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 23, 23, 0, 0, 0, time.UTC)
	o := options(scripted(allows))
	o.Calls = 3
	for run := range 2 {
		t.Run("", func(t *testing.T) { // a run of the gateway
			b := newBench(t, dir)
			b.now = func() time.Time { return now }
			for i := range 2 {
				got := b.Ask(t.Context(), New(o).Question(subject("a")))
				if spent := run == 1 && i == 1; (got.Outcome == Failed) != spent || spent && !strings.Contains(got.Said, "3 calls of 3") {
					t.Errorf("run %d, call %d: %+v", run, i, got)
				}
			}
			other := subject("a")
			other.Peer = "other"
			if got := b.Ask(t.Context(), New(o).Question(other)); run == 0 && got.Outcome != Allow {
				t.Errorf("another peer: %+v", got)
			}
		})
	}
	b := newBench(t, dir)
	b.now = func() time.Time { return now.Add(time.Hour) }
	if got := b.Ask(t.Context(), New(o).Question(subject("a"))); got.Outcome != Allow {
		t.Errorf("the next day: %+v", got)
	}
	o.Tokens, o.Calls = 400, 100
	for i := range 4 { // a question may take 51, and takes 110; one was asked
		if got := b.Ask(t.Context(), New(o).Question(subject("a"))); (got.Outcome == Allow) != (i < 3) {
			t.Errorf("tokens, call %d: %+v", i, got)
		}
	}
	if s := b.Spent("2026-11-24"); len(s) != 1 || s[0].Calls != 4 || s[0].Input != 400 || s[0].Failed != 1 {
		t.Errorf("%+v", s)
	}
}

// TestNoAnswer: too slow, too long, taken back and late are no answers.
func TestNoAnswer(t *testing.T) {
	b := newBench(t, t.TempDir())
	o := options(scripted(func(ctx context.Context, _ *Subject) (Answer, error) {
		<-ctx.Done()
		return Answer{Outcome: Allow}, nil // and says yes all the same
	}))
	o.Timeout = time.Millisecond
	if got := b.Ask(t.Context(), New(o).Question(subject("a"))); got.Outcome != Failed || got.Err != "no answer within 1ms" {
		t.Errorf("%+v", got)
	}
	o.Timeout = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := b.Ask(ctx, New(o).Question(subject("a"))); got.Outcome != Failed || got.Err == "" {
		t.Errorf("%+v", got)
	}
	o.Asker = scripted(allows)
	if got := b.Ask(t.Context(), New(o).Question(subject(strings.Repeat("a", 1001)))); got.Outcome != Failed || !strings.Contains(got.Said, "too long") {
		t.Errorf("%+v", got)
	}
	if got := b.Ask(t.Context(), New(o).Question(subject(strings.Repeat("a", 900)))); got.Outcome != Allow {
		t.Errorf("the twin: %+v", got)
	}
}

// TestConcurrency: no more questions at a time than the judge may be asked, and no more than half of them of one peer.
func TestConcurrency(t *testing.T) {
	b := newBench(t, t.TempDir())
	var mu sync.Mutex
	now, most := map[string]int{}, map[string]int{}
	count := func(by int, names ...string) {
		mu.Lock()
		defer mu.Unlock()
		for _, n := range names {
			now[n] += by
			most[n] = max(most[n], now[n])
		}
	}
	o := options(scripted(func(_ context.Context, s *Subject) (Answer, error) {
		count(1, s.Peer, "all")
		time.Sleep(time.Millisecond)
		count(-1, s.Peer, "all")
		return Answer{Outcome: Allow}, nil
	}))
	o.Concurrency, o.Tokens = 3, 0
	j := New(o)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			s := subject("a")
			s.Peer = []string{"one", "two"}[i%2]
			if got := b.Ask(t.Context(), j.Question(s)); got.Outcome != Allow {
				t.Errorf("%+v", got)
			}
		})
	}
	wg.Wait()
	if most["all"] > 3 || most["one"] > 2 || most["two"] > 2 || len(j.ofPeer) != 0 {
		t.Errorf("%v %v", most, j.ofPeer)
	}
}

// FuzzAnswer: what is read as an answer says one of the three words, once, and its reason fits a line.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{`{"decision":"allow","reason":"x"}`, `{"reason":"a\u202eb\n","decision":"deny"}`, `{"decision":"allow","decision":"deny","reason":""}`, `{}`, `[]`, "", `{"decision":"allow","reason":"x"} {}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, reason, err := ParseAnswer([]byte(s))
		if (err == nil) != (o != Failed) || len(reason) > MaxReason || strings.ContainsAny(reason, "\n\r\x1b\u202e") {
			t.Errorf("%q: %v %q %v", s, o, reason, err)
		}
		if err == nil && !strings.Contains(s, `"decision"`) && !strings.Contains(s, `\u`) {
			t.Errorf("%q is %v", s, o)
		}
	})
}
