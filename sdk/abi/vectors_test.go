package abi

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
)

// vector is an entry of testdata/vectors.txt.
type vector struct {
	kind, name string
	bytes      []byte
	text       string
	refused    bool
}

func vectors(t testing.TB) []vector {
	t.Helper()
	file, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	var v vector
	digits := ""
	for i, line := range strings.Split(string(file), "\n") {
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "  "):
			digits += strings.TrimSpace(line)
		case strings.HasPrefix(line, "= ") || strings.HasPrefix(line, "! "):
			v.text, v.refused = line[2:], line[0] == '!'
			if v.bytes, err = hex.DecodeString(digits); err != nil || v.name == "" {
				t.Fatalf("line %d: %v", i+1, err)
			}
			all = append(all, v)
			v, digits = vector{}, ""
		default:
			var ok bool
			if v.kind, v.name, ok = strings.Cut(line, " "); !ok || digits != "" {
				t.Fatalf("line %d: %q", i+1, line)
			}
		}
	}
	return all
}

// vectorManifest is the manifest that the vectors' actions are of.
func vectorManifest() *Manifest {
	return &Manifest{Name: "vectors", Families: []Family{
		{Name: "connect"},
		{Name: "toy", Fields: []Field{
			{Name: "flag", Type: TypeBool}, {Name: "number", Type: TypeInt}, {Name: "verb", Type: TypeString, Values: []string{"get", "del"}},
			{Name: "words", Type: TypeStrings}, {Name: "sets", Type: TypeStrings, Values: []string{"x", "y"}}}},
	}}
}

// TestVectors reads every vector, and writes those that are valid again.
func TestVectors(t *testing.T) {
	kinds := map[string]int{}
	tags := map[Tag]bool{}
	for _, v := range vectors(t) {
		t.Run(v.kind+" "+v.name, func(t *testing.T) {
			text, again, err := reread(v)
			if v.refused {
				if err == nil || err.Error() != v.text {
					t.Fatalf("%q %v, want the error %q", text, err, v.text)
				}
				return
			}
			if err != nil || text != v.text {
				t.Fatalf("%q %v, want %q", text, err, v.text)
			}
			if v.name != "of-a-later-version" && v.name != "any-order" && v.name != "falses" && !bytes.Equal(again, v.bytes) {
				t.Errorf("written again % x, want % x", again, v.bytes)
			}
			if v.kind == "command" {
				tags[Tag(v.bytes[0])] = true
				if CommandSize(v.bytes) != len(v.bytes) {
					t.Errorf("size %d", CommandSize(v.bytes))
				}
			}
		})
		kinds[v.kind]++
	}
	for tag := TagAsk; tag <= TagRelogin; tag++ {
		if !tags[tag] {
			t.Errorf("no vector for %v", tag)
		}
	}
	if len(kinds) != 4 {
		t.Errorf("vectors of %v", kinds)
	}
}

// reread reads a vector, says what it means and writes it again.
func reread(v vector) (text string, again []byte, err error) {
	switch v.kind {
	case "command":
		var c Command
		rest, err := Next(v.bytes, &c)
		if err == nil && len(rest) != 0 {
			err = fmt.Errorf("%d bytes behind the command", len(rest))
		}
		return commandText(&c), commandAgain(&c), err
	case "event":
		e, err := ReadEvent(v.bytes)
		return eventText(&e), AppendEvent(nil, &e), err
	case "facts":
		f, err := ReadFacts(v.bytes)
		return factsText(&f), AppendFacts(nil, &f), err
	case "action":
		m := vectorManifest()
		a, err := ReadAction(v.bytes, m)
		if err != nil {
			return "", nil, err
		}
		return actionText(a), actionAgain(a, m), nil
	}
	return "", nil, fmt.Errorf("kind %q", v.kind)
}

func commandText(c *Command) string {
	switch c.Tag {
	case TagAsk:
		return fmt.Sprintf("ASK id %d extent %d flags %d action %x", c.ID, c.N, c.Flags, c.Data)
	case TagPass:
		return fmt.Sprintf("PASS %v id %d n %d", c.Side, c.ID, c.N)
	case TagDrop:
		return fmt.Sprintf("DROP %v n %d", c.Side, c.N)
	case TagSend:
		return fmt.Sprintf("SEND %v id %d %q", c.Side, c.ID, c.Data)
	case TagStock:
		return fmt.Sprintf("STOCK %d", c.Stock)
	case TagShut:
		return fmt.Sprintf("SHUT %v", c.Side)
	case TagClose:
		return fmt.Sprintf("CLOSE %v %q", c.Failed, c.Data)
	case TagNote:
		s := fmt.Sprintf("NOTE id %d", c.ID)
		for i := 0; i+1 < len(c.Pairs); i += 2 {
			s += fmt.Sprintf(" %q=%q", c.Pairs[i], c.Pairs[i+1])
		}
		return s
	case TagPause:
		return fmt.Sprintf("PAUSE %v %v", c.Side, c.On)
	case TagTLS:
		return fmt.Sprintf("TLS %v", c.Side)
	case TagAuth:
		return fmt.Sprintf("AUTH id %d slot %d %q", c.ID, c.Slot, c.Data)
	case TagRelogin:
		return fmt.Sprintf("RELOGIN id %d slot %d %q", c.ID, c.Slot, c.Data)
	case TagAlias:
		return fmt.Sprintf("ALIAS n %d", c.N)
	case TagUnalias:
		return fmt.Sprintf("UNALIAS id %d n %d", c.ID, c.N)
	case TagSecret:
		return fmt.Sprintf("SECRET id %d slot %d", c.ID, c.Slot)
	case TagSign:
		return fmt.Sprintf("SIGN id %d slot %d as %d number %d %q", c.ID, c.Slot, c.As, c.Number, c.Data)
	case TagKeep:
		return fmt.Sprintf("KEEP id %d n %d", c.ID, c.N)
	case TagValues:
		s := fmt.Sprintf("VALUES id %d", c.ID)
		for p := c.Data; len(p) >= valueSize; p = p[valueSize:] {
			s += fmt.Sprintf(" column %d format %d flags %d start %d length %d", le.Uint16(p), p[2], p[3], le.Uint32(p[4:]), le.Uint32(p[8:]))
		}
		return s
	case TagText:
		return fmt.Sprintf("TEXT id %d column %d continues %v %q", c.ID, c.Column, c.On, c.Data)
	case TagRelease:
		return fmt.Sprintf("RELEASE id %d drop %v n %d", c.ID, c.On, c.N)
	case TagScan:
		return fmt.Sprintf("SCAN %v id %d %s", c.Side, c.ID, framingText(&c.Framing, &c.Types))
	}
	return fmt.Sprintf("%v id %d", c.Tag, c.ID)
}

func framingText(f *Framing, types *TypeSet) string {
	var set []byte
	for t := range 256 {
		if types.Has(byte(t)) {
			set = append(set, byte(t))
		}
	}
	order := "little"
	if f.BigEndian {
		order = "big"
	}
	return fmt.Sprintf("head %d type at %d length at %d of %d %s endian %+d max %d types %q",
		f.Head, f.TypeAt, f.LengthAt, f.LengthWidth, order, f.Adjust, f.Max, set)
}

func factsText(f *Facts) string {
	s := fmt.Sprintf("endpoint %q peer %q profile %q", f.Endpoint, f.Peer, f.Profile)
	for _, flag := range []struct {
		on   bool
		name string
	}{{f.UpstreamTLS, "upstream-tls"}, {f.AgentTLS, "agent-tls"}, {f.AgentTLSRequired, "agent-tls-required"}, {f.Inspect, "inspect"}} {
		if flag.on {
			s += " " + flag.name
		}
	}
	if len(f.Slots) > 0 {
		s += fmt.Sprintf(" slots %q", f.Slots)
	}
	if len(f.Sizes) > 0 {
		s += fmt.Sprintf(" sizes %d", f.Sizes)
	}
	for _, a := range f.Attributes {
		s += fmt.Sprintf(" %s=%q", a.Name, a.Value)
	}
	return s
}

func commandAgain(c *Command) []byte {
	switch c.Tag {
	case TagAsk:
		return AppendAsk(nil, c.ID, c.N, c.Flags, c.Data)
	case TagPass:
		return AppendPass(nil, c.Side, c.ID, c.N)
	case TagDrop:
		return AppendDrop(nil, c.Side, c.N)
	case TagSend:
		return AppendSend(nil, c.Side, c.ID, c.Data)
	case TagStock:
		return AppendStock(nil, c.Stock)
	case TagDial:
		return AppendDial(nil, c.ID)
	case TagShut:
		return AppendShut(nil, c.Side)
	case TagClose:
		return AppendClose(nil, c.Failed, string(c.Data))
	case TagNote:
		return AppendNote(nil, c.ID, c.Pairs...)
	case TagDone:
		return AppendDone(nil, c.ID)
	case TagPause:
		return AppendPause(nil, c.Side, c.On)
	case TagTLS:
		return AppendTLS(nil, c.Side)
	case TagAuth:
		return AppendAuth(nil, c.ID, c.Slot, c.Data)
	case TagRelogin:
		return AppendRelogin(nil, c.ID, c.Slot, c.Data)
	case TagAlias:
		return AppendAlias(nil, uint32(c.N))
	case TagUnalias:
		return AppendUnalias(nil, c.ID, uint32(c.N))
	case TagWithdraw:
		return AppendWithdraw(nil, c.ID)
	case TagSecret:
		return AppendSecret(nil, c.ID, c.Slot)
	case TagSign:
		return AppendSign(nil, c.ID, c.Slot, c.As, c.Number, c.Data)
	case TagKeep:
		return AppendKeep(nil, c.ID, c.N)
	case TagValues:
		b, last := []byte(nil), -1
		for p := c.Data; len(p) >= valueSize; p = p[valueSize:] {
			column, start, length := le.Uint16(p), le.Uint32(p[4:]), le.Uint32(p[8:])
			if p[3] == valueGoesOn && p[2] == 0 {
				b, last = AppendValueOn(b, last, c.ID, column, start, length)
				continue
			}
			b, last = AppendValue(b, last, c.ID, column, Format(p[2]), p[3] != 0, start, length)
		}
		if last < 0 { // no value: a plugin has no reason to write that
			b, _ = begin(nil, TagValues)
			return finish(le.AppendUint32(b, c.ID), commandHead)
		}
		return b
	case TagText:
		return AppendText(nil, c.ID, c.Column, c.On, c.Data)
	case TagRelease:
		return AppendRelease(nil, c.ID, c.On, c.N)
	case TagAnswered:
		return AppendAnswered(nil, c.ID)
	case TagScan:
		return AppendScan(nil, c.Side, c.ID, &c.Framing, &c.Types)
	}
	return nil
}

func eventText(e *Event) string {
	switch e.Kind {
	case KindVerdict:
		s := fmt.Sprintf("verdict id %d %v reason %q rule %q receipt %q hold %q", e.ID, e.Outcome, e.Reason, e.Rule, e.Receipt, e.Hold)
		if e.Inspect > 0 {
			s += fmt.Sprintf(" inspect %d", e.Inspect)
		}
		return s
	case KindHeld:
		return fmt.Sprintf("held id %d hold %q until %q reason %q rule %q receipt %q", e.ID, e.Hold, e.Until, e.Reason, e.Rule, e.Receipt)
	case KindAliasUsed:
		return fmt.Sprintf("alias used %d", e.Alias)
	case KindConnected:
		return "connected"
	case KindSecured:
		return fmt.Sprintf("secured %v version %q name %q protocol %q", e.Side, e.Version, e.Name, e.Protocol)
	case KindAuthFailed:
		return fmt.Sprintf("auth failed slot %d reason %q", e.Slot, e.Reason)
	case KindScanned:
		return fmt.Sprintf("scanned %v frames %d bytes %d", e.Side, e.Frames, e.Bytes)
	}
	return fmt.Sprintf("refused %q", e.Reason)
}

func actionText(a *Action) string {
	s := fmt.Sprintf("%s %v %q", a.Family.Name, a.Class, a.Title)
	for i, v := range a.Values {
		f := a.Family.Fields[i]
		s += " " + f.Name + "="
		switch {
		case !v.Known:
			s += "?"
		case f.Type == TypeBool:
			s += fmt.Sprint(v.Bool)
		case f.Type == TypeInt:
			s += fmt.Sprint(v.Int)
		case f.Type == TypeString:
			s += fmt.Sprintf("%q", v.Str)
		default:
			s += fmt.Sprintf("%q", v.List)
		}
	}
	return s
}

func actionAgain(a *Action, m *Manifest) []byte {
	var w ActionWriter
	family := uint16(0)
	for i := range m.Families {
		if m.Families[i].Name == a.Family.Name {
			family = uint16(i)
		}
	}
	w.Begin(nil, family, a.Class, a.Title)
	for i, v := range a.Values {
		i, f := uint16(i), a.Family.Fields[i]
		switch {
		case !v.Known:
			w.Unknown(i)
		case f.Type == TypeBool:
			w.Bool(i, v.Bool)
		case f.Type == TypeInt:
			w.Int(i, v.Int)
		case f.Type == TypeString:
			w.String(i, v.Str)
		default:
			w.Strings(i, v.List)
		}
	}
	return w.End()
}
