package trial

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/receipt"
)

// Result is what a configuration makes of an action.
type Result struct {
	Verdict decide.Verdict
	// Accounts are what each rule made of it, when that was asked for.
	Accounts []decide.Account
	// Inspections are the rules that look at its answer, where it may get one.
	Inspections []Inspection
}

// Inspection is a rule that looks at answers. Two with the same Contents look in the same way.
type Inspection struct{ Rule, Contents string }

// Word is the outcome in one word.
func (r *Result) Word() string { return r.Verdict.Word() }

// Policy tries actions.
type Policy interface {
	Try(a *Action) (Result, error)
}

// Flip is what two configurations do not agree about. Actions of one kind that flip in one way are one flip.
type Flip struct {
	Endpoint string `json:"endpoint"`
	Peer     string `json:"peer"`
	Family   string `json:"family"`
	Class    string `json:"class"`
	Title    string `json:"title"`
	// Old and New are outcomes: allow, judge, hold, deny, would_judge, would_hold, would_deny. Rules are empty where none decided.
	Old     string `json:"old"`
	New     string `json:"new"`
	OldRule string `json:"old_rule,omitempty"`
	NewRule string `json:"new_rule,omitempty"`
	// Unseen are the rules of the old configuration that look at the action's answer, and of which the new one has no equal; Seen those of the new one that
	// the old one has no equal of. Empty where one of both denies the action.
	Unseen []string `json:"unseen,omitempty"`
	Seen   []string `json:"seen,omitempty"`
	// Unknown names what was not on record and mattered to one of both: the true action may have had another outcome.
	Unknown []string `json:"unknown,omitempty"`
	// Count is how many actions, and Receipt the id of the last of them.
	Count   int    `json:"count"`
	Receipt string `json:"receipt"`
}

// Loosens says that the new configuration lets the action pass and the old one did not, or its answer without a look that the old one takes. Which of two
// looks is the stricter one nobody can say in general, so one that has changed counts.
func (f *Flip) Loosens() bool { return f.Passes() || len(f.Unseen) > 0 }

// Passes says that the new configuration lets the action pass and the old one did not.
func (f *Flip) Passes() bool { return severity(f.New) == 0 && severity(f.Old) > 0 }

func severity(word string) int { return map[string]int{"judge": 1, "hold": 2, "deny": 3}[word] }

// rank orders flips: what passes now first, then what was denied or held and is less strict, then what has become stricter.
func (f *Flip) rank() int {
	old, next := severity(f.Old), severity(f.New)
	switch {
	case f.Passes():
		return 3 - old
	case next < old, f.Loosens():
		return 4
	}
	return 5 + next
}

// Report is what replaying actions through two configurations has shown.
type Report struct {
	// Actions were replayed. Skipped could not be, because neither configuration has their endpoint.
	Actions int `json:"actions"`
	Skipped int `json:"skipped"`
	// Unsure is how many have an outcome, in either configuration, that depends on what is not on record.
	Unsure int `json:"unsure"`
	// Flips are what the configurations do not agree about, what passes now first. More were left out.
	Flips []Flip `json:"flips"`
	More  int    `json:"more"`
}

// Loosening is how many actions are less strictly held to something than before: they pass and did not, or their answers do.
func (r *Report) Loosening() (n int) {
	for i := range r.Flips {
		if r.Flips[i].Loosens() {
			n += r.Flips[i].Count
		}
	}
	return n
}

// Limit shortens the list to n flips.
func (r *Report) Limit(n int) {
	if len(r.Flips) <= n {
		return
	}
	for i := range r.Flips[n:] {
		r.More += r.Flips[n+i].Count
	}
	r.Flips = r.Flips[:n]
}

// maxFlips bounds the kinds of flips that a report lists. Past it only what loosens makes room for itself.
const maxFlips = 5000

type flipKey struct{ endpoint, peer, family, class, title, old, new, oldRule, newRule, unseen, seen string }

// looks says what of a's inspections b has no equal of.
func looks(a, b *Result) (names []string) {
	for _, i := range a.Inspections {
		if !slices.ContainsFunc(b.Inspections, func(j Inspection) bool { return i.Contents == j.Contents }) && !slices.Contains(names, i.Rule) {
			names = append(names, i.Rule)
		}
	}
	return names
}

// Compare replays actions through two configurations. An error of the sequence ends it.
func Compare(actions iter.Seq2[*Action, error], old, next Policy) (*Report, error) {
	report := &Report{}
	flips := map[flipKey]*Flip{}
	for a, err := range actions {
		if err != nil {
			return nil, err
		}
		was, err1 := old.Try(a)
		is, err2 := next.Try(a)
		if err1 != nil && err2 != nil {
			report.Skipped++
			continue
		}
		report.Actions++
		was, is = orDenied(was, err1), orDenied(is, err2)
		unknown := slices.Compact(slices.Sorted(slices.Values(slices.Concat(was.Verdict.Unknown, is.Verdict.Unknown))))
		if len(unknown) > 0 {
			report.Unsure++
		}
		f := Flip{Endpoint: a.Endpoint, Peer: a.Peer, Family: a.Family, Class: a.Class, Title: a.Title, Old: was.Word(), New: is.Word(),
			OldRule: was.Verdict.Rule, NewRule: is.Verdict.Rule, Unknown: unknown, Count: 1, Receipt: a.Name}
		if was.Verdict.Outcome != decide.Deny && is.Verdict.Outcome != decide.Deny {
			f.Unseen, f.Seen = looks(&was, &is), looks(&is, &was)
		}
		if severity(f.Old) == severity(f.New) && f.Unseen == nil && f.Seen == nil {
			continue
		}
		key := flipKey{a.Endpoint, a.Peer, a.Family, a.Class, a.Title, f.Old, f.New, f.OldRule, f.NewRule, strings.Join(f.Unseen, "\x00"), strings.Join(f.Seen, "\x00")}
		switch have := flips[key]; {
		case have != nil:
			have.Count++
			have.Receipt = a.Name
		case len(flips) < maxFlips || f.Loosens() && len(flips) < 2*maxFlips:
			flips[key] = &f
		default:
			report.More++
		}
	}
	report.Flips = []Flip{}
	for f := range maps.Values(flips) {
		report.Flips = append(report.Flips, *f)
	}
	slices.SortFunc(report.Flips, func(a, b Flip) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Endpoint, b.Endpoint),
			cmp.Compare(a.Peer, b.Peer), cmp.Compare(a.Title, b.Title), cmp.Compare(a.OldRule, b.OldRule), cmp.Compare(a.NewRule, b.NewRule))
	})
	return report, nil
}

// orDenied is the result, or that the action cannot be there.
func orDenied(r Result, err error) Result {
	if err != nil {
		return Result{Verdict: decide.Verdict{Outcome: decide.Deny, Reason: err.Error()}}
	}
	return r
}

// Receipts yields the decisions that are on record in a file, or in every .jsonl file of a folder in the order of their names, which
// is that of a log that begins new files. What is not a receipt is an error, after which the next line follows.
func Receipts(path string, o receipt.ReadOptions) iter.Seq2[*Action, error] {
	return func(yield func(*Action, error) bool) {
		files, err := recordFiles(path)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, file := range files {
			for e, err := range receipt.Read(file, o) {
				if err != nil {
					if !yield(nil, err) {
						return
					}
					continue
				}
				if a, ok := FromReceipt(e); ok && !yield(a, nil) {
					return
				}
			}
		}
	}
}

func recordFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	var files []string
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasSuffix(e.Name(), ".jsonl") {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	if files == nil {
		return nil, fmt.Errorf("receipts: %s has no file that ends in .jsonl", path)
	}
	return files, nil
}
