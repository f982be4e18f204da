package proto

import (
	"errors"
	"unsafe"
)

// ErrCompressed says that compressed data is not what its head says.
var ErrCompressed = errors.New("compressed data that is not what its head says")

// window is how far back LZ4 can refer, in bytes.
const window = 64 << 10

// lz4 undoes one LZ4 block (lz4_Block_format.md), in pieces of any size, and gives what it was to a Block. It keeps as much as can be
// referred to, whatever the sizes that the head of the frame has. It takes what a server takes and no more: exactly as many
// bytes as were declared, with the last ones written out.
//
// When none of the bytes needs a look it only walks: that everything fits is found out without writing anything.
type lz4 struct {
	state  uint8
	walk   bool
	lit    uint64
	match  uint64
	offset uint32
	in     uint64 // compressed bytes that are still to come
	left   uint64 // bytes that must still come out
	rest   uint64 // of them, those that are only walked
	out    uint64 // bytes that came out
	buf    []byte
	w, d   int // end of what was written, and of what was given on
}

const (
	lzToken uint8 = iota
	lzLiterals
	lzCopy
	lzOffset
	lzOffset2
	lzMatch
	lzRefer
	lzEnd
)

func (z *lz4) begin(in, out uint64, walk bool) {
	if z.buf == nil && !walk {
		z.buf = make([]byte, 3*window)
	}
	*z = lz4{in: in, left: out, walk: walk, buf: z.buf}
	if walk {
		z.rest = out
	}
}

// feed reads p, at most what is still to come.
func (z *lz4) feed(p []byte, b *Block) error {
	z.in -= uint64(len(p))
	for {
		if z.state == lzToken && z.walk && len(p) >= minFast {
			p = p[z.walkSequences(p):]
		} else if z.state == lzToken && len(p) >= minFast {
			if len(z.buf)-z.w <= minRoom {
				if err := z.slide(b); err != nil {
					return err
				}
			}
			n, err := z.sequences(p)
			if err != nil {
				return err
			}
			p = p[n:]
		}
		switch z.state {
		case lzCopy:
			k := min(uint64(len(p)), z.lit)
			if !z.walk {
				if z.w+int(min(k, window)) > len(z.buf) {
					if err := z.slide(b); err != nil {
						return err
					}
				}
				k = min(k, uint64(len(z.buf)-z.w))
				copy(z.buf[z.w:], p[:k])
				z.w += int(k)
			}
			p = p[k:]
			z.out += k
			z.left -= k
			if z.lit -= k; z.lit > 0 {
				if len(p) == 0 {
					return z.pause(b)
				}
				continue
			}
			z.state = lzOffset
			if z.left == 0 {
				z.state = lzEnd
			}
			continue
		case lzRefer:
			if z.match >= z.left {
				return ErrCompressed // the last bytes are written out
			}
			if err := z.refer(b); err != nil {
				return err
			}
			z.state = lzToken
			continue
		case lzEnd:
			if len(p) > 0 || z.in > 0 {
				return ErrCompressed
			}
			return z.flush(b)
		}
		if len(p) == 0 {
			if z.in == 0 {
				return ErrCompressed
			}
			return z.pause(b)
		}
		c := p[0]
		p = p[1:]
		switch z.state {
		case lzToken:
			z.lit, z.match = uint64(c>>4), uint64(c&15)
			z.state = lzCopy
			if z.lit == 15 {
				z.state = lzLiterals
				continue
			}
			if z.lit > z.left {
				return ErrCompressed
			}
		case lzLiterals:
			z.lit += uint64(c)
			if z.lit > z.left {
				return ErrCompressed
			}
			if c < 255 {
				z.state = lzCopy
			}
		case lzOffset:
			z.offset, z.state = uint32(c), lzOffset2
		case lzOffset2:
			z.offset |= uint32(c) << 8
			if z.offset == 0 || uint64(z.offset) > z.out {
				return ErrCompressed
			}
			z.state = lzRefer
			if z.match == 15 {
				z.state = lzMatch
			}
			z.match += 4
		case lzMatch:
			z.match += uint64(c)
			if z.match > z.left {
				return ErrCompressed
			}
			if c < 255 {
				z.state = lzRefer
			}
		}
	}
}

// minFast is how many bytes are worth sequences, minRoom how much room that wants for one.
const (
	minFast = 64
	minRoom = 4 << 10
)

// walkSequences goes past short sequences that are all there, and returns how many bytes of p they took.
func (z *lz4) walkSequences(p []byte) (n int) {
	stop, out := len(p)-minFast, int(min(z.out, window))
	begun, end := out, out+int(min(z.left, 1<<40))-minFast
	for n < stop && out < end {
		token := int(p[n])
		lit, match := token>>4, token&15
		if lit == 15 || match == 15 {
			break
		}
		offset := int(p[n+1+lit]) | int(p[n+2+lit])<<8
		if offset == 0 || offset > out+lit {
			break // it is found to be wrong step by step
		}
		out += lit + match + 4
		n += 3 + lit
	}
	z.out += uint64(out - begun)
	z.left -= uint64(out - begun)
	return n
}

// sequences undoes sequences that are all there, and returns how many bytes of p they took.
func (z *lz4) sequences(p []byte) (n int, err error) {
	buf, begun := z.buf, z.w
	w, end := begun, begun+int(min(z.left, 1<<40)) // where the block ends
	low := begun - int(min(z.out, window))         // as far as can be referred to
	for err == nil {
		stop, room := len(p)-minFast, min(len(buf)-minRoom, end-minFast)
		if n >= stop || w >= room {
			break
		}
		n, w = shortSequences(unsafe.Pointer(unsafe.SliceData(p)), unsafe.Pointer(unsafe.SliceData(buf)), n, stop, w, room, low)
		if n >= stop || w >= room {
			break
		}
		var read, wrote int
		if read, wrote, err = sequence(p[n:], buf[:min(len(buf), end)], w, low); read == 0 {
			break
		}
		n, w = n+read, w+wrote
	}
	z.out += uint64(w - begun)
	z.left -= uint64(w - begun)
	z.w = w
	return n, err
}

// shortSequences undoes sequences of at most 14 literals and 18 bytes of what was there before, from at least 8 bytes back, as most are. from is
// what they stand in, read up to n, to what they become, written up to w; both have 64 bytes behind stop and room. Bytes are moved 8 at a
// time, some of them too many: what is behind the end of what was written is written again.
//
// It is jumps that cost in WebAssembly as Go's compiler makes it, so there is one for a sequence. (As (lit-15)&(match-15) >= 0 the first
// condition is compiled wrongly by wazero 1.12.0 for amd64; the loop ends at once then.)
func shortSequences(from, to unsafe.Pointer, n, stop, w, room, low int) (int, int) {
	for n < stop && w < room {
		token := int(*(*byte)(unsafe.Add(from, n)))
		lit, match := token>>4, token&15
		if lit == 15 || match == 15 {
			break
		}
		move8(unsafe.Add(to, w), unsafe.Add(from, n+1))
		move8(unsafe.Add(to, w+8), unsafe.Add(from, n+9))
		offset := int(*(*byte)(unsafe.Add(from, n+1+lit))) | int(*(*byte)(unsafe.Add(from, n+2+lit)))<<8
		at := w + lit
		back := at - offset
		if (back-low)|(offset-8) < 0 { // it is before what can be referred to, or too near
			break
		}
		move8(unsafe.Add(to, at), unsafe.Add(to, back))
		move8(unsafe.Add(to, at+8), unsafe.Add(to, back+8))
		move8(unsafe.Add(to, at+16), unsafe.Add(to, back+16))
		w = at + match + 4
		n += 3 + lit
	}
	return n, w
}

// sequence undoes one sequence, of any form, behind the w bytes of buf that were written. read is 0 when it is too long for here, or not all there.
func sequence(p, buf []byte, w, low int) (read, wrote int, err error) {
	i := 1
	lit, match := int(p[0]>>4), int(p[0]&15)
	if lit == 15 {
		for more := byte(255); more == 255; i++ {
			if i >= len(p) || lit > minRoom/4 {
				return 0, 0, nil
			}
			more = p[i]
			lit += int(more)
		}
	}
	if lit > minRoom/2 || len(p)-i < lit+2 || w+lit >= len(buf) {
		return 0, 0, nil
	}
	copy(buf[w:w+lit], p[i:i+lit])
	i += lit
	offset := int(p[i]) | int(p[i+1])<<8
	i += 2
	if match == 15 {
		for more := byte(255); more == 255; i++ {
			if i >= len(p) || match > minRoom/4 {
				return 0, 0, nil // nothing of it counts: the literals are written again
			}
			more = p[i]
			match += int(more)
		}
	}
	match += 4
	at := w + lit
	from, to := at-offset, at+match
	switch {
	case match > minRoom/2:
		return 0, 0, nil
	case offset == 0 || from < low || to >= len(buf):
		return 0, 0, ErrCompressed
	case offset == 1:
		c := buf[from]
		for j := at; j < to; j++ {
			buf[j] = c
		}
	default:
		for at < to {
			at += copy(buf[at:to], buf[from:at])
		}
	}
	return i, to - w, nil
}

// refer writes what was there before once more.
func (z *lz4) refer(b *Block) error {
	n := z.match
	z.out += n
	z.left -= n
	if z.walk {
		return nil
	}
	for n > 0 {
		if z.w+int(min(n, window)) > len(z.buf) {
			if err := z.slide(b); err != nil {
				return err
			}
		}
		k := int(min(n, uint64(len(z.buf)-z.w), uint64(z.offset)))
		copy(z.buf[z.w:z.w+k], z.buf[z.w-int(z.offset):])
		z.w += k
		n -= uint64(k)
	}
	return nil
}

// slide makes room, and keeps as much as can be referred to.
func (z *lz4) slide(b *Block) error {
	if err := z.flush(b); err != nil {
		return err
	}
	keep := min(z.w, window)
	copy(z.buf, z.buf[z.w-keep:z.w])
	z.w, z.d = keep, keep
	return nil
}

// flush gives on what was written.
func (z *lz4) flush(b *Block) error {
	if z.walk || z.d == z.w {
		return nil
	}
	n, err := b.Feed(z.buf[z.d:z.w])
	if err == nil && n < z.w-z.d {
		err = ErrFrame
	}
	z.d = z.w
	return err
}

// pause is called when what has come is read: nothing is half written.
func (z *lz4) pause(b *Block) error {
	err := z.flush(b)
	if err == nil && !z.walk && z.left > 0 && b.Copy == nil && b.Skip() >= z.left {
		z.walk, z.rest = true, z.left // nobody looks at what is still to come
	}
	return err
}
