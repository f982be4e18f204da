//go:build !wasip1

package drygate

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// carryOut does what one command says, or cuts the connection off.
func (g *Gate) carryOut(cmd *abi.Command) {
	if g.in[cmd.Side].scan != nil && duringScan(cmd.Tag) {
		g.breach("%v of the %v while the host scans it", cmd.Tag, cmd.Side)
		return
	}
	switch cmd.Tag {
	case abi.TagAsk:
		g.ask(cmd)
	case abi.TagPass:
		g.pass(cmd)
	case abi.TagDrop:
		g.move(cmd.Side, cmd.N, todoDrop)
	case abi.TagSend:
		g.send(cmd)
	case abi.TagStock:
		g.writeStock(cmd)
	case abi.TagDial:
		g.wantDial(cmd)
	case abi.TagShut:
		g.write(Entry{Kind: Shut, Side: cmd.Side})
	case abi.TagClose:
		g.end(Entry{Kind: Close, By: ByPlugin, Failed: cmd.Failed, Text: string(cmd.Data)})
	case abi.TagNote:
		if cmd.ID == 0 || cmd.ID > g.actions.last {
			g.breach("a note about action %d, which was never asked about", cmd.ID)
			return
		}
		for i, name := range cmd.Pairs {
			if i%2 == 0 && abi.IsHostNote(name) {
				g.breach("a note %q, which is the gateway's to say", name)
				return
			}
		}
		g.note(Entry{Kind: Note, ID: cmd.ID, Pairs: slices.Clone(cmd.Pairs)})
	case abi.TagDone:
		switch {
		case g.actions.finish(cmd.ID, g.in[abi.Agent].cursor):
			g.out[abi.Upstream].sent = 0
		case !g.finishAside(cmd.ID):
			g.breach("the plugin ends action %d, which is not an open streaming action, nor one aside", cmd.ID)
			return
		}
		g.note(Entry{Kind: Done, ID: cmd.ID})
	case abi.TagPause:
		g.pause(cmd.Side, cmd.On)
	default:
		g.carryOutMore(cmd)
	}
}

// carryOutMore is about what the host does in the plugin's place.
func (g *Gate) carryOutMore(cmd *abi.Command) {
	switch cmd.Tag {
	case abi.TagTLS:
		g.wantTLS(cmd.Side)
	case abi.TagAuth:
		g.auth(cmd)
	case abi.TagRelogin:
		g.relogin(cmd)
	case abi.TagAlias:
		g.alias(cmd)
	case abi.TagUnalias:
		g.unalias(cmd)
	case abi.TagScan:
		g.wantScan(cmd)
	case abi.TagWithdraw:
		if cmd.ID == 0 || cmd.ID > g.actions.last {
			g.breach("the plugin withdraws action %d, which was never asked about", cmd.ID)
			return
		}
		g.note(Entry{Kind: Withdraw, ID: cmd.ID})
		g.withdraw(cmd.ID)
	case abi.TagSecret:
		g.secret(cmd)
	case abi.TagSign:
		g.sign(cmd)
	case abi.TagKeep, abi.TagValues, abi.TagText, abi.TagRelease, abi.TagAnswered:
		g.answer(cmd)
	default:
		g.breach("%v is not a command", cmd.Tag)
	}
}

// duringScan reports whether a command is refused while its side is scanned.
func duringScan(t abi.Tag) bool {
	return t == abi.TagPass || t == abi.TagDrop || t == abi.TagTLS || t == abi.TagScan
}

func (g *Gate) ask(cmd *abi.Command) {
	if cmd.Flags&abi.AskResponse != 0 {
		g.askResponse(cmd)
		return
	}
	action, err := abi.ReadAction(cmd.Data, g.cfg.Manifest)
	besides := cmd.Flags&abi.AskAside != 0
	if err == nil && besides {
		err = g.openAside(cmd)
	} else if err == nil {
		err = g.actions.open(cmd, g.in[abi.Agent].cursor)
	}
	if err != nil {
		g.breach("an ASK that is not in order: %v", err)
		return
	}
	e := Entry{Kind: Ask, ID: cmd.ID, Action: action, Encoded: bytes.Clone(cmd.Data), Start: g.actions.start, Extent: cmd.N,
		Streaming: cmd.Flags&abi.AskStreaming != 0, Aside: besides}
	if g.cfg.Decide != nil {
		e.Verdict = g.cfg.Decide(&e)
	}
	g.note(e)
	connect := action.Family.Name == abi.FamilyConnect
	g.asked = g.asked || !connect
	if besides {
		g.answerAside(cmd.ID, connect, e.Verdict)
		return
	}
	g.decide(connect, e.Verdict)
}

// decide takes a verdict on the last question.
func (g *Gate) decide(connect bool, v Verdict) {
	g.actions.decide(connect, v)
	g.inspect(g.actions.id, v, false)
}

// toUpstream reports whether the plugin may write there: not before the TLS that the configuration promises.
func (g *Gate) toUpstream(what abi.Tag) bool {
	o := &g.out[abi.Upstream]
	if o.promised && o.secure != secured {
		g.breach("%v to the upstream before TLS is up, which the endpoint promises", what)
		return false
	}
	return true
}

func (g *Gate) pass(cmd *abi.Command) {
	if cmd.Side == abi.Upstream {
		if !g.mayPassAnswer(cmd) {
			return
		}
		g.move(cmd.Side, cmd.N, todoPass)
		return
	}
	if s := g.asides[cmd.ID]; s != nil && !s.done {
		switch {
		case !g.fromAgent() || !g.toUpstream(cmd.Tag):
		case s.state == asideAllowed:
			g.move(cmd.Side, cmd.N, todoPass)
		default:
			g.moveUnder(cmd.Side, cmd.N, todoAside, cmd.ID)
		}
		return
	}
	if err := g.actions.covers(cmd.ID, g.in[abi.Agent].cursor, cmd.N); err != nil {
		g.breach("PASS of bytes of the agent: %v", err)
	} else if g.fromAgent() && g.toUpstream(cmd.Tag) {
		g.move(cmd.Side, cmd.N, todoPass)
	}
}

// fromAgent reports whether bytes of the agent may pass: not before TLS where it must use it.
func (g *Gate) fromAgent() bool {
	if g.cfg.Facts.AgentTLSRequired && g.out[abi.Agent].secure != secured {
		g.breach("bytes of an agent that must use TLS pass before it does")
		return false
	}
	return true
}

// mostSent bounds what SEND writes to the upstream under one action, in bytes.
const mostSent = 64 << 10

func (g *Gate) send(cmd *abi.Command) {
	if g.in[cmd.Side.Other()].scan != nil {
		g.breach("SEND to the %v while the host scans the other side", cmd.Side)
		return
	}
	if cmd.Side == abi.Agent && cmd.ID != 0 {
		g.breach("SEND to the agent under action %d", cmd.ID)
		return
	}
	if cmd.Side == abi.Upstream {
		g.writeUnder(cmd, cmd.Data)
		return
	}
	g.write(Entry{Kind: Gets, Side: cmd.Side, Bytes: bytes.Clone(cmd.Data)})
}

// secret writes what stands for a slot's secret here: "<" its name ">".
func (g *Gate) secret(cmd *abi.Command) {
	switch {
	case int(cmd.Slot) >= len(g.cfg.Manifest.Slots) || !g.cfg.Facts.Filled(g.cfg.Manifest.Slots[cmd.Slot].Name):
		g.breach("SECRET of slot %d, which the credential does not fill", cmd.Slot)
	case g.in[abi.Agent].scan != nil:
		g.breach("SECRET while the host scans the agent")
	default:
		g.relogins.written |= 1 << cmd.Slot
		g.writeUnder(cmd, []byte("<"+g.cfg.Manifest.Slots[cmd.Slot].Name+">"))
	}
}

// What STOCK may write in all: this, and as often as much as the agent sent.
const (
	stockBase   = 64 << 10
	stockFactor = 16
)

func (g *Gate) writeStock(cmd *abi.Command) {
	if int(cmd.Stock) >= len(g.cfg.Manifest.Stock) {
		g.breach("constant %d of %d", cmd.Stock, len(g.cfg.Manifest.Stock))
		return
	}
	p := g.cfg.Manifest.Stock[cmd.Stock].Bytes
	if g.stock += len(p); uint64(g.stock) > stockBase+stockFactor*g.in[abi.Agent].count {
		g.breach("constants to the upstream without end")
		return
	}
	g.write(Entry{Kind: Gets, Side: abi.Upstream, Bytes: p})
}

func (g *Gate) wantDial(cmd *abi.Command) {
	switch {
	case g.dial:
		g.breach("a second DIAL")
	case !g.actions.connect[cmd.ID]:
		g.breach("DIAL under action %d, which is not an allowed action of family %s", cmd.ID, abi.FamilyConnect)
	default:
		g.dial, g.dialUnder = true, cmd.ID
		g.note(Entry{Kind: Dial, ID: cmd.ID})
	}
}

// auth has a login slot answer.
func (g *Gate) auth(cmd *abi.Command) {
	if !g.mayLogIn(cmd) || !g.toUpstream(cmd.Tag) {
		return
	}
	g.note(Entry{Kind: Auth, ID: cmd.ID, Slot: int(cmd.Slot), Bytes: bytes.Clone(cmd.Data)})
	answer := []byte("<" + g.cfg.Manifest.Slots[cmd.Slot].Name + ">")
	if g.cfg.Auth != nil {
		var err error
		if answer, err = g.cfg.Auth(int(cmd.Slot), cmd.Data); err != nil {
			g.loginFails(cmd.Slot, err.Error())
			return
		}
	}
	g.relogins.begun = true
	g.write(Entry{Kind: Gets, Side: abi.Upstream, Bytes: answer})
}

// mostAliases bounds the aliases of one connection.
const mostAliases = 4

// alias gives the agent something else in place of the upstream's next bytes: here their complement, so that runs repeat.
func (g *Gate) alias(cmd *abi.Command) {
	in := &g.in[abi.Upstream]
	n := int(cmd.N)
	if in.scan != nil || len(in.todo) > 0 || len(in.held) < n || len(g.aliases) >= mostAliases {
		g.breach("ALIAS of %d bytes: at most %d for each connection, of bytes that were delivered and not while the side is scanned", n, mostAliases)
		return
	}
	original := bytes.Clone(in.held[:n])
	other := bytes.Clone(original)
	for i := range other {
		other[i] = ^other[i]
	}
	g.aliases = append(g.aliases, [2][]byte{other, original})
	g.move(abi.Upstream, cmd.N, todoDrop)
	g.write(Entry{Kind: Gets, Side: abi.Agent, Bytes: other})
}

// unalias gives the upstream what the agent's next bytes stand for. Any bytes are an alias here: their complement is the original.
func (g *Gate) unalias(cmd *abi.Command) {
	in := &g.in[abi.Agent]
	n := int(cmd.N)
	if in.scan != nil || len(in.todo) > 0 || len(in.held) < n {
		g.breach("UNALIAS of %d bytes that were not delivered, or while the side is scanned", n)
		return
	}
	s := g.asides[cmd.ID]
	if s == nil || s.done {
		if err := g.actions.covers(cmd.ID, in.cursor, cmd.N); err != nil {
			g.breach("UNALIAS: %v", err)
			return
		}
	}
	if !g.fromAgent() || !g.toUpstream(cmd.Tag) {
		return
	}
	original := bytes.Clone(in.held[:n])
	for i := range original {
		original[i] = ^original[i]
	}
	g.move(abi.Agent, cmd.N, todoDrop)
	e := Entry{Kind: Gets, Side: abi.Upstream, Bytes: original}
	if s != nil {
		g.putAside(cmd.ID, e)
		return
	}
	g.write(e)
}

// Quote writes bytes as a conversation does: quoted text, or hex where most of it is not text.
func Quote(b []byte) string {
	odd := 0
	for _, c := range b {
		if c != '\n' && c != '\r' && c != '\t' && (c < ' ' || c > '~') {
			odd++
		}
	}
	if odd > 4 && odd > len(b)/2 {
		return fmt.Sprintf("0x%x", b)
	}
	return strconv.QuoteToASCII(string(b))
}
