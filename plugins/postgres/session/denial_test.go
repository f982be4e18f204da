package session

import (
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestUnreadable tells the agent what is wrong with a statement that cannot be read, also in the one line that most drivers show.
func TestUnreadable(t *testing.T) {
	answer := fromServer(encoded(failure("ERROR"), ready))
	for _, sent := range [][]byte{encoded(query("selct 1")), encoded(parse("", "selct 1"), sync1)} {
		g := scene{policy: noDeletes, says: after(fromAgent(sent), answer)}.play(t)
		told := string(g.sides[abi.Agent].all)
		for _, want := range []string{"C42501\x00", "Mno opaque (the statement cannot be read: syntax error)\x00", `rule "test rule", receipt r2`, "HWhat cannot be read counts as opaque"} {
			if !strings.Contains(told, want) {
				t.Errorf("the agent is told %q, without %q", told, want)
			}
		}
		g.wantReady(t)
	}
	// The twin: what can be read is denied in the rule's words alone.
	g := scene{policy: noDeletes, says: after(fromAgent(encoded(query("delete"))), answer)}.play(t)
	if told := string(g.sides[abi.Agent].all); !strings.Contains(told, "Mno delete\x00") || strings.Contains(told, "cannot be read") {
		t.Errorf("the agent is told %q", told)
	}
	// Where a rule allows what is opaque the server says itself what is wrong.
	g = scene{says: after(fromAgent(encoded(query("selct 1"))), answer)}.play(t)
	if told := string(g.sides[abi.Agent].all); !strings.Contains(told, "the server's own") {
		t.Errorf("the agent is told %q", told)
	}
}
