package proto

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

func encode(t testing.TB, m interface {
	Encode([]byte) ([]byte, error)
}) []byte {
	t.Helper()
	b, err := m.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestFrontend reads what another implementation writes, and nothing that is a byte shorter or longer.
func TestFrontend(t *testing.T) {
	long := strings.Repeat("n", 70)
	for _, c := range []struct {
		name string
		m    interface{ Encode([]byte) ([]byte, error) }
		read func([]byte) (string, error)
		want string
	}{
		{"Query", &pgproto3.Query{String: "SELECT 1"}, func(m []byte) (string, error) {
			text, err := ReadQuery(m)
			return string(text), err
		}, "SELECT 1"},
		{"Parse", &pgproto3.Parse{Name: long, Query: "SELECT $1", ParameterOIDs: []uint32{23}}, func(m []byte) (string, error) {
			name, text, err := ReadParse(m)
			return string(name) + " " + string(text), err
		}, long[:63] + " SELECT $1"},
		{"Bind", &pgproto3.Bind{DestinationPortal: "p", PreparedStatement: "s", ParameterFormatCodes: []int16{1, 0}, Parameters: [][]byte{nil, {}, []byte("abc")}, ResultFormatCodes: []int16{1}},
			func(m []byte) (string, error) {
				portal, name, err := ReadBind(m)
				return string(portal) + " " + string(name), err
			}, "p s"},
		{"Bind with as many values as there can be", &pgproto3.Bind{Parameters: make([][]byte, 65535)}, func(m []byte) (string, error) {
			_, _, err := ReadBind(m)
			return "", err
		}, ""},
		{"Describe", &pgproto3.Describe{ObjectType: 'S', Name: "s"}, readTarget, "S s"},
		{"Close", &pgproto3.Close{ObjectType: 'P', Name: "p"}, readTarget, "P p"},
		{"Execute", &pgproto3.Execute{Portal: "p", MaxRows: 7}, func(m []byte) (string, error) {
			portal, err := ReadExecute(m)
			return string(portal), err
		}, "p"},
		{"FunctionCall", &pgproto3.FunctionCall{Function: 65, ArgFormatCodes: []uint16{0}, Arguments: [][]byte{[]byte("1"), nil}}, func(m []byte) (string, error) {
			oid, err := ReadFunctionCall(m)
			return string(rune(oid)), err
		}, "A"},
	} {
		m := encode(t, c.m)
		if got, err := c.read(m); err != nil || got != c.want {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		for _, bad := range [][]byte{m[:len(m)-1], append(bytes.Clone(m), 0)} {
			if _, err := c.read(bad); !errors.Is(err, ErrFormat) {
				t.Errorf("%s of %d instead of %d bytes: %v", c.name, len(bad), len(m), err)
			}
		}
		for n := HeaderSize; n < len(m) && n < 100; n++ {
			if _, err := c.read(m[:n]); err == nil {
				t.Errorf("%s cut at %d is read", c.name, n)
			}
		}
	}
	if _, err := ReadQuery(Append(nil, Query, []byte("SELECT 1\x00; DELETE FROM t\x00")...)); err == nil {
		t.Error("a Query with a zero byte in it is read")
	}
	if _, _, err := ReadTarget(Append(nil, Describe, 'X', 0)); err == nil {
		t.Error("a Describe of neither is read")
	}
}

func readTarget(m []byte) (string, error) {
	kind, name, err := ReadTarget(m)
	return string(kind) + " " + string(name), err
}

func TestHeader(t *testing.T) {
	for _, c := range []struct {
		p    string
		size int64
		ok   bool
	}{
		{"Q\x00\x00\x00", 0, false},
		{"Q\x00\x00\x00\x04", 5, true},
		{"Q\x00\x00\x00\x00", 1, true},
		{"Q\xff\xff\xff\xff", 0, true},
		{"Q\x80\x00\x00\x00", -1<<31 + 1, true},
		{"Q\x7f\xff\xff\xff", 1 << 31, true},
	} {
		if _, size, ok := Header([]byte(c.p)); size != c.size || ok != c.ok {
			t.Errorf("%q: %d, %v", c.p, size, ok)
		}
	}
}

func TestStartup(t *testing.T) {
	m := encode(t, &pgproto3.StartupMessage{ProtocolVersion: 3 << 16, Parameters: map[string]string{"user": "u"}})
	code, size, ok, err := StartupHeader(m)
	if code != 3<<16 || size != len(m) || !ok || err != nil {
		t.Errorf("%x, %d, %v, %v", code, size, ok, err)
	}
	got := ""
	if err := ReadStartup(m, func(name, value []byte) { got += string(name) + "=" + string(value) + ";" }); err != nil || got != "user=u;" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "user", "user\x00", "user\x00u", "user\x00u\x00", "user\x00u\x00\x00\x00"} {
		if err := ReadStartup(append(make([]byte, 8), bad...), func(_, _ []byte) {}); !errors.Is(err, ErrStartupLayout) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, n := range []string{"\x00\x00\x00\x07", "\x00\x00\x27\x15", "\xff\xff\xff\xff", "\x16\x03\x01\x02"} {
		if _, _, _, err := StartupHeader([]byte(n)); !errors.Is(err, ErrStartupLength) {
			t.Errorf("%q: %v", n, err)
		}
	}
}

func TestIsFalse(t *testing.T) {
	for _, v := range []string{"f", "False", "n", "NO", "of", "off", "0"} {
		if !IsFalse([]byte(v)) {
			t.Errorf("%q is false", v)
		}
	}
	for _, v := range []string{"", "o", "on", "true", "1", "database", "offf", "00", "none"} {
		if IsFalse([]byte(v)) {
			t.Errorf("%q is not", v)
		}
	}
}

func TestErrors(t *testing.T) {
	m := AppendError(nil, &Error{Severity: "ERROR", Code: "42501", Message: "a\x00b", Detail: "d"})
	var e pgproto3.ErrorResponse
	if err := e.Decode(m[HeaderSize:]); err != nil {
		t.Fatal(err)
	}
	if e.Severity != "ERROR" || e.SeverityUnlocalized != "ERROR" || e.Code != "42501" || e.Message != "a b" || e.Detail != "d" || e.Hint != "" {
		t.Errorf("%+v", e)
	}
	for fields, fatal := range map[string]bool{
		"SFATAL\x00VFATAL\x00C57P01\x00\x00":    true,
		"SSCHWERWIEGEND\x00VFATAL\x00C\x00\x00": true,
		"SPANIC\x00C\x00\x00":                   true,
		"SERROR\x00VERROR\x00C\x00\x00":         false,
		"SFATAL\x00VERROR\x00\x00":              false,
		"MFATAL\x00":                            false,
		"":                                      false,
	} {
		if IsFatal(Append(nil, ErrorResponse, []byte(fields)...)) != fatal {
			t.Errorf("%q: not %v", fields, fatal)
		}
	}
}

func TestBackend(t *testing.T) {
	if minor, n, err := ReadNegotiate(encode(t, &pgproto3.NegotiateProtocolVersion{NewestMinorProtocol: 2, UnrecognizedOptions: []string{"_pq_.a", "_pq_.b"}})); minor != 2 || n != 2 || err != nil {
		t.Errorf("%d, %d, %v", minor, n, err)
	}
	if minor, _, err := ReadNegotiate(Append(nil, NegotiateProtocolVersion, 0, 3, 0, 0, 0, 0, 0, 0)); minor != 0 || err != nil {
		t.Errorf("the form of PostgreSQL 15: %d, %v", minor, err)
	}
	if _, _, err := ReadNegotiate(Append(nil, NegotiateProtocolVersion, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff)); err == nil {
		t.Error("a count of 2^31-1 is read")
	}
	for tag, rows := range map[string]string{"SELECT 12": "12", "INSERT 0 3": "3", "BEGIN": "", "CREATE TABLE": "", "": "", "7": "7"} {
		if got := string(Rows([]byte(tag))); got != rows {
			t.Errorf("%q: %q", tag, got)
		}
	}
	for _, status := range []byte("ITE") {
		if got, err := ReadReady(Append(nil, ReadyForQuery, status)); got != status || err != nil {
			t.Errorf("%c: %c, %v", status, got, err)
		}
	}
	if _, err := ReadReady(Append(nil, ReadyForQuery, 'X')); err == nil {
		t.Error("status X is read")
	}
}

// FuzzMessages reads anything as any message.
func FuzzMessages(f *testing.F) {
	f.Add([]byte("Q\x00\x00\x00\x0dSELECT 1\x00"))
	f.Add([]byte("B\x00\x00\x00\x0cp\x00s\x00\x00\x00\xff\xff\x00\x00"))
	f.Add([]byte("v\x00\x00\x00\x0c\x00\x03\x00\x00\x7f\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x10\x00\x03\x00\x00user\x00u\x00\x00"))
	f.Fuzz(func(t *testing.T, m []byte) {
		if code, size, ok, err := StartupHeader(m); ok && (err != nil || size < 8 || size > 4+MaxStartup || code == 0 && len(m) < 8) {
			t.Errorf("a packet of %d bytes, %v", size, err)
		}
		if len(m) >= 8 {
			ReadStartup(m, func(name, _ []byte) {
				if len(name) == 0 {
					t.Error("a parameter without a name")
				}
			})
		}
		if _, _, ok := Header(m); !ok {
			return
		}
		ReadParse(m)
		ReadBind(m)
		ReadTarget(m)
		ReadExecute(m)
		ReadFunctionCall(m)
		ReadNegotiate(m)
		ReadParameterStatus(m)
		ReadCommandComplete(m)
		ReadReady(m)
		IsFatal(m)
		if text, err := ReadQuery(m); err == nil && (bytes.IndexByte(text, 0) >= 0 || len(text) != len(m)-HeaderSize-1) {
			t.Errorf("%q is not the whole of %q", text, m)
		}
	})
}
