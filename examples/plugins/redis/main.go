// Command sallyport-redis is a Sallyport plugin for the protocol of Redis: RESP2, RESP3 and inline commands, pipelined as the agent
// likes.
//
// Every command is asked about before it goes on. Where one is denied, the server is sent an unknown command in its place, which it
// refuses in its own words, at the right place of the pipeline and with the right effect on a transaction; the reason is written
// into that answer. README.md says what rules can see.
package main

import "github.com/sallyport-dev/sallyport/sdk"

func init() { sdk.Register(&plugin{}) }

func main() {}
