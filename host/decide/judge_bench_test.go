package decide

import (
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// BenchmarkWithJudges decides about a read, with and without rules that have writes and deletes judged: they are in the lists of other
// classes, so both cost the same.
func BenchmarkWithJudges(b *testing.B) {
	m := postgres()
	rules := []Rule{{Name: "reads", When: `action.class == "read"`, Then: Allow}}
	in := Input{Endpoint: "db", Peer: "claude", Action: act(m, "sql", abi.ClassRead, all())}
	for _, with := range []bool{false, true} {
		name := "none"
		if with {
			name = "judges"
			rules = append(rules, Rule{Name: "j", When: `action.class in ["write", "delete"]`, Then: Judge}, Rule{Name: "k", When: `action.class == "admin" && sql.bounded`, Then: Judge})
		}
		e := mustNew(b, rules, Endpoint{Name: "db", Manifest: m})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := e.Decide(in); v.Outcome != Allow {
					b.Fatal(v)
				}
			}
		})
	}
}
