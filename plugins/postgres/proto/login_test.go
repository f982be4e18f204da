package proto

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

func TestRewriteStartup(t *testing.T) {
	packet := func(parameters ...string) []byte {
		p := binary.BigEndian.AppendUint32(make([]byte, 4), 3<<16|2)
		for _, s := range parameters {
			p = append(append(p, s...), 0)
		}
		p = append(p, 0)
		binary.BigEndian.PutUint32(p, uint32(len(p)))
		return p
	}
	in := packet("user", "me", "options", "-c a=b", "database", "d")
	for _, c := range []struct {
		user, database string
		want           []byte
	}{
		{"", "", in},
		{"you", "", packet("user", "you", "options", "-c a=b", "database", "d")},
		{"", "e", packet("user", "me", "options", "-c a=b", "database", "e")},
		{strings.Repeat("u", 300), "e", packet("user", strings.Repeat("u", 300), "options", "-c a=b", "database", "e")},
	} {
		if got := RewriteStartup(in, c.user, c.database); !bytes.Equal(got, c.want) {
			t.Errorf("%q %q: %q", c.user, c.database, got)
		}
	}
	if got, want := RewriteStartup(packet("a", "b"), "you", "e"), packet("a", "b", "user", "you", "database", "e"); !bytes.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestKeys(t *testing.T) {
	for size, want := range map[int]int{12: 0, 15: 0, 16: 4, 44: 32, 268: 256, 269: 0} {
		if n, err := CancelKey(size); n != want || (err == nil) != (want > 0) {
			t.Errorf("a request of %d bytes: %d, %v", size, n, err)
		}
	}
	for _, c := range []struct {
		size  int64
		minor uint32
		want  int
	}{{13, 0, 4}, {13, 2, 4}, {41, 2, 32}, {265, 2, 256}, {41, 0, 0}, {266, 2, 0}, {12, 2, 0}, {9, 0, 0}, {5, 0, 0}} {
		if n, err := BackendKey(c.size, c.minor); n != c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%+v: %d, %v", c, n, err)
		}
	}
}

func TestMechanisms(t *testing.T) {
	offer := func(names ...string) []byte { return encode(t, &pgproto3.AuthenticationSASL{AuthMechanisms: names}) }
	for _, c := range []struct{ in, want []byte }{
		{offer(ScramPlus, "SCRAM-SHA-256"), offer("SCRAM-SHA-256")},
		{offer("SCRAM-SHA-256", ScramPlus, "OAUTHBEARER"), offer("SCRAM-SHA-256", "OAUTHBEARER")},
		{offer("SCRAM-SHA-256"), nil},
		{offer(ScramPlus), nil},
	} {
		if got, err := WithoutMechanism(c.in, ScramPlus); err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%q: %q, %v", c.in, got, err)
		}
	}
	for _, bad := range []string{"", "SCRAM", "SCRAM\x00", "SCRAM\x00\x00\x00"} {
		if _, err := WithoutMechanism(Append(nil, Authentication, append([]byte{0, 0, 0, 10}, bad...)...), ScramPlus); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, c := range []struct {
		mechanism string
		chosen    bool
	}{{ScramPlus, true}, {"SCRAM-SHA-256", false}, {ScramPlus + "X", false}, {"", false}, {"scram-sha-256-plus", false}} {
		m := encode(t, &pgproto3.SASLInitialResponse{AuthMechanism: c.mechanism, Data: []byte("n,,n=,r=x")})
		for n := HeaderSize; n <= len(m); n++ {
			chosen, ok := Chooses(m[:n], int64(len(m)), ScramPlus)
			if ok && chosen != c.chosen || !ok && n >= HeaderSize+len(ScramPlus)+1 {
				t.Errorf("%q, %d bytes: %v, %v", c.mechanism, n, chosen, ok)
			}
		}
	}
	if chosen, ok := Chooses([]byte("p\x00\x00\x00\x05x"), 6, ScramPlus); chosen || !ok {
		t.Errorf("a password: %v, %v", chosen, ok)
	}
}

func TestCount(t *testing.T) {
	for tag, want := range map[string]uint64{"SELECT 12": 12, "FETCH 0": 0, "SELECT 9999999999999999999": 9999999999999999999} {
		if n, ok := Count([]byte(tag)); n != want || !ok {
			t.Errorf("%q: %d, %v", tag, n, ok)
		}
	}
	for _, tag := range []string{"SELECT", "BEGIN", "", "SELECT 18446744073709551616", "SELECT -1"} {
		if n, ok := Count([]byte(tag)); ok {
			t.Errorf("%q: %d", tag, n)
		}
	}
}

// FuzzLogin reads anything as any message before the session.
func FuzzLogin(f *testing.F) {
	f.Add([]byte("R\x00\x00\x00\x20\x00\x00\x00\x0aSCRAM-SHA-256-PLUS\x00SCRAM-SHA-256\x00\x00"))
	f.Add([]byte("p\x00\x00\x00\x20SCRAM-SHA-256-PLUS\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x00\x10\x00\x03\x00\x02user\x00u\x00\x00"))
	f.Fuzz(func(t *testing.T, m []byte) {
		if len(m) >= HeaderSize+4 {
			if out, err := WithoutMechanism(m, ScramPlus); err == nil && out != nil {
				if bytes.Contains(out, []byte("\x00"+ScramPlus+"\x00")) {
					t.Errorf("%q is left in %q", m, out)
				}
				if again, err := WithoutMechanism(out, ScramPlus); again != nil || err != nil {
					t.Errorf("%q becomes %q, %v", out, again, err)
				}
			}
			Chooses(m, int64(len(m)), ScramPlus)
		}
		if len(m) < 8 || ReadStartup(m, func(_, _ []byte) {}) != nil {
			return
		}
		out := RewriteStartup(m, "user1", "database1")
		seen := map[string]string{}
		if err := ReadStartup(out, func(name, value []byte) { seen[string(name)] = string(value) }); err != nil || seen["user"] != "user1" || seen["database"] != "database1" {
			t.Errorf("%q becomes %q, %v", m, out, err)
		}
	})
}
