package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/recording"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// Replayed is what a plugin says to a recording.
type Replayed struct {
	Recording recording.Header `json:"recording"`
	SHA256    string           `json:"plugin_sha256"`
	SamePlug  bool             `json:"same_plugin"` // the plugin is the one that was recorded
	Calls     []ReplayedCall   `json:"calls"`
	Actions   []string         `json:"actions"`
	// Outputs are the digests of all that the plugin answered, as recorded and now.
	Recorded string `json:"recorded_outputs_sha256"`
	Now      string `json:"outputs_sha256"`
	Same     bool   `json:"same_outputs"`
	Differs  string `json:"first_difference,omitempty"`
	Masked   bool   `json:"masked,omitempty"` // secrets were masked, which can make a difference
	Complete bool   `json:"complete"`         // the recording has its end
	Reason   string `json:"reason,omitempty"` // how the recorded connection ended
}

// ReplayedCall is one call.
type ReplayedCall struct {
	Call     string   `json:"call"`
	Commands []string `json:"commands"`
	Error    string   `json:"error,omitempty"`
	Differs  bool     `json:"differs,omitempty"`
}

// Replay gives a plugin exactly what a recorded guest was given, in the same order, and says what it answers. It stops where the
// plugin fails.
func Replay(ctx context.Context, m *Module, rec *recording.Recording) (*Replayed, error) {
	var options map[string]any
	if len(rec.Header.Options) > 0 {
		if err := json.Unmarshal(rec.Header.Options, &options); err != nil {
			return nil, fmt.Errorf("the recording's options: %w", err)
		}
	}
	e, err := m.Configure(ctx, options)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	g, err := e.Guest(ctx)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	r := &Replayed{Recording: rec.Header, SHA256: m.Listing.SHA256, Same: true, Calls: []ReplayedCall{}, Actions: []string{}, Complete: rec.Ended && !rec.Cut, Reason: rec.Reason}
	r.SamePlug = r.SHA256 == rec.Header.PluginSHA256
	before, now := sha256.New(), sha256.New()
	for i := range rec.Calls {
		c := &rec.Calls[i]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out, more, err := again(g, c)
		before.Write(c.Out)
		now.Write(out)
		call := ReplayedCall{Call: describe(c), Commands: []string{}}
		if err != nil {
			call.Error = err.Error()
		}
		call.Differs = !bytes.Equal(out, c.Out) || more != c.More || (err != nil) != (c.Err != "")
		if call.Differs && r.Same {
			r.Same = false
			r.Differs = fmt.Sprintf("call %d (%s): recorded: %s; now: %s", i+1, call.Call, said(c.Out, c.Err, m.Manifest), said(out, call.Error, m.Manifest))
		}
		r.Masked = r.Masked || c.Masked
		call.Commands = r.commands(out, m.Manifest)
		r.Calls = append(r.Calls, call)
		if err != nil {
			break
		}
	}
	r.Recorded, r.Now = hex.EncodeToString(before.Sum(nil)), hex.EncodeToString(now.Sum(nil))
	return r, nil
}

func again(g drygate.Guest, c *recording.Call) ([]byte, bool, error) {
	switch c.Kind {
	case recording.Open:
		return g.Open(c.In)
	case recording.Data:
		var flags uint32
		if c.End {
			flags = abi.DataEnd
		}
		return g.Data(c.Side, c.In, flags)
	}
	return g.Event(c.In)
}

// describe is a call in a few words.
func describe(c *recording.Call) string {
	switch c.Kind {
	case recording.Open:
		return "open"
	case recording.Data:
		s := fmt.Sprintf("%v %d bytes", c.Side, len(c.In))
		if c.End {
			s += ", the last"
		}
		return s
	}
	if len(c.In) == 0 {
		return "go on"
	}
	e, err := abi.ReadEvent(c.In)
	if err != nil {
		return err.Error()
	}
	switch e.Kind {
	case abi.KindVerdict:
		s := fmt.Sprintf("verdict %d: %v", e.ID, e.Outcome)
		if e.Outcome != abi.Allow {
			s += fmt.Sprintf(" %q", e.Reason)
		}
		return s
	case abi.KindConnected:
		return "connected"
	case abi.KindRefused:
		return fmt.Sprintf("refused: %q", e.Reason)
	case abi.KindSecured:
		return fmt.Sprintf("%v secured with TLS %s", e.Side, e.Version)
	case abi.KindAuthFailed:
		return fmt.Sprintf("auth failed: %q", e.Reason)
	case abi.KindScanned:
		return fmt.Sprintf("%v scanned: %d frames, %d bytes", e.Side, e.Frames, e.Bytes)
	}
	return "event"
}

// said is an answer as one line.
func said(out []byte, failed string, m *abi.Manifest) string {
	var r Replayed
	all := r.commands(out, m)
	if failed != "" {
		all = append(all, "error: "+failed)
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, ", ")
}

// commands writes a command list out, one command each, and keeps the actions.
func (r *Replayed) commands(list []byte, m *abi.Manifest) []string {
	all := []string{}
	var cmd abi.Command
	for len(list) > 0 {
		rest, err := abi.Next(list, &cmd)
		if err != nil {
			return append(all, "unreadable: "+err.Error())
		}
		list = rest
		s := command(&cmd, m)
		if cmd.Tag == abi.TagAsk {
			r.Actions = append(r.Actions, s)
		}
		all = append(all, s)
	}
	return all
}

// command is one command as text.
func command(c *abi.Command, m *abi.Manifest) string {
	switch c.Tag {
	case abi.TagAsk:
		a, err := abi.ReadAction(c.Data, m)
		if err != nil {
			return "ASK unreadable: " + err.Error()
		}
		e := drygate.Entry{Kind: drygate.Ask, Action: a, Streaming: c.Flags&abi.AskStreaming != 0}
		s, _, _ := strings.Cut(e.String(), " -> ")
		return fmt.Sprintf("ASK %d of %d bytes: %s", c.ID, c.N, strings.TrimPrefix(s, "ask "))
	case abi.TagPass:
		return fmt.Sprintf("PASS %v %d, %d bytes", c.Side, c.ID, c.N)
	case abi.TagDrop:
		return fmt.Sprintf("DROP %v %d bytes", c.Side, c.N)
	case abi.TagSend:
		return fmt.Sprintf("SEND %v %s", c.Side, drygate.Quote(c.Data))
	case abi.TagStock:
		return fmt.Sprintf("STOCK %d", c.Stock)
	case abi.TagClose:
		if c.Failed {
			return fmt.Sprintf("CLOSE failed %q", c.Data)
		}
		return fmt.Sprintf("CLOSE %q", c.Data)
	case abi.TagNote:
		return fmt.Sprintf("NOTE %d %q", c.ID, c.Pairs)
	case abi.TagPause:
		return fmt.Sprintf("PAUSE %v %v", c.Side, c.On)
	case abi.TagDial, abi.TagDone:
		return fmt.Sprintf("%v %d", c.Tag, c.ID)
	case abi.TagAuth:
		return fmt.Sprintf("AUTH slot %d", c.Slot)
	case abi.TagAlias, abi.TagUnalias:
		return fmt.Sprintf("%v %d bytes", c.Tag, c.N)
	}
	return fmt.Sprintf("%v %v", c.Tag, c.Side)
}
