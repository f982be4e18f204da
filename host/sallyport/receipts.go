package main

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/host/receipt"
)

func newReceipts() *cobra.Command {
	c := &cobra.Command{Use: "receipts", Short: "Show, search, verify and export the record of what was decided", Args: subcommand,
		Long:    "Shows, searches, verifies and exports the record of what was decided. docs/receipts.md says what a receipt is, and what it does not prove.\n\n" + exitCodes,
		Example: "  sallyport receipts tail --config sallyport.toml",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(newTail(), newQuery(), newVerify(), newExport(), newReceiptsKey())
	return c
}

// source says which record is meant: that of a configuration, one in a folder, or a single file.
type source struct{ config, dir, file string }

func (s *source) flags(c *cobra.Command) {
	c.Flags().StringVarP(&s.config, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	c.Flags().StringVar(&s.dir, "dir", "", "a folder `DIR` with receipts and the older files of them, instead of that of the configuration")
	c.Flags().StringVar(&s.file, "file", "", "one `FILE` of receipts alone")
}

// receiptsName is how the gateway calls its record.
const receiptsName = "receipts.jsonl"

// path is the file of the record, and whether it is meant alone.
func (s *source) path() (path string, single bool, err error) {
	switch {
	case s.file != "" && s.dir != "":
		return "", false, usageError{errors.New("--dir and --file exclude each other")}
	case s.file != "":
		return s.file, true, nil
	case s.dir != "":
		path = filepath.Join(s.dir, receiptsName)
	default:
		cfg, err := loadConfig(s.config)
		if err != nil {
			return "", false, err
		}
		path = gateway.ReceiptsPath(cfg)
	}
	files, err := receipt.Files(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(files) == 0 {
		if s.dir != "" {
			return "", false, fmt.Errorf("there are no receipts in %s: %s does not exist", s.dir, path)
		}
		return "", false, fmt.Errorf("there are no receipts: %s does not exist; `sallyport serve %s` begins it", path, s.config)
	}
	return path, false, err
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
			path, single, err := from.path()
			if err != nil {
				return err
			}
			o := receipt.ReadOptions{Last: lines, Older: !single}
			if follow {
				return showRecords(cmd, receipt.Follow(cmd.Context(), path, o), asJSON)
			}
			return showRecords(cmd, receipt.Read(path, o), asJSON)
		},
	}
	from.flags(c)
	c.Flags().IntVarP(&lines, "lines", "n", 50, "how many of the newest to show, 0 for all")
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with those that are written from now on, until interrupted")
	c.Flags().BoolVar(&asJSON, "json", false, "print the records as they are stored")
	return c
}

// showRecords prints records.
func showRecords(cmd *cobra.Command, records iter.Seq2[*receipt.Entry, error], asJSON bool) error {
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
