// Package npm installs packages of npm for the tests, once: below the user's cache directory, by the content of a package.json,
// which names exact versions.
package npm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Install returns the folder in which the packages of a package.json are, below node_modules. No script of a package is run.
func Install(ctx context.Context, packageJSON []byte) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("npm: %w", err)
	}
	sum := sha256.Sum256(packageJSON)
	parent := filepath.Join(cache, "sallyport-test", "npm")
	dir := filepath.Join(parent, hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", fmt.Errorf("npm: %w", err)
	}
	// Another test may be installing the same: each works in a folder of its own, and the first to be done gives it the name.
	work, err := os.MkdirTemp(parent, "new-")
	if err != nil {
		return "", fmt.Errorf("npm: %w", err)
	}
	defer os.RemoveAll(work)
	if err := os.WriteFile(filepath.Join(work, "package.json"), packageJSON, 0o600); err != nil {
		return "", fmt.Errorf("npm: %w", err)
	}
	cmd := exec.CommandContext(ctx, "npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install: %w\n%s", err, out)
	}
	if err := os.Rename(work, dir); err != nil && !errors.Is(err, os.ErrExist) {
		if _, there := os.Stat(dir); there != nil {
			return "", fmt.Errorf("npm: %w", err)
		}
	}
	return dir, nil
}
