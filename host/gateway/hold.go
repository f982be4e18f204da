package gateway

import "errors"

// Close lets go of what Assemble loaded, once the last connection that it serves has ended. It does not wait for that.
func (a *Assembly) Close() error {
	a.mu.Lock()
	last := !a.closed && a.users == 0
	a.closed = true
	a.mu.Unlock()
	if last {
		return a.free()
	}
	return nil
}

// take counts a connection; false when the assembly has been closed.
func (a *Assembly) take() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.users++
	return true
}

func (a *Assembly) drop() {
	a.mu.Lock()
	a.users--
	last := a.closed && a.users == 0
	a.mu.Unlock()
	if !last {
		return
	}
	if err := a.free(); err != nil {
		a.log.Error("an old configuration cannot be let go", "error", err)
	}
}

func (a *Assembly) free() error {
	for _, key := range a.templates {
		a.sandbox.templates.drop(key)
	}
	for _, p := range a.plugins {
		a.sandbox.plugins.drop(p.key)
	}
	return errors.Join(a.closeJudges(), a.channels.close(), a.sandbox.leave())
}
