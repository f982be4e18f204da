package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/approve/show"
	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/trial"
)

func newDiff() *cobra.Command {
	var asJSON bool
	var receipts string
	c := &cobra.Command{
		Use:   "diff OLD NEW --receipts FILE|DIR",
		Short: "Replay past actions through two configurations and list what flips",
		Long: `Replays the decisions on record through the configurations OLD and NEW, and lists what they do not agree about: what was denied and
passes now first. Both decide anew, so what was on record as allowed may be denied by both. What a receipt does not hold, because it was
too long or because receipts.text kept it out, is unknown in both; so are usage limits. No secret is read, nothing is connected to.

Exit status: 0 nothing flips; 1 something does; 2 the configurations or the receipts cannot be read.`,
		Example: `  sallyport diff /etc/sallyport/sallyport.toml new.toml --receipts /var/lib/sallyport
  sallyport diff old.toml new.toml --receipts receipts.jsonl --json | jq '.flips[] | select(.new == "allow")'`,
		Args: twoArgs("OLD", "NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if receipts == "" {
				return usageError{errors.New("--receipts FILE|DIR is needed")}
			}
			report, err := diff(cmd, args[0], args[1], receipts)
			if err != nil {
				return cannotRun(cmd, err)
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), report)
			} else {
				printReport(cmd.OutOrStdout(), report)
			}
			if err == nil && len(report.Flips) > 0 {
				err = status(exitFailure)
			}
			return err
		},
	}
	c.Flags().StringVar(&receipts, "receipts", "", "a `FILE` of receipts, or a folder with such files")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object instead of lines")
	return c
}

func diff(cmd *cobra.Command, before, after, receipts string) (report *trial.Report, err error) {
	err = withPolicy(cmd, before, func(_ *config.Config, old *gateway.Assembly) error {
		return withPolicy(cmd, after, func(_ *config.Config, next *gateway.Assembly) error {
			report, err = trial.Compare(trial.Receipts(receipts, receipt.ReadOptions{}), old, next)
			return err
		})
	})
	return report, err
}

// printReport lists flips by what they are.
func printReport(out io.Writer, r *trial.Report) {
	kind := ""
	for i := range r.Flips {
		f := &r.Flips[i]
		if k := flipKind(f); k != kind {
			kind = k
			fmt.Fprintf(out, "%s:\n", kind)
		}
		fmt.Fprintf(out, "  %s\n", flipLine(f))
	}
	if r.More > 0 {
		fmt.Fprintf(out, "more that are not listed: %d\n", r.More)
	}
	flipped, passing, unseen := r.More, 0, 0
	for i := range r.Flips {
		f := &r.Flips[i]
		if f.Old != f.New {
			flipped += f.Count
		}
		if f.Passes() {
			passing += f.Count
		}
		if len(f.Unseen) > 0 {
			unseen += f.Count
		}
	}
	fmt.Fprintf(out, "actions replayed: %d, with another outcome: %d, of which pass now: %d\n", r.Actions, flipped, passing)
	if unseen > 0 {
		fmt.Fprintf(out, "answers that are no longer looked at as before: %d\n", unseen)
	}
	if r.Unsure > 0 {
		fmt.Fprintf(out, "outcomes that depend on what is not on record, which counts against the agent: %d\n", r.Unsure)
	}
	if r.Skipped > 0 {
		fmt.Fprintf(out, "left out because neither configuration can have them: %d\n", r.Skipped)
	}
}

// quotedList names rules.
func quotedList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	return strings.Join(quoted, ", ")
}

// flipKind is the heading that a flip stands under.
func flipKind(f *trial.Flip) string {
	if f.Old == f.New {
		return f.Old + ", with other rules that look at the answer"
	}
	return f.Old + " to " + f.New
}

// flipLine says what flips, how often and by which rules.
func flipLine(f *trial.Flip) string {
	var b strings.Builder
	if f.Count > 1 {
		b.WriteString(strconv.Itoa(f.Count) + " × ")
	}
	fmt.Fprintf(&b, "%s at %s: %s (%s)", f.Peer, f.Endpoint, f.Title, f.Class)
	for _, rule := range []struct{ word, name string }{{"was", f.OldRule}, {"now", f.NewRule}} {
		if rule.name != "" {
			fmt.Fprintf(&b, ", %s by %q", rule.word, rule.name)
		} else {
			fmt.Fprintf(&b, ", %s by no rule", rule.word)
		}
	}
	if len(f.Unseen) > 0 {
		fmt.Fprintf(&b, "; its answer is no longer looked at as by %s", quotedList(f.Unseen))
	}
	if len(f.Seen) > 0 {
		fmt.Fprintf(&b, "; its answer is looked at by %s", quotedList(f.Seen))
	}
	if len(f.Unknown) > 0 {
		fmt.Fprintf(&b, "; not on record: %s", strings.Join(f.Unknown, ", "))
	}
	fmt.Fprintf(&b, ", receipt %s", f.Receipt)
	return show.Line(b.String())
}
