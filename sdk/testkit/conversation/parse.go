//go:build !wasip1

package conversation

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// parser reads one line.
type parser struct {
	script *Script
	line   int
	rest   string
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// word takes the next word; a quoted one is not a word.
func (p *parser) word() string {
	p.space()
	n := strings.IndexAny(p.rest, " \t\"")
	if n < 0 {
		n = len(p.rest)
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	return w
}

// is takes the next word if it is w.
func (p *parser) is(w string) bool {
	before := p.rest
	if p.word() == w {
		return true
	}
	p.rest = before
	return false
}

func (p *parser) quoted() bool {
	p.space()
	return strings.HasPrefix(p.rest, `"`)
}

func (p *parser) done() bool {
	p.space()
	return p.rest == "" || strings.HasPrefix(p.rest, "# ")
}

func (p *parser) end() error {
	if !p.done() {
		return fmt.Errorf("%q is too much", p.rest)
	}
	return nil
}

// text takes a quoted string.
func (p *parser) text() (string, error) {
	p.space()
	q, err := strconv.QuotedPrefix(p.rest)
	if err != nil || q[0] != '"' {
		return "", fmt.Errorf("a quoted string is wanted at %q", p.rest)
	}
	p.rest = p.rest[len(q):]
	return strconv.Unquote(q)
}

// optional takes a quoted string if there is one.
func (p *parser) optional() (*string, error) {
	if !p.quoted() {
		return nil, nil
	}
	s, err := p.text()
	return &s, err
}

// data takes strings, hex and repetitions, up to an arrow or the end.
func (p *parser) data() ([]byte, error) {
	var all []byte
	for first := true; ; first = false {
		if p.done() || strings.HasPrefix(p.rest, "->") {
			if first {
				return nil, errors.New(`data is missing: "text\n", 0x00ff, or several of them`)
			}
			return all, nil
		}
		var piece []byte
		if p.quoted() {
			s, err := p.text()
			if err != nil {
				return nil, err
			}
			piece = []byte(s)
		} else {
			n := strings.IndexAny(p.rest, " \t*")
			if n < 0 {
				n = len(p.rest)
			}
			digits, ok := strings.CutPrefix(p.rest[:n], "0x")
			b, err := hex.DecodeString(digits)
			if !ok || err != nil {
				return nil, fmt.Errorf("%q is neither a quoted string nor hex such as 0x00ff", p.rest[:n])
			}
			piece, p.rest = b, p.rest[n:]
		}
		times, err := p.times()
		if err != nil {
			return nil, err
		}
		if len(piece)*times > MaxData-len(all) {
			return nil, fmt.Errorf("more than %d bytes", MaxData)
		}
		all = append(all, slices.Repeat(piece, times)...)
	}
}

// times takes *N.
func (p *parser) times() (int, error) {
	if !strings.HasPrefix(p.rest, "*") {
		return 1, nil
	}
	p.rest = p.rest[1:]
	w := p.word()
	n, err := strconv.Atoi(w)
	if err != nil || n < 0 || n > MaxData {
		return 0, fmt.Errorf("*%s is not a number of repetitions", w)
	}
	return n, nil
}

func (p *parser) parse() error {
	w := p.word()
	switch w {
	case "agent", "upstream":
		return p.side(map[string]abi.Side{"agent": abi.Agent, "upstream": abi.Upstream}[w])
	case "person":
		return p.person()
	case "ask":
		return p.ask()
	case "withdraw":
		p.expect(Expectation{Kind: drygate.Withdraw})
		return p.end()
	case "auth":
		return p.auth(drygate.Auth)
	case "relogin":
		return p.auth(drygate.Relogin)
	case "note":
		return p.note()
	case "close", "fail":
		reason, err := p.optional()
		if err != nil {
			return err
		}
		p.expect(Expectation{Kind: drygate.Close, Failed: w == "fail", Reason: reason})
		return p.end()
	case "option", "attribute", "endpoint", "peer", "profile", "fact", "slot":
		return p.setup(w)
	}
	return fmt.Errorf("%q is not a word that a line begins with: agent, upstream, person, ask, withdraw, note, close, fail, auth, relogin, or a setup line", w)
}

func (p *parser) expect(e Expectation) {
	e.Line = p.line
	last := &p.script.Steps[len(p.script.Steps)-1]
	last.Expect = append(last.Expect, e)
}

func (p *parser) step(s Step) {
	s.Line = p.line
	p.script.Steps = append(p.script.Steps, s)
}

// side reads what follows "agent" or "upstream".
func (p *parser) side(side abi.Side) (err error) {
	switch verb := p.word(); verb {
	case "sends":
		var b []byte
		if b, err = p.data(); err == nil {
			p.step(Step{Does: Sends, Side: side, Data: b})
		}
	case "ends":
		p.step(Step{Does: Ends, Side: side})
	case "gets":
		var b []byte
		if b, err = p.data(); err == nil {
			p.expect(Expectation{Kind: drygate.Gets, Side: side, Data: b})
		}
	case "refuses":
		if side != abi.Upstream || len(p.script.Steps) > 1 {
			return errors.New("only the upstream refuses, and it is said before the first step")
		}
		if p.script.Refuse, err = p.text(); err == nil && p.script.Refuse == "" {
			err = errors.New("a reason is wanted")
		}
	case "is":
		switch w := p.word(); w {
		case "shut":
			p.expect(Expectation{Kind: drygate.Shut, Side: side})
		case "scanned":
			p.expect(Expectation{Kind: drygate.Scan, Side: side})
		default:
			return fmt.Errorf("%v is %q: shut, or scanned", side, w)
		}
	case "begins":
		return p.tls(side)
	default:
		return fmt.Errorf("%v %q: sends, ends, gets, is shut, is scanned, begins tls, or refuses", side, verb)
	}
	if err != nil {
		return err
	}
	return p.end()
}

// person reads what somebody decides about an action that waits.
func (p *parser) person() (err error) {
	s := Step{Does: Decides}
	switch verb := p.word(); verb {
	case "approves":
	case "rejects":
		s.Verdict.Outcome = abi.Deny
		if s.Verdict.Reason, err = p.text(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("person %q: approves, or rejects \"reason\"", verb)
	}
	p.step(s)
	return p.end()
}

func (p *parser) tls(side abi.Side) error {
	if !p.is("tls") {
		return fmt.Errorf("%v begins what? tls", side)
	}
	e := Expectation{Kind: drygate.TLS, Side: side, Secured: drygate.Secured{Version: "1.3"}}
	for !p.done() && !strings.HasPrefix(p.rest, "->") {
		key := p.word()
		v, err := p.text()
		if err != nil {
			return err
		}
		switch key {
		case "version=":
			e.Secured.Version = v
		case "name=":
			e.Secured.Name = v
		case "protocol=":
			e.Secured.Protocol = v
		default:
			return fmt.Errorf("%q is not version=, name= or protocol=", key)
		}
	}
	if p.is("->") {
		if !p.is("fails") {
			return errors.New(`behind the arrow stands fails "REASON"`)
		}
		var err error
		if e.Fails, err = p.text(); err != nil {
			return err
		}
	}
	p.expect(e)
	return p.end()
}

// auth reads what stands behind auth or relogin.
func (p *parser) auth(kind drygate.Kind) error {
	e := Expectation{Kind: kind, Slot: p.word()}
	var err error
	if p.space(); !strings.HasPrefix(p.rest, "->") && !p.done() {
		if e.Data, err = p.data(); err != nil {
			return err
		}
	}
	if p.is("->") {
		switch {
		case p.is("fails"):
			e.Fails, err = p.text()
		case kind == drygate.Relogin:
			err = errors.New(`behind the arrow stands fails "REASON"`)
		default:
			e.Answer, err = p.data()
			e.Answer = append([]byte{}, e.Answer...) // also none
		}
		if err != nil {
			return err
		}
	}
	p.expect(e)
	return p.end()
}

func (p *parser) note() error {
	e := Expectation{Kind: drygate.Note}
	for !p.done() {
		name, ok := strings.CutSuffix(p.word(), "=")
		if !ok {
			return errors.New(`a note is written NAME="VALUE"`)
		}
		v, err := p.text()
		if err != nil {
			return err
		}
		e.Pairs = append(e.Pairs, name, v)
	}
	p.script.notes = true
	p.expect(e)
	return nil
}

func (p *parser) ask() error {
	e := Expectation{Kind: drygate.Ask, Family: p.word()}
	class := p.word()
	i := slices.Index(abi.ClassNames(), class)
	if i < 0 {
		return fmt.Errorf("class %q: it is one of %s", class, strings.Join(abi.ClassNames(), ", "))
	}
	e.Class = abi.Class(i)
	var err error
	if e.Title, err = p.optional(); err != nil {
		return err
	}
	for !p.is("->") {
		switch {
		case p.done():
			return errors.New(`the decision is missing: -> allow, -> deny "reason", or -> hold "reason"`)
		case p.is("streaming"):
			e.Stream = true
		case p.is("aside"):
			e.Aside = true
		default:
			f, err := p.field()
			if err != nil {
				return err
			}
			e.Fields = append(e.Fields, f)
		}
	}
	switch w := p.word(); w {
	case "allow":
		if p.rest != "" {
			if err := p.inspect(&e.Verdict); err != nil {
				return err
			}
		}
	case "deny":
		e.Verdict.Outcome = abi.Deny
		if e.Verdict.Reason, err = p.text(); err != nil {
			return err
		}
	case "hold":
		e.Verdict.Held = true
		if e.Verdict.Reason, err = p.text(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("decision %q: allow, deny \"reason\", or hold \"reason\"", w)
	}
	p.expect(e)
	return p.end()
}

// inspect reads what follows -> allow: "inspect" and how many bytes of the answer are to be looked at.
func (p *parser) inspect(v *drygate.Verdict) error {
	if w := p.word(); w != "inspect" {
		return fmt.Errorf("%q behind allow: nothing, or inspect and a number of bytes", w)
	}
	n, err := strconv.ParseUint(p.word(), 10, 32)
	if err != nil || n == 0 || n > abi.MaxInspect {
		return fmt.Errorf("inspect wants how many bytes, 1 to %d", abi.MaxInspect)
	}
	v.Inspect = uint32(n)
	return nil
}

// field takes NAME=JSON.
func (p *parser) field() (Field, error) {
	p.space()
	name, rest, ok := strings.Cut(p.rest, "=")
	if !ok || strings.ContainsAny(name, " \t\"") {
		return Field{}, fmt.Errorf("%q is neither FIELD=VALUE nor streaming nor aside", p.rest)
	}
	if after, ok := strings.CutPrefix(rest, unknown); ok {
		p.rest = after
		return Field{name, unknown}, nil
	}
	if strings.HasPrefix(rest, `"`) { // as in Go, so that bytes which are no text can be written
		p.rest = rest
		s, err := p.text()
		return Field{name, strconv.Quote(s)}, err
	}
	d := json.NewDecoder(strings.NewReader(rest))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return Field{}, fmt.Errorf("field %s: %w", name, err)
	}
	p.rest = rest[d.InputOffset():]
	b, err := json.Marshal(v)
	return Field{name, string(b)}, err
}
