package wgquick

import (
	"fmt"
	"io"
	"strings"
)

// Write writes the configuration so that [Parse] and wg-quick(8) read the same from it. It contains
// the private key: a file for it belongs to one user, mode 0600. The error is Validate's or the
// writer's.
func (c *Config) Write(w io.Writer) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("write WireGuard configuration: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[Interface]\nPrivateKey = %s\nAddress = %s\n", c.Interface.PrivateKey.Base64(), join(c.Interface.Address))
	if len(c.Interface.DNS) > 0 {
		fmt.Fprintf(&b, "DNS = %s\n", join(c.Interface.DNS))
	}
	if c.Interface.MTU != 0 {
		fmt.Fprintf(&b, "MTU = %d\n", c.Interface.MTU)
	}
	fmt.Fprintf(&b, "\n[Peer]\nPublicKey = %s\nEndpoint = %s\nAllowedIPs = %s\n",
		c.Peer.PublicKey.Base64(), c.Peer.Endpoint, join(c.Peer.AllowedIPs))
	if c.Peer.PersistentKeepalive != 0 {
		fmt.Fprintf(&b, "PersistentKeepalive = %d\n", c.Peer.PersistentKeepalive)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write WireGuard configuration: %w", err)
	}
	return nil
}

// join lists values with commas between them.
func join[T fmt.Stringer](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.String()
	}
	return strings.Join(texts, ", ")
}
