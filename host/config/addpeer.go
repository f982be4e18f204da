package config

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// AddPeer appends a [[peer]] table to the configuration file at path and returns the peer as written. A peer without an address
// gets the next free one. What the file has already stays as it is, comments and layout included.
//
// The file is replaced as a whole, keeping its mode and owner, so that nobody ever reads half of it; behind a symbolic link, the
// file that it leads to is. Nothing is written when the file has problems, before or after the addition, when it is not a regular
// file, or when somebody else changes it meanwhile; callers of AddPeer wait for each other.
func AddPeer(path string, p Peer) (Peer, error) {
	p, err := addPeer(path, p)
	if err != nil {
		return Peer{}, fmt.Errorf("add peer %s to %s: %w", quote(p.Name.Value), path, err)
	}
	return p, nil
}

func addPeer(path string, p Peer) (Peer, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return p, err
	}
	f, err := openLocked(real)
	if err != nil {
		return p, err
	}
	defer f.Close()
	data, err := read(real)
	if err != nil {
		return p, err
	}
	cfg, err := Parse(path, data, Known{})
	if err != nil {
		return p, fmt.Errorf("nothing was written, because the file has problems:\n%w", err)
	}
	if !p.Address.IsValid() {
		if p.Address, err = FreeAddress(cfg); err != nil {
			return p, err
		}
	}
	changed := appendPeer(data, p)
	after, err := Parse(path, changed, Known{})
	if err != nil {
		return p, added(err)
	}
	if err := replace(f, real, data, changed); err != nil {
		return p, err
	}
	return after.Peers[len(after.Peers)-1], nil
}

// added turns the problems of a file with the new peer into one error: all of them are about what was to be added, and their places
// are in no file.
func added(err error) error {
	var problems Problems
	if !errors.As(err, &problems) {
		return err
	}
	messages := make([]string, len(problems))
	for i, p := range problems {
		messages[i] = p.Message
	}
	return errors.New(strings.Join(messages, "; "))
}

// appendPeer returns the file's text with one more table, with the line ends that it has.
func appendPeer(data []byte, p Peer) []byte {
	table := fmt.Sprintf("[[peer]]\nname = %s\npublic_key = %s\nprofile = %s\naddress = %s\n",
		strconv.Quote(p.Name.Value), strconv.Quote(base64.StdEncoding.EncodeToString(p.PublicKey[:])),
		strconv.Quote(p.Profile.Value), strconv.Quote(p.Address.String()))
	if len(data) > 0 {
		table = "\n" + table
		if data[len(data)-1] != '\n' {
			table = "\n" + table
		}
	}
	if bytes.Contains(data, []byte("\r\n")) {
		table = strings.ReplaceAll(table, "\n", "\r\n")
	}
	return append(bytes.Clone(data), table...)
}

// openLocked opens a regular file and waits until no other AddPeer has it.
func openLocked(path string) (*os.File, error) {
	for range 100 {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, errors.New("it is not a regular file, so it cannot be replaced; add the [[peer]] table by hand")
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, fmt.Errorf("lock the file: %w", err)
		}
		// Whoever had the lock before may have put another file in this place.
		if same(f, path) {
			return f, nil
		}
		f.Close()
	}
	return nil, errors.New("the file is being replaced again and again; try later")
}

// same reports whether path still leads to the open file.
func same(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

// replace puts data in the place of the open file, which had the contents before.
func replace(f *os.File, path string, before, data []byte) (err error) {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("make a file beside it, to replace it: %w", err)
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err := tmp.Write(data); err != nil {
		return err
	}
	if err := keepOwner(tmp, info); err != nil {
		return fmt.Errorf("keep the file's owner: %w; run this as the owner of the file", err)
	}
	if err := tmp.Chmod(info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)); err != nil {
		return fmt.Errorf("keep the file's mode: %w", err)
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	// Editors take no lock: look once more whether the file is what was read.
	if now, err := read(path); err != nil {
		return err
	} else if !same(f, path) || !bytes.Equal(now, before) {
		return errors.New("the file has been changed meanwhile; nothing was written, try again")
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}
