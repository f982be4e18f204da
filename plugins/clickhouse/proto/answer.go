package proto

import "encoding/binary"

// ReadAnswer reads a packet of the server that is not one of data, with its code. revision is the connection's.
func ReadAnswer(p []byte, revision uint64) (size int, err error) {
	r := reader{p: p}
	switch r.number() {
	case ServerException:
		for nested := byte(1); nested != 0 && r.err == nil; {
			r.take(4)
			r.str(MaxWord)
			r.str(1 << 20)
			r.str(1 << 20)
			nested = r.byte()
		}
	case ServerProgress:
		n := 3
		if revision >= 54463 {
			n++ // total bytes
		}
		if revision >= 54420 {
			n += 2 // written rows and bytes
		}
		if revision >= 54460 {
			n++ // time
		}
		for ; n > 0; n-- {
			r.number()
		}
	case ServerPong, ServerEndOfStream:
	case ServerProfileInfo:
		r.number()
		r.number()
		r.number()
		r.byte()
		r.number()
		r.byte()
		if revision >= 54469 {
			r.byte()
			r.number()
		}
	case ServerTableColumns:
		r.str(1 << 20)
		r.str(1 << 20)
	case ServerTimezoneUpdate:
		r.str(MaxWord)
	case ServerTablesStatus:
		for n := r.number(); n > 0 && r.err == nil; n-- {
			r.str(MaxWord)
			r.str(MaxWord)
			if r.byte() == 0 {
				continue
			}
			r.number() // how late a replica is
			if revision >= 54467 {
				r.number()
			}
		}
	default:
		if r.err == nil {
			r.err = ErrAnswer
		}
	}
	return r.at, r.err
}

// ReadTableName reads what stands before a block of the server, with the packet's code.
func ReadTableName(p []byte) (size int, err error) {
	r := reader{p: p}
	r.number()
	r.str(MaxWord)
	return r.at, r.err
}

// CompressedLogs reports whether blocks of logs and events are compressed like others.
func CompressedLogs(revision uint64) bool { return revision >= 54481 }

// Exception is what a server says of a failure: where its words stand in the packet.
type Exception struct {
	Code  int32
	Words [][2]int
}

// ReadException reads an exception with those that are in it, with its code.
func ReadException(p []byte) (x Exception, err error) {
	r := reader{p: p}
	r.number()
	for i, nested := 0, byte(1); nested != 0 && r.err == nil; i++ {
		if code := r.take(4); i == 0 && code != nil {
			x.Code = int32(binary.LittleEndian.Uint32(code))
		}
		for _, limit := range [...]int{MaxWord, 1 << 20, 1 << 20} { // its name, what it says, and where it was
			if word := r.str(limit); len(word) > 0 {
				x.Words = append(x.Words, [2]int{r.at - len(word), r.at})
			}
		}
		nested = r.byte()
	}
	return x, r.err
}
