package sshe2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// transfers speaks SFTP itself, through OpenSSH's client, in ways that no client does: its arguments are the client's configuration and a folder with the files data and victim.
const transfers = `
import struct, subprocess, sys, os
own, folder = sys.argv[1], sys.argv[2]
OPEN, CLOSE, READ, WRITE, FSTAT, REMOVE, STATUS, HANDLE, DATA, ATTRS = 3, 4, 5, 6, 8, 13, 101, 102, 103, 105

def text(s): return struct.pack(">I", len(s)) + s
def packet(kind, number, body): return struct.pack(">IBI", 5 + len(body), kind, number) + body
def read(number, handle, at=0, size=32768): return packet(READ, number, text(handle) + struct.pack(">QI", at, size))
def write(number, handle, at, data): return packet(WRITE, number, text(handle) + struct.pack(">Q", at) + text(data))
def remove(number): return packet(REMOVE, number, text((folder + "/victim").encode()))

class Conversation:
    def __init__(self):
        self.p = subprocess.Popen(["ssh", "-F", own, "-s", "box", "sftp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.send(struct.pack(">IBI", 5, 1, 3))
        self.answer()
        self.file = self.open("data", 1)
        self.new = self.open("new", 0x1a)
    def send(self, *packets):
        self.p.stdin.write(b"".join(packets))
        self.p.stdin.flush()
    def answer(self):
        head = self.p.stdout.read(4)
        if len(head) < 4: return None
        body = self.p.stdout.read(struct.unpack(">I", head)[0])
        return body[0], struct.unpack(">I", body[1:5])[0], body[5:]
    def open(self, name, flags):
        self.send(packet(OPEN, 1, text((folder + "/" + name).encode()) + struct.pack(">II", flags, 0)))
        kind, number, body = self.answer()
        assert (kind, number) == (HANDLE, 1), (kind, number, body)
        return body[4:]
    def expect(self, *want):
        for w in want:
            got = self.answer()
            assert got is not None and got[:2] == w[:2], (got and got[:2], w)
            if got[0] == STATUS:
                assert struct.unpack(">I", got[2][:4])[0] == w[2], (got, w)
            elif len(w) > 2:
                assert got[2][4:] == w[2], (got[1], len(got[2]))
    def over(self):
        assert self.answer() is None
        assert self.p.wait() != 0
    def close(self):
        self.p.stdin.close()
        assert self.answer() is None
        self.p.wait()

content = open(folder + "/data", "rb").read()
piece = 32768
def part(i): return content[i*piece:(i+1)*piece]

c = Conversation()
# Many at once, and in the middle of them what is denied: its answer has its place.
c.send(*[read(i, c.file, i*piece) for i in range(40)], remove(40), *[read(i, c.file, i*piece) for i in range(41, 60)])
c.expect(*[(DATA, i, part(i)) for i in range(40)], (STATUS, 40, 3), *[(DATA, i, part(i)) for i in range(41, 60)])
# The same numbers at once.
c.send(read(7, c.file), remove(7), read(7, c.file))
c.expect((DATA, 7, part(0)), (STATUS, 7, 3), (DATA, 7, part(0)))
# Byte by byte, and the end of the file.
for b in read(8, c.file, len(content)) + read(9, c.file): c.send(bytes([b]))
c.expect((STATUS, 8, 1), (DATA, 9, part(0)))
# A handle that is not open, and one that is closed.
c.send(read(10, b"none"), read(11, c.file))
c.expect((STATUS, 10, 4), (DATA, 11, part(0)))
# Writing, with questions about the file between.
c.send(*[write(i, c.new, i*piece, part(i)) for i in range(20)])
c.expect(*[(STATUS, i, 0) for i in range(20)])
c.send(packet(FSTAT, 20, text(c.new)), write(21, c.new, 20*piece, part(20)), packet(FSTAT, 22, text(c.new)), remove(23))
c.expect((ATTRS, 20), (STATUS, 21, 0), (ATTRS, 22), (STATUS, 23, 3))
c.send(packet(CLOSE, 24, text(c.new)), write(25, c.new, 0, b"behind the end"), read(26, c.file))
c.expect((STATUS, 24, 0), (STATUS, 25, 4), (DATA, 26, part(0)))
c.close()
assert open(folder + "/new", "rb").read() == content[:21*piece]

# What is not what it says: the conversation ends, and nothing of it is carried out.
for what in [
    lambda c: packet(WRITE, 1, text(c.new) + bytes(8) + text(b"data") + remove(2)),
    lambda c: packet(WRITE, 1, text(c.new) + bytes(8) + struct.pack(">I", 100) + b"data"),
]:
    c = Conversation()
    c.send(read(1, c.file), what(c), remove(3))
    c.expect((DATA, 1, part(0)))
    c.over()
c = Conversation()
c.send(read(1, c.file), packet(READ, 2, text(c.file) + bytes(12) + remove(3)), read(4, c.file))
c.expect((DATA, 1, part(0)), (STATUS, 2, 5), (DATA, 4, part(0)))
c.close()
assert os.path.exists(folder + "/victim")
print("all well")
`

// TestTransfers: file data passes in the host, wherever it stands among what does not, and nothing else does.
func TestTransfers(t *testing.T) {
	g := through(t)
	_, port, _ := strings.Cut(g.upstream, ":")
	own := filepath.Join(g.dir, "own")
	write(t, own, "Host *\n Port "+port+"\n BatchMode yes\n IdentityFile none\n")
	write(t, filepath.Join(g.dir, "data"), strings.Repeat("0123456789abcdef-", 60*32768/17+1)[:60*32768])
	write(t, filepath.Join(g.dir, "victim"), "")
	write(t, filepath.Join(g.dir, "t.py"), transfers)
	g.agent("", "python3 t.py "+own+" "+g.dir).want(t, "transfers", 0, "all well", "")
	g.agent("", "printf 'get data again\\nput data there\\n' | sftp -F "+own+" -q -b - box:"+g.dir+" && cmp data again && cmp data there").want(t, "sftp", 0, "", "")
	if _, err := os.Stat(filepath.Join(g.dir, "victim")); err != nil {
		t.Error("a denied removal reached the server")
	}
	if n := strings.Count(g.gw.Receipts(), `"outcome":"deny"`); n != 3 {
		t.Errorf("%d removals were denied on record", n)
	}
	var up, down uint64
	for end := time.Now().Add(patience); down < 2*60*32768 || up < (60+21)*32768; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the records of ends have %d bytes up and %d down", up, down)
		}
		up, down = 0, 0
		for line := range strings.Lines(g.gw.Receipts()) {
			var r struct {
				Kind     string
				Up, Down uint64
			}
			if json.Unmarshal([]byte(line), &r) == nil && r.Kind == "end" {
				up, down = up+r.Up, down+r.Down
			}
		}
	}
}
