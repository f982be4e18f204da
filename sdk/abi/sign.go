package abi

// SignAs says what the host writes for a signature.
type SignAs uint8

// The ways to write a signature.
const (
	// SignFields writes header fields of HTTP/1.1, each with its line end (RFC 9112 section 5).
	SignFields SignAs = 0
	// SignFrame writes one CONTINUATION frame of HTTP/2 that ends the header block of a stream, with each field as a literal that is
	// never indexed (RFC 9113 section 6.10, RFC 7541 section 6.2.3). So nobody has to know beforehand how long a signature is.
	SignFrame SignAs = 1
)

// MaxSign bounds the request in one SIGN, in bytes, and MaxSigned what the host writes for it.
const (
	MaxSign   = 16 << 10
	MaxSigned = 12 << 10
)

// AppendSign appends SIGN: under action id the host signs a request with slot slot and writes the header fields of the signature to
// the upstream. number is the stream of a frame.
func AppendSign(b []byte, id uint32, slot uint16, as SignAs, number uint32, request []byte) []byte {
	b, s := begin(b, TagSign)
	b = le.AppendUint32(b, id)
	b = le.AppendUint16(b, slot)
	b = append(b, byte(as))
	b = le.AppendUint32(b, number)
	b = append(b, request...)
	return finish(b, s)
}
