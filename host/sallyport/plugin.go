package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/conformance"
	"github.com/sallyport-dev/sallyport/host/scaffold"
)

func newPlugin() *cobra.Command {
	c := &cobra.Command{Use: "plugin", Short: "Write, check, measure and pin plugins", Args: subcommand,
		Long: `Commands for those who write plugins, and for those who decide whether to use one. docs/plugins.md is the tutorial.

` + exitCodes,
		Example: `  sallyport plugin new redis --lang go
  sallyport plugin check redis.wasm --fixtures conversations
  sallyport plugin pin sallyport.toml redis`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(newPluginNew(), newPluginCheck(), newPluginInfo(), newPluginBench(), newPluginFuzz(), newPluginReplay(), newPluginPin())
	return c
}

func newPluginNew() *cobra.Command {
	p := scaffold.Project{}
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Write the project of a new plugin",
		Long: `Writes a project that builds, passes its tests and is admitted as it is: a plugin for a protocol with one command on each line,
its conversations, a Makefile and a README. Languages: go, c (clang-16 for WebAssembly), assemblyscript (npm; the slower lane).

A Go project needs Sallyport's repository on this machine, because it is not published: --sdk says where it is. Without --sdk it is
looked for above the working directory and above this command's file. Building it fetches nothing that building Sallyport has not.

` + exitCodes,
		Example: `  sallyport plugin new redis --lang go --sdk ~/src/sallyport
  sallyport plugin new memcache --lang c --dir plugins/memcache`,
		Args: oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Name = args[0]
			if err := p.Check(); err != nil {
				return usageError{err}
			}
			return pluginNew(cmd, p)
		},
	}
	c.Flags().StringVar(&p.Lang, "lang", "go", "the `LANGUAGE`: "+strings.Join(scaffold.Languages(), ", "))
	c.Flags().StringVar(&p.Dir, "dir", "", "the `FOLDER` to write to (default: one of the plugin's name)")
	c.Flags().StringVar(&p.SDK, "sdk", "", "Sallyport's repository, `DIR`, for Go")
	return c
}

func pluginNew(cmd *cobra.Command, p scaffold.Project) error {
	if p.SDK == "" && p.Lang == "go" {
		places := []string{"."}
		if exe, err := os.Executable(); err == nil {
			places = append(places, filepath.Dir(exe))
		}
		p.SDK, _ = scaffold.FindSDK(places...)
	}
	files, err := scaffold.Write(p)
	if err != nil {
		return err
	}
	if p.Dir == "" {
		p.Dir = p.Name
	}
	out := cmd.OutOrStdout()
	for _, f := range files {
		fmt.Fprintln(out, filepath.Join(p.Dir, filepath.FromSlash(f)))
	}
	_, err = fmt.Fprintf(out, "next: cd %s && make && make test && sallyport plugin check %s.wasm --fixtures conversations\n", p.Dir, p.Name)
	return err
}

func newPluginInfo() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "info FILE",
		Short: "Show what a plugin is, declares and wants",
		Long: `Shows what the module imports, exports and declares, read without running it, and then its manifest: the actions that rules can
be about, with every field, the options of an endpoint, the login slots. Nothing runs that is not metered; no connection is made.

` + exitCodes,
		Example: `  sallyport plugin info redis.wasm
  sallyport plugin info --json redis.wasm | jq .manifest.families`,
		Args: oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return pluginInfo(cmd, args[0], asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object instead of lines")
	return c
}

func pluginInfo(cmd *cobra.Command, path string, asJSON bool) error {
	wasm, err := conformance.ReadModule(path)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	listing, err := conformance.List(wasm)
	if err != nil {
		listing.Print(out, path)
		return err
	}
	m, err := conformance.Load(cmd.Context(), pluginName(path), wasm, moduleOptions())
	if err != nil {
		if !asJSON {
			listing.Print(out, path)
		}
		return err
	}
	if asJSON {
		err = printJSON(out, map[string]any{"file": path, "module": listing, "manifest": m.Manifest})
	} else {
		listing.Print(out, path)
		conformance.PrintManifest(out, m.Manifest)
	}
	if closed := m.Close(); err == nil {
		err = closed
	}
	return err
}

// pluginName is what a plugin from a file is called in messages.
func pluginName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func newPluginPin() *cobra.Command {
	c := &cobra.Command{
		Use:   "pin CONFIG [NAME]",
		Short: "Write the sha256 of plugins into a configuration",
		Long: `Writes the SHA-256 of each plugin's file (or of the one named) into the configuration, where it stands or ought to stand; all else
in the file stays as it is. A gateway whose configuration pins another file than the one that is there does not start, and says both
digests. Pin a file once you have checked it, and again when you have checked its next version.

` + exitCodes,
		Example: `  sallyport plugin pin sallyport.toml
  sallyport plugin pin sallyport.toml redis`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				args = args[:1]
			}
			return oneArg("CONFIG")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) > 1 {
				name = args[1]
			}
			pins, err := config.Pin(args[0], name)
			if err != nil {
				return err
			}
			for _, p := range pins {
				note := ""
				if p.Before == p.SHA256 {
					note = " (as it was)"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s %x %s%s\n", p.Name, p.SHA256, p.Path, note)
			}
			return nil
		},
	}
	return c
}
