package head

// Name is a field's name that means something here; 0 is every other.
type Name uint8

// The names. Those from Authorization up to LastSecret carry credentials.
const (
	Other Name = iota
	Host
	ContentLength
	TransferEncoding
	Connection
	ProxyConnection
	Upgrade
	Expect
	TE
	Trailer
	ContentType
	ContentEncoding
	HTTP2Settings
	MethodOverride // of several spellings
	UserAgent
	Plain // known, and of no consequence
	Rewrite
	Authorization
	ProxyAuthorization
	Cookie
	LastSecret
)

// known are the names, with their text as words of eight bytes, of which the last overlaps the one before.
var known = func() []knownName {
	all := names
	for i := range all {
		k := &all[i]
		size := len(k.text)
		if size < 8 {
			k.words[0] = front([]byte(k.text))
			continue
		}
		for at, n := 0, 0; at < size; at, n = at+8, n+1 {
			start := at - max(at+8-size, 0)
			k.words[n] = front([]byte(k.text[start : start+8]))
		}
	}
	return all
}()

// maxName is how long a name can be that is known, in bytes.
const maxName = 32

type knownName struct {
	text  string
	name  Name
	words [maxName / 8]uint64
}

var names = []knownName{
	{text: "host", name: Host}, {text: "content-length", name: ContentLength}, {text: "transfer-encoding", name: TransferEncoding}, {text: "connection", name: Connection},
	{text: "proxy-connection", name: ProxyConnection}, {text: "upgrade", name: Upgrade}, {text: "expect", name: Expect}, {text: "te", name: TE}, {text: "trailer", name: Trailer},
	{text: "content-type", name: ContentType}, {text: "content-encoding", name: ContentEncoding}, {text: "http2-settings", name: HTTP2Settings},
	{text: "x-http-method-override", name: MethodOverride}, {text: "x-http-method", name: MethodOverride}, {text: "x-method-override", name: MethodOverride},
	{text: "user-agent", name: UserAgent},
	// What some servers take for the path in place of the request's own.
	{text: "x-original-url", name: Rewrite}, {text: "x-rewrite-url", name: Rewrite}, {text: "x-original-uri", name: Rewrite},
	{text: "authorization", name: Authorization}, {text: "proxy-authorization", name: ProxyAuthorization}, {text: "cookie", name: Cookie}, {text: "set-cookie", name: LastSecret},
	{text: "x-api-key", name: LastSecret}, {text: "api-key", name: LastSecret}, {text: "x-auth-token", name: LastSecret}, {text: "x-amz-security-token", name: LastSecret},
	{text: "x-goog-api-key", name: LastSecret}, {text: "private-token", name: LastSecret}, {text: "x-vault-token", name: LastSecret}, {text: "x-csrf-token", name: LastSecret},
	{text: "x-xsrf-token", name: LastSecret}, {text: "x-access-token", name: LastSecret}, {text: "authentication-info", name: LastSecret}, {text: "www-authenticate", name: Plain},
	{text: "accept", name: Plain}, {text: "accept-encoding", name: Plain}, {text: "accept-language", name: Plain}, {text: "accept-ranges", name: Plain}, {text: "cache-control", name: Plain},
	{text: "date", name: Plain}, {text: "etag", name: Plain}, {text: "if-match", name: Plain}, {text: "if-modified-since", name: Plain}, {text: "if-none-match", name: Plain}, {text: "keep-alive", name: Plain},
	{text: "last-modified", name: Plain}, {text: "location", name: Plain}, {text: "origin", name: Plain}, {text: "pragma", name: Plain}, {text: "range", name: Plain}, {text: "referer", name: Plain},
	{text: "server", name: Plain}, {text: "vary", name: Plain}, {text: "age", name: Plain}, {text: "expires", name: Plain}, {text: "priority", name: Plain}, {text: "sec-fetch-mode", name: Plain},
	{text: "sec-fetch-site", name: Plain}, {text: "sec-fetch-dest", name: Plain}, {text: "upgrade-insecure-requests", name: Plain}, {text: "x-forwarded-for", name: Plain},
	{text: "x-request-id", name: Plain}, {text: "traceparent", name: Plain}, {text: "tracestate", name: Plain}, {text: "idempotency-key", name: Plain},
}

// Secret reports whether fields of this name carry credentials, so that their values are nobody's business.
func (n Name) Secret() bool { return n >= Authorization && n <= LastSecret }

const slots = 256

// table finds known names by their length and first eight bytes: index into known plus 1, open addressing.
var table = func() (t [slots]uint8) {
	for i := range known {
		s := slot(known[i].words[0], len(known[i].text))
		for t[s] != 0 {
			s++
		}
		t[s] = uint8(i + 1)
	}
	return t
}()

func slot(front uint64, size int) uint8 {
	return uint8((front*0x9e3779b97f4a7c15 + uint64(size)*0xc2b2ae3d27d4eb4f) >> 56)
}

// front are the first eight bytes of a name in lower case, with "-" for "_".
func front(p []byte) (w uint64) {
	for i := min(len(p), 8) - 1; i >= 0; i-- {
		w = w<<8 | uint64(lower[p[i]])
	}
	return w
}

// usual finds the name of size bytes, 32 at most, that stands at i, in any case of its letters; eight bytes follow i. Other: it is none that is known, and may
// not even be a token.
func usual(p []byte, i, size int) Name {
	w := word(p, i)
	if size < 8 {
		w &= 1<<(8*size) - 1
	}
	w |= cases >> (8 * max(8-size, 0))
	for s := slot(w, size); table[s] != 0; s++ {
		k := &known[table[s]-1]
		if k.words[0] != w || len(k.text) != size {
			continue
		}
		bad := below(word(p, i), ' ') // where a bit makes no letter
		for at, n := 8, 1; at < size; at, n = at+8, n+1 {
			v := word(p, i+at-max(at+8-size, 0)) // the last ones overlap
			if v|cases != k.words[n] {
				return Other
			}
			bad |= below(v, ' ')
		}
		if size < 8 {
			bad &= 1<<(8*size) - 1
		}
		if bad != 0 {
			return Other
		}
		return k.name
	}
	return Other
}

// cases are the bits that make letters lower case.
const cases = 0x2020202020202020

// NameOf is the name that p stands for. alike says that "_" stands in it for "-", which some servers do not tell apart.
func NameOf(p []byte) (n Name, alike bool) {
	for s := slot(front(p), len(p)); table[s] != 0; s++ {
		k := &known[table[s]-1]
		if !SameName(p, k.text) {
			continue
		}
		for _, c := range p {
			alike = alike || c == '_'
		}
		return k.name, alike
	}
	return Other, false
}

// SameName compares the names of two fields as the most lenient server would: "_" is "-".
func SameName(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if lower[c] == 0 || lower[c] != lower[b[i]] {
			return false
		}
	}
	return true
}
