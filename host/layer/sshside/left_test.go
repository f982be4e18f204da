package sshside

import (
	"errors"
	"io"
	"testing"
	"time"
)

// TestLeaves: an agent that leaves while its login waits, which a person may have to decide about, ends its side.
func TestLeaves(t *testing.T) {
	w := startWaiting(t)
	if w.who.User != "x" {
		t.Errorf("it logs in as %q", w.who.User)
	}
	_ = w.client.Close()
	if e := <-w.logged; e.err == nil {
		t.Error("logged in")
	}
	_ = w.side.SetReadDeadline(time.Now().Add(patience))
	if _, err := w.side.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the agent has left, and its side ends with %v", err)
	}
}
