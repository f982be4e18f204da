// Package undo is the decoders that the companion runs: pure functions from bytes to bytes, bounded.
package undo

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/sallyport-dev/sallyport/plugins/http/decode"
)

// maxWindow bounds what a decoder remembers of its output, in bytes: RFC 9659 has zstd as a content coding use no more than 8 MiB, and bodies that are read here are much smaller.
const maxWindow = 8 << 20

// Decode undoes one coding. The result has at most limit bytes and is written to out, which has room for as many.
func Decode(coding decode.Coding, p, out []byte, limit int) (n int, err error) {
	in := bytes.NewReader(p)
	switch coding {
	case decode.Gzip:
		return inflate(in, out, limit, func() (io.Reader, error) { return gzip.NewReader(in) })
	case decode.Deflate:
		raw := func() (io.Reader, error) { return flate.NewReader(in), nil }
		n, err = inflate(in, out, limit, func() (io.Reader, error) { return zlib.NewReader(in) })
		in.Reset(p)
		if errors.Is(err, zlib.ErrHeader) {
			return inflate(in, out, limit, raw)
		}
		if err == nil {
			// Some servers take deflate for zlib, as the RFC says, and some without it: what is both means what the server likes.
			if _, other := inflate(in, make([]byte, limit), limit, raw); other == nil || other == decode.ErrTooLarge {
				return 0, decode.ErrBroken
			}
		}
		return n, err
	case decode.Brotli:
		return inflate(in, out, limit, func() (io.Reader, error) { return brotli.NewReader(in), nil })
	case decode.Zstd:
		return inflate(in, out, limit, func() (io.Reader, error) {
			d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				return nil, err
			}
			return d.IOReadCloser(), nil
		})
	}
	return 0, decode.ErrCoding
}

// inflate reads everything, one byte more than limit at most, and nothing may stand behind it.
func inflate(in *bytes.Reader, out []byte, limit int, open func() (io.Reader, error)) (n int, err error) {
	r, err := open()
	if err != nil {
		return 0, err
	}
	if c, ok := r.(io.Closer); ok {
		defer c.Close()
	}
	n, err = io.ReadFull(r, out[:limit])
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF && atEnd(r):
	case err != nil:
		return 0, err
	default:
		var more [1]byte
		for k := 0; k == 0; {
			if k, err = r.Read(more[:]); k > 0 {
				return 0, decode.ErrTooLarge
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return 0, err
			}
		}
	}
	if in.Len() > 0 {
		return 0, decode.ErrBroken
	}
	return n, nil
}

// atEnd tells the end of what a decoder has from an input that ends early, both of which io.ReadFull calls unexpected.
func atEnd(r io.Reader) bool {
	var more [1]byte
	n, err := r.Read(more[:])
	return n == 0 && err == io.EOF
}
