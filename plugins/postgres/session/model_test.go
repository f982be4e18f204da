package session

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// modelPolicy lets deletes be prepared and declared, but not run.
func modelPolicy(a *action) verdict {
	if a.Family.Name == abi.FamilyConnect || a.Class < abi.ClassDelete || !a.value("executes").Bool {
		return allow
	}
	text := a.text()
	if !strings.Contains(text, ";") && !a.has("verbs", "execute") && !a.has("verbs", "fetch") && (strings.HasPrefix(text, "prepare") || strings.HasPrefix(text, "declare")) {
		return allow
	}
	return deny("no")
}

// play lets an agent say what choices make of it to the model, through a gate that holds some actions for a while, and checks
// that the gate and the server never disagree and that the session is usable at the end. It returns what was deleted, and how
// to tell what happened.
func play(t *testing.T, choose func(n int) int, steps int, policy func(*action) verdict) (deleted []string, story []string) {
	g := newGate(t, nil, wordsPlugin(nil), nil, func(a *action) verdict {
		if choose(6) == 0 {
			return verdict{hold: true}
		}
		return policy(a)
	})
	m := newModel()
	decide := func() {
		for g.held != nil {
			g.decideHeld(policy(g.held))
		}
	}
	exchange := func() {
		m.take(g.taken(abi.Upstream))
		if len(m.out) > 0 {
			n := 1 + choose(len(m.out))
			p := m.out[:n]
			m.out = append([]byte(nil), m.out[n:]...)
			g.server(p)
		}
	}
	together := func(messages ...pgproto3.FrontendMessage) {
		var b []byte
		for _, f := range messages {
			b, _ = f.Encode(b)
			story = append(story, fmt.Sprintf("%T%+v", f, f))
		}
		g.agent(b)
	}
	send := func(f pgproto3.FrontendMessage) { together(f) }
	settle := func() {
		for range 10000 {
			decide()
			m.take(g.taken(abi.Upstream))
			if len(m.out) == 0 {
				return
			}
			p := m.out
			m.out = nil
			g.server(p)
		}
	}
	send(&pgproto3.StartupMessage{ProtocolVersion: 3 << 16, Parameters: map[string]string{"user": "u"}})
	settle()
	names, portals := []string{"", "a", "b"}, []string{"", "p"}
	texts := []string{"select", "select", "select", "delete", "delete", "delete", "fail", "nonsense", "begin", "commit", "prepare a delete", "prepare b select", "execute a", "execute b",
		"deallocate a", "deallocate all", "declare p delete", "declare p select", "fetch p", "close p"}
	for range steps {
		switch name, portal, text := names[choose(3)], portals[choose(2)], texts[choose(len(texts))]; choose(10) {
		case 0, 1:
			send(&pgproto3.Parse{Name: name, Query: text})
		case 2, 3:
			send(&pgproto3.Bind{DestinationPortal: portal, PreparedStatement: name})
		case 4, 5:
			send(&pgproto3.Execute{Portal: portal})
		case 6:
			send([]pgproto3.FrontendMessage{&pgproto3.Describe{ObjectType: 'S', Name: name}, &pgproto3.Describe{ObjectType: 'P', Name: portal},
				&pgproto3.Close{ObjectType: 'S', Name: name}, &pgproto3.Close{ObjectType: 'P', Name: portal}}[choose(4)])
		case 7: // a whole statement, as drivers send it
			if choose(2) == 0 {
				send(&pgproto3.Parse{Name: name, Query: text})
				send(&pgproto3.Bind{DestinationPortal: portal, PreparedStatement: name})
				send(&pgproto3.Execute{Portal: portal})
				break
			}
			if choose(2) == 0 { // of what is prepared, in one piece
				together(&pgproto3.Bind{PreparedStatement: name}, &pgproto3.Execute{}, &pgproto3.Sync{})
				break
			}
			if choose(2) == 0 {
				text += ";" + texts[choose(len(texts))]
			}
			send(&pgproto3.Query{String: text})
		case 8:
			send(&pgproto3.Flush{})
		case 9:
			send(&pgproto3.Sync{})
		}
		if choose(3) == 0 {
			exchange()
		}
		if choose(3) == 0 {
			decide()
		}
	}
	send(&pgproto3.Sync{})
	settle()
	send(&pgproto3.Query{String: "commit"})
	settle()
	g.taken(abi.Agent)
	send(&pgproto3.Query{String: "select"})
	settle()
	end := g.taken(abi.Agent)
	switch {
	case g.broken != nil:
		t.Fatalf("%v after\n%s", g.broken, strings.Join(story, "\n"))
	case g.closed:
		t.Fatalf("closed: %s after\n%s", g.reason, strings.Join(story, "\n"))
	case !bytes.Equal(end, []byte("C\x00\x00\x00\rSELECT 0\x00Z\x00\x00\x00\x05I")):
		t.Fatalf("at the end: %q after\n%s", end, strings.Join(story, "\n"))
	}
	return m.deleted, story
}

func TestModel(t *testing.T) {
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 1))
		if deleted, story := play(t, r.IntN, 5+r.IntN(60), modelPolicy); len(deleted) > 0 {
			t.Fatalf("seed %d: deleted by %q after\n%s", seed, deleted, strings.Join(story, "\n"))
		}
	}
	// The twin: the same agents delete when they may.
	deletes := 0
	for seed := range uint64(250) {
		r := rand.New(rand.NewPCG(seed, 1))
		deleted, _ := play(t, r.IntN, 5+r.IntN(60), allowAll)
		deletes += len(deleted)
	}
	if deletes < 20 { // the seeds are fixed: it is the same number each time
		t.Errorf("only %d deletes: the agents do not try", deletes)
	}
}

// FuzzModel is TestModel with choices that the fuzzer makes.
func FuzzModel(f *testing.F) {
	f.Add([]byte("a pipeline"))
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
	f.Fuzz(func(t *testing.T, choices []byte) {
		deleted, story := play(t, func(n int) int {
			if len(choices) == 0 {
				return n - 1 // nothing is held for ever
			}
			c := int(choices[0]) % n
			choices = choices[1:]
			return c
		}, min(len(choices)/4, 200), modelPolicy)
		if len(deleted) > 0 {
			t.Fatalf("deleted by %q after\n%s", deleted, strings.Join(story, "\n"))
		}
	})
}
