package session

import (
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// resolve is what st does, with what the names stand for that it runs. wait says that the server must answer first.
func (s *Session) resolve(st *statement, depth int) (facts *sqlfacts.Facts, wait bool) {
	const deepest = 3
	if !st.refers || st.facts.Unknown {
		return st.facts, false
	}
	merged := *st.facts
	merged.Class = abi.ClassSession
	for k := range st.facts.Each {
		e := &st.facts.Each[k]
		var target *statement
		name := cutName(e.Name)
		switch e.Kind {
		case sqlfacts.KindExecute:
			merged.Class = max(merged.Class, e.Rest)
			if target = within(st, k, name, sqlfacts.KindPrepare, sqlfacts.KindDeallocate); target == nil {
				target, wait = s.statementNamed(name)
			}
		case sqlfacts.KindFetch:
			merged.Class = max(merged.Class, e.Class)
			if target = within(st, k, name, sqlfacts.KindDeclareCursor, sqlfacts.KindCloseCursor); target == nil {
				target, wait = s.portalNamed(name)
			}
		default:
			merged.Class = max(merged.Class, e.Class)
			continue
		}
		switch {
		case wait:
			return nil, true
		case target == st: // made in this very text, so it is part of its facts
			continue
		case depth >= deepest:
			return unknown.facts, false
		}
		sub, wait := s.resolve(target, depth+1)
		if wait {
			return nil, true
		}
		merge(&merged, sub)
	}
	return &merged, false
}

// within is what statement k of st finds under a name by what the statements before it in the same text made of it: st itself,
// or unknown. It is nil when they did not touch the name.
func within(st *statement, k int, name string, makes, ends sqlfacts.Kind) *statement {
	for j := k - 1; j >= 0; j-- {
		e := &st.facts.Each[j]
		switch {
		case e.Kind == makes && cutName(e.Name) == name:
			return st
		case e.Kind == ends && (e.All || cutName(e.Name) == name), e.Kind == sqlfacts.KindDiscard && e.All:
			return unknown
		}
	}
	return nil
}

// merge adds what sub does to f, whose lists are not its own.
func merge(f, sub *sqlfacts.Facts) {
	f.Class = max(f.Class, sub.Class)
	if len(f.Title)+len(sub.Title) < abi.MaxTitle-4 {
		f.Title += " of: " + sub.Title
	}
	f.Verbs, f.Reads, f.Writes = union(f.Verbs, sub.Verbs), union(f.Reads, sub.Reads), union(f.Writes, sub.Writes)
	f.Functions, f.Columns = union(f.Functions, sub.Functions), union(f.Columns, sub.Columns)
	f.Settings = union(f.Settings, sub.Settings)
	f.Bounded = f.Bounded && sub.Bounded
	f.Locks = f.Locks || sub.Locks
	f.Returning = f.Returning || sub.Returning
	f.Unknown = f.Unknown || sub.Unknown
	f.Shadows = f.Shadows || sub.Shadows
}

// union merges two sorted lists into a new one.
func union(a, b []string) []string {
	out := make([]string, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			out, a = append(out, a[0]), a[1:]
		case a[0] > b[0]:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}
