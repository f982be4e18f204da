package abi

import (
	"errors"
	"strconv"
)

var errInspect = errors.New("a limit of 0 bytes is not written")

// Kind names an event that the host tells a guest about: the first byte of what sallyport_event gets.
type Kind uint8

// The events of version 0.
const (
	KindVerdict   Kind = 1
	KindConnected Kind = 2
	KindRefused   Kind = 3

	KindSecured    Kind = 4
	KindAuthFailed Kind = 5
	KindScanned    Kind = 6

	// KindHeld says that an action waits: for a person, or for a judge when Hold is empty, after which it may come again. Its verdict follows
	// in every case, also that of a quiet question.
	KindHeld Kind = 7
	// KindAliasUsed says that another connection of the same peer has named something of this one by an alias.
	KindAliasUsed Kind = 8
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

// Event is something that happened at the host. Which fields mean something depends on Kind.
type Event struct {
	Kind    Kind
	ID      uint32  // verdict, held
	Outcome Outcome // verdict
	Inspect uint32  // verdict, allow: up to how many bytes of the answer are to be kept and asked about; 0: none
	Reason  string  // verdict, refused, auth failed; held: why it needs a person
	Rule    string  // verdict, held
	Receipt string  // verdict, held
	Hold    string  // held: what people who approve call it; verdict: of an action that was held and is denied
	Until   string  // held: when the wait is over, RFC 3339 in UTC

	Side     Side   // secured, scanned
	Version  string // secured: the version of TLS, "1.3"
	Name     string // secured, of the agent: the server name that it asked for, maybe empty
	Protocol string // secured: what ALPN settled on, maybe empty
	Slot     uint16 // auth failed
	Frames   uint64 // scanned: whole frames that passed
	Bytes    uint64 // scanned: the bytes of those
	Alias    uint8  // alias used: which of the connection's, from 0
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
		b = appendString(b, e.Hold)
		if e.Inspect > 0 {
			b = le.AppendUint32(b, e.Inspect)
		}
	case KindHeld:
		b = le.AppendUint32(b, e.ID)
		b = appendString(b, e.Hold)
		b = appendString(b, e.Until)
		b = appendString(b, e.Reason)
		b = appendString(b, e.Rule)
		b = appendString(b, e.Receipt)
	case KindAliasUsed:
		b = append(b, e.Alias)
	case KindRefused:
		b = appendString(b, e.Reason)
	case KindSecured:
		b = append(b, byte(e.Side))
		b = appendString(b, e.Version)
		b = appendString(b, e.Name)
		b = appendString(b, e.Protocol)
	case KindAuthFailed:
		b = le.AppendUint16(b, e.Slot)
		b = appendString(b, e.Reason)
	case KindScanned:
		b = append(b, byte(e.Side))
		b = le.AppendUint64(b, e.Frames)
		b = le.AppendUint64(b, e.Bytes)
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
		e.Reason, e.Rule, e.Receipt, e.Hold = r.str(), r.str(), r.str(), r.str()
		if r.err == nil && e.Outcome > Deny {
			return e, wrap("event", numbered("outcome", uint64(e.Outcome), ""))
		}
		if r.err == nil && len(r.b) > 0 {
			if e.Inspect = r.u32(); r.err == nil && e.Inspect == 0 {
				r.err = errInspect
			}
		}
	case KindHeld:
		e.ID, e.Hold, e.Until = r.u32(), r.str(), r.str()
		e.Reason, e.Rule, e.Receipt = r.str(), r.str(), r.str()
	case KindAliasUsed:
		e.Alias = r.u8()
	case KindConnected:
	case KindRefused:
		e.Reason = r.str()
	case KindSecured:
		e.Side = r.side()
		e.Version, e.Name, e.Protocol = r.str(), r.str(), r.str()
	case KindAuthFailed:
		e.Slot, e.Reason = r.u16(), r.str()
	case KindScanned:
		e.Side = r.side()
		e.Frames, e.Bytes = r.u64(), r.u64()
	default:
		return e, wrap("event", numbered("kind", uint64(e.Kind), " is not known"))
	}
	if err := r.end(); err != nil {
		return e, wrap("event", err)
	}
	return e, nil
}
