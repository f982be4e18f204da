// Package guest runs plugins: untrusted WebAssembly modules, each connection in a copy of its own. It checks a module, meters it,
// snapshots it, clones it and calls it. It knows no protocol: what goes in and comes out are bytes.
//
//	engine, err := guest.NewEngine(ctx, guest.Options{CacheDir: dir})
//	plugin, err := engine.Load(ctx, "name", wasm)      // checked, compiled, described
//	tmpl, err := plugin.Configure(ctx, options)        // initialised and configured: an endpoint
//	g, err := tmpl.New(ctx)                            // a connection
//	defer g.Close()
//	commands, more, err := g.Data(0, bytes, 0)
//	for more && err == nil {
//		commands, more, err = g.Event(nil)             // "go on"
//	}
//
// # What a plugin is
//
// A core WebAssembly module (no exception handling, no threads, no tail calls, one memory of its own) with the exports of the
// plugin interface, version 0:
//
//	memory
//	_initialize()                          optional; runs before anything else
//	sallyport_abi() i32                    0
//	sallyport_buffers() i32                address of four u32: in, capacity of in, out, capacity of out
//	sallyport_describe() i32               length of the manifest (JSON) in out
//	sallyport_configure(n) i32             n bytes of options in in; negative -k: k bytes of error text in out
//	sallyport_open(n) i32                  n bytes of facts in in
//	sallyport_data(side, n, flags) i32     n bytes from side in in
//	sallyport_event(n) i32                 n bytes of an event in in; 0: go on
//
// The buffers have at least 64 KiB each, do not overlap, and never move. The last three functions return the length of the commands
// in out; a set top bit means that there is more. A module may import
//
//	sallyport.call(k, in, inLen, out, outCap i32) i32    companion k: length of the result, or -1-n: n bytes of error text
//	sallyport.log(ptr, len i32)
//
// and wasi_snapshot_preview1, behind which there is nothing: no arguments, environment or files, a clock that stands still, random
// numbers that are always the same. proc_exit ends the guest. What is written to the standard streams goes to the log. Any
// other import refuses the module and is named. Stock Go with GOOS=wasip1 and -buildmode=c-shared makes such modules, clang
// does, and others do.
//
// # Companions
//
// A plugin file may bring further modules in custom sections named "sallyport.companion.NAME", listed in the manifest as
// "companions": [{"name": "NAME"}]; the position in that list is the number for sallyport.call. A companion is a pure function from
// bytes to bytes, a C library say. It imports nothing but WASI and exports memory, optionally _initialize() and sallyport_warm(), which
// run before the snapshot, and
//
//	sallyport_buffers() i32     address of five u32: the four above and the length of an error text
//	sallyport_call(n) i32       n bytes in in: length of the result in out, or -1-n: n bytes of error text there
//
// It may also trap or exit after it has written an error text to out and its length to the fifth word. Each call runs in a copy that is
// in the state of the snapshot. Calls spend the caller's fuel: what they compute, 3,000 units each, 500 for each page of memory
// touched, and 300,000 where the copy has to be replaced (it trapped, exited, ran dry or took memory). A call that runs dry fails like one that
// traps: the caller keeps half of Fuel.Base to say so, and gets no further call while it has less.
//
// # What holds a guest
//
// [Options] has the limits. Fuel bounds computation, see [Fuel], and a watchdog the time by the clock; a call stack of estimated bytes bounds recursion; memory is limited;
// what compiling costs is limited before it begins (package rewrite), and for modules that nobody has vouched for it happens in a process that
// can be killed ([Child]). Between two slices of fuel a guest visits the host, so that
// neither the garbage collector nor [Guest.Interrupt] waits long.
//
// After an error of any kind the instance is gone, and every later call returns the same error: calling on after a trap has crashed
// the host process. Nothing that this package returns points into a guest's memory, because that memory is unmapped when the
// guest ends.
//
// # Clones
//
// On Linux a template is a memory image in a sealed memfd together with the mutable globals. A guest maps the image privately: it
// costs the pages that it writes. When its connection ends, the pages that were touched are copied back from the image, and the guest waits
// in a pool; one that has grown is thrown away. Elsewhere, and for modules that change their tables or drop their segments (the host
// could not restore those), every guest is a fresh instance; what plugins see is the same.
//
// A guest that was quiet for a while (Options.Rest) is put to rest: the host keeps the bytes that make its memory different from the image, a
// few kilobytes, and gives its pages and its call stack back to the system. The next call brings it back first.
package guest
