package gateway

import (
	"os"
	"testing"
)

// settledFiles counts the descriptors of the process; when most is not 0 it waits until there are no more than that.
func settledFiles(t *testing.T, most int) int {
	t.Helper()
	n := 0
	until(t, "the descriptors are closed", func() bool {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		n = len(entries)
		return most == 0 || n <= most
	})
	return n
}
