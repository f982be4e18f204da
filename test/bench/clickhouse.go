package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/compress"

	"github.com/sallyport-dev/sallyport/test/chserver"
	"github.com/sallyport-dev/sallyport/test/rig"
)

// chAgent is the part of this command that speaks ClickHouse's native protocol inside of the tunnel.
const chAgent = "clickhouse-agent"

// chBench compares ClickHouse's native protocol.
type chBench struct {
	settings
	gw     *rig.Gateway
	server *chserver.Instance
	rows   []row
}

// measureClickHouse measures the native protocol: the distribution's server behind the gateway, an agent in the tunnel that does
// nothing but send and receive.
func measureClickHouse(ctx context.Context, s settings, work, binary string) error {
	dir := filepath.Join(work, "clickhouse")
	if err := os.MkdirAll(filepath.Join(dir, "gateway"), 0o700); err != nil {
		return err
	}
	progress("starting ClickHouse")
	server, err := chserver.Start(ctx, dir)
	if err != nil {
		return err
	}
	defer server.Stop()
	if _, err := server.Query(ctx, "CREATE TABLE sink (id UInt64, s String) ENGINE = Null; CREATE TABLE numbers (id UInt64) ENGINE = Null"); err != nil {
		return err
	}
	b := &chBench{settings: s, server: server}
	if b.gw, err = rig.New(ctx, binary, filepath.Join(dir, "gateway"), fmt.Sprintf(`
[plugins]
clickhouse = "builtin"

[[endpoint]]
name = "relay"
address = "127.0.0.1:%[1]d"
plugin = "none"
profiles = ["agents"]

[[endpoint]]
name = "inspected"
address = "127.0.0.1:%[1]d"
plugin = "clickhouse"
profiles = ["agents"]

[[endpoint]]
name = "looking"
address = "127.0.0.1:%[1]d"
plugin = "clickhouse"
profiles = ["agents"]

[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write"]'
then = "allow"

[[rule]]
name = "tables stay"
when = 'sql.verbs.exists(v, v.startsWith("drop"))'
then = "deny"

[[rule]]
name = "answers of one table are looked at, so all are followed"
endpoints = ["looking"]
when = '"secrets" in sql.reads'
inspect = "response"
then = "deny"
`, server.Native)); err != nil {
		return err
	}
	progress("starting the gateway")
	if err := b.gw.Serve(ctx); err != nil {
		return err
	}
	defer b.gw.Stop()
	inspected := endpoints[1]
	for _, m := range []struct{ what, mode, unit, endpoint string }{
		{"SELECT of 10 million rows, MB/s", "select", "%.0f", inspected},
		{"  where a rule looks at other answers", "select", "%.0f", "looking"},
		{"SELECT of 10 million rows, LZ4, MB/s", "select-lz4", "%.0f", inspected},
		{"  where a rule looks at other answers", "select-lz4", "%.0f", "looking"},
		{"INSERT of 10 million UInt64, MB/s", "insert", "%.0f", inspected},
		{"INSERT of 10 million UInt64, LZ4, MB/s", "insert-lz4", "%.0f", inspected},
		{"INSERT of 5 million UInt64 and String, MB/s", "insert-text", "%.0f", inspected},
		{"INSERT of 5 million UInt64 and String, LZ4, MB/s", "insert-text-lz4", "%.0f", inspected},
		{"INSERT of 5 million UInt64 and String, ZSTD, MB/s", "insert-text-zstd", "%.0f", inspected},
		{"small queries/s", "small", "%.0f", inspected},
	} {
		if err := b.compare(ctx, m.what, m.mode, m.unit, m.endpoint); err != nil {
			return fmt.Errorf("%w\nthe gateway said:\n%s", err, tailOf(b.gw.Log(), 20))
		}
	}
	printTable([4]string{"ClickHouse", endpoints[0], endpoints[1], "ratio"}, b.rows)
	fmt.Printf("\nrates are medians of %d rounds, of bytes without compression\n", b.rounds)
	return nil
}

func (b *chBench) compare(ctx context.Context, what, mode, unit, inspected string) error {
	progress(what)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var rates [2][]float64
	for range b.rounds {
		for i, endpoint := range []string{endpoints[0], inspected} {
			out, err := b.gw.Agent(ctx, self, chAgent, endpoint, strconv.Itoa(b.server.Native), mode, strconv.Itoa(b.seconds)).CombinedOutput()
			rate, perr := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
			if err != nil || perr != nil {
				return fmt.Errorf("%s at %s: %w\n%s", mode, endpoint, errors.Join(err, perr), out)
			}
			rates[i] = append(rates[i], rate)
		}
	}
	a, c := median(rates[0]), median(rates[1])
	b.rows = append(b.rows, row{what, fmt.Sprintf(unit, a), fmt.Sprintf(unit, c), ratio(c, a)})
	return nil
}

// runChAgent is the agent: it prints a rate.
func runChAgent(args []string) int {
	seconds, _ := strconv.Atoi(args[3])
	rate, err := chLoad(args[0]+":"+args[1], args[2], time.Duration(seconds)*time.Second)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(rate)
	return 0
}

// The agent's packets, of revision 54412, which is the server's.
const chRevision = 54412

func chString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func chQuery(text string, packed byte) []byte {
	b := chString([]byte{1}, "")
	b = append(b, 1, 0, 0)
	b = chString(b, "0.0.0.0:0")
	b = append(b, 1, 0, 0)
	b = chString(b, "bench")
	b = append(binary.AppendUvarint(append(b, 1, 1), chRevision), 0, 1)
	b = append(b, 0, 2, packed)
	return chString(b, text)
}

var chHead = []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0}

// chData is a Data packet, in frames of a MiB when it is compressed.
func chData(block []byte, method compress.Method, packed bool) []byte {
	b := []byte{2, 0}
	if !packed {
		return append(b, block...)
	}
	for len(block) > 0 {
		n := min(len(block), 1<<20)
		w := compress.NewWriter(0, method)
		if err := w.Compress(block[:n]); err != nil {
			panic(err)
		}
		b, block = append(b, w.Data...), block[n:]
	}
	return b
}

func chLoad(address, mode string, length time.Duration) (float64, error) {
	k, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer k.Close()
	hello := chString([]byte{0}, "bench")
	hello = append(binary.AppendUvarint(append(hello, 1, 1), chRevision), 0)
	hello = append(chString(hello, "default"), 0)
	if _, err := k.Write(hello); err != nil {
		return 0, err
	}
	c := &chConn{conn: k, buf: make([]byte, 1<<20)}
	if _, err := k.Read(c.buf); err != nil || c.buf[0] != 0 {
		return 0, fmt.Errorf("the hello is answered with %q, %v", c.buf[:100], err)
	}
	var method compress.Method
	packed := byte(0)
	switch {
	case strings.HasSuffix(mode, "-lz4"):
		method, packed = compress.LZ4, 1
	case strings.HasSuffix(mode, "-zstd"):
		method, packed = compress.ZSTD, 1
	}
	empty := chData(append(bytes.Clone(chHead), 0, 0), method, packed == 1)
	switch {
	case mode == "small":
		query := append(chQuery("SELECT 1", 0), empty...)
		end := time.Now().Add(length)
		begin := time.Now()
		n := 0
		for ; time.Now().Before(end); n++ {
			if _, err := k.Write(query); err != nil {
				return 0, err
			}
			if err := c.until(endOf(empty)); err != nil {
				return 0, err
			}
		}
		return float64(n) / time.Since(begin).Seconds(), nil
	case strings.HasPrefix(mode, "select"):
		const rows = 10_000_000
		begin := time.Now()
		if _, err := k.Write(append(chQuery("SELECT number FROM system.numbers LIMIT 10000000", packed), empty...)); err != nil {
			return 0, err
		}
		if err := c.until(endOf(empty)); err != nil {
			return 0, err
		}
		return rows * 8 / time.Since(begin).Seconds() / 1e6, nil
	}
	return c.insert(mode, method, packed, empty)
}

// endOf is how an answer ends: with an empty block, and the end of the stream.
func endOf(empty []byte) []byte {
	b := bytes.Clone(empty)
	b[0] = 1
	return append(b, 5)
}

func (c *chConn) insert(mode string, method compress.Method, packed byte, empty []byte) (float64, error) {
	const rows = 1 << 16
	total, table := 10_000_000, "numbers"
	columns := 1
	ids := make([]byte, 0, 8*rows)
	var texts []byte
	for i := range uint64(rows) {
		ids = binary.LittleEndian.AppendUint64(ids, i*0x9E3779B97F4A7C15>>20)
		texts = chString(texts, "text number "+strconv.FormatUint(i*7919, 10))
	}
	block := append(binary.AppendUvarint(append(bytes.Clone(chHead), 1), rows), "\x02id\x06UInt64"...)
	block = append(block, ids...)
	if strings.HasPrefix(mode, "insert-text") {
		total, table, columns = 5_000_000, "sink", 2
		block[len(chHead)] = byte(columns)
		block = append(append(block, "\x01s\x06String"...), texts...)
	}
	packet := chData(block, method, packed == 1)
	begin := time.Now()
	if _, err := c.conn.Write(append(chQuery("INSERT INTO "+table+" VALUES", packed), empty...)); err != nil {
		return 0, err
	}
	n, err := c.conn.Read(c.buf)
	if err != nil || c.buf[0] != 1 {
		return 0, fmt.Errorf("an INSERT is answered with %q, %v", c.buf[:n], err)
	}
	for sent := 0; sent < total; sent += rows {
		if _, err := c.conn.Write(packet); err != nil {
			return 0, err
		}
	}
	if _, err := c.conn.Write(empty); err != nil {
		return 0, err
	}
	if err := c.until([]byte{5}); err != nil {
		return 0, err
	}
	return float64(total) / rows * float64(len(block)) / time.Since(begin).Seconds() / 1e6, nil
}

// chConn reads answers.
type chConn struct {
	conn net.Conn
	buf  []byte
	tail []byte
}

// until reads up to what ends with end.
func (c *chConn) until(end []byte) error {
	c.tail = c.tail[:0]
	for {
		n, err := c.conn.Read(c.buf)
		if n > 0 {
			c.tail = append(c.tail, c.buf[max(0, n-len(end)):n]...)
			if extra := len(c.tail) - len(end); extra > 0 {
				c.tail = append(c.tail[:0], c.tail[extra:]...)
			}
			if bytes.Equal(c.tail, end) {
				return nil
			}
		}
		if err != nil {
			if err == io.EOF {
				err = fmt.Errorf("the answer ends with %q", c.tail)
			}
			return err
		}
	}
}
