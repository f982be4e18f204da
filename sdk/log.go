//go:build !wasip1

package sdk

// Register is for guests; a native build has nothing to register with.
func Register(Plugin) {}

// Log does nothing outside a guest.
func Log(string) {}
