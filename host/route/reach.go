package route

import "net/netip"

// Reaches reports whether addr is the virtual address of an endpoint that exists for a profile.
func (t *Table) Reaches(profile string, addr netip.Addr) bool {
	e := t.byVirtual[addr.Unmap()]
	return e != nil && e.serves(profile)
}
