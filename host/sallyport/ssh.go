package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/gateway"
)

func newSSH() *cobra.Command {
	c := &cobra.Command{
		Use:     "ssh",
		Short:   "Show how agents know the gateway over SSH",
		Long:    "Shows how agents know the gateway over SSH: by its host key, which every endpoint of SSH has. docs/ssh.md says how it is used.\n\n" + exitCodes,
		Example: "  sallyport ssh known-hosts",
		Args:    subcommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newKnownHosts())
	return c
}

func newKnownHosts() *cobra.Command {
	var path, profile string
	c := &cobra.Command{
		Use:   "known-hosts",
		Short: "Print the gateway's SSH host key as lines of known_hosts",
		Long: `Prints a line of known_hosts for every endpoint of SSH, by its name: agents that have them know that they speak with their gateway. The key is
made at first use, in the gateway's state, and stays the same. "sallyport run" sees to it by itself; these lines are for agents that are connected
in another way, and go into their ~/.ssh/known_hosts or /etc/ssh/ssh_known_hosts. Run it as the gateway's user, on the gateway's machine.

` + exitCodes,
		Example: `  sallyport ssh known-hosts --profile dev >> ~/.ssh/known_hosts`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(path)
			if err != nil {
				return err
			}
			lines, err := gateway.KnownHosts(cfg, profile)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), lines)
			return err
		},
	}
	c.Flags().StringVarP(&path, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	c.Flags().StringVar(&profile, "profile", "", "only the endpoints that this `PROFILE` has")
	return c
}
