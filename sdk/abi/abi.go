// Package abi is the interface between the Sallyport host and its plugins, version 0: the words that cross it and how they
// are written down. ABI.md in the parent folder is the specification; this package is its one implementation in Go, used by
// the host (which reads commands and writes events) and by the SDK (which does the opposite).
//
// All integers are little endian. A string is a u32 length and that many bytes. Nothing here allocates more than its input
// is long, and every reader checks each length before it uses it: both ends treat the other as hostile.
//
// The host-only half (readers of commands and actions) is left out of wasip1 builds, and the other half does without fmt and
// encoding/json, so that guests stay small: every function of a guest costs memory in each connection.
package abi

import "strconv"

// Version is what sallyport_abi returns. Version 0 may change with every release of the host; a plugin built for another
// version is refused when it is loaded.
const Version = 0

// Side names the two ends of a connection.
type Side uint8

// The two sides. Agent is the one that opened the connection, Upstream the one that the gateway dials.
const (
	Agent    Side = 0
	Upstream Side = 1
)

// Other is the side that bytes read from s go to.
func (s Side) Other() Side { return 1 - s }

func (s Side) String() string {
	switch s {
	case Agent:
		return "agent"
	case Upstream:
		return "upstream"
	}
	return "side " + strconv.Itoa(int(s))
}

// Class says how grave an action is, in the same words for every family. The order is the order of gravity.
type Class uint8

// The classes. Opaque means that what the action does cannot be read from the wire.
const (
	ClassSession Class = iota
	ClassRead
	ClassWrite
	ClassDelete
	ClassAdmin
	ClassExecute
	ClassOpaque
	classes
)

var classNames = [classes]string{"session", "read", "write", "delete", "admin", "execute", "opaque"}

// ClassNames lists every class, mildest first.
func ClassNames() []string { return append([]string(nil), classNames[:]...) }

// Valid reports whether c is one of the classes.
func (c Class) Valid() bool { return c < classes }

func (c Class) String() string {
	if c.Valid() {
		return classNames[c]
	}
	return "class " + strconv.Itoa(int(c))
}

// FamilyConnect is the family of the action that opens a connection to an endpoint: only an allowed action of this family
// lets a plugin DIAL.
const FamilyConnect = "connect"

// Limits of what one guest may say at once. The host cuts a connection off that goes past them.
const (
	// MinBuffer is the least size of each of a guest's two buffers, in bytes.
	MinBuffer = 64 << 10
	// MaxAction bounds one encoded action, in bytes.
	MaxAction = 48 << 10
	// MaxTitle bounds an action's title, in bytes.
	MaxTitle = 300
	// MaxReason bounds the reason of CLOSE, in bytes.
	MaxReason = 1 << 10
	// MaxManifest bounds a manifest, in bytes of JSON.
	MaxManifest = 64 << 10
	// MaxNote bounds the fields of one NOTE, in bytes.
	MaxNote = 4 << 10
	// MaxAuth bounds the server's words in one AUTH, in bytes.
	MaxAuth = 16 << 10
	// MinAlias and MaxAlias bound what ALIAS and UNALIAS replace, in bytes: less can be guessed, more is no key.
	MinAlias = 4
	MaxAlias = 256
)

// DataEnd is the flag of sallyport_data that says: these are the last bytes of this side.
const DataEnd uint32 = 1

// More is the bit in the result of sallyport_open, sallyport_data and sallyport_event that asks for sallyport_event(0) once
// this command list has been carried out.
const More uint32 = 1 << 31
