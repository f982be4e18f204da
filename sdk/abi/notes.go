package abi

// Names of notes that the gateway writes itself: in the record they are its word, not a plugin's.
const (
	// NoteWithdrawn says that the agent took an action back before anything of it went on.
	NoteWithdrawn = "withdrawn"
	// NoteRecording names the file of what was shown on a terminal.
	NoteRecording = "recording"
)

// IsHostNote reports whether a note of this name is the gateway's to write. A plugin that writes one is cut off.
func IsHostNote(name string) bool { return name == NoteWithdrawn || name == NoteRecording }
