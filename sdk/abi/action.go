package abi

// ActionWriter writes an action field by field:
//
//	u16 family | u8 class | string title | u16 count | count times: u16 field, u8 known, value if known
//
// Families and fields are given by their index in the manifest. A value is a u8 for a bool, an i64 for an int, a string for
// a string, and a u32 count of strings for a list. A field that is not written is not known to the host, and neither is one
// that was written with Unknown: both count against the agent (a match for deny, hold and judge; none for allow).
type ActionWriter struct {
	b     []byte
	count int // where the count of fields stands
	n     uint16
}

// Begin starts an action at the end of b; End returns the result. The title is cut at MaxTitle.
func (w *ActionWriter) Begin(b []byte, family uint16, class Class, title string) {
	b = le.AppendUint16(b, family)
	b = append(b, byte(class))
	if len(title) > MaxTitle {
		title = title[:MaxTitle]
	}
	b = appendString(b, title)
	w.count, w.n = len(b), 0
	w.b = append(b, 0, 0)
}

func (w *ActionWriter) field(i uint16, known byte) {
	w.n++
	w.b = append(w.b, byte(i), byte(i>>8), known)
}

// Unknown says that field i has a value which the plugin does not know.
func (w *ActionWriter) Unknown(i uint16) { w.field(i, 0) }

// Bool gives field i of type bool.
func (w *ActionWriter) Bool(i uint16, v bool) {
	w.field(i, 1)
	if v {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

// Int gives field i of type int.
func (w *ActionWriter) Int(i uint16, v int64) {
	w.field(i, 1)
	w.b = le.AppendUint64(w.b, uint64(v))
}

// String gives field i of type string.
func (w *ActionWriter) String(i uint16, v string) {
	w.field(i, 1)
	w.b = appendString(w.b, v)
}

// Strings gives field i of type strings.
func (w *ActionWriter) Strings(i uint16, v []string) {
	w.field(i, 1)
	w.b = le.AppendUint32(w.b, uint32(len(v)))
	for _, s := range v {
		w.b = appendString(w.b, s)
	}
}

// Len is how many bytes have been written so far, those before the action included.
func (w *ActionWriter) Len() int { return len(w.b) }

// End returns what Begin was given and the action behind it.
func (w *ActionWriter) End() []byte {
	le.PutUint16(w.b[w.count:], w.n)
	return w.b
}
