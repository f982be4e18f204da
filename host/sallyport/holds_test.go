package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/console"
	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/host/state/bolt"
)

type noJournal struct{}

func (noJournal) Ended(context.Context, *approve.Status, approve.Ending) (string, error) {
	return "r", nil
}

// holding is a gateway of which only the console and the holds run.
type holding struct {
	*approve.Book
	t      *testing.T
	config string
}

func newHolding(t *testing.T) *holding {
	t.Helper()
	h := &holding{t: t, config: writeConfig(t, relayEndpoint)}
	dir := filepath.Join(filepath.Dir(h.config), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := bolt.Open(filepath.Join(dir, "holds.db"))
	if err != nil {
		t.Fatal(err)
	}
	if h.Book, err = approve.Open(t.Context(), approve.Options{Store: store, Journal: noJournal{}, Settings: approve.Settings{Late: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	l, err := console.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	o := &operator{running: gateway.Running{Holds: h.Book}}
	go func() { done <- console.Serve(ctx, l, o, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, h.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return h
}

// nasty is what an agent writes that wants to deceive.
const nasty = "SELECT 1;\n-- \u202eharmless\x1b[2J\ndigest     0000\nDELETE FROM us\u0435rs"

var holdDigest = approve.Digest{0xab}

// open opens a hold; when wait is not nil, somebody waits for it.
func (h *holding) open(wait func(context.Context) error) string {
	h.t.Helper()
	hold, err := h.Hold(h.t.Context(), approve.Request{Peer: "claude", Profile: "dev", Endpoint: "prod-db", Credential: "agent", Family: "sql", Class: "delete",
		Title: "delete from \x1b[31musers", Fields: []approve.Field{{Name: "text", Text: nasty}, {Name: "tables", Text: "users"}},
		Digest: holdDigest, Grantable: true, Detached: wait == nil, Needs: []approve.Need{{Rule: "deletes", Reason: "ask first", Approvers: []string{"ops"}}}, Timeout: time.Hour},
		func(string, time.Time) (string, error) { return "held", nil })
	if err != nil {
		h.t.Fatal(err)
	}
	if wait != nil {
		go hold.Wait(h.t.Context(), wait)
	}
	return hold.ID()
}

func (h *holding) call(args ...string) result {
	h.t.Helper()
	return call(h.t, append(append([]string{"holds"}, args...), "-c", h.config)...)
}

func (h *holding) wantState(id string, want approve.State) {
	h.t.Helper()
	if s, err := h.Get(id); err != nil || s.State != want {
		h.t.Errorf("%v: %s, want %s", err, s.State, want)
	}
}

func TestHoldsList(t *testing.T) {
	h := newHolding(t)
	h.call("list").want(t, 0, "nothing waits for a person\n", "")
	h.call("list", "--all").want(t, 0, "no such holds\n", "")
	h.call("list", "--json").want(t, 0, "[]\n", "")
	a, b := h.open(nil), h.open(nil)
	r := h.call("list")
	r.want(t, 0, a, "")
	r.want(t, 0, "claude  prod-db   delete  delete from ⟨U+001B⟩[31musers\n", "")
	if strings.Count(r.out, "\n") != 3 || !strings.HasPrefix(r.out, "HOLD") || strings.Contains(r.out, "\x1b") {
		t.Errorf("%s", r.out)
	}
	h.call("reject", b, "--reason", "no").want(t, 0, "rejected\n", "")
	var list []approve.Status
	for args, n := range map[string]int{"": 1, "--all": 2, "--state rejected": 1, "--state expired": 0, "--peer claude": 1, "--peer x": 0, "--endpoint prod-db --all": 2} {
		r := h.call(append([]string{"list", "--json"}, strings.Fields(args)...)...)
		if err := json.Unmarshal([]byte(r.out), &list); err != nil || len(list) != n || r.code != 0 {
			t.Errorf("%q: %v: %+v", args, err, r)
		}
	}
	for _, line := range []string{"list --state opn", "list --all --state open", "list x", "approve", "show", "reject a b"} {
		if r := h.call(strings.Fields(line)...); r.code != exitUsage || r.out != "" {
			t.Errorf("%q: %+v", line, r)
		}
	}
	call(t, "holds", "list", "-c", writeConfig(t, relayEndpoint)).want(t, exitFailure, "", "no gateway is running")
	call(t, "holds", "list", "-c", "nothing.toml").want(t, exitFailure, "", "nothing.toml")
}

func TestHoldsWatch(t *testing.T) {
	h := newHolding(t)
	a := h.open(nil)
	f := begin(t, "holds", "list", "--watch", "-c", h.config)
	until(t, "the list is shown", func() bool { return strings.Contains(f.out.String(), a) })
	b := h.open(nil)
	until(t, "the new one is shown", func() bool { return strings.Contains(f.out.String(), b) })
	if code := f.end(); code != 0 || f.err.String() != "" {
		t.Errorf("exit code %d: %s", code, f.err.String())
	}
}

// TestHoldsShow: all of the text, and nothing of it deceives.
func TestHoldsShow(t *testing.T) {
	h := newHolding(t)
	id := h.open(nil)
	r := h.call("show", id)
	for _, want := range []string{"hold       " + id + "\n", "\naction     sql delete: delete from ⟨U+001B⟩[31musers\n", "\nrule       deletes: ask first (0 of 1 approvals, by ops or the operator)\n",
		"\ndigest     " + holdDigest.String() + "\n", "\ntext:\n    SELECT 1;\n    -- ⟨U+202E⟩harmless⟨U+001B⟩[2J\n    digest     0000\n    DELETE FROM us⟨U+0435⟩rs\n",
		"\ntables:\n    users\n", "\nLook closely: "} {
		r.want(t, 0, want, "")
	}
	if strings.ContainsAny(r.out, "\x1b\u202e") || strings.Count(r.out, "\ndigest") != 1 {
		t.Errorf("%s", r.out)
	}
	var s approve.Status
	r = h.call("show", "--json", id)
	if err := json.Unmarshal([]byte(r.out), &s); err != nil || s.ID != id || s.Fields[0].Text != nasty {
		t.Errorf("%v: %+v", err, s)
	}
	h.call("show", "hx").want(t, exitFailure, "", "there is no such hold")
}

func TestHoldsDecide(t *testing.T) {
	h := newHolding(t)
	yes := func(context.Context) error { return nil }
	digest := holdDigest.String()

	// Without a terminal the digest is wanted.
	id := h.open(yes)
	h.call("approve", id).want(t, exitUsage, "", "--digest is missing")
	h.call("approve", id, "--json").want(t, exitUsage, "", "--digest is missing")
	h.call("approve", id, "--digest", approve.Digest{}.String()).want(t, exitFailure, "DELETE FROM", "digest")
	h.wantState(id, approve.Pending)
	r := h.call("approve", id, "--digest", digest, "--reason", "ticket 7")
	r.want(t, 0, "DELETE FROM us⟨U+0435⟩rs", "")
	r.want(t, 0, "\napproved, it goes on\n", "")
	h.wantState(id, approve.Approved)
	h.call("approve", id, "--digest", digest).want(t, exitFailure, "", "decided already: approved by ")
	h.call("show", id).want(t, 0, "(console) approves, ", "")
	h.call("grants").want(t, 0, "there are no grants\n", "")
	h.call("grants", "--json").want(t, 0, "[]\n", "")

	// More than this once, and what nobody waits for.
	id = h.open(yes)
	h.call("approve", id, "--digest", digest, "--grant-uses", "2").want(t, 0, "approved, it goes on; besides the same peer may do exactly this 2 times, until ", "")
	h.call("approve", h.open(nil), "--digest", digest).want(t, 0, "granted: the same peer may do exactly this once, until ", "")
	h.call("approve", h.open(nil), "--digest", digest, "--grant-for", "30m").want(t, 0, "granted: the same peer may do exactly this for any number of times until ", "")
	r = h.call("grants")
	r.want(t, 0, "0 of 2   claude  prod-db", "")
	r.want(t, 0, "0 times", "")
	h.call("approve", h.open(nil), "--digest", digest, "--grant-for", "x").want(t, exitFailure, "", "it is a duration")
	h.call("approve", h.open(nil), "--digest", digest, "--grant-uses", "-1").want(t, exitFailure, "", "a grant for -1 uses")

	// The agent has left.
	id = h.open(func(context.Context) error { return errors.New("no answer") })
	h.call("approve", id, "--digest", digest).want(t, 0, "nothing was executed, the agent has left; the same peer may do exactly this once, until ", "")

	// No.
	id = h.open(yes)
	h.call("reject", id, "--digest", approve.Digest{}.String()).want(t, exitFailure, "", "digest")
	var s approve.Status
	r = h.call("reject", id, "--json", "--reason", "not today")
	if err := json.Unmarshal([]byte(r.out), &s); err != nil || s.State != approve.Rejected || s.Ending.Reason != "not today" {
		t.Errorf("%v: %+v", err, r)
	}
	h.call("show", id).want(t, 0, ": not today\n", "")
}

// TestApproveOnATerminal: the text is shown, then a person is asked, and only yes is a yes.
func TestApproveOnATerminal(t *testing.T) {
	h := newHolding(t)
	for typed, want := range map[string]approve.State{"yes\n": approve.Approved, "y\n": approve.Pending, "\n": approve.Pending} {
		id := h.open(nil)
		master, terminal, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(master, typed); err != nil {
			t.Fatal(err)
		}
		shown := make(chan string, 1)
		go func() {
			b, _ := io.ReadAll(master) // until the terminal is closed
			shown <- string(b)
		}()
		root := newRoot()
		root.SetIn(terminal)
		root.SetOut(terminal)
		root.SetErr(io.Discard)
		code := execute(t.Context(), root, []string{"holds", "approve", id, "-c", h.config})
		terminal.Close()
		out := <-shown
		master.Close()
		text, question := strings.Index(out, "DELETE FROM us⟨U+0435⟩rs"), strings.Index(out, "Type yes")
		if (code == 0) != (want == approve.Approved) || text < 0 || question < text || strings.Contains(out, "\u202e") {
			t.Errorf("%q: exit code %d: %s", typed, code, out)
		}
		h.wantState(id, want)
	}
}

// TestFold: nothing of a long line begins in the first column.
func TestFold(t *testing.T) {
	for _, c := range []struct {
		line  string
		width int
		want  string
	}{
		{"    abc", 0, "    abc"},
		{"    abc", 7, "    abc"},
		{"    abcdefgh", 7, "    abc\n  > def\n  > gh"},
		{"    \tx", 10, "    \n  > \t\n  > x"},
		{"    界界", 7, "    界\n  > 界"},
		{"", 7, ""},
	} {
		if got := fold(c.line, c.width, "  > "); got != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.line, c.width, got, c.want)
		}
	}
	h := newHolding(t)
	long := strings.Repeat(" ", 76) + "digest     " + strings.Repeat("0", 200)
	hold, err := h.Hold(t.Context(), approve.Request{Peer: "claude", Title: long, Fields: []approve.Field{{Name: "text", Text: long}}, Digest: holdDigest, Grantable: true,
		Detached: true, Needs: []approve.Need{{Rule: "r"}}}, func(string, time.Time) (string, error) { return "held", nil })
	if err != nil {
		t.Fatal(err)
	}
	master, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 25, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	shown := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(master)
		shown <- string(b)
	}()
	root := newRoot()
	root.SetOut(terminal)
	root.SetErr(io.Discard)
	code := execute(t.Context(), root, []string{"holds", "show", hold.ID(), "-c", h.config})
	terminal.Close()
	lines, digests := 0, 0
	for line := range strings.Lines(<-shown) {
		lines++
		if strings.HasPrefix(line, "digest") {
			digests++
		}
		if len(strings.TrimRight(line, "\r\n")) > 80 {
			t.Errorf("a line that the terminal breaks: %q", line)
		}
	}
	if code != 0 || digests != 1 || lines < 10 {
		t.Errorf("exit code %d, %d lines, %d digests", code, lines, digests)
	}
}
