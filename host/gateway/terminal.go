package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sallyport-dev/sallyport/host/asciicast"
	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/layer/sshside"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// terminalsDir is where in the state the recordings of terminals are.
const terminalsDir = "terminals"

// recordTerminal begins the recording of a terminal, named by the receipt of the action that it belongs to, of which a note names the file.
func (s *session) recordTerminal(action uint32, t sshside.Terminal) (sshside.Recording, error) {
	id := s.kept(action)
	if id == "" || strings.ContainsAny(id, `/\`) {
		return nil, errors.New("the terminal belongs to no action that is on record")
	}
	dir := filepath.Join(s.a.cfg.Gateway.State, terminalsDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	name := id + ".cast"
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	c := s.endpoint.cfg
	w, err := asciicast.New(f, asciicast.Header{Width: t.Width, Height: t.Height, Begin: time.Now(), Term: t.Term, Command: t.Command,
		Title: fmt.Sprintf("%s at %s, receipt %s", s.peer, c.Name.Value, id)}, cmp.Or(c.Record.Limit, config.DefaultRecordLimit))
	if err != nil {
		return nil, err
	}
	s.Note(action, []string{abi.NoteRecording, terminalsDir + "/" + name})
	if c.Record.Input {
		return w, nil
	}
	return outputOnly{w}, nil
}

// outputOnly is a recording without what is typed: passwords are, and are not shown.
type outputOnly struct{ *asciicast.Writer }

// Input does nothing.
func (outputOnly) Input([]byte) error { return nil }
