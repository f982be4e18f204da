package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/approve/show"
	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/host/trial"
)

func newTest() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "test CONFIG CASES",
		Short: "Check what a configuration makes of actions against what is expected",
		Long: `Decides about each case of CASES by CONFIG, and compares with the outcome, and the rule if there is one, that the case expects.
CASES is TOML, or JSON if its name ends in .json or .jsonl; receipts, as 'sallyport receipts tail --json' prints them, are cases that
expect what was decided. A field that a case does not name is unknown. No judge is asked:
what judges are assumed to answer a case says by judges = "allow", "deny", "escalate" or "failed". No secret is read, nothing is connected to.

Exit status: 0 every case has the outcome that it expects; 1 some have not; 2 the configuration or the cases cannot be read.`,
		Example: `  sallyport test sallyport.toml cases.toml`,
		Args:    twoArgs("CONFIG", "CASES"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := testCases(cmd, args[0], args[1], asJSON)
			if _, ok := err.(status); err != nil && !ok {
				return cannotRun(cmd, err)
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object instead of lines")
	return c
}

// cannotRun prints an error and has the status of one that kept a test from being made.
func cannotRun(cmd *cobra.Command, err error) error {
	out := cmd.ErrOrStderr()
	if problems, ok := err.(config.Problems); ok {
		for _, p := range problems {
			fmt.Fprintln(out, p)
		}
		fmt.Fprintf(out, "sallyport: problems in the configuration: %d, see above\n", len(problems))
	} else {
		fmt.Fprintf(out, "sallyport: %v\n", err)
	}
	return status(exitUsage)
}

// caseReport is what came of a case.
type caseReport struct {
	Case    string   `json:"case"`
	Name    string   `json:"name,omitempty"`
	OK      bool     `json:"ok"`
	Want    string   `json:"want"`
	Rule    string   `json:"want_rule,omitempty"`
	Got     string   `json:"got"`
	GotRule string   `json:"got_rule,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Unknown []string `json:"unknown,omitempty"`
}

func testCases(cmd *cobra.Command, path, file string, asJSON bool) error {
	cases, err := trial.ReadFile(file)
	if err != nil {
		return err
	}
	return withPolicy(cmd, path, func(_ *config.Config, a *gateway.Assembly) error {
		reports := []caseReport{}
		failed := 0
		for i := range cases {
			r, err := testCase(a, &cases[i])
			if err != nil {
				return fmt.Errorf("%s: %w", cases[i].Where, err)
			}
			if !r.OK {
				failed++
			}
			reports = append(reports, r)
		}
		if asJSON {
			if err := writeJSON(cmd.OutOrStdout(), map[string]any{"ok": failed == 0, "cases": reports}); err != nil {
				return err
			}
		} else {
			printCases(cmd, reports, failed)
		}
		if failed > 0 {
			return status(exitFailure)
		}
		return nil
	})
}

func testCase(a *gateway.Assembly, c *trial.Action) (caseReport, error) {
	if c.Outcome == "" {
		return caseReport{}, fmt.Errorf(`it says no outcome; write outcome = "allow", "judge", "hold" or "deny"`)
	}
	result, err := a.Try(c)
	if err != nil {
		return caseReport{}, err
	}
	v := &result.Verdict
	r := caseReport{Case: c.Where, Name: c.Name, Want: c.Outcome, Rule: c.Rule, Got: v.Word(), GotRule: v.Rule, Reason: v.Reason, Unknown: v.Unknown}
	r.OK = r.Got == r.Want && (r.Rule == "" || r.Rule == r.GotRule)
	if !r.OK && r.Got == r.Want { // another rule that held it as well
		for _, h := range slices.Concat(v.Holds, v.Judges) {
			r.OK = r.OK || h.Rule == r.Rule
		}
	}
	return r, nil
}

func printCases(cmd *cobra.Command, reports []caseReport, failed int) {
	out := cmd.OutOrStdout()
	by := func(rule string) string {
		if rule == "" {
			return ""
		}
		return fmt.Sprintf(" by %q", rule)
	}
	for _, r := range reports {
		if r.OK {
			continue
		}
		name := ""
		if r.Name != "" {
			name = " (" + show.Line(r.Name) + ")"
		}
		fmt.Fprintf(out, "%s%s: want %s%s, got %s%s: %s\n", r.Case, name, r.Want, by(r.Rule), r.Got, by(r.GotRule), r.Reason)
		if len(r.Unknown) > 0 {
			fmt.Fprintf(out, "  unknown, and it mattered: %s\n", strings.Join(r.Unknown, ", "))
		}
	}
	fmt.Fprintf(out, "cases: %d, as expected: %d, not: %d\n", len(reports), len(reports)-failed, failed)
}
