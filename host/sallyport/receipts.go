package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/host/receipt"
)

func newReceipts() *cobra.Command {
	c := &cobra.Command{Use: "receipts", Short: "Show and verify the record of what was decided", Args: subcommand,
		Long:    "Shows and verifies the record of what was decided.\n\n" + exitCodes,
		Example: "  sallyport receipts tail --config sallyport.toml",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(newTail(), newVerify())
	return c
}

// source says which record is meant: that of a configuration, or a file.
type source struct{ config, file string }

func (s *source) flags(c *cobra.Command) {
	c.Flags().StringVarP(&s.config, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	c.Flags().StringVar(&s.file, "file", "", "a `FILE` of receipts, instead of that of the configuration")
}

func (s *source) path() (string, error) {
	if s.file != "" {
		return s.file, nil
	}
	cfg, err := loadConfig(s.config)
	if err != nil {
		return "", err
	}
	path := gateway.ReceiptsPath(cfg)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there are no receipts: %s does not exist; `sallyport serve %s` begins it", path, s.config)
	}
	return path, nil
}

func newTail() *cobra.Command {
	var from source
	var lines int
	var follow, asJSON bool
	c := &cobra.Command{
		Use:   "tail",
		Short: "Show the newest receipts, one line each",
		Long:  "Shows the newest receipts, one readable line each; what agents wrote is escaped. Colours are for terminals, and not where\nNO_COLOR is set.\n\n" + exitCodes,
		Example: `  sallyport receipts tail --config sallyport.toml
  sallyport receipts tail -f --json | jq 'select(.outcome == "deny")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lines < 0 {
				return usageError{fmt.Errorf("--lines %d: it is 0 or more", lines)}
			}
			path, err := from.path()
			if err != nil {
				return err
			}
			return tail(cmd, path, lines, follow, asJSON)
		},
	}
	from.flags(c)
	c.Flags().IntVarP(&lines, "lines", "n", 50, "how many of the newest to show, 0 for all")
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with those that are written from now on, until interrupted")
	c.Flags().BoolVar(&asJSON, "json", false, "print the records as they are stored")
	return c
}

func tail(cmd *cobra.Command, path string, lines int, follow, asJSON bool) error {
	o := receipt.ReadOptions{Last: lines}
	records := receipt.Read(path, o)
	if follow {
		records = receipt.Follow(cmd.Context(), path, o)
	}
	out := cmd.OutOrStdout()
	color := !asJSON && isTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	var failed error
	for e, err := range records {
		if err != nil { // a line that cannot be read does not hide those behind it
			failed = err
			fmt.Fprintf(cmd.ErrOrStderr(), "sallyport: %v\n", err)
			continue
		}
		text := receipt.Line(e, color)
		if asJSON {
			text = string(e.Raw)
		}
		if _, err := fmt.Fprintln(out, text); err != nil {
			return err
		}
	}
	if failed != nil {
		return status(exitFailure)
	}
	return nil
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func newVerify() *cobra.Command {
	var from source
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Verify that no receipt was changed, removed, inserted or moved",
		Long: `Recomputes the chain of hashes and names the first line that does not fit. What a chain cannot show is that its newest lines
are gone: compare the number and the last hash with what you noted before.

` + exitCodes,
		Example: `  sallyport receipts verify --config sallyport.toml`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := from.path()
			if err != nil {
				return err
			}
			return verify(cmd, path, asJSON)
		},
	}
	from.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return c
}

func verify(cmd *cobra.Command, path string, asJSON bool) error {
	result, err := receipt.Verify(path)
	var bad *receipt.BadLine
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	out := cmd.OutOrStdout()
	if asJSON {
		problem := ""
		if bad != nil {
			problem = bad.Error()
		}
		if err := json.NewEncoder(out).Encode(map[string]any{"ok": bad == nil, "records": result.Records, "last_hash": result.Hash, "problem": problem}); err != nil {
			return err
		}
	} else if bad == nil {
		fmt.Fprintf(out, "%s: %d records, the chain is whole, the last hash is %s\n", path, result.Records, result.Hash)
	} else {
		fmt.Fprintf(out, "%v\n", bad)
	}
	if bad != nil {
		return status(exitFailure)
	}
	return nil
}
