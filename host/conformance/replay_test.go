package conformance

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/recording"
	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// scribe records what a guest is told and says, as the gateway does.
type scribe struct {
	drygate.Guest
	to *recording.Writer
	t  *testing.T
}

func (s *scribe) saw(c recording.Call, out []byte, more bool, err error) ([]byte, bool, error) {
	c.Out, c.More = out, more
	if err != nil {
		c.Err = err.Error()
	}
	if err := s.to.Call(&c); err != nil {
		s.t.Error(err)
	}
	return out, more, err
}

func (s *scribe) Open(f []byte) ([]byte, bool, error) {
	out, more, err := s.Guest.Open(f)
	return s.saw(recording.Call{Kind: recording.Open, In: f}, out, more, err)
}

func (s *scribe) Data(side abi.Side, p []byte, flags uint32) ([]byte, bool, error) {
	out, more, err := s.Guest.Data(side, p, flags)
	return s.saw(recording.Call{Kind: recording.Data, Side: side, In: p, End: flags&abi.DataEnd != 0}, out, more, err)
}

func (s *scribe) Event(e []byte) ([]byte, bool, error) {
	out, more, err := s.Guest.Event(e)
	return s.saw(recording.Call{Kind: recording.Event, In: e}, out, more, err)
}

// record plays a fixture and returns its recording and what happened.
func record(t *testing.T, m *Module, f *Fixture, cut conversation.Cut) (*recording.Recording, drygate.Transcript) {
	t.Helper()
	ctx := context.Background()
	e, err := m.Configure(ctx, f.Script.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	g, err := e.Guest(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := recording.NewWriter(&b, recording.Header{Connection: "c", Plugin: "flawed", PluginSHA256: m.Listing.SHA256, Options: e.Options}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := f.Script.Replay(&scribe{g, w, t}, m.Manifest, cut)
	if err := w.Close("over"); err != nil {
		t.Fatal(err)
	}
	rec, err := recording.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	return rec, got
}

// TestUnfit: a recording with bytes that the gateway scanned by itself is left out of the fixtures and named; what is not a
// recording at all is an error.
func TestUnfit(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	w, err := recording.NewWriter(&b, recording.Header{Connection: "c"}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Call(&recording.Call{Kind: recording.Open, In: abi.AppendFacts(nil, &abi.Facts{Endpoint: "s"})}); err != nil {
		t.Fatal(err)
	}
	if err := w.Call(&recording.Call{Kind: recording.Event, In: abi.AppendEvent(nil, &abi.Event{Kind: abi.KindScanned, Frames: 3, Bytes: 300})}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close("over"); err != nil {
		t.Fatal(err)
	}
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("bulk.recording", b.Bytes())
	if _, _, err := Fixtures(dir); err == nil || !strings.Contains(err.Error(), "no fixture: bulk.recording: ") {
		t.Errorf("nothing else: %v", err)
	}
	put("talk.txt", []byte(talk))
	all, unfit, err := Fixtures(dir)
	if err != nil || len(all) != 1 || len(unfit) != 1 || !strings.Contains(unfit[0], "bulk.recording: ") {
		t.Fatalf("%v, %q, %v", all, unfit, err)
	}
	put("bad.recording", []byte("hello"))
	if _, _, err := Fixtures(dir); err == nil || !strings.Contains(err.Error(), "bad.recording") {
		t.Errorf("a file that is none: %v", err)
	}
}

// TestReplay: a recording played to the same plugin gives the same outputs, to one that says something else the difference; and it is a
// fixture that leads to what happened.
func TestReplay(t *testing.T) {
	ctx := context.Background()
	m, err := Load(ctx, "flawed", module(t), options(t))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	f := fixture(t, talk)
	rec, happened := record(t, m, f, conversation.EachByte)
	r, err := Replay(ctx, m, rec)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	r.Print(&text)
	if !r.Same || !r.SamePlug || !r.Complete || r.Now != r.Recorded || len(r.Actions) != 4 || !strings.Contains(r.Actions[1], `flawed read "one"`) {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(text.String(), "verdict 3: deny \"no\"") || !strings.Contains(text.String(), "as recorded") {
		t.Errorf("printed:\n%s", &text)
	}

	s, err := ScriptOf("recorded", rec)
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.Configure(ctx, s.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	g, err := e.Guest(ctx)
	if err != nil {
		t.Fatal(err)
	}
	again := s.Replay(g, m.Manifest, conversation.Cut{})
	for _, side := range []abi.Side{abi.Agent, abi.Upstream} {
		if got, want := again.Gets(side), happened.Gets(side); !bytes.Equal(got, want) {
			t.Errorf("the %v gets %q, recorded was %q", side, got, want)
		}
	}
	asks, recorded := again.Asks(), happened.Asks()
	for i := range recorded {
		if i >= len(asks) || asks[i].Verdict != recorded[i].Verdict || !bytes.Equal(asks[i].Encoded, recorded[i].Encoded) {
			t.Errorf("action %d differs:\n%s\nrecorded:\n%s", i, again, happened)
			break
		}
	}
	file, err := Conversation(ctx, m, "recorded", rec)
	if err != nil {
		t.Fatal(err)
	}
	made, err := conversation.Parse("made.txt", file)
	if err != nil {
		t.Fatalf("%v in\n%s", err, file)
	}
	if g, err = e.Guest(ctx); err != nil {
		t.Fatal(err)
	}
	if _, problems := made.Play(g, m.Manifest, nil); len(problems) > 0 {
		t.Errorf("%v in\n%s", problems, file)
	}

	// A plugin that says something else.
	rec.Header.Options = []byte(`{"flaw":"pieces"}`)
	r, err = Replay(ctx, m, rec)
	if err != nil || r.Same || !strings.Contains(r.Differs, `"one`) || r.Now == r.Recorded {
		t.Errorf("%+v %v", r, err)
	}
}
