// Package cache keeps values by digest for a while, in memory and bounded: what was not used for the longest goes first.
package cache

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// Key is the digest of everything that a value depends on.
type Key [sha256.Size]byte

// Cache is safe for concurrent use.
type Cache[V any] struct {
	mu   sync.Mutex
	most int
	all  map[Key]*list.Element
	used list.List // the last one first
}

type item[V any] struct {
	key   Key
	value V
	until time.Time
}

// New makes a cache of at most so many values, at least 1.
func New[V any](most int) *Cache[V] {
	return &Cache[V]{most: max(most, 1), all: map[Key]*list.Element{}}
}

// Get returns a value that is there and not over at now.
func (c *Cache[V]) Get(k Key, now time.Time) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.all[k]
	if e == nil {
		return v, false
	}
	i := e.Value.(*item[V])
	if !now.Before(i.until) {
		c.remove(e)
		return v, false
	}
	c.used.MoveToFront(e)
	return i.value, true
}

// Put keeps a value until a time.
func (c *Cache[V]) Put(k Key, v V, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.all[k]; e != nil {
		c.remove(e)
	}
	c.all[k] = c.used.PushFront(&item[V]{k, v, until})
	if c.used.Len() > c.most {
		c.remove(c.used.Back())
	}
}

// Clear forgets everything, and returns how much that was.
func (c *Cache[V]) Clear() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.used.Len()
	c.used.Init()
	clear(c.all)
	return n
}

// Each calls f with what is kept and not over at now. f must not call the cache.
func (c *Cache[V]) Each(now time.Time, f func(V)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.used.Front(); e != nil; e = e.Next() {
		if i := e.Value.(*item[V]); now.Before(i.until) {
			f(i.value)
		}
	}
}

// remove forgets one. mu is held.
func (c *Cache[V]) remove(e *list.Element) {
	c.used.Remove(e)
	delete(c.all, e.Value.(*item[V]).key)
}
