package h2_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/h2/testdata/plain"
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/pack"
	"github.com/sallyport-dev/sallyport/sdk/testkit"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// wire writes what one side sends.
type wire struct {
	bytes.Buffer
	f     *http2.Framer
	block bytes.Buffer
	h     *hpack.Encoder
}

func newWire() *wire {
	w := &wire{}
	w.f = http2.NewFramer(&w.Buffer, nil)
	w.f.AllowIllegalWrites = true
	w.h = hpack.NewEncoder(&w.block)
	return w
}

// headers writes a header block: "name: value", names with a colon as well.
func (w *wire) headers(id uint32, end bool, fields ...string) *wire {
	block := w.encode(fields...)
	n := min(len(block), 16384)
	_ = w.f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block[:n], EndStream: end, EndHeaders: n == len(block)})
	for block = block[n:]; len(block) > 0; block = block[n:] {
		n = min(len(block), 16384)
		_ = w.f.WriteContinuation(id, n == len(block), block[:n])
	}
	return w
}

func (w *wire) encode(fields ...string) []byte {
	w.block.Reset()
	for _, f := range fields {
		i := strings.Index(f[1:], ": ") + 1
		_ = w.h.WriteField(hpack.HeaderField{Name: f[:i], Value: f[i+2:], Sensitive: strings.HasPrefix(f, "authorization")})
	}
	return w.block.Bytes()
}

func (w *wire) data(id uint32, end bool, text string) *wire {
	_ = w.f.WriteData(id, end, []byte(text))
	return w
}

func (w *wire) padded(id uint32, end bool, text string, pad int) *wire {
	_ = w.f.WriteDataPadded(id, end, []byte(text), make([]byte, pad))
	return w
}

func (w *wire) settings(pairs ...http2.Setting) *wire { _ = w.f.WriteSettings(pairs...); return w }
func (w *wire) ack() *wire                            { _ = w.f.WriteSettingsAck(); return w }
func (w *wire) window(id, n uint32) *wire             { _ = w.f.WriteWindowUpdate(id, n); return w }
func (w *wire) reset(id uint32, code http2.ErrCode) *wire {
	_ = w.f.WriteRSTStream(id, code)
	return w
}
func (w *wire) ping(ack bool, text string) *wire {
	_ = w.f.WritePing(ack, [8]byte([]byte(text)))
	return w
}
func (w *wire) raw(b []byte) *wire { w.Write(b); return w }

// client is an agent's wire behind its preface.
func client(pairs ...http2.Setting) *wire {
	w := newWire()
	w.WriteString(h2frame.Preface)
	return w.settings(pairs...)
}

// request is the header of a request.
func request(method, path string, more ...string) []string {
	return append([]string{":method: " + method, ":scheme: http", ":authority: api", ":path: " + path}, more...)
}

// reading reads what one side got and writes it down, a frame on each line. It keeps the decoder's table.
type reading struct{ d *hpack.Decoder }

func (r *reading) frames(b []byte) string {
	var out strings.Builder
	if rest, ok := bytes.CutPrefix(b, []byte(h2frame.Preface)); ok {
		out.WriteString("PREFACE\n")
		b = rest
	}
	if r.d == nil {
		r.d = hpack.NewDecoder(4096, nil)
	}
	in := bytes.NewReader(b)
	f := http2.NewFramer(nil, in)
	f.ReadMetaHeaders = r.d
	for in.Len() > 0 {
		frame, err := f.ReadFrame()
		if err != nil {
			fmt.Fprintf(&out, "%v with %d bytes left\n", err, in.Len())
			break
		}
		out.WriteString(line(frame))
	}
	return out.String()
}

func line(frame http2.Frame) string {
	h := frame.Header()
	end := ""
	switch frame := frame.(type) {
	case *http2.MetaHeadersFrame:
		if frame.StreamEnded() {
			end = " end"
		}
		var fields []string
		for _, f := range frame.Fields {
			s := f.Name + ": " + f.Value
			if len(f.Value) > 100 {
				s = fmt.Sprintf("%s: %d bytes", f.Name, len(f.Value))
			}
			if f.Sensitive {
				s = "!" + s
			}
			fields = append(fields, s)
		}
		return fmt.Sprintf("HEADERS %d%s [%s]\n", h.StreamID, end, strings.Join(fields, ", "))
	case *http2.DataFrame:
		if frame.StreamEnded() {
			end = " end"
		}
		text := string(frame.Data())
		if len(text) > 200 {
			text = fmt.Sprintf("%d bytes", len(text))
		}
		return fmt.Sprintf("DATA %d%s %q\n", h.StreamID, end, text)
	case *http2.SettingsFrame:
		if frame.IsAck() {
			return "SETTINGS ack\n"
		}
		s := "SETTINGS"
		_ = frame.ForeachSetting(func(v http2.Setting) error { s += fmt.Sprintf(" %v", v); return nil })
		return s + "\n"
	case *http2.WindowUpdateFrame:
		return fmt.Sprintf("WINDOW_UPDATE %d %d\n", h.StreamID, frame.Increment)
	case *http2.RSTStreamFrame:
		return fmt.Sprintf("RST_STREAM %d %v\n", h.StreamID, frame.ErrCode)
	case *http2.GoAwayFrame:
		return strings.TrimSpace(fmt.Sprintf("GOAWAY %d %v %s", frame.LastStreamID, frame.ErrCode, frame.DebugData())) + "\n"
	case *http2.PingFrame:
		if frame.IsAck() {
			end = " ack"
		}
		return fmt.Sprintf("PING%s %s\n", end, frame.Data[:])
	}
	return fmt.Sprintf("%v\n", h)
}

// step is something that happens, and what each side gets of it. want is "agent:" and "upstream:" with frames; "ask TITLE"; "note …"; "fail …", "close …".
type step struct {
	from   *wire // agent or upstream
	side   abi.Side
	decide *drygate.Verdict
	end    bool
	want   string
}

func agent(w *wire, want string) step    { return step{from: w, side: abi.Agent, want: want} }
func upstream(w *wire, want string) step { return step{from: w, side: abi.Upstream, want: want} }
func person(v drygate.Verdict, want string) step {
	return step{decide: &v, want: want}
}

// scene is a connection.
type scene struct {
	options map[string]any
	decide  func(title string) drygate.Verdict
	// answers, if there is one, decides about answers: those to what has "look" in its title are looked at, up to 100 bytes.
	answers func(e *drygate.Entry) drygate.Verdict
	steps   []step
}

// happened writes a transcript down, without the opening.
func happened(t drygate.Transcript, steps int) []string {
	var sides [2]reading
	all := make([]string, steps+1)
	for i := range all {
		var b strings.Builder
		var gets [2][]byte
		for k := range t {
			e := &t[k]
			if e.Stimulus != i {
				continue
			}
			switch e.Kind {
			case drygate.Ask:
				if e.Action.Family.Name != abi.FamilyConnect {
					fmt.Fprintf(&b, "ask %s\n", e.Action.Title)
				}
			case drygate.Withdraw:
				fmt.Fprintf(&b, "withdraw\n")
			case drygate.Gets:
				gets[e.Side] = append(gets[e.Side], e.Bytes...)
			case drygate.Note:
				fmt.Fprintf(&b, "note %s\n", strings.Join(e.Pairs, " "))
			case drygate.Close:
				fmt.Fprintf(&b, "%s\n", e)
			}
		}
		for side, p := range gets {
			if s := sides[side].frames(p); s != "" {
				fmt.Fprintf(&b, "%v:\n%s", abi.Side(side), s)
			}
		}
		all[i] = b.String()
	}
	return all
}

// play plays a scene with a fresh guest.
func (s *scene) play(p *testkit.Plugin, t testing.TB, cut func(side abi.Side, at uint64, n int) int) drygate.Transcript {
	guests, m := p.Configure(t, s.options)
	return s.playWith(guests(), m, cut)
}

func (s *scene) playWith(guest drygate.Guest, m *abi.Manifest, cut func(side abi.Side, at uint64, n int) int) drygate.Transcript {
	defer guest.Close()
	g := drygate.New(drygate.Config{Guest: guest, Manifest: m, Facts: abi.Facts{Endpoint: "api", Slots: []string{"token"}, Inspect: s.answers != nil}, Piece: cut,
		Decide: func(e *drygate.Entry) drygate.Verdict {
			switch {
			case e.Response != nil:
				return s.answers(e)
			case s.answers != nil && strings.Contains(e.Action.Title, "look"):
				return drygate.Verdict{Inspect: 100}
			}
			if s.decide == nil || e.Action.Family.Name == abi.FamilyConnect {
				return drygate.Verdict{}
			}
			return s.decide(e.Action.Title)
		}})
	g.Open()
	for _, st := range s.steps {
		switch {
		case st.decide != nil:
			g.Decide(*st.decide)
		case st.end:
			g.End(st.side)
		default:
			g.Send(st.side, st.from.Bytes())
		}
	}
	return g.Transcript()
}

// tidy is want with its indentation taken off.
func tidy(want string) string {
	var b strings.Builder
	for l := range strings.Lines(want) {
		if l = strings.TrimSpace(l); l != "" {
			b.WriteString(l + "\n")
		}
	}
	return b.String()
}

// suite is the plugin natively.
var suite = testkit.Suite{New: func() sdk.Plugin { return &plain.Plugin{} }, Call: companion}

// packed builds the plugin with its companion.
func packed(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	main, undo, out := filepath.Join(dir, "plugin"), filepath.Join(dir, "decode"), filepath.Join(dir, "packed.wasm")
	testkit.Build(t, "testdata/guest", main)
	testkit.Build(t, "../decode/companion", undo)
	var modules [2][]byte
	for i, file := range []string{main, undo} {
		var err error
		if modules[i], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := pack.Put(modules[0], pack.Companion{Name: decode.Companion, Module: modules[1]})
	if err == nil {
		err = os.WriteFile(out, whole, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// run plays a scene natively, whole and cut, and compares.
func (s *scene) run(t *testing.T) {
	t.Helper()
	testkit.Each(t, suite, func(t *testing.T, p *testkit.Plugin) { s.compare(t, p, 30) })
}

// compare plays it with each side cut in about so many places.
func (s *scene) compare(t *testing.T, p *testkit.Plugin, places uint64) {
	t.Helper()
	whole := s.play(p, t, nil)
	for i, got := range happened(whole, len(s.steps)) {
		if i == 0 {
			continue
		}
		if want := tidy(s.steps[i-1].want); got != want && s.steps[i-1].want != "?" {
			t.Errorf("step %d: got\n%s\nwant\n%s", i, got, want)
		}
	}
	if b := whole.Breached(); b != "" {
		t.Fatalf("cut off: %s", b)
	}
	if err := whole.Crashed(); err != nil {
		t.Fatal(err)
	}
	if t.Failed() {
		return
	}
	total := [2]uint64{}
	for _, st := range s.steps {
		if st.from != nil {
			total[st.side] += uint64(st.from.Len())
		}
	}
	cuts := []func(abi.Side, uint64, int) int{func(abi.Side, uint64, int) int { return 1 }}
	if total[0]+total[1] > 10_000 { // long bodies: there is nothing to learn from each of their bytes
		places = 15
		cuts = []func(abi.Side, uint64, int) int{func(_ abi.Side, at uint64, n int) int { return min(n, 1+int(at*7%1500)) }}
	}
	for side := range total {
		stride := max(1, total[side]/places)
		for at := uint64(1); at < total[side]; at += stride {
			cuts = append(cuts, func(k abi.Side, from uint64, n int) int {
				if k == abi.Side(side) && from < at && from+uint64(n) > at {
					return int(at - from)
				}
				return n
			})
		}
	}
	for i, cut := range cuts {
		if same, a, b := whole.Equal(s.play(p, t, cut)); !same {
			t.Fatalf("cut %d makes a difference\nwhole: %s\ncut: %s", i, a, b)
		}
	}
}

func deny(parts ...string) func(string) drygate.Verdict {
	return func(title string) drygate.Verdict {
		for _, part := range parts {
			if strings.Contains(title, part) {
				return drygate.Verdict{Outcome: abi.Deny, Reason: "not that"}
			}
		}
		return drygate.Verdict{}
	}
}

func holding(part string) func(string) drygate.Verdict {
	return func(title string) drygate.Verdict {
		return drygate.Verdict{Held: strings.Contains(title, part), Reason: "why"}
	}
}

const hello = `
	agent:
	SETTINGS ack
	upstream:
	SETTINGS ack`

// begin is the beginning of every scene: both ends agree on the defaults.
func begin() []step {
	return []step{
		agent(client(), `upstream:
			PREFACE
			SETTINGS [ENABLE_PUSH = 0] [INITIAL_WINDOW_SIZE = 65535] [MAX_HEADER_LIST_SIZE = 65536]`),
		upstream(newWire().settings().ack(), hello),
		agent(newWire().ack(), ``),
	}
}

// nativeEach plays scenes natively.
func nativeEach(t *testing.T, look func(drygate.Transcript), scenes ...*scene) {
	t.Helper()
	for _, s := range scenes {
		p := &plain.Plugin{}
		m, err := sdk.ConfigureNative(p, s.options)
		if err != nil {
			t.Fatal(err)
		}
		look(s.playWith(sdk.NewNative(p, companion), m, nil))
	}
}
