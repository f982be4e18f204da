package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/approve/show"
	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/host/trial"
)

func newExplain() *cobra.Command {
	var asJSON, all bool
	var action string
	c := &cobra.Command{
		Use:   "explain CONFIG --action FILE",
		Short: "Say which rules match an action, and why",
		Long: `Decides about the actions of FILE by CONFIG, and says which rules matched, by which values, and what was unknown. FILE is TOML,
or JSON if its name ends in .json or .jsonl; receipts, as 'sallyport receipts tail --json' prints them, are actions. A field that an
action does not name is unknown. No secret is read.

` + exitCodes,
		Example: `  sallyport explain sallyport.toml --action delete.toml
  sallyport receipts tail -n 1 --json >last.json && sallyport explain sallyport.toml --action last.json`,
		Args: oneArg("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if action == "" {
				return usageError{fmt.Errorf("--action FILE is needed")}
			}
			actions, err := trial.ReadFile(action)
			if err != nil {
				return err
			}
			return explain(cmd, args[0], actions, asJSON, all)
		},
	}
	c.Flags().StringVar(&action, "action", "", "the `FILE` with the action")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object for each action, with every rule")
	c.Flags().BoolVar(&all, "all", false, "print the rules that do not match as well")
	return c
}

// explanation is what `explain --json` prints of an action.
type explanation struct {
	Action   string            `json:"action"`
	Endpoint string            `json:"endpoint"`
	Outcome  string            `json:"outcome"`
	Rule     string            `json:"rule,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Holds    []string          `json:"holds,omitempty"`
	Judges   []string          `json:"judges,omitempty"`
	Unknown  []string          `json:"unknown,omitempty"`
	Lost     []string          `json:"lost,omitempty"`
	Rules    []ruleExplanation `json:"rules"`
}

type ruleExplanation struct {
	Name    string `json:"name"`
	Origin  string `json:"origin"`
	Then    string `json:"then"`
	Mode    string `json:"mode"`
	Match   string `json:"match"`
	Counts  bool   `json:"counts"`
	Excused bool   `json:"excused,omitempty"`
	When    string `json:"when"`
	Unless  string `json:"unless,omitempty"`
	// Response is the condition about the answer, of a rule about those.
	Response string            `json:"response,omitempty"`
	Values   map[string]string `json:"values,omitempty"`
	Unknown  []string          `json:"unknown,omitempty"`

	values []decide.NamedValue
}

func explain(cmd *cobra.Command, path string, actions []trial.Action, asJSON, all bool) error {
	return withPolicy(cmd, path, func(_ *config.Config, a *gateway.Assembly) error {
		for i := range actions {
			x, err := explainOne(a, &actions[i])
			switch {
			case err != nil:
				return fmt.Errorf("%s: %w", actions[i].Where, err)
			case asJSON:
				if err := writeJSON(cmd.OutOrStdout(), x); err != nil {
					return err
				}
			default:
				if i > 0 {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				printExplanation(cmd.OutOrStdout(), x, all)
			}
		}
		return nil
	})
}

func explainOne(a *gateway.Assembly, t *trial.Action) (*explanation, error) {
	result, err := a.Explain(t)
	if err != nil {
		return nil, err
	}
	v := &result.Verdict
	x := &explanation{Action: t.String(), Endpoint: t.Endpoint, Outcome: v.Word(), Rule: v.Rule, Reason: v.Reason, Unknown: v.Unknown, Lost: t.Lost, Rules: []ruleExplanation{}}
	for _, h := range v.Holds {
		x.Holds = append(x.Holds, h.Rule)
	}
	rules := a.Rules()
	for _, j := range v.Judges {
		x.Judges = append(x.Judges, rules[j.Index].Judge)
	}
	for _, account := range result.Accounts {
		r := &rules[account.Index]
		e := ruleExplanation{Name: r.Name, Origin: r.Origin, Then: r.Then.String(), Mode: "enforce", Match: string(account.Match), Counts: account.Counts,
			Excused: account.Excused, When: r.When, Unless: r.Unless, Values: map[string]string{}, Unknown: account.Unknown, values: account.Values}
		if r.Inspect != nil {
			e.Response, e.Then = r.Inspect.Response, e.Then+" what comes back"
		}
		if r.Observe {
			e.Mode = "observe"
		}
		if r.Override != "" {
			e.Origin += ", changed by " + r.Override
		}
		for _, v := range account.Values {
			e.Values[v.Name] = v.Value
		}
		x.Rules = append(x.Rules, e)
	}
	return x, nil
}

func printExplanation(out io.Writer, x *explanation, all bool) {
	fmt.Fprintf(out, "%s\n%s", show.Line(x.Action), x.Outcome)
	if x.Rule != "" {
		fmt.Fprintf(out, " by %q", x.Rule)
	}
	if x.Reason != "" {
		fmt.Fprintf(out, ": %s", x.Reason)
	}
	fmt.Fprintln(out)
	if len(x.Judges) > 0 {
		fmt.Fprintf(out, "  judged by: %s\n", strings.Join(x.Judges, ", "))
	}
	if len(x.Unknown) > 0 {
		fmt.Fprintf(out, "  unknown, and it mattered: %s\n", strings.Join(x.Unknown, ", "))
	}
	if len(x.Lost) > 0 {
		fmt.Fprintf(out, "  not whole on record, so unknown here: %s\n", strings.Join(x.Lost, ", "))
	}
	matched := 0
	for i := range x.Rules {
		r := &x.Rules[i]
		if matches := r.Match == string(decide.Matches) || r.Match == string(decide.Perhaps); matches {
			matched++
		} else if !all && !r.Excused {
			continue
		}
		printRuleExplanation(out, r)
	}
	if matched == 0 {
		fmt.Fprintln(out, "  no rule matches")
	}
}

func printRuleExplanation(out io.Writer, r *ruleExplanation) {
	said := map[string]string{string(decide.Matches): "matches", string(decide.Perhaps): "perhaps matches", string(decide.MatchesNot): "does not match",
		string(decide.OtherClass): "is not about this class", string(decide.OtherFamily): "is not about this family",
		string(decide.Elsewhere): "is not about this endpoint"}[r.Match]
	switch {
	case r.Match == string(decide.Perhaps) && r.Counts:
		said += ", which counts: it depends on " + strings.Join(r.Unknown, ", ")
	case r.Match == string(decide.Perhaps):
		said += ", which does not count for an allow: it depends on " + strings.Join(r.Unknown, ", ")
	case r.Excused:
		said = "is excused by its exception"
	}
	then := r.Then
	if r.Mode == "observe" {
		then += ", only observes"
	}
	fmt.Fprintf(out, "  %s (%s, %s) %s\n", r.Name, then, r.Origin, said)
	if r.Match == string(decide.Elsewhere) || r.Match == string(decide.OtherFamily) {
		return
	}
	fmt.Fprintf(out, "    when    %s\n", strings.ReplaceAll(r.When, "\n", "\n            "))
	if r.Unless != "" {
		fmt.Fprintf(out, "    unless  %s\n", strings.ReplaceAll(r.Unless, "\n", "\n            "))
	}
	if r.Response != "" {
		fmt.Fprintf(out, "    response  %s\n", strings.ReplaceAll(r.Response, "\n", "\n              "))
	}
	for _, v := range r.values {
		fmt.Fprintf(out, "    %s = %s\n", v.Name, show.Line(shortened(v.Value)))
	}
}

// shortened cuts a value for a line of a terminal.
func shortened(s string) string {
	const most = 200
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
