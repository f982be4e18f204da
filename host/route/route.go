// Package route finds the endpoint that a connection is for. What is not configured for a peer's profile does not exist for
// it: neither its name nor its address.
//
// Every endpoint has a virtual address inside the tunnel's network, which its name resolves to. The virtual address, not the
// upstream's, tells endpoints apart, so two endpoints on the same upstream stay apart. An endpoint whose address is an IP
// literal can also be reached under that address and port, as long as it is the only one of the profile there.
package route

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
)

// Endpoint is what the table needs to know of an upstream.
type Endpoint struct {
	Name     string   // lower case; the name that agents resolve
	Host     string   // the upstream's host: a name or an IP literal
	Port     uint16   // the only port on which the endpoint exists
	Profiles []string // the profiles it exists for
}

// Table finds endpoints. It does not change; a new configuration makes a new one.
type Table struct {
	byName    map[string]*entry
	byVirtual map[netip.Addr]*entry
	byLiteral map[netip.AddrPort][]*entry
}

type entry struct {
	Endpoint
	virtual netip.Addr
}

func (e *entry) serves(profile string) bool { return slices.Contains(e.Profiles, profile) }

// ErrUnknown says that nothing is configured at an address for a profile.
var ErrUnknown = errors.New("no endpoint is configured there")

// New makes the table of endpoints, given their virtual addresses by name.
func New(endpoints []Endpoint, virtual map[string]netip.Addr) (*Table, error) {
	t := &Table{byName: map[string]*entry{}, byVirtual: map[netip.Addr]*entry{}, byLiteral: map[netip.AddrPort][]*entry{}}
	for _, e := range endpoints {
		addr, ok := virtual[e.Name]
		if !ok {
			return nil, fmt.Errorf("endpoint %s has no virtual address", e.Name)
		}
		if other := t.byVirtual[addr]; other != nil {
			return nil, fmt.Errorf("endpoints %s and %s share the virtual address %v", other.Name, e.Name, addr)
		}
		n := &entry{e, addr}
		t.byName[e.Name], t.byVirtual[addr] = n, n
		if literal, err := netip.ParseAddr(e.Host); err == nil {
			at := netip.AddrPortFrom(literal.Unmap(), e.Port)
			t.byLiteral[at] = append(t.byLiteral[at], n)
		}
	}
	return t, nil
}

// Resolve gives the address inside the tunnel of a name, as DNS asks for it: in any case, with or without a final dot.
func (t *Table) Resolve(profile, name string) (netip.Addr, bool) {
	e := t.byName[strings.ToLower(strings.TrimSuffix(name, "."))]
	if e == nil || !e.serves(profile) {
		return netip.Addr{}, false
	}
	return e.virtual, true
}

// Find gives the name of the endpoint at dst. Its error wraps ErrUnknown and says, for the record, what is wrong.
func (t *Table) Find(profile string, dst netip.AddrPort) (string, error) {
	dst = netip.AddrPortFrom(dst.Addr().Unmap(), dst.Port())
	if e := t.byVirtual[dst.Addr()]; e != nil && e.serves(profile) {
		if e.Port != dst.Port() {
			return "", fmt.Errorf("endpoint %s is on port %d, not %d: %w", e.Name, e.Port, dst.Port(), ErrUnknown)
		}
		return e.Name, nil
	}
	var found *entry
	for _, e := range t.byLiteral[dst] {
		if !e.serves(profile) {
			continue
		}
		if found != nil {
			return "", fmt.Errorf("%v is the address of endpoints %s and %s, use their names: %w", dst, found.Name, e.Name, ErrUnknown)
		}
		found = e
	}
	if found == nil {
		return "", ErrUnknown
	}
	return found.Name, nil
}

// Assign gives every endpoint an address of the range. Those in known are kept, also for endpoints that are not configured
// now, so that an address never changes its meaning under a client that remembers it; the others begin at a place that their
// name fixes.
func Assign(within netip.Prefix, names []string, known map[string]netip.Addr) (map[string]netip.Addr, error) {
	if !within.Addr().Is4() {
		return nil, fmt.Errorf("virtual addresses: %v is not an IPv4 network", within)
	}
	size := uint32(1) << (32 - within.Bits())
	base := addrToUint(within.Masked().Addr())
	taken := map[netip.Addr]bool{}
	all := map[string]netip.Addr{}
	for name, addr := range known {
		if within.Contains(addr) {
			all[name], taken[addr] = addr, true
		}
	}
	names = slices.Sorted(slices.Values(names))
	for _, name := range names {
		if _, ok := all[name]; ok {
			continue
		}
		addr, ok := free(base, size, name, taken)
		if !ok {
			return nil, fmt.Errorf("virtual addresses: %v has no room for %d endpoints; give gateway.network more", within, len(all)+1)
		}
		all[name], taken[addr] = addr, true
	}
	return all, nil
}

// free is the first free address from the name's own place on. The last address of the range is a broadcast address to some
// clients and is left out.
func free(base, size uint32, name string, taken map[netip.Addr]bool) (netip.Addr, bool) {
	h := fnv.New32a()
	h.Write([]byte(name))
	for i := uint32(0); i < size; i++ {
		at := (h.Sum32() + i) % size
		if at == 0 || at == size-1 {
			continue
		}
		if addr := uintToAddr(base + at); !taken[addr] {
			return addr, true
		}
	}
	return netip.Addr{}, false
}

func addrToUint(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func uintToAddr(v uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}
