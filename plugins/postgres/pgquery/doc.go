// Package pgquery is the companion module of the PostgreSQL plugin: PostgreSQL's own parser, taken from the C sources of libpg_query
// inside the Go module github.com/pganalyze/pg_query_go/v6, with a walker that says what a text would do. The Go package itself
// is empty; the script build in this folder compiles c/ and the parser to one WebAssembly module, which is not committed.
//
//	build OUTPUT.wasm
//
// It needs Debian's clang-16, lld-16, wasi-libc and libclang-rt-16-dev-wasm32, and says which of them is missing.
//
// # Interface
//
// The module imports nothing and exports:
//
//	memory
//	_initialize()             once, before anything else
//	sallyport_warm()          parses a small text, so that a snapshot holds all that a first call would set up
//	sallyport_buffers() u32   the address of five u32: in, its capacity (2 MiB), out, its capacity (256 KiB), error length
//	sallyport_call(n i32) i32 works on n bytes in in; the length of the record in out, or -1-n: an error's text of n bytes in out
//
// The input is one byte of mode and then the text, UTF-8 without zero bytes. Mode bit 0 asks for the fingerprint and the
// normalized text as well, which costs several times as much as the facts.
//
// The parser reports most errors by a trap: WebAssembly has no longjmp. The error's text ("syntax error at or near …") is then in
// out and its length in the fifth word, and the instance must be discarded. The fifth word is zero when the trap has another
// reason: a stack that overflowed (the stack lies first in memory, so it cannot overwrite data), memory or fuel that ended. Every
// call begins as if it were the first, but a host should reset the instance anyway, so that nothing of one text is left in memory.
// A small text writes to seven pages, which lie in one range of 2 MiB (c/memory.h): that is what a reset by the kernel's page tables
// costs least for.
//
// # The record
//
// c/record.h specifies the record, sqlfacts reads it. It is made by a walk over the raw tree through libpg_query's generated
// out-functions, which know each field of each node type: nothing is out of sight, and a node that is not known, a tree deeper than
// 2500 nodes, and a record that does not fit into out set a mark that makes the whole text opaque. Constants, parameters, names of
// types and of aliases are leaves. Names of CTEs are not relations where they are in scope; targets of INSERT, UPDATE, DELETE and
// MERGE always are.
//
// The lexer runs with standard_conforming_strings on and UTF-8. Whether the server's lexer does too is for the session to know.
package pgquery
