package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/gateway"
)

func newCA() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "ca",
		Short: "Print the certificate of the gateway's CA",
		Long: `Prints the certificate of the gateway's own certificate authority, in PEM: give it to agents whose programs verify TLS, such
as psql with sslmode=verify-full and sslrootcert. The CA is made at first use, in the gateway's state, and signs nothing but what
agents see when they speak TLS with the gateway. The certificate is no secret; its key never leaves the state. Run it as the
gateway's user, on the gateway's machine.

` + exitCodes,
		Example: `  sallyport ca > gateway-ca.pem
  psql "host=prod-db user=app sslmode=verify-full sslrootcert=gateway-ca.pem"`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(path)
			if err != nil {
				return err
			}
			ca, err := gateway.CertificateAuthority(cfg)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s", ca.PEM())
			return err
		},
	}
	c.Flags().StringVarP(&path, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	return c
}
