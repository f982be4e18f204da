package sshside

import (
	"errors"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// TestDiscard: what is thrown away in the host does not hold its command up, however much it is, and its end is heard of.
func TestDiscard(t *testing.T) {
	s := startSSHD(t)
	b := startBetween(t, s, func(b *between) {
		b.splice = false
		b.filter = func(side int, r []byte) [][]byte {
			stream, _, _ := sshwire.Head(r)
			switch number := r[sshwire.HeadSize]; {
			case side == upstream && number == sshwire.ChannelSuccess:
				return [][]byte{r, sshwire.AppendEmpty(nil, stream, sshwire.Discard)}
			case side == upstream && number == sshwire.Data: // was under way; nothing of its window is given back
				return nil
			}
			return [][]byte{r}
		}
	})
	client := b.dial(t)
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := session.Output("head -c 20000000 /dev/zero; exit 7")
	var exit *ssh.ExitError
	if !errors.As(err, &exit) || exit.ExitStatus() != 7 || len(out) > 0 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	_ = client.Close()
}
