// Package zstdtest has the companion for tests: the module itself, on wazero without the gateway's metering, snapshots and resets, and its twin in Go.
package zstdtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	kp "github.com/klauspost/compress/zstd"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/zstd"
)

// Module builds the companion, or takes it from the cache of zstd/build, which goes by content.
func Module(tb testing.TB) []byte {
	tb.Helper()
	script, err := buildScript()
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), "zstd.wasm")
	if text, err := exec.Command(script, path).CombinedOutput(); err != nil {
		tb.Fatalf("building the companion: %v\n%s", err, text)
	}
	code, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return code
}

// buildScript finds zstd/build from any package of the module.
func buildScript() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "plugins", "clickhouse", "zstd", "build"), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("zstdtest: no go.mod above the working directory")
		}
		dir = parent
	}
}

// Companion is a copy of the module, for one goroutine. It is not reset between calls, so that one call's traces would be seen in the next.
type Companion struct {
	call    api.Function
	memory  api.Memory
	in, out uint32
}

// New makes a companion that lives as long as the test.
func New(tb testing.TB) *Companion {
	tb.Helper()
	code := Module(tb)
	ctx := context.Background()
	config := wazero.NewRuntimeConfig()
	if user, err := os.UserCacheDir(); err == nil {
		if cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(user, "sallyport", "zstd", "wazero")); err == nil {
			config = config.WithCompilationCache(cache)
			tb.Cleanup(func() { cache.Close(ctx) })
		}
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	tb.Cleanup(func() { runtime.Close(ctx) })
	module, err := runtime.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithStartFunctions("_initialize", "sallyport_warm"))
	if err != nil {
		tb.Fatal(err)
	}
	words, err := module.ExportedFunction("sallyport_buffers").Call(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	c := &Companion{call: module.ExportedFunction("sallyport_call"), memory: module.Memory()}
	c.in, _ = c.memory.ReadUint32Le(uint32(words[0]))
	c.out, _ = c.memory.ReadUint32Le(uint32(words[0]) + 8)
	return c
}

// Call is that of zstd.Caller.
func (c *Companion) Call(_ int, in, out []byte) ([]byte, error) {
	if !c.memory.Write(c.in, in) {
		return nil, errors.New("the input does not fit")
	}
	r, err := c.call.Call(context.Background(), uint64(len(in)))
	if err != nil {
		return nil, fmt.Errorf("the companion trapped: %w", err)
	}
	n := int32(r[0])
	if n < 0 {
		text, _ := c.memory.Read(c.out, uint32(-1-n))
		return nil, errors.New(string(text))
	}
	got, ok := c.memory.Read(c.out, uint32(n))
	if !ok || len(got) > len(out) {
		return nil, errors.New("the companion's result is out of bounds")
	}
	return out[:copy(out, got)], nil
}

// decoder may be used by several at once.
var decoder = sync.OnceValues(func() (*kp.Decoder, error) {
	return kp.NewReader(nil, kp.WithDecoderConcurrency(2), kp.WithDecoderMaxWindow(1<<32-1), kp.WithDecoderMaxMemory(1<<32), kp.WithDecodeAllCapLimit(true))
})

// Twin does the same in Go, for tests of what stands on the companion.
type Twin struct{}

// Call is that of zstd.Caller.
func (Twin) Call(_ int, in, out []byte) ([]byte, error) {
	if len(in) < zstd.HeadSize {
		return nil, errors.New("an input that is too short")
	}
	want, frame := int(binary.LittleEndian.Uint32(in)), in[zstd.HeadSize:]
	var head kp.Header
	if err := head.Decode(frame); err != nil {
		return nil, err
	}
	if head.Skippable || head.DictionaryID != 0 || head.HasFCS && head.FrameContentSize != uint64(want) || want > zstd.MaxSize || want > len(out) {
		return nil, errors.New("a frame that is not taken")
	}
	d, err := decoder()
	if err != nil {
		return nil, err
	}
	if size, ok := frameSize(frame, &head); !ok || size != len(frame) {
		return nil, errors.New("more than one frame, or less")
	}
	got, err := d.DecodeAll(frame, out[:0:want])
	if err == nil && len(got) != want {
		err = zstd.ErrSize
	}
	return got, err
}

// frameSize goes over the heads of a frame's blocks, RFC 8878 section 3.1.1.2.
func frameSize(p []byte, head *kp.Header) (int, bool) {
	at := head.HeaderSize
	for last := false; !last; {
		if len(p)-at < 3 {
			return 0, false
		}
		b := int(p[at]) | int(p[at+1])<<8 | int(p[at+2])<<16
		last = b&1 != 0
		size := b >> 3
		if b>>1&3 == 1 { // one byte again and again
			size = 1
		}
		if at += 3 + size; at > len(p) {
			return 0, false
		}
	}
	if head.HasCheckSum {
		at += 4
	}
	return at, at <= len(p)
}
