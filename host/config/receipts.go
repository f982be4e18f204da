package config

import "strings"

// anchor reads a path or a URL.
func (d *decoder) anchor(k Key, v *value, r *Receipts) {
	text, ok := d.text(k, v)
	if !ok {
		return
	}
	r.AnchorPos = text.start
	if !strings.Contains(text.Value, "://") {
		r.AnchorFile, _ = d.path(k, v)
		return
	}
	if err := webhookURL(text.Value); err != nil {
		d.problem(text.start, "anchor %v; write anchor = %s", err, `"https://anchor.example.com/sallyport"`)
		return
	}
	r.AnchorURL = text.Value
}

// checkReceipts checks what keys of [receipts] say together.
func (d *decoder) checkReceipts(cfg *Config) {
	r := &cfg.Receipts
	if r.KeepSize > 0 && r.KeepSize < 2*r.RotateSize {
		d.problem(r.keepSizePos, "keep_size is less than twice rotate_size, which is %s: there would be no older file to keep; write more, or a smaller rotate_size", bytesText(r.RotateSize))
	}
	if r.KeepAge > 0 && r.KeepAge < r.RotateAge {
		d.problem(r.keepAgePos, "keep_age is less than rotate_age, which is %s: files would be older than that before they are done; write more, or a smaller rotate_age", units(r.RotateAge))
	}
	switch {
	case r.AnchorURL != "" && r.AnchorSecret.IsZero() && r.AnchorSecretPos == (Pos{}):
		d.problem(r.AnchorPos, `an anchor with a URL needs anchor_secret, such as anchor_secret = "env:ANCHOR_SECRET"`)
	case r.AnchorURL == "" && !r.AnchorSecret.IsZero() && r.AnchorPos == (Pos{}):
		d.problem(r.AnchorSecretPos, "anchor_secret is for an anchor with a URL, and there is no anchor; remove it")
	case r.AnchorFile != "" && !r.AnchorSecret.IsZero():
		d.problem(r.AnchorSecretPos, "anchor_secret is for an anchor with a URL, and this one is a file, which nothing is sent to; remove it")
	}
}
