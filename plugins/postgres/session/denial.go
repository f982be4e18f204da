package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// allowed passes what was asked about.
func (s *Session) allowed(c *sdk.Conn, p pending) {
	switch p.kind {
	case connectPending:
		s.connectAllowed(c, p)
		return
	case replicationPending:
		s.replicationAllowed(c, p)
		return
	}
	if s.skip {
		// While it was decided the server has failed something before it, and ignores it.
		s.held.reset()
		c.Drop(abi.Agent, uint64(p.size))
		if p.copy {
			c.Done(p.id)
		}
		return
	}
	c.Pass(abi.Agent, p.id, uint64(p.size))
	for i := range s.held.items {
		s.held.items[i].action = p.id
		s.push(s.held.items[i])
	}
	if p.copy {
		s.copy = copying{action: p.id, left: s.held.st.copies(), simple: p.kind == queryPending}
	}
	s.settings.shadowed = s.settings.shadowed || p.shadows
	s.held.reset()
}

// denied drops what was asked about and lets the server fail in its place.
func (s *Session) denied(c *sdk.Conn, p pending, e *abi.Event) {
	d := denial{code: "42501", message: e.Reason, detail: explain(e), hint: p.hint}
	if d.message == "" {
		d.message = "denied by sallyport"
	}
	if p.code != "" {
		d.code = p.code
	}
	if p.canceled {
		d.message = canceledByUser
	}
	if p.problem != "" { // also in what is all that some drivers show
		d.message += " (the statement cannot be read: " + p.problem + ")"
		d.hint = "What cannot be read counts as opaque. A statement that PostgreSQL itself would take is denied for that only where no rule allows what is opaque."
	}
	unnamed := s.held.unnamed
	s.held.reset()
	switch {
	case p.kind == connectPending:
		s.connectDenied(c, p, d)
		return
	case p.kind == replicationPending:
		s.replicationDenied(c, d)
		return
	case s.skip:
		c.Drop(abi.Agent, uint64(p.size))
		return
	}
	c.Drop(abi.Agent, uint64(p.size))
	switch {
	case p.kind == queryPending || p.kind == functionPending:
		s.replace(c, itemDeniedQuery, d)
	case unnamed:
		s.replace(c, itemDeniedUnnamed, d)
	default:
		s.replace(c, itemDeniedNamed, d)
	}
}

// explain says which rule denied, and where that is on record.
func explain(e *abi.Event) string {
	text := "hold " + e.Hold
	switch {
	case e.Hold == "" || e.Kind == abi.KindHeld: // it is named already
		return decidedBy(e)
	case e.Rule == "" && e.Receipt == "":
		return text
	}
	return text + ", " + decidedBy(e)
}

func decidedBy(e *abi.Event) string {
	switch {
	case e.Rule == "" && e.Receipt == "":
		return ""
	case e.Rule == "":
		return "receipt " + e.Receipt
	case e.Receipt == "":
		return "rule " + strconv.Quote(e.Rule)
	}
	return "rule " + strconv.Quote(e.Rule) + ", receipt " + e.Receipt
}
