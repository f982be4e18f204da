package guest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
)

// Engine loads plugins. It is safe for use by many goroutines.
type Engine struct {
	opt   Options
	ctx   context.Context // never cancelled: calls are bounded by fuel
	rt    wazero.Runtime
	cache wazero.CompilationCache
	pages int // the process's page map, -1: none
	stats struct {
		instances, live, idle, resting, clones, plain, discarded, companionCalls atomic.Int64
	}

	// life is held for reading while modules are compiled and instantiated: freeing them meanwhile would unmap memory that is in use.
	life sync.RWMutex

	mu     sync.Mutex
	guests map[*Guest]struct{}
	closed bool

	endRounds func() // ends what puts guests to rest, and waits for that
}

// Stats are counts of the present moment, and totals since the engine was made.
type Stats struct {
	Guests    int64 // guests in use
	Resting   int64 // those of them that were quiet for a while, and take little memory until their next call
	Idle      int64 // reset guests that wait in pools
	Instances int64 // all instances, templates' and companions' included

	Clones         int64 // total of guests made copy-on-write
	Plain          int64 // total of guests made without a clone
	Discarded      int64 // total of guests not used again: grown, failed, pool full
	CompanionCalls int64 // total
}

// NewEngine makes an engine. It fails when the cache directory is not the process's own.
func NewEngine(ctx context.Context, opt Options) (*Engine, error) {
	e := &Engine{opt: opt.withDefaults(), ctx: context.WithoutCancel(ctx), guests: map[*Guest]struct{}{}, endRounds: func() {}}
	if err := e.openCache(); err != nil {
		return nil, err
	}
	e.rt = wazero.NewRuntimeWithConfig(e.ctx, runtimeConfig(e.cache))
	e.pages = openPagemap()
	if e.pages >= 0 && e.opt.Rest > 0 {
		e.beginRounds()
	}
	if err := e.hostModules(); err != nil {
		return nil, errors.Join(fmt.Errorf("guest engine: %w", err), e.Close())
	}
	return e, nil
}

// beginRounds puts guests to rest from now on.
func (e *Engine) beginRounds() {
	ctx, cancel := context.WithCancel(e.ctx)
	done := make(chan struct{})
	e.endRounds = func() {
		cancel()
		<-done
	}
	go func() {
		defer close(done)
		e.rounds(ctx)
	}()
}

func (e *Engine) openCache() (err error) {
	if e.opt.CacheDir == "" && e.opt.Compiler != nil {
		return errors.New("guest engine: a Compiler needs a CacheDir, through which its results come")
	}
	if e.opt.CacheDir == "" {
		e.cache = wazero.NewCompilationCache()
		return nil
	}
	if err := checkCacheDir(e.opt.CacheDir); err != nil {
		return err
	}
	if e.cache, err = wazero.NewCompilationCacheWithDir(e.opt.CacheDir); err != nil {
		return fmt.Errorf("guest cache %s: %w", e.opt.CacheDir, err)
	}
	return nil
}

// Stats returns the present counts.
func (e *Engine) Stats() Stats {
	s := &e.stats
	return Stats{
		Guests: s.live.Load(), Resting: s.resting.Load(), Idle: s.idle.Load(), Instances: s.instances.Load(),
		Clones: s.clones.Load(), Plain: s.plain.Load(), Discarded: s.discarded.Load(), CompanionCalls: s.companionCalls.Load(),
	}
}

// Close ends all guests (a running call ends at its next slice of fuel), waits for what is being loaded, and frees everything.
// Idempotent.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	var gs []*Guest
	for g := range e.guests {
		gs = append(gs, g)
	}
	e.mu.Unlock()
	for _, g := range gs {
		g.Close()
	}
	e.endRounds()
	e.life.Lock()
	defer e.life.Unlock()
	closePagemap(e.pages)
	return errors.Join(e.rt.Close(e.ctx), e.cache.Close(e.ctx))
}

// enter begins something that Close must wait for; the caller calls leave. It fails after Close.
func (e *Engine) enter(plugin, what string) (leave func(), err error) {
	e.life.RLock()
	e.mu.Lock()
	closed := e.closed
	e.mu.Unlock()
	if closed {
		e.life.RUnlock()
		return nil, &Error{Plugin: plugin, Call: what, Kind: ErrClosed, Reason: "the engine is closed"}
	}
	return e.life.RUnlock, nil
}

func (e *Engine) add(g *Guest) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.guests[g] = struct{}{}
	e.stats.live.Add(1)
	return true
}

func (e *Engine) remove(g *Guest) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.guests, g)
	e.stats.live.Add(-1)
}
