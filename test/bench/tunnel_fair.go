package main

import (
	"context"
	"errors"
	"fmt"
)

// greedyPeer is a second peer of the gateway, which takes all that it gets.
const greedyPeer = "greedy"

// fairness measures what is left of one peer's download while another one downloads with many connections at full speed.
func (b *tunnelBench) fairness(ctx context.Context) error {
	own := b.lanes[1]
	greedy := *own
	greedy.peer = b.greedy
	var alone, beside []float64
	for range b.rounds {
		progress("tunnel: fairness")
		rate, err := b.figure(ctx, own, "download", int64(b.bulk)<<20, 1)
		if err != nil {
			return err
		}
		alone = append(alone, rate/1e6)
		if rate, err = b.besides(ctx, own, &greedy); err != nil {
			return err
		}
		beside = append(beside, rate/1e6)
	}
	a, c := median(alone), median(beside)
	b.fair = fmt.Sprintf("download of one connection, alone %.0f MB/s; beside another peer with %d at full speed %.0f MB/s, %.0f %% of it", a, pingPongs, c, 100*c/a)
	return nil
}

func (b *tunnelBench) besides(ctx context.Context, own, greedy *lane) (rate float64, err error) {
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
	return b.figure(ctx, own, "download", int64(b.bulk)<<20, 1)
}
