package head

import "bytes"

// Limits of chunks.
const (
	maxChunkLine = 256     // of a chunk's first line, in bytes
	MaxTrailers  = 8 << 10 // of the trailer section, in bytes
	maxDigits    = 14      // of a chunk's size
)

// Problems of chunks.
const (
	badChunkSize  Problem = "a chunk's size is not a hexadecimal number"
	hugeChunk     Problem = "a chunk's size is larger than any body"
	badExtension  Problem = "a chunk's extension is not one"
	longChunkLine Problem = "a chunk's first line is longer than 256 bytes"
	badChunkEnd   Problem = "a chunk does not end where its size says"
	longTrailers  Problem = "the trailers are longer than 8192 bytes"
	badTrailer    Problem = "a trailer names what belongs into the head of a message"
)

// Chunks walks the chunks of a body, RFC 9112 section 7.1, piece by piece.
type Chunks struct {
	// Request has it take no trailers but those about the body itself: what a server adds to the head of a request after the
	// verdict could be anything.
	Request bool

	state    chunkState
	trailers Fields
	end      Scanner
}

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkEnd
)

// Begin has the walk begin with the first chunk.
func (c *Chunks) Begin(request bool) {
	c.Request, c.state = request, chunkSize
	c.end.Reset()
}

// Piece is a part of a body in chunks: Size bytes, of which the last Data are the body's own. They may not all have come. Size 0: more bytes are needed to tell.
type Piece struct {
	Size, Data uint64
	Last       bool
}

// Next reads the piece that p begins with.
func (c *Chunks) Next(p []byte) (Piece, Problem) {
	if c.state == chunkEnd {
		switch {
		case len(p) > 0 && p[0] != '\r', len(p) > 1 && p[1] != '\n':
			return Piece{}, badChunkEnd
		case len(p) < 2:
			return Piece{}, ""
		}
		c.state = chunkSize
		return Piece{Size: 2}, ""
	}
	line, size, problem := chunkLine(p)
	if problem != "" || line == 0 {
		return Piece{}, problem
	}
	if size > 0 {
		c.state = chunkEnd
		return Piece{Size: uint64(line) + size, Data: size}, ""
	}
	n, problem := c.last(p[line:])
	if problem != "" || n == 0 {
		return Piece{}, problem
	}
	return Piece{Size: uint64(line + n), Last: true}, ""
}

// chunkLine reads the first line of a chunk: its size in bytes and the chunk's; 0 when it has not come.
func chunkLine(p []byte) (line int, size uint64, problem Problem) {
	i := 0
	for i < len(p) && i < maxDigits && hex[p[i]] != 0 {
		size = size<<4 | uint64(hex[p[i]]-1)
		i++
	}
	switch {
	case i == len(p):
		return 0, 0, ""
	case i == 0:
		return 0, 0, badChunkSize
	case hex[p[i]] != 0 || size > MaxLength:
		return 0, 0, hugeChunk
	}
	if p[i] == ';' {
		if i, problem = extensions(p, i); problem != "" || i == 0 {
			return 0, 0, problem
		}
	}
	switch {
	case p[i] == '\n':
		return 0, 0, bareLF
	case p[i] != '\r':
		return 0, 0, badChunkSize
	case i+1 == len(p):
		return 0, 0, ""
	case p[i+1] != '\n':
		return 0, 0, bareCR
	}
	return i + 2, size, ""
}

// extensions skips those of a chunk, which begin at i, and returns where the line ends; 0 when that has not come. Whitespace is not taken.
func extensions(p []byte, i int) (int, Problem) {
	for i < len(p) && p[i] == ';' {
		i++
		start := i
		for i < len(p) && lower[p[i]] != 0 {
			i++
		}
		if i < len(p) && i == start {
			return 0, badExtension
		}
		if i < len(p) && p[i] == '=' {
			var problem Problem
			if i, problem = extensionValue(p, i+1); problem != "" {
				return 0, problem
			}
		}
	}
	switch {
	case i >= maxChunkLine:
		return 0, longChunkLine
	case i == len(p):
		return 0, ""
	case p[i] == '\n':
		return 0, bareLF
	case p[i] != '\r':
		return 0, badExtension
	}
	return i, ""
}

func extensionValue(p []byte, i int) (int, Problem) {
	if i == len(p) || p[i] != '"' {
		start := i
		for i < len(p) && lower[p[i]] != 0 {
			i++
		}
		if i < len(p) && i == start {
			return 0, badExtension
		}
		return i, ""
	}
	for i++; i < len(p); i++ {
		switch c := p[i]; {
		case c == '"':
			return i + 1, ""
		case c == '\n':
			return 0, bareLF
		case c == '\r':
			return 0, bareCR
		case c == '\\':
			if i++; i < len(p) && kinds[p[i]]&inValue == 0 {
				return 0, badExtension
			}
		case kinds[c]&inValue == 0:
			return 0, badExtension
		}
	}
	return min(i, len(p)), ""
}

// last reads what stands behind the last chunk's line: trailers and the empty line. It returns their size; 0 when they have not come.
func (c *Chunks) last(p []byte) (int, Problem) {
	switch {
	case len(p) > 0 && p[0] == '\n':
		return 0, bareLF
	case len(p) > 1 && p[0] == '\r':
		if p[1] != '\n' {
			return 0, bareCR
		}
		return 2, ""
	case len(p) < 2:
		return 0, ""
	}
	n := c.trailerEnd(p)
	if n < 0 {
		return 0, bareLF
	}
	if n == 0 || n > MaxTrailers {
		if len(p) > MaxTrailers {
			return 0, longTrailers
		}
		return 0, ""
	}
	size, problem := c.trailers.read(p[:n], 0)
	if problem != "" {
		return 0, problem
	}
	for i := range c.trailers.Count {
		e := &c.trailers.All[i]
		name := e.Name.Of(p)
		if c.Request && !ofTheBody(name) || !c.Request && e.Known != Other && e.Known != Plain {
			return 0, badTrailer
		}
	}
	return size, ""
}

// trailerEnd is where the trailers end; 0 when they have not come whole, -1 when a line ends with LF alone.
func (c *Chunks) trailerEnd(p []byte) int {
	s := &c.end
	for {
		n := bytes.IndexByte(p[s.at:], '\n')
		if n < 0 {
			s.at = len(p)
			return 0
		}
		at := s.at + n
		if at == 0 || p[at-1] != '\r' {
			return -1
		}
		empty := at-1 == s.line
		s.at, s.line = at+1, at+1
		if empty {
			return at + 1
		}
	}
}

// ofTheBody reports whether a trailer is about the body: a checksum, or a signature of one.
func ofTheBody(name []byte) bool {
	for _, known := range [...]string{"digest", "content-digest", "repr-digest", "content-md5", "x-amz-trailer-signature"} {
		if Fold(name, known) {
			return true
		}
	}
	const amazon = "x-amz-checksum-"
	return len(name) > len(amazon) && Fold(name[:len(amazon)], amazon)
}

// Again takes back the piece that Next told last, one with data, so that it is told again.
func (c *Chunks) Again() { c.state = chunkSize }
