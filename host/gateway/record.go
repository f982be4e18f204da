package gateway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/recording"
)

// MakeRecordings makes the folder that recordings go to, if there is none, and checks that it can be written to.
func MakeRecordings(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("recordings: %w", err)
	}
	f, err := os.CreateTemp(dir, ".try-*")
	if err != nil {
		return fmt.Errorf("recordings: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// recorded is the guest with somebody who writes down what it is told and what it answers, when the gateway records. A connection
// without a plugin has nothing to record.
func (s *session) recorded(g gate.Guest) gate.Guest {
	dir := s.a.options.Record
	if dir == "" || s.endpoint.template == nil {
		return g
	}
	r := &recorder{Guest: g, session: s}
	if err := r.begin(dir); err != nil {
		r.failed(err)
	}
	return r
}

// recorder is a guest whose connection is recorded. What goes wrong with the recording is logged and changes nothing else.
type recorder struct {
	gate.Guest
	session *session
	file    *os.File
	to      *recording.Writer // nil when there is nothing to write to any more
}

func (r *recorder) begin(dir string) error {
	s := r.session
	c := s.endpoint.cfg
	options, err := s.endpoint.manifest.ResolveOptions(values(c.Options))
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, s.conn+".recording"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	r.file = f
	r.to, err = recording.NewWriter(f, recording.Header{Gateway: s.a.options.Version, Connection: s.conn, Endpoint: c.Name.Value,
		Plugin: c.Plugin.Value, PluginSHA256: s.endpoint.digest, Options: options}, 0, s.a.secrets())
	return err
}

// secrets are the values that this gateway injects, of all endpoints: none of them may stand in a recording.
func (a *Assembly) secrets() [][]byte {
	var all [][]byte
	for _, e := range a.endpoints {
		for _, l := range e.allLogins() {
			for i, slot := range l.slots {
				if slot.filled {
					all = append(all, slot.form.Echoes(l.use(i, secret.Transport{}))...)
				}
			}
		}
	}
	return all
}

// failed gives the recording up.
func (r *recorder) failed(err error) {
	s := r.session
	s.log.Error("a connection cannot be recorded further", "connection", s.conn, "peer", s.peer, "endpoint", s.endpoint.cfg.Name.Value, "error", err)
	r.to = nil
}

// saw writes a call down. The answer is the guest's, whatever comes of that.
func (r *recorder) saw(c recording.Call, commands []byte, more bool, err error) ([]byte, bool, error) {
	if r.to != nil {
		c.Out, c.More = commands, more
		if err != nil {
			c.Err = err.Error()
		}
		if werr := r.to.Call(&c); werr != nil {
			r.failed(werr)
		}
	}
	return commands, more, err
}

// Open begins the connection.
func (r *recorder) Open(facts []byte) (commands []byte, more bool, err error) {
	commands, more, err = r.Guest.Open(facts)
	return r.saw(recording.Call{Kind: recording.Open, In: facts}, commands, more, err)
}

// Data delivers bytes of a side.
func (r *recorder) Data(side abi.Side, p []byte, flags uint32) (commands []byte, more bool, err error) {
	commands, more, err = r.Guest.Data(side, p, flags)
	return r.saw(recording.Call{Kind: recording.Data, Side: side, In: p, End: flags&abi.DataEnd != 0}, commands, more, err)
}

// Event delivers an event.
func (r *recorder) Event(e []byte) (commands []byte, more bool, err error) {
	commands, more, err = r.Guest.Event(e)
	return r.saw(recording.Call{Kind: recording.Event, In: e}, commands, more, err)
}

// Close ends the guest and the recording.
func (r *recorder) Close() {
	r.Guest.Close()
	var err error
	if r.to != nil {
		err = r.to.Close("the connection ended")
	}
	if r.file != nil {
		err = errors.Join(err, r.file.Close())
	}
	if err != nil {
		r.failed(err)
	}
}
