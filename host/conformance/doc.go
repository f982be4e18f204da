// Package conformance is the admission test of plugins: what `sallyport plugin check`, info, replay, bench and fuzz do.
//
// [List] reads a module without running it: what it imports, exports and declares. [Load] loads it as the gateway does, in the lane that
// it belongs to. [Check] then has it live through conversations and recordings, its fixtures, whole and mistreated, in the dry gate of
// sdk/testkit:
//
//   - a fixture that is a conversation must go as it says
//
//   - cut in two at every byte it must lead to the same actions and bytes (law 8), and so when it is played twice
//
//   - the agent, or the upstream, that falls silent at any byte must lead to the end of the connection, and to no action that the
//     whole fixture does not have: a message that is cut short must not count as a message
//
//   - a message without an end, and lengths that lie, must be refused by the plugin itself, before the gate has to
//
//   - a plugin that holds answers back is played with every answer looked at: what is allowed must reach the agent as it does unseen, also where
//     it is longer than what is looked at, and where it is cut must make no difference
//
// and in all of this it must never do what the gate cuts a connection off for, never trap, and never run out of fuel. What no
// such test can show is that a plugin names its actions truly; that is why plugins are pinned, and why people read them.
//
// It knows no protocol.
package conformance
