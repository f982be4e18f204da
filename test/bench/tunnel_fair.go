package main

import (
	"context"
	"errors"
	"fmt"
)

// greedyPeer is a second peer of the gateway, which takes all that it gets.
const greedyPeer = "greedy"

// fairness measures what is left of one peer's connections while another one downloads with many at full speed.
func (b *tunnelBench) fairness(ctx context.Context) error {
	own := b.lanes[1]
	greedy := *own
	greedy.peer = b.greedy
	for _, m := range []struct {
		what, agent string
		n           int64
		connections int
		unit        float64
	}{
		{"download, MB/s", "download", int64(b.bulk) << 18, 1, 1e6},
		{"download, 4 connections, MB/s", "download", int64(b.bulk) << 16, 4, 1e6},
		{"ping-pong, 1 connection, /s", "pingpong", 2000, 1, 1},
	} {
		var alone, beside []float64
		for range min(b.rounds, 3) {
			progress("tunnel: fairness, " + m.what)
			rate, err := b.figure(ctx, own, m.agent, m.n, m.connections)
			if err != nil {
				return err
			}
			alone = append(alone, rate/m.unit)
			if rate, err = b.besides(ctx, &greedy, func() (float64, error) { return b.figure(ctx, own, m.agent, m.n, m.connections) }); err != nil {
				return err
			}
			beside = append(beside, rate/m.unit)
		}
		x, y := median(alone), median(beside)
		b.fair = append(b.fair, row{m.what, fmt.Sprintf("%.0f", x), fmt.Sprintf("%.0f", y), ratio(y, x)})
	}
	return nil
}

// besides measures while a greedy peer is busy.
func (b *tunnelBench) besides(ctx context.Context, greedy *lane, measure func() (float64, error)) (rate float64, err error) {
	busy := b.agent(ctx, greedy, "busy", 0, pingPongs)
	in, err := busy.StdinPipe()
	if err != nil {
		return 0, err
	}
	if err := startAndWait(busy, "busy"); err != nil {
		return 0, err
	}
	defer func() {
		_ = in.Close()
		err = errors.Join(err, busy.Wait())
	}()
	return measure()
}

func (b *tunnelBench) printFairness() {
	fmt.Println()
	fmt.Printf("One peer, alone and beside another one with %d downloads at full speed:\n", pingPongs)
	printTable(row{"", "alone", "beside", "ratio"}, b.fair)
}
