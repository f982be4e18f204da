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
	var asJSON bool
	c := &cobra.Command{
		Use:   "reload CONFIG",
		Short: "Have the running gateway read its configuration again",
		Long: `Has the gateway that runs with CONFIG read that file again, and prints what has changed. New connections are served by
the new configuration; those that are open stay with the one they began with, but for those of peers that are gone: they end
at once. If anything is wrong with the new configuration it is reported as by check, and the gateway goes on with the old one.
SIGHUP to the gateway does the same; it then logs what this command prints.

Only the user that the gateway runs as, and root, can do this. What needs a restart: [gateway] listen, network, private_key and
state, and limits.connections and limits.guest_memory.

` + exitCodes,
		Example: `  sallyport reload /etc/sallyport/sallyport.toml
  sallyport reload --json sallyport.toml | jq .rules`,
		Args: oneArg("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error { return reload(cmd, args[0], asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object instead of lines")
	return c
}

func reload(cmd *cobra.Command, path string, asJSON bool) error {
	// Only the place of the state is taken from the file; whether it is right is for the gateway to say.
	cfg, err := loadConfig(path)
	if cfg == nil || cfg.Gateway.State == "" {
		return err
	}
	client := console.NewClient(cfg.Gateway.State)
	defer client.Close()
	change, err := client.Reload(cmd.Context())
	var failure *console.Failure
	switch {
	case errors.As(err, &failure) && len(failure.Problems) > 0:
		return problemsOf(failure)
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
	fmt.Fprintf(out, "policy   %s\n", strings.TrimSpace(c.Policy))
}
