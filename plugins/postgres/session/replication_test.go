package session

import (
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestReplication has connections for replication, under policies that mean them and that do not.
func TestReplication(t *testing.T) {
	in := greeting(0, "user", "u", "replication", "database")
	commands := encoded(query("IDENTIFY_SYSTEM"), query("START_REPLICATION SLOT s LOGICAL 0/0"), &pgproto3.CopyData{Data: []byte("r")})
	stream := encoded(&pgproto3.CopyBothResponse{}, &pgproto3.CopyData{Data: []byte("w")}, &pgproto3.CopyDone{}, complete("COPY 0"), ready)
	says := []said{fromAgent(in), fromServer(welcome), fromAgent(commands[:10]), fromAgent(commands[10:]), fromServer(stream)}

	g := scene{says: says}.play(t) // it is meant
	g.wantSide(t, abi.Upstream, in, commands)
	g.wantSide(t, abi.Agent, welcome, stream)
	if len(g.asks) != 2 {
		t.Fatalf("%d questions", len(g.asks))
	}
	connect, all := g.asks[0], g.asks[1]
	if connect.Class != abi.ClassAdmin || !connect.value("replication").Bool {
		t.Errorf("the connection is %+v", connect)
	}
	if all.Class != abi.ClassOpaque || !all.streaming || !all.has("verbs", "replication") || all.value("bounded").Known {
		t.Errorf("what it says is %+v", all)
	}
	g.end(abi.Agent)
	if g.check(t); !g.sides[abi.Upstream].shut {
		t.Error("the server does not hear of the agent's end")
	}
	g.end(abi.Upstream)
	if g.check(t); !g.closed || g.failed {
		t.Errorf("closed %v, failed %v", g.closed, g.failed)
	}

	sessions := func(a *action) verdict { // mere sessions
		if a.Family.Name == abi.FamilyConnect && a.Class == abi.ClassSession || a.Family.Name == "sql" && a.Class <= abi.ClassRead {
			return allow
		}
		return deny("not that")
	}
	g = scene{policy: sessions, says: says}.play(t)
	g.wantEnd(t, false, "denied", "not that")
	g.wantSide(t, abi.Upstream)

	connects := func(a *action) verdict { // every connection, but nothing that cannot be read
		if a.Class == abi.ClassOpaque {
			return deny("not that")
		}
		return allow
	}
	g = scene{policy: connects, says: says}.play(t)
	g.wantEnd(t, false, "denied", "not that")
	g.wantSide(t, abi.Upstream, in)

	for _, value := range []string{"true", "on", "1", "yes", "anything", ""} {
		g = scene{policy: sessions, says: []said{fromAgent(greeting(0, "user", "u", "replication", value))}}.play(t)
		g.wantEnd(t, false, "denied", "not that")
	}
	for _, value := range []string{"false", "off", "0", "no"} {
		g = scene{policy: sessions, says: []said{fromAgent(greeting(0, "user", "u", "replication", value)), fromServer(welcome)}}.play(t)
		g.wantReady(t)
	}
}
