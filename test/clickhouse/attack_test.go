package clickhouse

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestAttacks has a forbidden query in every disguise of the wire, at the distribution's server. None reaches it as a query.
func TestAttacks(t *testing.T) {
	direct(t, "DROP TABLE IF EXISTS atk; CREATE TABLE atk (id UInt64, s String) ENGINE = Memory")
	g := newGateway(t, nil)
	const rev = 54412
	agent := func() *raw { return rawAgent(t, g.l.Addr().String(), rev, "") }
	end := data("", emptyBlock())
	cat := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for i, c := range []struct {
		name string
		wire func(r *raw, evil []byte) []byte
		// wait: the answer to an INSERT comes before the rest.
		wait bool
	}{
		{"behind an allowed query", func(r *raw, evil []byte) []byte { return cat(r.query("", "SELECT 1"), end, evil, end) }, false},
		{"in place of data", func(r *raw, evil []byte) []byte { return cat(r.query("", "SELECT 1"), evil, end) }, false},
		{"in place of an INSERT's data", func(r *raw, evil []byte) []byte { return evil }, true},
		{"in a query's id, where a server expects data", func(r *raw, evil []byte) []byte {
			return cat(r.query(string(evil[1:]), "SELECT 2"), end)
		}, true},
		{"in a value", func(r *raw, evil []byte) []byte {
			b := r.column(head(2, 1), "id", "UInt64", make([]byte, 8))
			return cat(data("", r.column(b, "s", "String", cat(binary.AppendUvarint(nil, uint64(len(evil))), evil))), end)
		}, true},
		{"behind an unknown column", func(r *raw, evil []byte) []byte {
			b := r.column(head(2, 1), "nothing", "UInt64", make([]byte, 8))
			return cat(data("", r.column(b, "s", "String", cat(binary.AppendUvarint(nil, uint64(len(evil))), evil))), end)
		}, true},
		{"behind an unknown type", func(r *raw, evil []byte) []byte {
			return cat(data("", r.column(head(2, 1), "id", "Nonsense(8)", evil)), end)
		}, true},
		{"behind a type that the server refuses", func(r *raw, evil []byte) []byte {
			b := r.column(head(2, 1), "id", "DateTime('Nowhere/Land')", make([]byte, 4))
			return cat(data("", r.column(b, "s", "String", cat(binary.AppendUvarint(nil, uint64(len(evil))), evil))), end)
		}, true},
		{"behind more rows than memory", func(r *raw, evil []byte) []byte {
			return cat(data("", r.column(head(2, 1<<40), "id", "UInt64", evil)), end)
		}, true},
		{"behind settings that limit memory", func(r *raw, evil []byte) []byte {
			return cat(r.query("", "INSERT INTO atk VALUES", "max_memory_usage=1"), end, data("", r.column(head(1, 1000), "s", "String", evil)))
		}, false},
		{"in a block that is smaller than it says", func(r *raw, evil []byte) []byte {
			return cat(data("", r.column(head(1, 1), "id", "UInt64", cat(make([]byte, 8), end, evil))), end)
		}, true},
		{"in an external table", func(r *raw, evil []byte) []byte {
			return cat(r.query("", "SELECT 3"), data("ext", r.column(head(1, 1), "a", "String", cat(binary.AppendUvarint(nil, uint64(len(evil))), evil))), end)
		}, false},
		{"in an external table of a strange type", func(r *raw, evil []byte) []byte {
			return cat(r.query("", "SELECT 3"), data("ext", r.column(head(1, 1), "a", "Enum8('a' = 1, 'a' = 1)", evil)), end)
		}, false},
		{"behind a number in too many bytes", func(r *raw, evil []byte) []byte { return cat([]byte{0x84, 0x00}, evil, end) }, false},
		{"behind a second hello", func(r *raw, evil []byte) []byte { return cat([]byte{0, 1, 'x', 1, 1, 1, 0, 0, 0}, evil, end) }, false},
		{"by a server's packets", func(r *raw, evil []byte) []byte { return cat([]byte{7, 0}, emptyBlock(), evil, end) }, false},
		{"in a query for another server", func(r *raw, evil []byte) []byte { b := bytes.Clone(evil); b[2] = 2; return cat(b, end) }, false},
		{"behind a ping", func(r *raw, evil []byte) []byte { return cat([]byte{4, 4}, evil, end) }, false},
		{"behind a cancel", func(r *raw, evil []byte) []byte { return cat([]byte{3}, evil, end) }, false},
		{"with data first", func(r *raw, evil []byte) []byte { return cat(end, evil, end) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			mark := fmt.Sprintf("forbidden-%d-", i)
			r := agent()
			r.t = t
			evil := r.query("", "SELECT '"+mark+"'")
			if c.wait {
				r.write(cat(r.query("", "INSERT INTO atk VALUES"), end))
				r.until("\x01s\x06String")
			}
			r.write(c.wire(r, evil))
			_ = r.Conn.(interface{ CloseWrite() error }).CloseWrite()
			_ = r.ended()
			if saw(t, mark) {
				t.Error("the server was given it")
			}
		})
	}
	// The twins.
	r := agent()
	r.works()
	r.write(cat(r.query("", "INSERT INTO atk VALUES"), end))
	r.until("\x01s\x06String")
	b := r.column(head(2, 2), "id", "UInt64", make([]byte, 16))
	evil := r.query("", "SELECT 'forbidden-in-a-value'")
	r.write(cat(data("", r.column(b, "s", "String", cat(binary.AppendUvarint(nil, uint64(len(evil))), evil, []byte{1, 'x'}))), end))
	r.until("\x05")
	r.works()
	// Columns that pass without a look, and end with their block.
	r.write(cat(r.query("", "INSERT INTO atk (id) VALUES"), end))
	r.until("\x02id\x06UInt64")
	big := data("", r.column(head(1, 100_000), "id", "UInt64", make([]byte, 800_000)))
	r.write(cat(big, big, end))
	r.until("\x05")
	r.works()
	r.write(cat(r.query("", "SELECT 'forbidden'"), end))
	r.until("that is forbidden (rule \"no forbidden\", receipt r-1)\x00\x00")
	r.works()
	if n := direct(t, "SELECT countIf(s = 'x'), count() >= 200002 FROM atk"); n != "1\t1" {
		t.Errorf("%s rows", n)
	}
}

// TestCompressedAttacks lies in frames.
func TestCompressedAttacks(t *testing.T) {
	direct(t, "DROP TABLE IF EXISTS catk; CREATE TABLE catk (id UInt64, s String) ENGINE = Memory")
	g := newGateway(t, nil)
	const rev = 54412
	end := func() []byte { return append([]byte{2, 0}, packs(t, emptyBlock(), compress.LZ4)...) }
	for i, c := range []struct {
		name string
		wire func(r *raw, block, evil []byte) []byte
	}{
		{"behind a wrong checksum", func(r *raw, block, evil []byte) []byte {
			half := packs(t, block[:20], compress.LZ4)
			half[3] ^= 1
			return append(append([]byte{2, 0}, half...), evil...)
		}},
		{"behind the end of a block, in its frame", func(r *raw, block, evil []byte) []byte {
			return append(append([]byte{2, 0}, packs(t, append(bytes.Clone(block), emptyBlock()...), compress.LZ4)...), append([]byte{2, 0}, evil...)...)
		}},
		{"in a frame of an unknown method", func(r *raw, block, evil []byte) []byte {
			f := packs(t, block, compress.None)
			f[16] = 0x91
			return append(append([]byte{2, 0}, f...), evil...)
		}},
		{"behind a frame that is empty", func(r *raw, block, evil []byte) []byte {
			f := packs(t, block, compress.None)[:25]
			binary.LittleEndian.PutUint32(f[17:], 9)
			binary.LittleEndian.PutUint32(f[21:], 0)
			return append(append([]byte{2, 0}, f...), evil...)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			mark := fmt.Sprintf("forbidden-c%d-", i)
			r := rawAgent(t, g.l.Addr().String(), rev, "")
			evil := append(r.query("", "SELECT '"+mark+"'"), data("", emptyBlock())...)
			q := r.query("", "INSERT INTO catk VALUES")
			q[bytes.LastIndex(q, []byte("INSERT"))-2] = 1 // compressed
			r.write(append(q, end()...))
			r.until("\x01s")
			r.bytes(1) // of the type's name
			block := r.column(head(2, 1), "id", "UInt64", make([]byte, 8))
			block = r.column(block, "s", "String", []byte{1, 'x'})
			r.write(c.wire(r, block, evil))
			_ = r.Conn.(interface{ CloseWrite() error }).CloseWrite()
			_ = r.ended()
			if saw(t, mark) {
				t.Error("the server was given it")
			}
		})
	}
}

// TestEveryCut says the same with everything cut in two at every byte.
func TestEveryCut(t *testing.T) {
	for _, c := range []struct {
		revision int
		chunks   string
	}{{54460, ""}, {54483, "notchunked"}, {54492, "chunked"}} {
		s := newCurrent(t, 54492, "notchunked_optional", "chunked_optional")
		g := s.before(t, nil)
		probe := rawAgent(t, g.l.Addr().String(), c.revision, c.chunks)
		block := probe.column(head(2, 2), "id", "UInt64", make([]byte, 16))
		block = probe.column(block, "s", "String", []byte{1, 'x', 2, 'y', 'z'})
		block = append(block, probe.column(nil, "a", "Array(String)", append(make([]byte, 8), append([]byte{1, 0, 0, 0, 0, 0, 0, 0}, 1, 'a')...))...)
		block[len(blockHead)] = 3
		wire := bytes.Join([][]byte{
			probe.chunk(probe.query("", "SELECT 'forbidden'")), probe.chunk(data("", emptyBlock())),
			probe.chunk([]byte{4}),
			probe.chunk(probe.query("", "INSERT INTO t")), probe.chunk(data("", emptyBlock())),
			probe.chunk(append(data("", block), data("", emptyBlock())...)),
		}, nil)
		step := max(len(wire)/40, 1)
		n := 0
		for at := 1; at < len(wire); at += step {
			r := rawAgent(t, g.l.Addr().String(), c.revision, c.chunks)
			r.write(wire[:at])
			time.Sleep(time.Millisecond)
			r.write(wire[at:])
			r.until("that is forbidden (rule \"no forbidden\", receipt r-1)\x00\x00")
			r.works()
			n++
		}
		if s.saw("forbidden") || s.rows != 2*n || len(s.errors()) > 0 {
			t.Errorf("revision %d %s: %d rows of %d, %v", c.revision, c.chunks, s.rows, 2*n, s.errors())
		}
	}
}

// TestChunkAttacks hides queries in messages.
func TestChunkAttacks(t *testing.T) {
	s := newCurrent(t, 54483, "chunked", "chunked")
	g := s.before(t, nil)
	for _, c := range []struct {
		name string
		wire func(r *raw, evil []byte) []byte
	}{
		{"behind the end of data, in its message", func(r *raw, evil []byte) []byte {
			return append(r.chunk(r.query("", "SELECT 1")), r.chunk(append(append(data("", emptyBlock()), evil...), data("", emptyBlock())...))...)
		}},
		{"in an empty message", func(r *raw, evil []byte) []byte { return append([]byte{0, 0, 0, 0}, r.chunk(evil)...) }},
		{"without chunks", func(r *raw, evil []byte) []byte { return evil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rawAgent(t, g.l.Addr().String(), 54483, "chunked")
			r.write(c.wire(r, r.query("", "SELECT 'forbidden'")))
			_ = r.Conn.(interface{ CloseWrite() error }).CloseWrite()
			_ = r.ended()
			if s.saw("forbidden") {
				t.Error("the server was given it")
			}
		})
	}
	r := rawAgent(t, g.l.Addr().String(), 54483, "chunked")
	r.works()
	r.works()
}

// TestLongQuery goes beyond max_query.
func TestLongQuery(t *testing.T) {
	g := newGateway(t, func(g *gateway) { g.options = map[string]any{"max_query": 2000} })
	r := rawAgent(t, g.l.Addr().String(), 54412, "")
	r.write(append(r.query("", "SELECT '"+strings.Repeat("1", 1900)+"'"), data("", emptyBlock())...))
	r.until("\x05")
	r.write(append(r.query("", "SELECT 'forbidden-long'"+strings.Repeat(" ", 2000)), data("", emptyBlock())...))
	if answer := r.ended(); !strings.Contains(answer, "max_query") {
		t.Errorf("%q", answer)
	}
	if saw(t, "forbidden-long") {
		t.Error("the server was given it")
	}
}

// TestEarlyData has an agent that sends the rows of an INSERT before the server has said that there is no such table.
func TestEarlyData(t *testing.T) {
	g := newGateway(t, nil)
	r := rawAgent(t, g.l.Addr().String(), 54412, "")
	block := r.column(head(1, 1), "id", "UInt64", make([]byte, 8))
	r.write(bytes.Join([][]byte{r.query("", "INSERT INTO nothing_like_this VALUES"), data("", emptyBlock()), data("", block), data("", emptyBlock())}, nil))
	r.until("nothing_like_this doesn't exist.")
	r.works()
}

// TestSettings finds settings beside the text, in both encodings.
func TestSettings(t *testing.T) {
	s := newCurrent(t, 54460, "", "")
	for _, g := range []*gateway{newGateway(t, nil), s.before(t, nil)} {
		r := rawAgent(t, g.l.Addr().String(), 54460, "")
		r.write(append(r.query("", "SELECT 1", "max_threads=3", "readonly=0"), data("", emptyBlock())...))
		r.until("\x05")
		all := g.asked()
		if got := fmt.Sprint(value(all[len(all)-1], "settings").List); got != "[max_threads=3 readonly=0]" {
			t.Errorf("%s", got)
		}
	}
}

// TestHolds has a person asked: who approves, denies, and what Cancel does meanwhile.
func TestHolds(t *testing.T) {
	for _, c := range []struct {
		name    string
		verdict gate.Verdict
		cancel  bool
		want    string
	}{
		{"approved", gate.Verdict{}, false, "\x05"},
		{"denied", gate.Verdict{Outcome: abi.Deny, Reason: "a person said no"}, false, "a person said no"},
		{"cancelled", gate.Verdict{}, true, "Query was cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := person{make(chan gate.Verdict, 1)}
			g := newGateway(t, func(g *gateway) {
				g.decide = func(a *abi.Action) gate.Verdict {
					if strings.Contains(textOf(a), "held") {
						return gate.Verdict{Pending: p, Hold: "h-1", Reason: "ask a person", Until: "2030-01-01T00:00:00Z"}
					}
					return gate.Verdict{}
				}
			})
			r := rawAgent(t, g.l.Addr().String(), 54412, "")
			mark := "held-" + c.name
			r.write(append(r.query("", "SELECT '"+mark+"'"), data("", emptyBlock())...))
			for len(g.asked()) == 0 {
				time.Sleep(time.Millisecond)
			}
			if c.cancel {
				r.write([]byte{3})
			} else {
				if saw(t, mark) {
					t.Error("the server has it before it is decided")
				}
				p.verdict <- c.verdict
			}
			r.until(c.want)
			if !c.cancel && c.want == "\x05" != saw(t, mark) {
				t.Error("the server was told something else than was decided")
			}
			if c.want != "\x05" {
				r.until("\x00\x00")
			}
			r.works()
		})
	}
}

// person is a verdict that a test gives.
type person struct{ verdict chan gate.Verdict }

func (p person) Wait(ctx context.Context, _ func(context.Context) error) gate.Verdict {
	select {
	case v := <-p.verdict:
		return v
	case <-ctx.Done():
		return gate.Verdict{Outcome: abi.Deny, Reason: "it was taken back"}
	}
}

// TestCancel stops a query that runs.
func TestCancel(t *testing.T) {
	s := newCurrent(t, 54460, "", "")
	g := s.before(t, nil)
	r := rawAgent(t, g.l.Addr().String(), 54460, "")
	r.write(append(r.query("", "SELECT slow"), data("", emptyBlock())...))
	r.until("text")
	r.write([]byte{3})
	close(s.gate)
	r.until("\x05")
	r.works()
	// At the distribution's server.
	g = newGateway(t, nil)
	r = rawAgent(t, g.l.Addr().String(), 54412, "")
	r.write(append(r.query("", "SELECT sum(sleep(1)) FROM system.numbers"), data("", emptyBlock())...))
	r.until("\x01")
	r.write([]byte{3})
	r.until("\x00\x00\x05")
	r.works()
}
