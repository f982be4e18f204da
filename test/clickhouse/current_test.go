package clickhouse

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	chproto "github.com/ClickHouse/ch-go/proto"
)

// current is a server that speaks the protocol as current servers do, on ch-go's packets: it runs no SQL, but it answers a SELECT with
// rows, takes the rows of an INSERT into (id UInt64, s String, a Array(String)), and knows what it was given.
type current struct {
	t        testing.TB
	l        net.Listener
	revision int
	chunks   [2]string // what it says that it sends and receives

	mu      sync.Mutex
	hello   chproto.ClientHello
	queries []string
	params  []string
	rows    int
	cancels int
	wrong   []error
	gate    chan struct{} // closed: SELECTs about "slow" go on
	wg      sync.WaitGroup
}

func newCurrent(t testing.TB, revision int, sends, receives string) *current {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return currentOn(t, l, revision, sends, receives)
}

func currentOn(t testing.TB, l net.Listener, revision int, sends, receives string) *current {
	s := &current{t: t, l: l, revision: revision, chunks: [2]string{sends, receives}, gate: make(chan struct{})}
	s.wg.Go(func() {
		for {
			k, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() {
				defer k.Close()
				if err := (&currentConn{current: s, conn: k}).serve(); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
					s.mu.Lock()
					s.wrong = append(s.wrong, err)
					s.mu.Unlock()
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
	})
	return s
}

func (s *current) saw(part string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.queries {
		if strings.Contains(q, part) {
			return true
		}
	}
	return false
}

// errors are what connections ended with.
func (s *current) errors() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]error(nil), s.wrong...)
}

// unchunk reads what is in chunks once it is told that there are some.
type unchunk struct {
	r         io.Reader
	hello, on bool
	left      uint32
}

func (u *unchunk) Read(p []byte) (int, error) {
	switch {
	case u.hello:
		return u.r.Read(p[:1]) // nothing may be read that is in chunks
	case !u.on:
		return u.r.Read(p)
	}
	for u.left == 0 {
		var head [4]byte
		if _, err := io.ReadFull(u.r, head[:]); err != nil {
			return 0, err
		}
		u.left = binary.LittleEndian.Uint32(head[:])
	}
	n, err := u.r.Read(p[:min(len(p), int(u.left))])
	u.left -= uint32(n)
	return n, err
}

type currentConn struct {
	*current
	conn    net.Conn
	in      *unchunk
	r       *chproto.Reader
	v       int
	chunked bool   // answers
	word    string // of the rows of the present answer
}

// send writes packets, as one message in two chunks when there are chunks.
func (c *currentConn) send(p []byte) error {
	if c.chunked {
		var b []byte
		for _, part := range [][]byte{p[:(len(p)+1)/2], p[(len(p)+1)/2:]} {
			if len(part) > 0 {
				b = append(binary.LittleEndian.AppendUint32(b, uint32(len(part))), part...)
			}
		}
		p = append(b, 0, 0, 0, 0)
	}
	_, err := c.conn.Write(p)
	return err
}

func (c *currentConn) serve() error {
	c.in = &unchunk{r: c.conn, hello: true}
	c.r = chproto.NewReader(c.in)
	if code, err := c.r.UVarInt(); err != nil || code != 0 {
		return fmt.Errorf("hello: %d, %w", code, err)
	}
	var hello chproto.ClientHello
	if err := hello.Decode(c.r); err != nil {
		return err
	}
	c.mu.Lock()
	c.hello = hello
	c.mu.Unlock()
	c.v = min(hello.ProtocolVersion, c.revision)
	if hello.Password == "wrong" {
		var b chproto.Buffer
		chproto.ServerCodeException.Encode(&b)
		(&chproto.Exception{Code: 516, Name: "DB::Exception", Message: "DB::Exception: Authentication failed"}).EncodeAware(&b, c.v)
		return c.send(b.Buf)
	}
	if err := c.welcome(); err != nil {
		return err
	}
	if c.v >= 54458 {
		if _, err := c.r.Str(); err != nil {
			return err
		}
		if c.v >= 54470 {
			sends, _ := c.r.Str()
			receives, err := c.r.Str()
			if err != nil {
				return err
			}
			c.in.on, c.chunked = strings.HasPrefix(sends, "chunked"), strings.HasPrefix(receives, "chunked")
		}
		if c.v >= 54471 {
			if _, err := c.r.UVarInt(); err != nil {
				return err
			}
		}
	}
	c.in.hello = false
	c.r = chproto.NewReader(c.in)
	for {
		code, err := c.r.UVarInt()
		if err != nil {
			return err
		}
		switch code {
		case 1:
			if err := c.query(); err != nil {
				return err
			}
		case 4:
			if err := c.send([]byte{4}); err != nil {
				return err
			}
		case 3:
		default:
			return fmt.Errorf("unexpected packet %d", code)
		}
	}
}

func (c *currentConn) welcome() error {
	var b chproto.Buffer
	chproto.ServerCodeHello.Encode(&b)
	b.PutString("ClickHouse")
	b.PutInt(25)
	b.PutInt(3)
	b.PutInt(c.revision)
	if c.v >= 54471 {
		b.PutInt(7)
	}
	b.PutString("UTC")
	b.PutString("current")
	b.PutInt(1)
	if c.v >= 54470 {
		b.PutString(c.chunks[0])
		b.PutString(c.chunks[1])
	}
	if c.v >= 54461 {
		b.PutInt(1)
		b.PutString(".{12}")
		b.PutString("be longer")
	}
	if c.v >= 54462 {
		b.PutUInt64(0x0102030405060708)
	}
	if c.v >= 54474 {
		b.PutString("max_threads")
		b.PutInt(0)
		b.PutString("8")
		b.PutString("")
	}
	if c.v >= 54477 {
		b.PutInt(3)
	}
	if c.v >= 54479 {
		b.PutInt(4)
	}
	return c.send(b.Buf)
}

// query reads a Query packet behind its code, and answers it.
func (c *currentConn) query() error {
	r := c.r
	if _, err := r.Str(); err != nil {
		return err
	}
	var info chproto.ClientInfo
	if err := info.DecodeAware(r, c.v); err != nil {
		return err
	}
	if c.v >= 54475 {
		_, _ = r.UVarInt()
		_, _ = r.UVarInt()
	}
	if c.v >= 54476 {
		_, _ = r.UInt8()
	}
	list := func() (all []string, err error) {
		for {
			var s chproto.Setting
			if err := s.Decode(r); err != nil || s.Key == "" {
				return all, err
			}
			all = append(all, s.Key+"="+s.Value)
		}
	}
	if _, err := list(); err != nil {
		return err
	}
	if c.v >= 54472 {
		_, _ = r.Str()
	}
	if c.v >= 54441 {
		_, _ = r.Str()
	}
	_, _ = r.UVarInt()
	compression, err := r.UVarInt()
	if err != nil {
		return err
	}
	text, err := r.Str()
	if err != nil {
		return err
	}
	var params []string
	if c.v >= 54459 {
		if params, err = list(); err != nil {
			return err
		}
	}
	c.mu.Lock()
	c.queries, c.params = append(c.queries, text), append(c.params, params...)
	c.mu.Unlock()
	packed := compression == 1
	if _, err := c.data(packed, false); err != nil { // external tables
		return err
	}
	var b chproto.Buffer
	switch {
	case strings.HasPrefix(text, "INSERT"):
		if c.v >= 54410 {
			chproto.ServerCodeTableColumns.Encode(&b)
			b.PutString("")
			b.PutString("columns format version: 1\n3 columns:\n")
		}
		if c.v >= 54464 {
			b.PutInt(17)
			b.PutString("UTC")
		}
		c.block(&b, packed, 0)
		if err := c.send(b.Buf); err != nil {
			return err
		}
		n, err := c.data(packed, true)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.rows += n
		c.mu.Unlock()
		b.Reset()
	case strings.HasPrefix(text, "SELECT"):
		c.word = "text"
		if strings.Contains(text, "secret") {
			c.word = "a ghp_abc123"
		}
		c.block(&b, packed, 0)
		if strings.Contains(text, "busy") {
			for range 3 {
				if err := errors.Join(c.send(b.Buf), c.busy(packed)); err != nil {
					return err
				}
				b.Reset()
				c.block(&b, packed, 1)
			}
		}
		if strings.Contains(text, "strange") {
			b.Reset()
			chproto.ServerCodeData.Encode(&b)
			b.PutString("")
			b.PutRaw(append(bytes.Clone(blockHead), 2, 1))
			for _, column := range []struct{ name, typ, values string }{{"s", "String", "\x04text"}, {"state", "AggregateFunction(nothing_known, String)", "?" + c.word}} {
				b.PutString(column.name)
				b.PutString(column.typ)
				if c.v >= 54454 {
					b.PutByte(0)
				}
				b.PutRaw([]byte(column.values))
			}
		}
		if strings.Contains(text, "many") {
			for range 5 * 9 {
				c.block(&b, packed, 1000)
				if err := c.send(b.Buf); err != nil {
					return err
				}
				b.Reset()
			}
		}
		c.block(&b, packed, 10)
		if strings.Contains(text, "slow") {
			if err := c.send(b.Buf); err != nil {
				return err
			}
			b.Reset()
			<-c.gate
		}
		c.block(&b, packed, -1)
	}
	chproto.ServerCodeEndOfStream.Encode(&b)
	return c.send(b.Buf)
}

func (c *currentConn) input(rows int) chproto.Input {
	var (
		ids chproto.ColUInt64
		str chproto.ColStr
		arr = new(chproto.ColStr).Array()
	)
	for i := range rows {
		ids.Append(uint64(i))
		str.Append(c.word)
		arr.Append([]string{"x"})
	}
	return chproto.Input{{Name: "id", Data: ids}, {Name: "s", Data: str}, {Name: "a", Data: arr}}
}

// block appends a Data packet; rows < 0: the empty one.
func (c *currentConn) block(b *chproto.Buffer, packed bool, rows int) {
	chproto.ServerCodeData.Encode(b)
	b.PutString("")
	var in chproto.Input
	if rows >= 0 {
		in = c.input(rows)
	}
	raw := rawBlock(c.t, max(rows, 0), in, c.v)
	if packed {
		raw = packs(c.t, raw, compress.LZ4)
	}
	b.PutRaw(raw)
}

// busy says how far it is, each in a message of its own.
func (c *currentConn) busy(packed bool) error {
	var b chproto.Buffer
	chproto.ServerCodeProgress.Encode(&b)
	numbers := 6
	if c.v >= 54463 {
		numbers++
	}
	for i := range numbers {
		b.PutInt(i)
	}
	if err := c.send(b.Buf); err != nil || c.v < 54451 {
		return err
	}
	var (
		text  chproto.ColStr
		times chproto.ColDateTime
		ids   chproto.ColUInt64
		kinds chproto.ColInt8
		value chproto.ColInt64
	)
	for range 20 {
		text.Append("an event")
		times.Append(time.Unix(1e9, 0))
		ids.Append(1)
		kinds.Append(1)
		value.Append(5)
	}
	b.Reset()
	chproto.ServerProfileEvents.Encode(&b)
	b.PutString("")
	raw := rawBlock(c.t, 20, chproto.Input{{Name: "host_name", Data: &text}, {Name: "current_time", Data: &times}, {Name: "thread_id", Data: &ids},
		{Name: "type", Data: &kinds}, {Name: "name", Data: &text}, {Name: "value", Data: &value}}, c.v)
	if packed && c.v >= 54481 {
		raw = packs(c.t, raw, compress.LZ4)
	}
	b.PutRaw(raw)
	return c.send(b.Buf)
}

// data reads Data packets up to the empty one.
func (c *currentConn) data(packed, insert bool) (rows int, err error) {
	for {
		code, err := c.r.UVarInt()
		if err != nil {
			return rows, err
		}
		if code == 3 {
			c.mu.Lock()
			c.cancels++
			c.mu.Unlock()
			return rows, nil
		}
		if code != 2 {
			return rows, fmt.Errorf("packet %d in place of data", code)
		}
		if _, err := c.r.Str(); err != nil {
			return rows, err
		}
		if packed {
			c.r.EnableCompression()
		}
		var (
			block chproto.Block
			ids   chproto.ColUInt64
			str   chproto.ColStr
			arr   = new(chproto.ColStr).Array()
		)
		target := chproto.Results{{Name: "id", Data: &ids}, {Name: "s", Data: &str}, {Name: "a", Data: arr}}
		err = block.DecodeBlock(c.r, min(c.v, 54460), target)
		if packed {
			c.r.DisableCompression()
		}
		if err != nil {
			return rows, err
		}
		if block.End() {
			return rows, nil
		}
		if rows += block.Rows; !insert {
			rows = 0
		}
	}
}

func rawBlock(t testing.TB, rows int, in chproto.Input, v int) []byte {
	t.Helper()
	var b chproto.Buffer
	block := chproto.Block{Columns: len(in), Rows: rows, Info: chproto.BlockInfo{BucketNum: -1}}
	if err := block.EncodeBlock(&b, min(v, 54460), in); err != nil {
		t.Error(err)
	}
	return b.Buf
}

func packs(t testing.TB, raw []byte, m compress.Method) []byte {
	t.Helper()
	w := compress.NewWriter(0, m)
	if err := w.Compress(raw); err != nil {
		t.Error(err)
	}
	return bytes.Clone(w.Data)
}

// before has a gateway before the server.
func (s *current) before(t testing.TB, change func(g *gateway)) *gateway {
	return newGateway(t, func(g *gateway) {
		g.server = s.l.Addr().String()
		if change != nil {
			change(g)
		}
	})
}

// TestDriversAtCurrentServer has both drivers, with a server whose revision is newer than any that is known.
func TestDriversAtCurrentServer(t *testing.T) {
	for _, revision := range []int{54460, 54492} {
		for name, c := range compressions {
			t.Run(fmt.Sprintf("%d ch-go %s", revision, name), func(t *testing.T) {
				s := newCurrent(t, revision, "notchunked_optional", "notchunked_optional")
				g := s.before(t, nil)
				currentWork(t, s, dialCH(t, g.l.Addr().String(), c))
			})
		}
		for _, method := range methods {
			t.Run(fmt.Sprintf("%d clickhouse-go %v", revision, method), func(t *testing.T) {
				s := newCurrent(t, revision, "chunked_optional", "chunked_optional")
				g := s.before(t, nil)
				clickHouseGo(t, g.l.Addr().String(), method, "t")
				if s.saw("forbidden") || s.rows != 5000 || len(s.errors()) > 0 {
					t.Errorf("%q, %d rows, %v", s.queries, s.rows, s.errors())
				}
			})
		}
	}
}
