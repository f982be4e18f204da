package gateway

import (
	"log/slog"
	"os"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// searchEnv is for Sallyport's own tests: where it is set, the memory of every guest and companion is searched after every call for every secret that the
// configuration leads to, and a guest that holds one ends.
const searchEnv = "SALLYPORT_TEST_SEARCH_GUESTS"

// canaries are what is searched for, and the search; nil, unless a test wants it.
func canaries(log *slog.Logger) (*secret.Wanted, func([]byte) string) {
	if os.Getenv(searchEnv) == "" {
		return nil, nil
	}
	log.Warn("guests are searched for secrets, for a test", "variable", searchEnv)
	c := secret.NewWanted()
	return c, c.Search
}
