package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/receipt"
)

// TestReceiptsAreSignedAndAnchored: what the configuration says about receipts holds in a gateway that runs, and is stopped.
func TestReceiptsAreSignedAndAnchored(t *testing.T) {
	w := served(t, "[receipts]\ndurability = \"synced\"\nanchor = \"anchor.jsonl\"\n")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	key, err := receipt.LoadKey(ReceiptsKey(w.assembly.cfg))
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := os.Open(filepath.Join(w.dir, "anchor.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer anchor.Close()
	r, err := receipt.VerifyWith(ReceiptsPath(w.assembly.cfg), receipt.VerifyOptions{Keys: []receipt.PublicKey{receipt.Public(key)}, Anchor: anchor})
	if err != nil || r.Checkpoints == 0 || r.Unsigned != 0 || r.AnchoredTo != r.Records {
		t.Errorf("%+v %v", r, err)
	}
}

// TestAnAnchorsSecretIsChecked when the configuration is, not when the gateway starts.
func TestAnAnchorsSecretIsChecked(t *testing.T) {
	const tables = "[receipts]\nanchor = \"https://anchor.example.com/\"\nanchor_secret = \"env:SALLYPORT_TEST_ANCHOR\"\n"
	for secret, want := range map[string]string{"": "SALLYPORT_TEST_ANCHOR", "short": "needs 24 at least", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": ""} {
		t.Setenv("SALLYPORT_TEST_ANCHOR", secret)
		_, err := newWorld(t, tables).assemble()
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", secret, err)
			}
			continue
		}
		if problems, ok := err.(config.Problems); !ok || len(problems) != 1 || !strings.Contains(err.Error(), want) || problems[0].Line == 0 {
			t.Errorf("%q: %v, want %s", secret, err, want)
		}
	}
}

// TestReceiptsSettingsNeedARestart: a reload that would change them is refused, and says which.
func TestReceiptsSettingsNeedARestart(t *testing.T) {
	w := served(t, "[receipts]\nrotate_size = \"1MiB\"\n")
	w.write("[receipts]\nrotate_size = \"2MiB\"\n")
	cfg, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.running.Reload(t.Context(), cfg, false); err == nil || !strings.Contains(err.Error(), "receipts.rotate_size was 1048576 and is 2097152 now") {
		t.Errorf("%v", err)
	}
	w.write("[receipts]\nrotate_size = \"1MiB\"\n")
	if cfg, err = w.load(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.running.Reload(t.Context(), cfg, false); err != nil {
		t.Errorf("the benign twin: %v", err)
	}
}
