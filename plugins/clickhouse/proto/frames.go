package proto

import (
	"encoding/binary"
	"errors"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/zstd"
)

// Errors of compressed blocks.
var (
	ErrFrame    = errors.New("compressed data that does not end where its block does")
	ErrChecksum = errors.New("compressed data with a wrong checksum")
	ErrMethod   = errors.New("data that is compressed in a way that is not known: use LZ4, ZSTD or none")
	ErrZstd     = errors.New("a piece of data that is compressed with ZSTD and larger than 16 MiB: send smaller blocks, or use LZ4")
)

// Methods of compression, ICompressionCodec.
const (
	methodNone = 0x02
	methodLZ4  = 0x82
	methodZSTD = 0x90
)

const (
	frameHead = 16 + 9 // checksum, method, both sizes
	// maxFrame bounds a frame, compressed and not, in bytes.
	maxFrame = 1 << 30
	// maxZSTD bounds one that is compressed with ZSTD, which must be there as a whole.
	maxZSTD = zstd.MaxSize
)

// Frames follows a block that is compressed: frames with a checksum (CityHash128 1.0.2 of everything behind it), a method and both
// sizes. Where the block ends can be told only by undoing the compression.
//
// A server that does not like a frame is left behind it, in the middle of the block, and takes what follows for packets. So every
// frame is checked as a server checks it before a byte behind it goes on.
type Frames struct {
	// Undo undoes what is compressed with ZSTD, which stands behind zstd.HeadSize bytes of in, that are written to: it becomes all of out. Nil: it is not taken.
	Undo func(out, in []byte) error

	head  [frameHead]byte
	have  int
	in    uint64 // bytes of the frame that are still to come
	out   uint64 // its size, not compressed
	hash  cityHash
	lz4   lz4
	whole []byte // a frame of ZSTD, behind room,
	plain []byte // and what it becomes
}

// Begin begins a block.
func (f *Frames) Begin() { f.have, f.in = 0, 0 }

// Done reports whether the block is over: it must end with a frame.
func (f *Frames) Done(b *Block) bool { return f.have == 0 && b.Done() }

// Feed reads on, and returns how many bytes of p belong to the block.
func (f *Frames) Feed(p []byte, b *Block) (n int, err error) {
	for n < len(p) && !f.Done(b) {
		if f.have < frameHead {
			k := copy(f.head[f.have:], p[n:])
			f.have += k
			n += k
			if f.have == frameHead {
				if err := f.begin(b); err != nil {
					return n, err
				}
			}
			continue
		}
		k := int(min(f.in, uint64(len(p)-n)))
		if err := f.body(p[n:n+k], b); err != nil {
			return n, err
		}
		n += k
		if f.in == 0 {
			if f.hash.sum() != [16]byte(f.head[:16]) {
				return n, ErrChecksum
			}
			f.have = 0
		}
	}
	return n, nil
}

// begin reads the head of a frame.
func (f *Frames) begin(b *Block) error {
	size := uint64(binary.LittleEndian.Uint32(f.head[17:]))
	f.out = uint64(binary.LittleEndian.Uint32(f.head[21:]))
	if size <= 9 || size > maxFrame || f.out == 0 || f.out > maxFrame {
		return ErrCompressed
	}
	f.in = size - 9
	f.hash.begin(size)
	f.hash.write(f.head[16:])
	switch f.head[16] {
	case methodNone:
		if f.in != f.out {
			return ErrCompressed
		}
	case methodLZ4:
		f.lz4.begin(f.in, f.out, b.Skip() >= f.out && b.Copy == nil)
	case methodZSTD:
		switch {
		case f.Undo == nil:
			return ErrMethod
		case f.in > maxZSTD || f.out > maxZSTD:
			return ErrZstd
		}
		f.whole = append(f.whole[:0], make([]byte, zstd.HeadSize)...)
	default:
		return ErrMethod
	}
	return nil
}

// body reads a part of a frame, at most what is still to come.
func (f *Frames) body(p []byte, b *Block) error {
	f.hash.write(p)
	f.in -= uint64(len(p))
	switch f.head[16] {
	case methodNone:
		n, err := b.Feed(p)
		if err == nil && n < len(p) {
			err = ErrFrame
		}
		return err
	case methodLZ4:
		err := f.lz4.feed(p, b)
		if err == nil && f.in == 0 && f.lz4.walk {
			b.Skipped(f.lz4.rest)
			_, err = b.Feed(nil) // which may have been all of the block
		}
		return err
	}
	f.gather(p)
	if f.in > 0 {
		return nil
	}
	if f.hash.sum() != [16]byte(f.head[:16]) { // said before anything is made of it
		return ErrChecksum
	}
	return f.undo(b)
}

// gather keeps a part of a frame. The memory for it grows with what has come, to no more than the frame needs.
func (f *Frames) gather(p []byte) {
	if need := len(f.whole) + len(p); need > cap(f.whole) {
		f.whole = append(make([]byte, 0, min(max(2*need, 64<<10), need+int(f.in))), f.whole...)
	}
	f.whole = append(f.whole, p...)
}

// undo reads what a whole frame becomes.
func (f *Frames) undo(b *Block) error {
	if size := int(f.out); size > cap(f.plain) {
		f.plain = nil // before there is more
		f.plain = make([]byte, size)
	}
	out := f.plain[:f.out]
	if f.Undo(out, f.whole) != nil {
		return ErrCompressed
	}
	n, err := b.Feed(out)
	if err == nil && n < len(out) {
		err = ErrFrame
	}
	return err
}
