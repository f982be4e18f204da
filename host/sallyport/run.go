package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/client"
	"github.com/sallyport-dev/sallyport/host/wgquick"
)

func newRun() *cobra.Command {
	var peer string
	var sshAgent bool
	c := &cobra.Command{
		Use:   "run [--peer FILE] -- COMMAND [ARGUMENT...]",
		Short: "Run one command with all of its traffic inside the tunnel",
		Long: `Runs a command in a network namespace in which the tunnel is all there is: all traffic of the command and of all that it
starts goes to the gateway or nowhere. Names resolve through the tunnel. Sockets of this machine that would lead around it
(container engines, D-Bus, tmux, X11, the SSH agent) are hidden. The command's terminal, signals, working directory and exit
status are its own. Linux only; as root, or as a user who may create user namespaces and open /dev/net/tun.

The tunnel catches programs that do not try to get out. To contain one that does, run it as a user of its own:

  useradd --system --create-home --shell /usr/sbin/nologin agent
  sudo sallyport run --peer /etc/sallyport/claude.conf -- \
      setpriv --reuid agent --regid agent --init-groups --no-new-privs env HOME=/home/agent USER=agent COMMAND

The user must not be in groups such as docker, sudo or wheel, and must own nothing that runs outside of the tunnel.

Exit status: the command's own; 128+n if signal n ended it; 127 if it was not found, 126 if it cannot be executed, 125 if the
tunnel could not be set up.`,
		Example: `  sallyport run --peer claude.conf -- psql -h prod-db -U app shop
  SALLYPORT_PEER=claude.conf sallyport run -- bash`,
		Args: someArgs("COMMAND"),
		RunE: func(cmd *cobra.Command, args []string) error { return run(cmd, peer, sshAgent, args) },
	}
	c.Flags().StringVar(&peer, "peer", "", "WireGuard configuration `FILE` of the peer (default $SALLYPORT_PEER, else sallyport/peer.conf in the user's configuration folder)")
	c.Flags().BoolVar(&sshAgent, "allow-ssh-agent", false, "let the command use the SSH agent of this machine")
	c.Flags().SetInterspersed(false)
	return c
}

// run ends with the command, so it does not take the context that ends at an interrupt: those are the command's.
func run(cmd *cobra.Command, peer string, sshAgent bool, command []string) error {
	path, err := peerFile(peer)
	if err != nil {
		return failRun(cmd, client.ExitFailure, err)
	}
	cfg, err := wgquick.Load(path)
	if err != nil {
		return failRun(cmd, client.ExitFailure, err)
	}
	code, err := client.Run(context.Background(), client.Options{Peer: cfg, Command: command, AllowSSHAgent: sshAgent})
	if err != nil {
		return failRun(cmd, code, err)
	}
	return status(code)
}

func failRun(cmd *cobra.Command, code int, err error) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "sallyport: %v\n", err)
	return status(code)
}

func peerFile(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if env := os.Getenv("SALLYPORT_PEER"); env != "" {
		return env, nil
	}
	const give = "give --peer FILE or set SALLYPORT_PEER to what `sallyport peer add` printed"
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", errors.New("no peer: " + give)
	}
	path := filepath.Join(dir, "sallyport", "peer.conf")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("no peer: %s (there is no %s either)", give, path)
	}
	return path, nil
}
