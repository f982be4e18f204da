package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/host/wgquick"
)

func TestPeerAdd(t *testing.T) {
	path := writeConfig(t, relayEndpoint+connectRule+"# the end")
	before := read(t, path)
	r := call(t, "peer", "add", "claude", "--profile", "dev", "--config", path)
	if r.code != 0 || r.err != "" {
		t.Fatalf("%+v", r)
	}
	peer, err := wgquick.Parse([]byte(r.out))
	if err != nil {
		t.Fatal(err)
	}
	after := read(t, path)
	public := tunnel.Key(peer.Interface.PrivateKey).Public()
	if !strings.HasPrefix(after, before) || !strings.Contains(after, base64.StdEncoding.EncodeToString(public[:])) {
		t.Errorf("the file is now:\n%s", after)
	}
	private := base64.StdEncoding.EncodeToString(peer.Interface.PrivateKey[:])
	if strings.Contains(after, private) {
		t.Error("the private key is in the configuration")
	}
	if peer.Peer.Endpoint != "gw.example.com:51820" || peer.Interface.Address[0].String() != "10.89.0.2/32" {
		t.Errorf("the peer's configuration: %s", r.out)
	}
	call(t, "check", path).want(t, 0, "ok", "")

	// The gateway of all peers is the same.
	again := call(t, "peer", "add", "second", "--profile", "dev", "--config", path, "--address", "10.89.0.77")
	second, err := wgquick.Parse([]byte(again.out))
	if err != nil || second.Peer.PublicKey != peer.Peer.PublicKey || second.Interface.Address[0].Addr().String() != "10.89.0.77" {
		t.Errorf("%v: %+v", err, again)
	}

	r = call(t, "peer", "list", "--config", path)
	lines := strings.Split(r.out, "\n")
	if r.code != 0 || len(lines) != 4 || !strings.HasPrefix(lines[0], "NAME ") || !strings.HasPrefix(lines[1], "claude ") || !strings.Contains(lines[2], "10.89.0.77") {
		t.Errorf("%+v", r)
	}
	var listed []map[string]string
	r = call(t, "peer", "list", "--json", "--config", path)
	if err := json.Unmarshal([]byte(r.out), &listed); err != nil || len(listed) != 2 || listed[0]["name"] != "claude" || listed[0]["profile"] != "dev" ||
		listed[1]["address"] != "10.89.0.77" || listed[0]["public_key"] != base64.StdEncoding.EncodeToString(public[:]) {
		t.Errorf("%v: %s", err, r.out)
	}
	empty := writeConfig(t, "")
	call(t, "peer", "list", "--json", "--config", empty).want(t, 0, "[]\n", "")
}

// TestPeerAddRefused: what cannot be added is said, and the file stays as it is to the byte.
func TestPeerAddRefused(t *testing.T) {
	path := writeConfig(t, relayEndpoint+connectRule)
	if r := call(t, "peer", "add", "claude", "--profile", "dev", "-c", path); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	before := read(t, path)
	for message, args := range map[string][]string{
		`"claude"`:      {"claude", "--profile", "dev"},
		"name":          {"no good", "--profile", "dev"},
		"profile":       {"other", "--profile", "Not Good"},
		"10.89.0.2":     {"other", "--profile", "dev", "--address", "10.89.0.2"},
		"10.89.0.1":     {"other", "--profile", "dev", "--address", "10.89.0.1"},
		"192.0.2.1":     {"other", "--profile", "dev", "--address", "192.0.2.1"},
		"2001:db8::1":   {"other", "--profile", "dev", "--address", "2001:db8::1"},
		"10.89.200.200": {"other", "--profile", "dev", "--address", "10.89.200.200"},
	} {
		r := call(t, append([]string{"peer", "add", "-c", path}, args...)...)
		r.want(t, exitFailure, "", message)
		if r.out != "" {
			t.Errorf("%q: it printed %s", args, r.out)
		}
		if after := read(t, path); after != before {
			t.Fatalf("%q: the file is now:\n%s", args, after)
		}
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 2 { // the state
		t.Errorf("beside the file there is %v (%v)", names, err)
	}

	noAddress := filepath.Join(t.TempDir(), "sallyport.toml")
	write(t, noAddress, "[gateway]\nstate = \"state\"\n")
	call(t, "peer", "add", "x", "--profile", "dev", "-c", noAddress).want(t, exitFailure, "", "gateway.address is not set")
	broken := writeConfig(t, "[[rul]]\n")
	call(t, "peer", "add", "x", "--profile", "dev", "-c", broken).want(t, exitFailure, "", broken+":")
	if after := read(t, broken); !strings.HasSuffix(after, "[[rul]]\n") {
		t.Errorf("the file is now:\n%s", after)
	}
}

// TestPeerAddNotes: what is probably not meant goes to standard error, so that the output stays a configuration.
func TestPeerAddNotes(t *testing.T) {
	path := writeConfig(t, relayEndpoint+connectRule)
	r := call(t, "peer", "add", "claude", "--profile", "dve", "-c", path)
	r.want(t, 0, "[Interface]", `no endpoint lists the profile "dve"`)
	if strings.Contains(r.out, "note") {
		t.Errorf("%s", r.out)
	}
	for mode, noted := range map[os.FileMode]bool{0o644: true, 0o600: false} {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Chmod(mode); err != nil {
			t.Fatal(err)
		}
		var note lockedBuffer
		root := newRoot()
		root.SetOut(f)
		root.SetErr(&note)
		code := execute(t.Context(), root, []string{"peer", "add", fmt.Sprintf("p%o", mode), "--profile", "dev", "-c", path})
		if code != 0 || strings.Contains(note.String(), "chmod 600") != noted {
			t.Errorf("mode %v: exit code %d, %q", mode, code, note.String())
		}
	}
}

// TestPeerAddLost: the private key is nowhere else, so a full disk must not go unnoticed.
func TestPeerAddLost(t *testing.T) {
	path := writeConfig(t, relayEndpoint+connectRule)
	var note lockedBuffer
	root := newRoot()
	root.SetOut(full{})
	root.SetErr(&note)
	if code := execute(t.Context(), root, []string{"peer", "add", "claude", "--profile", "dev", "-c", path}); code != exitFailure ||
		!strings.Contains(note.String(), `remove the [[peer]] table "claude" and add it again`) {
		t.Errorf("exit code %d: %s", code, note.String())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestPeerRevoke takes a peer out of a configuration that no gateway runs with. What a running one does with it is TestReloadPeers in host/gateway.
func TestPeerRevoke(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sallyport.toml")
	if err := os.WriteFile(path, []byte("[gateway]\nlisten = \"127.0.0.1:0\"\naddress = \"127.0.0.1:51820\"\nstate = \"state\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	call(t, "peer", "add", "alice", "--profile", "dev", "-c", path).want(t, 0, "PrivateKey", "")
	call(t, "peer", "add", "bob", "--profile", "dev", "-c", path).want(t, 0, "PrivateKey", "")
	call(t, "peer", "revoke", "alcie", "-c", path).want(t, exitFailure, "", `did you mean "alice"?`)
	call(t, "peer", "revoke", "alice", "-c", path).want(t, 0, "", "no gateway is running with it")
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "alice") || !strings.Contains(string(text), "bob") {
		t.Errorf("%s %v", text, err)
	}
	call(t, "peer", "revoke", "alice", "-c", path).want(t, exitFailure, "", "no such peer")
}
