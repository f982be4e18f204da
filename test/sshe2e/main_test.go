package sshe2e

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// agentPart has this program be a client inside of the tunnel; its value says which.
const agentPart = "SSHE2E_AGENT"

func TestMain(m *testing.M) {
	if part := agentParts[os.Getenv(agentPart)]; part != nil {
		if err := part(os.Args[1:]); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}
