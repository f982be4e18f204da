package proto

import "bytes"

// ScramPlus is the SASL mechanism with channel binding: the agent's proof holds for one certificate.
const ScramPlus = "SCRAM-SHA-256-PLUS"

// WithoutMechanism rewrites an AuthenticationSASL message without one of the mechanisms that it offers. It returns nil when the
// message does not offer it, or nothing else.
func WithoutMechanism(msg []byte, mechanism string) ([]byte, error) {
	b := body{p: msg[HeaderSize+4:]}
	list := append([]byte(nil), msg[HeaderSize:HeaderSize+4]...)
	kept, found := 0, false
	for {
		name := b.str()
		if b.bad() {
			return nil, b.err
		}
		if len(name) == 0 {
			break
		}
		if string(name) == mechanism {
			found = true
			continue
		}
		kept++
		list = append(append(list, name...), 0)
	}
	if !found || kept == 0 {
		return nil, b.end()
	}
	return Append(nil, Authentication, append(list, 0)...), b.end()
}

// Chooses reports whether a SASLInitialResponse begins with the name of mechanism. ok is false while too little of the message,
// of size bytes, is there.
func Chooses(msg []byte, size int64, mechanism string) (chosen, ok bool) {
	name := msg[HeaderSize:]
	want := len(mechanism) + 1
	if i := bytes.IndexByte(name, 0); i >= 0 && i < want {
		return i == len(mechanism) && string(name[:i]) == mechanism, true
	}
	return false, len(name) >= want || int64(len(msg)) >= size
}
