package slack

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	slackapi "github.com/slack-go/slack"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/show"
)

// Slack's limits: 3,000 characters in the text of a section, 150 in a header, 50 blocks in a message. Here is counted in bytes, of which no
// character has less than one, and some room is left.
const (
	maxSection = 2800
	maxHeader  = 140
	maxNeeds   = 8
	// maxAction is how much of an action is shown in one message, marks included.
	maxAction = 12 << 10
)

// The marks before the lines of what the agent wants.
const (
	markField = "│ "
	markLine  = "┆ "
	markRest  = "┊ "
)

// message is what is shown of one hold.
type message struct {
	approver string
	h        *approve.Status
	votes    []approve.Cast
	// action is what the agent wants, in pieces of one section each. missing counts the bytes that are not in it, of total.
	action         []string
	missing, total int
	// late says that the hold can be approved after its end, over that it was over before it was approved.
	late, over bool
}

// newMessage makes the message of a hold. late says that it can be approved after its end, if an approval can become a grant at all.
func newMessage(approver string, h *approve.Status, late bool) *message {
	m := &message{approver: approver, h: h, votes: h.Votes, late: late && h.Grantable}
	m.write()
	return m
}

// write makes the action's text, as much as there is room for.
func (m *message) write() {
	room := maxAction
	var b strings.Builder
	add := func(name, text string) {
		m.total += len(name) + len(text)
		head := show.Line(name) + ": "
		if len(head)+len(markField) >= room {
			m.missing += len(name) + len(text)
			return
		}
		for n := room; ; {
			shown, missing := show.CutText(text, n)
			lines := quoted(head + shown)
			if over := len(lines) - room; over > 0 && n > 0 {
				n = max(0, min(n, len(shown))-over)
				continue
			} else if over > 0 {
				m.missing += len(name) + len(text)
				return
			}
			b.WriteString(lines)
			room -= len(lines)
			m.missing += missing
			return
		}
	}
	add("title", m.h.Title)
	for _, f := range m.h.Fields {
		add(f.Name, f.Text)
	}
	m.action = sections(b.String())
}

// quoted puts the marks before the lines of a field.
func quoted(text string) string {
	return markField + strings.ReplaceAll(text, "\n", "\n"+markLine) + "\n"
}

// sections splits marked lines into pieces that fit a section each.
func sections(text string) []string {
	var all []string
	var b strings.Builder
	for line := range strings.Lines(text) {
		for line != "" {
			piece := line
			if len(piece) > maxSection {
				n := maxSection - len(markRest)
				for !utf8.RuneStart(piece[n]) {
					n--
				}
				piece = line[:n] + "\n"
				line = markRest + line[n:]
			} else {
				line = ""
			}
			if b.Len()+len(piece) > maxSection {
				all = append(all, b.String())
				b.Reset()
			}
			b.WriteString(piece)
		}
	}
	if b.Len() > 0 {
		all = append(all, b.String())
	}
	return all
}

// options returns the message as it is to be posted. An ending without an outcome: the hold is open.
func (m *message) options(e approve.Ending) []slackapi.MsgOption {
	h := m.h
	// Notifications show this text, in which Slack looks for formatting: nothing of the agent is in it.
	text := fmt.Sprintf("Held: %s at %s, for %s", show.Line(h.Class), show.Line(h.Endpoint), show.Line(h.Peer))
	if e.Outcome != "" {
		text = fmt.Sprintf("%s: %s at %s, for %s", m.outcome(e), show.Line(h.Class), show.Line(h.Endpoint), show.Line(h.Peer))
	}
	return []slackapi.MsgOption{
		slackapi.MsgOptionText(text, true), slackapi.MsgOptionBlocks(m.blocks(e)...),
		slackapi.MsgOptionDisableLinkUnfurl(), slackapi.MsgOptionDisableMediaUnfurl(),
	}
}

func (m *message) blocks(e approve.Ending) []slackapi.Block {
	h := m.h
	title, _ := show.CutLine(h.Class+" at "+h.Endpoint, maxHeader-20)
	head := "Held: "
	if e.Outcome != "" {
		head = m.outcome(e) + ": "
	}
	blocks := []slackapi.Block{slackapi.NewHeaderBlock(plainText(head + title)), section(m.who())}
	for _, part := range m.action {
		blocks = append(blocks, section(part))
	}
	blocks = append(blocks, section(m.rules()))
	if m.missing > 0 {
		blocks = append(blocks, section(fmt.Sprintf("%d of %d bytes of this are not shown, because Slack has no room for them. It cannot be decided here. To read all of it and decide, run:\nsallyport holds show %s",
			m.missing, m.total, show.Line(h.ID))))
	}
	if text := m.ending(e); text != "" {
		blocks = append(blocks, slackapi.NewSectionBlock(slackapi.NewTextBlockObject(slackapi.MarkdownType, text, false, true), nil, nil, slackapi.SectionBlockOptionExpand(true)))
	}
	blocks = append(blocks, slackapi.NewContextBlock("", slackapi.NewTextBlockObject(slackapi.MarkdownType, m.ids(), false, true)))
	if buttons := m.buttons(e); len(buttons) > 0 {
		blocks = append(blocks, slackapi.NewActionBlock(blockID, buttons...))
	}
	return blocks
}

// who says who asks, and where.
func (m *message) who() string {
	h := m.h
	text := fmt.Sprintf("%s (profile %s) wants to do this at %s", h.Peer, h.Profile, h.Endpoint)
	if h.Credential != "" {
		text += ", logged in as " + h.Credential
	}
	text, _ = show.CutLine(text, maxSection)
	return text
}

// rules says which rules hold the action, and how many have approved.
func (m *message) rules() string {
	var b strings.Builder
	for i, n := range m.h.Needs {
		if i == maxNeeds {
			fmt.Fprintf(&b, "and %d more rules; sallyport holds show %s names them\n", len(m.h.Needs)-i, show.Line(m.h.ID))
			break
		}
		line := "Held by the rule: " + n.Rule
		if n.Reason != "" {
			line += " (" + n.Reason + ")"
		}
		line, _ = show.CutLine(line, 300)
		if n.Approvals > 1 {
			line += fmt.Sprintf("; %d must approve", n.Approvals)
		}
		fmt.Fprintln(&b, line)
	}
	for _, v := range m.votes {
		word := "rejected"
		if v.Approve {
			word = "approved"
		}
		line, _ := show.CutLine(fmt.Sprintf("So far %s by %s (%s)", word, v.By, v.Approver), 200)
		if b.Len()+len(line) < maxSection {
			fmt.Fprintln(&b, line)
		}
	}
	if b.Len() == 0 {
		return "Held."
	}
	return b.String()
}

// ids says what the hold is called. Nothing of the agent is in it.
func (m *message) ids() string {
	h := m.h
	until := fmt.Sprintf("<!date^%d^{date_short_pretty} {time_secs}|%s>", h.Deadline.Unix(), h.Deadline.UTC().Format(time.RFC3339))
	text := fmt.Sprintf("hold %s · digest %.16s", escape(h.ID), escape(h.Digest))
	if h.Detached {
		return text + " · nobody waits: an approval lets the same through once, when it is tried again · to be decided until " + until
	}
	return text + " · the agent waits until " + until
}

// outcome is the first word of a message about a hold that is over.
func (m *message) outcome(e approve.Ending) string {
	switch {
	case e.Outcome == approve.Approved && !m.over:
		return "Approved"
	case e.Outcome == approve.Rejected:
		return "Rejected"
	case e.Granted:
		return "Approved late"
	case e.Outcome == approve.Expired:
		return "Expired"
	}
	return "Withdrawn"
}

var userID = regexp.MustCompile(`^[UW][A-Z0-9]{1,31}$`)

// ending says in Slack's markup how the hold ended; empty while it is open.
func (m *message) ending(e approve.Ending) string {
	if e.Outcome == "" {
		return ""
	}
	text := "*" + m.outcome(e) + "*"
	for i, by := range e.By {
		if i == 0 {
			text += " by "
		} else {
			text += ", "
		}
		// Who pressed a button here is shown by the name that Slack has.
		if id, ours := strings.CutSuffix(by, " ("+m.approver+")"); ours && userID.MatchString(id) {
			text += "<@" + id + ">"
			continue
		}
		by, _ = show.CutLine(by, 100)
		text += escape(by)
	}
	if e.Reason != "" {
		reason, _ := show.CutLine(e.Reason, 600)
		text += ": " + escape(reason)
	}
	switch {
	case e.Granted && e.Outcome == approve.Approved && !m.h.Detached && !m.over:
		text += "\nIt goes on, and the same may be done again for a while."
	case e.Granted:
		text += "\nNothing was executed. The same peer may do exactly this once more when it tries again, for a while."
	case m.canGrant(e):
		text += "\nNothing was executed. It can still be approved: then the same peer may do exactly this when it tries again."
	case e.Outcome == approve.Expired, e.Outcome == approve.Withdrawn:
		text += "\nNothing was executed."
	}
	return text
}

// canGrant reports whether a hold that is over can still be approved.
func (m *message) canGrant(e approve.Ending) bool {
	return m.late && m.missing == 0 && !e.Granted && (e.Outcome == approve.Expired || e.Outcome == approve.Withdrawn)
}

// The buttons and the block that they are in.
const (
	blockID       = "sallyport_hold"
	actionApprove = "sallyport_approve"
	actionReject  = "sallyport_reject"
	actionLate    = "sallyport_late" // approves what is over
)

// buttons are those that the message has; none where the text is not all there, or nothing can be decided.
func (m *message) buttons(e approve.Ending) []slackapi.BlockElement {
	value := strings.Join([]string{m.approver, m.h.ID, m.h.Digest}, " ")
	switch {
	case m.missing > 0:
		return nil
	case m.canGrant(e):
		return []slackapi.BlockElement{slackapi.NewButtonBlockElement(actionLate, value, plainText("Approve a retry"))}
	case e.Outcome != "":
		return nil
	}
	return []slackapi.BlockElement{
		slackapi.NewButtonBlockElement(actionApprove, value, plainText("Approve")).WithStyle(slackapi.StylePrimary),
		slackapi.NewButtonBlockElement(actionReject, value, plainText("Reject")).WithStyle(slackapi.StyleDanger),
	}
}

func plainText(s string) *slackapi.TextBlockObject {
	return slackapi.NewTextBlockObject(slackapi.PlainTextType, s, false, false)
}

// section is a block of plain text, which Slack shows as it is.
func section(s string) slackapi.Block {
	return slackapi.NewSectionBlock(plainText(s), nil, nil, slackapi.SectionBlockOptionExpand(true))
}

// escape keeps a text from being Slack's markup: the three characters that its documentation names, and those of formatting.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "∗", "_", "ˍ", "~", "∼", "`", "ˋ").Replace(s)
}
