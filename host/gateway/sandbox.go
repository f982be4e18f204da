package gateway

import (
	"fmt"
	"sync"

	"github.com/sallyport-dev/sallyport/host/extism"
	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/host/secret"
)

// sandbox is what the assemblies of a process share: the engine, the plugins that are loaded into it, and their templates.
// What no assembly uses any more is let go, and what several use is there once, so that a reload costs what has changed.
type sandbox struct {
	engine    *guest.Engine
	extism    *extism.Engine
	plugins   shared[pluginKey, *plugin]
	templates shared[templateKey, template]

	canaries *secret.Wanted // what a test looks for in guests; nil: no test does

	mu    sync.Mutex
	users int // assemblies
}

// pluginKey tells plugins apart. The name belongs to it because a plugin's errors carry it.
type pluginKey struct {
	name   string
	digest [32]byte
}

type templateKey struct {
	plugin  pluginKey
	options string
}

func newSandbox(engine *guest.Engine, ext *extism.Engine) *sandbox {
	s := &sandbox{engine: engine, extism: ext}
	s.plugins.free = func(p *plugin) { p.module.Close() }
	s.templates.free = func(t template) { t.Close() }
	return s
}

// enter counts an assembly.
func (s *sandbox) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users++
}

// leave ends the engine with the last assembly.
func (s *sandbox) leave() error {
	s.mu.Lock()
	s.users--
	last := s.users == 0
	s.mu.Unlock()
	if !last {
		return nil
	}
	if err := s.engine.Close(); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// shared holds values that several users have in common, from the first take of a key to the last drop.
type shared[K comparable, V any] struct {
	free func(V)

	mu  sync.Mutex
	all map[K]*counted[V]
}

type counted[V any] struct {
	value V
	users int
}

// take returns the value of key, which make makes at first use. Each take without an error has its drop. While one value is
// made nobody else takes: there is one reload at a time anyway.
func (s *shared[K, V]) take(key K, make func() (V, error)) (V, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.all[key]
	if c == nil {
		v, err := make()
		if err != nil {
			return v, err
		}
		if s.all == nil {
			s.all = map[K]*counted[V]{}
		}
		c = &counted[V]{value: v}
		s.all[key] = c
	}
	c.users++
	return c.value, nil
}

func (s *shared[K, V]) drop(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.all[key]
	if c.users--; c.users == 0 {
		delete(s.all, key)
		s.free(c.value)
	}
}
