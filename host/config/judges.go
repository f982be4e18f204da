package config

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// Provider is the API that a model judge is asked by.
type Provider string

// The providers.
const (
	OpenAI    Provider = "openai" // chat completions
	Anthropic Provider = "anthropic"
)

// OnError says what becomes of an action when its judge gives no answer.
type OnError string

// What an action without an answer becomes.
const (
	ErrorDeny OnError = "deny"
	ErrorHold OnError = "hold"
)

// Judge is a table [[judge]]: a model or a program that decides about actions. It has exactly one of Provider and Plugin.
type Judge struct {
	Name Text

	// Of a model judge. BaseURL is empty for the provider's own. Secret may be zero: the server wants none.
	Provider      Provider
	Model, Policy Text
	BaseURL       string
	Secret        secret.Reference
	SecretPos     Pos
	MaxTokens     int
	// TokensPerDay bounds what a peer may spend in a day (UTC).
	TokensPerDay int
	// InputPrice and OutputPrice are what a million tokens cost, in millionths of whatever currency the operator counts in.
	InputPrice, OutputPrice int64

	// Of a program judge: the absolute path of its file, the digest that it must have, the hosts that it may call, each as host:port,
	// its memory in bytes, and what it is told of the operator's.
	Plugin   string
	SHA256   [32]byte
	Hosts    []string
	Memory   int64
	Settings map[string]string

	// Of both. MaxInput bounds the text of an action, in bytes; CacheFor is 0 where answers are not kept.
	Timeout     time.Duration
	OnError     OnError
	CacheFor    time.Duration
	MaxInput    int
	Concurrency int
	CallsPerDay int
	Pos         Pos

	set map[string]Pos // the keys that the file has
}

const (
	defaultJudgeTimeout = 10 * time.Second
	defaultMaxTokens    = 256
	defaultTokensPerDay = 1_000_000
	defaultCallsPerDay  = 1000
	defaultMaxInput     = 16 << 10
	defaultConcurrency  = 4
	defaultJudgeMemory  = 64 << 20
)

func judgeDefaults(p Pos) Judge {
	return Judge{Pos: p, Timeout: defaultJudgeTimeout, MaxTokens: defaultMaxTokens, TokensPerDay: defaultTokensPerDay, CallsPerDay: defaultCallsPerDay,
		MaxInput: defaultMaxInput, Concurrency: defaultConcurrency, Memory: defaultJudgeMemory, OnError: ErrorDeny, set: map[string]Pos{}}
}

// The keys that only one kind of judge has.
var (
	ofModels   = []string{"model", "policy", "base_url", "secret", "max_tokens", "tokens_per_day", "input_price", "output_price"}
	ofPrograms = []string{"sha256", "hosts", "memory", "settings"}
)

// multiline reads a text of several lines.
func (d *decoder) multiline(k Key, v *value, most int) Text {
	text, ok := d.text(k, v)
	if ok && len(text.Value) > most {
		d.problem(text.start, "%s has %d bytes; it must have at most %d", k.Name, len(text.Value), most)
	}
	return text
}

// price reads a decimal fraction as millionths.
func (d *decoder) price(k Key, v *value) int64 {
	text, ok := d.text(k, v)
	if !ok {
		return 0
	}
	whole, part, _ := strings.Cut(text.Value, ".")
	w, err := strconv.ParseUint(whole, 10, 32)
	p := uint64(0)
	if err == nil && part != "" {
		p, err = strconv.ParseUint((part + "000000")[:6], 10, 32)
	}
	if err != nil || len(part) > 6 || w > 1_000_000 {
		d.problem(text.start, "%s %s is no price; write a number of at most a million with at most six decimals, such as %s = %s", k.Name, quote(text.Value), k.Name, k.Example)
		return 0
	}
	return int64(w)*1_000_000 + int64(p)
}

// judgeHosts reads what a program may call: host or host:port, made host:port.
func (d *decoder) judgeHosts(k Key, v *value) (hosts []string) {
	for _, t := range d.texts(k, v) {
		at := t.Value
		if !strings.Contains(at, ":") {
			at = net.JoinHostPort(at, "443")
		}
		host, port, err := hostPort(at)
		if err != nil {
			d.problem(t.start, "host %s %v; write %s = %s", quote(t.Value), err, k.Name, k.Example)
			continue
		}
		hosts = append(hosts, net.JoinHostPort(strings.ToLower(host), strconv.Itoa(int(port))))
	}
	return hosts
}

// settings reads a table of strings.
func (d *decoder) judgeSettings(k Key, v *value) map[string]string {
	if v.kind != kindTable {
		d.wrong(k, v, "a table")
		return nil
	}
	m := map[string]string{}
	for _, e := range v.table.entries {
		if e.value.kind != kindString {
			d.problem(e.value.pos, "setting %s must be a string, not %s", quote(e.key.Value), e.value.kind)
			continue
		}
		m[e.key.Value] = e.value.text.Value
	}
	return m
}

// checkJudges finds what is wrong with and between judges and the rules that name them.
func (d *decoder) checkJudges(cfg *Config) {
	names := first[string]{}
	for i := range cfg.Judges {
		j := &cfg.Judges[i]
		if j.Name.IsSet() {
			names.seen(d, j.Name.Value, j.Name.start, "a judge %q", j.Name)
		}
		if d.missing {
			d.checkJudge(j)
		}
	}
	if !d.missing {
		return
	}
	for i := range cfg.Rules {
		r := &cfg.Rules[i]
		d.checkJudged(cfg, r.Judge, r.ThenPos, r.Then, r.Mode == Observe, "rule "+quote(r.Name.Value))
	}
	for i := range cfg.Overrides {
		o := &cfg.Overrides[i]
		if o.Then != "" || o.Judge.IsSet() {
			d.checkJudged(cfg, o.Judge, o.ThenPos, o.Then, o.Mode == Observe, "the override")
		}
	}
}

// checkJudge checks that a judge is of one kind, with what that needs and nothing else.
func (d *decoder) checkJudge(j *Judge) {
	name := quote(j.Name.Value)
	provider, plugin := j.set["provider"], j.set["plugin"]
	needs, foreign, kind := []string{"model", "policy"}, ofPrograms, "model"
	at := provider
	switch {
	case !provider.IsZero() && !plugin.IsZero():
		d.problem(plugin, "judge %s has both provider and plugin; make it two judges, and two rules", name)
		return
	case provider.IsZero() && plugin.IsZero():
		d.problem(j.Pos, `judge %s has neither provider nor plugin, so nobody judges; write provider = "openai", model and policy, or plugin = "judge.wasm"`, name)
		return
	case !plugin.IsZero():
		needs, foreign, kind, at = []string{"sha256"}, ofModels, "program", plugin
	}
	for _, k := range needs {
		if j.set[k].IsZero() {
			d.problem(at, "judge %s needs %s", name, k)
		}
	}
	for _, k := range foreign {
		if pos := j.set[k]; !pos.IsZero() {
			d.problem(pos, "%s changes nothing for judge %s, which is a %s; remove it", k, name, kind)
		}
	}
}

// checkJudged checks the judge of a rule.
func (d *decoder) checkJudged(cfg *Config, judge Text, thenPos Pos, then Outcome, observes bool, what string) {
	switch {
	case judge.IsSet() && then != ToJudge && then != "":
		d.problem(judge.start, `judge changes nothing: %s leads to %s; remove it, or write then = "judge"`, what, then)
		return
	case judge.IsSet() && then == "":
		d.problem(judge.start, `judge changes nothing: %s has no then = "judge"; add it, or remove this`, what)
		return
	case then == ToJudge && !judge.IsSet() && !observes:
		d.problem(thenPos, `%s needs a judge that decides; write judge = "NAME" and a [[judge]] of that name`, what)
		return
	case !judge.IsSet():
		return
	}
	var known []string
	for i := range cfg.Judges {
		known = append(known, cfg.Judges[i].Name.Value)
	}
	switch {
	case observes:
		d.problem(judge.start, "judge changes nothing: %s observes, so no judge is asked; remove it or the mode", what)
	case !slices.Contains(known, judge.Value):
		d.problem(judge.start, "there is no [[judge]] %s%s", quote(judge.Value), d.hint(judge.Value, known))
	}
}

// useOfJudges warns of judges whom no rule asks.
func (d *decoder) useOfJudges(cfg *Config) {
	used := map[string]bool{}
	for i := range cfg.Rules {
		used[cfg.Rules[i].Judge.Value] = true
	}
	for i := range cfg.Overrides {
		used[cfg.Overrides[i].Judge.Value] = true
	}
	for i := range cfg.Judges {
		if j := &cfg.Judges[i]; !used[j.Name.Value] {
			d.warn(j.Name.start, "no rule asks the judge %q", j.Name)
		}
	}
}
