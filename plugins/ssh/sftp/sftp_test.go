package sftp_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/ssh/sftp"
)

// packet is one of the draft's, of a type and parts: uint32, uint64 and strings.
func packet(kind byte, parts ...any) []byte {
	b := []byte{kind}
	for _, p := range parts {
		switch v := p.(type) {
		case int:
			b = binary.BigEndian.AppendUint32(b, uint32(v))
		case uint64:
			b = binary.BigEndian.AppendUint64(b, v)
		case string:
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
		case []byte:
			b = append(b, v...)
		}
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

var (
	initial = packet(1, 3)
	version = packet(2, 3)
)

// player drives a conversation as the plugin does: what goes on, what was answered, what was asked.
type player struct {
	t      testing.TB
	c      *sftp.Conversation
	up     []byte
	down   []byte
	asked  []string
	deny   string
	broken string
}

func begun(t testing.TB) *player {
	p := &player{t: t, c: sftp.New()}
	p.agent(initial)
	p.server(version)
	p.up, p.down = nil, nil
	return p
}

func (p *player) agent(b []byte) {
	for len(b) > 0 && p.broken == "" {
		st := p.c.Agent(b)
		switch st.Kind {
		case sftp.Broken:
			p.broken = st.Problem
		case sftp.Forward:
			if st.Packet != nil {
				p.up = append(p.up, st.Packet...)
			} else {
				p.up = append(p.up, b[:st.N]...)
			}
		case sftp.Ask:
			r := p.c.Request()
			p.asked = append(p.asked, r.Class.String()+" "+r.Operation+" "+r.Path+" "+r.Target)
			allow := p.deny == "" || !strings.Contains(r.Operation+" "+r.Path, p.deny)
			packet, _ := p.c.Decide(allow, "no", func(uint32) {})
			p.up = append(p.up, packet...)
		}
		if st.Kind != sftp.Broken && st.N == 0 {
			p.t.Fatal("nothing was read")
		}
		b = b[st.N:]
		p.down = p.c.Answers(p.down)
	}
}

func (p *player) server(b []byte) {
	for len(b) > 0 && p.broken == "" {
		n, problem := p.c.Upstream(b)
		if p.broken = problem; n == 0 && problem == "" {
			p.t.Fatal("nothing was read")
		}
		p.down = append(p.down, b[:n]...)
		b = b[n:]
		p.down = p.c.Answers(p.down)
	}
}

func TestClasses(t *testing.T) {
	none := []byte{0, 0, 0, 0}
	for _, c := range []struct {
		packet []byte
		want   string
	}{
		{packet(3, 1, "/a", 1, none), "read open /a "},
		{packet(3, 1, "/a", 2, none), "write open /a "},
		{packet(3, 1, "/a", 3, none), "write open /a "},
		{packet(3, 1, "/a", 1|8, none), "write open /a "},
		{packet(3, 1, "/a", 1|16, none), "write open /a "},
		{packet(3, 1, "/a", 0, none), "write open /a "},
		{packet(3, 1, "/a", 2, 4, 0o4755), "admin open /a "},
		{packet(3, 1, "/a", 2, 4, 0o644), "write open /a "},
		{packet(7, 1, "/a"), "read lstat /a "},
		{packet(9, 1, "/a", 4, 0o755), "write setstat /a "},
		{packet(9, 1, "/a", 4, 0o2755), "admin setstat /a "},
		{packet(9, 1, "/a", 2, 0, 0), "admin setstat /a "},
		{packet(9, 1, "/a", 1, uint64(0)), "write setstat /a "},
		{packet(11, 1, "/a"), "read opendir /a "},
		{packet(13, 1, "/a"), "delete remove /a "},
		{packet(14, 1, "/a", none), "write mkdir /a "},
		{packet(15, 1, "/a"), "delete rmdir /a "},
		{packet(16, 1, "/a"), "read realpath /a "},
		{packet(17, 1, "/a"), "read stat /a "},
		{packet(18, 1, "/a", "/b"), "write rename /a /b"},
		{packet(19, 1, "/a"), "read readlink /a "},
		{packet(20, 1, "/a", "/b"), "write symlink /a /b"},
		{packet(200, 1, "posix-rename@openssh.com", "/a", "/b"), "write rename /a /b"},
		{packet(200, 1, "hardlink@openssh.com", "/a", "/b"), "write hardlink /a /b"},
		{packet(200, 1, "statvfs@openssh.com", "/a"), "read statvfs /a "},
		{packet(200, 1, "lsetstat@openssh.com", "/a", 2, 0, 0), "admin lsetstat /a "},
		{packet(200, 1, "expand-path@openssh.com", "~x"), "read expand-path ~x "},
		{packet(200, 1, "limits@openssh.com"), ""},
		{packet(200, 1, "users-groups-by-id@openssh.com", "", ""), ""},
		{packet(200, 1, "run@example.com", "x"), "opaque run@example.com  "},
	} {
		p := begun(t)
		p.agent(c.packet)
		if got := strings.Join(p.asked, "; "); strings.TrimSpace(got) != strings.TrimSpace(c.want) || p.broken != "" || !bytes.Equal(p.up, c.packet) {
			t.Errorf("%q: asked %q, want %q; %s", c.packet, got, c.want, p.broken)
		}
	}
}

// TestUnreadable: what cannot be read, or cannot be known, is answered here and reaches nobody.
func TestUnreadable(t *testing.T) {
	none := []byte{0, 0, 0, 0}
	for name, b := range map[string][]byte{
		"a handle that nobody gave":  packet(5, 1, "h", uint64(0), 10),
		"writing to one":             packet(6, 1, "h", uint64(0), "data"),
		"copying between such":       packet(200, 1, "copy-data", "a", uint64(0), uint64(0), "b", uint64(0)),
		"syncing one":                packet(200, 1, "fsync@openssh.com", "h"),
		"setting attributes of one":  packet(10, 1, "h", 0),
		"a zero in a path":           packet(13, 1, "/a\x00b"),
		"bytes behind a request":     packet(13, 1, "/a", 7),
		"a path that ends early":     append(packet(13, 1), 0)[:9],
		"attributes of version 4":    packet(9, 1, "/a", 1<<31, none),
		"flags that are not known":   packet(3, 1, "/a", 0x40|1, none),
		"a request of version 6":     packet(22, 1, "/a"),
		"a second path that is none": packet(18, 1, "/a"),
	} {
		p := begun(t)
		p.agent(b)
		if len(p.up) > 0 || len(p.asked) > 0 || p.broken != "" || len(p.down) < 9 || p.down[4] != 101 {
			t.Errorf("%s: up %q, down %q, asked %q, %s", name, p.up, p.down, p.asked, p.broken)
		}
		p.agent(packet(13, 2, "/a")) // the conversation lives on
		if len(p.asked) != 1 || p.broken != "" {
			t.Errorf("%s: afterwards %q, %s", name, p.asked, p.broken)
		}
	}
	for name, b := range map[string][]byte{
		"no length":             {0, 0, 0, 0, 1},
		"a length out of all":   {0xff, 0xff, 0xff, 0xff, 13},
		"a long request":        {0, 1, 0, 0, 13},
		"a second beginning":    initial,
		"lengths that disagree": append(packet(6, 1, "h", uint64(0), 5), "abcdef"...),
	} {
		p := begun(t)
		if p.agent(b); p.broken == "" {
			t.Errorf("%s: up %q", name, p.up)
		}
	}
	for name, b := range map[string][]byte{"an answer to nothing": packet(101, 9, 0, "", ""), "a version again": version, "a handle for a removal": packet(102, 1, "h"), "a length out of all": {0xff, 0xff, 0xff, 0xff}} {
		p := begun(t)
		p.agent(packet(13, 1, "/a"))
		if p.server(b); p.broken == "" {
			t.Errorf("%s: passed", name)
		}
	}
	p := begun(t)
	p.agent(packet(7, 1, "/a"))
	if p.agent(packet(7, 1, "/b")); p.broken == "" {
		t.Error("two requests of one number")
	}
	p = &player{t: t, c: sftp.New()}
	if p.agent(packet(13, 1, "/a")); p.broken == "" {
		t.Error("a request before the beginning")
	}
}

// TestOrder: denials are answered in their turn, whatever the server does first, and however the bytes are cut.
func TestOrder(t *testing.T) {
	requests := append(append(append(packet(7, 1, "/a"), packet(13, 2, "/denied")...), packet(7, 3, "/b")...), packet(13, 4, "/denied")...)
	attrs := func(id int) []byte { return packet(105, id, 0) }
	denied := func(id int) []byte { return packet(101, id, 3, "no", "") }
	for name, c := range map[string]struct{ answers, want [][]byte }{
		"in order":       {[][]byte{attrs(1), attrs(3)}, [][]byte{attrs(1), denied(2), attrs(3), denied(4)}},
		"the other way":  {[][]byte{attrs(3), attrs(1)}, [][]byte{attrs(3), attrs(1), denied(2), denied(4)}},
		"one is missing": {[][]byte{attrs(3)}, [][]byte{attrs(3)}},
	} {
		for _, size := range []int{1, 3, 1 << 20} {
			p := begun(t)
			p.deny = "/denied"
			for b := requests; len(b) > 0; b = b[min(size, len(b)):] {
				p.agent(b[:min(size, len(b))])
			}
			for b := bytes.Join(c.answers, nil); len(b) > 0; b = b[min(size, len(b)):] {
				p.server(b[:min(size, len(b))])
			}
			if want := bytes.Join(c.want, nil); !bytes.Equal(p.down, want) || p.broken != "" {
				t.Errorf("%s by %d: %q, want %q; %s", name, size, p.down, want, p.broken)
			}
			if !bytes.Equal(p.up, append(packet(7, 1, "/a"), packet(7, 3, "/b")...)) {
				t.Errorf("%s: the server got %q", name, p.up)
			}
		}
	}
}

// TestFlight: 64 requests in flight on an open file ask nothing.
func TestFlight(t *testing.T) {
	p := begun(t)
	p.agent(packet(3, 1, "/a", 3, []byte{0, 0, 0, 0}))
	p.server(packet(102, 1, "h"))
	p.up, p.asked = nil, nil
	data := strings.Repeat("x", 32<<10)
	var want []byte
	for i := range 64 {
		w := packet(6, 100+i, "h", uint64(i), data)
		want = append(want, w...)
		p.agent(w)
	}
	if len(p.asked) > 0 || !bytes.Equal(p.up, want) {
		t.Errorf("asked %q, %d of %d bytes went on", p.asked, len(p.up), len(want))
	}
	for i := range 64 {
		p.server(packet(101, 100+i, 0, "", ""))
	}
	p.agent(packet(4, 200, "h"))
	p.agent(packet(6, 201, "h", uint64(0), "late"))
	if p.broken != "" || !bytes.HasSuffix(p.up, packet(4, 200, "h")) {
		t.Errorf("a closed handle was written to, or %s", p.broken)
	}
}

func TestNormal(t *testing.T) {
	for _, c := range []struct {
		home, path, want string
		ok               bool
	}{
		{"", "/a/../b//c/.", "/b/c", true}, {"", "a", "", false}, {"/home/x", "a", "/home/x/a", true}, {"/home/x", "../../etc", "/etc", true}, {"/home/x", "", "/home/x", true},
		{"/home/x", "~y", "", false}, {"", "/../..", "/", true},
	} {
		if got, ok := sftp.Normal(c.home, c.path); got != c.want || ok != c.ok {
			t.Errorf("%q at %q: %q %v", c.path, c.home, got, ok)
		}
	}
}

// FuzzAgent: however the agent's bytes are cut the same goes on, and nothing that was denied does.
func FuzzAgent(f *testing.F) {
	f.Add(append(packet(13, 1, "/a"), packet(7, 2, "/b")...), uint8(3))
	f.Add(packet(3, 1, "/a", 2, 4, 0o644), uint8(1))
	f.Add(packet(6, 1, "h", uint64(0), "data"), uint8(2))
	f.Add(packet(200, 1, "copy-data", "h", uint64(0), uint64(0), "h", uint64(0)), uint8(9))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		play := func(size int) *player {
			p := begun(t)
			p.agent(packet(3, 77, "/open", 2, []byte{0, 0, 0, 0}))
			p.server(packet(102, 77, "h"))
			p.up, p.down, p.asked = nil, nil, nil
			p.deny = "remove"
			for b := b; len(b) > 0; b = b[min(size, len(b)):] {
				p.agent(b[:min(size, len(b))])
			}
			return p
		}
		whole, cut := play(1<<20), play(int(size)+1)
		if whole.broken == "" && (!bytes.Equal(whole.up, cut.up) || !bytes.Equal(whole.down, cut.down) || strings.Join(whole.asked, ";") != strings.Join(cut.asked, ";")) {
			t.Errorf("whole: up %q, down %q, asked %q; cut: %q, %q, %q", whole.up, whole.down, whole.asked, cut.up, cut.down, cut.asked)
		}
	})
}

// FuzzServer: the server's bytes are read the same however they are cut.
func FuzzServer(f *testing.F) {
	f.Add(append(packet(105, 1, 0), packet(101, 2, 0, "", "")...), uint8(3))
	f.Add(packet(103, 1, "data"), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		play := func(size int) *player {
			p := begun(t)
			p.deny = "remove"
			p.agent(append(append(packet(7, 1, "/a"), packet(13, 9, "/x")...), packet(7, 2, "/a")...))
			for b := b; len(b) > 0; b = b[min(size, len(b)):] {
				p.server(b[:min(size, len(b))])
			}
			return p
		}
		whole, cut := play(1<<20), play(int(size)+1)
		if whole.broken != cut.broken || whole.broken == "" && !bytes.Equal(whole.down, cut.down) {
			t.Errorf("whole: %q %q; cut: %q %q", whole.down, whole.broken, cut.down, cut.broken)
		}
	})
}
