package main

import (
	"encoding/binary"
	"encoding/json"
)

// The functions of Extism that this notifier uses. Memory that is shared with the host has addresses of its own, from which bytes are loaded.

//go:wasmimport extism:host/env input_length
func inputLength() uint64

//go:wasmimport extism:host/env input_load_u8
func inputLoad(offset uint64) uint32

//go:wasmimport extism:host/env alloc
func alloc(n uint64) uint64

//go:wasmimport extism:host/env length
func length(offset uint64) uint64

//go:wasmimport extism:host/env load_u8
func load(offset uint64) uint32

//go:wasmimport extism:host/env load_u64
func load8(offset uint64) uint64

//go:wasmimport extism:host/env store_u8
func store(offset uint64, b uint32)

//go:wasmimport extism:host/env store_u64
func store8(offset, b uint64)

//go:wasmimport extism:host/env output_set
func outputSet(offset, n uint64)

//go:wasmimport extism:host/env error_set
func errorSet(offset uint64)

//go:wasmimport extism:host/env config_get
func configGet(key uint64) uint64

//go:wasmimport extism:host/env http_request
func httpRequest(request, body uint64) uint64

//go:wasmimport extism:host/env http_status_code
func httpStatusCode() int32

func input() []byte {
	b := make([]byte, inputLength())
	for i := range b {
		b[i] = byte(inputLoad(uint64(i)))
	}
	return b
}

// put writes bytes into shared memory.
func put(b []byte) uint64 {
	at := alloc(uint64(len(b)))
	i := 0
	for ; i+8 <= len(b); i += 8 {
		store8(at+uint64(i), binary.LittleEndian.Uint64(b[i:]))
	}
	for ; i < len(b); i++ {
		store(at+uint64(i), uint32(b[i]))
	}
	return at
}

// get reads bytes from shared memory.
func get(at uint64) []byte {
	if at == 0 {
		return nil
	}
	b := make([]byte, length(at))
	i := 0
	for ; i+8 <= len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], load8(at+uint64(i)))
	}
	for ; i < len(b); i++ {
		b[i] = byte(load(at + uint64(i)))
	}
	return b
}

func output(b []byte) { outputSet(put(b), uint64(len(b))) }

func fail(message string) int32 {
	errorSet(put([]byte(message)))
	return 1
}

func config(key string) string { return string(get(configGet(put([]byte(key))))) }

// send makes an HTTP request. The status is 0 when there is no answer; most failures end the call before.
func send(method, url string, headers map[string]string, body []byte) (status int32, answer []byte) {
	request, err := json.Marshal(map[string]any{"url": url, "method": method, "headers": headers})
	if err != nil {
		return 0, nil
	}
	at := httpRequest(put(request), put(body))
	return httpStatusCode(), get(at)
}
