package facts

import (
	"encoding/binary"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// The fields of an action, in the form of abi.ActionWriter. A value that has no room is left out: it is unknown.

// at makes room for a field with a value of n bytes.
func (a *Action) at(field uint16, n int) []byte {
	if n > len(a.fields)-a.used-3 {
		return nil
	}
	b := a.fields[a.used : a.used+3+n]
	b[0], b[1], b[2] = byte(field), byte(field>>8), 1
	a.used += 3 + n
	a.count++
	return b[3:]
}

func (a *Action) put(field uint16, v []byte) {
	if b := a.at(field, 4+len(v)); b != nil {
		binary.LittleEndian.PutUint32(b, uint32(len(v)))
		copy(b[4:], v)
	}
}

// putLower gives v in lower case.
func (a *Action) putLower(field uint16, v []byte) {
	if b := a.at(field, 4+len(v)); b != nil {
		binary.LittleEndian.PutUint32(b, uint32(len(v)))
		b = b[4:]
		for i, c := range v {
			b[i] = lowerCase[c]
		}
	}
}

func (a *Action) putBool(field uint16, v bool) {
	if b := a.at(field, 1); b != nil {
		b[0] = 0
		if v {
			b[0] = 1
		}
	}
}

func (a *Action) putInt(field uint16, v int64) {
	if b := a.at(field, 8); b != nil {
		binary.LittleEndian.PutUint64(b, uint64(v))
	}
}

func (a *Action) putList(field uint16, list []string) {
	size := 4
	for _, s := range list {
		size += 4 + len(s)
	}
	b := a.at(field, size)
	if b == nil {
		return
	}
	binary.LittleEndian.PutUint32(b, uint32(len(list)))
	b = b[4:]
	for _, s := range list {
		binary.LittleEndian.PutUint32(b, uint32(len(s)))
		b = b[4+copy(b[4:], s):]
	}
}

// putFixed gives what is the same for every request of a connection.
func (a *Action) putFixed(r *Request) {
	f := &a.fixed
	if f.count == 0 || f.version != r.Version || f.server != r.ServerName || f.tls != r.TLS || f.credential != r.Credential {
		f.encode(r)
	}
	if f.size <= len(a.fields)-a.used {
		a.used += copy(a.fields[a.used:], f.bytes[:f.size])
		a.count += f.count
	}
}

func (f *fixed) encode(r *Request) {
	f.version, f.server, f.tls, f.credential = r.Version, r.ServerName, r.TLS, r.Credential
	b := abi.ActionWriter{}
	b.Begin(nil, FamilyHTTP, 0, "")
	before := b.Len()
	b.String(fieldScheme, scheme(r.TLS))
	b.String(fieldVersion, r.Version)
	b.Bool(fieldTLS, r.TLS)
	b.Bool(fieldGatewayCredential, r.Credential)
	f.count = 4
	if len(r.ServerName) <= 255 {
		b.String(fieldServerName, r.ServerName)
		f.count++
	}
	f.size = copy(f.bytes[:], b.End()[before:])
}

// nothing are the fields of a request without a body, an override and an upgrade, that are about these.
var nothing, nothingCount = func() ([]byte, int) {
	b := abi.ActionWriter{}
	b.Begin(nil, FamilyHTTP, 0, "")
	before := b.Len()
	b.String(fieldContentType, "")
	b.Int(fieldContentLength, 0)
	b.String(fieldBody, "")
	b.Strings(fieldJSON, nil)
	b.String(fieldOverride, "")
	b.String(fieldUpgrade, "")
	return b.End()[before:], 6
}()
