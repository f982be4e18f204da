package sshside

import (
	"errors"
	"fmt"
	"net"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// handle carries a record out that was written to the side. It keeps nothing of r.
func (s *Side) handle(r []byte) error {
	stream, _, _ := sshwire.Head(r)
	number, body := r[sshwire.HeadSize], r[sshwire.HeadSize+1:]
	if stream == 0 {
		return s.handleGlobal(number, body)
	}
	f := sshwire.Fields{P: body}
	if number == sshwire.Open {
		return s.openChannel(stream, f)
	}
	c := s.link.find(s.me, stream)
	switch number {
	case sshwire.Adjust:
		if n := f.U32(); f.Over() {
			s.link.give(s.me, stream, int(min(n, maxUnderWay)))
			return nil
		}
	case sshwire.Splice:
		s.link.splice(s.me, stream)
		return nil
	case sshwire.Discard:
		s.link.discard(s.me, stream)
		return nil
	case sshwire.Transfers:
		var handles [][]byte
		for len(f.P) > 0 && len(handles) <= sshwire.MaxHandles {
			handles = append(handles, append([]byte(nil), f.Bytes()...))
		}
		if f.Over() && len(handles) <= sshwire.MaxHandles && s.me == upstream {
			s.link.transfer(stream, handles)
			return nil
		}
	case sshwire.Record:
		if action := f.U32(); f.Over() && s.me == agent {
			return s.link.begin(stream, action)
		}
	case sshwire.Data, sshwire.ExtendedData:
		p := piece{kind: number}
		if number == sshwire.ExtendedData {
			p.code = f.U32()
		}
		data := f.Bytes()
		if !f.Over() {
			break
		}
		if c == nil {
			s.link.give(1-s.me, stream, len(data))
			return nil
		}
		p.data = append(s.link.buffers.get(len(data)), data...)
		c.write(p)
		return nil
	case sshwire.EOF, sshwire.Close:
		if c != nil {
			c.write(piece{kind: number})
		}
		return nil
	case sshwire.ChannelRequest:
		if c == nil {
			return nil
		}
		return c.tell(append([]byte(nil), body...))
	case sshwire.ChannelSuccess, sshwire.ChannelFailure:
		if c == nil {
			return nil
		}
		return c.answer(number == sshwire.ChannelSuccess)
	case sshwire.OpenConfirm:
		if c == nil {
			return nil
		}
		return c.accept()
	case sshwire.OpenFailure:
		reason, text := f.U32(), f.String()
		if c == nil {
			return nil
		}
		return c.reject(ssh.RejectionReason(reason), text)
	}
	return fmt.Errorf("a record for channel %d that cannot be read (message %d)", stream, number)
}

// accept opens a channel that the other end has offered.
func (c *channel) accept() error {
	c.mu.Lock()
	n := c.offered
	c.offered = nil
	c.mu.Unlock()
	if n == nil {
		return errors.New("an answer to a channel that was not opened")
	}
	ch, requests, err := n.Accept()
	if err != nil { // the connection is over
		c.forget()
		return nil
	}
	c.mu.Lock()
	c.ch = ch
	c.mu.Unlock()
	c.side.show(func() {
		c.run(ch, requests)
		c.forget()
	})
	return nil
}

func (c *channel) reject(reason ssh.RejectionReason, text string) error {
	c.mu.Lock()
	n := c.offered
	c.offered = nil
	c.mu.Unlock()
	if n == nil {
		return errors.New("an answer to a channel that was not opened")
	}
	_ = n.Reject(reason, text)
	c.forget()
	return nil
}

// forget is about a channel that is over.
func (c *channel) forget() {
	c.stopRecording()
	c.side.link.leave(c.side.me, c.id)
	c.side.remove(c)
}

// openChannel opens a channel at the other end.
func (s *Side) openChannel(stream uint32, f sshwire.Fields) error {
	kind := f.String()
	if f.Bad {
		return errors.New("a channel whose type cannot be read")
	}
	if s.login != nil && !s.login.wasAdmitted() {
		return fmt.Errorf("channel %d, before the login", stream)
	}
	data := append([]byte(nil), f.P...)
	c := newChannel(s, stream)
	ok, gone := s.link.enter(s.me, stream, c)
	if gone {
		return nil
	}
	if !ok {
		return fmt.Errorf("channel %d, which cannot be opened", stream)
	}
	if !s.enter(c) {
		c.forget()
		s.put(sshwire.AppendOpenFailure(nil, stream, "too many channels"))
		return nil
	}
	s.show(func() {
		defer c.forget()
		var ch ssh.Channel
		var requests <-chan *ssh.Request
		err := net.ErrClosed
		if conn := s.connection(); conn != nil {
			ch, requests, err = conn.OpenChannel(kind, data)
		}
		if err != nil {
			reason, text := ssh.ConnectionFailed, "the connection is over"
			var refused *ssh.OpenChannelError
			if errors.As(err, &refused) {
				reason, text = refused.Reason, refused.Message
			}
			s.put(sshwire.AppendOpenRefusal(nil, stream, uint32(reason), text))
			return
		}
		c.mu.Lock()
		c.ch = ch
		c.mu.Unlock()
		s.put(sshwire.AppendEmpty(nil, stream, sshwire.OpenConfirm))
		c.run(ch, requests)
	})
	return nil
}

// handleGlobal carries out a record of the connection itself.
func (s *Side) handleGlobal(number byte, body []byte) error {
	f := sshwire.Fields{P: body}
	switch number {
	case sshwire.Ready, sshwire.Refuse:
		if s.login == nil {
			return errors.New("a login on the side of the upstream")
		}
		if number == sshwire.Ready {
			s.login.decide(nil)
		} else {
			s.login.decide(&refusal{f.String()})
		}
		return nil
	case sshwire.GlobalRequest:
		return s.tell(append([]byte(nil), body...))
	case sshwire.RequestSuccess, sshwire.RequestFailure:
		s.mu.Lock()
		if len(s.waiting) == 0 {
			s.mu.Unlock()
			return errors.New("an answer to a request that was not made")
		}
		r := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.mu.Unlock()
		_ = r.Reply(number == sshwire.RequestSuccess, append([]byte(nil), body...)) // a connection that is over needs none
		return nil
	}
	return fmt.Errorf("a record for the connection that cannot be read (message %d)", number)
}

// tell makes a request of the other end, in order, and shows its answer.
func (s *Side) tell(message []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.told) >= maxPending {
		return errors.New("too many requests wait")
	}
	s.told = append(s.told, message)
	if !s.telling && !s.over {
		s.telling = true
		s.wg.Go(s.tellAll) // mu is held, so that Close does not wait yet
	}
	return nil
}

func (s *Side) tellAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.told) > 0 {
		f := sshwire.Fields{P: s.told[0]}
		s.told = s.told[1:]
		s.mu.Unlock()
		conn := s.connection()
		name, want := f.String(), f.Bool()
		var ok bool
		var payload []byte
		if conn != nil {
			ok, payload, _ = conn.SendRequest(name, want, f.P)
		}
		if want {
			number := byte(sshwire.RequestFailure)
			if ok {
				number = sshwire.RequestSuccess
			}
			s.put(sshwire.End(append(sshwire.Begin(nil, 0, number), payload...), 0))
		}
		s.mu.Lock()
	}
	s.told, s.telling = nil, false
}
