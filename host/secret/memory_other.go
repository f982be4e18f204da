//go:build !linux

package secret

// held is a value.
type held struct{ value []byte }

func hold(value []byte) *held { return &held{append([]byte(nil), value...)} }
