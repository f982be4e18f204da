package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/console"
)

const holdsAccess = `Only the user that the gateway runs as can do this, and root where the gateway runs as root; and not from inside of
'sallyport run'. What agents wrote is shown so that it cannot deceive: a character that cannot be seen, steers the terminal or
looks like another one is shown as its code point, ⟨U+202E⟩.

` + exitCodes

func newHolds() *cobra.Command {
	c := &cobra.Command{Use: "holds", Short: "Show and decide what waits for a person", Args: subcommand,
		Long: "Shows and decides the actions that a rule holds until a person has approved them.\n\n" + holdsAccess,
		Example: `  sallyport holds list
  sallyport holds show h7kq2mzwvs4xbn3tc
  sallyport holds approve h7kq2mzwvs4xbn3tc
  sallyport holds reject h7kq2mzwvs4xbn3tc --reason "use the migration"`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(newHoldsList(), newHoldsShow(), newHoldsApprove(), newHoldsReject(), newHoldsGrants())
	return c
}

// holdsFlags are those of all commands about holds.
type holdsFlags struct {
	config string
	asJSON bool
}

func (f *holdsFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&f.config, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON instead of text for people")
}

// with calls do with a client of the running gateway.
func (f *holdsFlags) with(do func(*console.Client) error) error {
	cfg, err := loadConfig(f.config) // of which only the place of the state counts; the rest is the gateway's business
	if cfg == nil || cfg.Gateway.State == "" {
		return err
	}
	client := console.NewClient(cfg.Gateway.State)
	defer client.Close()
	if err := do(client); err != nil {
		return fmt.Errorf("holds: %w", err)
	}
	return nil
}

func newHoldsList() *cobra.Command {
	var f holdsFlags
	var filter approve.Filter
	var stateName string
	var all, watch bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List what waits for a person, one line each",
		Long: `Lists the actions that wait for a person, the oldest first; with --all or --state also those that have ended, which are
kept for an hour, or for as long as they can still be approved.

` + holdsAccess,
		Example: `  sallyport holds list --config /etc/sallyport/sallyport.toml
  sallyport holds list --peer claude --watch
  sallyport holds list --all --json | jq -r '.[] | select(.state == "expired") | .id'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter.State = approve.State(stateName)
			switch {
			case all && stateName != "":
				return usageError{errors.New("--all and --state exclude each other")}
			case stateName != "" && !filter.State.Valid():
				return usageError{fmt.Errorf("--state %q: it is open, approved, rejected, expired or withdrawn", stateName)}
			case stateName == "" && !all:
				filter.State = approve.Pending
			}
			return f.with(func(client *console.Client) error { return listHolds(cmd, client, filter, f.asJSON, watch) })
		},
	}
	f.add(c)
	c.Flags().StringVar(&stateName, "state", "", "only holds in this `STATE`: open (the default), approved, rejected, expired, withdrawn")
	c.Flags().BoolVarP(&all, "all", "a", false, "holds in every state")
	c.Flags().StringVar(&filter.Peer, "peer", "", "only holds of this `PEER`")
	c.Flags().StringVar(&filter.Endpoint, "endpoint", "", "only holds at this `ENDPOINT`")
	c.Flags().BoolVarP(&watch, "watch", "w", false, "print the list anew whenever something changes, until interrupted")
	return c
}

func listHolds(cmd *cobra.Command, client *console.Client, filter approve.Filter, asJSON, watch bool) error {
	out := cmd.OutOrStdout()
	clear := watch && !asJSON && isTerminal(out)
	var after *uint64
	for {
		list, err := client.Holds(cmd.Context(), filter, after)
		switch {
		case err != nil && watch && cmd.Context().Err() != nil:
			return nil // an interrupt is how watching ends
		case err != nil:
			return err
		}
		if after == nil || *after != list.Revision {
			if clear {
				fmt.Fprint(out, "\x1b[H\x1b[2J")
			}
			if err := printHolds(out, list, filter, asJSON); err != nil {
				return err
			}
		}
		if !watch {
			return nil
		}
		after = &list.Revision
	}
}

func newHoldsShow() *cobra.Command {
	var f holdsFlags
	c := &cobra.Command{
		Use:   "show HOLD",
		Short: "Show one action that waits, with its whole text",
		Long:  "Shows one action that waits, or has ended a while ago: who asks, where, what exactly, which rules hold it, and who has decided.\n\n" + holdsAccess,
		Example: `  sallyport holds show h7kq2mzwvs4xbn3tc
  sallyport holds show --json h7kq2mzwvs4xbn3tc | jq -r .digest`,
		Args: oneArg("HOLD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(func(client *console.Client) error {
				s, err := client.Hold(cmd.Context(), args[0])
				switch {
				case err != nil:
					return err
				case f.asJSON:
					return printJSON(cmd.OutOrStdout(), s)
				}
				printHold(cmd.OutOrStdout(), s)
				return nil
			})
		},
	}
	f.add(c)
	return c
}

func newHoldsApprove() *cobra.Command {
	var f holdsFlags
	d := console.Decision{Decision: "approve"}
	c := &cobra.Command{
		Use:   "approve HOLD",
		Short: "Let one action that waits go on",
		Long: `Shows the action and approves it. On a terminal it asks first; elsewhere --digest says that you have read exactly this
action: it is the digest that show prints, and a hold of anything else is not approved.

If the agent still waits, the action goes on. If it has left, the approval becomes a grant: the same peer may do exactly the
same once, for a while. --grant-uses and --grant-for allow it more often: so many times more, or as often as wanted for so long.

` + holdsAccess,
		Example: `  sallyport holds approve h7kq2mzwvs4xbn3tc
  sallyport holds approve h7kq2mzwvs4xbn3tc --digest "$digest" --reason "ticket 4711"
  sallyport holds approve h7kq2mzwvs4xbn3tc --grant-uses 5 --grant-for 1h`,
		Args: oneArg("HOLD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if d.Digest == "" && (f.asJSON || !isTerminal(cmd.InOrStdin()) || !isTerminal(cmd.OutOrStdout())) {
				return usageError{errors.New("--digest is missing: 'sallyport holds show' prints that of the action; only on a terminal can you be asked instead")}
			}
			return f.with(func(client *console.Client) error { return approveHold(cmd, client, args[0], d, f.asJSON) })
		},
	}
	f.add(c)
	c.Flags().StringVar(&d.Digest, "digest", "", "the `DIGEST` of the action that you have read; without it you are asked")
	c.Flags().StringVar(&d.Reason, "reason", "", "why, for the record")
	c.Flags().IntVar(&d.Grant.Uses, "grant-uses", 0, "allow exactly this `N` times more")
	c.Flags().StringVar(&d.Grant.For, "grant-for", "", "allow exactly this for a `TIME` such as 30m: without --grant-uses as often as wanted")
	return c
}

func approveHold(cmd *cobra.Command, client *console.Client, id string, d console.Decision, asJSON bool) error {
	s, err := client.Hold(cmd.Context(), id)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if !asJSON {
		printHold(out, s)
		fmt.Fprintln(out)
	}
	if over := s.State == approve.Approved || s.State == approve.Rejected; over && d.Digest == "" {
		d.Digest = s.Digest // the gateway says that it is decided
	}
	if d.Digest == "" {
		ok, err := confirm(cmd.Context(), cmd.InOrStdin(), out, "Approve exactly this? Type yes: ")
		if err != nil {
			return err
		}
		if !ok {
			fmt.Fprintln(out, "not approved, it still waits")
			return status(exitFailure)
		}
		d.Digest = s.Digest
	}
	return decideHold(cmd, client, id, d, asJSON)
}

// confirm asks for a yes. An interrupt is none.
func confirm(ctx context.Context, in io.Reader, out io.Writer, question string) (bool, error) {
	fmt.Fprint(out, question)
	answer := make(chan string, 1)
	go func() { // it ends with the line, or with the process
		line, _ := bufio.NewReader(in).ReadString('\n')
		answer <- line
	}()
	select {
	case line := <-answer:
		return strings.TrimSpace(line) == "yes", nil
	case <-ctx.Done():
		fmt.Fprintln(out)
		return false, errors.New("interrupted, nothing was decided")
	}
}

func newHoldsReject() *cobra.Command {
	var f holdsFlags
	d := console.Decision{Decision: "reject"}
	c := &cobra.Command{
		Use:   "reject HOLD",
		Short: "Deny one action that waits",
		Long:  "Denies one action that waits. The agent gets the reason as an error of its protocol. One that has ended undecided cannot be approved any more then.\n\n" + holdsAccess,
		Example: `  sallyport holds reject h7kq2mzwvs4xbn3tc
  sallyport holds reject h7kq2mzwvs4xbn3tc --reason "not on a Friday"`,
		Args: oneArg("HOLD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(func(client *console.Client) error {
				s, err := client.Hold(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if d.Digest == "" {
					d.Digest = s.Digest
				}
				return decideHold(cmd, client, args[0], d, f.asJSON)
			})
		},
	}
	f.add(c)
	c.Flags().StringVar(&d.Digest, "digest", "", "reject it only if this is the `DIGEST` of the action")
	c.Flags().StringVar(&d.Reason, "reason", "", "why, for the agent and the record")
	return c
}

// decideHold votes and prints what has come of it.
func decideHold(cmd *cobra.Command, client *console.Client, id string, d console.Decision, asJSON bool) error {
	s, err := client.Decide(cmd.Context(), id, d)
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), s)
	} else {
		fmt.Fprintln(cmd.OutOrStdout(), consequence(s))
	}
	if err == nil && d.Decision == "approve" && s.State == approve.Withdrawn && !s.Ending.Granted {
		return status(exitFailure) // nothing has come of it
	}
	return err
}

func newHoldsGrants() *cobra.Command {
	var f holdsFlags
	c := &cobra.Command{
		Use:   "grants",
		Short: "List approvals that can still be used",
		Long:  "Lists approvals that have outlived their connection: which peer may do which one action again, how often, and until when.\n\n" + holdsAccess,
		Example: `  sallyport holds grants
  sallyport holds grants --json | jq -r '.[].hold'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(func(client *console.Client) error {
				grants, err := client.Grants(cmd.Context())
				switch {
				case err != nil:
					return err
				case f.asJSON:
					return printJSON(cmd.OutOrStdout(), grants)
				}
				return printGrants(cmd.OutOrStdout(), grants, time.Now())
			})
		},
	}
	f.add(c)
	return c
}

// Holds are what waits for a person in the running gateway.
func (o *operator) Holds() console.Holds { return o.running.Holds }
