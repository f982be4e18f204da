package guest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkCacheDir makes the cache directory and refuses one that others could write to, also its subdirectories' content:
// what lies there is native code that this process will execute.
func checkCacheDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("guest cache: %w", err)
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // another process has just replaced it
		}
		if err != nil {
			return fmt.Errorf("guest cache: %w", err)
		}
		info, err := d.Info()
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("guest cache: %w", err)
		}
		return checkOwned(path, info, path == dir)
	})
}
