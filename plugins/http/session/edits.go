package session

import (
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// edits are what is changed in a head on its way: nothing, nearly always. What can be there is
//   - an offer to go on with HTTP/2 without TLS (Upgrade: h2c), which the client can do without and nobody could read: taken out,
//   - Expect, when the client was told to send its body already: taken out,
//   - what asks for compression, of bodies and of a WebSocket's messages, where that would hide something: changed, or taken out,
//   - the gateway's credential: written, and the agent's own value of that header or parameter taken out.
type edits struct {
	list  [maxEdits]edit
	count int
}

// maxEdits is how many changes one head may need: fewer than there can be fields, and enough for parameters.
const maxEdits = head.MaxFields + 64

// edit is one change, at a place of the head: so many bytes are taken out, and something is written.
type edit struct {
	at, out uint32
	writes  writes
}

type writes uint8

const (
	nothing     writes = iota
	headers            // the lines of the credential
	query              // "?NAME=SECRET"
	queryFirst         // "NAME=SECRET&"
	replacement        // SECRET, for a placeholder
	identity           // the name of the coding that hides nothing
	asIs               // nothing, and only where the answer is looked at
)

func (e *edits) add(at, out uint32, w writes) bool {
	if e.count == maxEdits {
		return false
	}
	e.list[e.count] = edit{at, out, w}
	e.count++
	return true
}

// plan finds out what is to be changed in the head that p begins with, from its front to its end. It reports false when that is too much.
func (s *Session) plan(p []byte) bool {
	r := &s.request
	e := &r.edits
	e.count = 0
	plaintext2, inserts := r.Plaintext2(p), s.credential.any()
	s.sent = s.writesSecret()
	s.bare = r.Upgrades && (s.sent || s.socket.about != nil) && s.isSocket(p)
	if !plaintext2 && !inserts && !r.gather.continued && !s.placed && !s.bare && !s.facts.Inspect {
		return true
	}
	ok := true
	if s.credential.signer.On && r.HasQuery {
		ok = s.planSignature(p)
	}
	if s.credential.query && (r.Form == head.Origin || r.Form == head.Absolute) {
		ok = s.planQuery(p)
	}
	for i := range r.Count {
		f := &r.All[i]
		out := false
		switch f.Known {
		case head.Upgrade, head.HTTP2Settings, head.Connection:
			out = plaintext2
		case head.Expect:
			out = r.gather.continued
		}
		if s.sent && !out {
			taken, fits := s.planCodings(p, f)
			if ok = ok && fits; taken {
				continue
			}
		}
		if out || inserts && s.credential.replaces(f.Name.Of(p)) || s.bare && head.SameName(f.Name.Of(p), extensions) {
			line := f.Line(p)
			ok = ok && e.add(line.Start, line.End-line.Start, nothing)
		} else if !out && !s.sent && s.facts.Inspect {
			ok = ok && s.planAsIs(p, f)
		} else if s.placed && i == s.placedIn {
			n := uint32(len(s.credential.placeholder))
			ok = ok && e.add(f.Value.End-n, n, replacement)
		}
	}
	if s.credential.count > 0 || s.signs {
		ok = ok && e.add(uint32(r.size)-2, 0, headers)
	}
	return ok
}

var identityWord = []byte(facts.Identity)

// planQuery puts the parameter of the credential first into the query, and takes the agent's own out.
func (s *Session) planQuery(p []byte) bool {
	r := &s.request
	e := &r.edits
	if !r.HasQuery {
		return e.add(r.Path.End, 0, query)
	}
	ok := e.add(r.Query.Start, 0, queryFirst)
	for at := r.Query.Start; at < r.Query.End; {
		end := at
		for end < r.Query.End && p[end] != '&' && p[end] != ';' {
			end++
		}
		next := min(end+1, r.Query.End)
		if facts.Names(p[at:end], s.credential.parameter) {
			ok = ok && e.add(at, next-at, nothing)
		}
		at = next
	}
	return ok
}

// pass passes what of the present request was decided.
func (s *Session) pass(c *sdk.Conn) {
	r := &s.request
	k := &s.credential
	at := uint64(0)
	for _, e := range r.edits.list[:r.edits.count] {
		if e.writes == asIs && s.parent == 0 {
			continue
		}
		c.Pass(abi.Agent, r.id, uint64(e.at)-at)
		c.Drop(abi.Agent, uint64(e.out))
		at = uint64(e.at + e.out)
		switch e.writes {
		case headers:
			k.writeHeaders(c, r.id)
			s.writeSignature(c)
		case identity:
			c.Send(abi.Upstream, r.id, identityWord)
		case replacement:
			c.Secret(r.id, slotSecret)
		case query:
			c.Send(abi.Upstream, r.id, k.begin[0])
			c.Secret(r.id, slotQuery)
		case queryFirst:
			c.Send(abi.Upstream, r.id, k.begin[1])
			c.Secret(r.id, slotQuery)
			c.Send(abi.Upstream, r.id, ampersand)
		}
	}
	total := r.total
	if r.stream {
		total = uint64(r.size)
	}
	c.Pass(abi.Agent, r.id, total-at)
}
