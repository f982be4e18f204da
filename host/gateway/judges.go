package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/judge"
	"github.com/sallyport-dev/sallyport/host/judge/anthropic"
	"github.com/sallyport-dev/sallyport/host/judge/budget"
	"github.com/sallyport-dev/sallyport/host/judge/frame"
	"github.com/sallyport-dev/sallyport/host/judge/openai"
	"github.com/sallyport-dev/sallyport/host/judge/program"
	runner "github.com/sallyport-dev/sallyport/host/program"
)

// panelist is a judge of an assembly.
type panelist struct {
	cfg   *config.Judge
	judge *judge.Judge
	close func() error
}

// loadJudges makes the judges of the configuration. To try a policy nothing of them is needed.
func (a *Assembly) loadJudges(ctx context.Context, progress func(string)) (problems config.Problems) {
	a.judges = map[string]*panelist{}
	if a.options.PolicyOnly {
		return nil
	}
	for i := range a.cfg.Judges {
		c := &a.cfg.Judges[i]
		progress("judge " + c.Name.Value)
		p, err := a.loadJudge(ctx, c)
		if err != nil {
			problems = append(problems, a.cfg.Problem(c.Pos, "judge %s: %v", c.Name.Value, err))
			continue
		}
		a.judges[c.Name.Value] = p
	}
	return problems
}

func (a *Assembly) loadJudge(ctx context.Context, c *config.Judge) (*panelist, error) {
	o := judge.Options{Name: c.Name.Value, Timeout: c.Timeout, CacheFor: c.CacheFor, MaxInput: c.MaxInput, Concurrency: c.Concurrency, Calls: int64(c.CallsPerDay)}
	p := &panelist{cfg: c}
	var err error
	if c.Plugin != "" {
		p.close, err = asProgram(ctx, c, &o)
	} else {
		p.close, err = a.asModel(ctx, c, &o)
	}
	if err != nil {
		return nil, err
	}
	p.judge = judge.New(o)
	return p, nil
}

// asModel makes o ask a model.
func (a *Assembly) asModel(ctx context.Context, c *config.Judge, o *judge.Options) (closes func() error, err error) {
	key := ""
	if !c.Secret.IsZero() {
		s, err := a.store.Resolve(ctx, c.Secret)
		if err != nil {
			return nil, fmt.Errorf("secret: %w", err)
		}
		key = string(s.Reveal())
	}
	f := frame.New(c.Policy.Value)
	o.Model = c.Model.Value
	o.Identity = []string{string(c.Provider), c.BaseURL, c.Policy.Value}
	o.Tokens, o.Overhead = int64(c.TokensPerDay), frame.Overhead+f.PolicyTokens()+int64(c.MaxTokens)
	o.InputPrice, o.OutputPrice = c.InputPrice, c.OutputPrice
	if c.Provider == config.Anthropic {
		m := anthropic.New(anthropic.Options{BaseURL: c.BaseURL, Key: key, Model: o.Model, MaxTokens: c.MaxTokens, Frame: f})
		o.Asker = m
		return func() error { m.Close(); return nil }, nil
	}
	m := openai.New(openai.Options{BaseURL: c.BaseURL, Key: key, Model: o.Model, MaxTokens: c.MaxTokens, Frame: f})
	o.Asker = m
	return func() error { m.Close(); return nil }, nil
}

// loadTimeout bounds the first instance of a program.
const loadTimeout = time.Minute

// asProgram makes o ask a program.
func asProgram(ctx context.Context, c *config.Judge, o *judge.Options) (closes func() error, err error) {
	wasm, err := runner.Read(c.Plugin, c.SHA256)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	p, err := program.Load(ctx, program.Options{Wasm: wasm, Hosts: c.Hosts, Memory: c.Memory, Settings: c.Settings, Timeout: c.Timeout})
	if err != nil {
		return nil, err
	}
	o.Asker, o.Model = p, fmt.Sprintf("sha256:%x", c.SHA256)
	o.Identity = slices.Concat([]string{"program"}, c.Hosts)
	for _, k := range slices.Sorted(maps.Keys(c.Settings)) {
		o.Identity = append(o.Identity, k, c.Settings[k])
	}
	return p.Close, nil
}

// closeJudges lets them go. The last question has been answered.
func (a *Assembly) closeJudges() error {
	var errs []error
	for _, p := range a.judges {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// policyJudges is what of the judges decides: of those that a rule asks.
func (a *Assembly) policyJudges() (all [][]string) {
	for i := range a.cfg.Judges {
		c := &a.cfg.Judges[i]
		if !slices.ContainsFunc(a.effective, func(r EffectiveRule) bool { return r.Then == decide.Judge && !r.Observe && r.Judge == c.Name.Value }) {
			continue
		}
		all = append(all, []string{c.Name.Value, string(c.Provider), c.Model.Value, c.Policy.Value, c.BaseURL, fmt.Sprintf("%x", c.SHA256), fmt.Sprint(c.Hosts), fmt.Sprint(c.Settings),
			string(c.OnError), c.Timeout.String(), c.CacheFor.String(), strconv.Itoa(c.MaxInput), strconv.Itoa(c.MaxTokens), strconv.Itoa(c.CallsPerDay), strconv.Itoa(c.TokensPerDay)})
	}
	return all
}

// Judges tells about the judges of a running gateway.
type Judges struct{ h *handler }

// Status is every judge of the configuration that new connections are served by, in its order.
func (j Judges) Status() []judge.Status {
	a := j.h.current.Load().a
	kept := j.h.bench.Kept()
	today := budget.Day(time.Now())
	spent := j.h.bench.Spent("")
	all := []judge.Status{}
	for i := range a.cfg.Judges {
		c := &a.cfg.Judges[i]
		p := a.judges[c.Name.Value]
		s := judge.Status{Name: c.Name.Value, Kind: string(c.Provider), Model: p.judge.Model, Timeout: c.Timeout.String(), OnError: string(c.OnError), Kept: kept[c.Name.Value],
			Calls: p.judge.Calls, Tokens: p.judge.Tokens, Rules: []string{}, Peers: []budget.Spent{}}
		if s.Kind == "" {
			s.Kind = "program"
		}
		if c.CacheFor > 0 {
			s.CacheFor = c.CacheFor.String()
		}
		for k := range a.effective {
			if r := &a.effective[k]; r.Judge == s.Name && r.Then == decide.Judge && !slices.Contains(s.Rules, r.Name) {
				s.Rules = append(s.Rules, r.Name)
			}
		}
		for _, of := range spent {
			if of.Judge != s.Name {
				continue
			}
			s.Past.Add(&of)
			if of.Day == today {
				s.Today.Add(&of)
				s.Peers = append(s.Peers, of)
			}
		}
		all = append(all, s)
	}
	return all
}

// Forget forgets the answers that are kept, and returns how many.
func (j Judges) Forget() int { return j.h.bench.Forget() }
