package layer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ServerOptions say how the gateway speaks TLS to an agent.
type ServerOptions struct {
	CA *CA
	// Names are those of the endpoint, host names in lower case and IP addresses, at least one. The leaf is for all of them. An agent
	// that asks for another name is refused.
	Names []string
	// Others are host names in lower case that an agent may ask for as well. The leaf is for the one that it asks for, too.
	Others []string
	// NeedName refuses agents that ask for no name.
	NeedName bool
	Timeout  time.Duration // of the handshake; 0: DefaultTimeout
	// Choose picks the protocol (ALPN) that the agent is answered with, one of those offered, preferred first; "" is none. It is called
	// once, in the middle of the handshake, when nothing else is wrong with the agent, and may wait as long as ctx allows. Its
	// error ends the handshake; ErrProtocol tells the agent that nothing of what it offers is spoken here. nil: the agent's first.
	Choose func(ctx context.Context, offered []string) (string, error)
}

// ErrProtocol is for ServerOptions.Choose: nothing of what the agent offers is spoken here.
var ErrProtocol = errors.New("none of these protocols is spoken here")

// noProtocol is what an agent cannot have offered: at least nobody means it by this name.
const noProtocol = "\x00"

// Server begins TLS with an agent.
func Server(ctx context.Context, under Transport, o ServerOptions) (*Conn, error) {
	if o.CA == nil || len(o.Names) == 0 {
		return nil, &Error{"the endpoint offers agents no TLS", nil}
	}
	var asked string
	var refusal error
	base := &tls.Config{MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true}
	base.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		c := base.Clone()
		asked = strings.ToLower(h.ServerName)
		if refusal = o.admit(h, asked); refusal != nil {
			return c, nil // without a certificate: the agent is told that the name is not known here, or the version
		}
		protocol, err := o.choose(h)
		switch {
		case errors.Is(err, ErrProtocol):
			c.NextProtos = []string{noProtocol} // has the agent told so
			refusal = &Error{"the agent offers no protocol that is spoken here", fmt.Errorf("it offers %s", quoteAll(h.SupportedProtos))}
		case err != nil:
			refusal = err
			return nil, err
		case protocol != "":
			c.NextProtos = []string{protocol}
		}
		c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if slices.Contains(o.Names, asked) || asked == "" {
				return o.CA.Leaf(o.Names...)
			}
			return o.CA.Leaf(append(slices.Clone(o.Names), asked)...)
		}
		return c, nil
	}
	in := newArrivals(under)
	w := newWire(in)
	t := tls.Server(w, base)
	err := handshake(ctx, t, o.Timeout)
	var known *Error
	switch {
	case err == nil && refusal == nil:
	case errors.As(refusal, &known):
		return nil, known
	case err == nil:
		return nil, &Error{"the TLS handshake with the agent failed", refusal}
	default:
		return nil, explain("agent", err)
	}
	i := info(t)
	i.Name = asked
	return &Conn{Conn: t, under: w, arrivals: in, info: i}, nil
}

// admit says why an agent is refused, before anything else is done about it.
func (o *ServerOptions) admit(h *tls.ClientHelloInfo, asked string) error {
	switch {
	case len(h.SupportedVersions) > 0 && slices.Max(h.SupportedVersions) < tls.VersionTLS12:
		return &Error{"the agent cannot do TLS 1.2 or newer", nil}
	case asked == "" && o.NeedName:
		return &Error{"the agent's TLS does not say which server it wants (SNI)", nil}
	case asked != "" && !slices.Contains(o.Names, asked) && !slices.Contains(o.Others, asked):
		return &Error{"the agent's TLS is for another server than this endpoint (SNI)",
			fmt.Errorf("it asks for %q, the endpoint is %s", shorten(asked), quoteAll(o.Names))}
	}
	return nil
}

func (o *ServerOptions) choose(h *tls.ClientHelloInfo) (string, error) {
	if o.Choose == nil {
		if len(h.SupportedProtos) == 0 {
			return "", nil
		}
		return h.SupportedProtos[0], nil
	}
	protocol, err := o.Choose(h.Context(), slices.Clone(h.SupportedProtos))
	if err == nil && protocol != "" && !slices.Contains(h.SupportedProtos, protocol) {
		return "", ErrProtocol
	}
	return protocol, err
}

// OneOf chooses the first protocol that an agent offers out of a list. An agent that offers none at all gets none.
func OneOf(protocols ...string) func(context.Context, []string) (string, error) {
	return func(_ context.Context, offered []string) (string, error) {
		for _, p := range offered {
			if slices.Contains(protocols, p) {
				return p, nil
			}
		}
		if len(offered) > 0 {
			return "", ErrProtocol
		}
		return "", nil
	}
}

// quoteAll is a list from outside for a text, bounded.
func quoteAll(list []string) string {
	quoted := make([]string, 0, 8)
	for _, s := range list[:min(len(list), 8)] {
		quoted = append(quoted, fmt.Sprintf("%q", shorten(s)))
	}
	return strings.Join(quoted, ", ")
}
