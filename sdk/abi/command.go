package abi

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
)

var tagNames = [...]string{TagAsk: "ASK", TagPass: "PASS", TagDrop: "DROP", TagSend: "SEND", TagStock: "STOCK",
	TagDial: "DIAL", TagShut: "SHUT", TagClose: "CLOSE", TagNote: "NOTE", TagDone: "DONE", TagPause: "PAUSE"}

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

	askFlags = AskStreaming
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

// AppendAsk appends ASK: a decision is wanted on the encoded action, which covers the next extent bytes of the agent.
func AppendAsk(b []byte, id uint32, extent uint64, flags uint8, action []byte) []byte {
	b, s := begin(b, TagAsk)
	b = le.AppendUint32(b, id)
	b = le.AppendUint64(b, extent)
	b = append(b, flags)
	b = append(b, action...)
	return finish(b, s)
}

// AppendPass appends PASS: the next n input bytes of side go to the other side, under action id when side is Agent.
func AppendPass(b []byte, side Side, id uint32, n uint64) []byte {
	b, s := begin(b, TagPass)
	b = append(b, byte(side))
	b = le.AppendUint32(b, id)
	b = le.AppendUint64(b, n)
	return finish(b, s)
}

// ExtendPass makes the PASS that ends b longer by n when it is for the same side and id, and reports whether it did: a
// plugin that passes message by message then sends one command for each run of messages. The caller knows that the last
// command of b is a PASS: the bytes of a SEND can look like one.
func ExtendPass(b []byte, side Side, id uint32, n uint64) bool {
	const size = commandHead + 13
	if len(b) < size {
		return false
	}
	c := b[len(b)-size:]
	if Tag(c[0]) != TagPass || le.Uint32(c[1:]) != 13 || Side(c[5]) != side || le.Uint32(c[6:]) != id {
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
	b, s := begin(b, TagDrop)
	b = append(b, byte(side))
	b = le.AppendUint64(b, n)
	return finish(b, s)
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
	b, s := begin(b, TagStock)
	b = le.AppendUint16(b, k)
	return finish(b, s)
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
	b, s := begin(b, TagNote)
	b = le.AppendUint32(b, id)
	for _, p := range pairs {
		b = appendString(b, p)
	}
	return finish(b, s)
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

// CommandSize is how many bytes the first command of list takes, its head included; list must hold a whole head.
func CommandSize(list []byte) int { return commandHead + int(le.Uint32(list[1:])) }
