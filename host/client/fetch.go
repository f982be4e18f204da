//go:build linux

package client

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sallyport-dev/sallyport/host/placeholder"
)

// The gateway gives out the certificate of its CA at its own address inside the tunnel, by HTTP. WireGuard has proved that it is the
// gateway.
const (
	trustPort = 80
	trustPath = "/ca.pem"
	envPath   = "/env.json" // and there, what the command's environment gets
	// knownPath is where the lines of known_hosts are for its endpoints of SSH.
	knownPath = "/ssh_known_hosts"

	// trustTime bounds asking for it: so long a gateway that cannot be reached delays the command.
	trustTime = 5 * time.Second
	// maxCA bounds the answer, maxEnv that about the environment.
	maxCA  = 64 << 10
	maxEnv = placeholder.MaxText + 4<<10
)

// errNoCA says that there is a gateway, and that it gives out no CA.
var errNoCA = errors.New("the gateway gives out no CA")

// trustGateway has the command, which this process is going to be, trust the gateway's CA. What cannot be done is noted on standard
// error: most commands do without.
func trustGateway(p *plan) {
	if !p.Gateway.IsValid() {
		return
	}
	note := func(text string) { fmt.Fprintln(os.Stderr, "sallyport: note:", text) }
	from := netip.AddrPortFrom(p.Gateway, trustPort)
	ca, err := fetchCA(from)
	if err == nil || errors.Is(err, errNoCA) {
		setPlaceholders(from, note)
		setKnownHosts(from, note)
	}
	if errors.Is(err, errNoCA) {
		return
	}
	t := &truster{lookup: os.LookupEnv, read: readRoots, write: writeOwn}
	var set map[string]string
	var notes []string
	if err == nil {
		set, notes, err = t.trust(ca)
	}
	if err != nil {
		note(fmt.Sprintf("the command's programs do not trust the gateway's CA: %v", err))
		return
	}
	for _, text := range notes {
		note(text)
	}
	for name, value := range set {
		if err := os.Setenv(name, value); err != nil {
			note(err.Error())
		}
	}
}

// fetchCA asks the gateway for its CA.
func fetchCA(from netip.AddrPort) ([]byte, error) { return fetch(from, trustPath, maxCA, errNoCA) }

// fetch asks the gateway for a file; nothing stands for one that is not there.
func fetch(from netip.AddrPort, path string, most int64, nothing error) ([]byte, error) {
	k, err := net.DialTimeout("tcp", from.String(), trustTime)
	if err != nil {
		if errors.Is(err, unix.ECONNREFUSED) {
			err = nothing
		}
		return nil, err
	}
	defer k.Close()
	if err := k.SetDeadline(time.Now().Add(trustTime)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(k, "GET "+path+" HTTP/1.1\r\nHost: "+from.Addr().String()+"\r\nConnection: close\r\n\r\n"); err != nil {
		return nil, err
	}
	a, err := http.ReadResponse(bufio.NewReader(io.LimitReader(k, most)), nil)
	if err != nil {
		return nil, fmt.Errorf("the gateway's answer: %w", err)
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return nil, nothing
	}
	return io.ReadAll(a.Body)
}

// errNoEnv says that the gateway has nothing for the environment.
var errNoEnv = errors.New("the gateway has no placeholders")

// setPlaceholders puts into the environment what the gateway has for it. What is set already stays: it is the user's.
func setPlaceholders(from netip.AddrPort, note func(string)) {
	text, err := fetch(from, envPath, maxEnv, errNoEnv)
	if errors.Is(err, errNoEnv) {
		return
	}
	var list []placeholder.Variable
	if err == nil {
		list, err = placeholder.Decode(text)
	}
	if err != nil {
		note(fmt.Sprintf("the command's environment gets no placeholders: %v", err))
		return
	}
	for _, v := range list {
		if now, set := os.LookupEnv(v.Name); set {
			if now != v.Value {
				note(v.Name + " is set already and stays as it is; the gateway has a placeholder for it")
			}
			continue
		}
		if err := os.Setenv(v.Name, v.Value); err != nil {
			note(err.Error())
		}
	}
}

// maxRoots bounds a file of roots.
const maxRoots = 8 << 20

// readRoots reads a file of roots.
func readRoots(path string) ([]byte, error) {
	// Looking before opening: opening a named pipe would wait for its writer.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRoots+1))
	if err == nil && len(text) > maxRoots {
		err = fmt.Errorf("it is larger than %d MiB", maxRoots>>20)
	}
	return text, err
}

// writeOwn makes a file among those that exist for the command only. The mask is the command's, so the mode is set behind it.
func writeOwn(name string, data []byte) (string, error) {
	path := filepath.Join(ownDir, name)
	return path, errors.Join(os.WriteFile(path, data, 0o644), os.Chmod(path, 0o644))
}
