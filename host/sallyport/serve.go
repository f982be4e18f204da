package main

import (
	"context"
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
	var logFormat, record string
	var verbose bool
	c := &cobra.Command{
		Use:   "serve CONFIG",
		Short: "Run the gateway",
		Long: `Runs the gateway until it gets SIGINT or SIGTERM; then connections are reset and it ends. Needs no root: WireGuard and
the network stack are part of the process. It logs to standard error; "ready" is logged when agents can connect. SIGHUP, or
'sallyport reload', has it read its configuration again.

` + exitCodes,
		Example: `  sallyport serve /etc/sallyport/sallyport.toml
  sallyport serve --log-format json sallyport.toml 2>>gateway.log
  sallyport serve --record recordings sallyport.toml`,
		Args: oneArg("CONFIG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := newLogger(cmd.ErrOrStderr(), logFormat, verbose)
			if err != nil {
				return usageError{err}
			}
			return serve(cmd, args[0], record, log)
		},
	}
	c.Flags().StringVar(&logFormat, "log-format", "text", "how log lines look: `text` or json")
	c.Flags().StringVar(&record, "record", "", "write what each connection's plugin is shown and says into a file of its own in `DIR`; confidential, see docs/plugins.md")
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

func serve(cmd *cobra.Command, path, record string, log *slog.Logger) error {
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
	if record != "" {
		if err := gateway.MakeRecordings(record); err != nil {
			return err
		}
	}
	if err := noCore(); err != nil {
		log.Warn("secrets could end up in a core file", "error", err)
	}
	o := newOperator(path, log)
	defer o.stop()
	a, err := gateway.Assemble(cmd.Context(), cfg, gateway.Options{
		Record:     record,
		CacheDir:   filepath.Join(cfg.Gateway.State, "cache"),
		Logger:     log,
		Version:    "sallyport " + version,
		Passphrase: passphrase(cmd, false),
		Progress:   func(what string) { log.Info("loading", "what", what) },
	})
	if err != nil {
		return err
	}
	for _, w := range a.Warnings() {
		log.Warn(w.String())
	}
	ctx, stop := context.WithCancel(cmd.Context())
	err = a.Serve(cmd.Context(), func(r gateway.Running) { o.start(ctx, cfg.Gateway.State, r) })
	stop()
	o.stop()
	return errors.Join(err, a.Close())
}

// loadConfig reads a configuration with the plugins that this command carries.
func loadConfig(path string) (*config.Config, error) {
	return config.Load(path, config.Known{Builtins: plugins.Names(), Packs: gateway.KnownPacks()})
}
