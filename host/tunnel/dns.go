package tunnel

import (
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// answerTTL is how long an agent's resolver may keep an address, in seconds: short, because endpoints come and go with the
	// configuration.
	answerTTL = 10
	// negativeTTL is how long it may keep that a name does not exist (RFC 2308 section 5).
	negativeTTL = 5
	// udpPayload is the size of DNS over UDP that the gateway announces (EDNS0, RFC 6891 section 6.2.3). No answer comes near it.
	udpPayload = 1232
	// maxQuestion is the largest message over TCP that is read, in bytes. A question has at most 12 + 255 + 4 bytes and an OPT record.
	maxQuestion = 2048
	// optVersionMask and badVersion: the version in the TTL field of an OPT record (RFC 6891 section 6.1.3) and the answer to one
	// that the gateway does not know.
	optVersionMask = 0xff << 16
	badVersion     = dnsmessage.RCode(16)
)

// found is what a resolver says about a name.
type found struct {
	addr   netip.Addr // IPv4; anything else is no address
	exists bool
	failed bool // nobody knows: SERVFAIL
}

// answerDNS answers one DNS message. It returns nil for what must not be answered: an answer, or less than a header.
func answerDNS(message []byte, lookup func(name string) found) []byte {
	var parser dnsmessage.Parser
	header, err := parser.Start(message)
	if err != nil || header.Response {
		return nil
	}
	a := answer{header: dnsmessage.Header{
		ID:               header.ID,
		Response:         true,
		OpCode:           header.OpCode,
		RecursionDesired: header.RecursionDesired,
	}}
	if header.OpCode != 0 {
		return a.refuse(dnsmessage.RCodeNotImplemented)
	}
	if err := a.parse(&parser, message); err != nil {
		a.question = nil
		return a.refuse(dnsmessage.RCodeFormatError)
	}
	if a.edns && a.version != 0 {
		return a.refuse(badVersion)
	}
	if q := a.question; q.Class != dnsmessage.ClassINET || isTransfer(q.Type) {
		return a.refuse(dnsmessage.RCodeNotImplemented)
	}
	name, ok := hostName(a.question.Name)
	result := found{}
	if ok {
		result = lookup(name)
	}
	return a.reply(result)
}

// isTransfer reports zone transfers and the like (RFC 1035 section 3.2.3: QTYPE 251 to 254), which are not lookups.
func isTransfer(t dnsmessage.Type) bool { return t >= 251 && t <= 254 }

// answer is a DNS message in the making.
type answer struct {
	header   dnsmessage.Header
	question *dnsmessage.Question
	edns     bool
	version  uint8 // of EDNS
}

// parse reads the one question and looks for EDNS. Everything that is not a plain question is an error.
func (a *answer) parse(parser *dnsmessage.Parser, message []byte) error {
	// Bytes 4 to 9 of the header count questions, answers and authorities (RFC 1035 section 4.1.1).
	if [6]byte(message[4:10]) != [6]byte{0, 1} {
		return errNotAQuestion
	}
	q, err := parser.Question()
	if err != nil {
		return err
	}
	a.question = &q
	for _, skip := range []func() error{parser.SkipAllQuestions, parser.SkipAllAnswers, parser.SkipAllAuthorities} {
		if err := skip(); err != nil {
			return err
		}
	}
	for {
		h, err := parser.AdditionalHeader()
		if err == dnsmessage.ErrSectionDone {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Type == dnsmessage.TypeOPT {
			if a.edns || h.Name.Length != 1 {
				return errNotAQuestion
			}
			a.edns, a.version = true, uint8(h.TTL&optVersionMask>>16)
		}
		if err := parser.SkipAdditional(); err != nil {
			return err
		}
	}
}

// hostName returns a name in the form for Handler.Resolve, and false for one that no host can have.
func hostName(n dnsmessage.Name) (string, bool) {
	name := strings.TrimSuffix(string(n.Data[:n.Length]), ".")
	if name == "" {
		return "", false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" {
			return "", false
		}
	}
	lower := []byte(name)
	for i, c := range lower {
		switch {
		case c >= 'A' && c <= 'Z':
			lower[i] = c + 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return "", false
		}
	}
	return string(lower), true
}

// reply is the answer to a question that was understood.
func (a *answer) reply(f found) []byte {
	if f.failed {
		return a.refuse(dnsmessage.RCodeServerFailure)
	}
	a.header.Authoritative = true
	a.header.RecursionAvailable = true
	if !f.exists {
		a.header.RCode = dnsmessage.RCodeNameError
		return a.build(netip.Addr{}, true)
	}
	addr := f.addr.Unmap()
	if t := a.question.Type; (t == dnsmessage.TypeA || t == dnsmessage.TypeALL) && addr.Is4() {
		return a.build(addr, false)
	}
	return a.build(netip.Addr{}, true)
}

// refuse is an answer without records.
func (a *answer) refuse(code dnsmessage.RCode) []byte {
	a.header.RCode = code
	return a.build(netip.Addr{}, false)
}

// soa makes negative answers short-lived (RFC 2308). The root owns it, so that it fits every name.
var soa = dnsmessage.SOAResource{
	NS:      dnsmessage.MustNewName("gateway.invalid."),
	MBox:    dnsmessage.MustNewName("nobody.invalid."),
	Serial:  1,
	Refresh: 3600,
	Retry:   600,
	Expire:  86400,
	MinTTL:  negativeTTL,
}

// build writes the message. It cannot fail: all parts are in order and fit.
func (a *answer) build(addr netip.Addr, negative bool) []byte {
	root := dnsmessage.MustNewName(".")
	header := a.header
	header.RCode &= 0xf // the rest is in the OPT record
	b := dnsmessage.NewBuilder(make([]byte, 0, 512), header)
	b.EnableCompression()
	var errs [7]error
	errs[0] = b.StartQuestions()
	if a.question != nil {
		errs[1] = b.Question(*a.question)
	}
	errs[2] = b.StartAnswers()
	if addr.Is4() {
		errs[3] = b.AResource(dnsmessage.ResourceHeader{Name: a.question.Name, Class: dnsmessage.ClassINET, TTL: answerTTL},
			dnsmessage.AResource{A: addr.As4()})
	}
	errs[4] = b.StartAuthorities()
	if negative {
		errs[5] = b.SOAResource(dnsmessage.ResourceHeader{Name: root, Class: dnsmessage.ClassINET, TTL: negativeTTL}, soa)
	}
	errs[6] = b.StartAdditionals()
	for _, err := range errs {
		if err != nil {
			return nil
		}
	}
	if a.edns {
		var h dnsmessage.ResourceHeader
		if h.SetEDNS0(udpPayload, a.header.RCode, false) != nil || b.OPTResource(h, dnsmessage.OPTResource{}) != nil {
			return nil
		}
	}
	out, err := b.Finish()
	if err != nil {
		return nil
	}
	return out
}
