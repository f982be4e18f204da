package decide

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// The names that every condition can use.
var (
	ownRoots = []string{"action", "peer", "endpoint", "usage"}
	ownNames = map[string][]string{
		"action":   {"class", "family", "title", "streaming", "gravity"},
		"peer":     {"name", "profile"},
		"endpoint": {"name"},
		"usage":    {"actions_per_minute", "connections", "bytes_out_per_minute"},
	}
)

// own compiles a name that is not a field; nil means that there is none of this name.
func (c *compiler) own(root, name string) *expr {
	str := func(set []string, get func(*Input) string) *expr {
		return &expr{kind: kString, set: set, s: func(f *frame) (string, bool) { return get(&f.in), true }}
	}
	count := func(get func(*Usage) int64) *expr {
		c.usage = true
		full := root + "." + name
		return &expr{kind: kInt, i: func(f *frame) (int64, bool) {
			if f.in.NoUsage {
				f.failed = full
				return 0, false
			}
			return get(&f.in.Usage), true
		}}
	}
	switch root + "." + name {
	case "usage.actions_per_minute":
		return count(func(u *Usage) int64 { return u.ActionsPerMinute })
	case "usage.connections":
		return count(func(u *Usage) int64 { return u.Connections })
	case "usage.bytes_out_per_minute":
		return count(func(u *Usage) int64 { return u.BytesOutPerMinute })
	case "action.class":
		x := str(abi.ClassNames(), func(in *Input) string { return in.Action.Class.String() })
		x.isClass = true
		return x
	case "action.family":
		return str(c.familyNames(), func(in *Input) string { return in.Action.Family.Name })
	case "action.title":
		return &expr{kind: kString, s: func(f *frame) (string, bool) {
			if f.in.NoTitle {
				f.failed = "action.title"
			}
			return f.in.Action.Title, !f.in.NoTitle
		}}
	case "action.streaming":
		return &expr{kind: kBool, b: func(f *frame) tri { return truth(f.in.Streaming) }}
	case "action.gravity":
		return &expr{kind: kGravity, i: func(f *frame) (int64, bool) { return int64(f.in.Action.Class), true }}
	case "peer.name":
		return str(c.known.Peers, func(in *Input) string { return in.Peer })
	case "peer.profile":
		return str(c.known.Profiles, func(in *Input) string { return in.Profile })
	case "endpoint.name":
		var names []string
		for _, ep := range c.targets {
			names = append(names, ep.Name)
		}
		return str(names, func(in *Input) string { return in.Endpoint })
	}
	return nil
}

// familyNames are the families of the endpoints that the rule applies to.
func (c *compiler) familyNames() []string {
	var names []string
	for _, ep := range c.targets {
		for i := range ep.Manifest.Families {
			if f := ep.Manifest.Families[i].Name; f != abi.FamilyResponse {
				names = appendOnce(names, f)
			}
		}
	}
	return names
}

// gravity compiles gravity("class").
func (c *compiler) gravity(e ast.Expr, x *expr) *expr {
	if x.kind != kString || !x.literal {
		return c.fail(e.ID(), "gravity wants a class as a literal, such as gravity(\"write\")")
	}
	n := slices.Index(abi.ClassNames(), x.litS)
	if n < 0 {
		return c.fail(x.id, "%q is not a class%s; there are: %s", x.litS, meant(x.litS, abi.ClassNames()), list(abi.ClassNames()))
	}
	g := intLiteral(int64(n))
	g.kind = kGravity
	return g
}

// inSet reports a literal that what it is compared with can never be. side may be any expression with a declared set.
func (c *compiler) inSet(side, literal *expr) bool {
	if side.set == nil || !literal.literal {
		return true
	}
	values, ids := literal.strs, literal.each
	if literal.kind == kString {
		values, ids = []string{literal.litS}, []int64{literal.id}
	}
	ok := true
	for i, v := range values {
		if !slices.Contains(side.set, v) {
			ok = false
			c.fail(ids[i], "%s is never %q%s; it is one of: %s", side.name, v, meant(v, side.set), list(side.set))
		}
	}
	return ok
}

// classSet makes the set of the classes for which keep holds.
func classSet(keep func(abi.Class) bool) classes {
	var set classes
	for i := range len(abi.ClassNames()) {
		if keep(abi.Class(i)) {
			set |= 1 << i
		}
	}
	return set
}
