package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/test/rig"
)

// tunnelBench compares the gateway, as it is, with the stock bridge between WireGuard and the network stack: the same agent, the
// same upstream, an uninspected relay.
type tunnelBench struct {
	settings
	work     string
	binary   string   // of the gateway
	self     string   // of this command
	upstream string   // address of the upstream
	env      []string // of both gateways
	lanes    [2]*lane
	rows     []row
	fair     []row // what fairness found
}

// lane is one of the two that are compared.
type lane struct {
	name    string
	own     *rig.Gateway // nil: the stock bridge
	stock   *exec.Cmd
	stop    io.Closer
	peer    string // the agent's configuration
	greedy  string // that of a second peer; the stock bridge has none
	address string // of the upstream, as the agent says it
}

func (l *lane) pid() int {
	if l.own != nil {
		return l.own.PID()
	}
	return l.stock.Process.Pid
}

const (
	pingPongs = 16 // connections
)

// measureTunnel prints the comparison.
func measureTunnel(ctx context.Context, s settings, work, binary string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	go upstream(l)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b := &tunnelBench{settings: s, work: work, binary: binary, self: self, upstream: l.Addr().String()}
	if s.only == "fairness" {
		err := b.with(ctx, b.fairness)
		b.printFairness()
		return err
	}
	if err := b.with(ctx, b.speeds, b.fairness); err != nil {
		return err
	}
	b.env = []string{gcPercent}
	if err := b.with(ctx, b.idles); err != nil {
		return err
	}
	printTable(row{"", "stock", "own", "ratio"}, b.rows)
	fmt.Printf("\nmedians of %d rounds; CPU is the gateway's own; every byte of the bulk data was compared\n", b.rounds)
	b.printFairness()
	return nil
}

// with runs steps with both lanes, started anew.
func (b *tunnelBench) with(ctx context.Context, steps ...func(context.Context) error) (err error) {
	own, err := b.startOwn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := own.own.Stop(); err == nil {
			err = stopErr
		}
	}()
	stock, err := b.startStock(ctx, own)
	if err != nil {
		return err
	}
	defer func() {
		_ = stock.stop.Close()
		_ = stock.stock.Wait()
	}()
	b.lanes = [2]*lane{stock, own}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return fmt.Errorf("%w\nthe gateway said:\n%s", err, tailOf(own.own.Log(), 20))
		}
	}
	return nil
}

// gcPercent has Go's collector keep garbage low in both lanes, so that what is left is what connections hold.
const gcPercent = "GOGC=10"

func (b *tunnelBench) startOwn(ctx context.Context) (*lane, error) {
	dir, err := os.MkdirTemp(b.work, "own")
	if err != nil {
		return nil, err
	}
	gw, err := rig.New(ctx, b.binary, dir, fmt.Sprintf(`
[limits]
connections = 65536

[[endpoint]]
name = "relay"
address = "%s"
plugin = "none"
profiles = ["agents"]

[[rule]]
name = "connect"
when = 'action.family == "connect"'
then = "allow"
`, b.upstream))
	if err != nil {
		return nil, err
	}
	greedy, err := gw.AddPeer(ctx, greedyPeer, "agents")
	if err != nil {
		return nil, err
	}
	gw.Env = b.env
	if err := gw.Serve(ctx); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(b.upstream)
	return &lane{name: "own", own: gw, peer: gw.Peer, greedy: greedy, address: "relay:" + port}, nil
}

// startStock starts the stock bridge for the same agent.
func (b *tunnelBench) startStock(ctx context.Context, own *lane) (*lane, error) {
	conf, err := os.ReadFile(own.peer)
	if err != nil {
		return nil, err
	}
	port, err := rig.FreeUDPPort()
	if err != nil {
		return nil, err
	}
	private := tunnel.NewPrivateKey()
	var agent tunnel.Key
	var lines []string
	for line := range strings.Lines(string(conf)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
		switch name {
		case "PrivateKey":
			if agent, err = tunnel.ParseKey(value); err != nil {
				return nil, err
			}
		case "PublicKey":
			line = "PublicKey = " + private.Public().String() + "\n"
		case "Endpoint":
			line = "Endpoint = 127.0.0.1:" + strconv.Itoa(port) + "\n"
		}
		lines = append(lines, line)
	}
	peer := filepath.Join(b.work, "stock.conf")
	if err := os.WriteFile(peer, []byte(strings.Join(lines, "")), 0o600); err != nil {
		return nil, err
	}
	public := agent.Public()
	cmd := exec.CommandContext(ctx, b.self, stockGateway, strconv.Itoa(port), hex.EncodeToString(private[:]), hex.EncodeToString(public[:]), b.upstream)
	cmd.Env = append(os.Environ(), b.env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if _, err := startAndWait(cmd, "ready"); err != nil {
		return nil, err
	}
	return &lane{name: "stock", stock: cmd, stop: in, peer: peer, address: stockAddress}, nil
}

// agent is this command inside a lane's tunnel.
func (b *tunnelBench) agent(ctx context.Context, l *lane, what string, n int64, connections int) *exec.Cmd {
	g := *b.lanes[1].own
	g.Peer, g.Env = l.peer, nil
	cmd := g.Agent(ctx, b.self, tunnelAgent, l.address, what, strconv.FormatInt(n, 10), strconv.Itoa(connections))
	cmd.Stderr = os.Stderr
	return cmd
}

// figure runs an agent and returns the first figure that it prints.
func (b *tunnelBench) figure(ctx context.Context, l *lane, what string, n int64, connections int) (float64, error) {
	cmd := b.agent(ctx, l, what, n, connections)
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%s, %s: %w", l.name, what, err)
	}
	figure, _, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	return strconv.ParseFloat(figure, 64)
}

func (b *tunnelBench) speeds(ctx context.Context) error {
	bytes := int64(b.bulk) << 20
	for _, m := range []struct {
		what, agent string
		n           int64
		connections int
		unit, cpu   float64
		cpuWhat     string
	}{
		{"download, MB/s", "download", bytes, 1, 1e6, float64(bytes) / 1e9, "  CPU s for each GB"},
		{"upload, MB/s", "upload", bytes, 1, 1e6, float64(bytes) / 1e9, "  CPU s for each GB"},
		{"ping-pong, 16 connections, 64 B, /s", "pingpong", 3000, pingPongs, 1, 0, "  CPU s for each 10,000"},
	} {
		var rate, cpu [2][]float64
		for range b.rounds {
			for i, l := range b.lanes {
				progress("tunnel: " + m.agent + ", " + l.name)
				before := cpuTime(l.pid())
				r, err := b.figure(ctx, l, m.agent, m.n, m.connections)
				if err != nil {
					return err
				}
				units := m.cpu
				if units == 0 {
					units = r * float64(m.n) / 1000 / 10_000
				}
				rate[i] = append(rate[i], r/m.unit)
				cpu[i] = append(cpu[i], (cpuTime(l.pid())-before).Seconds()/units)
			}
		}
		b.compare(m.what, "%.0f", rate)
		b.compare(m.cpuWhat, "%.2f", cpu)
	}
	return nil
}

func (b *tunnelBench) compare(what, format string, v [2][]float64) {
	stock, own := median(v[0]), median(v[1])
	b.rows = append(b.rows, row{what, fmt.Sprintf(format, stock), fmt.Sprintf(format, own), ratio(own, stock)})
}

// idles measures what many connections that do nothing hold.
func (b *tunnelBench) idles(ctx context.Context) error {
	var each [2][]float64
	for i, l := range b.lanes {
		progress(fmt.Sprintf("tunnel: %d idle connections, %s", b.connections, l.name))
		if _, err := b.figure(ctx, l, "pingpong", 300, pingPongs); err != nil { // what the first connections make is not theirs
			return err
		}
		kib, err := b.idleMemory(ctx, l)
		if err != nil {
			return err
		}
		each[i] = append(each[i], kib)
	}
	b.compare(fmt.Sprintf("%d idle connections, KiB each", b.connections), "%.1f", each)
	return nil
}

func (b *tunnelBench) idleMemory(ctx context.Context, l *lane) (float64, error) {
	before, err := proportionalMemory(l.pid())
	if err != nil {
		return 0, err
	}
	cmd := b.agent(ctx, l, "idle", 0, b.connections)
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	if _, err := startAndWait(cmd, "open"); err != nil {
		return 0, err
	}
	time.Sleep(time.Duration(b.settle) * time.Second) // Go returns what it has collected little by little
	after, err := proportionalMemory(l.pid())
	_ = in.Close()
	return (after - before) / float64(b.connections), errors.Join(err, cmd.Wait())
}
