package sshside

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// Packets of SFTP that carry file data, and answers to them (draft-ietf-secsh-filexfer-02, sections 6.4 and 7): u32 length of what follows, u8 type, u32 number of the request.
// READ is the handle, u64 offset and u32 length; WRITE is the handle, u64 offset and the data; handle and data are strings of SSH.
const (
	sftpRead   = 5
	sftpWrite  = 6
	sftpStatus = 101
	sftpData   = 103

	sftpHead = 4 + 1 + 4
	sftpTail = 8 + 4 // behind the handle: the offset, and a length
)

// maxTransfers bounds the requests that passed and have no answer; the next one waits.
const maxTransfers = 2048

// transfers passes file data of one conversation of SFTP in the host, packet by packet, so that it does not enter the guest. The plugin begins it when no request is without an answer, and
// names the handles that it is about. From then on a READ or a WRITE of one of them passes, when its lengths are right, and so does a DATA or a STATUS with the number of
// such a request. The first packet of the agent that is none of these waits until all of those have their answers, and ends it: it is shown, and all that follows, until the plugin begins anew. So what
// the plugin sees is a whole conversation in which those requests never were.
//
// Methods are called with the link's mutex held.
type transfers struct {
	handles [][]byte // none: nothing passes
	waiting map[uint32]struct{}
	rest    [2]uint64 // bytes of the packet from a side that is passing
	leaving bool      // an answer is taken and not all of it is written to the agent
}

// set begins with these handles, or ends.
func (t *transfers) set(handles [][]byte) {
	t.handles = handles
	t.waiting = map[uint32]struct{}{}
}

// concern reports whether next must be asked about data of a side.
func (t *transfers) concern(me int) bool { return len(t.handles) > 0 || t.rest[me] > 0 }

// next says how the data p of a side goes on: directly, so many bytes of it; directly and none: not before something has changed; more; or as records, since there is nothing here that could pass any more.
// settled says that nothing of the side is under way as a record.
func (t *transfers) next(me int, p []byte, settled, last bool) (how way, n int) {
	if !settled {
		return directly, 0
	}
	for n < len(p) {
		if t.rest[me] == 0 {
			size, how := t.packet(me, p[n:], last)
			if how != directly {
				if n > 0 {
					break
				}
				if how == asRecords && !t.end(me) {
					return directly, 0
				}
				return how, 0
			}
			if size == 0 { // too many wait
				break
			}
			t.rest[me] = size
		}
		k := min(t.rest[me], uint64(len(p)-n))
		t.rest[me] -= k
		n += int(k)
	}
	return directly, n
}

// packet is the size of the packet at the beginning of p, if it passes; 0: it waits until others have their answers.
func (t *transfers) packet(me int, p []byte, last bool) (size uint64, how way) {
	need := sftpHead
	if me == agent {
		need += 4
	}
	if len(p) < need {
		if last || len(p) > 4 && !carries(me, p[4]) {
			return 0, asRecords
		}
		return 0, more
	}
	size = 4 + uint64(binary.BigEndian.Uint32(p))
	if !carries(me, p[4]) || size < uint64(need) || size > sshwire.MaxPacket {
		return 0, asRecords
	}
	number := binary.BigEndian.Uint32(p[5:])
	_, known := t.waiting[number]
	if me == upstream {
		if !known {
			return 0, asRecords
		}
		delete(t.waiting, number)
		t.leaving = true
		return size, directly
	}
	handle := uint64(binary.BigEndian.Uint32(p[sftpHead:]))
	fixed := uint64(need) + handle + sftpTail
	switch {
	case known || handle > sshwire.MaxHandle || size < fixed:
		return 0, asRecords
	case uint64(len(p)) < fixed && !last:
		return 0, more
	case uint64(len(p)) < fixed:
		return 0, asRecords
	}
	if p[4] == sftpWrite {
		fixed += uint64(binary.BigEndian.Uint32(p[fixed-4:]))
	}
	if size != fixed || !slices.ContainsFunc(t.handles, func(h []byte) bool { return bytes.Equal(h, p[need:need+int(handle)]) }) {
		return 0, asRecords
	}
	if len(t.waiting) >= maxTransfers {
		return 0, directly
	}
	t.waiting[number] = struct{}{}
	return size, directly
}

// carries reports whether packets of a type from a side may pass.
func carries(me int, kind byte) bool {
	if me == agent {
		return kind == sftpRead || kind == sftpWrite
	}
	return kind == sftpData || kind == sftpStatus
}

// end ends it, for a packet of a side that is to be shown. It reports false while that has to wait: the agent's, for answers.
func (t *transfers) end(me int) bool {
	if me == agent && (len(t.waiting) > 0 || t.leaving) {
		return false
	}
	t.handles = nil
	return true
}

// wrote is about what went directly to the agent: it is written.
func (t *transfers) wrote() (changed bool) {
	if !t.leaving && len(t.waiting) == 0 {
		return false
	}
	t.leaving = t.rest[upstream] > 0
	return true
}
