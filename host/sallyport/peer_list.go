package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/console"
)

// Peers are the peers of the running gateway.
func (o *operator) Peers() ([]console.Peer, error) {
	peers, err := o.running.Peers()
	if err != nil {
		return nil, err
	}
	list := make([]console.Peer, 0, len(peers))
	for _, p := range peers {
		c := console.Peer{Name: p.Name, Address: p.Address, Received: p.Received, Sent: p.Sent, Connections: p.Connections}
		if p.Endpoint.IsValid() {
			c.Endpoint = p.Endpoint.String()
		}
		if !p.Handshake.IsZero() {
			at := p.Handshake.UTC()
			c.Handshake = &at
		}
		list = append(list, c)
	}
	return list, nil
}

func newPeerList() *cobra.Command {
	var path string
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the peers of a configuration, and what they do in the running gateway",
		Long: `Lists the peers of a configuration. If the gateway runs, also how long ago each peer's last handshake was (a peer that sends anything
makes one every two minutes), the bytes that were received from it and sent to it, its open connections, and the address that it
was last heard from. A peer that is "not loaded" was added since: 'sallyport reload' makes the gateway know it.

` + exitCodes,
		Example: "  sallyport peer list --config /etc/sallyport/sallyport.toml",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return listPeers(cmd, path, asJSON) },
	}
	c.Flags().StringVarP(&path, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON array instead of a table")
	return c
}

// listedPeer is a line of the list.
type listedPeer struct {
	Name      string        `json:"name"`
	Profile   string        `json:"profile"`
	Address   netip.Addr    `json:"address"`
	PublicKey string        `json:"public_key"`
	Running   *console.Peer `json:"running,omitempty"`
}

func listPeers(cmd *cobra.Command, path string, asJSON bool) error {
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	running, isRunning := runningPeers(cmd, cfg)
	peers := []listedPeer{}
	for _, p := range cfg.Peers {
		listed := listedPeer{Name: p.Name.Value, Profile: p.Profile.Value, Address: p.Address, PublicKey: base64.StdEncoding.EncodeToString(p.PublicKey[:])}
		if r, ok := running[listed.Name]; ok {
			listed.Running = &r
		}
		peers = append(peers, listed)
	}
	if asJSON {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(peers)
	}
	if !isRunning {
		return printPeers(cmd.OutOrStdout(), peers)
	}
	return printRunningPeers(cmd.OutOrStdout(), peers, time.Now())
}

// runningPeers asks the gateway, if it runs, for its peers by name.
func runningPeers(cmd *cobra.Command, cfg *config.Config) (peers map[string]console.Peer, isRunning bool) {
	client := console.NewClient(cfg.Gateway.State)
	defer client.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute)
	defer cancel()
	list, err := client.Peers(ctx)
	if err != nil {
		if !errors.Is(err, console.ErrNotRunning) {
			fmt.Fprintf(cmd.ErrOrStderr(), "sallyport: note: what the peers do is not known: %v\n", err)
		}
		return nil, false
	}
	peers = map[string]console.Peer{}
	for _, p := range list {
		peers[p.Name] = p
	}
	return peers, true
}

func printPeers(out io.Writer, peers []listedPeer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tPROFILE\tADDRESS\tPUBLIC KEY")
	for _, p := range peers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Name, p.Profile, p.Address, p.PublicKey)
	}
	return w.Flush()
}

func printRunningPeers(out io.Writer, peers []listedPeer, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tPROFILE\tADDRESS\tPUBLIC KEY\tHANDSHAKE\tRECEIVED\tSENT\tCONNECTIONS\tHEARD FROM")
	for _, p := range peers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t", p.Name, p.Profile, p.Address, p.PublicKey)
		r := p.Running
		if r == nil {
			fmt.Fprintln(w, "not loaded\t\t\t\t")
			continue
		}
		heard := r.Endpoint
		if heard == "" {
			heard = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", age(r.Handshake, now), byteCount(r.Received), byteCount(r.Sent), r.Connections, heard)
	}
	return w.Flush()
}

// age is how long ago something was, in whole seconds.
func age(at *time.Time, now time.Time) string {
	if at == nil {
		return "never"
	}
	return max(0, now.Sub(*at)).Truncate(time.Second).String() + " ago"
}

// byteCount writes a number of bytes with a unit.
func byteCount(n uint64) string {
	for _, u := range []struct {
		size uint64
		name string
	}{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if n >= u.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.size), u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
