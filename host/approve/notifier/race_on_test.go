//go:build race

package notifier

// raced says that the race detector looks on: compiling a program that was written in Go takes minutes then.
const raced = true
