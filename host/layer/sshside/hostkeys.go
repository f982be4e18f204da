package sshside

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// HostKeyOptions say which host keys an upstream may have.
type HostKeyOptions struct {
	// Address is the upstream's, host:port, as it is looked up in KnownHosts and stands in certificates.
	Address string
	// KnownHosts is a file in the form of OpenSSH's known_hosts; empty: none.
	KnownHosts string
	// Keys are host keys, Authorities those of authorities that sign them, as ssh-keygen writes public keys.
	Keys, Authorities []string
	// FirstUse is the file in which the first key is kept that the upstream shows; empty: it has to be known. It counts when nothing
	// else knows the upstream.
	FirstUse string
}

// HostKeys decide whether an upstream is who it should be. They may be used by several goroutines.
type HostKeys struct {
	address  string
	known    ssh.HostKeyCallback // nil: none
	lists    []ssh.PublicKey     // what known has for the address
	signed   bool                // known has authorities for it
	keys     []ssh.PublicKey
	checker  *ssh.CertChecker // nil: no authorities
	firstUse string
}

// HostKeyError is why an upstream's key is refused, for the operator.
type HostKeyError struct {
	Reason string
	// Fingerprint is that of the key, as ssh-keygen -l shows it.
	Fingerprint string
}

func (e *HostKeyError) Error() string { return e.Reason + " (it is " + e.Fingerprint + ")" }

// maxKnownHosts bounds a file of known hosts, in bytes.
const maxKnownHosts = 4 << 20

// NewHostKeys reads the files and keys. With none of them every upstream is refused.
func NewHostKeys(o HostKeyOptions) (*HostKeys, error) {
	h := &HostKeys{address: o.Address, firstUse: o.FirstUse}
	if o.KnownHosts != "" {
		if err := h.readKnown(o.KnownHosts); err != nil {
			return nil, fmt.Errorf("known_hosts: %w", err)
		}
	}
	var err error
	if h.keys, err = publicKeys(o.Keys); err != nil {
		return nil, fmt.Errorf("host_key: %w", err)
	}
	authorities, err := publicKeys(o.Authorities)
	if err != nil {
		return nil, fmt.Errorf("host_ca: %w", err)
	}
	if len(authorities) > 0 {
		h.checker = &ssh.CertChecker{IsHostAuthority: func(key ssh.PublicKey, _ string) bool { return contains(authorities, key) }}
	}
	return h, nil
}

func (h *HostKeys) readKnown(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Size() > maxKnownHosts:
		return fmt.Errorf("%s is not a regular file of at most %d MiB", path, maxKnownHosts>>20)
	}
	if h.known, err = knownhosts.New(path); err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	// What it knows for the address it tells when it is shown a key that nobody has.
	nobody, err := ssh.NewPublicKey(make(ed25519.PublicKey, ed25519.PublicKeySize))
	if err != nil {
		return err
	}
	var wrong *knownhosts.KeyError
	if err := h.known(h.address, &net.TCPAddr{}, nobody); errors.As(err, &wrong) {
		for _, k := range wrong.Want {
			if k.Line <= len(lines) && strings.HasPrefix(strings.TrimSpace(lines[k.Line-1]), "@cert-authority") {
				h.signed = true
			} else {
				h.lists = append(h.lists, k.Key)
			}
		}
	}
	return nil
}

func publicKeys(lines []string) (keys []ssh.PublicKey, err error) {
	for _, line := range lines {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			return nil, fmt.Errorf("%q is not a public key", line)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func same(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

func contains(keys []ssh.PublicKey, key ssh.PublicKey) bool {
	return slices.ContainsFunc(keys, func(k ssh.PublicKey) bool { return same(k, key) })
}

// Check is an [ssh.HostKeyCallback]. The host name that it is given does not count. Its errors are a *HostKeyError, or about files.
func (h *HostKeys) Check(_ string, remote net.Addr, key ssh.PublicKey) error {
	refuse := func(format string, args ...any) error {
		return &HostKeyError{fmt.Sprintf(format, args...), ssh.FingerprintSHA256(key)}
	}
	why := ""
	if h.known != nil {
		err := h.known(h.address, remote, key)
		var revoked *knownhosts.RevokedError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &revoked):
			return refuse("the host key of %s is revoked in known_hosts", h.address)
		case len(h.lists) > 0 || h.signed && isCertificate(key):
			why = fmt.Sprintf("the host key of %s is not the one in known_hosts: either it was changed or somebody is in the middle", h.address)
		default:
			why = fmt.Sprintf("known_hosts does not know %s", h.address)
		}
	}
	if contains(h.keys, key) {
		return nil
	}
	if len(h.keys) > 0 {
		why = fmt.Sprintf("the host key of %s is not one of host_key: either it was changed or somebody is in the middle", h.address)
	}
	if h.checker != nil {
		err := h.checker.CheckHostKey(h.address, remote, key)
		if err == nil {
			return nil
		}
		why = fmt.Sprintf("%s shows no certificate of host_ca that counts: %v", h.address, err)
	}
	switch {
	case len(h.lists) > 0 || len(h.keys) > 0 || h.checker != nil || h.signed && isCertificate(key) || h.firstUse == "":
		if why == "" {
			why = "the endpoint says no host key that it could have"
		}
		return refuse("%s", why)
	}
	return h.keep(key, refuse)
}

func isCertificate(key ssh.PublicKey) bool {
	_, ok := key.(*ssh.Certificate)
	return ok
}

// keep trusts the first key, and that one only.
func (h *HostKeys) keep(key ssh.PublicKey, refuse func(string, ...any) error) error {
	first, err := h.first()
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(h.firstUse), 0o700); err != nil {
			return err
		}
		if err := publish(h.firstUse, ssh.MarshalAuthorizedKey(key), 0o600); err != nil {
			return fmt.Errorf("keep the host key of %s: %w", h.address, err)
		}
		first, err = h.first() // perhaps another's who came at the same time
	}
	switch {
	case err != nil:
		return fmt.Errorf("the host key of %s that was kept: %w", h.address, err)
	case !same(first, key):
		return refuse("the host key of %s is not the one of the first use: either it was changed (then remove %s) or somebody is in the middle", h.address, h.firstUse)
	}
	return nil
}

// first is the key that was kept.
func (h *HostKeys) first() (ssh.PublicKey, error) {
	text, err := os.ReadFile(h.firstUse)
	if err != nil {
		return nil, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s holds no public key: put it back, or remove it to have the next key trusted", h.firstUse)
	}
	return key, nil
}

// Algorithms are those of keys that Check may accept, preferred first: an upstream that has several keys then shows one that is known. Nil:
// all that are secure.
func (h *HostKeys) Algorithms() []string {
	keys := slices.Concat(h.keys, h.lists)
	certificates := h.checker != nil || h.signed
	if len(keys) == 0 && !certificates && h.firstUse != "" {
		if first, err := h.first(); err == nil {
			keys = append(keys, first)
		}
	}
	if len(keys) == 0 && !certificates {
		return nil
	}
	var list []string
	for _, name := range ssh.SupportedAlgorithms().HostKeys {
		kind := name
		if name == ssh.KeyAlgoRSASHA256 || name == ssh.KeyAlgoRSASHA512 {
			kind = ssh.KeyAlgoRSA
		}
		if strings.Contains(name, "-cert-v01@") && certificates || slices.ContainsFunc(keys, func(k ssh.PublicKey) bool { return k.Type() == kind }) {
			list = append(list, name)
		}
	}
	if len(list) == 0 { // keys of a kind that is not secure any more: say so by failing to agree
		return []string{ssh.KeyAlgoED25519}
	}
	return list
}
