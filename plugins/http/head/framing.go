package head

// MaxLength is the longest body that a Content-Length may declare, in bytes.
const MaxLength = 1 << 53

// Framing is how a message's body is delimited, and what becomes of the connection.
type Framing struct {
	// Length is the Content-Length; -1: there is none.
	Length int64
	// Chunked: the body comes in chunks.
	Chunked bool
	// Close and KeepAlive are options of Connection.
	Close, KeepAlive bool
	// Upgrades: Connection names Upgrade. Upgrade is the field's value, empty when there is none.
	Upgrades bool
	Upgrade  Span
}

// Problems of framing.
const (
	twoLengths   Problem = "Content-Length is there more than once"
	badLength    Problem = "Content-Length is not a plain number"
	hugeLength   Problem = "Content-Length is larger than any body"
	twoCodings   Problem = "Transfer-Encoding is there more than once"
	badCoding    Problem = "Transfer-Encoding is not just chunked"
	bothLengths  Problem = "Content-Length and Transfer-Encoding are both there"
	badOption    Problem = "Connection names something else than close, keep-alive, upgrade, te and http2-settings"
	closeAndKeep Problem = "Connection says both close and keep-alive"
	proxyOption  Problem = "Proxy-Connection and Connection say different things"
	twoUpgrades  Problem = "Upgrade is there more than once"
	badUpgrade   Problem = "Upgrade is not one protocol"
	noUpgrade    Problem = "Upgrade is there but Connection does not name it, or the other way round"
	oldChunked   Problem = "HTTP/1.0 has no Transfer-Encoding"
)

// read takes what the fields say about framing.
func (f *Framing) read(p []byte, fields *Fields, strictOptions bool) Problem {
	*f = Framing{Length: -1}
	const any = 1<<ContentLength | 1<<TransferEncoding | 1<<Connection | 1<<ProxyConnection | 1<<Upgrade
	if fields.seen&any == 0 {
		return ""
	}
	var problem Problem
	switch {
	case fields.twice&ContentLength.bit() != 0:
		return twoLengths
	case fields.twice&TransferEncoding.bit() != 0:
		return twoCodings
	case fields.twice&Upgrade.bit() != 0 && strictOptions:
		return twoUpgrades
	}
	if fields.has(ContentLength) {
		if f.Length, problem = length(fields.value(ContentLength).Of(p)); problem != "" {
			return problem
		}
	}
	if fields.has(TransferEncoding) {
		if f.Chunked = Fold(fields.value(TransferEncoding).Of(p), "chunked"); !f.Chunked {
			return badCoding
		}
		if f.Length >= 0 {
			return bothLengths
		}
	}
	if fields.has(Connection) {
		if problem = f.connection(p, fields, strictOptions); problem != "" {
			return problem
		}
	}
	if fields.has(Upgrade) {
		f.Upgrade = fields.value(Upgrade)
	}
	switch {
	case f.Close && f.KeepAlive:
		return closeAndKeep
	case !strictOptions:
		return ""
	case f.Upgrades != fields.has(Upgrade):
		return noUpgrade
	case f.Upgrades && !upgradeOK(f.Upgrade.Of(p)):
		return badUpgrade
	case fields.has(ProxyConnection) && Fold(fields.value(ProxyConnection).Of(p), "close") != f.Close:
		return proxyOption
	}
	return ""
}

// connection reads every Connection field; nearly always there is one, with one word.
func (f *Framing) connection(p []byte, fields *Fields, strict bool) Problem {
	v := fields.value(Connection).Of(p)
	if string(v) == "keep-alive" && fields.twice&Connection.bit() == 0 {
		f.KeepAlive = true
		return ""
	}
	for i := range fields.Count {
		if e := &fields.All[i]; e.Known == Connection {
			if problem := f.options(e.Value.Of(p), strict); problem != "" {
				return problem
			}
		}
	}
	return ""
}

func length(v []byte) (int64, Problem) {
	if len(v) == 0 || len(v) > 1 && v[0] == '0' {
		return 0, badLength
	}
	n := int64(0)
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, badLength
		}
		if n = n*10 + int64(c-'0'); n > MaxLength {
			return 0, hugeLength
		}
	}
	return n, ""
}

// options reads a Connection field.
func (f *Framing) options(v []byte, strict bool) Problem {
	for len(v) > 0 {
		var word []byte
		word, v = nextWord(v)
		switch {
		case len(word) == 0:
		case Fold(word, "close"):
			f.Close = true
		case Fold(word, "keep-alive"):
			f.KeepAlive = true
		case Fold(word, "upgrade"):
			f.Upgrades = true
		case Fold(word, "te"), Fold(word, "http2-settings"):
		case strict:
			return badOption
		}
	}
	return ""
}

// nextWord cuts the first element off a list.
func nextWord(v []byte) (word, rest []byte) {
	n := 0
	for n < len(v) && v[n] != ',' {
		n++
	}
	word = trim(v[:n])
	if n < len(v) {
		n++
	}
	return word, v[n:]
}

func trim(v []byte) []byte {
	for len(v) > 0 && (v[0] == ' ' || v[0] == '\t') {
		v = v[1:]
	}
	for len(v) > 0 && (v[len(v)-1] == ' ' || v[len(v)-1] == '\t') {
		v = v[:len(v)-1]
	}
	return v
}

// upgradeOK reports whether v is one protocol, NAME or NAME/VERSION.
func upgradeOK(v []byte) bool {
	for i, c := range v {
		if lower[c] == 0 && (c != '/' || i == 0) {
			return false
		}
	}
	return len(v) > 0 && len(v) <= 64
}
