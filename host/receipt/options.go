package receipt

import (
	"log/slog"
	"os"
	"time"
)

// Durability says what Append waits for.
type Durability uint8

// The durabilities. See the package comment.
const (
	Written Durability = iota
	Synced
)

// Options are the settings of a log. The zero value is good: one file that grows, unsigned.
type Options struct {
	Durability Durability
	// Text says how much of what agents wrote is kept.
	Text Text
	// KeyFile holds the key that checkpoints are signed with; it is made when it does not exist. Empty: there are no checkpoints.
	KeyFile string
	// CheckpointEvery bounds the time between a record and the next checkpoint; 0 means one minute. There is one after every
	// MaxUnsigned records anyway, and at Close.
	CheckpointEvery time.Duration
	// Anchors are told of every checkpoint, once it is on the disk.
	Anchors []Anchor
	// RotateSize begins a new file when the file has this many bytes, RotateAge when its first record is this old; 0: never.
	RotateSize int64
	RotateAge  time.Duration
	// KeepSize removes the oldest files when all have more bytes than this, KeepAge those whose last record is older than this; 0:
	// never. The file that is written to stays in any case.
	KeepSize int64
	KeepAge  time.Duration
	// SyncEvery bounds how long a written record stays unsynced; 0 means one second. Not used with Synced.
	SyncEvery time.Duration
	// LaterEvery bounds how long what Later appends stays unwritten; 0 means 50 milliseconds.
	LaterEvery time.Duration
	// MaxField bounds each field of an action, in bytes; 0 means MaxField, the constant.
	MaxField int
	// Logger hears of a torn line and of failures; nil means none.
	Logger *slog.Logger
	// wrap puts a disk that tests control under the log, and lastChance is how long Close waits for anchors.
	wrap       func(*os.File) file
	lastChance time.Duration
}

func (o *Options) defaults() {
	if o.CheckpointEvery <= 0 {
		o.CheckpointEvery = time.Minute
	}
	if o.SyncEvery <= 0 {
		o.SyncEvery = time.Second
	}
	if o.LaterEvery <= 0 {
		o.LaterEvery = 50 * time.Millisecond
	}
	if o.MaxField <= 0 {
		o.MaxField = MaxField
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.lastChance <= 0 {
		o.lastChance = lastChance
	}
	if o.wrap == nil {
		o.wrap = func(f *os.File) file { return f }
	}
}
