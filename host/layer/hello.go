package layer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Hello is what a client says first, in clear.
type Hello struct {
	Name      string   // the server name that it asks for, in lower case; empty: none
	Protocols []string // ALPN, preferred first
	Versions  []string // of TLS that it offers and that count here, "1.2" and "1.3", newest first
	// Hidden says that the real hello may be inside of this one, encrypted (ECH), so that Name may not be what it asks for. Clients
	// that want nobody to see the difference say so without meaning it.
	Hidden bool
}

// MaxHello bounds the bytes of a stream that a hello may take.
const MaxHello = 16 << 10

const (
	recordHead      = 5
	recordHandshake = 22
	maxRecord       = 16 << 10
	handshakeHead   = 4
	clientHello     = 1

	extensionName     = 0
	extensionALPN     = 16
	extensionVersions = 43
	extensionESNI     = 0xffce
	extensionECH      = 0xfe0d
)

// ReadHello reads the ClientHello at the beginning of a client's stream (RFC 8446, 4.1.2; RFC 6066, 3; RFC 7301). When b is only its
// beginning, complete is false, and the caller comes again with more, up to [MaxHello] bytes. It is strict: what another parser
// might read differently is an error, and so is a client that cannot do TLS 1.2.
func ReadHello(b []byte) (h Hello, complete bool, err error) {
	message, complete, err := helloMessage(b)
	if err != nil {
		return Hello{}, false, fmt.Errorf("no TLS ClientHello: %w", err)
	}
	if !complete {
		if len(b) >= MaxHello {
			return Hello{}, false, fmt.Errorf("no TLS ClientHello: it has more than %d bytes", MaxHello)
		}
		return Hello{}, false, nil
	}
	if h, err = parseHello(message); err != nil {
		return Hello{}, false, fmt.Errorf("the TLS ClientHello: %w", err)
	}
	return h, true, nil
}

// helloMessage takes the first handshake message out of its records.
func helloMessage(b []byte) (message []byte, complete bool, err error) {
	for {
		if len(b) > 0 && b[0] != recordHandshake {
			return nil, false, fmt.Errorf("a record of type %d", b[0])
		}
		if len(b) > 1 && b[1] != 3 || len(b) > 2 && (b[2] < 1 || b[2] > 3) {
			return nil, false, errors.New("a record of an unknown version")
		}
		if len(b) < recordHead {
			return nil, false, nil
		}
		n := int(binary.BigEndian.Uint16(b[3:]))
		if n == 0 || n > maxRecord {
			return nil, false, fmt.Errorf("a record of %d bytes", n)
		}
		piece := b[recordHead:min(len(b), recordHead+n)]
		message = append(message, piece...)
		if len(message) > 0 && message[0] != clientHello {
			return nil, false, fmt.Errorf("a handshake message of type %d", message[0])
		}
		if len(message) >= handshakeHead {
			size := handshakeHead + int(message[1])<<16 + int(message[2])<<8 + int(message[3])
			switch whole := len(piece) == n; {
			case size > MaxHello:
				return nil, false, fmt.Errorf("a message of %d bytes", size)
			case whole && len(message) == size:
				return message[handshakeHead:], true, nil
			case len(message) > size:
				return nil, false, errors.New("something follows it in its record")
			}
		}
		if len(piece) < n {
			return nil, false, nil
		}
		b = b[recordHead+n:]
	}
}

// fields reads what is inside of a hello. After an error every read gives nothing.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) take(n int) []byte {
	if f.bad || n > len(f.b) {
		f.bad = true
		return nil
	}
	p := f.b[:n]
	f.b = f.b[n:]
	return p
}

func (f *fields) number(width int) int {
	n := 0
	for _, c := range f.take(width) {
		n = n<<8 | int(c)
	}
	return n
}

// vector takes what has its length in front of it.
func (f *fields) vector(width int) fields {
	return fields{b: f.take(f.number(width)), bad: f.bad}
}

// done reports whether everything was read, and well.
func (f *fields) done() bool { return !f.bad && len(f.b) == 0 }

var errShape = errors.New("its lengths do not fit")

func parseHello(message []byte) (h Hello, err error) {
	f := fields{b: message}
	version := f.number(2)
	f.take(32)
	session, suites, compression := f.vector(1), f.vector(2), f.vector(1)
	extensions := f.vector(2) // without any it would be no TLS 1.2 with a name
	if !f.done() || len(session.b) > 32 || len(suites.b) < 2 || len(suites.b)%2 != 0 || len(compression.b) == 0 {
		return h, errShape
	}
	if version < 0x0303 {
		return h, errOld
	}
	if !slices.Contains(compression.b, 0) {
		return h, errors.New("it wants compression")
	}
	h.Versions = []string{"1.2"}
	seen := map[int]bool{}
	for len(extensions.b) > 0 {
		kind, body := extensions.number(2), extensions.vector(2)
		if extensions.bad {
			return h, errShape
		}
		if seen[kind] {
			return h, fmt.Errorf("extension %d is there twice", kind)
		}
		seen[kind] = true
		if err := h.extension(kind, body); err != nil {
			return h, err
		}
	}
	if len(h.Versions) == 0 {
		return h, errOld
	}
	return h, nil
}

var errOld = errors.New("the client cannot do TLS 1.2 or newer")

func (h *Hello) extension(kind int, body fields) error {
	switch kind {
	case extensionName:
		list := body.vector(2)
		isHost := list.number(1) == 0
		name := list.vector(2)
		if !list.done() || !body.done() || !isHost {
			return errors.New("its server name is not one host name")
		}
		h.Name = strings.ToLower(string(name.b))
		if !hostName(h.Name) {
			return fmt.Errorf("its server name %q is no host name", shorten(h.Name))
		}
	case extensionALPN:
		list := body.vector(2)
		if !body.done() || len(list.b) == 0 {
			return errShape
		}
		for len(list.b) > 0 {
			p := list.vector(1)
			if list.bad || len(p.b) == 0 {
				return errShape
			}
			h.Protocols = append(h.Protocols, string(p.b))
		}
	case extensionVersions:
		list := body.vector(1)
		if !body.done() || len(list.b) < 2 || len(list.b)%2 != 0 {
			return errShape
		}
		h.Versions = nil
		offered := map[int]bool{}
		for len(list.b) > 0 {
			offered[list.number(2)] = true
		}
		for _, v := range []struct {
			number int
			name   string
		}{{0x0304, "1.3"}, {0x0303, "1.2"}} {
			if offered[v.number] {
				h.Versions = append(h.Versions, v.name)
			}
		}
	case extensionECH, extensionESNI:
		h.Hidden = true
	}
	return nil
}

// hostName reports whether a name is one that a server name may be: not an address, no dot at its end (RFC 6066, 3).
func hostName(s string) bool {
	if len(s) == 0 || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	_, err := netip.ParseAddr(s)
	return err != nil
}

// shorten bounds what comes from outside in a text.
func shorten(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
