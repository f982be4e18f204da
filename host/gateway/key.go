package gateway

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// keyFile holds the gateway's WireGuard key in the state, unless the configuration refers to another place. It is a file of its
// own so that `sallyport peer add` can read it while a gateway runs.
const keyFile = "wireguard.key"

// Key is the gateway's WireGuard key: the one that the configuration refers to, else the one in the state, made at first use.
func Key(cfg *config.Config) (tunnel.Key, error) {
	if !cfg.Gateway.PrivateKey.IsZero() {
		s, err := cfg.Gateway.PrivateKey.Resolve()
		if err != nil {
			return tunnel.Key{}, fmt.Errorf("gateway.private_key: %w", err)
		}
		key, err := tunnel.ParseKey(strings.TrimSpace(string(s.Reveal())))
		if err != nil {
			return tunnel.Key{}, fmt.Errorf("gateway.private_key: %v: %w", s, err)
		}
		return key, nil
	}
	path := filepath.Join(cfg.Gateway.State, keyFile)
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := MakeState(cfg); err != nil {
		return tunnel.Key{}, err
	}
	return makeKey(path)
}

// MakeState makes the folder of everything that the gateway keeps, if there is none.
func MakeState(cfg *config.Config) error {
	if err := os.MkdirAll(cfg.Gateway.State, 0o700); err != nil {
		return fmt.Errorf("gateway.state: %w; it must be a folder that this user can make and write to", err)
	}
	return nil
}

func readKey(path string) (tunnel.Key, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return tunnel.Key{}, fmt.Errorf("the gateway's key: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return tunnel.Key{}, fmt.Errorf("the gateway's key: %s must be a file that only its owner can read: chmod 600 %s", path, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return tunnel.Key{}, fmt.Errorf("the gateway's key: %w", err)
	}
	key, err := tunnel.ParseKey(strings.TrimSpace(string(b)))
	if err != nil {
		return tunnel.Key{}, fmt.Errorf("the gateway's key: %s: %w; put the right file back (peers know the gateway by this key), or remove it to have a new one made", path, err)
	}
	return key, nil
}

// makeKey writes a new key; when two processes do so at once, both use the one that was there first.
func makeKey(path string) (tunnel.Key, error) {
	key := tunnel.NewPrivateKey()
	f, err := os.CreateTemp(filepath.Dir(path), keyFile+".*")
	if err != nil {
		return tunnel.Key{}, fmt.Errorf("the gateway's key: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(key.String() + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return tunnel.Key{}, fmt.Errorf("the gateway's key: %w", err)
	}
	switch err := os.Link(f.Name(), path); {
	case errors.Is(err, fs.ErrExist):
		return readKey(path)
	case err != nil:
		return tunnel.Key{}, fmt.Errorf("the gateway's key: %w", err)
	}
	return key, nil
}
