package gate

import (
	"math"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// RelayManifest is the manifest of plugin "none".
func RelayManifest() *abi.Manifest {
	return &abi.Manifest{Name: "none", Version: "0", Doc: "moves bytes without looking at them",
		Families: []abi.Family{{Name: abi.FamilyConnect, Doc: "opening a connection", Fields: []abi.Field{}}}}
}

// Relay is the guest of plugin "none": one connect action that covers everything, then bytes both ways, unseen. It is part of
// the gate because there is nothing in it to put into a sandbox; it gets no privilege that a plugin lacks.
type Relay struct{ out []byte }

// NewRelay makes the guest of one connection.
func NewRelay() *Relay { return &Relay{} }

// InputCapacity is the most that one Data takes, in bytes.
func (r *Relay) InputCapacity() int { return abi.MinBuffer }

// Open asks for the connection and plans everything about it.
func (r *Relay) Open([]byte) (commands []byte, more bool, err error) {
	const id = 1
	var a abi.ActionWriter
	a.Begin(nil, 0, abi.ClassSession, "open an uninspected connection")
	r.out = abi.AppendAsk(r.out[:0], id, 0, abi.AskStreaming, a.End())
	r.out = abi.AppendDial(r.out, id)
	r.out = abi.AppendPass(r.out, abi.Agent, id, math.MaxInt64)
	r.out = abi.AppendPass(r.out, abi.Upstream, 0, math.MaxInt64)
	return r.out, false, nil
}

// Data is called with the end of a side only, which goes on to the other.
func (r *Relay) Data(side abi.Side, _ []byte, flags uint32) (commands []byte, more bool, err error) {
	if flags&abi.DataEnd != 0 {
		return abi.AppendShut(r.out[:0], side.Other()), false, nil
	}
	return nil, false, nil
}

// Event closes the connection when it was denied or the upstream cannot be reached.
func (r *Relay) Event(event []byte) (commands []byte, more bool, err error) {
	e, err := abi.ReadEvent(event)
	if err != nil {
		return nil, false, err
	}
	switch {
	case e.Kind == abi.KindVerdict && e.Outcome != abi.Allow:
		return abi.AppendClose(r.out[:0], false, "denied: "+e.Reason), false, nil
	case e.Kind == abi.KindRefused:
		return abi.AppendClose(r.out[:0], false, "the upstream cannot be reached: "+e.Reason), false, nil
	}
	return nil, false, nil
}

// Close does nothing.
func (r *Relay) Close() {}
