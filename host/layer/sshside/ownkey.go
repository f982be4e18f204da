package sshside

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// hostKeyFile is where the gateway's own host key is kept.
const hostKeyFile = "ssh_host_ed25519_key"

// OpenHostKey opens the gateway's own host key in a folder, and makes it there at first; only its owner may read it. Agents know the gateway by it, so it is never
// replaced by itself. When several processes make it at once, all have the same.
func OpenHostKey(dir string) (ssh.Signer, error) {
	path := filepath.Join(dir, hostKeyFile)
	signer, err := readHostKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeHostKey(path); err == nil {
			signer, err = readHostKey(path) // perhaps another process's
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the gateway's SSH host key: %w", err)
	}
	return signer, nil
}

func readHostKey(path string) (ssh.Signer, error) {
	i, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !i.Mode().IsRegular() || i.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s must be a file that only its owner can read: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s is not the key that the gateway made: put the right file back, or remove it to have a new one made, which agents then have to trust", path)
	}
	return signer, nil
}

func makeHostKey(path string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	defer clear(key)
	block, err := ssh.MarshalPrivateKey(key, "Sallyport gateway")
	if err != nil {
		return err
	}
	defer clear(block.Bytes)
	text := pem.EncodeToMemory(block)
	defer clear(text)
	return publish(path, text, 0o600)
}

// publish makes a file whole or not at all; when it is there already, it stays.
func publish(path string, text []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// KnownHostsLine is a line of known_hosts by which programs know key for all these names and addresses, at a port.
func KnownHostsLine(names []string, port uint16, key ssh.PublicKey) string {
	var all []string
	for _, name := range names {
		if n := knownhosts.Normalize(net.JoinHostPort(name, strconv.Itoa(int(port)))); !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return knownhosts.Line(all, key)
}
