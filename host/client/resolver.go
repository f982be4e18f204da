//go:build linux

package client

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	resolvConf = "/etc/resolv.conf"
	nsswitch   = "/etc/nsswitch.conf"
)

// setResolver makes the tunnel's resolver the only one.
func setResolver(p *plan) error {
	if err := place(resolvConf, resolverText(p.DNS)); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("%w: create an empty file %s on this system, which the tunnel's is put over", err, resolvConf)
		}
		return fmt.Errorf("set the resolver: %w", err)
	}
	text, err := os.ReadFile(nsswitch)
	if errors.Is(err, os.ErrNotExist) {
		return nil // the C library's default is DNS and files
	}
	if err == nil {
		if changed := dnsOnly(string(text)); changed != string(text) {
			err = place(nsswitch, changed)
		}
	}
	if err != nil {
		return fmt.Errorf("restrict host names to DNS: %w", err)
	}
	return nil
}

// resolverText is a resolv.conf(5).
func resolverText(servers []netip.Addr) string {
	var b strings.Builder
	b.WriteString("# written by sallyport run: the resolver inside the tunnel\n")
	for _, server := range servers {
		fmt.Fprintf(&b, "nameserver %s\n", server)
	}
	return b.String()
}

// dnsOnly rewrites a nsswitch.conf(5) in which host names come from anywhere but files and DNS: services
// such as mdns or resolve ask somebody on the host.
func dnsOnly(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		database, sources, _ := strings.Cut(line, ":")
		if strings.TrimSpace(database) != "hosts" {
			continue
		}
		sources, _, _ = strings.Cut(sources, "#")
		for _, source := range strings.Fields(sources) {
			if source != "files" && source != "dns" {
				lines[i] = "hosts: files dns"
			}
		}
	}
	return strings.Join(lines, "\n")
}

// place mounts a file with this text over the file at path. Where path is a link into the hidden runDir
// (systemd-resolved's, NetworkManager's) it writes the file that the link names.
func place(path, text string) error {
	target, err := followLinks(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(target); errors.Is(err, os.ErrNotExist) && inRun(target) {
		return errors.Join(os.MkdirAll(filepath.Dir(target), 0o755), os.WriteFile(target, []byte(text), 0o644))
	}
	source := filepath.Join(ownDir, filepath.Base(path))
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return &os.PathError{Op: "mount", Path: target, Err: err}
	}
	return nil
}

// followLinks returns what path names if its last part is a link, also if that does not exist.
func followLinks(path string) (string, error) {
	for range 10 {
		link, err := os.Readlink(path)
		if err != nil {
			return path, nil
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return "", fmt.Errorf("%s: too many links", path)
}

func inRun(path string) bool {
	return strings.HasPrefix(path, runDir+"/") || strings.HasPrefix(path, "/var/run/")
}
