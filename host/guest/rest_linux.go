package guest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// difference is what a memory differs by from an image: runs of bytes, each as u32 offset, u32 length and the bytes. A guest of a few
// megabytes that has run a while has written to some fifty pages, but only to a few kilobytes of them.
type difference []byte

const (
	runHead = 8
	// joinRuns is up to how many equal bytes between two runs are taken along, because a run of their own costs as much.
	joinRuns = runHead
	compared = 64 // bytes at once
)

// leave gives all pages of a memory back to the system, and returns what it takes to have it as it was. When that is not much less than
// the pages, or the kernel cannot tell which they are (older than 6.7), it changes nothing and returns an error.
func (im *image) leave(l linear, pagemap int) (difference, error) {
	m, ok := l.(*mapped)
	if !ok || m.freed.Load() {
		return nil, errors.ErrUnsupported
	}
	var d difference
	pages := 0
	for at := uint64(0); at < m.used; {
		rs, next, err := m.scan(pagemap, at)
		if err != nil {
			return nil, err
		}
		for _, r := range rs {
			for o := r.start - m.start(); o < r.end-m.start(); o += osPage {
				d = im.appendRuns(d, m.res[o:o+osPage], o)
				pages++
			}
		}
		at = next
	}
	if len(d) > pages*osPage/2 {
		return nil, fmt.Errorf("%d pages differ by %d bytes: %w", pages, len(d), errors.ErrUnsupported)
	}
	if err := unix.Madvise(m.res[:m.used], unix.MADV_DONTNEED); err != nil {
		return nil, fmt.Errorf("give back guest memory: %w", err)
	}
	return bytes.Clone(d), nil // without what append has in reserve
}

// appendRuns appends what a page at an offset differs by. Behind the image the memory began as zeros.
func (im *image) appendRuns(d difference, page []byte, offset uint64) difference {
	var zero [osPage]byte
	was := zero[:]
	if offset < im.size {
		was = im.view[offset : offset+osPage]
	}
	for i := 0; i < osPage; {
		if n := min(compared, osPage-i); bytes.Equal(page[i:i+n], was[i:i+n]) {
			i += n
			continue
		}
		for page[i] == was[i] {
			i++
		}
		end := i + 1 // behind the last byte that differs
		for k := end; k < osPage && k-end <= joinRuns; k++ {
			if page[k] != was[k] {
				end = k + 1
			}
		}
		d = binary.LittleEndian.AppendUint32(d, uint32(offset)+uint32(i))
		d = binary.LittleEndian.AppendUint32(d, uint32(end-i))
		d = append(d, page[i:end]...)
		i = end
	}
	return d
}

// enter makes a memory that was left as it was.
func (im *image) enter(l linear, d difference) {
	m := l.(*mapped)
	for len(d) > 0 {
		at, n := binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[4:])
		copy(m.res[at:at+n], d[runHead:runHead+n])
		d = d[runHead+n:]
	}
}
