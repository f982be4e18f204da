package proto

import (
	"encoding/binary"
	"errors"
)

// ErrChunk says that chunks are not framed as they should be.
var ErrChunk = errors.New("packets that should come in chunks and do not")

// maxChunk bounds a chunk, in bytes.
const maxChunk = 1 << 30

// Chunks takes apart the framing of newer clients: u32 size and that many bytes, again and again, and a size of 0 behind the last
// chunk of a message. A message may hold several packets, and a server takes no notice of where it ends, so that nothing
// follows from it about what a packet holds (ReadBufferFromPocoSocketChunked.cpp; clients put all blocks of an INSERT into one message).
type Chunks struct {
	left uint32 // bytes of the present chunk
	head [4]byte
	have uint8
	open bool // a message has begun and not ended
}

// AtStart reports whether no message is begun: the next byte is that of a chunk's head.
func (c *Chunks) AtStart() bool { return !c.open && c.left == 0 && c.have == 0 }

// Head reads the head of a chunk from the front of p; n is how many bytes of it were there. After it Left may be 0 still: a message has ended.
func (c *Chunks) Head(p []byte) (n int, err error) {
	n = copy(c.head[c.have:], p)
	c.have += uint8(n)
	if c.have < 4 {
		return n, nil
	}
	c.have = 0
	size := binary.LittleEndian.Uint32(c.head[:])
	switch {
	case size > maxChunk, size == 0 && !c.open:
		return n, ErrChunk
	}
	c.left, c.open = size, size > 0
	return n, nil
}

// Left is how many bytes of the present chunk are still to come.
func (c *Chunks) Left() uint32 { return c.left }

// Took says that n of them are past.
func (c *Chunks) Took(n uint32) { c.left -= n }

// Gather appends what the chunks at the front of p hold to b. It changes nothing.
func (c Chunks) Gather(b, p []byte) ([]byte, error) {
	for len(p) > 0 {
		if c.left == 0 {
			n, err := c.Head(p)
			if err != nil {
				return b, err
			}
			p = p[n:]
			continue
		}
		k := min(int(c.left), len(p))
		b = append(b, p[:k]...)
		c.left -= uint32(k)
		p = p[k:]
	}
	return b, nil
}

// Cover is how many bytes of p hold n bytes of packets, with the heads before them; the framing goes on behind them.
func (c *Chunks) Cover(p []byte, n int) (size int, err error) {
	for n > 0 && size < len(p) {
		if c.left == 0 {
			k, err := c.Head(p[size:])
			if err != nil {
				return size, err
			}
			size += k
			continue
		}
		k := min(int(c.left), n, len(p)-size)
		c.left -= uint32(k)
		size += k
		n -= k
	}
	return size, nil
}

// AppendChunked appends a packet as a message of its own.
func AppendChunked(b, packet []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(packet)))
	b = append(b, packet...)
	return append(b, 0, 0, 0, 0)
}
