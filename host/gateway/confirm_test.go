package gateway

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/receipt"
)

// TestFlipsOfReload: a reload says what of the recent actions has another outcome now, and with confirm_reload what passes then
// waits for a confirmation of that very configuration.
func TestFlipsOfReload(t *testing.T) {
	up := newUpstream(t, nil)
	one := endpointTable("one", up.address(), "none", "dev")
	nobody := ruleTable("nobody", "true", "deny", "")
	everybody := ruleTable("everybody", "true", "allow", "")
	w := served(t, one+nobody)
	if text, _ := dial(t, w.alice(), "one:"+port(up.address())).rest(); text != "" {
		t.Fatalf("a denied connection got %q", text)
	}
	w.find("the denial", func(e *receipt.Entry) bool { return e.Kind == receipt.Decision && e.Outcome == "deny" })
	reload := func(keys, tables string, confirm bool) (*Change, *Unconfirmed) {
		t.Helper()
		w.writeGateway(keys, tables)
		cfg, err := w.load()
		if err != nil {
			t.Fatal(err)
		}
		change, err := w.running.Reload(wait(t), cfg, confirm)
		var waits *Unconfirmed
		if err != nil && !errors.As(err, &waits) {
			t.Fatal(err)
		}
		return change, waits
	}

	// Without confirm_reload it is said, and done.
	change, waits := reload("", one+everybody, false)
	if waits != nil || len(change.Flips.Flips) != 1 || change.Flips.Loosening() != 1 {
		t.Fatalf("%+v, %v", change, waits)
	}
	if f := change.Flips.Flips[0]; f.Old != "deny" || f.New != "allow" || f.OldRule != "nobody" || f.NewRule != "everybody" || f.Peer != "alice" || f.Endpoint != "one" {
		t.Errorf("%+v", f)
	}
	// What gets stricter needs no confirmation.
	change, waits = reload("confirm_reload = true", one+nobody, false)
	if waits != nil || len(change.Flips.Flips) != 1 || change.Flips.Loosening() != 0 {
		t.Fatalf("%+v, %v", change, waits)
	}
	policy := change.Policy
	// What passes then waits, also when the new configuration no longer asks for that.
	for _, keys := range []string{"confirm_reload = true", ""} {
		if change, waits = reload(keys, one+everybody, false); waits == nil || waits.Loosening == 0 || waits.Changed || len(waits.Flips.Flips) != 1 {
			t.Fatalf("%q: %+v, %+v", keys, change, waits)
		}
		if text, _ := dial(t, w.alice(), "one:"+port(up.address())).rest(); text != "" {
			t.Errorf("before it is confirmed, a connection got %q", text)
		}
	}
	// A confirmation is for what was shown.
	other := one + everybody + ruleTable("and more", "true", "allow", "")
	if _, waits = reload("", other, true); waits == nil || !waits.Changed || !strings.Contains(waits.Error(), "not the configuration that was shown") {
		t.Fatalf("%+v", waits)
	}
	if change, waits = reload("", other, true); waits != nil || change.Policy == policy || change.Flips.Loosening() == 0 {
		t.Fatalf("%+v, %+v", change, waits)
	}
	dial(t, w.alice(), "one:"+port(up.address())).says("a\n", "ok a\n")
	// It is used up.
	if _, waits = reload("confirm_reload = true", one+nobody, false); waits != nil {
		t.Fatal(waits)
	}
	if _, waits = reload("", other, true); waits == nil || waits.Changed {
		t.Errorf("a confirmation of something that was not shown: %+v", waits)
	}
}
