// Package line is what the plugin and its companion module "shell" say to each other about a command line: the line goes in, and what is known of it comes out. The grammars are in the
// companion, a copy of which is reset for each call: so they cost a connection no memory, a line that is hard to read costs no more than the host allows for it, and one that leads the
// parser astray leaves nothing for the next.
package line

import (
	"encoding/binary"
	"errors"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Companion is the name of the module in the plugin's manifest.
const Companion = "shell"

// Limits of a call, in bytes.
const (
	// MaxLine is the longest line that is read; a longer one is opaque.
	MaxLine        = 16 << 10
	InputCapacity  = 64 << 10
	OutputCapacity = 128 << 10
)

// Protocols of file transfers.
const (
	SCP   = "scp"
	Rsync = "rsync"
	Git   = "git"
	SFTP  = "sftp"
)

// Facts is what is known of a command line.
type Facts struct {
	// Argv is the words of a line that has no shell syntax, quotes apart; nil when Plain is false.
	Argv  []string
	Plain bool
	// Programs are the names of the programs that it runs, each once, in the order in which they stand there. One that is named by a path is listed by its last part,
	// and, unless it stands where systems keep their programs, by the whole path as well.
	Programs []string
	// Opaque says that it may run others, and Why says what could not be read.
	Opaque bool
	Why    string
	Class  abi.Class
	// Transfer is there when the line starts the server of a file transfer and nothing else.
	Transfer *Transfer
}

// Transfer is the server of a file transfer, as a client starts it.
type Transfer struct {
	Protocol string
	// Upload says that files go to the server.
	Upload bool
	// Paths are those that the line names, as sent.
	Paths []string
	Class abi.Class
}

// Unread is what is known of a line that could not be read.
func Unread(why string) Facts { return Facts{Opaque: true, Why: why, Class: abi.ClassOpaque} }

// Caller calls companion modules; sdk.Conn is one.
type Caller interface {
	Call(k int, in, out []byte) ([]byte, error)
}

// Read has companion k read a line. terminal says that it runs on a terminal.
func Read(c Caller, k int, text string, terminal bool) Facts {
	if len(text) > MaxLine {
		return Unread("the line is too long")
	}
	out, err := c.Call(k, AppendCall(nil, text, terminal), make([]byte, OutputCapacity))
	if err != nil {
		return Unread("the line cannot be read: " + err.Error())
	}
	f, err := ReadFacts(out)
	if err != nil {
		return Unread("the line cannot be read: " + err.Error())
	}
	return f
}

// AppendCall appends the input of the companion.
func AppendCall(b []byte, text string, terminal bool) []byte {
	return append(appendBool(b, terminal), text...)
}

// ReadCall reads it.
func ReadCall(b []byte) (text string, terminal bool, err error) {
	if len(b) < 1 || b[0] > 1 {
		return "", false, errors.New("a call that cannot be read")
	}
	return string(b[1:]), b[0] == 1, nil
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendString(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

func appendStrings(b []byte, list []string) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(list)))
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

// AppendFacts appends the output of the companion.
func AppendFacts(b []byte, f *Facts) []byte {
	b = appendBool(appendBool(append(b, byte(f.Class)), f.Plain), f.Opaque)
	b = appendString(b, f.Why)
	b = appendStrings(appendStrings(b, f.Argv), f.Programs)
	t := f.Transfer
	if b = appendBool(b, t != nil); t != nil {
		b = appendBool(append(b, byte(t.Class)), t.Upload)
		b = appendStrings(appendString(b, t.Protocol), t.Paths)
	}
	return b
}

// reader reads what is left of an output.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) u8() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) bool() bool {
	v := r.u8()
	r.bad = r.bad || v > 1
	return v == 1
}

func (r *reader) class() abi.Class {
	c := abi.Class(r.u8())
	r.bad = r.bad || !c.Valid()
	return c
}

func (r *reader) u32() int {
	if len(r.b) < 4 {
		r.bad, r.b = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint32(r.b)
	r.b = r.b[4:]
	return int(v)
}

func (r *reader) string() string {
	n := r.u32()
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) strings() (list []string) {
	for n := r.u32(); n > 0 && !r.bad; n-- {
		list = append(list, r.string())
	}
	return list
}

// ReadFacts reads what AppendFacts wrote.
func ReadFacts(b []byte) (Facts, error) {
	r := reader{b: b}
	f := Facts{Class: r.class(), Plain: r.bool(), Opaque: r.bool(), Why: r.string(), Argv: r.strings(), Programs: r.strings()}
	if r.bool() {
		f.Transfer = &Transfer{Class: r.class(), Upload: r.bool(), Protocol: r.string(), Paths: r.strings()}
	}
	if r.bad || len(r.b) > 0 {
		return Facts{}, errors.New("an answer that cannot be read")
	}
	return f, nil
}
