package tunnel

import (
	"testing"

	"go.uber.org/goleak"
)

// Every test of this package closes what it opened: a goroutine that is left at the end fails the run.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
