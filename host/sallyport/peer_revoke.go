package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/console"
)

func newPeerRevoke() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "revoke NAME",
		Short: "Take a peer out of the configuration and end its connections",
		Long: `Takes the [[peer]] table of a peer out of the configuration (everything else in the file stays as it is) and has the running gateway
read it again: the peer's connections end at once, and packets with its key get no answer. Where no gateway is running, none will know the
peer. What people have approved for its name stays until it expires, so give whoever takes its place another name.

If anything else is wrong with the configuration, or its change waits to be confirmed (gateway.confirm_reload), the gateway goes on as before and
this command fails: put that in order and run 'sallyport reload'.

` + exitCodes,
		Example: "  sallyport peer revoke claude",
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := config.RemovePeer(path, args[0]); err != nil {
				return err
			}
			err := reload(cmd, path, false, false)
			switch {
			case errors.Is(err, console.ErrNotRunning):
				fmt.Fprintf(cmd.ErrOrStderr(), "sallyport: %s is out of %s; no gateway is running with it\n", args[0], path)
				return nil
			case err != nil:
				fmt.Fprintf(cmd.ErrOrStderr(), "sallyport: %s is out of %s, but the running gateway STILL KNOWS THE PEER:\n", args[0], path)
			}
			return err
		},
	}
	c.Flags().StringVarP(&path, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	return c
}
