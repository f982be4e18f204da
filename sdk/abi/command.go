package abi

import "slices"

// Tag names a command of a command list. A command is a u8 tag, a u32 length and that many bytes.
type Tag uint8

// The commands of version 0 that the host carries out; ABI.md says what each does and when it is refused.
const (
	TagAsk   Tag = 1
	TagPass  Tag = 2
	TagDrop  Tag = 3
	TagSend  Tag = 4
	TagStock Tag = 5
	TagDial  Tag = 6
	TagShut  Tag = 7
	TagClose Tag = 8
	TagNote  Tag = 9
	TagDone  Tag = 10
	TagPause Tag = 11

	TagTLS     Tag = 12
	TagAuth    Tag = 13
	TagAlias   Tag = 14
	TagUnalias Tag = 15
	TagScan    Tag = 16

	TagWithdraw Tag = 17
	TagSecret   Tag = 18
	TagSign     Tag = 19

	TagKeep     Tag = 20
	TagValues   Tag = 21
	TagText     Tag = 22
	TagRelease  Tag = 23
	TagAnswered Tag = 24

	TagRelogin Tag = 25
)

var tagNames = [...]string{TagAsk: "ASK", TagPass: "PASS", TagDrop: "DROP", TagSend: "SEND", TagStock: "STOCK",
	TagDial: "DIAL", TagShut: "SHUT", TagClose: "CLOSE", TagNote: "NOTE", TagDone: "DONE", TagPause: "PAUSE",
	TagTLS: "TLS", TagAuth: "AUTH", TagAlias: "ALIAS", TagUnalias: "UNALIAS", TagScan: "SCAN",
	TagWithdraw: "WITHDRAW", TagSecret: "SECRET", TagSign: "SIGN", TagKeep: "KEEP", TagValues: "VALUES", TagText: "TEXT",
	TagRelease: "RELEASE", TagAnswered: "ANSWERED", TagRelogin: "RELOGIN"}

func (t Tag) String() string {
	if int(t) < len(tagNames) && tagNames[t] != "" {
		return tagNames[t]
	}
	return "unknown command"
}

// Flags of ASK.
const (
	// AskStreaming declares an action without a known end: it covers every agent byte from its start until DONE. Rules
	// see it as action.streaming.
	AskStreaming uint8 = 1 << 0

	// AskQuiet has the verdict's event left out when the action is allowed: the next call that is not the event of a denial
	// means so. It saves a call for each action of a plugin that has nothing to do then. Of an action that is held the guest
	// always hears.
	AskQuiet uint8 = 1 << 1

	// AskAside declares an action that is tied to no place of the agent's stream and stops nothing, for protocols that carry
	// several things at once. What the guest passes and sends to the upstream under it is put aside, in order, until it is
	// allowed, and forgotten when it is denied. It has no extent and lasts until DONE or its denial.
	AskAside uint8 = 1 << 2

	// AskResponse asks about the answer of an action, which stands in the place of the extent: about what is kept for it. It stops nothing of
	// the agent; unless it is aside, nothing of the upstream is shown before its verdict.
	AskResponse uint8 = 1 << 3

	// AskTruncated says that the answer is longer than what may be kept of it, and goes on.
	AskTruncated uint8 = 1 << 4

	askFlags = AskStreaming | AskQuiet | AskAside | AskResponse | AskTruncated
)

// commandHead is the size of a command's tag and length.
const commandHead = 5

// begin starts a command and returns where its value starts; finish writes the length.
func begin(b []byte, t Tag) ([]byte, int) {
	b = append(b, byte(t), 0, 0, 0, 0)
	return b, len(b)
}

func finish(b []byte, start int) []byte {
	le.PutUint32(b[start-4:], uint32(len(b)-start))
	return b
}

// command appends a command with room for a value of size bytes, which is the second result. It is for the commands that every action has.
func command(b []byte, t Tag, size int) (all, value []byte) {
	at, end := len(b), len(b)+commandHead+size
	if end > cap(b) {
		b = slices.Grow(b, commandHead+size)
	}
	b = b[:end]
	c := b[at:end]
	le.PutUint32(c[1:], uint32(size))
	c[0] = byte(t)
	return b, c[commandHead:]
}

// AppendAsk appends ASK: a decision is wanted on the encoded action, which covers the next extent bytes of the agent. The action
// may come in parts, which stand one behind the other.
func AppendAsk(b []byte, id uint32, extent uint64, flags uint8, action ...[]byte) []byte {
	const head = 13
	size := head
	for _, part := range action {
		size += len(part)
	}
	b, v := command(b, TagAsk, size)
	v[12] = flags
	le.PutUint64(v[4:], extent)
	le.PutUint32(v, id)
	v = v[head:]
	for _, part := range action {
		v = v[copy(v, part):]
	}
	return b
}

// passSize is the size of the value of PASS.
const passSize = 13

// AppendPass appends PASS: the next n input bytes of side go to the other side, under action id when side is Agent.
func AppendPass(b []byte, side Side, id uint32, n uint64) []byte {
	b, v := command(b, TagPass, passSize)
	le.PutUint64(v[5:], n)
	le.PutUint32(v[1:], id)
	v[0] = byte(side)
	return b
}

// ExtendPass makes the PASS that ends b longer by n when it is for the same side and id, and reports whether it did: a
// plugin that passes message by message then sends one command for each run of messages. The caller knows that the last
// command of b is a PASS: the bytes of a SEND can look like one.
func ExtendPass(b []byte, side Side, id uint32, n uint64) bool {
	const size = commandHead + passSize
	if len(b) < size {
		return false
	}
	c := b[len(b)-size:]
	if Tag(c[0]) != TagPass || le.Uint32(c[1:]) != passSize || Side(c[5]) != side || le.Uint32(c[6:]) != id {
		return false
	}
	old := le.Uint64(c[10:])
	if old+n < old {
		return false
	}
	le.PutUint64(c[10:], old+n)
	return true
}

// AppendDrop appends DROP: forget the next n input bytes of side.
func AppendDrop(b []byte, side Side, n uint64) []byte {
	b, v := command(b, TagDrop, 9)
	le.PutUint64(v[1:], n)
	v[0] = byte(side)
	return b
}

// AppendSend appends SEND: write p to side; towards the upstream only under the open allowed action id.
func AppendSend(b []byte, side Side, id uint32, p []byte) []byte {
	b, s := begin(b, TagSend)
	b = append(b, byte(side))
	b = le.AppendUint32(b, id)
	b = append(b, p...)
	return finish(b, s)
}

// AppendStock appends STOCK: write constant number k of the manifest to the upstream.
func AppendStock(b []byte, k uint16) []byte {
	b, v := command(b, TagStock, 2)
	le.PutUint16(v, k)
	return b
}

// AppendDial appends DIAL: connect to the upstream under the allowed connect action id.
func AppendDial(b []byte, id uint32) []byte {
	b, s := begin(b, TagDial)
	b = le.AppendUint32(b, id)
	return finish(b, s)
}

// AppendShut appends SHUT: nothing more is written to side.
func AppendShut(b []byte, side Side) []byte {
	b, s := begin(b, TagShut)
	b = append(b, byte(side))
	return finish(b, s)
}

// AppendClose appends CLOSE: write out what is queued, then end the connection. failed says that the connection ends because
// something could not be understood, so that the record reads fail_closed.
func AppendClose(b []byte, failed bool, reason string) []byte {
	b, s := begin(b, TagClose)
	if failed {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	if len(reason) > MaxReason {
		reason = reason[:MaxReason]
	}
	b = append(b, reason...)
	return finish(b, s)
}

// AppendNote appends NOTE: what became of action id, as pairs of name and value.
func AppendNote(b []byte, id uint32, pairs ...string) []byte {
	size := 4 + 4*len(pairs)
	for _, p := range pairs {
		size += len(p)
	}
	b, v := command(b, TagNote, size)
	le.PutUint32(v, id)
	v = v[4:]
	for _, p := range pairs {
		le.PutUint32(v, uint32(len(p)))
		v = v[4+copy(v[4:], p):]
	}
	return b
}

// AppendDone appends DONE: the streaming action id ends here.
func AppendDone(b []byte, id uint32) []byte {
	b, s := begin(b, TagDone)
	b = le.AppendUint32(b, id)
	return finish(b, s)
}

// AppendPause appends PAUSE: deliver nothing more of side until a PAUSE with on false.
func AppendPause(b []byte, side Side, on bool) []byte {
	b, s := begin(b, TagPause)
	b = append(b, byte(side), 0)
	if on {
		b[len(b)-1] = 1
	}
	return finish(b, s)
}

// AppendTLS appends TLS: from the cursor of side on, that side speaks TLS with the host.
func AppendTLS(b []byte, side Side) []byte {
	b, s := begin(b, TagTLS)
	b = append(b, byte(side))
	return finish(b, s)
}

// AppendAuth appends AUTH: write the answer of login slot slot to the server's words p to the upstream, under the connect
// action id.
func AppendAuth(b []byte, id uint32, slot uint16, p []byte) []byte {
	b, s := begin(b, TagAuth)
	b = le.AppendUint32(b, id)
	b = le.AppendUint16(b, slot)
	b = append(b, p...)
	return finish(b, s)
}

// AppendRelogin appends RELOGIN: the upstream has refused the login of slot slot, under the connect action id, in the words p, of which at most
// MaxReason bytes are written.
func AppendRelogin(b []byte, id uint32, slot uint16, p []byte) []byte {
	b, s := begin(b, TagRelogin)
	b = le.AppendUint32(b, id)
	b = le.AppendUint16(b, slot)
	b = append(b, p[:min(len(p), MaxReason)]...)
	return finish(b, s)
}

// AppendAlias appends ALIAS: the agent gets a random value in place of the next n bytes of the upstream.
func AppendAlias(b []byte, n uint32) []byte {
	b, s := begin(b, TagAlias)
	b = le.AppendUint32(b, n)
	return finish(b, s)
}

// AppendUnalias appends UNALIAS: under action id the upstream gets what the next n bytes of the agent are an alias of.
func AppendUnalias(b []byte, id, n uint32) []byte {
	b, s := begin(b, TagUnalias)
	b = le.AppendUint32(b, id)
	b = le.AppendUint32(b, n)
	return finish(b, s)
}

// AppendScan appends SCAN: the host walks the frames of side by itself and passes those of the given types, of the agent
// under the streaming action id, until one of another type comes.
func AppendScan(b []byte, side Side, id uint32, f *Framing, types *TypeSet) []byte {
	b, s := begin(b, TagScan)
	b = append(b, byte(side))
	b = le.AppendUint32(b, id)
	b = append(b, f.Head, f.TypeAt, f.LengthAt, f.LengthWidth, 0)
	if f.BigEndian {
		b[len(b)-1] = scanBigEndian
	}
	b = le.AppendUint32(b, uint32(f.Adjust))
	b = le.AppendUint64(b, f.Max)
	b = append(b, types[:]...)
	return finish(b, s)
}

// AppendWithdraw appends WITHDRAW: the agent took action id back. Its verdict follows: denied, unless it was decided before.
func AppendWithdraw(b []byte, id uint32) []byte {
	b, s := begin(b, TagWithdraw)
	b = le.AppendUint32(b, id)
	return finish(b, s)
}

// AppendSecret appends SECRET: under action id the host writes the secret of slot to the upstream, in the slot's form.
func AppendSecret(b []byte, id uint32, slot uint16) []byte {
	b, s := begin(b, TagSecret)
	b = le.AppendUint32(b, id)
	b = le.AppendUint16(b, slot)
	return finish(b, s)
}

// CommandSize is how many bytes the first command of list takes, its head included; list must hold a whole head.
func CommandSize(list []byte) int { return commandHead + int(le.Uint32(list[1:])) }
