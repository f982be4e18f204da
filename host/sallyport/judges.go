package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/approve/show"
	"github.com/sallyport-dev/sallyport/host/console"
	"github.com/sallyport-dev/sallyport/host/judge"
)

// Judges are the judges of the running gateway.
func (o *operator) Judges() []judge.Status { return o.running.Judges.Status() }

// ForgetAnswers forgets what judges have answered.
func (o *operator) ForgetAnswers() int { return o.running.Judges.Forget() }

func newJudges() *cobra.Command {
	var path string
	var asJSON bool
	c := &cobra.Command{
		Use:   "judges",
		Short: "List the judges of the running gateway, what they were asked, and what that has cost",
		Long: `Lists the judges of the running gateway: how often each was asked today (UTC) and how often an earlier answer counted, what it answered,
its tokens and their cost, and what each peer has left of its budget for today. A cost is there when the judge has prices, in the currency
that those are in. docs/judges.md says what judges are.

` + exitCodes,
		Example: "  sallyport judges --config /etc/sallyport/sallyport.toml\n  sallyport judges forget",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withConsole(cmd, path, func(ctx context.Context, client *console.Client) error {
				list, err := client.Judges(ctx)
				switch {
				case err != nil:
					return err
				case asJSON:
					return writeJSON(cmd.OutOrStdout(), list)
				}
				return printJudges(cmd.OutOrStdout(), list)
			})
		},
	}
	c.PersistentFlags().StringVarP(&path, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON array instead of tables")
	c.AddCommand(&cobra.Command{
		Use:   "forget",
		Short: "Forget the answers that are kept, so that judges are asked anew",
		Long: `Forgets every answer of judges that the running gateway keeps (cache_for), so that they are asked anew.

` + exitCodes,
		Example: "  sallyport judges forget",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withConsole(cmd, path, func(ctx context.Context, client *console.Client) error {
				n, err := client.ForgetAnswers(ctx)
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "answers forgotten: %d\n", n)
				}
				return err
			})
		},
	})
	return c
}

// withConsole calls the gateway that runs with a configuration.
func withConsole(cmd *cobra.Command, path string, f func(context.Context, *console.Client) error) error {
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	client := console.NewClient(cfg.Gateway.State)
	defer client.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute)
	defer cancel()
	return f(ctx, client)
}

func printJudges(out io.Writer, list []judge.Status) error {
	if len(list) == 0 {
		fmt.Fprintln(out, "there are no judges")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "JUDGE\tKIND\tMODEL\tCALLS\tCACHED\tALLOW\tDENY\tESCALATE\tFAILED\tTOKENS\tCOST\tCOST 40 DAYS\tKEPT")
	for i := range list {
		s := &list[i]
		d := &s.Today
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%d\n", s.Name, s.Kind, show.Line(shortModel(s.Model)), d.Calls, d.Cached, d.Allowed, d.Denied,
			d.Escalated, d.Failed, d.Input+d.Output, money(d.Cost), money(s.Past.Cost), s.Kept)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	lines := 0
	for i := range list {
		for _, p := range list[i].Peers {
			if lines++; lines == 1 {
				fmt.Fprintln(out)
				fmt.Fprintln(w, "PEER\tJUDGE\tCALLS\tTOKENS\tCOST")
			}
			tokens := "-"
			if list[i].Tokens > 0 {
				tokens = fmt.Sprintf("%d of %d", p.Input+p.Output, list[i].Tokens)
			}
			fmt.Fprintf(w, "%s\t%s\t%d of %d\t%s\t%s\n", p.Peer, p.Judge, p.Calls, list[i].Calls, tokens, money(p.Cost))
		}
	}
	return w.Flush()
}

// shortModel cuts the digest of a program.
func shortModel(model string) string {
	if strings.HasPrefix(model, "sha256:") && len(model) > len("sha256:")+12 {
		return model[:len("sha256:")+12]
	}
	return model
}

// money writes millionths.
func money(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%d.%06d", n/1_000_000, n%1_000_000)
}
