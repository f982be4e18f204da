package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/recording"
	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
)

// Extensions of fixtures.
const (
	ConversationExt = ".txt"
	RecordingExt    = ".recording"
)

// Fixture is a connection to live through.
type Fixture struct {
	Name   string
	Script *conversation.Script
	// Expects is true for a conversation, which says what must come of it.
	Expects bool
	// Generic is true for what is made up without knowing the protocol.
	Generic bool
}

// Fixtures reads the conversations (*.txt) and recordings (*.recording) of a folder, by name. Recordings that are in order and yet can
// be no fixture are left out, and unfit says which and why; a folder of nothing else is an error, and so is a file that cannot be read.
func Fixtures(dir string) (all []*Fixture, unfit []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	var errs []error
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		f := &Fixture{Name: e.Name()}
		switch filepath.Ext(e.Name()) {
		case ConversationExt:
			f.Script, err = conversation.Load(path)
			f.Expects = true
		case RecordingExt:
			f.Script, err = loadRecording(path)
		default:
			continue
		}
		switch {
		case errors.Is(err, errScanned):
			unfit = append(unfit, err.Error())
		case err != nil:
			errs = append(errs, err)
		default:
			all = append(all, f)
		}
	}
	switch {
	case len(errs) > 0 || len(all) > 0:
	case len(unfit) > 0:
		errs = append(errs, fmt.Errorf("%s has no fixture: %s", dir, strings.Join(unfit, "; ")))
	default:
		errs = append(errs, fmt.Errorf("%s has no conversation (*%s) and no recording (*%s)", dir, ConversationExt, RecordingExt))
	}
	return all, unfit, errors.Join(errs...)
}

// ReadRecording reads a recording from a file.
func ReadRecording(path string) (*recording.Recording, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rec, err := recording.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rec, nil
}

func loadRecording(path string) (*conversation.Script, error) {
	rec, err := ReadRecording(path)
	if err != nil {
		return nil, err
	}
	return ScriptOf(filepath.Base(path), rec)
}

// ScriptOf makes a conversation of a recording: the same bytes, decisions and events. Bytes that the gateway moved without the guest are
// not in a recording; the conversation has their number.
func ScriptOf(name string, rec *recording.Recording) (*conversation.Script, error) {
	s := &conversation.Script{Name: name, Steps: []conversation.Step{{Line: 1}}}
	if len(rec.Header.Options) > 0 {
		if err := json.Unmarshal(rec.Header.Options, &s.Options); err != nil {
			return nil, fmt.Errorf("%s: options: %w", name, err)
		}
	}
	c := converter{script: s}
	for i := range rec.Calls {
		if err := c.call(i+1, &rec.Calls[i]); err != nil {
			return nil, fmt.Errorf("%s: call %d: %w", name, i+1, err)
		}
	}
	if err := c.carryOut(0, abi.Allow, ""); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// generic are fixtures that suit any protocol, or none: what they ask is allowed.
func generic() []*Fixture {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 600)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	var all []*Fixture
	for name, data := range map[string][]byte{
		"nothing": nil,
		"lines":   []byte("HELLO example\r\nGET / HTTP/1.0\r\n\r\nquit\r\n"),
		"zeros":   make([]byte, 64),
		"noise":   noise,
	} {
		s := &conversation.Script{Name: "generic " + name, Facts: abi.Facts{Endpoint: "endpoint", Peer: "peer", Profile: "profile"}, Steps: []conversation.Step{{},
			{Does: conversation.Sends, Side: abi.Agent, Data: data}, {Does: conversation.Sends, Side: abi.Upstream, Data: data},
			{Does: conversation.Ends, Side: abi.Agent}, {Does: conversation.Ends, Side: abi.Upstream}}, AllowRest: true}
		all = append(all, &Fixture{Name: s.Name, Script: s, Generic: true})
	}
	slices.SortFunc(all, func(a, b *Fixture) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}
