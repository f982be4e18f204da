package sshside

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// ptyRequest asks for a terminal, RFC 4254 section 6.2; resizeRequest tells its new size, section 6.7.
const (
	ptyRequest    = "pty-req"
	resizeRequest = "window-change"
)

// Terminal is what an agent says of its terminal.
type Terminal struct {
	Term          string
	Width, Height uint32 // in characters
	Command       string // that runs in it; empty: a shell
}

// Recording takes what a terminal shows. Its methods may be called from several goroutines; an error ends the connection.
type Recording interface {
	// Output is shown what was written to the agent.
	Output(p []byte) error
	// Input is shown what was written to the upstream, and Resize a new size.
	Input(p []byte) error
	Resize(width, height uint32) error
	// Close ends the recording.
	Close() error
}

// Recordings has terminals recorded: begin is called before the first byte of output, with the action that the terminal belongs to. What it fails with ends the
// connection, so that nothing goes by unrecorded. It has to be said before the link has sides; [Link.Close] closes what is still open.
func (l *Link) Recordings(begin func(action uint32, t Terminal) (Recording, error)) { l.record = begin }

// Close closes the recordings that are open, once both sides are closed.
func (l *Link) Close() error {
	l.mu.Lock()
	all := l.records
	l.records = nil
	l.mu.Unlock()
	var errs []error
	for _, r := range all {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// begin begins the recording of a stream, if somebody wants one and it has a terminal.
func (l *Link) begin(id, action uint32) error {
	a, u := l.find(agent, id), l.find(upstream, id)
	if l.record == nil || a == nil {
		return nil
	}
	a.mu.Lock()
	t, recorded := a.terminal, a.tap != nil
	a.mu.Unlock()
	switch {
	case t == nil:
		return nil
	case recorded:
		return errors.New("a terminal begins twice")
	}
	r, err := l.record(action, *t)
	if err != nil {
		return fmt.Errorf("a terminal cannot be recorded: %w", err)
	}
	l.mu.Lock()
	l.records = append(l.records, r)
	l.mu.Unlock()
	a.setTap(r, r.Output)
	if u != nil {
		u.setTap(nil, r.Input)
	}
	return nil
}

func (c *channel) setTap(r Recording, tap func([]byte) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recording, c.tap = r, tap
}

// show shows what was written to whoever records it.
func (c *channel) show(p []byte) {
	c.mu.Lock()
	tap := c.tap
	c.mu.Unlock()
	if tap == nil || len(p) == 0 {
		return
	}
	if err := tap(p); err != nil {
		c.side.fail(err)
	}
}

// noteTerminal reads what a request of the agent says of its terminal.
func (c *channel) noteTerminal(r *ssh.Request) {
	if c.side.me != agent || c.side.link.record == nil {
		return
	}
	f := sshwire.Fields{P: r.Payload}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.Type {
	case ptyRequest:
		if t := (Terminal{Term: f.String(), Width: f.U32(), Height: f.U32()}); !f.Bad {
			c.terminal = &t
		}
	case resizeRequest:
		width, height := f.U32(), f.U32()
		if c.terminal == nil || f.Bad {
			return
		}
		c.terminal.Width, c.terminal.Height = width, height
		if c.recording != nil {
			if err := c.recording.Resize(width, height); err != nil {
				c.side.fail(err)
			}
		}
	case "exec":
		if c.terminal != nil && c.recording == nil {
			c.terminal.Command = f.String()
		}
	}
}

// stopRecording ends the recording of a channel that is over.
func (c *channel) stopRecording() {
	c.mu.Lock()
	r := c.recording
	c.recording, c.tap = nil, nil
	c.mu.Unlock()
	if r == nil {
		return
	}
	l := c.side.link
	l.mu.Lock()
	for i := range l.records {
		if l.records[i] == r {
			l.records = append(l.records[:i], l.records[i+1:]...)
			break
		}
	}
	l.mu.Unlock()
	if err := r.Close(); err != nil {
		c.side.fail(err)
	}
}
