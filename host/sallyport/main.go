// Command sallyport is the gateway and the agent's side of it. This package holds flags and printing; what happens is in the
// rooms beside it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/client"
	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/guest"
)

// version is set by the Makefile.
var version = "unknown"

// Exit codes of every command but run, which has the status of what it ran.
const (
	exitOK      = 0
	exitFailure = 1 // what was asked for failed, or a check found something
	exitUsage   = 2 // the command line is wrong
)

const exitCodes = `Exit status: 0 success; 1 failure, or a check that found something; 2 wrong usage.`

// compileArgument makes the command the child that compiles modules nobody has vouched for; see guest.Child.
const compileArgument = "compile-module"

func main() {
	if len(os.Args) == 2 && os.Args[1] == compileArgument {
		os.Exit(guest.CompileChild(os.Stdin, os.Stdout))
	}
	client.Helper()
	// Interrupts end what runs in good order; a second one ends it at once. `run` has rules of its own.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, newRoot(), os.Args[1:]))
}

// status is an error that is a process's exit status; it prints nothing.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// usageError is an error in how the command was called.
type usageError struct{ error }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "sallyport",
		Short: "A firewall for AI agents",
		Long: `Sallyport lets agents reach production only through a WireGuard tunnel, reads what they are about to do at the wire,
and lets through what your rules allow. docs/ and README.md say how to begin.

` + exitCodes,
		Example: `  sallyport check sallyport.toml
  (umask 077; sallyport peer add claude --profile dev > claude.conf)
  sallyport serve sallyport.toml
  sallyport run --peer claude.conf -- psql -h prod-db -U app shop
  sallyport receipts tail`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          subcommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newServe(), newCheck(), newRules(), newExplain(), newTest(), newDiff(), newReload(), newHolds(), newJudges(), newRun(), newPeer(), newCA(), newSSH(), newReceipts(), newSecret(), newKubeconfig(), newPlugin())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	return root
}

// execute runs the command line and returns the exit status.
func execute(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	var code status
	var usage usageError
	switch problems, ok := err.(config.Problems); {
	case err == nil:
		return exitOK
	case ok:
		for _, p := range problems {
			fmt.Fprintln(root.ErrOrStderr(), p)
		}
		fmt.Fprintf(root.ErrOrStderr(), "sallyport: problems in the configuration: %d, see above\n", len(problems))
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		fmt.Fprintf(root.ErrOrStderr(), "sallyport: %v\nsee '%s --help'\n", err, cmd.CommandPath())
		return exitUsage
	default:
		fmt.Fprintf(root.ErrOrStderr(), "sallyport: %v\n", err)
	}
	return exitFailure
}
