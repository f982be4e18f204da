package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// outcome is how one test ended.
type outcome struct {
	status  string // pass, fail or skip; empty when the suite did not come to it
	printed string // stands for what it printed, where that has to be equal
	detail  string // what it said, for the report
}

// like reports whether two tests ended alike.
func (o outcome) like(p outcome) bool { return o.status == p.status && o.printed == p.printed }

// results are the outcomes by the tests' names.
type results map[string]outcome

// suite is a test suite of somebody else.
type suite interface {
	title() string
	// prepare gets the suite ready in a folder, once for both sides.
	prepare(ctx context.Context, dir string) error
	// run runs it at one side. With only, no more than these tests have to be run.
	run(ctx context.Context, at *side, only []string) (results, error)
	// known are tests that may differ, with the reason.
	known() map[string]string
}

// difference is a test that ends differently each time.
type difference struct {
	test            string
	direct, gateway outcome
	why             string // if it is known
}

// comparison is what came out of running a suite at both sides.
type comparison struct {
	title    string
	counts   map[string]int // of what the direct side said
	differ   []difference
	unsteady []string
}

// attempts are how often a difference must show to be one.
const attempts = 3

// compare runs a suite at both sides.
func (b *bench) compare(ctx context.Context, s suite, dir string) (*comparison, error) {
	if err := s.prepare(ctx, dir); err != nil {
		return nil, err
	}
	c := &comparison{title: s.title(), counts: map[string]int{}}
	direct, gateway, err := b.both(ctx, s, dir, nil)
	if err != nil {
		return nil, err
	}
	for _, o := range direct {
		c.counts[o.status]++
	}
	var open []string // tests to run again
	for _, name := range differing(direct, gateway) {
		if why := s.known()[name]; why != "" {
			c.differ = append(c.differ, difference{name, direct[name], gateway[name], why})
		} else {
			open = append(open, name)
		}
	}
	for range attempts - 1 {
		if len(open) == 0 {
			break
		}
		againDirect, againGateway, err := b.both(ctx, s, dir, open)
		if err != nil {
			return nil, err
		}
		var still []string
		for _, name := range open {
			if againDirect[name].like(againGateway[name]) {
				c.unsteady = append(c.unsteady, name)
				continue
			}
			still = append(still, name)
			direct[name], gateway[name] = againDirect[name], againGateway[name]
		}
		open = still
	}
	for _, name := range open {
		c.differ = append(c.differ, difference{name, direct[name], gateway[name], ""})
	}
	return c, nil
}

// both runs a suite on a fresh server directly, and on another through a gateway.
func (b *bench) both(ctx context.Context, s suite, dir string, only []string) (direct, gateway results, err error) {
	for _, at := range []string{"direct", "gateway"} {
		b.rounds++
		side, err := b.open(ctx, at, filepath.Join(dir, fmt.Sprintf("%s-%d", at, b.rounds)))
		if err != nil {
			return nil, nil, err
		}
		r, err := s.run(ctx, side, only)
		side.close()
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", at, err)
		}
		if at == "direct" {
			direct = r
		} else {
			gateway = r
		}
	}
	return direct, gateway, nil
}

// differing are the names of the tests that ended differently.
func differing(a, b results) (names []string) {
	for name := range a {
		if !a[name].like(b[name]) {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (c *comparison) unexplained() (list []difference) {
	for _, d := range c.differ {
		if d.why == "" {
			list = append(list, d)
		}
	}
	return list
}

// maxDetail bounds what the report shows of a test, in bytes.
const maxDetail = 3000

// write writes the comparison as Markdown.
func (c *comparison) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\nDirectly: %d pass, %d fail, %d skip. Through the gateway %d tests end differently", c.title, c.counts["pass"], c.counts["fail"], c.counts["skip"], len(c.differ))
	if len(c.unsteady) > 0 {
		fmt.Fprintf(&b, "; %d did so once and agreed when they were run again: %s", len(c.unsteady), strings.Join(c.unsteady, ", "))
	}
	b.WriteString(".\n\n")
	if len(c.differ) > 0 {
		b.WriteString("| test | direct | gateway | why |\n| --- | --- | --- | --- |\n")
		for _, d := range c.differ {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", d.test, d.direct.status, d.gateway.status, d.why)
		}
		for _, d := range c.differ {
			if d.why != "" {
				continue
			}
			fmt.Fprintf(&b, "\n### %s\n\ndirect:\n\n%s\n\ngateway:\n\n%s\n", d.test, quoted(d.direct.detail), quoted(d.gateway.detail))
		}
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// quoted is text as a block of Markdown.
func quoted(text string) string {
	if len(text) > maxDetail {
		text = text[:maxDetail] + "\n…"
	}
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}
