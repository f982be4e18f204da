package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/plugins"
)

func newServe() *cobra.Command {
	var logFormat string
	var verbose bool
	c := &cobra.Command{
		Use:   "serve CONFIG",
		Short: "Run the gateway",
		Long: `Runs the gateway until it gets SIGINT or SIGTERM; then connections are reset and it ends. Needs no root: WireGuard and
the network stack are part of the process. It logs to standard error; "ready" is logged when agents can connect. A peer that
is added while it runs is known after a restart.

` + exitCodes,
		Example: `  sallyport serve /etc/sallyport/sallyport.toml
  sallyport serve --log-format json sallyport.toml 2>>gateway.log`,
		Args: oneArg("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := newLogger(cmd.ErrOrStderr(), logFormat, verbose)
			if err != nil {
				return usageError{err}
			}
			return serve(cmd, args[0], log)
		},
	}
	c.Flags().StringVar(&logFormat, "log-format", "text", "how log lines look: `text` or json")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "log what WireGuard does as well")
	return c
}

func newLogger(w io.Writer, format string, verbose bool) (*slog.Logger, error) {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		o.Level = slog.LevelDebug
	}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, fmt.Errorf("--log-format %q: it is text or json", format)
}

func serve(cmd *cobra.Command, path string, log *slog.Logger) error {
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		log.Warn(w.String())
	}
	if err := gateway.MakeState(cfg); err != nil {
		return err
	}
	a, err := gateway.Assemble(cmd.Context(), cfg, gateway.Options{
		CacheDir: filepath.Join(cfg.Gateway.State, "cache"),
		Logger:   log,
		Version:  "sallyport " + version,
		Progress: func(what string) { log.Info("loading", "what", what) },
	})
	if err != nil {
		return err
	}
	return errors.Join(a.Serve(cmd.Context(), nil), a.Close())
}

// loadConfig reads a configuration with the plugins that this command carries.
func loadConfig(path string) (*config.Config, error) {
	return config.Load(path, config.Known{Builtins: plugins.Names()})
}
