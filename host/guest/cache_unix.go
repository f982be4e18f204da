//go:build unix

package guest

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkOwned checks one entry of the cache. The top directory must be closed to everybody else; what is inside it needs to be
// the process's own and not writable for others.
func checkOwned(path string, info fs.FileInfo, top bool) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("guest cache %s: cannot tell who owns it", path)
	}
	if int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("guest cache %s belongs to user %d, not to this process (user %d): its content would be executed; use another directory", path, st.Uid, os.Geteuid())
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("guest cache %s is a symbolic link; name the directory itself", path)
	}
	if perm := info.Mode().Perm(); top && (perm&0o077 != 0 || !info.IsDir()) {
		return fmt.Errorf("guest cache %s has mode %04o: must be a directory with mode 0700, because its content is executed", path, perm)
	} else if perm&0o022 != 0 {
		return fmt.Errorf("guest cache %s has mode %04o: others can write to it, and its content is executed", path, perm)
	}
	return nil
}
