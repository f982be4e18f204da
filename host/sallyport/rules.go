package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/gateway"
)

func newRules() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "rules CONFIG",
		Short: "Print the rules that count, and where each comes from",
		Long: `Prints every rule that counts with CONFIG: its own and those of its packs with what each [[override]] makes of them, where each
stands, and at which endpoints and about which families of actions each can match. No secret is read.

` + exitCodes,
		Example: `  sallyport rules sallyport.toml
  sallyport rules --json sallyport.toml | jq '.rules[] | select(.then == "hold").name'`,
		Args: oneArg("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error { return rules(cmd, args[0], asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object instead of lines")
	return c
}

// withPolicy loads what decides by a configuration, and calls do with it.
func withPolicy(cmd *cobra.Command, path string, do func(*config.Config, *gateway.Assembly) error) error {
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	a, err := gateway.Assemble(cmd.Context(), cfg, gateway.Options{CacheDir: userCache(), PolicyOnly: true})
	if err != nil {
		return err
	}
	err = do(cfg, a)
	if unclosed := a.Close(); err == nil {
		err = unclosed
	}
	return err
}

// ruleReport is a rule as `rules --json` prints it.
type ruleReport struct {
	Name      string            `json:"name"`
	Origin    string            `json:"origin"`
	Override  string            `json:"override,omitempty"`
	Endpoints []reachReport     `json:"endpoints"`
	Patterns  []patternReport   `json:"patterns,omitempty"`
	When      string            `json:"when"`
	Unless    string            `json:"unless,omitempty"`
	Except    map[string]string `json:"except,omitempty"`
	Then      string            `json:"then"`
	Mode      string            `json:"mode"`
	Judge     string            `json:"judge,omitempty"`
	Inspect   *inspectReport    `json:"inspect,omitempty"`
	Reason    string            `json:"reason,omitempty"`
	Approvers []string          `json:"approvers,omitempty"`
	Approvals int               `json:"approvals,omitempty"`
	NotBy     string            `json:"not_by,omitempty"`
	Timeout   string            `json:"timeout,omitempty"`
}

// inspectReport is what a rule about answers looks at.
type inspectReport struct {
	Response      string   `json:"response,omitempty"`
	Limit         uint32   `json:"limit"`
	ThenLong      string   `json:"then_long"`
	Redact        []string `json:"redact,omitempty"`
	RedactColumns []string `json:"redact_columns,omitempty"`
}

type reachReport struct {
	Name     string   `json:"name"`
	Families []string `json:"families"`
}

// patternReport is a pattern, and the endpoints that it stands for.
type patternReport struct {
	Pattern string   `json:"pattern"`
	Matched []string `json:"matched"`
}

// modeReport says that an endpoint observes.
type modeReport struct {
	Name string `json:"name"`
	Mode string `json:"mode"`
}

func reportRule(r *gateway.EffectiveRule) ruleReport {
	out := ruleReport{Name: r.Name, Origin: r.Origin, Override: r.Override, Endpoints: []reachReport{}, When: r.When, Unless: r.Unless,
		Except: r.Except, Then: r.Then.String(), Mode: "enforce", Reason: r.Reason}
	if r.Observe {
		out.Mode = "observe"
	}
	for _, at := range r.Reach {
		out.Endpoints = append(out.Endpoints, reachReport{at.Endpoint, at.Families})
	}
	for _, p := range r.Patterns {
		out.Patterns = append(out.Patterns, patternReport{p.Value, p.Matched})
	}
	if !r.Observe {
		out.Judge = r.Judge
	}
	if i := r.Inspect; i != nil {
		out.Inspect = &inspectReport{Response: i.Response, Limit: i.Limit, ThenLong: "deny", Redact: r.Redact, RedactColumns: r.RedactColumns}
		if i.AllowLong {
			out.Inspect.ThenLong = "allow"
		}
	}
	if r.Inspect == nil && (r.Then == decide.Hold || r.Then == decide.Judge) && !r.Observe {
		out.Approvers, out.Approvals = r.Approvers, r.Approvals
		if r.NotRequester {
			out.NotBy = "requester"
		}
		if r.Timeout > 0 {
			out.Timeout = shortDuration(r.Timeout)
		}
	}
	return out
}

// shortDuration leaves the zeros of a duration away: 90s, 1h.
func shortDuration(t time.Duration) string {
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

func rules(cmd *cobra.Command, path string, asJSON bool) error {
	return withPolicy(cmd, path, func(cfg *config.Config, a *gateway.Assembly) error {
		var list []ruleReport
		for _, r := range a.Rules() {
			list = append(list, reportRule(&r))
		}
		modes := []modeReport{}
		for i := range cfg.Endpoints {
			e := &cfg.Endpoints[i]
			modes = append(modes, modeReport{e.Name.Value, string(cfg.ModeOf(e))})
		}
		if asJSON {
			return writeJSON(cmd.OutOrStdout(), struct {
				Endpoints []modeReport `json:"endpoints"`
				Rules     []ruleReport `json:"rules"`
			}{modes, list})
		}
		printRules(cmd.OutOrStdout(), modes, list)
		return nil
	})
}

// writeJSON prints v readably.
func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func printRules(out io.Writer, modes []modeReport, list []ruleReport) {
	for _, m := range modes {
		if m.Mode == "observe" {
			fmt.Fprintf(out, "endpoint %s observes: everything passes, and receipts say what would have been\n\n", m.Name)
		}
	}
	for _, answers := range []bool{false, true} {
		for _, then := range []string{"deny", "hold", "judge", "redact", "allow"} { // as the strictest wins
			for i := range list {
				if list[i].Then == then && (list[i].Inspect != nil) == answers {
					printRule(out, &list[i])
				}
			}
		}
	}
	fmt.Fprintln(out, "what no rule allows is denied")
}

func printRule(out io.Writer, r *ruleReport) {
	then := r.Then
	if r.Inspect != nil {
		then += " what comes back"
	}
	if r.Mode == "observe" {
		then += " (only observes)"
	}
	fmt.Fprintf(out, "%s: %s\n", r.Name, then)
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(out, "  %-8s %s\n", name, strings.ReplaceAll(text, "\n", "\n           "))
		}
	}
	from := r.Origin
	if r.Override != "" {
		from += ", changed by " + r.Override
	}
	line("from", from)
	line("when", r.When)
	line("unless", r.Unless)
	for _, family := range slices.Sorted(maps.Keys(r.Except)) {
		line("except", family+" where "+r.Except[family])
	}
	if i := r.Inspect; i != nil {
		then := map[string]string{"deny": "longer ones are withheld", "allow": "of longer ones the rest passes unseen"}[i.ThenLong]
		line("answers", strings.TrimSpace(i.Response+fmt.Sprintf(" (the first %d bytes; %s)", i.Limit, then)))
		line("masks", strings.Join(slices.Concat(i.Redact, i.RedactColumns), ", "))
	}
	line("judge", r.Judge)
	line("asks", asks(r))
	line("reason", r.Reason)
	var at []string
	for _, e := range r.Endpoints {
		at = append(at, e.Name+" ("+strings.Join(e.Families, ", ")+")")
	}
	if at == nil {
		at = []string{"nowhere: no action can match"}
	}
	line("at", strings.Join(at, ", "))
	for _, p := range r.Patterns {
		line("pattern", p.Pattern+" stands for "+strings.Join(p.Matched, ", "))
	}
	fmt.Fprintln(out)
}

// asks says who approves.
func asks(r *ruleReport) string {
	if r.Approvals == 0 {
		return ""
	}
	who := "any approver"
	if len(r.Approvers) > 0 {
		who = strings.Join(r.Approvers, " or ")
	}
	if r.Approvals > 1 {
		who = fmt.Sprintf("%d of: %s", r.Approvals, who)
	}
	if r.NotBy != "" {
		who += ", not who asked"
	}
	if r.Timeout != "" {
		who += ", within " + r.Timeout
	}
	return who
}
