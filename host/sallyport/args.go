package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// subcommand is for commands that only have others below them.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	meant := ""
	cmd.SuggestionsMinimumDistance = 2 // letters that may differ
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		meant = fmt.Sprintf("; did you mean %q?", near[0])
	}
	return usageError{fmt.Errorf("there is no command %q%s", cmd.CommandPath()+" "+args[0], meant)}
}

// noArgs is for commands with flags only.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%q is one argument too many", args[0])}
	}
	return nil
}

// oneArg is for commands with one argument, which is called name in their usage.
func oneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return missing(cmd, name)
		case len(args) > 1:
			return noArgs(cmd, args[1:])
		}
		return nil
	}
}

// twoArgs is for commands with two arguments.
func twoArgs(first, second string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return missing(cmd, first)
		case len(args) == 1:
			return missing(cmd, second)
		case len(args) > 2:
			return noArgs(cmd, args[2:])
		}
		return nil
	}
}

// someArgs is for commands with arguments of which the first is called name.
func someArgs(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return missing(cmd, name)
		}
		return nil
	}
}

func missing(cmd *cobra.Command, name string) error {
	return usageError{fmt.Errorf("%s is missing: %s", name, strings.TrimSuffix(cmd.UseLine(), " [flags]"))}
}
