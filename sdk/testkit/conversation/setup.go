//go:build !wasip1

package conversation

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// setup reads a line about the connection as a whole.
func (p *parser) setup(w string) error {
	if s := p.script.Steps; len(s) > 1 || len(s[0].Expect) > 0 {
		return fmt.Errorf("%s stands before everything else", w)
	}
	name := p.word()
	if name == "" {
		return fmt.Errorf("%s of what?", w)
	}
	f := &p.script.Facts
	switch w {
	case "endpoint":
		f.Endpoint = name
	case "peer":
		f.Peer = name
	case "profile":
		f.Profile = name
	case "slot":
		f.Slots = append(f.Slots, name)
	case "fact":
		flag, ok := map[string]*bool{"upstream-tls": &f.UpstreamTLS, "agent-tls": &f.AgentTLS, "agent-tls-required": &f.AgentTLSRequired, "inspect": &f.Inspect}[name]
		if !ok {
			return fmt.Errorf("fact %q: upstream-tls, agent-tls, agent-tls-required or inspect", name)
		}
		*flag = true
	case "option", "attribute":
		return p.assignment(w, name)
	}
	return p.end()
}

func (p *parser) assignment(what, name string) error {
	if !p.is("=") {
		return fmt.Errorf("%s %s: = is missing", what, name)
	}
	if what == "attribute" {
		v, err := p.text()
		if err != nil {
			return err
		}
		p.script.Facts.Attributes = append(p.script.Facts.Attributes, abi.Attribute{Name: name, Value: v})
		return p.end()
	}
	var v any
	if err := json.Unmarshal([]byte(strings.TrimSpace(p.rest)), &v); err != nil {
		return fmt.Errorf("option %s: %w", name, err)
	}
	p.script.Options[name] = v
	return nil
}
