// Package shell says what a command line does that is sent over SSH: which words it has, which programs it runs, and how grave that is.
//
// # What is assumed
//
// A server hands the line to the login shell of the user, and which one that is cannot be known from here. The line is read with the
// grammars of POSIX's sh and of bash (mvdan.cc/sh); where they disagree about anything that is reported here, where one of them does not
// understand it, or where words stand that zsh, fish or csh would take for something else, the line is opaque. What is assumed besides: the shell is one
// of the family of sh, or one that agrees with it about plain words; programs of the usual names in the usual places are the usual programs; the user's
// start-up files and aliases, and the environment that the server gives, are not hostile. A command that the server forces in place of what was sent is unknown here as well.
//
// # How grave
//
// A line is of class read when every program in it is in the table of harmless programs (table.go) with arguments that keep it harmless. Servers of file
// transfers (scp, rsync, git, sftp-server) have the class of what they do. Everything else executes; and what cannot be resolved (a program's name in a
// variable, code for an interpreter, commands from the standard input) is opaque.
package shell

import (
	"slices"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"github.com/sallyport-dev/sallyport/plugins/ssh/line"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Limits.
const (
	// MaxLine is the longest line that is read, in bytes; a longer one is opaque.
	MaxLine = line.MaxLine
	// maxNesting bounds what could make the parser recurse: brackets, and words that open something.
	maxNesting = 200
	maxDepth   = 8    // lines within lines: sh -c, eval
	maxSteps   = 4096 // words and statements that are looked at
	// maxPrograms bounds the list of programs; a line with more is opaque.
	maxPrograms = 64
)

// Facts is what is known of a command line.
type Facts = line.Facts

// Read reads a command line. terminal says that it runs on a terminal, where some programs let the user run others.
func Read(line string, terminal bool) Facts {
	if why := unreadable(line); why != "" {
		return unread(why)
	}
	f := read(line, terminal, syntax.LangPOSIX)
	if g := read(line, terminal, syntax.LangBash); !same(&f, &g) && !(f.Opaque && f.Why != "") {
		f.Opaque, f.Why, f.Class = true, "shells read this differently", abi.ClassOpaque
		f.Argv, f.Plain, f.Transfer = nil, false, nil
	}
	return f
}

func unread(why string) Facts { return line.Unread(why) }

// unreadable says why a line is not read at all.
func unreadable(line string) string {
	if len(line) > MaxLine {
		return "the line is too long"
	}
	if !utf8.ValidString(line) {
		return "the line is not UTF-8"
	}
	nesting := 0
	for i := range len(line) {
		switch c := line[i]; {
		case c < ' ' && c != '\n' && c != '\t' || c == 0x7f:
			return "the line has control characters"
		case strings.IndexByte("({[`$!", c) >= 0:
			nesting++
		}
	}
	for _, word := range strings.FieldsFunc(line, separator) {
		if slices.Contains(opening, word) {
			nesting++
		}
	}
	if nesting > maxNesting {
		return "the line nests too deeply"
	}
	return ""
}

// opening are the reserved words that can nest.
var opening = []string{"if", "elif", "while", "until", "for", "case", "do", "then", "else", "time", "function", "coproc", "select"}

func separator(r rune) bool { return strings.ContainsRune(" \t\n;&|(){}`'\"", r) }

// read reads a line with one grammar.
func read(text string, terminal bool, lang syntax.LangVariant) Facts {
	w := walker{terminal: terminal, lang: lang}
	w.line(text)
	f := Facts{Programs: w.programs, Opaque: w.why != "", Why: w.why, Class: w.class}
	if f.Opaque {
		f.Class = abi.ClassOpaque
	}
	if w.plain != nil {
		f.Argv, f.Plain = w.plain, true
	}
	if t := w.transfer; t != nil && w.why == "" && w.calls == 1 {
		f.Transfer = t
		if f.Class = t.Class; w.class > abi.ClassRead { // by a wrapper
			f.Class = max(w.class, t.Class)
		}
	} else if t != nil {
		f.Class = max(f.Class, abi.ClassExecute)
		if t.Protocol == line.SFTP { // a conversation that nobody would follow
			f.Opaque, f.Class = true, abi.ClassOpaque
			if f.Why == "" {
				f.Why = "sftp-server runs among other things"
			}
		}
	}
	return f
}

// same reports whether two readings agree.
func same(f, g *Facts) bool {
	return f.Plain == g.Plain && f.Opaque == g.Opaque && f.Class == g.Class && slices.Equal(f.Argv, g.Argv) &&
		slices.Equal(f.Programs, g.Programs) && (f.Transfer == nil) == (g.Transfer == nil)
}
