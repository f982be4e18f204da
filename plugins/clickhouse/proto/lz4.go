package proto

import "errors"

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
}

// feed reads p, at most what is still to come.
func (z *lz4) feed(p []byte, b *Block) error {
	z.in -= uint64(len(p))
	for {
		if z.state == lzToken && !z.walk && len(p) >= minFast {
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
					return z.flush(b)
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
			return z.flush(b)
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

// sequences undoes sequences that are all there, and returns how many bytes of p they took.
func (z *lz4) sequences(p []byte) (n int, err error) {
	buf, w, left := z.buf, z.w, int(min(z.left, 1<<40))
	out := int(min(z.out, window)) // as far as can be referred to
	begun := w
	for len(p)-n > 32 && len(buf)-w > minRoom {
		i := n
		token := p[i]
		i++
		lit := int(token >> 4)
		if lit == 15 {
			for more := byte(255); more == 255; i++ {
				if i >= len(p) || lit > minRoom/4 {
					lit = minRoom
					break
				}
				more = p[i]
				lit += int(more)
			}
		}
		if lit > minRoom/2 || len(p)-i < lit+2 { // step by step
			break
		}
		if lit >= left {
			break
		}
		copy(buf[w:w+lit], p[i:i+lit])
		i += lit
		offset := int(p[i]) | int(p[i+1])<<8
		i += 2
		match := int(token & 15)
		if match == 15 {
			for more := byte(255); more == 255; i++ {
				if i >= len(p) || match > minRoom/4 {
					match = minRoom
					break
				}
				more = p[i]
				match += int(more)
			}
		}
		if match += 4; match > minRoom/2 {
			break // nothing of it counts: the literals are written again
		}
		at := w + lit
		if offset == 0 || offset > min(out+at-begun, window) || match >= left-lit {
			return n, ErrCompressed
		}
		for from := at - offset; match > 0; {
			k := min(match, at-from)
			copy(buf[at:at+k], buf[from:from+k])
			at += k
			match -= k
		}
		left -= at - w
		w = at
		n = i
	}
	z.out += uint64(w - begun)
	z.left -= uint64(w - begun)
	z.w = w
	return n, nil
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
