package gateway

import (
	"context"
	"path/filepath"

	"github.com/sallyport-dev/sallyport/host/approve/webhook"
	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/receipt/anchor"
)

// ReceiptsKey is the file of the key that checkpoints of the record are signed with.
func ReceiptsKey(cfg *config.Config) string { return filepath.Join(cfg.Gateway.State, "receipts.key") }

// receiptSettings are the keys of [receipts], all of which are read once.
var receiptSettings = map[string]func(*config.Receipts) any{
	"durability":    func(r *config.Receipts) any { return r.Durability },
	"text":          func(r *config.Receipts) any { return r.Text },
	"anchor":        func(r *config.Receipts) any { return r.AnchorFile + r.AnchorURL },
	"anchor_secret": func(r *config.Receipts) any { return r.AnchorSecret },
	"rotate_size":   func(r *config.Receipts) any { return r.RotateSize },
	"rotate_age":    func(r *config.Receipts) any { return r.RotateAge },
	"keep_size":     func(r *config.Receipts) any { return r.KeepSize },
	"keep_age":      func(r *config.Receipts) any { return r.KeepAge },
}

// receiptOptions are the settings of the record, as the configuration has them.
func (a *Assembly) receiptOptions(ctx context.Context) (receipt.Options, config.Problems) {
	c := &a.cfg.Receipts
	o := receipt.Options{Logger: a.log, KeyFile: ReceiptsKey(a.cfg), RotateSize: c.RotateSize, RotateAge: c.RotateAge, KeepSize: c.KeepSize, KeepAge: c.KeepAge}
	if c.Durability == config.Synced {
		o.Durability = receipt.Synced
	}
	switch c.Text {
	case config.TextNormalized:
		o.Text = receipt.Normalized
	case config.TextNone:
		o.Text = receipt.None
	}
	if c.AnchorFile != "" {
		o.Anchors = []receipt.Anchor{anchor.File{Path: c.AnchorFile}}
	}
	if c.AnchorURL == "" {
		return o, nil
	}
	s, err := a.store.Resolve(ctx, c.AnchorSecret)
	if err != nil {
		return o, config.Problems{a.cfg.Problem(c.AnchorSecretPos, "anchor_secret: %v", err)}
	}
	keys, err := webhook.NewKeys(s)
	if err != nil {
		return o, config.Problems{a.cfg.Problem(c.AnchorSecretPos, "anchor_secret: %v", err)}
	}
	o.Anchors = []receipt.Anchor{anchor.NewWebhook(c.AnchorURL, keys.Sign)}
	return o, nil
}
