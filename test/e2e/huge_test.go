package e2e

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// roleHuge sends a message that is larger than anything is kept for, whole, and then ordinary work. Its arguments are an address, a database,
// which message, and its length.
func roleHuge(ctx context.Context, args []string) error {
	r, err := dialRaw(ctx, args[0], args[1])
	if err != nil {
		return err
	}
	defer r.conn.Close()
	length, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	var head, tail []byte
	want := "54000"
	switch args[2] {
	case "Query":
		head, tail = []byte("Q\x00\x00\x00\x00select '"), []byte("'\x00")
	case "Bind": // of one parameter, in text
		r.Send(&pgproto3.Parse{Query: "select length($1)"})
		if err := r.Flush(); err != nil {
			return err
		}
		head, tail = []byte("B\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"), []byte("\x00\x00")
		parameter := length - (len(head) - 1) - len(tail)
		binary.BigEndian.PutUint32(head[len(head)-4:], uint32(parameter))
		want = strconv.Itoa(parameter)
	}
	binary.BigEndian.PutUint32(head[1:], uint32(length))
	if _, err := r.conn.Write(head); err != nil {
		return err
	}
	filler := []byte(strings.Repeat("unseen_huge ", 8<<10))
	for left := length - (len(head) - 1) - len(tail); left > 0; left -= min(left, len(filler)) {
		if _, err := r.conn.Write(filler[:min(left, len(filler))]); err != nil {
			return fmt.Errorf("with %d bytes to go: %w", left, err)
		}
	}
	if _, err := r.conn.Write(tail); err != nil {
		return err
	}
	if args[2] == "Bind" {
		r.Send(&pgproto3.Execute{})
		r.Send(&pgproto3.Sync{})
	}
	r.SendQuery(&pgproto3.Query{String: "select 'after'"})
	if err := r.Flush(); err != nil {
		return err
	}
	for _, want := range []string{want, "after"} {
		if got, err := r.answer(); err != nil || got != want {
			return fmt.Errorf("%q, want %q, %w", got, want, err)
		}
	}
	fmt.Println("done")
	return nil
}

// TestHugeMessage: a message that is not kept takes no memory, however long it is, be it denied because it cannot be read or passed on
// because what it is for is known; the session goes on behind it.
func TestHugeMessage(t *testing.T) {
	w := shared
	length := 160 << 20
	if v := os.Getenv("SALLYPORT_HUGE"); v != "" { // in bytes; 1072693248 is about what a server takes
		length, _ = strconv.Atoi(v)
	}
	for _, message := range []string{"Query", "Bind"} {
		t.Run(message, func(t *testing.T) {
			ctx := w.deadline(t, w.gw)
			database := w.database(ctx, t, shop)
			if message == "Bind" { // which comes through, and would be in the log
				w.onServer(ctx, t, "postgres", "alter database "+database+" set log_statement = 'none'")
			}
			most, stop := peak(t, w.gw.PID())
			before := <-most
			got := finish(ctx, t, agentRole(ctx, w.gw, "huge", fmt.Sprintf("db:%d", w.port("db")), database, message, strconv.Itoa(length)), "")
			stop()
			if got.status != 0 || got.out != "done\n" {
				t.Errorf("%+v", got)
			}
			after := before
			for kib := range most {
				after = max(after, kib)
			}
			t.Logf("%d MiB came by; the gateway's memory went from %d to %d MiB", length>>20, before>>10, after>>10)
			if after-before > 64<<10 {
				t.Errorf("%d MiB more while a message of %d MiB came by", (after-before)>>10, length>>20)
			}
		})
	}
	if strings.Contains(w.pg.Log(), "unseen_huge") {
		t.Error("some of what was denied reached the server")
	}
}

// peak watches the anonymous memory of a process, in KiB. The channel is closed some time after stop.
func peak(t *testing.T, pid int) (kib <-chan int, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	c := make(chan int, 100_000)
	go func() {
		defer close(c)
		for ctx.Err() == nil && len(c) < cap(c) {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil {
				t.Error(err)
				return
			}
			_, rest, _ := strings.Cut(string(b), "RssAnon:")
			var n int
			if _, err := fmt.Sscan(rest, &n); err != nil {
				t.Errorf("RssAnon of %d: %v", pid, err)
				return
			}
			c <- n
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return c, cancel
}
