// Package extism is the second lane for plugins: modules that were written with an Extism PDK, in any of its languages, run
// through Extism's own Go SDK, behind the same calls that the gate makes to any guest. sdk/ABI.md, section "Extism lane", says
// what such a module exports and what its inputs and outputs look like.
//
//	engine := extism.New(extism.Options{})
//	plugin, err := engine.Load(ctx, "name", wasm)      // extism.Is(wasm): it imports extism:host/env
//	tmpl, err := plugin.Configure(ctx, options)
//	g, err := tmpl.New(ctx)                            // a gate.Guest
//	defer g.Close()
//
// It is the slower lane: a call takes microseconds instead of nanoseconds, because Extism's kernel, a module of its own, is asked
// for every eight bytes, and each connection's instance is made from nothing, not cloned. docs/performance.md has the figures.
//
// # What holds a guest
//
// The same as in package guest, whose errors and fuel these are. The module is rewritten (package rewrite) before Extism is given
// it, so every loop, function and call depth is metered; memory is limited by the allocator that the instance is given; each
// function of Extism's kernel that the guest calls is charged before it runs, those that search the kernel's list of blocks by the
// length of that list. Extism's own timeout is not used: it would make every call an order of magnitude slower, and fuel
// ends what it would end.
//
// There is no file, no host, no configuration, no environment; the clock stands still and randomness is a constant. A module that
// imports something else than what is listed in sdk/ABI.md, http_request for example, is refused when it is loaded.
//
// # How the meter gets into a guest
//
// Extism's SDK keeps the instance to itself. What the meter needs, the two globals that count fuel and stack, is handed over by a
// function listener, which wazero calls on the way into each exported function; the memory is the one that the allocator gave out,
// so the host writes initial data there and gives WASI's functions their results.
package extism
