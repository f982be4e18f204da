package decide

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// realistic returns n rules as a configuration would have them: most are about one class, some look at fields.
func realistic(n int) []Rule {
	kinds := []string{
		`action.class == "delete" && !sql.bounded`,
		`action.class in ["admin", "execute", "opaque"]`,
		`action.class == "read" && sql.tables.exists(t, t == "public.secrets%d")`,
		`sql.text.contains("secret%d")`,
		`action.class == "read" && peer.profile == "guest%d"`,
		`sql.command == "delete" && sql.statements > 1`,
		`sql.statements > 1%d && !sql.bounded`,
		`"copy" in sql.flags && action.class in ["read", "write"]`,
		`endpoint.name == "db" && action.gravity >= gravity("admin")`,
		`sql.tables.exists(t, t.startsWith("private%d."))`,
	}
	rules := []Rule{{Name: "zz reads", When: `action.class in ["session", "read"]`, Then: Allow}}
	for i := 1; i < n; i++ {
		text := strings.ReplaceAll(kinds[i%len(kinds)], "%d", strconv.Itoa(i))
		rules = append(rules, Rule{Name: fmt.Sprintf("rule %03d", i), When: text, Then: Deny})
	}
	return rules
}

func BenchmarkDecide(b *testing.B) {
	m := postgres()
	for _, n := range []int{10, 20, 100} {
		e := mustNew(b, realistic(n), Endpoint{Name: "db", Manifest: m})
		a := act(m, "sql", abi.ClassRead, set{"bounded": true, "statements": 1, "command": "select", "tables": []string{"public.users", "public.orders"},
			"flags": []string{}, "text": "SELECT u.id, u.name, o.total FROM public.users u JOIN public.orders o ON o.user_id = u.id WHERE u.id = $1"})
		in := Input{Endpoint: "db", Peer: "claude-laptop", Profile: "dev", Action: a}
		if v := e.Decide(in); v.Outcome != Allow {
			b.Fatalf("%+v", v)
		}
		b.Run(fmt.Sprint(n, " rules"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.Decide(in)
			}
		})
	}
}
