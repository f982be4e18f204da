package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/placeholder"
)

// TestEnvironment: each peer gets its own placeholders, and no other one's.
func TestEnvironment(t *testing.T) {
	w := newWorld(t, "")
	text := readFile(t, w.path)
	const env = `env = { GH_TOKEN = "placeholder-1", AWS_REGION = "eu-central-1" }`
	changed := strings.Replace(text, "name = \"alice\"\n", "name = \"alice\"\n"+env+"\n", 1)
	if changed == text {
		t.Fatal(text)
	}
	if err := os.WriteFile(w.path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	w.serve()
	for peer, c := range map[string]struct {
		agent interface {
			DialContext(context.Context, string, string) (net.Conn, error)
		}
		want []placeholder.Variable
	}{"alice": {w.alice(), []placeholder.Variable{{Name: "AWS_REGION", Value: "eu-central-1"}, {Name: "GH_TOKEN", Value: "placeholder-1"}}}, "bob": {w.bob(), nil}} {
		client := &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: c.agent.DialContext, DisableKeepAlives: true}}
		a, err := client.Get("http://10.89.0.1" + EnvPath)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(a.Body)
		a.Body.Close()
		if err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", peer, a.StatusCode, err)
		}
		if got, err := placeholder.Decode(body); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s gets %v, %v", peer, got, err)
		}
	}
}
