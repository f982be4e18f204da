package layer

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"
	"time"
)

// ServerOptions say how the gateway speaks TLS to an agent.
type ServerOptions struct {
	CA *CA
	// Names are those of the endpoint, host names and IP addresses, at least one. The leaf is for all of them, whatever name the
	// agent asks for: what is made of that name is decided by whoever reads Info.
	Names     []string
	Protocols []string      // ALPN, preferred first; none: the extension is ignored
	Timeout   time.Duration // of the handshake; 0: DefaultTimeout
	// AnyProtocol takes the agent's first protocol in place of one of Protocols. Whoever knows the protocol reads in Info what was
	// agreed on, and has to refuse what it does not speak.
	AnyProtocol bool
}

// Server begins TLS with an agent. When the agent offers protocols and none of them is listed, the handshake fails.
func Server(ctx context.Context, under Transport, o ServerOptions) (*Conn, error) {
	if o.CA == nil || len(o.Names) == 0 {
		return nil, &Error{"the endpoint offers agents no TLS", nil}
	}
	var asked string
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: slices.Clone(o.Protocols), SessionTicketsDisabled: true,
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			asked = strings.ToLower(h.ServerName)
			return o.CA.Leaf(o.Names...)
		},
	}
	if o.AnyProtocol {
		c.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			c := c.Clone()
			c.NextProtos = h.SupportedProtos[:min(1, len(h.SupportedProtos))]
			return c, nil
		}
	}
	t := tls.Server(under, c)
	if err := handshake(ctx, t, o.Timeout); err != nil {
		return nil, explain("agent", err)
	}
	i := info(t)
	i.Name = asked
	return &Conn{Conn: t, under: under, info: i}, nil
}
