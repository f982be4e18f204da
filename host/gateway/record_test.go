package gateway

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/recording"
)

// serveRecorded is serve with recordings in dir.
func (w *world) serveRecorded(dir string) {
	w.t.Helper()
	a, err := w.assemble()
	if err != nil {
		w.t.Fatal(err)
	}
	a.options.Record = dir
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan Running, 1), make(chan error, 1)
	go func() { done <- a.Serve(ctx, func(r Running) { ready <- r }) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("serve: %v", err)
		}
	})
	select {
	case w.running = <-ready:
		clear(w.agents)
	case err := <-done:
		done <- nil
		w.t.Fatalf("serve ended before it was ready: %v", err)
	}
	w.assembly = a
}

// TestRecord: each connection has a file that only the gateway's user can read, with what its guest was shown.
func TestRecord(t *testing.T) {
	up := newUpstream(t, nil)
	w := newWorld(t, "")
	w.write(w.pluginTable() + endpointTable("lines", up.address(), "hostile", "dev") + allowConnect + ruleTable("read", readLines, "allow", ""))
	dir := filepath.Join(t.TempDir(), "recordings")
	if err := MakeRecordings(dir); err != nil {
		t.Fatal(err)
	}
	w.serveRecorded(dir)
	alice := w.alice()
	for _, text := range []string{"get a\n", "get b\n"} {
		c := dial(t, alice, "lines:"+port(up.address()))
		c.says(text, "ok "+text)
		c.says("quit\n", "bye\n")
	}
	until(t, "both connections have ended", func() bool {
		return count(w.receipts(), func(e *receipt.Entry) bool { return e.Kind == receipt.End }) == 2
	})
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v %v", files, err)
	}
	said := ""
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != 0o600 || !strings.HasSuffix(path, ".recording") {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := recording.Read(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		conn := strings.TrimSuffix(filepath.Base(path), ".recording")
		if h := rec.Header; h.Endpoint != "lines" || h.Plugin != "hostile" || h.Connection != conn || len(h.PluginSHA256) != 64 || len(h.Options) == 0 || !rec.Ended || rec.Cut {
			t.Errorf("%+v", rec)
		}
		for _, c := range rec.Calls {
			if c.Kind == recording.Data && c.Side == abi.Agent {
				said += string(c.In)
			}
		}
		w.find("a receipt of "+conn, func(e *receipt.Entry) bool { return e.Conn == conn })
	}
	if len(said) != len("get a\nquit\nget b\nquit\n") || strings.Count(said, "quit\n") != 2 {
		t.Errorf("the agent said %q", said)
	}
}

// TestRecordFails: a recording that cannot be written is logged, and the connection is served as ever.
func TestRecordFails(t *testing.T) {
	up := newUpstream(t, nil)
	w := newWorld(t, "")
	w.write(w.pluginTable() + endpointTable("lines", up.address(), "hostile", "dev") + allowConnect + ruleTable("read", readLines, "allow", ""))
	dir := filepath.Join(t.TempDir(), "gone")
	w.serveRecorded(dir)
	c := dial(t, w.alice(), "lines:"+port(up.address()))
	c.says("get a\n", "ok get a\n")
	if !strings.Contains(w.log.String(), "cannot be recorded further") {
		t.Errorf("the log says nothing:\n%s", w.log)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// echoing is a guest that says what it is given.
type echoing struct{}

func (echoing) InputCapacity() int                                        { return abi.MinBuffer }
func (echoing) Open(f []byte) ([]byte, bool, error)                       { return f, false, nil }
func (echoing) Data(_ abi.Side, p []byte, _ uint32) ([]byte, bool, error) { return p, false, nil }
func (echoing) Event(e []byte) ([]byte, bool, error)                      { return e, false, errors.New("gone") }
func (echoing) Close()                                                    {}

// nothing is a template that is there.
type nothing struct{ template }

// TestRecordSecrets: what the gateway injects is in no recording, even when an upstream sends it back in pieces; the guest is shown what
// came all the same.
func TestRecordSecrets(t *testing.T) {
	t.Setenv("SALLYPORT_TEST_PASSWORD", canary)
	reference, err := secret.ParseReference("env:SALLYPORT_TEST_PASSWORD", "")
	if err != nil {
		t.Fatal(err)
	}
	value, err := reference.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	e := &endpoint{cfg: &config.Endpoint{}, manifest: &abi.Manifest{Name: "m"}, template: nothing{},
		logins: map[string]*login{"dev": {slots: []slot{{filled: true, secret: value}}}}}
	a := &Assembly{options: Options{Record: dir}, endpoints: map[string]*endpoint{"e": e}}
	s := &session{a: a, endpoint: e, conn: "c-1"}
	g := s.recorded(echoing{})
	_, _, _ = g.Open([]byte("facts"))
	half := len(canary) / 2
	for _, p := range []string{"x" + canary[:half], canary[half:] + "y", canary} {
		if out, _, err := g.Data(abi.Upstream, []byte(p), 0); err != nil || string(out) != p {
			t.Errorf("the guest says %q, %v", out, err)
		}
	}
	if _, _, err := g.Event([]byte("e")); err == nil {
		t.Error("the guest's error is gone")
	}
	g.Close()
	f, err := os.Open(filepath.Join(dir, "c-1.recording"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rec, err := recording.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, c := range rec.Calls {
		if c.Kind == recording.Data {
			all += string(c.In)
		}
		if strings.Contains(string(c.Out), canary) {
			t.Errorf("the secret is in %+v", c)
		}
	}
	stars := strings.Repeat("*", len(canary))
	if all != "x"+stars+"y"+stars || rec.Calls[len(rec.Calls)-1].Err != "gone" {
		t.Errorf("recorded %q", all)
	}
}
