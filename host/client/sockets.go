//go:build linux

package client

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// hostSockets lists the paths of the unix sockets that are bound in the network namespace of this process,
// whoever's they are.
func hostSockets() ([]string, error) {
	file, err := os.Open("/proc/self/net/unix")
	if err != nil {
		return nil, fmt.Errorf("run in tunnel: list the host's sockets: %w", err)
	}
	defer file.Close()
	paths, err := readSockets(file)
	if err != nil {
		return nil, fmt.Errorf("run in tunnel: list the host's sockets: %w", err)
	}
	return paths, nil
}

// readSockets finds the absolute paths in a table as in proc_net(5), net/unix: seven fields, then the path
// as it was bound, which may contain blanks. Abstract sockets (@) belong to the network namespace, and
// relative paths to a directory that nobody knows: both are left out.
func readSockets(table io.Reader) ([]string, error) {
	var paths []string
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		if _, path, found := strings.Cut(lines.Text(), " /"); found {
			paths = append(paths, "/"+path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), lines.Err()
}
