package guest

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapped is a linear memory in a reserved range of addresses: it never moves, grows by making pages accessible, and can have an
// image mapped privately at its front.
type mapped struct {
	res     []byte // the reservation; unmapped by Free
	base    uint64 // bytes accessible at first
	used    uint64 // bytes accessible
	failure bool
	freed   atomic.Bool
	regions [scanRegions]region
}

func reserve(limit uint64) (*mapped, error) {
	res, err := unix.Mmap(-1, 0, int(limit), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("reserve %d bytes of address space: %w", limit, err)
	}
	return &mapped{res: res}, nil
}

// newLinear makes an empty memory that can grow to limit bytes.
func newLinear(limit uint64, plain bool) (linear, error) {
	if plain {
		return &heapMemory{limit: limit}, nil
	}
	return reserve(max(limit, wasmPage))
}

// Reallocate implements experimental.LinearMemory. The first call, with the module's declared size, gets the whole image where
// there is one.
func (m *mapped) Reallocate(size uint64) []byte {
	if m.freed.Load() || size > uint64(len(m.res)) {
		m.failure = true
		return nil
	}
	if size > m.used {
		if err := unix.Mprotect(m.res[m.used:size], unix.PROT_READ|unix.PROT_WRITE); err != nil {
			m.failure = true
			return nil
		}
		if m.used == 0 {
			m.base = size
		}
		m.used = size
	}
	return m.res[:m.used:m.used]
}

// Free implements experimental.LinearMemory. The engine and a template may close the same instance at the same time.
func (m *mapped) Free() {
	if m.freed.CompareAndSwap(false, true) {
		_ = unix.Munmap(m.res)
	}
}

func (m *mapped) grown() bool   { return m.used > m.base }
func (m *mapped) refused() bool { return m.failure }

// image is the memory of a snapshot in a sealed memfd.
type image struct {
	fd   int
	size uint64
	view []byte // read only
}

const osPage = 4096

// newImage copies mem. Pages of zeros stay holes.
func newImage(mem []byte) (*image, error) {
	fd, err := unix.MemfdCreate("sallyport-guest", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("memfd: %w", err)
	}
	im := &image{fd: fd, size: uint64(len(mem))}
	if err := im.fill(mem); err != nil {
		im.close()
		return nil, err
	}
	return im, nil
}

func (im *image) fill(mem []byte) (err error) {
	if err := unix.Ftruncate(im.fd, int64(len(mem))); err != nil {
		return fmt.Errorf("memfd of %d bytes: %w", len(mem), err)
	}
	var zero [osPage]byte
	for o := 0; o < len(mem); o += osPage {
		if page := mem[o : o+osPage]; !bytes.Equal(page, zero[:]) {
			if n, err := unix.Pwrite(im.fd, page, int64(o)); err != nil || n != osPage {
				return fmt.Errorf("write memfd: %d bytes: %w", n, err)
			}
		}
	}
	seals := unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(im.fd), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal memfd: %w", err)
	}
	if im.view, err = unix.Mmap(im.fd, 0, len(mem), unix.PROT_READ, unix.MAP_PRIVATE); err != nil {
		return fmt.Errorf("map memfd: %w", err)
	}
	return nil
}

// linear makes a memory with the image at its front.
func (im *image) linear(limit uint64) (linear, error) {
	m, err := reserve(max(limit, im.size))
	if err != nil {
		return nil, err
	}
	_, err = unix.MmapPtr(im.fd, 0, unsafe.Pointer(unsafe.SliceData(m.res)), uintptr(im.size),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		m.Free()
		return nil, fmt.Errorf("map %d bytes of a snapshot: %w", im.size, err)
	}
	m.base, m.used = im.size, im.size
	return m, nil
}

func (im *image) close() {
	if im.view != nil {
		_ = unix.Munmap(im.view)
		im.view = nil
	}
	if im.fd >= 0 {
		_ = unix.Close(im.fd)
		im.fd = -1
	}
}

const (
	scanRegions  = 64 // ranges of touched pages in one scan; more: drop them all
	pagemapScan  = 0xc0606610
	pageIsFile   = 1 << 2
	pagePresent  = 1 << 3
	pageSwapped  = 1 << 4
	scanArgBytes = 96
)

// region is the kernel's struct page_region.
type region struct{ start, end, _ uint64 }

// scanArg is the kernel's struct pm_scan_arg.
type scanArg struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages, inverted, mask, anyOf, ret uint64
}

var errNoScan = errors.New("no page scan")

// openPagemap opens the process's own page map, -1 where there is none.
func openPagemap() int {
	fd, err := unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}

func closePagemap(fd int) {
	if fd >= 0 {
		_ = unix.Close(fd)
	}
}

// reset makes the memory equal to the image again. Touched pages, as the kernel tells them, are copied back; where there are more than most
// of them, or the kernel cannot tell (older than 6.7), all private pages are dropped, which also gives them back to the system.
// It says how many pages that were, all where it cannot tell.
func (im *image) reset(l linear, pagemap, most int) (pages int, err error) {
	m, ok := l.(*mapped)
	if !ok || m.freed.Load() || m.grown() {
		return 0, errors.ErrUnsupported
	}
	rs, err := m.touched(pagemap)
	for _, r := range rs {
		pages += int((r.end - r.start) / osPage)
	}
	if err != nil || pages > most {
		if err := unix.Madvise(m.res[:m.used], unix.MADV_DONTNEED); err != nil {
			return 0, fmt.Errorf("reset guest memory: %w", err)
		}
		return max(pages, int(m.used/osPage)), nil
	}
	base := m.start()
	for _, r := range rs {
		copy(m.res[r.start-base:r.end-base], im.view[r.start-base:r.end-base])
	}
	return pages, nil
}

// touched returns the ranges of pages that are the instance's own.
func (m *mapped) touched(pagemap int) ([]region, error) {
	rs, next, err := m.scan(pagemap, 0)
	if err == nil && next < m.used {
		err = errNoScan // more ranges than there is room for
	}
	return rs, err
}

// scan returns ranges of pages from an offset on that are the instance's own, and where the next ones may be found. They are valid until
// the next scan.
func (m *mapped) scan(pagemap int, from uint64) (rs []region, next uint64, err error) {
	if pagemap < 0 {
		return nil, 0, errNoScan
	}
	base := m.start()
	a := scanArg{
		size: scanArgBytes, start: base + from, end: base + m.used,
		vec: uint64(uintptr(unsafe.Pointer(&m.regions))), vecLen: scanRegions,
		inverted: pageIsFile, mask: pageIsFile, anyOf: pagePresent | pageSwapped, ret: pagePresent | pageSwapped,
	}
	n, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(pagemap), pagemapScan, uintptr(unsafe.Pointer(&a)))
	if errno != 0 {
		return nil, 0, errno
	}
	if n > scanRegions || a.walkEnd <= a.start {
		return nil, 0, errNoScan
	}
	return m.regions[:n], a.walkEnd - base, nil
}

// start is the address of the memory.
func (m *mapped) start() uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(m.res)))) }

// written is what of a memory the instance has written, in pieces that are not next to each other. It looks each page up, so that a search of what is there
// costs what was written and not what is reserved.
func written(l linear, pagemap int) (parts [][]byte, err error) {
	m, ok := l.(*mapped)
	if !ok || m.freed.Load() {
		return nil, errors.ErrUnsupported
	}
	base, last := m.start(), uint64(0)
	for at := uint64(0); at < m.used; {
		rs, next, err := m.scan(pagemap, at)
		if err != nil {
			return nil, err
		}
		for _, r := range rs {
			from, to := r.start-base, r.end-base
			if n := len(parts); n > 0 && from == last {
				from -= uint64(len(parts[n-1]))
				parts = parts[:n-1]
			}
			parts, last = append(parts, m.res[from:to]), to
		}
		at = next
	}
	return parts, nil
}
