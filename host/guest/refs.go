package guest

import "sync"

// refs counts the users of something that is freed when its owner has closed it and the last user is gone.
type refs struct {
	mu     sync.Mutex
	n      int
	closed bool
	free   func()
}

// take adds a user; false when the owner has closed.
func (r *refs) take() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.n++
	return true
}

// drop removes a user.
func (r *refs) drop() {
	r.mu.Lock()
	r.n--
	last := r.closed && r.n == 0
	r.mu.Unlock()
	if last {
		r.free()
	}
}

// close says that no users will be added. Idempotent.
func (r *refs) close() {
	r.mu.Lock()
	last := !r.closed && r.n == 0
	r.closed = true
	r.mu.Unlock()
	if last {
		r.free()
	}
}
