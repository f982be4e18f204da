// Package plain is the smallest plugin around package h2, for its tests: HTTP/2 by prior knowledge, on both sides.
package plain

import (
	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/h2"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Plugin is the plugin.
type Plugin struct {
	options     h2.Options
	credentials []h2.Credential
	parameter   h2.Credential
	spare       *h2.Session
}

// Manifest declares it.
func (*Plugin) Manifest() abi.Manifest {
	return abi.Manifest{
		Name: "plain", Version: "1.0.0", Families: facts.Families(),
		Options: []abi.Option{
			{Name: "inspect_body", Type: abi.TypeBool, Default: false, Doc: "read bodies"},
			{Name: "body_limit", Type: abi.TypeInt, Min: 0, Max: 40 << 10, Default: int64(32 << 10), Doc: "up to so many bytes"},
			{Name: "authorities", Type: abi.TypeString, Default: "*", Doc: "names"},
			{Name: "credential", Type: abi.TypeInt, Min: 0, Max: 20 << 10, Default: int64(0), Doc: "the length of a header x-token that the gateway writes; 0: none"},
			{Name: "parameter", Type: abi.TypeInt, Min: 0, Max: 20 << 10, Default: int64(0), Doc: "the length of a parameter key that the gateway writes; 0: none"},
		},
		Companions: []abi.Companion{{Name: decode.Companion}},
		Slots:      []abi.Slot{{Name: "token", Form: "header", Doc: "a token"}},
	}
}

// Configure takes the options.
func (p *Plugin) Configure(options []byte) error {
	o, err := sdk.ReadOptions(options)
	if err != nil {
		return err
	}
	p.options = h2.Options{Inspect: o.Bool("inspect_body"), BodyLimit: int(o.Int("body_limit")), Undo: func(c *sdk.Conn, encoding, body []byte, limit int) ([]byte, error) {
		return decode.Body(c, 0, encoding, body, limit)
	}}
	p.credentials = nil
	if n := o.Int("credential"); n > 0 {
		p.credentials = []h2.Credential{{Name: "x-token", Slot: 0, Length: int(n)}}
	}
	if p.parameter = (h2.Credential{}); o.Int("parameter") > 0 {
		p.parameter = h2.Credential{Name: "key", Slot: 0, Length: int(o.Int("parameter"))}
	}
	if p.options.Raise, err = facts.ParseRaise(""); err != nil {
		return err
	}
	if p.options.Authorities, err = facts.ParseAuthorities(o.String("authorities")); err != nil {
		return err
	}
	p.spare = h2.New(&p.options, new(facts.Action))
	return nil
}

// Open begins a connection.
func (p *Plugin) Open(c *sdk.Conn, f abi.Facts) sdk.Session {
	s := &session{h: p.spare, facts: f, credentials: p.credentials, parameter: p.parameter}
	if p.spare = nil; s.h == nil {
		s.h = h2.New(&p.options, new(facts.Action))
	}
	s.connect = facts.AskConnect(c, f.Endpoint, false).Do(0, abi.AskAside|abi.AskStreaming)
	return s
}

type session struct {
	h           *h2.Session
	facts       abi.Facts
	credentials []h2.Credential
	parameter   h2.Credential
	connect     uint32
	ready       bool
	waits       bool
}

// Data waits for the upstream.
func (s *session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if s.ready {
		return s.h.Data(c, side, p, end)
	}
	if !s.waits {
		s.waits = true
		c.Pause(abi.Agent)
	}
	return 0
}

// Event begins when the upstream is connected.
func (s *session) Event(c *sdk.Conn, e abi.Event) {
	switch {
	case s.ready:
		s.h.Event(c, e)
	case e.Kind == abi.KindVerdict && e.Outcome == abi.Allow:
		c.Dial(s.connect)
	case e.Kind == abi.KindConnected:
		s.ready = true
		s.h.Start(c, h2.Link{Endpoint: s.facts.Endpoint, Inspect: s.facts.Inspect, Connect: s.connect, Credentials: s.credentials, Parameter: s.parameter})
		if s.waits {
			c.Unpause(abi.Agent)
		}
	case e.Kind == abi.KindVerdict, e.Kind == abi.KindRefused:
		c.Close("no upstream")
	}
}
