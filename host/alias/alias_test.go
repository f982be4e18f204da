package alias

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
)

func TestAlias(t *testing.T) {
	table := New()
	a := table.Connect("alice", "db")
	original := []byte("secret key")
	alias, err := a.Alias(original, nil)
	if err != nil || len(alias) != len(original) || bytes.Equal(alias, original) {
		t.Fatalf("%q, %v", alias, err)
	}
	kept := bytes.Clone(original)
	clear(original) // the caller's buffer is the caller's

	// Another connection of the same peer to the same endpoint: a cancel request.
	again := table.Connect("alice", "db")
	if got, ok := again.Unalias(alias); !ok || !bytes.Equal(got, kept) {
		t.Errorf("the peer's own alias is %q, %v", got, ok)
	} else {
		clear(got)
	}
	if got, ok := again.Unalias(alias); !ok || !bytes.Equal(got, kept) {
		t.Errorf("a caller changed the table: %q, %v", got, ok)
	}
	// Another peer, another endpoint, another value, the original itself.
	for what, try := range map[string]struct{ peer, endpoint, value string }{
		"another peer":     {"bob", "db", string(alias)},
		"another endpoint": {"alice", "other", string(alias)},
		"a part":           {"alice", "db", string(alias[:4])},
		"the original":     {"alice", "db", string(kept)},
		"nothing":          {"alice", "db", ""},
		"a joined scope":   {"alicedb", "", string(alias)},
	} {
		if got, ok := table.Connect(try.peer, try.endpoint).Unalias([]byte(try.value)); ok || got != nil {
			t.Errorf("%s: %q", what, got)
		}
	}
	// The end of another connection changes nothing, the end of its own everything.
	again.Close()
	if _, ok := table.Connect("alice", "db").Unalias(alias); !ok {
		t.Error("the alias went with another connection")
	}
	a.Close()
	a.Close()
	if _, ok := table.Connect("alice", "db").Unalias(alias); ok || table.Len() != 0 || len(table.scopes) != 0 {
		t.Errorf("the alias outlived its connection; %d are left", table.Len())
	}
	if _, err := a.Alias(kept, nil); err == nil {
		t.Error("an alias for a connection that has ended")
	}
}

func TestBounds(t *testing.T) {
	table := New()
	c := table.Connect("alice", "db")
	defer c.Close()
	for _, n := range []int{0, 1, 3, 257, 1 << 20} {
		if _, err := c.Alias(make([]byte, n), nil); err == nil {
			t.Errorf("an alias of %d bytes", n)
		}
	}
	for i, n := range []int{4, 256, 8, 8} {
		if _, err := c.Alias(make([]byte, n), nil); err != nil {
			t.Errorf("alias %d of %d bytes: %v", i, n, err)
		}
	}
	if _, err := c.Alias(make([]byte, 8), nil); err == nil || table.Len() != PerConnection {
		t.Errorf("a fifth alias: %v", err)
	}
}

// TestRace: many connections at once, each of which finds its own and, after its end, nothing is left.
func TestRace(t *testing.T) {
	table := New()
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			peer := fmt.Sprint("peer", i%4)
			for j := range 100 {
				c := table.Connect(peer, "db")
				original := binary.BigEndian.AppendUint64(nil, uint64(i<<32|j))
				alias, err := c.Alias(original, nil)
				if err != nil {
					t.Error(err)
				}
				if got, ok := table.Connect(peer, "db").Unalias(alias); !ok || !bytes.Equal(got, original) {
					t.Errorf("%x is %x, %v", alias, got, ok)
				}
				c.Close()
			}
		})
	}
	group.Wait()
	if table.Len() != 0 || len(table.scopes) != 0 {
		t.Errorf("%d aliases are left", table.Len())
	}
}

// TestUnique: aliases of the least length do not collide, though many are there at once.
func TestUnique(t *testing.T) {
	table := New()
	seen := map[string]bool{}
	for i := range 20_000 {
		c := table.Connect("alice", "db")
		alias, err := c.Alias(binary.BigEndian.AppendUint32(nil, uint32(i)), nil)
		if err != nil || seen[string(alias)] {
			t.Fatalf("alias %d: %x, %v", i, alias, err)
		}
		seen[string(alias)] = true
	}
	if table.Len() != len(seen) {
		t.Errorf("%d of %d", table.Len(), len(seen))
	}
}
