package gateway

import (
	"context"

	"github.com/sallyport-dev/sallyport/host/extism"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// module is a loaded plugin, in whatever lane.
type module interface {
	Manifest() []byte
	configure(ctx context.Context, options []byte) (template, error)
	Close()
}

// template is a plugin with an endpoint's options.
type template interface {
	newGuest(ctx context.Context) (gate.Guest, error)
	Close()
}

// load loads a plugin in the lane that its imports say: what imports something of Extism is run by Extism.
func (s *sandbox) load(ctx context.Context, name string, wasm []byte) (module, error) {
	if extism.Is(wasm) {
		p, err := s.extism.Load(ctx, name, wasm)
		if err != nil {
			return nil, err
		}
		return extismModule{p}, nil
	}
	p, err := s.engine.Load(ctx, name, wasm)
	if err != nil {
		return nil, err
	}
	return nativeModule{p}, nil
}

type nativeModule struct{ *guest.Plugin }

func (m nativeModule) configure(ctx context.Context, options []byte) (template, error) {
	t, err := m.Configure(ctx, options)
	if err != nil {
		return nil, err
	}
	return nativeTemplate{t}, nil
}

type nativeTemplate struct{ *guest.Template }

func (t nativeTemplate) newGuest(ctx context.Context) (gate.Guest, error) {
	g, err := t.New(ctx)
	if err != nil {
		return nil, err
	}
	return sandboxed{g}, nil
}

// sandboxed is a guest of the native lane as the gate sees it.
type sandboxed struct{ *guest.Guest }

// Data delivers bytes of a side.
func (s sandboxed) Data(side abi.Side, p []byte, flags uint32) (commands []byte, more bool, err error) {
	return s.Guest.Data(uint32(side), p, flags)
}

type extismModule struct{ *extism.Plugin }

func (m extismModule) configure(ctx context.Context, options []byte) (template, error) {
	t, err := m.Configure(ctx, options)
	if err != nil {
		return nil, err
	}
	return extismTemplate{t}, nil
}

type extismTemplate struct{ *extism.Template }

func (t extismTemplate) newGuest(ctx context.Context) (gate.Guest, error) {
	g, err := t.New(ctx)
	if err != nil {
		return nil, err
	}
	return g, nil
}
