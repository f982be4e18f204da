package abi

import "strconv"

// Kind names an event that the host tells a guest about: the first byte of what sallyport_event gets.
type Kind uint8

// The events of version 0.
const (
	KindVerdict   Kind = 1
	KindConnected Kind = 2
	KindRefused   Kind = 3
)

// Outcome is what the host decided about an action.
type Outcome uint8

// The outcomes that a guest hears of. A held or judged action is one or the other in the end.
const (
	Allow Outcome = 0
	Deny  Outcome = 1
)

func (o Outcome) String() string {
	switch o {
	case Allow:
		return "allow"
	case Deny:
		return "deny"
	}
	return "outcome " + strconv.Itoa(int(o))
}

// Event is something that happened at the host. ID, Outcome, Rule and Receipt belong to a verdict, Reason to a verdict and
// to a refused upstream.
type Event struct {
	Kind    Kind
	ID      uint32
	Outcome Outcome
	Reason  string
	Rule    string
	Receipt string
}

// AppendEvent appends e as sallyport_event reads it.
func AppendEvent(b []byte, e *Event) []byte {
	b = append(b, byte(e.Kind))
	switch e.Kind {
	case KindVerdict:
		b = le.AppendUint32(b, e.ID)
		b = append(b, byte(e.Outcome))
		b = appendString(b, e.Reason)
		b = appendString(b, e.Rule)
		b = appendString(b, e.Receipt)
	case KindRefused:
		b = appendString(b, e.Reason)
	}
	return b
}

// ReadEvent reads what AppendEvent wrote.
func ReadEvent(b []byte) (Event, error) {
	r := reader{b: b}
	e := Event{Kind: Kind(r.u8())}
	switch e.Kind {
	case KindVerdict:
		e.ID, e.Outcome = r.u32(), Outcome(r.u8())
		e.Reason, e.Rule, e.Receipt = r.str(), r.str(), r.str()
		if r.err == nil && e.Outcome > Deny {
			return e, wrap("event", numbered("outcome", uint64(e.Outcome), ""))
		}
	case KindConnected:
	case KindRefused:
		e.Reason = r.str()
	default:
		return e, wrap("event", numbered("kind", uint64(e.Kind), " is not known"))
	}
	if err := r.end(); err != nil {
		return e, wrap("event", err)
	}
	return e, nil
}

// Facts is what a guest learns when its connection opens: names of the configuration, nothing of the network.
type Facts struct {
	Endpoint string
	Peer     string
	Profile  string
}

// AppendFacts appends f as sallyport_open reads it.
func AppendFacts(b []byte, f *Facts) []byte {
	b = appendString(b, f.Endpoint)
	b = appendString(b, f.Peer)
	return appendString(b, f.Profile)
}

// ReadFacts reads what AppendFacts wrote. Facts that a later version adds at the end are ignored.
func ReadFacts(b []byte) (Facts, error) {
	r := reader{b: b}
	f := Facts{Endpoint: r.str(), Peer: r.str(), Profile: r.str()}
	if r.err != nil {
		return f, wrap("facts", r.err)
	}
	return f, nil
}
