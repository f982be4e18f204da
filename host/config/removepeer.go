package config

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/host/nearest"
)

// RemovePeer takes the [[peer]] table of a name out of the configuration file at path. Everything else stays as it is, comments above the next
// table included. As for [AddPeer], the file is replaced as a whole or not at all.
func RemovePeer(path, name string) error {
	if err := removePeer(path, name); err != nil {
		return fmt.Errorf("remove peer %s from %s: %w", quote(name), path, err)
	}
	return nil
}

func removePeer(path, name string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	f, err := openLocked(real)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := read(real)
	if err != nil {
		return err
	}
	cfg, err := Parse(path, data, Known{})
	if err != nil {
		return fmt.Errorf("nothing was written, because the file has problems:\n%w", err)
	}
	i := slices.IndexFunc(cfg.Peers, func(p Peer) bool { return p.Name.Value == name })
	if i < 0 {
		var names []string
		for _, p := range cfg.Peers {
			names = append(names, p.Name.Value)
		}
		if len(names) == 0 {
			return errors.New("there is no peer in it")
		}
		return fmt.Errorf("there is no such peer; %s", nearest.Hint(name, names))
	}
	changed, err := withoutPeer(path, data, cfg, i)
	if err != nil {
		return err
	}
	return replace(f, real, data, changed)
}

// withoutPeer returns the text without the table of a peer. Where a table ends is not in its place, so every line that could begin another one is
// tried, and the file read again: it has to say the same about all other peers.
func withoutPeer(path string, data []byte, cfg *Config, peer int) ([]byte, error) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	first := cfg.Peers[peer].Pos.Line - 1
	byHand := errors.New("the table is not written as [[peer]] with its keys below; take it out by hand")
	if first < 0 || first >= len(lines) || !strings.HasPrefix(strings.ReplaceAll(string(lines[first]), " ", ""), "[[peer]]") {
		return nil, byHand
	}
	var rest []string
	for i, p := range cfg.Peers {
		if i != peer {
			rest = append(rest, p.Name.Value+p.Address.String())
		}
	}
	for end := first + 1; end <= len(lines); end++ {
		if end < len(lines) && !bytes.HasPrefix(bytes.TrimLeft(lines[end], " \t"), []byte("[")) {
			continue
		}
		kept := end
		for end < len(lines) && kept > first+1 && isRemark(lines[kept-1]) {
			kept--
		}
		changed := slices.Concat(bytes.Join(lines[:first], nil), bytes.Join(lines[kept:], nil))
		after, err := Parse(path, changed, Known{})
		if err != nil {
			continue
		}
		var left []string
		for _, p := range after.Peers {
			left = append(left, p.Name.Value+p.Address.String())
		}
		if slices.Equal(left, rest) && len(after.Endpoints) == len(cfg.Endpoints) && len(after.Rules) == len(cfg.Rules) && len(after.Credentials) == len(cfg.Credentials) {
			return changed, nil
		}
	}
	return nil, byHand
}

// isRemark reports whether a line has nothing but a comment.
func isRemark(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#'
}
