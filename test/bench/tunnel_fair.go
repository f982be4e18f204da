package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// greedyPeer is a second peer of the gateway, which takes all that it gets.
const greedyPeer = "greedy"

// steadyFor is how long each measurement of fairness takes, in milliseconds.
const steadyFor = 4000

// fairness measures what is left of one peer's connections while another one downloads with many at full speed. Both agents, the
// gateway and the upstream want the same processors, whose scheduler knows nothing of peers. So the same load is also put on another
// gateway beside this one: what is lost then is lost to the machine, and what is lost beyond that the greedy peer has taken of the gateway.
func (b *tunnelBench) fairness(ctx context.Context) (err error) {
	own := b.lanes[1]
	other, err := b.startOwn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, other.own.Stop()) }()
	for _, m := range []struct {
		what, agent string
		connections int
		unit        float64
	}{
		{"download", "steady", 1, 1e6},
		{"download, 4 connections", "steady", 4, 1e6},
		{"ping-pong, 1 connection", "pingpong", 1, 1},
	} {
		var alone []float64
		var rates, shares [2][]float64
		for range min(b.rounds, 3) {
			progress("tunnel: fairness, " + m.what)
			s, err := b.span(ctx, own, m.agent, m.connections)
			if err != nil {
				return err
			}
			alone = append(alone, s.rate/m.unit)
			for i, gateway := range []*lane{other, own} {
				mine, theirs, err := b.besides(ctx, gateway, func() (span, error) { return b.span(ctx, own, m.agent, m.connections) })
				if err != nil {
					return err
				}
				rates[i] = append(rates[i], mine/m.unit)
				shares[i] = append(shares[i], 100*mine/(mine+theirs))
			}
		}
		unit := ", MB/s"
		if m.agent == "pingpong" {
			unit = ", /s"
		}
		b.fair = append(b.fair, fairRow(fmt.Sprintf("%s%s (alone %.0f)", m.what, unit, median(alone)), rates, true))
		if m.agent == "steady" {
			b.fair = append(b.fair, fairRow("  % of the bytes of both peers", shares, false))
		}
	}
	return nil
}

func fairRow(what string, v [2][]float64, ratios bool) row {
	apart, together := median(v[0]), median(v[1])
	r := row{what, fmt.Sprintf("%.0f", apart), fmt.Sprintf("%.0f", together), ""}
	if ratios {
		r[3] = ratio(together, apart)
	}
	return r
}

// span is a rate, and the time in which it was measured, in nanoseconds since 1970.
type span struct {
	rate       float64
	begin, end int64
}

// span runs an agent for steadyFor.
func (b *tunnelBench) span(ctx context.Context, l *lane, what string, connections int) (s span, err error) {
	out, err := b.agent(ctx, l, what, steadyFor, connections).Output()
	if err == nil {
		_, err = fmt.Sscan(string(out), &s.rate, &s.begin, &s.end)
	}
	if err != nil {
		return s, fmt.Errorf("%s, %s: %w", l.name, what, err)
	}
	return s, nil
}

// besides measures while a gateway's greedy peer is busy, and returns both rates, in the same time.
func (b *tunnelBench) besides(ctx context.Context, gateway *lane, measure func() (span, error)) (mine, theirs float64, err error) {
	greedy := *gateway
	greedy.peer = gateway.greedy
	busy := b.agent(ctx, &greedy, "busy", 0, pingPongs)
	in, err := busy.StdinPipe()
	if err != nil {
		return 0, 0, err
	}
	answers, err := startAndWait(busy, "busy")
	if err != nil {
		return 0, 0, err
	}
	s, err := measure()
	if err == nil {
		theirs, err = rateOf(in, answers, s)
	}
	_ = in.Close()
	return s.rate, theirs, errors.Join(err, busy.Wait())
}

// rateOf asks a busy agent for its rate in a time.
func rateOf(ask io.Writer, answers *bufio.Reader, s span) (rate float64, err error) {
	if _, err := fmt.Fprintln(ask, s.begin, s.end); err != nil {
		return 0, err
	}
	line, err := answers.ReadString('\n')
	if err == nil {
		_, err = fmt.Sscan(strings.TrimSpace(line), &rate)
	}
	return rate, err
}

// startAndWait starts a command and returns when it has printed a line. What it prints after that can be read.
func startAndWait(cmd *exec.Cmd, line string) (*bufio.Reader, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := bufio.NewReader(out)
	got, err := r.ReadString('\n')
	if got != line+"\n" {
		_ = cmd.Process.Kill()
		return nil, fmt.Errorf("%s said %q instead of %q: %w", cmd.Args[0], got, line, errors.Join(err, cmd.Wait()))
	}
	return r, nil
}

func (b *tunnelBench) printFairness() {
	fmt.Println()
	fmt.Printf("One peer beside another one with %d downloads at full speed, at another gateway of the same machine and at the same gateway:\n", pingPongs)
	printTable(row{"", "apart", "together", "ratio"}, b.fair)
}
