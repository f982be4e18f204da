//go:build linux

package client

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// globalKnownHosts is where OpenSSH's clients look for host keys beside the user's own file.
const globalKnownHosts = "/etc/ssh/ssh_known_hosts"

// maxKnownHosts bounds the gateway's lines, and the machine's own file.
const maxKnownHosts = 1 << 20

// errNoKnownHosts says that the gateway has no endpoint of SSH for this peer.
var errNoKnownHosts = errors.New("the gateway has no SSH host key to tell")

// setKnownHosts has the command's programs know the gateway at its endpoints of SSH: in the command's mount namespace the lines that the gateway gives
// stand in front of those that the machine has. The user's own files stay as they are.
func setKnownHosts(from netip.AddrPort, note func(string)) {
	lines, err := fetch(from, knownPath, maxKnownHosts, errNoKnownHosts)
	if errors.Is(err, errNoKnownHosts) {
		return
	}
	if err == nil {
		err = coverKnownHosts(lines)
	}
	if err != nil {
		note(fmt.Sprintf("ssh does not know the gateway's host key: %v; ask for it with \"sallyport ssh known-hosts\" at the gateway", err))
	}
}

// coverKnownHosts puts lines over the machine's file, with the file's own behind them.
func coverKnownHosts(lines []byte) error {
	defer unix.Umask(unix.Umask(0o022)) // the files made here are for everybody, the mask is the command's
	own, err := os.ReadFile(globalKnownHosts)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := makeKnownHosts(); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	text := strings.TrimRight(string(lines), "\n") + "\n" + string(own)
	file, err := writeOwn("ssh_known_hosts", []byte(text))
	if err != nil {
		return err
	}
	if err := unix.Mount(file, globalKnownHosts, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("put it over %s: %w", globalKnownHosts, err)
	}
	return nil
}

// makeKnownHosts makes a place for the mount where the machine has no such file, without a change of the machine: the directory that it would be in gets a copy
// of its own, in this mount namespace.
func makeKnownHosts() error {
	dir := filepath.Dir(globalKnownHosts)
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("the machine has no %s: %w", dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	copied := filepath.Join(ownDir, "ssh")
	if err := os.MkdirAll(copied, 0o755); err != nil {
		return err
	}
	for _, e := range entries { // before anything covers them
		to := filepath.Join(copied, e.Name())
		if e.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(filepath.Join(dir, e.Name()))
			if err != nil {
				return err
			}
			if err := os.Symlink(target, to); err != nil {
				return err
			}
			continue
		}
		if err := makeMountPoint(to, e.IsDir()); err != nil {
			return err
		}
		if err := unix.Mount(filepath.Join(dir, e.Name()), to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("keep %s: %w", filepath.Join(dir, e.Name()), err)
		}
	}
	if err := os.WriteFile(filepath.Join(copied, filepath.Base(globalKnownHosts)), nil, 0o644); err != nil {
		return err
	}
	if err := unix.Mount(copied, dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("put it over %s: %w", dir, err)
	}
	return nil
}
