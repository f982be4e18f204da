package proto

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Hello is the agent's first packet.
type Hello struct {
	Name                     []byte
	Major, Minor, Revision   uint64
	Database, User, Password []byte
	Size                     int // bytes of the packet
}

// ReadHello reads the agent's hello, with its code. need says how many bytes there must be when it is not all there.
func ReadHello(p []byte) (h Hello, need int, err error) {
	r := reader{p: p}
	if code := r.number(); r.err == nil && code != ClientHello {
		return h, 0, errors.New("a connection begins with something else than a hello")
	}
	h.Name = r.str(MaxWord)
	h.Major, h.Minor, h.Revision = r.number(), r.number(), r.number()
	h.Database, h.User, h.Password = r.str(MaxWord), r.str(MaxWord), r.str(64<<10)
	h.Size = r.at
	return h, r.need, r.err
}

// AppendHello appends a hello up to its password.
func AppendHello(b []byte, h *Hello, revision uint64, database, user string) []byte {
	b = append(b, ClientHello)
	b = AppendString(b, string(h.Name))
	b = binary.AppendUvarint(b, h.Major)
	b = binary.AppendUvarint(b, h.Minor)
	b = binary.AppendUvarint(b, revision)
	b = AppendString(b, database)
	return AppendString(b, user)
}

// Welcome is the server's hello.
type Welcome struct {
	Revision     uint64
	Major, Minor uint64
	// RevisionAt and RevisionEnd are where it stands in the packet.
	RevisionAt, RevisionEnd int
	// Sends and Receives say how the server wants to be spoken with, from revision 54470 on.
	Sends, Receives Chunking
	Zone            []byte // the server's time zone
	Size            int
}

// ReadWelcome reads the server's hello, with its code; what is there depends on the lower revision of the server's and the one that it was told.
func ReadWelcome(p []byte, told uint64) (w Welcome, need int, err error) {
	r := reader{p: p}
	if code := r.number(); r.err == nil && code != ServerHello {
		return w, 0, errors.New("the server begins with something else than a hello")
	}
	r.str(MaxWord)
	w.Major, w.Minor = r.number(), r.number()
	w.RevisionAt = r.at
	w.Revision = r.number()
	w.RevisionEnd = r.at
	v := min(w.Revision, told)
	if v >= revReplicasVersion {
		r.number()
	}
	if v >= Oldest {
		w.Zone = bytes.Clone(r.str(MaxWord))
	}
	if v >= revDisplayName {
		r.str(MaxWord)
	}
	if v >= revVersionPatch {
		r.number()
	}
	if v >= revChunked {
		w.Sends, w.Receives = r.chunking(), r.chunking()
	}
	if v >= revPasswordRules {
		n := r.number()
		if n > 256 && r.err == nil {
			r.err = ErrLength
		}
		for ; n > 0 && r.err == nil; n-- {
			r.str(MaxWord)
			r.str(MaxWord)
		}
	}
	if v >= revNonce {
		r.take(8)
	}
	if v >= revServerSettings {
		for i := 0; r.err == nil; i++ {
			if i > 16*MaxSettings {
				r.err = ErrLength
			}
			if name := r.str(MaxWord); len(name) == 0 {
				break
			}
			r.number()
			r.str(64 << 10)
		}
	}
	if v >= revQueryPlanVersion {
		r.number()
	}
	if v >= revClusterVersion {
		r.number()
	}
	w.Size = r.at
	return w, r.need, r.err
}

// Chunking is how a side says that it wants packets to be framed.
type Chunking struct{ Chunked, Optional bool }

// chunking reads one of the four words.
func (r *reader) chunking() Chunking {
	switch word := r.str(MaxWord); string(word) {
	case "chunked":
		return Chunking{Chunked: true}
	case "chunked_optional":
		return Chunking{Chunked: true, Optional: true}
	case "notchunked":
		return Chunking{}
	case "notchunked_optional":
		return Chunking{Optional: true}
	}
	if r.err == nil {
		r.err = errors.New("a word about chunks that is not known")
	}
	return Chunking{}
}

// Agree is whether packets of one direction come in chunks, given the words of both ends. It reports false when they cannot agree.
func Agree(server, client Chunking) (chunked, ok bool) {
	switch {
	case server.Optional:
		return client.Chunked, true
	case client.Optional:
		return server.Chunked, true
	}
	return server.Chunked, server.Chunked == client.Chunked
}

// HasAddendum reports whether an addendum follows the server's hello.
func HasAddendum(revision uint64) bool { return revision >= revAddendum }

// Addendum is what the agent says once it has heard the server's hello.
type Addendum struct {
	QuotaKey        []byte
	Sends, Receives Chunking
	Size            int
}

// ReadAddendum reads it.
func ReadAddendum(p []byte, revision uint64) (a Addendum, need int, err error) {
	r := reader{p: p}
	a.QuotaKey = r.str(MaxWord)
	if revision >= revChunked {
		a.Sends, a.Receives = r.chunking(), r.chunking()
	}
	if revision >= revReplicasVersion {
		r.number()
	}
	a.Size = r.at
	return a, r.need, r.err
}

// HasChunks reports whether chunks can be agreed on.
func HasChunks(revision uint64) bool { return revision >= revChunked }

// AppendException appends the packet by which a server says that something failed.
func AppendException(b []byte, code int32, message string) []byte {
	b = append(b, ServerException)
	b = binary.LittleEndian.AppendUint32(b, uint32(code))
	b = AppendString(b, "DB::Exception")
	b = AppendString(b, "DB::Exception: "+message)
	b = AppendString(b, "")
	return append(b, 0)
}
