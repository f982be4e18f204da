package gateway

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// The fields of family connect that an endpoint with tls = "passthrough" has.
const (
	passName = iota
	passProtocols
	passVersion
)

// relayManifest is the manifest of plugin "none" at an endpoint.
func relayManifest(c *config.Endpoint) *abi.Manifest {
	m := gate.RelayManifest()
	if c.TLS == config.TLSPassthrough {
		m.Families[0].Fields = []abi.Field{
			{Name: "tls_name", Type: abi.TypeString, Doc: "the name that the agent's TLS asks for, in lower case; nothing is known of what is inside"},
			{Name: "tls_protocols", Type: abi.TypeStrings, Doc: "the protocols that it offers by ALPN; the upstream chooses one of them unseen"},
			{Name: "tls_version", Type: abi.TypeString, Values: []string{"1.2", "1.3"}, Doc: "the newest version of TLS that it offers"},
		}
	}
	return m
}

// relay is the guest of plugin "none" for one connection.
func (e *endpoint) relay() gate.Guest {
	if e.cfg.TLS == config.TLSPassthrough {
		return newPassthrough(e.cfg)
	}
	return gate.NewRelay()
}

// passthrough is the guest of an endpoint with tls = "passthrough": it reads the first thing that the agent says, a ClientHello, asks
// for the connection by the name in it, and then plans everything as the relay does. Like that one it has no privilege that a
// plugin lacks.
type passthrough struct {
	*gate.Relay          // for what comes once it is planned
	names       []string // that an agent may ask for
	hello       []byte
	asked       bool
	out         []byte
}

func newPassthrough(c *config.Endpoint) *passthrough {
	return &passthrough{Relay: gate.NewRelay(), names: []string{c.Name.Value, strings.ToLower(c.ServerName)}}
}

// Open waits for the agent's hello: nothing is connected before.
func (p *passthrough) Open([]byte) (commands []byte, more bool, err error) { return nil, false, nil }

// Data reads the hello.
func (p *passthrough) Data(side abi.Side, b []byte, flags uint32) (commands []byte, more bool, err error) {
	if p.asked {
		return p.Relay.Data(side, b, flags)
	}
	p.hello = append(p.hello, b...)
	h, complete, err := layer.ReadHello(p.hello)
	switch {
	case err != nil:
		return p.refuse("the agent does not begin with TLS that can be let through: %v", err)
	case !complete && flags&abi.DataEnd != 0:
		return p.refuse("the agent ended before it said what it wants")
	case !complete:
		return nil, false, nil
	case h.Hidden:
		return p.refuse("the agent hides which server it wants (ECH), and tls = \"passthrough\" decides on nothing else")
	case h.Name == "":
		return p.refuse("the agent's TLS does not say which server it wants (SNI), and tls = \"passthrough\" decides on nothing else")
	case !slices.Contains(p.names, h.Name):
		return p.refuse("the agent's TLS is for another server than this endpoint (SNI): %s", h.Name)
	}
	p.asked, p.hello = true, nil
	return p.ask(&h), false, nil
}

// ask plans the whole connection under the question for it.
func (p *passthrough) ask(h *layer.Hello) []byte {
	const id = 1
	var a abi.ActionWriter
	a.Begin(nil, 0, abi.ClassSession, fmt.Sprintf("open a TLS connection to %s, uninspected", h.Name))
	a.String(passName, h.Name)
	a.Strings(passProtocols, h.Protocols)
	a.String(passVersion, h.Versions[0])
	p.out = abi.AppendAsk(p.out[:0], id, 0, abi.AskStreaming, a.End())
	p.out = abi.AppendDial(p.out, id)
	p.out = abi.AppendPass(p.out, abi.Agent, id, math.MaxInt64)
	return abi.AppendPass(p.out, abi.Upstream, 0, math.MaxInt64)
}

func (p *passthrough) refuse(format string, args ...any) (commands []byte, more bool, err error) {
	return abi.AppendClose(p.out[:0], true, fmt.Sprintf(format, args...)), false, nil
}
