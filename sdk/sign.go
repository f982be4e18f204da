package sdk

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// SignFields has the host sign a request with slot slot of the manifest, and write the signature's header fields to the upstream under
// action id, as lines of HTTP/1.1. The plugin never sees them. request says what is signed, in lines that end with LF: the method, the authority,
// the target, the body's hash, and then NAME:VALUE for each further header field that is signed; at most abi.MaxSign bytes.
func (c *Conn) SignFields(id uint32, slot uint16, request []byte) {
	c.sign(id, slot, abi.SignFields, 0, request)
}

// SignFrame is SignFields for HTTP/2: the host writes one CONTINUATION frame of the upstream's stream that ends its header block.
func (c *Conn) SignFrame(id uint32, slot uint16, stream uint32, request []byte) {
	c.sign(id, slot, abi.SignFrame, stream, request)
}

func (c *Conn) sign(id uint32, slot uint16, as abi.SignAs, number uint32, request []byte) {
	if c.closed {
		return
	}
	if len(request) > abi.MaxSign {
		c.Fail("a request of " + strconv.Itoa(len(request)) + " bytes is more than can be signed")
		return
	}
	c.out = abi.AppendSign(c.out, id, slot, as, number, request)
}
