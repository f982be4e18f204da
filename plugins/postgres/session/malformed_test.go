package session

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// errorsOf says what the server at address answers to bytes behind a login, shortly: the errors, and EOF.
func errorsOf(t *testing.T, address string, p []byte) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := &raw{t: t, conn: conn, f: pgproto3.NewFrontend(conn, conn)}
	r.send(&pgproto3.StartupMessage{ProtocolVersion: 196608, Parameters: map[string]string{"user": "postgres", "client_encoding": "UTF8"}})
	r.want("Z:I")
	r.write(p)
	conn.(*net.TCPConn).CloseWrite()
	var got []string
	for {
		m, err := r.f.Receive()
		if err != nil {
			return strings.Join(append(got, "EOF"), " | ")
		}
		switch m := m.(type) {
		case *pgproto3.ErrorResponse:
			got = append(got, m.Severity+" "+m.Code+" "+m.Message)
		case *pgproto3.CommandComplete:
			got = append(got, string(m.CommandTag))
		}
	}
}

// TestMalformed has messages that are none: the answer is the server's own, and nothing behind them is read.
func TestMalformed(t *testing.T) {
	v := startLive(t, allowAll)
	message := func(typ byte, body string) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{typ}, uint32(4+len(body))), body...)
	}
	head := func(typ byte, n int64) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{typ}, uint32(n)), "SELECT 1\x00"...)
	}
	copyIn := encoded(query("CREATE TEMP TABLE m (i int); COPY m FROM STDIN"))
	cases := map[string][]byte{
		"Query without an end":           message('Q', "SELECT 1"),
		"Query with two ends":            message('Q', "SELECT 1\x00\x00"),
		"Query of nothing":               message('Q', ""),
		"Parse without a text":           message('P', "s\x00"),
		"Parse without types":            message('P', "s\x00SELECT 1\x00"),
		"Parse with too few types":       message('P', "s\x00SELECT 1\x00\x00\x02\x00\x00\x00\x00"),
		"Parse with more":                message('P', "s\x00SELECT 1\x00\x00\x00x"),
		"Bind of nothing":                message('B', ""),
		"Bind without parameters":        append(encoded(parse("", "SELECT 1")), message('B', "\x00\x00")...),
		"Describe of nothing":            message('D', ""),
		"Describe of neither":            message('D', "X\x00"),
		"Describe without an end":        message('D', "Ss"),
		"Close of neither":               message('C', "X\x00"),
		"Close with more":                message('C', "S\x00\x00"),
		"Execute of nothing":             message('E', ""),
		"Execute without a count":        message('E', "\x00\x00"),
		"Execute with more":              message('E', "\x00\x00\x00\x00\x00\x00"),
		"FunctionCall of nothing":        message('F', ""),
		"Sync with a body":               message('S', "x"),
		"Flush with a body":              message('H', "x"),
		"Terminate with a body":          message('X', "x"),
		"a type of the server":           message('R', "\x00\x00\x00\x00"),
		"a password":                     message('p', "secret\x00"),
		"type 0":                         message(0, ""),
		"type 255":                       message(255, "x"),
		"Query in COPY":                  append(append([]byte{}, copyIn...), message('Q', "SELECT 1\x00")...),
		"Parse in COPY":                  append(append([]byte{}, copyIn...), message('P', "\x00SELECT 1\x00\x00\x00")...),
		"unknown in COPY":                append(append([]byte{}, copyIn...), message('?', "")...),
		"a wrong length in COPY":         append(append([]byte{}, copyIn...), head('d', 3)...),
		"unknown behind a pipeline":      append(encoded(parse("", "SELECT 1"), bind("", ""), execute("")), message('?', "")...),
		"Query behind a failed pipeline": append(encoded(parse("", "SELECT 1/0"), bind("", ""), execute("")), message('?', "")...),
		"Bind of nothing in a pipeline":  append(encoded(parse("", "SELECT 1"), bind("", ""), execute("")), message('B', "")...),
		"a long CopyDone":                append(append([]byte{}, copyIn...), head('c', 10001)...),
	}
	for _, typ := range []byte("QPBEDCSHFXdcf?") {
		for _, n := range []int64{0, 3, -1, -1 << 31, 1<<31 - 1, 0x3fffffff} {
			cases[fmt.Sprintf("%c of %d", typ, n)] = head(typ, n)
		}
	}
	for name, p := range cases {
		direct := errorsOf(t, server.address(t), p)
		if got := errorsOf(t, v.listener.Addr().String(), p); got != direct {
			t.Errorf("%q:\n got %s\nwant %s", name, got, direct)
		}
	}
}
