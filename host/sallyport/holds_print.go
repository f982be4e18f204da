package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/show"
	"github.com/sallyport-dev/sallyport/host/console"
)

// titleWidth is how much of a title a table has room for, in bytes.
const titleWidth = 64

// printHolds prints a list as a table or as JSON.
func printHolds(out io.Writer, list *console.HoldList, filter approve.Filter, asJSON bool) error {
	if asJSON {
		if list.Holds == nil {
			list.Holds = []approve.Status{}
		}
		return printJSON(out, list.Holds)
	}
	if len(list.Holds) == 0 {
		_, err := fmt.Fprintln(out, cmp.Or(map[approve.State]string{approve.Pending: "nothing waits for a person"}[filter.State], "no such holds"))
		return err
	}
	now := time.Now()
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "HOLD\tSTATE\tPEER\tENDPOINT\tCLASS\tACTION")
	for i := range list.Holds {
		s := &list.Holds[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", show.Line(s.ID), shortState(s, now), show.Line(s.Peer), show.Line(s.Endpoint), show.Line(s.Class), shortLine(s.Title))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if list.LeftOut > 0 {
		fmt.Fprintf(out, "and %d more; --peer and --endpoint show less at once\n", list.LeftOut)
	}
	return nil
}

// shortLine is the beginning of a text, in one line.
func shortLine(s string) string {
	shown, missing := show.CutLine(s, titleWidth)
	if missing > 0 {
		shown += "…"
	}
	return shown
}

// shortState is a hold's state with the time that matters in it.
func shortState(s *approve.Status, now time.Time) string {
	switch {
	case s.State == approve.Pending:
		return "open, " + span(s.Deadline.Sub(now)) + " left"
	case s.Ending.Granted:
		return string(s.State) + ", granted"
	case now.Before(s.Late):
		return string(s.State) + ", late for " + span(s.Late.Sub(now))
	}
	return string(s.State)
}

// span is a duration as people say it.
func span(d time.Duration) string {
	d = max(0, d).Round(time.Second)
	switch {
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return d.String()
}

func moment(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

// terminalWidth is how many columns out has; 0: it is no terminal.
func terminalWidth(out io.Writer) int {
	if f, ok := out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width >= 40 {
			return width
		}
	}
	return 0
}

// fold breaks a line into such of at most width columns, of which all but the first begin with next. Where a terminal would break it,
// what follows would stand at the beginning of a line and could pass for one of this command's.
func fold(line string, width int, next string) string {
	if width == 0 {
		return line
	}
	var b strings.Builder
	column := 0
	for _, r := range line {
		columns := 1
		switch { // as wide as it can be
		case r == '\t':
			columns = 8
		case r >= 0x1100:
			columns = 2
		}
		if column += columns; column > width {
			b.WriteString("\n" + next)
			column = len(next) + columns
		}
		b.WriteRune(r)
	}
	return b.String()
}

// printHold prints one hold with all of its text. Nothing of an agent stands at the beginning of a line, so nothing of it passes for
// one of this command's.
func printHold(out io.Writer, s *approve.Status) {
	width := terminalWidth(out)
	line := func(name, format string, args ...any) {
		fmt.Fprintln(out, fold(fmt.Sprintf("%-10s %s", name, fmt.Sprintf(format, args...)), width, strings.Repeat(" ", 11)))
	}
	line("hold", "%s", show.Line(s.ID))
	line("state", "%s", longState(s))
	line("peer", "%s, profile %s", show.Line(s.Peer), show.Line(s.Profile))
	as := ""
	if s.Credential != "" {
		as = ", as " + show.Line(s.Credential)
	}
	line("endpoint", "%s%s", show.Line(s.Endpoint), as)
	line("action", "%s %s: %s", show.Line(s.Family), show.Line(s.Class), show.Line(s.Title))
	for i := range s.Needs {
		line("rule", "%s", need(&s.Needs[i]))
	}
	for i := range s.Votes {
		line("vote", "%s", vote(&s.Votes[i]))
	}
	switch {
	case s.Detached:
		line("note", "nobody waits for it: an approval is a grant, with which the peer may do exactly this again")
	case !s.Grantable:
		line("note", "something about it is unknown or cut: it can be approved while the agent waits, and not be granted")
	}
	line("digest", "%s", show.Line(s.Digest))
	marked := show.Deceptive(s.Title)
	for _, f := range s.Fields {
		fmt.Fprintf(out, "\n%s:\n", show.Line(f.Name))
		for text := range strings.Lines(show.Text(f.Text)) {
			fmt.Fprintln(out, fold("    "+strings.TrimSuffix(text, "\n"), width, "  > "))
		}
		marked = marked || show.Deceptive(f.Text)
	}
	if marked {
		fmt.Fprintln(out, "\nLook closely: what is in ⟨ ⟩ cannot be seen in the original, or looks like something else.")
	}
}

func longState(s *approve.Status) string {
	e := &s.Ending
	switch {
	case s.State == approve.Pending:
		return fmt.Sprintf("open until %s, %s left", moment(s.Deadline), span(time.Until(s.Deadline)))
	case e.Granted:
		return fmt.Sprintf("%s %s; granted %s", s.State, ended(e), grantedFor(e.GrantUses, e.GrantUntil))
	case time.Now().Before(s.Late):
		return fmt.Sprintf("%s %s; until %s an approval becomes a grant", s.State, ended(e), moment(s.Late))
	}
	return fmt.Sprintf("%s %s", s.State, ended(e))
}

// ended says when, by whom and why.
func ended(e *approve.Ending) string {
	text := moment(e.At)
	if len(e.By) > 0 {
		text += " by " + show.Line(strings.Join(e.By, ", "))
	}
	if e.Reason != "" {
		text += ": " + show.Line(e.Reason)
	}
	return text
}

func grantedFor(uses int, until time.Time) string {
	switch uses {
	case 0:
		return "for any number of times until " + moment(until)
	case 1:
		return "once, until " + moment(until)
	}
	return fmt.Sprintf("%d times, until %s", uses, moment(until))
}

func need(n *approve.Need) string {
	text := show.Line(n.Rule)
	if n.Reason != "" {
		text += ": " + show.Line(n.Reason)
	}
	who := "any approver"
	if len(n.Approvers) > 0 {
		who = show.Line(strings.Join(n.Approvers, ", "))
	}
	text += fmt.Sprintf(" (%d of %d approvals, by %s or the operator", n.Given, n.Approvals, who)
	if n.NotRequester {
		text += ", not by who asks"
	}
	return text + ")"
}

func vote(c *approve.Cast) string {
	who := c.Approver
	if c.By != "" {
		who = c.By + " (" + c.Approver + ")"
	}
	word := "rejects"
	if c.Approve {
		word = "approves"
	}
	text := fmt.Sprintf("%s %s, %s", show.Line(who), word, moment(c.At))
	if c.Reason != "" {
		text += ": " + show.Line(c.Reason)
	}
	return text
}

// consequence says what has come of the operator's vote.
func consequence(s *approve.Status) string {
	e := &s.Ending
	switch {
	case s.State == approve.Pending:
		var missing []string
		for i := range s.Needs {
			if n := &s.Needs[i]; n.Given < n.Approvals {
				missing = append(missing, need(n))
			}
		}
		return "counted; it still waits for " + strings.Join(missing, " and ")
	case s.State == approve.Rejected:
		return "rejected"
	case s.State == approve.Withdrawn && !e.Granted:
		return "nothing was executed, and it cannot be granted: " + show.Line(e.Reason)
	case s.State == approve.Withdrawn:
		return "nothing was executed, the agent has left; the same peer may do exactly this " + grantedFor(e.GrantUses, e.GrantUntil)
	case e.Granted && !e.Executed:
		return "granted: the same peer may do exactly this " + grantedFor(e.GrantUses, e.GrantUntil)
	case e.Granted:
		return "approved, it goes on; besides the same peer may do exactly this " + grantedFor(e.GrantUses, e.GrantUntil)
	}
	return "approved, it goes on"
}

// printGrants prints a table of grants.
func printGrants(out io.Writer, grants []approve.Grant, now time.Time) error {
	if len(grants) == 0 {
		_, err := fmt.Fprintln(out, "there are no grants")
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "HOLD\tLEFT\tUSED\tPEER\tENDPOINT\tBY\tACTION")
	for i := range grants {
		g := &grants[i]
		used := fmt.Sprintf("%d of %d", g.Used, g.Uses)
		if g.Uses == 0 {
			used = fmt.Sprintf("%d times", g.Used)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", show.Line(g.Hold), span(g.Until.Sub(now)), used, show.Line(g.Peer), show.Line(g.Endpoint),
			shortLine(strings.Join(g.By, ", ")), shortLine(g.Title))
	}
	return t.Flush()
}
