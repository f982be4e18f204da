// Package alias keeps values that agents must not hold, under values that stand for them.
//
// An upstream gives a client a value that is worth something by itself, such as the key that cancels a session's statements. The
// agent gets an alias of the same length. The alias is worth something only to the same peer, at the same endpoint, through the
// gateway, and while the connection lives that it was made for; the same peer may use it on another connection, which is what a
// cancel request is.
package alias

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
)

const (
	// MinSize and MaxSize bound what an alias is made for, in bytes: shorter ones could be guessed.
	MinSize = 4
	MaxSize = 256
	// PerConnection is how many aliases one connection may have.
	PerConnection = 4
	// attempts bounds the search for a value that is not taken. Even with aliases of 4 bytes and a million of them one attempt
	// nearly always suffices.
	attempts = 32
)

// Table is the aliases of a gateway. It may be used by several goroutines. Its size is bounded by the number of connections.
type Table struct {
	mu     sync.Mutex
	scopes map[scope]map[string]stands // by alias
}

// stands is what an alias stands for.
type stands struct {
	original []byte
	used     func() // may be nil
}

// scope is where an alias is valid.
type scope struct{ peer, endpoint string }

// New makes an empty table.
func New() *Table { return &Table{scopes: map[scope]map[string]stands{}} }

// Connection is the aliases that were made for one connection, and the sight of those of the same peer at the same endpoint.
type Connection struct {
	table *Table
	scope scope

	mine   []string // guarded by the table's mutex
	closed bool
}

// Connect begins a connection of a peer to an endpoint. The caller closes it when it has ended.
func (t *Table) Connect(peer, endpoint string) *Connection {
	return &Connection{table: t, scope: scope{peer, endpoint}}
}

// Alias makes a random value of the same length that stands for original until the connection is closed. used, if any, is
// called whenever the alias is brought back, by whoever does, and must not wait. Neither original nor the result is kept.
func (c *Connection) Alias(original []byte, used func()) ([]byte, error) {
	if n := len(original); n < MinSize || n > MaxSize {
		return nil, fmt.Errorf("an alias of %d bytes; the least is %d and the most is %d", n, MinSize, MaxSize)
	}
	t := c.table
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case c.closed:
		return nil, errors.New("an alias for a connection that has ended")
	case len(c.mine) == PerConnection:
		return nil, fmt.Errorf("more than %d aliases for one connection", PerConnection)
	}
	known := t.scopes[c.scope]
	alias := make([]byte, len(original))
	for range attempts {
		if _, err := rand.Read(alias); err != nil {
			return nil, err
		}
		if _, taken := known[string(alias)]; taken || bytes.Equal(alias, original) {
			continue
		}
		if known == nil {
			known = map[string]stands{}
			t.scopes[c.scope] = known
		}
		known[string(alias)] = stands{bytes.Clone(original), used}
		c.mine = append(c.mine, string(alias))
		return alias, nil
	}
	return nil, errors.New("no free value for an alias was found")
}

// Unalias returns a copy of what an alias stands for that this peer was given at this endpoint, on whichever of its connections.
func (c *Connection) Unalias(alias []byte) (original []byte, ok bool) {
	t := c.table
	t.mu.Lock()
	s, ok := t.scopes[c.scope][string(alias)]
	original = bytes.Clone(s.original) // closing its connection wipes it
	t.mu.Unlock()
	if s.used != nil {
		s.used()
	}
	return original, ok
}

// Close makes the connection's aliases worthless. It may be called more than once.
func (c *Connection) Close() {
	t := c.table
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.scopes[c.scope]
	for _, alias := range c.mine {
		clear(known[alias].original)
		delete(known, alias)
	}
	if len(known) == 0 {
		delete(t.scopes, c.scope)
	}
	c.mine, c.closed = nil, true
}

// Len is how many aliases there are.
func (t *Table) Len() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, known := range t.scopes {
		n += len(known)
	}
	return n
}
