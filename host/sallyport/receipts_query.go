package main

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/receipt/export"
)

// filter is a receipt.Filter as flags.
type filter struct {
	receipt.Filter
	since, until string
}

const filterHelp = `A flag that is given several times, or with commas, finds any of its values; different flags must all fit. Times are RFC 3339
(2026-11-22T14:00:00Z), a date or a date and a time of this machine's zone (2026-11-22, "2026-11-22 14:00"), or so long ago (90m, 24h).`

func (f *filter) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.since, "since", "", "not before this `TIME`")
	c.Flags().StringVar(&f.until, "until", "", "before this `TIME`")
	for _, w := range []struct {
		name  string
		into  *[]string
		usage string
	}{
		{"peer", &f.Peer, "of this peer, by `NAME`"},
		{"endpoint", &f.Endpoint, "of this endpoint, by `NAME`"},
		{"class", &f.Class, "about actions of this `CLASS`: read, write, …"},
		{"outcome", &f.Outcome, "with this `OUTCOME`: deny, held, …"},
		{"conn", &f.Conn, "of this connection, by its `ID`"},
		{"hold", &f.Hold, "of this hold, by its `ID`: that it was held, how it ended, uses of its grant"},
		{"kind", &f.Kind, "of this `KIND`: decision, hold_end, note, end, …"},
	} {
		c.Flags().StringSliceVar(w.into, w.name, nil, w.usage)
	}
	// The names of rules may have commas.
	c.Flags().StringArrayVar(&f.Rule, "rule", nil, "by this rule, by its `NAME`")
}

// resolve checks the flags.
func (f *filter) resolve(now time.Time) error {
	for _, t := range []struct {
		name, text string
		into       *time.Time
	}{{"since", f.since, &f.Since}, {"until", f.until, &f.Until}} {
		if t.text == "" {
			continue
		}
		at, err := parseTime(t.text, now)
		if err != nil {
			return usageError{fmt.Errorf("--%s: %w", t.name, err)}
		}
		*t.into = at
	}
	for _, o := range f.Outcome {
		if all := receipt.Outcomes(); !slices.Contains(all, receipt.Outcome(o)) {
			return usageError{fmt.Errorf("--outcome: there is no outcome %q; there are %s", o, strings.Trim(fmt.Sprint(all), "[]"))}
		}
	}
	return nil
}

// parseTime reads a time, or how long ago it was.
func parseTime(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.DateTime} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write one such as 2026-11-22T14:00:00Z, 2026-11-22, or 24h for a day ago", s)
}

func newQuery() *cobra.Command {
	var from source
	var f filter
	var asJSON bool
	c := &cobra.Command{
		Use:   "query",
		Short: "Find receipts by time, peer, endpoint, class, outcome, rule, connection or hold",
		Long:  "Finds receipts, the oldest first, in all files. " + filterHelp + "\n\n" + exitCodes,
		Example: `  sallyport receipts query --since 24h --outcome deny,fail_closed
  sallyport receipts query --peer claude --class delete --json | jq .fields.text
  sallyport receipts query --hold h-4kq2`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.resolve(time.Now()); err != nil {
				return err
			}
			path, single, err := from.path()
			if err != nil {
				return err
			}
			return showRecords(cmd, receipt.Read(path, receipt.ReadOptions{Older: !single, Filter: &f.Filter}), asJSON)
		},
	}
	from.flags(c)
	f.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print the records as they are stored")
	return c
}

func newExport() *cobra.Command {
	var from source
	var f filter
	var format string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write receipts as OCSF events or OpenTelemetry logs",
		Long: `Writes receipts in the format of others, one JSON object on a line: 'ocsf' (events of the Open Cybersecurity Schema Framework) or
'otel' (OpenTelemetry logs, OTLP in JSON). Records that the log writes about itself are left out. ` + filterHelp + "\n\n" + exitCodes,
		Example: `  sallyport receipts export --format ocsf --since 24h > events.jsonl
  sallyport receipts export --format otel --outcome deny > logs.jsonl`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.resolve(time.Now()); err != nil {
				return err
			}
			write, err := export.ByName(format, version)
			if err != nil {
				return usageError{fmt.Errorf("--format: %w", err)}
			}
			path, single, err := from.path()
			if err != nil {
				return err
			}
			return exportAll(cmd, path, receipt.ReadOptions{Older: !single, Filter: &f.Filter}, write)
		},
	}
	from.flags(c)
	f.flags(c)
	c.Flags().StringVar(&format, "format", "ocsf", "`FORMAT`: "+strings.Join(export.Formats(), " or "))
	return c
}

func exportAll(cmd *cobra.Command, path string, o receipt.ReadOptions, write export.Format) error {
	out := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
	failed := false
	for e, err := range receipt.Read(path, o) {
		if err != nil { // a line that cannot be read does not hide those behind it
			failed = true
			fmt.Fprintf(cmd.ErrOrStderr(), "sallyport: %v\n", err)
			continue
		}
		if err := write(out, e); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if failed {
		return status(exitFailure)
	}
	return nil
}
