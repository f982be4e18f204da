package shell_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/ssh/shell"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

type vector struct{ class, programs, line string }

func vectors(t testing.TB) (all []vector) {
	t.Helper()
	data, err := os.ReadFile("testdata/lines.txt")
	if err != nil {
		t.Fatal(err)
	}
	for n, text := range strings.Split(string(data), "\n") {
		if text == "" || text[0] == '#' {
			continue
		}
		head, line, ok := strings.Cut(text, " :: ")
		class, programs, ok2 := strings.Cut(head, " ")
		if !ok || !ok2 {
			t.Fatalf("line %d: %q", n+1, text)
		}
		if strings.HasPrefix(line, `"`) {
			if line, err = strconv.Unquote(line); err != nil {
				t.Fatalf("line %d: %v", n+1, err)
			}
		}
		all = append(all, vector{class, programs, line})
	}
	return all
}

func TestLines(t *testing.T) {
	all := vectors(t)
	if len(all) < 200 {
		t.Errorf("only %d lines", len(all))
	}
	for _, v := range all {
		f := shell.Read(v.line, false)
		programs := strings.Join(f.Programs, ",")
		if programs == "" {
			programs = "-"
		}
		if f.Class.String() != v.class || v.programs != "*" && programs != v.programs {
			t.Errorf("%q: %s %s (%s), want %s %s", v.line, f.Class, programs, f.Why, v.class, v.programs)
		}
		if f.Opaque != (f.Class == abi.ClassOpaque) || f.Opaque && f.Why == "" {
			t.Errorf("%q: opaque %v, class %s, %q", v.line, f.Opaque, f.Class, f.Why)
		}
	}
}

func TestPlain(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
	}{
		{"ls -la", []string{"ls", "-la"}},
		{"ls  'a b' \"c'd\" e\\ f", []string{"ls", "a b", "c'd", "e f"}},
		{"git-upload-pack '/a/b.git'", []string{"git-upload-pack", "/a/b.git"}},
		{"rm -rf /", []string{"rm", "-rf", "/"}},
		{`echo ""`, []string{"echo", ""}},
		{"ls *", nil}, {"ls $x", nil}, {"ls;", nil}, {"ls > x", nil}, {"A=b ls", nil}, {"ls | cat", nil}, {"ls &", nil}, {"! ls", nil}, {"ls ~", nil}, {"ls {a,b}", nil}, {"ls # x", nil}, {"ls `x`", nil}, {"ls\nid", nil}, {"", nil},
	} {
		f := shell.Read(c.line, false)
		if f.Plain != (c.want != nil) || !slices.Equal(f.Argv, c.want) {
			t.Errorf("%q: %v %q, want %q", c.line, f.Plain, f.Argv, c.want)
		}
	}
}

// TestTerminal: what pages its output is graver where that can be answered.
func TestTerminal(t *testing.T) {
	for line, want := range map[string]abi.Class{"journalctl -u x": abi.ClassExecute, "ls": abi.ClassRead} {
		if f := shell.Read(line, true); f.Class != want {
			t.Errorf("%q on a terminal: %s", line, f.Class)
		}
	}
}

func TestTransfers(t *testing.T) {
	for _, c := range []struct {
		line, protocol, paths string
		upload                bool
	}{
		{"scp -f /etc/passwd", "scp", "/etc/passwd", false},
		{"scp -r -t '/srv/a b'", "scp", "/srv/a b", true},
		{"scp -f /srv/*.txt x", "scp", "/srv/*,x", false},
		{"rsync --server --sender -vlogDtpre.iLsfxCIvu . /srv/a /srv/b", "rsync", "/srv/a,/srv/b", false},
		{"rsync --server -vlogDtpre.iLsfxCIvu . /srv/a", "rsync", "/srv/a", true},
		{"git-receive-pack 'x.git'", "git", "x.git", true},
		{"sftp-server", "sftp", "", false},
		{"sudo /usr/lib/openssh/sftp-server", "sftp", "", false},
	} {
		f := shell.Read(c.line, false)
		if f.Transfer == nil || f.Transfer.Protocol != c.protocol || strings.Join(f.Transfer.Paths, ",") != c.paths || f.Transfer.Upload != c.upload {
			t.Errorf("%q: %+v", c.line, f.Transfer)
		}
	}
}

// TestDepth: what nests or is long is refused, and costs little.
func TestDepth(t *testing.T) {
	deep := "ls"
	for range 20 {
		deep = "sh -c " + strconv.Quote(deep)
		if len(deep) > shell.MaxLine {
			break
		}
	}
	for _, line := range []string{
		deep, strings.Repeat("(", 3000) + "ls" + strings.Repeat(")", 3000), strings.Repeat("if true; then ", 1000) + "ls" + strings.Repeat("; fi", 1000),
		strings.Repeat("$(", 3000), strings.Repeat("a", shell.MaxLine+1), strings.Repeat("! ", 3000) + "ls", strings.Repeat("time ", 2000) + "ls", "env " + strings.Repeat("env ", 2000) + "ls",
		strings.Repeat("a;", 5000), strings.Repeat("while ", 2000),
	} {
		if f := shell.Read(line, false); !f.Opaque {
			t.Errorf("%.40q…: %s", line, f.Class)
		}
	}
	if f := shell.Read(strings.Repeat("ls;", 1000), false); f.Class != abi.ClassRead {
		t.Errorf("many plain commands: %s, %s", f.Class, f.Why)
	}
}

func FuzzRead(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		a := shell.Read(line, false)
		if a.Opaque != (a.Class == abi.ClassOpaque) || a.Plain != (a.Argv != nil) || a.Transfer != nil && a.Opaque {
			t.Errorf("%q: %+v", line, a)
		}
		if b := shell.Read(line, true); b.Class < a.Class {
			t.Errorf("%q: %s on a terminal, %s without", line, b.Class, a.Class)
		}
		if b := shell.Read("rm x\n"+line, false); b.Class < abi.ClassExecute {
			t.Errorf("rm and %q: %s", line, b.Class)
		}
	})
}
