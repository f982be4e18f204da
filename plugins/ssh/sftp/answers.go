package sftp

import "encoding/binary"

// answer reads a packet of the server, behind its length; partly says that it is longer than that.
func (c *Conversation) answer(p []byte, partly bool) (problem string) {
	f := fields{p: p[1:]}
	if p[0] == typeVersion {
		if version := f.u32(); f.bad || !c.begun || c.spoken || version != Version {
			return "sftp: the server speaks another version"
		}
		c.spoken = true
		return ""
	}
	id := f.u32()
	if f.bad || !c.spoken {
		return "sftp: a packet of the server that cannot stand here"
	}
	i := 0
	for i < len(c.queue) && (c.queue[i].id != id || c.queue[i].done || c.queue[i].local) {
		i++
	}
	if i == len(c.queue) || c.asked && i == len(c.queue)-1 {
		return "sftp: an answer of the server to nothing"
	}
	e := &c.queue[i]
	switch p[0] {
	case typeStatus:
		if code := f.u32(); e.answered != nil && !f.bad {
			e.answered(code)
		}
	case typeHandle:
		handle := f.text()
		if f.bad || len(handle) > maxHandle || e.kind != typeOpen && e.kind != typeOpendir {
			return "sftp: a handle that was not asked for"
		}
		if len(c.handles) == maxHandles {
			return "sftp: too many open handles"
		}
		c.handles[handle] = e.path
		if e.kind == typeOpen {
			c.files = append(c.files, handle)
		}
		if e.answered != nil {
			e.answered(0)
		}
	case typeName:
		if count := f.u32(); e.start && count == 1 {
			if name := f.path(); !f.bad && len(name) > 0 && name[0] == '/' {
				c.home = name
			}
		}
	case typeData, typeAttrs, typeReply:
	default:
		return "sftp: a packet that a server does not send"
	}
	e.done, e.answered = true, nil
	return ""
}

// Transfers returns the handles whose file data need not be seen: of files that are open, the newest ones up to most. It has none while a request is without an answer, or a packet is not whole.
func (c *Conversation) Transfers(most int) []string {
	if !c.spoken || c.asked || len(c.queue) > 0 || len(c.packet) > 0 || c.rest > 0 || len(c.seen) > 0 || c.length > 0 {
		return nil
	}
	return c.files[max(0, len(c.files)-most):]
}

// appendStatus appends a SSH_FXP_STATUS.
func appendStatus(b []byte, id, code uint32, text string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(1+4+4+4+len(text)+4))
	b = append(b, typeStatus)
	b = binary.BigEndian.AppendUint32(b, id)
	b = binary.BigEndian.AppendUint32(b, code)
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	b = append(b, text...)
	return binary.BigEndian.AppendUint32(b, 0)
}
