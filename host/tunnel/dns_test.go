package tunnel

import (
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// question builds a DNS question.
func question(t testing.TB, name string, typ dnsmessage.Type, class dnsmessage.Class, more ...func(*dnsmessage.Message)) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 0xbeef, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: typ, Class: class}},
	}
	for _, change := range more {
		change(&m)
	}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func edns(version uint32) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) {
		h := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("."), Type: dnsmessage.TypeOPT, Class: 4096, TTL: version << 16}
		option := dnsmessage.Option{Code: 10, Data: []byte("a cookie")}
		m.Additionals = append(m.Additionals, dnsmessage.Resource{Header: h, Body: &dnsmessage.OPTResource{Options: []dnsmessage.Option{option}}})
	}
}

// resolver knows db.prod and no-address.
func resolver(name string) found {
	switch name {
	case "db.prod":
		return found{addr: netip.MustParseAddr("10.89.255.7"), exists: true}
	case "no-address":
		return found{addr: netip.MustParseAddr("2001:db8::1"), exists: true}
	case "broken":
		return found{failed: true}
	}
	return found{}
}

func TestAnswers(t *testing.T) {
	const in = dnsmessage.ClassINET
	opcode := func(m *dnsmessage.Message) { m.OpCode = 4 }
	second := func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }
	none := func(m *dnsmessage.Message) { m.Questions = nil }
	record := dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("db.prod."), Class: in},
		Body:   &dnsmessage.AResource{A: [4]byte{1, 2, 3, 4}},
	}
	withAnswer := func(m *dnsmessage.Message) { m.Answers = append(m.Answers, record) }
	for _, c := range []struct {
		title     string
		message   []byte
		code      dnsmessage.RCode
		addr      string
		negative  bool // has an SOA
		questions int
	}{
		{"A", question(t, "db.prod.", dnsmessage.TypeA, in), 0, "10.89.255.7", false, 1},
		{"A in capitals", question(t, "Db.PROD.", dnsmessage.TypeA, in), 0, "10.89.255.7", false, 1},
		{"A with EDNS", question(t, "db.prod.", dnsmessage.TypeA, in, edns(0)), 0, "10.89.255.7", false, 1},
		{"any type", question(t, "db.prod.", dnsmessage.TypeALL, in), 0, "10.89.255.7", false, 1},
		{"AAAA", question(t, "db.prod.", dnsmessage.TypeAAAA, in), 0, "", true, 1},
		{"MX", question(t, "db.prod.", dnsmessage.TypeMX, in), 0, "", true, 1},
		{"HTTPS", question(t, "db.prod.", dnsmessage.Type(65), in), 0, "", true, 1},
		{"no address", question(t, "no-address.", dnsmessage.TypeA, in), 0, "", true, 1},
		{"unknown", question(t, "example.com.", dnsmessage.TypeA, in), dnsmessage.RCodeNameError, "", true, 1},
		{"unknown AAAA", question(t, "example.com.", dnsmessage.TypeAAAA, in), dnsmessage.RCodeNameError, "", true, 1},
		{"root", question(t, ".", dnsmessage.TypeA, in), dnsmessage.RCodeNameError, "", true, 1},
		{"odd characters", question(t, "db\x00.prod.", dnsmessage.TypeA, in), dnsmessage.RCodeNameError, "", true, 1},
		{"resolver failed", question(t, "broken.", dnsmessage.TypeA, in), dnsmessage.RCodeServerFailure, "", false, 1},
		{"class CH", question(t, "db.prod.", dnsmessage.TypeA, dnsmessage.ClassCHAOS), dnsmessage.RCodeNotImplemented, "", false, 1},
		{"transfer", question(t, "db.prod.", dnsmessage.TypeAXFR, in), dnsmessage.RCodeNotImplemented, "", false, 1},
		{"notify", question(t, "db.prod.", dnsmessage.TypeA, in, opcode), dnsmessage.RCodeNotImplemented, "", false, 0},
		{"EDNS version 1", question(t, "db.prod.", dnsmessage.TypeA, in, edns(1)), badVersion, "", false, 1},
		{"two OPT", question(t, "db.prod.", dnsmessage.TypeA, in, edns(0), edns(0)), dnsmessage.RCodeFormatError, "", false, 0},
		{"two questions", question(t, "db.prod.", dnsmessage.TypeA, in, second), dnsmessage.RCodeFormatError, "", false, 0},
		{"no question", question(t, "db.prod.", dnsmessage.TypeA, in, none), dnsmessage.RCodeFormatError, "", false, 0},
		{"with an answer", question(t, "db.prod.", dnsmessage.TypeA, in, withAnswer), dnsmessage.RCodeFormatError, "", false, 0},
		{"cut", question(t, "db.prod.", dnsmessage.TypeA, in)[:15], dnsmessage.RCodeFormatError, "", false, 0},
		{"name that points at itself", append(question(t, "db.prod.", dnsmessage.TypeA, in)[:12], 0xc0, 12, 0, 1, 0, 1), dnsmessage.RCodeFormatError, "", false, 0},
	} {
		var m dnsmessage.Message
		if err := m.Unpack(answerDNS(c.message, resolver)); err != nil {
			t.Errorf("%s: %v", c.title, err)
			continue
		}
		code := m.RCode
		for _, r := range m.Additionals {
			code = r.Header.ExtendedRCode(m.RCode)
		}
		if code != c.code || m.ID != 0xbeef || !m.Response || !m.RecursionDesired || len(m.Questions) != c.questions {
			t.Errorf("%s: %+v", c.title, m.Header)
		}
		if negative := len(m.Authorities) == 1; negative != c.negative {
			t.Errorf("%s: %d SOA records", c.title, len(m.Authorities))
		} else if negative {
			if soa, ok := m.Authorities[0].Body.(*dnsmessage.SOAResource); !ok || soa.MinTTL != negativeTTL || m.Authorities[0].Header.TTL != negativeTTL {
				t.Errorf("%s: %+v", c.title, m.Authorities[0])
			}
		}
		addr := ""
		for _, r := range m.Answers {
			addr += netip.AddrFrom4(r.Body.(*dnsmessage.AResource).A).String()
			if r.Header.TTL != answerTTL || r.Header.Name != m.Questions[0].Name {
				t.Errorf("%s: %+v", c.title, r.Header)
			}
		}
		if addr != c.addr {
			t.Errorf("%s: addresses %q, want %q", c.title, addr, c.addr)
		}
	}
}

// What is an answer itself must not be answered: two resolvers would talk for ever.
func TestNoAnswer(t *testing.T) {
	reply := answerDNS(question(t, "db.prod.", dnsmessage.TypeA, dnsmessage.ClassINET), resolver)
	for _, m := range [][]byte{nil, {1, 2, 3}, make([]byte, 11), reply} {
		if out := answerDNS(m, resolver); out != nil {
			t.Errorf("%x was answered with %x", m, out)
		}
	}
}

func TestCaseOfTheQuestionIsKept(t *testing.T) {
	var m dnsmessage.Message
	if err := m.Unpack(answerDNS(question(t, "dB.pRoD.", dnsmessage.TypeA, dnsmessage.ClassINET), resolver)); err != nil {
		t.Fatal(err)
	}
	if got := m.Questions[0].Name.String(); got != "dB.pRoD." {
		t.Errorf("%q", got)
	}
}

func FuzzAnswerDNS(f *testing.F) {
	f.Add(question(f, "db.prod.", dnsmessage.TypeA, dnsmessage.ClassINET))
	f.Add(question(f, "db.prod.", dnsmessage.TypeAAAA, dnsmessage.ClassINET, edns(0)))
	f.Add(question(f, "x.", dnsmessage.TypeA, dnsmessage.ClassINET, edns(3)))
	f.Add(append(question(f, "db.prod.", dnsmessage.TypeA, dnsmessage.ClassINET)[:12], 0xc0, 12, 0, 1, 0, 1))
	f.Fuzz(func(t *testing.T, message []byte) {
		lookups := 0
		out := answerDNS(message, func(name string) found {
			lookups++
			if name == "" || len(name) > 253 || name[len(name)-1] == '.' {
				t.Errorf("lookup of %q", name)
			}
			return found{addr: netip.AddrFrom4([4]byte{10, 0, 0, 1}), exists: len(name)%2 == 0, failed: len(name)%3 == 0}
		})
		if lookups > 1 {
			t.Errorf("%d lookups", lookups)
		}
		if out == nil {
			if len(message) >= 12 && message[2]&0x80 == 0 {
				t.Errorf("no answer to %x", message)
			}
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(out); err != nil || !m.Response || len(out) > 512 || out[0] != message[0] || out[1] != message[1] {
			t.Errorf("%x was answered with %x: %v", message, out, err)
		}
	})
}
