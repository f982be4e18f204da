package sftp

import (
	"encoding/binary"
	"path"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Types of packets, section 3 of the draft.
const (
	typeInit     = 1
	typeVersion  = 2
	typeOpen     = 3
	typeClose    = 4
	typeRead     = 5
	typeWrite    = 6
	typeLstat    = 7
	typeFstat    = 8
	typeSetstat  = 9
	typeFsetstat = 10
	typeOpendir  = 11
	typeReaddir  = 12
	typeRemove   = 13
	typeMkdir    = 14
	typeRmdir    = 15
	typeRealpath = 16
	typeStat     = 17
	typeRename   = 18
	typeReadlink = 19
	typeSymlink  = 20
	typeStatus   = 101
	typeHandle   = 102
	typeData     = 103
	typeName     = 104
	typeAttrs    = 105
	typeExtended = 200
	typeReply    = 201
)

// Flags of SSH_FXP_OPEN, and which attributes are there.
const (
	openRead   = 1
	openKnown  = 0x3f
	attrSize   = 1
	attrOwner  = 2
	attrRights = 4
	attrTimes  = 8
	attrKnown  = attrSize | attrOwner | attrRights | attrTimes
)

// Codes of SSH_FXP_STATUS.
const (
	statusDenied      = 3
	statusFailure     = 4
	statusBad         = 5
	statusUnsupported = 8
)

// init3 is the only INIT that a server gets.
var init3 = []byte{0, 0, 0, 5, typeInit, 0, 0, 0, Version}

// fields reads the parts of a packet.
type fields struct {
	p   []byte
	bad bool
}

func (f *fields) u32() uint32 {
	if len(f.p) < 4 {
		f.bad = true
		return 0
	}
	v := binary.BigEndian.Uint32(f.p)
	f.p = f.p[4:]
	return v
}

func (f *fields) u64() uint64 { return uint64(f.u32())<<32 | uint64(f.u32()) }

func (f *fields) text() string {
	n := f.u32()
	if f.bad || uint64(n) > uint64(len(f.p)) {
		f.bad = true
		return ""
	}
	s := string(f.p[:n])
	f.p = f.p[n:]
	return s
}

// path is a text that names a file.
func (f *fields) path() string {
	s := f.text()
	if strings.IndexByte(s, 0) >= 0 { // servers that end it there would read something else
		f.bad = true
	}
	return s
}

// attributes reads ATTRS, and says how grave it is to set them.
func (f *fields) attributes() abi.Class {
	class := abi.ClassWrite
	flags := f.u32()
	if flags&^uint32(attrKnown) != 0 { // extended ones, which OpenSSH has none of
		f.bad = true
	}
	if flags&attrSize != 0 {
		f.u64()
	}
	if flags&attrOwner != 0 {
		f.u64()
		class = abi.ClassAdmin
	}
	if flags&attrRights != 0 {
		const setID = 0o7000
		if f.u32()&setID != 0 {
			class = abi.ClassAdmin
		}
	}
	if flags&attrTimes != 0 {
		f.u64()
	}
	return class
}

// read reads the agent's packet: whole, but for the data of a WRITE.
func (c *Conversation) read() Step {
	kind := c.packet[4]
	f := fields{p: c.packet[5:]}
	if kind == typeInit {
		if version := f.u32(); f.bad || c.begun || version < Version {
			return Step{Kind: Broken, Problem: "sftp: INIT that is no beginning of version 3"}
		}
		c.begun = true
		return Step{Kind: Forward, Packet: init3}
	}
	id := f.u32()
	if f.bad || !c.begun {
		return Step{Kind: Broken, Problem: "sftp: a packet that cannot stand here"}
	}
	e := pending{id: id, kind: kind}
	r := &c.request
	*r = Request{}
	known := true // what it names by a handle is open
	switch kind {
	case typeOpen:
		r.Operation, r.Class, r.Path = "open", abi.ClassRead, f.path()
		flags := f.u32()
		r.Read = flags&openRead != 0
		if flags != openRead {
			r.Class, r.Write = abi.ClassWrite, true
		}
		if class := f.attributes(); r.Write {
			r.Class = max(r.Class, class)
		}
		f.bad = f.bad || flags&^uint32(openKnown) != 0
		e.path = r.Path
	case typeClose, typeRead, typeFstat, typeReaddir:
		handle := f.text()
		_, known = c.handles[handle]
		if kind == typeRead {
			f.u64()
			f.u32()
		}
		if kind == typeClose {
			delete(c.handles, handle)
			c.files = slices.DeleteFunc(c.files, func(h string) bool { return h == handle })
		}
	case typeWrite:
		return c.write(&f, e)
	case typeFsetstat:
		r.Operation, r.Handle = "fsetstat", true
		r.Path, known = c.handles[f.text()]
		r.Class = f.attributes()
	case typeExtended:
		known = c.extended(&f, r)
	case typeSetstat, typeMkdir:
		r.Operation, r.Path = names[kind], f.path()
		r.Class = f.attributes()
	case typeRename, typeSymlink:
		r.Operation, r.Class = names[kind], abi.ClassWrite
		r.Path, r.Target = f.path(), f.path()
	default:
		name, ok := names[kind]
		if !ok {
			return c.refuse(e, statusUnsupported, "sallyport: a request that version 3 of SFTP does not have")
		}
		r.Operation, r.Class, r.Path = name, classes[kind], f.path()
		e.path = r.Path
		e.start = kind == typeRealpath && (r.Path == "." || r.Path == "")
	}
	switch {
	case f.bad || len(f.p) > 0:
		return c.refuse(e, statusBad, "sallyport: a request that cannot be read")
	case !known:
		return c.refuse(e, statusFailure, "sallyport: this handle is not open")
	}
	if problem := c.enter(e); problem != "" {
		return Step{Kind: Broken, Problem: problem}
	}
	if r.Operation == "" {
		return Step{Kind: Forward}
	}
	c.asked = true
	return Step{Kind: Ask}
}

// names and classes of the requests that name paths and nothing else.
var names = map[byte]string{typeLstat: "lstat", typeSetstat: "setstat", typeOpendir: "opendir", typeRemove: "remove", typeMkdir: "mkdir", typeRmdir: "rmdir", typeRealpath: "realpath", typeStat: "stat",
	typeRename: "rename", typeReadlink: "readlink", typeSymlink: "symlink"}

var classes = map[byte]abi.Class{typeLstat: abi.ClassRead, typeOpendir: abi.ClassRead, typeRemove: abi.ClassDelete, typeRmdir: abi.ClassDelete, typeRealpath: abi.ClassRead,
	typeStat: abi.ClassRead, typeReadlink: abi.ClassRead}

// write takes the head of a WRITE; what follows is the data.
func (c *Conversation) write(f *fields, e pending) Step {
	_, known := c.handles[f.text()]
	f.u64()
	size := f.u32()
	whole := uint64(binary.BigEndian.Uint32(c.packet)) + 4
	if f.bad || uint64(len(c.packet))+uint64(size) != whole {
		return Step{Kind: Broken, Problem: "sftp: a packet of data whose lengths disagree"}
	}
	c.rest = uint64(size)
	if !known {
		c.dropping = true
		return c.refuse(e, statusFailure, "sallyport: this handle is not open")
	}
	if problem := c.enter(e); problem != "" {
		return Step{Kind: Broken, Problem: problem}
	}
	return Step{Kind: Forward}
}

// refuse has the gateway answer a request.
func (c *Conversation) refuse(e pending, code uint32, text string) Step {
	e.local, e.code, e.text = true, code, text
	if problem := c.enter(e); problem != "" {
		return Step{Kind: Broken, Problem: problem}
	}
	return Step{Kind: Dropped}
}

// extended reads an extension's request. One that needs no question has no operation.
func (c *Conversation) extended(f *fields, r *Request) (known bool) {
	switch name := f.text(); name {
	case "posix-rename@openssh.com":
		r.Operation, r.Class, r.Path, r.Target = "rename", abi.ClassWrite, f.path(), f.path()
	case "hardlink@openssh.com":
		r.Operation, r.Class, r.Path, r.Target = "hardlink", abi.ClassWrite, f.path(), f.path()
	case "statvfs@openssh.com":
		r.Operation, r.Class, r.Path = "statvfs", abi.ClassRead, f.path()
	case "expand-path@openssh.com":
		r.Operation, r.Class, r.Path = "expand-path", abi.ClassRead, f.path()
	case "lsetstat@openssh.com":
		r.Operation, r.Path = "lsetstat", f.path()
		r.Class = f.attributes()
	case "home-directory":
		r.Operation, r.Class, r.Path = "home-directory", abi.ClassRead, "~"+f.path()
	case "fsync@openssh.com", "fstatvfs@openssh.com":
		_, known = c.handles[f.text()]
		return known
	case "copy-data":
		_, from := c.handles[f.text()]
		f.u64()
		f.u64()
		_, to := c.handles[f.text()]
		f.u64()
		return from && to
	case "limits@openssh.com":
	case "users-groups-by-id@openssh.com":
		f.text()
		f.text()
	default:
		r.Operation, r.Class = name, abi.ClassOpaque
		f.p = nil
	}
	return true
}

// Normal is a path as rules can compare it: absolute, without . and .. and doubled slashes. ok is false when that is not known, because it is relative and the folder in which
// the conversation starts was not said, or because it is not a path that is read the same everywhere. Symbolic links are the server's affair.
func (c *Conversation) Normal(p string) (normal string, ok bool) {
	return Normal(c.home, p)
}

// Normal is the same for a start folder.
func Normal(home, p string) (normal string, ok bool) {
	if strings.HasPrefix(p, "/") {
		return path.Clean(p), true
	}
	if home == "" || strings.HasPrefix(p, "~") {
		return "", false
	}
	return path.Clean(home + "/" + p), true
}
