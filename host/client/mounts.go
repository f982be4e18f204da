//go:build linux

package client

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// runDir is where the sockets of a Linux system live. An empty directory takes its place.
const runDir = "/run"

// ownDir holds the files that are put over others. It is inside runDir's replacement.
const ownDir = runDir + "/sallyport"

// keptInRun stays visible in runDir: no sockets of services, but what programs cannot do without (NixOS has
// its programs there, containers their secrets, desktops their drives).
var keptInRun = []string{"secrets", "media", "mount", "current-system", "booted-system", "wrappers", "opengl-driver"}

// socketDirs are directories, outside of runDir, that hold sockets and nothing else; ~ is the home. They
// are emptied, and not only the sockets in them covered, because a service that is started again replaces
// its socket.
var socketDirs = []string{
	"/tmp/.X11-unix", "/tmp/.ICE-unix", "/tmp/tmux-*", "/tmp/ssh-*", "/mnt/wslg",
	"~/.ssh/agent", "~/.docker/run", "~/.docker/desktop",
}

// arrangeMounts hides the host's sockets and sets the resolver, in the mount namespace of this process.
func arrangeMounts(p *plan) error {
	// What is mounted on the host from now on must not appear here, and the reverse.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	defer unix.Umask(unix.Umask(0o022)) // the files made here are for everybody, the mask is the command's
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("working directory: %w", err)
	}
	kept, err := holdAll(p)
	if err != nil {
		return err
	}
	defer kept.release()
	if err := hideDirs(p); err != nil {
		return err
	}
	if err := fillRun(p); err != nil {
		return err
	}
	if err := coverSockets(p); err != nil {
		return err
	}
	if err := kept.putBack(); err != nil {
		return err
	}
	if err := setResolver(p); err != nil {
		return err
	}
	// The working directory may be below a mount. Where this user cannot go by name, nothing is mounted.
	if err := os.Chdir(dir); err != nil && !errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("working directory inside the tunnel: %w", err)
	}
	return nil
}

// held are files and directories that stay reachable, by descriptor, while mounts hide their paths.
type held map[string]int

// holdAll opens what is to stay visible.
func holdAll(p *plan) (held, error) {
	h := held{}
	for _, name := range keptInRun {
		path := filepath.Join(runDir, name)
		if fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0); err == nil {
			h[path] = fd
		}
	}
	if p.SSHAgent != "" {
		fd, err := unix.Open(p.SSHAgent, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			h.release()
			return nil, fmt.Errorf("SSH agent's socket %s: %w", p.SSHAgent, err)
		}
		h[p.SSHAgent] = fd
	}
	return h, nil
}

func (h held) release() {
	for _, fd := range h {
		unix.Close(fd)
	}
}

// putBack mounts what is held at its path, making the path where it was hidden.
func (h held) putBack() error {
	for path, fd := range h {
		source := "/proc/self/fd/" + strconv.Itoa(fd)
		info, err := os.Stat(source)
		if err != nil {
			return fmt.Errorf("keep %s visible: %w", path, err)
		}
		if err := makeMountPoint(path, info.IsDir()); err != nil {
			return fmt.Errorf("keep %s visible: %w", path, err)
		}
		if err := unix.Mount(source, path, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("keep %s visible: %w", path, err)
		}
	}
	return nil
}

// makeMountPoint creates an empty file or directory unless something is there.
func makeMountPoint(path string, dir bool) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if dir {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, nil, 0o600)
}

// hideDirs mounts an empty directory over each one that holds the host's sockets.
func hideDirs(p *plan) error {
	dirs := []string{runDir}
	if info, err := os.Lstat("/var/run"); err == nil && info.IsDir() {
		dirs = append(dirs, "/var/run")
	}
	for _, pattern := range socketDirs {
		if rest, ok := strings.CutPrefix(pattern, "~"); ok {
			if !filepath.IsAbs(p.Home) {
				continue
			}
			pattern = quoteGlob(p.Home) + rest
		}
		found, err := filepath.Glob(pattern)
		if err != nil {
			return fmt.Errorf("hide %s: %w", pattern, err)
		}
		for _, dir := range found {
			if info, err := os.Lstat(dir); err == nil && info.IsDir() {
				dirs = append(dirs, dir)
			}
		}
	}
	for _, dir := range dirs {
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=64m"); err != nil {
			return fmt.Errorf("hide %s: %w", dir, err)
		}
	}
	return nil
}

// quoteGlob keeps filepath.Glob from reading a path as a pattern.
func quoteGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// fillRun makes the directories that programs expect in /run.
func fillRun(p *plan) error {
	if err := os.MkdirAll(ownDir, 0o755); err != nil {
		return fmt.Errorf("fill %s: %w", runDir, err)
	}
	lock := filepath.Join(runDir, "lock")
	if err := errors.Join(os.Mkdir(lock, 0o755), os.Chmod(lock, 0o777|os.ModeSticky)); err != nil {
		return fmt.Errorf("fill %s: %w", runDir, err)
	}
	if dir := filepath.Clean(p.RuntimeDir); strings.HasPrefix(dir, runDir+"/") {
		if err := errors.Join(os.MkdirAll(filepath.Dir(dir), 0o755), os.MkdirAll(dir, 0o700)); err != nil {
			return fmt.Errorf("fill %s: %w", runDir, err)
		}
	}
	return nil
}

// coverSockets mounts an empty file over each socket of the host that is visible still, so that connecting
// to it is refused as if nobody listened.
func coverSockets(p *plan) error {
	cover := filepath.Join(ownDir, "covered")
	if err := errors.Join(os.WriteFile(cover, nil, 0o666), os.Chmod(cover, 0o666)); err != nil {
		return fmt.Errorf("cover sockets: %w", err)
	}
	for _, path := range p.Sockets {
		info, err := os.Lstat(path)
		if err != nil || info.Mode().Type() != os.ModeSocket || path == p.SSHAgent {
			continue // gone, hidden, or where this user cannot go
		}
		err = unix.Mount(cover, path, "", unix.MS_BIND, "")
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("cover the socket %s: %w", path, err)
		}
	}
	return nil
}
