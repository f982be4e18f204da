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

var known = []struct {
	text string
	name Name
}{
	{"host", Host}, {"content-length", ContentLength}, {"transfer-encoding", TransferEncoding}, {"connection", Connection},
	{"proxy-connection", ProxyConnection}, {"upgrade", Upgrade}, {"expect", Expect}, {"te", TE}, {"trailer", Trailer},
	{"content-type", ContentType}, {"content-encoding", ContentEncoding}, {"http2-settings", HTTP2Settings},
	{"x-http-method-override", MethodOverride}, {"x-http-method", MethodOverride}, {"x-method-override", MethodOverride},
	{"user-agent", UserAgent},
	// What some servers take for the path in place of the request's own.
	{"x-original-url", Rewrite}, {"x-rewrite-url", Rewrite}, {"x-original-uri", Rewrite},
	{"authorization", Authorization}, {"proxy-authorization", ProxyAuthorization}, {"cookie", Cookie}, {"set-cookie", LastSecret},
	{"x-api-key", LastSecret}, {"api-key", LastSecret}, {"x-auth-token", LastSecret}, {"x-amz-security-token", LastSecret},
	{"x-goog-api-key", LastSecret}, {"private-token", LastSecret}, {"x-vault-token", LastSecret}, {"x-csrf-token", LastSecret},
	{"x-xsrf-token", LastSecret}, {"x-access-token", LastSecret}, {"authentication-info", LastSecret}, {"www-authenticate", Plain},
	{"accept", Plain}, {"accept-encoding", Plain}, {"accept-language", Plain}, {"accept-ranges", Plain}, {"cache-control", Plain},
	{"date", Plain}, {"etag", Plain}, {"if-match", Plain}, {"if-modified-since", Plain}, {"if-none-match", Plain}, {"keep-alive", Plain},
	{"last-modified", Plain}, {"location", Plain}, {"origin", Plain}, {"pragma", Plain}, {"range", Plain}, {"referer", Plain},
	{"server", Plain}, {"vary", Plain}, {"age", Plain}, {"expires", Plain}, {"priority", Plain}, {"sec-fetch-mode", Plain},
	{"sec-fetch-site", Plain}, {"sec-fetch-dest", Plain}, {"upgrade-insecure-requests", Plain}, {"x-forwarded-for", Plain},
	{"x-request-id", Plain}, {"traceparent", Plain}, {"tracestate", Plain}, {"idempotency-key", Plain},
}

// Secret reports whether fields of this name carry credentials, so that their values are nobody's business.
func (n Name) Secret() bool { return n >= Authorization && n <= LastSecret }

const (
	slots    = 256
	hashMult = 31
)

// table finds known names by the hash of their lower-case letters: index into known plus 1, open addressing.
var table = func() (t [slots]uint8) {
	for i, k := range known {
		h := uint32(0)
		for j := range len(k.text) {
			h = h*hashMult + uint32(k.text[j])
		}
		s := slot(h)
		for t[s] != 0 {
			s = (s + 1) % slots
		}
		t[s] = uint8(i + 1)
	}
	return t
}()

func slot(h uint32) uint32 { return (h ^ h>>8 ^ h>>17) % slots }

// lookup finds the name that hashes to h. alike says that p is not quite that name: "_" stands in it for "-".
func lookup(p []byte, h uint32) (n Name, alike bool) {
	for s := slot(h); table[s] != 0; s = (s + 1) % slots {
		k := &known[table[s]-1]
		if len(k.text) != len(p) {
			continue
		}
		same := true
		for i, c := range p {
			if lower[c] != k.text[i] {
				same = false
				break
			}
			alike = alike || c == '_'
		}
		if same {
			return k.name, alike
		}
		alike = false
	}
	return Other, false
}

// NameOf is the name that p stands for. alike says that "_" stands in it for "-", which some servers do not tell apart.
func NameOf(p []byte) (n Name, alike bool) {
	h := uint32(0)
	for _, c := range p {
		h = h*hashMult + uint32(lower[c])
	}
	return lookup(p, h)
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
