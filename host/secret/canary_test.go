package secret

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCanaries finds a secret in each guise and at each place of a memory, says whose it is without showing it, and finds nothing where nothing is.
func TestCanaries(t *testing.T) {
	const value = "c4n4ry/of+the%tests"
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := ParseReference("file:"+path, "")
	if err != nil {
		t.Fatal(err)
	}
	c, s := NewWanted(), NewStore(StoreOptions{})
	s.Watch(c)
	kept, err := s.Resolve(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	login := Login{Secret: kept, User: "bob", Attribute: func(name string) string {
		return map[string]string{awsKeyID: "AKIA", awsRegion: "eu-west-1", awsService: "sqs"}[name]
	}}
	basic, err := basicForm().Write(login)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)
	if _, err := awsForm().Sign(login, &Request{Method: "GET", Authority: "sqs.test", Target: "/", BodyHash: strings.Repeat("0", 64)}, now); err != nil {
		t.Fatal(err)
	}
	chain := []byte("AWS4" + value)
	for _, step := range []string{"20261123", "eu-west-1", "sqs", "aws4_request"} {
		chain = mac(chain, []byte(step))
	}

	e, err := beginPostgres(Login{Secret: kept, Transport: Transport{Verified: true}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p := e.(*postgres)
	if _, err := p.sasl([]byte("SCRAM-SHA-256\x00\x00")); err != nil {
		t.Fatal(err)
	}
	salt := []byte("0123456789abcdef")
	challenge := fmt.Sprintf("r=%sserver,s=%s,i=4096", p.scram.nonce, base64.StdEncoding.EncodeToString(salt))
	if _, err := p.scram.clientFinal([]byte(challenge)); err != nil {
		t.Fatal(err)
	}
	salted := salt256([]byte(value), salt, 4096)
	clientKey := mac(salted, []byte("Client Key"))

	reversed := []byte(value)
	slices.Reverse(reversed)
	found := map[string][]byte{
		"raw": []byte(value), "reversed": reversed, "hex": []byte(hex.EncodeToString([]byte(value))), "capital hex": []byte(strings.ToUpper(hex.EncodeToString([]byte(value)))),
		"URL": []byte(url.QueryEscape(value)), "path": []byte(url.PathEscape(value)), "basic": basic, "SigV4": chain, "SigV4 in hex": []byte(hex.EncodeToString(chain)),
		"SCRAM's salted password": salted, "SCRAM's client key": clientKey, "SCRAM's client key in base64": []byte(base64.StdEncoding.EncodeToString(clientKey)),
		"SCRAM's stored key": sum(sha256.New(), clientKey), "SCRAM's server key": mac(salted, []byte("Server Key")),
	}
	for k := range 3 {
		found[fmt.Sprint("base64 at ", k)] = []byte(base64.StdEncoding.EncodeToString([]byte("abc"[:k] + value + "and more")))
		found[fmt.Sprint("base64 for URLs at ", k)] = []byte(base64.RawURLEncoding.EncodeToString([]byte("abc"[:k] + value)))
	}
	for name, text := range found {
		for at := range 9 {
			memory := slices.Concat(bytes.Repeat([]byte{'x'}, at), text, make([]byte, 5))
			what := c.Search(memory)
			if !strings.Contains(what, path) || strings.Contains(what, value) {
				t.Errorf("%s at %d: %q", name, at, what)
			}
		}
		for _, text := range [][]byte{text[:6], bytes.ToUpper([]byte(value[:9] + "-" + value[9:])), []byte("bob"), nil} {
			if what := c.Search(text); what != "" {
				t.Errorf("%s: %q is found as %s", name, text, what)
			}
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", kept, login, login); strings.Contains(text, value) || strings.Contains(text, fmt.Sprint([]byte(value))) {
		t.Error("a secret with canaries prints its value")
	}
}

func BenchmarkCanaries(b *testing.B) {
	c := NewWanted()
	for k := range 20 {
		c.add("one", fmt.Appendf(nil, "%d-secret-of-a-benchmark", k))
	}
	memory := make([]byte, 4<<20)
	for k := range memory {
		memory[k] = byte(k * k >> 7)
	}
	b.SetBytes(int64(len(memory)))
	for b.Loop() {
		if what := c.Search(memory); what != "" {
			b.Fatal(what)
		}
	}
}
