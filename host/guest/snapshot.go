package guest

import "fmt"

// snapshot is all state of an instance: memory, mutable globals, and what the host keeps for it.
type snapshot struct {
	img     *image
	globals []uint64
	rand    uint64
	buf     buffers
	textLen uint32
}

func takeSnapshot(i *instance) (*snapshot, error) {
	mem, ok := i.view(0, i.mod.Memory().Size())
	if !ok {
		return nil, fmt.Errorf("snapshot of %s: no memory", i.code.name)
	}
	img, err := newImage(mem)
	if err != nil {
		return nil, fmt.Errorf("snapshot of %s: %w", i.code.name, err)
	}
	s := &snapshot{img: img, rand: i.rand, buf: i.buf, textLen: i.textLen}
	for _, g := range i.globals {
		s.globals = append(s.globals, g.Get())
	}
	return s, nil
}

// clone makes an instance in the snapshot's state.
func (s *snapshot) clone(c *code) (*instance, error) {
	lin, err := s.img.linear(uint64(c.mod.MaxPages) * wasmPage)
	if err != nil {
		return nil, &Error{Plugin: c.name, Call: "clone", Kind: ErrHost, Reason: err.Error()}
	}
	i, err := c.instantiate(lin)
	if err != nil {
		return nil, err
	}
	s.restore(i)
	return i, nil
}

// How many touched pages are copied back when an instance is reset; where there are more, all are given back to the system, and the next call takes a fault for each that it
// touches. Guests that wait in a pool are many. Workers of companions are few and called again at once: a block of ZSTD that is undone takes 700 pages, which cost 1 ms to copy and 2 to fault in.
const (
	guestCopyBack     = 64
	companionCopyBack = 1024
)

// reset brings an instance back into the snapshot's state, and says how many pages of memory it had touched. After an error the
// instance must be killed.
func (s *snapshot) reset(i *instance, most int) (pages int, err error) {
	if pages, err = s.img.reset(i.lin, i.code.eng.pages, most); err != nil {
		return pages, err
	}
	s.restore(i)
	return pages, nil
}

func (s *snapshot) restore(i *instance) {
	for k, g := range i.globals {
		g.Set(s.globals[k])
	}
	i.rand, i.logs, i.buf, i.textLen = s.rand, 0, s.buf, s.textLen
}

func (s *snapshot) close() { s.img.close() }
