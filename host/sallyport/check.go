package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/gateway"
)

func newCheck() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check CONFIG",
		Short: "Check a configuration as the gateway would at its start",
		Long: `Reads the configuration, loads every plugin, configures every endpoint, reads every secret that an endpoint uses and
compiles every rule, as the gateway does when it starts, and prints every problem with file, line and column. Nothing is written but a cache of compiled plugins.

` + exitCodes,
		Example: `  sallyport check sallyport.toml
  sallyport check --json sallyport.toml | jq .problems`,
		Args: oneArg("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error { return check(cmd, args[0], asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object instead of lines")
	return c
}

// report is what check found.
type report struct {
	OK       bool      `json:"ok"`
	Problems []finding `json:"problems"`
	Warnings []finding `json:"warnings"`
}

type finding struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

func findings(problems config.Problems) []finding {
	out := []finding{}
	for _, p := range problems {
		out = append(out, finding{p.File, p.Line, p.Col, p.Message})
	}
	return out
}

func check(cmd *cobra.Command, path string, asJSON bool) error {
	cfg, err := loadConfig(path)
	var found config.Problems
	if err == nil {
		found, err = assemble(cmd, cfg)
	}
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	var warnings config.Problems
	if cfg != nil {
		warnings = slices.Concat(cfg.Warnings, found)
		warnings.Sort()
	}
	if asJSON {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		if err := e.Encode(report{len(problems) == 0, findings(problems), findings(warnings)}); err != nil {
			return err
		}
	} else {
		printFindings(cmd, path, problems, warnings)
	}
	if len(problems) > 0 {
		return status(exitFailure)
	}
	return nil
}

func printFindings(cmd *cobra.Command, path string, problems, warnings config.Problems) {
	out := cmd.OutOrStdout()
	for _, w := range warnings {
		fmt.Fprintf(out, "%s (warning)\n", w)
	}
	for _, p := range problems {
		fmt.Fprintln(out, p)
	}
	if len(problems) == 0 {
		fmt.Fprintf(out, "%s: ok\n", path)
	}
}

// assemble loads what the configuration names and lets it go again. It returns what is worth a warning.
func assemble(cmd *cobra.Command, cfg *config.Config) (config.Problems, error) {
	a, err := gateway.Assemble(cmd.Context(), cfg, gateway.Options{CacheDir: userCache(), Passphrase: passphrase(cmd, false)})
	if err != nil {
		return nil, err
	}
	return a.Warnings(), a.Close()
}

// userCache is where compiled plugins of check are kept; empty if the user has no place for caches.
func userCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir = filepath.Join(dir, "sallyport")
	if os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	return filepath.Join(dir, "compiled")
}
