package gateway

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"testing"
)

// TestGuestsAreSearched: with every guest searched after every call, the gateway logs in by itself as ever, because no guest has the password or what SCRAM
// makes of it. A guest that is shown the password, here by an agent that knows it, is found, in whatever guise; one that is shown another word is not.
func TestGuestsAreSearched(t *testing.T) {
	t.Setenv(searchEnv, "yes")
	db := newDatabase(t)
	password := canary + "-scram"
	w := newWorld(t, "[plugins]\npostgres = \"builtin\"\n\n"+loginTable("db", db.Address(), `tls = "disable"`)+credentialTable(t, "db", "scram", password, "")+loginRules)
	w.serve()
	alice := w.alice()
	for name, c := range map[string]struct {
		shown string
		found bool
	}{
		"nothing": {"", false}, "another word": {"no-" + canary[1:], false}, "another in base64": {base64.StdEncoding.EncodeToString([]byte("no-" + canary[1:])), false},
		"the password": {"x" + password + "y", true}, "in base64": {base64.StdEncoding.EncodeToString([]byte("ab" + password)), true}, "in hex": {hex.EncodeToString([]byte(password)), true},
	} {
		who, err := try(t, alice, "db", db.Address(), "sslmode=disable&application_name="+url.QueryEscape(c.shown), nil)
		if c.found != (err != nil) || !c.found && who != "scram false" {
			t.Errorf("%s: %q, %v; found should be %v", name, who, err, c.found)
		}
	}
}
