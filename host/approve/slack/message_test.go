package slack

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/approve"
)

// TestTooLong: what does not fit is counted, and there is nothing to press.
func TestTooLong(t *testing.T) {
	for name, change := range map[string]func(*approve.Status){
		"one long line":       func(h *approve.Status) { h.Fields[1].Text = strings.Repeat("evil ", 20000) },
		"many lines":          func(h *approve.Status) { h.Fields[1].Text = strings.Repeat("\n", 20000) },
		"many marks":          func(h *approve.Status) { h.Fields[1].Text = strings.Repeat("\u202e", 5000) },
		"bytes that are none": func(h *approve.Status) { h.Fields[1].Text = strings.Repeat("\xff", 5000) },
		"a long name":         func(h *approve.Status) { h.Fields[1].Name = strings.Repeat("n", maxAction) },
		"many fields":         func(h *approve.Status) { h.Fields = many(3000) },
		"many empty fields": func(h *approve.Status) {
			h.Fields = many(3000)
			for i := range h.Fields {
				h.Fields[i].Text = ""
			}
		},
		"four bytes each": func(h *approve.Status) { h.Fields[1].Text = strings.Repeat("𝛼", 5000) },
		"the last of them only": func(h *approve.Status) {
			h.Fields = append(many(100), approve.Field{Name: "text", Text: strings.Repeat("x", maxAction)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, h := newStandin(t), held()
			change(&h)
			r := announce(t, s.approver(nil), h)
			p := s.next()
			text := p.all()
			if p.button(actionApprove) != "" || p.button(actionReject) != "" || !strings.Contains(text, "sallyport holds show h7") || !strings.Contains(text, "bytes of this are not shown") {
				t.Errorf("%.2000s", text)
			}
			r.end(approve.Ending{Outcome: approve.Expired})
			if u := s.next(); u.button(actionLate) != "" {
				t.Error("a retry can be approved unread")
			}
			r.wait(t)
		})
	}
}

func many(n int) []approve.Field {
	var fields []approve.Field
	for i := range n {
		fields = append(fields, approve.Field{Name: fmt.Sprint("f", i), Text: "value"})
	}
	return fields
}

// TestFits: what just fits has its buttons, and loses nothing. The benign twin of TestTooLong.
func TestFits(t *testing.T) {
	for name, text := range map[string]string{
		"short": "select 1", "empty": "", "long lines": strings.Repeat(strings.Repeat("x", 2900)+"\n", 3) + "end", "wide": strings.Repeat("ä", 4000), "lines": strings.Repeat("a\n", 1000),
	} {
		h := held()
		h.Fields = []approve.Field{{Name: "text", Text: text}}
		m := newMessage("chat", &h, true)
		if m.missing != 0 || len(m.buttons(approve.Ending{})) != 2 {
			t.Errorf("%s: %d bytes missing", name, m.missing)
		}
		var shown strings.Builder
		for _, part := range m.action {
			if len(part) > maxSection {
				t.Errorf("%s: a part of %d bytes", name, len(part))
			}
			shown.WriteString(part)
		}
		// Without the marks it is what was to be shown.
		got := strings.ReplaceAll(shown.String(), "\n"+markRest, "")
		got = strings.ReplaceAll(got, "\n"+markLine, "\n")
		if want := markField + "title: " + h.Title + "\n" + markField + "text: " + text + "\n"; got != want {
			t.Errorf("%s: shown %.300q", name, got)
		}
	}
}

// TestManyRules: a hold of many rules still fits.
func TestManyRules(t *testing.T) {
	s, h := newStandin(t), held()
	for i := range 60 {
		h.Needs = append(h.Needs, approve.Need{Rule: fmt.Sprint(i, strings.Repeat("r", 120)), Reason: strings.Repeat("w", 500), Approvals: 2})
		h.Votes = append(h.Votes, approve.Cast{Approver: "other", By: strings.Repeat("v", 200), Approve: true})
	}
	r := announce(t, s.approver(nil), h)
	p := s.next()
	if !strings.Contains(p.all(), "more rules") || p.button(actionApprove) == "" {
		t.Errorf("%s", p.all())
	}
	r.end(approve.Ending{Outcome: approve.Expired})
	s.next()
	r.wait(t)
}

// FuzzMessage: whatever a statement says, the message keeps Slack's limits, and buttons are there only when all of it is.
func FuzzMessage(f *testing.F) {
	f.Add("delete from t", "title", 1)
	f.Add(strings.Repeat("\n", 5000), "\xff", 3)
	f.Add(strings.Repeat("\u202e𝛼", 900), "│ x", 2)
	f.Fuzz(func(t *testing.T, text, title string, n int) {
		h := held()
		h.Title, h.Fields = title, nil
		for range min(max(n, 0), 20) {
			h.Fields = append(h.Fields, approve.Field{Name: "text", Text: text})
		}
		m := newMessage("chat", &h, true)
		if len(m.action) > 40 || (len(m.buttons(approve.Ending{})) > 0) != (m.missing == 0) || m.missing > m.total {
			t.Fatalf("%d parts, %d of %d missing", len(m.action), m.missing, m.total)
		}
		for _, part := range m.action {
			if len(part) > maxSection || strings.ContainsRune(part, '\u202e') {
				t.Fatalf("part %q", part)
			}
			for line := range strings.Lines(part) {
				if !strings.HasPrefix(line, markField) && !strings.HasPrefix(line, markLine) && !strings.HasPrefix(line, markRest) {
					t.Fatalf("a line without a mark: %q", line)
				}
			}
		}
	})
}
