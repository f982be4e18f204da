package receipt

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shown bounds how much of one value a readable line has, in characters.
const shown = 240

// Print writes e as one readable line. With color it uses the terminal's colours for the outcome and nothing else.
func Print(w io.Writer, e *Entry, color bool) error {
	_, err := io.WriteString(w, Line(e, color)+"\n")
	return err
}

// Line is e as one readable line, without a newline: time, outcome or kind, who and where, what, why, and the id.
// Everything in it is printable: an agent chooses titles and names, and must not be able to steer a terminal or to write a
// line of its own. What it writes freely is in quotes. Other characters are shown as \n, \x1b or \u202e, and a backslash as two.
func Line(e *Entry, color bool) string {
	var b strings.Builder
	b.WriteString(clean(strings.Replace(strings.TrimSuffix(e.Time, "Z"), "T", " ", 1)))
	word := string(e.Kind)
	decided := (e.Kind == Decision || e.Kind == HoldEnd) && e.Outcome != ""
	if decided {
		word = string(e.Outcome)
	}
	word = fmt.Sprintf("%-8s", clean(word))
	if color && decided {
		word = "\x1b[" + paint(e.Outcome) + "m" + word + "\x1b[0m"
	}
	b.WriteString("  " + word)
	place(&b, e)
	switch e.Kind {
	case Decision:
		what(&b, e)
	case HoldEnd:
		add(&b, "  hold ", e.Hold)
		add(&b, "  by ", strings.Join(e.By, ", "))
		granted(&b, e)
	case Note:
		add(&b, " of ", e.Parent)
		pairsOf(&b, e)
	case Torn, Removed:
		pairsOf(&b, e)
	case End:
		fmt.Fprintf(&b, "  %d bytes up, %d bytes down", e.Up, e.Down)
	case Start, Reload, Stop, Genesis:
		add(&b, "  ", e.Detail)
		add(&b, "  policy ", e.Policy)
	}
	why(&b, e)
	add(&b, "  [", e.ID)
	b.WriteString("]")
	return b.String()
}

func pairsOf(b *strings.Builder, e *Entry) {
	for _, p := range e.Note {
		b.WriteString("  " + clean(p[0]) + "=" + quoted(p[1]))
	}
}

// quoted is for what agents and servers write freely: it cannot look like the line's own words.
func quoted(s string) string { return `"` + strings.ReplaceAll(clean(s), `"`, `\"`) + `"` }

// paint are the parameters of the terminal's colour sequence: green where bytes flowed, yellow where they wait or something would
// have stopped them, else red.
func paint(o Outcome) string {
	switch {
	case o == OutcomeHeld || o == OutcomeWouldDeny || o == OutcomeWouldHold || o == OutcomeWouldJudge:
		return "33"
	case o.passes():
		return "32"
	}
	return "31"
}

func granted(b *strings.Builder, e *Entry) {
	if !e.Granted {
		return
	}
	b.WriteString("  granted")
	if e.GrantUses > 0 {
		fmt.Fprintf(b, " for %d uses", e.GrantUses)
	}
	add(b, " until ", e.GrantUntil)
}

func add(b *strings.Builder, before, value string) {
	if value != "" {
		b.WriteString(before)
		b.WriteString(clean(value))
	}
}

func place(b *strings.Builder, e *Entry) {
	add(b, "  ", e.Peer)
	add(b, " -> ", e.Endpoint)
	if e.Target != "" {
		b.WriteString(" -> " + strings.ReplaceAll(clean(e.Target), " ", `\x20`))
	}
}

func what(b *strings.Builder, e *Entry) {
	add(b, "  ", e.Family)
	add(b, " ", e.Class)
	b.WriteString("  " + quoted(e.Title))
	if len(e.Unknown) > 0 {
		add(b, "  unknown: ", strings.Join(e.Unknown, ", "))
	}
	if len(e.WouldDeny) > 0 {
		add(b, "  would be denied by: ", strings.Join(e.WouldDeny, ", "))
	}
	if len(e.WouldHold) > 0 {
		add(b, "  would be held by: ", strings.Join(e.WouldHold, ", "))
	}
	if len(e.WouldJudge) > 0 {
		add(b, "  would be judged by: ", strings.Join(e.WouldJudge, ", "))
	}
	for _, j := range e.Judges {
		judged(b, &j)
	}
	if e.Masked > 0 {
		add(b, "  masked: ", strconv.Itoa(e.Masked)+" by "+strings.Join(e.MaskedBy, ", "))
	}
	add(b, "  hold ", e.Hold)
	if e.Hold != "" {
		add(b, " until ", e.Deadline)
	}
}

func judged(b *strings.Builder, j *JudgmentEntry) {
	add(b, "  judge ", j.Judge)
	add(b, ": ", j.Outcome)
	if j.Cached {
		b.WriteString(" (as before)")
	}
	for _, said := range []string{j.Reason, j.Error} {
		if said != "" { // a model's words
			b.WriteString(" " + quoted(said))
		}
	}
}

func why(b *strings.Builder, e *Entry) {
	if e.Rule != "" {
		b.WriteString("  rule " + quoted(e.Rule))
	}
	// An allowed action needs no reason on the line; everything else does.
	if e.Outcome != OutcomeAllow {
		add(b, "  ", e.Reason)
	}
	if e.Outcome == OutcomeFailClosed && e.Kind != Decision && e.Kind != HoldEnd {
		b.WriteString("  (fail closed)")
	}
}

// clean makes a value printable and bounds it.
func clean(s string) string {
	if len(s) <= shown && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	var b []byte
	n := 0
	for i, r := range s {
		if n++; n > shown {
			return string(b) + "… (" + strconv.Itoa(len(s)-i) + " more bytes)"
		}
		size := utf8.RuneLen(r)
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			b = fmt.Appendf(b, `\x%02x`, s[i])
		case plain(r) && size > 0:
			b = utf8.AppendRune(b, r)
		case r == '\\':
			b = append(b, `\\`...)
		default:
			q := strconv.AppendQuoteRuneToASCII(nil, r)
			b = append(b, q[1:len(q)-1]...)
		}
	}
	return string(b)
}

// plain characters are shown as they are. unicode.IsPrint leaves out control and format characters (those that turn the
// direction of text are among them) and every space but U+0020; marks are left out because they can be piled up, and what is
// invisible or changes its neighbour because it hides.
func plain(r rune) bool {
	return r != '\\' && unicode.IsPrint(r) && !unicode.In(r, unicode.Mn, unicode.Me, unicode.Variation_Selector) &&
		!slices.Contains(blanks, r)
}

// blanks are letters and symbols that show as nothing.
var blanks = []rune{0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0}
