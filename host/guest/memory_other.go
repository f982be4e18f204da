//go:build !linux

package guest

import "errors"

func newLinear(limit uint64, _ bool) (linear, error) { return &heapMemory{limit: limit}, nil }

// image is a memory image that clones map; there is none on this system.
type image struct{ view []byte }

func newImage([]byte) (*image, error) {
	return nil, errors.ErrUnsupported
}

func (*image) linear(uint64) (linear, error)       { return nil, errors.ErrUnsupported }
func (*image) reset(linear, int, int) (int, error) { return 0, errors.ErrUnsupported }
func (*image) close()                              {}

type difference []byte

func (*image) leave(linear, int) (difference, error) { return nil, errors.ErrUnsupported }
func (*image) enter(linear, difference)              {}

func openPagemap() int { return -1 }
func closePagemap(int) {}

func written(linear, int) ([][]byte, error) { return nil, errors.ErrUnsupported }
