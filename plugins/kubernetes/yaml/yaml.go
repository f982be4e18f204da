// Package yaml turns a text of YAML into JSON. The work is done by the companion module in the folder companion, with the reader that the API server has (sigs.k8s.io/yaml), a copy of which is
// reset for each call; this package is its interface, which both sides import.
package yaml

import "errors"

// Companion is the name of the module in the plugin's manifest.
const Companion = "yaml"

// Limits of one call, in bytes.
const (
	MaxInput  = 64 << 10
	MaxOutput = 256 << 10
)

// ErrText says that a text is not read.
var ErrText = errors.New("this is no YAML that can be read")

// Caller runs a companion, as sdk.Conn.Call does.
type Caller interface {
	Call(k int, in, out []byte) ([]byte, error)
}

// JSON turns a text into JSON. k is the companion's place in the manifest. Any error means that the text is unknown: it is no YAML, names something twice, has aliases, or becomes too long.
func JSON(c Caller, k int, text []byte) ([]byte, error) {
	if len(text) > MaxInput {
		return nil, ErrText
	}
	return c.Call(k, text, make([]byte, MaxOutput))
}
