//go:build !wasip1

package sdk

import (
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Native runs one session of a plugin as ordinary Go, behind the calls that the gate makes to a guest: for tests, fuzzing and
// debuggers. It has no sandbox.
type Native struct {
	r    runner
	p    Plugin
	call func(k int, in, out []byte) (int, error)
	out  []byte
}

// NewNative makes a native guest of a plugin that has been configured. call runs a companion; nil when there is none.
func NewNative(p Plugin, call func(k int, in, out []byte) (int, error)) *Native {
	return &Native{p: p, call: call, out: make([]byte, abi.MinBuffer)}
}

// ConfigureNative checks an endpoint's options against the plugin's manifest and configures it, as the host would.
func ConfigureNative(p Plugin, options map[string]any) (*abi.Manifest, error) {
	described := p.Manifest()
	m, err := abi.ParseManifest(abi.AppendManifest(nil, &described))
	if err != nil {
		return nil, err
	}
	resolved, err := m.ResolveOptions(options)
	if err != nil {
		return nil, err
	}
	return m, p.Configure(resolved)
}

// InputCapacity is the most that one Data takes, in bytes.
func (n *Native) InputCapacity() int { return abi.MinBuffer }

// Open begins the connection.
func (n *Native) Open(facts []byte) (commands []byte, more bool, err error) {
	return n.step(func() { n.r.open(n.p, facts, n.call) })
}

// Data delivers bytes of a side.
func (n *Native) Data(side abi.Side, p []byte, flags uint32) (commands []byte, more bool, err error) {
	return n.step(func() { n.r.data(side, p, flags&abi.DataEnd != 0) })
}

// Event delivers an event.
func (n *Native) Event(e []byte) (commands []byte, more bool, err error) {
	return n.step(func() { n.r.event(e) })
}

// Close ends the guest.
func (n *Native) Close() {}

func (n *Native) step(f func()) (commands []byte, more bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			commands, more, err = nil, false, fmt.Errorf("the plugin panicked: %v", v)
		}
	}()
	f()
	k := n.r.fetch(n.out)
	return n.out[:k&^abi.More], k&abi.More != 0, nil
}
