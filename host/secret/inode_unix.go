//go:build unix

package secret

import (
	"io/fs"
	"syscall"
)

// inodeOf is which file it is: one that was put in the place of another has another one.
func inodeOf(info fs.FileInfo) any {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return nil
}
