package sshe2e

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cast is a recording of a terminal.
type cast struct {
	head   map[string]any
	events map[string]string // text by kind
	last   float64
}

func readCast(t *testing.T, path string) cast {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := cast{events: map[string]string{}}
	s := bufio.NewScanner(strings.NewReader(string(b)))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if c.head == nil {
			if err := json.Unmarshal(s.Bytes(), &c.head); err != nil {
				t.Fatalf("%v: %s", err, s.Text())
			}
			continue
		}
		var e [3]any
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Fatalf("%v: %s", err, s.Text())
		}
		at, kind := e[0].(float64), e[1].(string)
		if at < c.last {
			t.Errorf("an event at %v after one at %v", at, c.last)
		}
		c.last = at
		c.events[kind] += e[2].(string)
	}
	return c
}

// recordings are the files that there are.
func (g *gateway) recordings() []string {
	list, err := filepath.Glob(filepath.Join(g.gw.Dir, "state", "terminals", "*.cast"))
	if err != nil {
		g.t.Fatal(err)
	}
	return list
}

// terminal is a person at a terminal: it types when it reads "start", makes the terminal smaller at "READY", and prints what the terminal showed.
const terminal = `
import fcntl, os, pty, struct, subprocess, sys, termios
main, sub = pty.openpty()
size = lambda rows, columns: fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
size(30, 100)
p = subprocess.Popen(sys.argv[1:], stdin=sub, stdout=sub, stderr=sub, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
os.close(sub)
seen, typed, smaller = b"", False, False
while True:
    try:
        b = os.read(main, 65536)
    except OSError:
        break
    if not b:
        break
    seen += b
    if b"start" in seen and not typed:
        typed = True
        os.write(main, b"s3cret\n")
    if b"READY" in seen and not smaller:
        smaller = True
        size(20, 90)
os.write(1, seen)
sys.exit(p.wait())
`

// shown is a command for it, which ends with 5. It shows text that is no ASCII, in pieces, and bytes that are no text.
const shown = `stty size; stty -echo; printf "gr\303"; printf "\274\303\237e \033[1mstart\033[0m\r\n"; read -r x; echo "got ${#x}"; trap "stty size; exit 5" WINCH; echo READY; while :; do sleep 0.1; done`

// recording: what a terminal showed is in a file that its receipt names, and nothing else is.
func (g *gateway) recording(t *testing.T, client string) {
	write(t, filepath.Join(g.dir, "terminal.py"), terminal)
	write(t, filepath.Join(g.dir, "shown"), shown)
	before := len(g.recordings())
	r := g.agent("", "/usr/bin/python3 terminal.py "+client+`-tq recorded "$(cat shown)"`)
	files := g.recordings()
	if r.status != 5 || len(files) != before+1 {
		t.Fatalf("%+v, %d recordings", r, len(files))
	}
	c := readCast(t, files[0])
	if out := c.events["o"]; out != r.out || !strings.Contains(out, "grüße") || !strings.Contains(out, "got 6") || !strings.Contains(out, "20 90") {
		t.Errorf("recorded %q, shown %q", out, r.out)
	}
	if c.head["width"] != 100.0 || c.head["height"] != 30.0 || c.head["version"] != 2.0 || c.events["r"] != "90x20" || c.head["command"] != shown {
		t.Errorf("%v, %q", c.head, c.events)
	}
	if text, _ := os.ReadFile(files[0]); strings.Contains(string(text), "s3cret") || c.events["i"] != "" {
		t.Errorf("what was typed is recorded: %s", text)
	}
	if i, err := os.Stat(files[0]); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", i, err)
	}
	receipts, name := g.gw.Receipts(), filepath.Base(files[0])
	if !strings.Contains(receipts, `["recording","terminals/`+name+`"]`) || !strings.Contains(receipts, `"id":"`+strings.TrimSuffix(name, ".cast")+`"`) {
		t.Errorf("no receipt names %s", name)
	}

	// Nothing without a terminal, nothing that is denied, nothing where it is not asked for.
	before = len(files)
	g.agent("", client+"recorded 'echo plain'").want(t, "without a terminal", 0, "plain", "")
	g.agent("", client+"-ttq recorded 'touch x'").want(t, "denied at a terminal", 254, "", "")
	g.agent("", client+"-ttq box 'echo elsewhere'").want(t, "elsewhere", 0, "elsewhere", "")
	g.agent("", "scp -q -F own shown recorded:"+g.dir+"/copied").want(t, "a copy", 0, "", "")
	if n := len(g.recordings()); n != before {
		t.Errorf("%d recordings more", n-before)
	}

	// What cannot be recorded does not go on.
	dir := filepath.Join(g.gw.Dir, "state", "terminals")
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "no folder")
	if r := g.agent("", client+"-ttq recorded 'echo shown'"); r.status != 255 || strings.Contains(r.out, "shown") {
		t.Errorf("a terminal that cannot be recorded: %+v", r)
	}
	g.agent("", client+"recorded 'echo shown'").want(t, "a command beside it", 0, "shown", "")
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}

	// With what is typed, where that is asked for.
	r = g.agent("", "/usr/bin/python3 terminal.py "+client+`-tq typed "$(cat shown)"`)
	for _, f := range g.recordings() {
		if c := readCast(t, f); f != files[0] && (c.events["o"] != r.out || !strings.Contains(c.events["i"], "s3cret")) {
			t.Errorf("%+v: %q", r, c.events)
		}
	}
}

// recordedAsItGoes: the file has what was shown while the session goes on, so that it is there whatever happens to the gateway.
func (g *gateway) recordedAsItGoes(t *testing.T, client string) {
	known := map[string]bool{}
	for _, f := range g.recordings() {
		known[f] = true
	}
	marker := filepath.Join(g.dir, "go on")
	done := make(chan result)
	go func() {
		done <- g.agent("", client+`-ttq recorded 'echo begun; while [ ! -e "`+marker+`" ]; do sleep 0.05; done; seq 1 20000; echo over'`)
	}()
	var file string
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		for _, f := range g.recordings() {
			if b, _ := os.ReadFile(f); !known[f] && strings.Contains(string(b), `begun\r`) {
				file = f
			}
		}
		if file != "" || time.Now().After(end) {
			break
		}
	}
	if file == "" {
		t.Error("nothing is recorded while the session goes on")
	} else if c := readCast(t, file); !strings.Contains(c.events["o"], "begun") {
		t.Errorf("%q", c.events)
	}
	write(t, marker, "")
	r := <-done
	c := readCast(t, file)
	if r.status != 0 || !strings.Contains(c.events["m"], "limit of 65536 bytes") || !strings.HasPrefix(r.out, c.events["o"]) || len(c.events["o"]) < 10_000 || !strings.Contains(r.out, "over") {
		t.Errorf("status %d, %d bytes shown, %d recorded, marker %q", r.status, len(r.out), len(c.events["o"]), c.events["m"])
	}
	if i, err := os.Stat(file); err != nil || i.Size() > 64<<10 {
		t.Errorf("%v bytes, %v", i, err)
	}
}
