//go:build !linux

package client

import (
	"context"
	"errors"
)

// Run is supported on Linux only: elsewhere it returns [ExitFailure] and an error.
func Run(context.Context, Options) (int, error) {
	return ExitFailure, errors.New("sallyport run needs Linux's namespaces: on this system, " +
		"give the peer's configuration to a WireGuard client and run the command as usual")
}

// Helper does nothing on this system.
func Helper() {}
