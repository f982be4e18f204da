package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/host/wgquick"
)

// defaultConfig is the configuration of commands that name none.
const defaultConfig = "sallyport.toml"

func newPeer() *cobra.Command {
	c := &cobra.Command{Use: "peer", Short: "Add, list and revoke the identities of agents", Args: subcommand,
		Long:    "Adds, lists and revokes peers: the WireGuard identities of agents.\n\n" + exitCodes,
		Example: "  (umask 077; sallyport peer add claude --profile dev > claude.conf)",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(newPeerAdd(), newPeerList(), newPeerRevoke())
	return c
}

func newPeerAdd() *cobra.Command {
	var path, profile, address string
	c := &cobra.Command{
		Use:   "add NAME --profile PROFILE",
		Short: "Make a peer, add it to the configuration, print its WireGuard configuration",
		Long: `Makes a key for a new peer, appends a [[peer]] table with the public half to the configuration (comments and layout stay as
they are) and prints a wg-quick configuration with the private half, which is kept nowhere else: send it to a file that only
the agent's user can read (the umask in the example sees to that). A running gateway knows the peer after
'sallyport reload'.

` + exitCodes,
		Example: `  (umask 077; sallyport peer add claude --profile dev > claude.conf)`,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return addPeer(cmd, path, args[0], profile, address)
		},
	}
	c.Flags().StringVarP(&path, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	c.Flags().StringVar(&profile, "profile", "", "`NAME` of the profile that says which endpoints exist for the peer (required)")
	c.Flags().StringVar(&address, "address", "", "`IP` of the peer inside the tunnel (default: the next free one)")
	return c
}

func addPeer(cmd *cobra.Command, path, name, profile, address string) error {
	if profile == "" {
		return usageError{errors.New("--profile is required: it says which endpoints exist for the peer")}
	}
	p := config.Peer{Name: config.Text{Value: name}, Profile: config.Text{Value: profile}}
	if address != "" {
		var err error
		if p.Address, err = netip.ParseAddr(address); err != nil {
			return usageError{fmt.Errorf("--address: %w", err)}
		}
	}
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	if !cfg.Gateway.Address.IsSet() {
		return fmt.Errorf("%s: gateway.address is not set; it says where agents find the gateway, host:port, and goes into the peer's configuration", path)
	}
	gatewayKey, err := gateway.Key(cfg)
	if err != nil {
		return err
	}
	private := tunnel.NewPrivateKey()
	p.PublicKey = [32]byte(private.Public())
	added, err := config.AddPeer(path, p)
	if err != nil {
		return err
	}
	network := cfg.Gateway.Network
	address6 := tunnel.PeerAddress6(network, added.Address)
	out := &wgquick.Config{
		Interface: wgquick.Interface{
			PrivateKey: wgquick.Key(private),
			Address:    []netip.Prefix{netip.PrefixFrom(added.Address, 32), netip.PrefixFrom(address6, 128)},
			DNS:        []netip.Addr{config.GatewayAddress(network)},
			MTU:        tunnel.DefaultMTU,
		},
		Peer: wgquick.Peer{
			PublicKey:           wgquick.Key(gatewayKey.Public()),
			Endpoint:            cfg.Gateway.Address.Value,
			AllowedIPs:          []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
			PersistentKeepalive: 25,
		},
	}
	if err := out.Write(cmd.OutOrStdout()); err != nil {
		return fmt.Errorf("the peer was added to %s, but its configuration and with it its private key are lost: %w; remove the [[peer]] table %q and add it again",
			path, err, name)
	}
	notes(cmd, path, added)
	return nil
}

// notes says on standard error what is probably not meant.
func notes(cmd *cobra.Command, path string, added config.Peer) {
	note := cmd.ErrOrStderr()
	if f, ok := cmd.OutOrStdout().(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			fmt.Fprintln(note, "sallyport: note: others can read the file that this was written to, and it holds the peer's private key: chmod 600 it")
		}
	}
	cfg, err := loadConfig(path)
	if err != nil {
		return // it was whole a moment ago: somebody is editing it
	}
	for _, w := range cfg.Warnings {
		if w.Line == added.Profile.Pos.Line {
			fmt.Fprintf(note, "sallyport: note: %s\n", w)
		}
	}
}
