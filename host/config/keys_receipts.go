package config

import (
	"time"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// Receipts is the table [receipts]: how the record of what was decided is kept.
type Receipts struct {
	// Durability is when a receipt counts as written.
	Durability Durability
	// Text is how much of what agents wrote is kept.
	Text ReceiptText
	// AnchorFile is the file that checkpoints are copied to, an absolute path, and AnchorURL where they are sent; at most one is set.
	AnchorFile string
	AnchorURL  string
	AnchorPos  Pos
	// AnchorSecret refers to what is sent to AnchorURL is signed with. It is set whenever AnchorURL is.
	AnchorSecret    secret.Reference
	AnchorSecretPos Pos
	// RotateSize is the size at which a new file is begun, in bytes, RotateAge the age.
	RotateSize int64
	RotateAge  time.Duration
	// KeepSize bounds all files together, in bytes, and KeepAge their age; 0: everything is kept.
	KeepSize int64
	KeepAge  time.Duration

	// Pos is the place of the table; not set when there is none.
	Pos Pos

	keepSizePos, keepAgePos Pos
}

// Durability is when a receipt counts as written.
type Durability string

// The durabilities.
const (
	Written Durability = "written"
	Synced  Durability = "synced"
)

// ReceiptText is how much of what agents wrote receipts keep.
type ReceiptText string

// The amounts.
const (
	TextFull       ReceiptText = "full"
	TextNormalized ReceiptText = "normalized"
	TextNone       ReceiptText = "none"
)

const (
	defaultRotateSize = 256 << 20
	defaultRotateAge  = 7 * 24 * time.Hour
	maxKeepSize       = 1 << 50
	year              = 365 * 24 * time.Hour
)

func receiptsDefaults() Receipts {
	return Receipts{Durability: Written, Text: TextFull, RotateSize: defaultRotateSize, RotateAge: defaultRotateAge}
}

func receiptsFields() []field[Receipts] {
	return []field[Receipts]{
		{Key{
			Name: "durability", Type: `"written" or "synced"`, Default: `"written"`, Example: `"synced"`,
			Meaning:     "When a receipt counts as on record, before which nothing that it permits happens: when it is written to the file, or when it is synced to the disk.",
			Consequence: "With `\"written\"` receipts survive the end of the gateway in any way, and a crash of the machine can lose the last second. With `\"synced\"` they survive that too, and each decision waits for the disk; those that come together share one sync.",
		}, func(d *decoder, k Key, v *value, r *Receipts) {
			r.Durability = oneOf(d, k, v, r.Durability, Written, Synced)
		}},
		{Key{
			Name: "text", Type: `"full", "normalized" or "none"`, Default: `"full"`, Example: `"normalized"`,
			Meaning:     "How much of what agents wrote receipts keep: everything, only what has no values in it, or nothing. Plugins declare which of their fields is a text, a normalised text, or values.",
			Consequence: "What is left out is named in the receipt and nowhere kept. With `\"none\"` titles are left out as well. A normalised text is there only when the plugin makes one; the plugin `postgres` does with its option `fingerprint`. Approvers see the whole text in any case.",
		}, func(d *decoder, k Key, v *value, r *Receipts) {
			r.Text = oneOf(d, k, v, r.Text, TextFull, TextNormalized, TextNone)
		}},
		{Key{
			Name: "rotate_size", Type: "size", Default: `"256MiB"`, Example: `"1GiB"`,
			Meaning:     "The size at which a new file of receipts is begun, `1MiB` to `1024GiB`.",
			Consequence: "The old file is kept beside it under a name with the number and the time of its first receipt, and the chain goes on in the new one.",
		}, func(d *decoder, k Key, v *value, r *Receipts) {
			r.RotateSize = d.size(k, v, r.RotateSize, 1<<20, 1<<40)
		}},
		{Key{
			Name: "rotate_age", Type: "duration", Default: `"168h"`, Example: `"24h"`,
			Meaning:     "The age of its first receipt at which a new file is begun, `1m` to `8760h`.",
			Consequence: "A file in which nothing has happened is gone on with.",
		}, func(d *decoder, k Key, v *value, r *Receipts) {
			r.RotateAge = d.duration(k, v, r.RotateAge, time.Minute, year)
		}},
		{Key{
			Name: "keep_size", Type: "size", Default: "everything is kept", Example: `"20GiB"`,
			Meaning:     "How large all files of receipts may be together, `2MiB` to `1048576GiB`, at least twice `rotate_size`.",
			Consequence: "When there is more, the oldest files are removed, never the one that is written to. A receipt says what was removed, so that `sallyport receipts verify` can tell it from a file that somebody took away.",
		}, func(d *decoder, k Key, v *value, r *Receipts) {
			r.KeepSize, r.keepSizePos = d.size(k, v, r.KeepSize, 2<<20, maxKeepSize), v.pos
		}},
		{Key{
			Name: "keep_age", Type: "duration", Default: "everything is kept", Example: `"2160h"`,
			Meaning:     "How old the newest receipt of a file may become, `1h` to `87600h`, at least `rotate_age`.",
			Consequence: "Files that are older are removed in the same way.",
		}, func(d *decoder, k Key, v *value, r *Receipts) {
			r.KeepAge, r.keepAgePos = d.duration(k, v, r.KeepAge, time.Hour, 10*year), v.pos
		}},
		{Key{
			Name: "anchor", Type: "string", Default: "none", Example: `"/mnt/elsewhere/sallyport.anchor"`,
			Meaning:     "Where checkpoints are kept besides: a file on another disk, to which they are appended, or the URL of a receiver, `https://`, or `http://` on the machine itself. A relative path starts at the configuration file's directory.",
			Consequence: "`sallyport receipts verify --anchor` finds by it a tail that was cut off and a log that was written anew, back to the newest checkpoint there. While the anchor cannot be reached, traffic goes on; the gateway's log and a receipt say so, and it is tried again.",
		}, func(d *decoder, k Key, v *value, r *Receipts) { d.anchor(k, v, r) }},
		{Key{
			Name: "anchor_secret", Type: "secret", Default: "none", Example: `"env:ANCHOR_SECRET"`,
			Meaning:     "What requests to the anchor are signed with, by Standard Webhooks: a reference ([secrets.md](secrets.md)) to at least 24 bytes, as they are or in base64 behind `whsec_`. For an `anchor` that is a URL, which needs it.",
			Consequence: "The receiver knows by it that a checkpoint comes from this gateway.",
		}, func(d *decoder, k Key, v *value, r *Receipts) {
			r.AnchorSecret, r.AnchorSecretPos = d.secretReference(k, v)
		}},
	}
}
