package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/console"
)

func newReload() *cobra.Command {
	var asJSON, confirm bool
	c := &cobra.Command{
		Use:   "reload CONFIG",
		Short: "Have the running gateway read its configuration again",
		Long: `Has the gateway that runs with CONFIG read that file again, and prints what has changed. New connections are served by
the new configuration; those that are open stay with the one they began with, but for those of peers that are gone: they end
at once. If anything is wrong with the new configuration it is reported as by check, and the gateway goes on with the old one.
SIGHUP to the gateway does the same; it then logs what this command prints.

Recent actions are replayed through the old and the new configuration, and those that have another outcome are listed, what passes
now first. With gateway.confirm_reload a reload that lets something pass which did not changes nothing until it is asked for again
with --confirm, for the same configuration.

Only the user that the gateway runs as, and root, can do this. What needs a restart: [gateway] listen, network, private_key and
state, and limits.connections and limits.guest_memory.

` + exitCodes,
		Example: `  sallyport reload /etc/sallyport/sallyport.toml
  sallyport reload --json sallyport.toml | jq .rules`,
		Args: oneArg("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error { return reload(cmd, args[0], asJSON, confirm) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object instead of lines")
	c.Flags().BoolVar(&confirm, "confirm", false, "take up a configuration that lets more pass, as it was shown by the reload before")
	return c
}

func reload(cmd *cobra.Command, path string, asJSON, confirm bool) error {
	// Only the place of the state is taken from the file; whether it is right is for the gateway to say.
	cfg, err := loadConfig(path)
	if cfg == nil || cfg.Gateway.State == "" {
		return err
	}
	client := console.NewClient(cfg.Gateway.State)
	defer client.Close()
	change, err := client.Reload(cmd.Context(), confirm)
	var failure *console.Failure
	switch {
	case errors.As(err, &failure) && len(failure.Problems) > 0:
		return problemsOf(failure)
	case errors.As(err, &failure) && failure.Flips != nil:
		return unconfirmed(cmd, failure, asJSON)
	case err != nil:
		return fmt.Errorf("reload: %w", err)
	case asJSON:
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(change)
	}
	printChange(cmd.OutOrStdout(), change)
	return nil
}

// unconfirmed shows what waits to be confirmed.
func unconfirmed(cmd *cobra.Command, f *console.Failure, asJSON bool) error {
	if asJSON {
		if err := writeJSON(cmd.OutOrStdout(), f); err != nil {
			return err
		}
		return status(exitFailure)
	}
	printReport(cmd.OutOrStdout(), f.Flips)
	return errors.New(f.Message)
}

func problemsOf(f *console.Failure) error {
	var problems config.Problems
	for _, p := range f.Problems {
		problems = append(problems, config.Problem{File: p.File, Line: p.Line, Col: p.Column, Message: p.Message})
	}
	return problems
}

func printChange(out io.Writer, c *console.Change) {
	for _, w := range c.Warnings {
		fmt.Fprintf(out, "%s (warning)\n", config.Problem{File: w.File, Line: w.Line, Col: w.Column, Message: w.Message})
	}
	same := true
	for _, d := range []struct {
		of string
		console.Difference
	}{{"peer", c.Peers}, {"plugin", c.Plugins}, {"endpoint", c.Endpoints}, {"rule", c.Rules}} {
		same = same && d.Empty()
		for _, part := range []struct {
			word  string
			names []string
		}{{"added", d.Added}, {"removed", d.Removed}, {"changed", d.Changed}} {
			for _, name := range slices.Sorted(slices.Values(part.names)) {
				fmt.Fprintf(out, "%-8s %s %s\n", part.word, d.of, name)
			}
		}
	}
	if same {
		fmt.Fprintln(out, "nothing has changed")
	}
	if c.Flips != nil && len(c.Flips.Flips) > 0 {
		printReport(out, c.Flips)
	}
	fmt.Fprintf(out, "policy   %s\n", strings.TrimSpace(c.Policy))
}
