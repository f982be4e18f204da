package config

import (
	"strings"
	"testing"
)

// TestEnv: placeholders are read, and what is none, or would do more on the agent's host than hold a word, is a problem at its place.
func TestEnv(t *testing.T) {
	cfg := parse(t, with("peer", "env", `{ GH_TOKEN = "placeholder-1", AWS_REGION = "eu-central-1" }`))
	if e := cfg.Peers[0].Env; len(e) != 2 || e[0].Name.Value != "GH_TOKEN" || e[1].Value.Value != "eu-central-1" {
		t.Errorf("%v", e)
	}
	for value, want := range map[string]string{
		`{ LD_PRELOAD = "x" }`:          "does not end like the name of a credential",
		`{ gh_token = "x" }`:            "no name of a variable in capitals",
		`{ GH_TOKEN = 7 }`:              "must be a string",
		`{ GH_TOKEN = "" }`:             "it is empty",
		`{ GH_TOKEN = "two words" }`:    "visible ASCII",
		`{ GH_TOKEN = "env:GH_TOKEN" }`: "refers to a secret",
		`"GH_TOKEN"`:                    "a table",
	} {
		_, err := Parse("test.toml", []byte(with("peer", "env", value)), Known{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "test.toml:") {
			t.Errorf("%s: %v, want %q", value, err, want)
		}
	}
}
