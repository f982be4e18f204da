package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/host/secret"
)

func newSecret() *cobra.Command {
	var path string
	c := &cobra.Command{Use: "secret", Short: "Keep secrets in the sealed file", Args: subcommand,
		Long: `Reads and writes the sealed file of the configuration ([secrets] sealed): secrets encrypted with age, which can be kept in git, and
which the configuration refers to as "sealed:NAME". Values are typed at the terminal, which does not show them, or read from standard
input; they are never an argument, which other users of the machine could see. The file changes as a whole or not at all. A running
gateway uses what changed for its next connections.

` + exitCodes,
		Example: `  sallyport secret set prod-db
  sallyport secret set ci-token < token.txt
  sallyport secret list`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.PersistentFlags().StringVarP(&path, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	c.AddCommand(newSecretSet(&path), newSecretRotate(&path), newSecretList(&path), newSecretRemove(&path), newSecretReencrypt(&path), newSecretImport(&path))
	return c
}

func newSecretSet(path *string) *cobra.Command {
	return &cobra.Command{Use: "set NAME", Short: "Add a secret", Args: oneArg("NAME"),
		Long: `Adds a secret to the sealed file, which is made if there is none. A name that is there already is left alone: rotate
gives it another value. Of what standard input has one line end at the end is removed.

` + exitCodes,
		Example: "  sallyport secret set prod-db",
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeSealed(cmd, *path, true, func(f *sealedFile) error {
				if f.Has(args[0]) {
					return fmt.Errorf("%s is in %s already; 'sallyport secret rotate %s' gives it another value", args[0], f.path, args[0])
				}
				return f.read(cmd, args[0])
			})
		}}
}

func newSecretRotate(path *string) *cobra.Command {
	return &cobra.Command{Use: "rotate NAME", Short: "Give a secret another value", Args: oneArg("NAME"),
		Long: `Gives a secret of the sealed file another value. Change it at the server as well: connections that begin between the two
are refused there.

` + exitCodes,
		Example: "  sallyport secret rotate prod-db",
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeSealed(cmd, *path, false, func(f *sealedFile) error {
				if err := f.must(args[0]); err != nil {
					return err
				}
				return f.read(cmd, args[0])
			})
		}}
}

func newSecretRemove(path *string) *cobra.Command {
	return &cobra.Command{Use: "remove NAME", Short: "Remove a secret", Args: oneArg("NAME"),
		Long: `Removes a secret from the sealed file. One that the configuration still refers to stays: without it the gateway would not start.
Older versions of the file, in git for example, still hold the value.

` + exitCodes,
		Example: "  sallyport secret remove prod-db",
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeSealed(cmd, *path, false, func(f *sealedFile) error {
				if err := f.must(args[0]); err != nil {
					return err
				}
				used, err := f.used(args[0])
				if err == nil && used {
					err = fmt.Errorf("%s refers to sealed:%s; take the reference out first", *path, args[0])
				}
				if err == nil {
					f.Remove(args[0])
				}
				return err
			})
		}}
}

func newSecretReencrypt(path *string) *cobra.Command {
	return &cobra.Command{Use: "reencrypt", Short: "Seal the file for the recipients that the configuration has now", Args: noArgs,
		Long: `Seals the same secrets for the recipients of the configuration, or with the passphrase. Run it after recipients changed. Who was
taken off the list has seen the values: rotate them.

` + exitCodes,
		Example: "  sallyport secret reencrypt",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return changeSealed(cmd, *path, false, func(*sealedFile) error { return nil })
		}}
}

func newSecretImport(path *string) *cobra.Command {
	var replace bool
	c := &cobra.Command{Use: "import", Short: "Add several secrets from standard input", Args: noArgs,
		Long: `Reads NAME=VALUE lines, as in a .env file, or one JSON object of names and strings, from standard input, and adds all of them or, when
anything is wrong with one of them, none. In lines, blank ones and those that begin with # are skipped, "export " is dropped, and a value may
stand in single or double quotes, in which nothing is special.

` + exitCodes,
		Example: "  sallyport secret import < .env",
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := readInput(cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer clear(text)
			all, err := secret.ParseImport(text)
			if err != nil {
				return fmt.Errorf("standard input: %w", err)
			}
			return changeSealed(cmd, *path, true, func(f *sealedFile) error {
				for _, s := range all {
					if f.Has(s.Name) && !replace && !f.Equal(s.Name, s.Value) {
						return fmt.Errorf("%s is in %s already, with another value; nothing was imported. --replace takes what is imported", s.Name, f.path)
					}
				}
				for _, s := range all {
					if err := f.Set(s.Name, s.Value); err != nil {
						return err
					}
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "sallyport: %d secrets imported\n", len(all))
				return nil
			})
		}}
	c.Flags().BoolVar(&replace, "replace", false, "give names that are there already the imported values")
	return c
}

func newSecretList(path *string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: "List the secrets, never their values", Args: noArgs,
		Long: `Lists the names of the sealed file, when each value was written last, and whether the configuration refers to it.

` + exitCodes,
		Example: "  sallyport secret list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := openSealed(cmd, *path, false)
			if err != nil {
				return err
			}
			defer f.Wipe()
			return f.list(cmd.OutOrStdout(), asJSON)
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON list")
	return c
}

// sealedFile is the sealed file of a configuration, open.
type sealedFile struct {
	*secret.Sealed
	path       string
	config     string
	recipients secret.Recipients
	id         *secret.Identity
}

// openSealed opens the sealed file, or, where make says so and there is none, begins one.
func openSealed(cmd *cobra.Command, path string, make bool) (*sealedFile, error) {
	cfg, err := loadConfig(path)
	if err != nil {
		return nil, err
	}
	s := &cfg.Secrets
	if s.Sealed == "" {
		return nil, fmt.Errorf(`%s has no sealed file; write sealed = "secrets.age" and identity into [secrets]`, path)
	}
	f := &sealedFile{path: s.Sealed, config: path}
	if f.recipients, err = secret.ParseRecipients(values(s.Recipients)); err != nil {
		return nil, err
	}
	_, err = os.Stat(s.Sealed)
	begin := make && errors.Is(err, fs.ErrNotExist)
	if f.id, err = gateway.Identity(s, passphrase(cmd, begin)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if begin {
		f.Sealed = &secret.Sealed{}
		return f, nil
	}
	f.Sealed, err = secret.OpenSealed(s.Sealed, f.id)
	return f, err
}

func values(texts []config.Text) []string {
	var all []string
	for _, t := range texts {
		all = append(all, t.Value)
	}
	return all
}

// changeSealed opens the file, changes it, and writes it.
func changeSealed(cmd *cobra.Command, path string, make bool, change func(*sealedFile) error) error {
	f, err := openSealed(cmd, path, make)
	if err != nil {
		return err
	}
	defer f.Wipe()
	if len(f.recipients) == 0 && !f.id.IsPassphrase() {
		return fmt.Errorf("%s: [secrets] has no recipients, so nobody could open the file; write the public key of the gateway's identity there (age-keygen -y prints it)", path)
	}
	if err := change(f); err != nil {
		return err
	}
	if err := f.Write(f.path, f.recipients, f.id, true); err != nil {
		return fmt.Errorf("%s stays as it was: %w", f.path, err)
	}
	return nil
}

func (f *sealedFile) must(name string) error {
	if !f.Has(name) {
		return fmt.Errorf("there is no %s in %s; 'sallyport secret list' shows what there is", name, f.path)
	}
	return nil
}

// used says whether the configuration refers to a name.
func (f *sealedFile) used(name string) (bool, error) {
	text, err := os.ReadFile(f.config)
	if err != nil {
		return false, err
	}
	for _, quote := range []string{`"`, `'`} {
		if strings.Contains(string(text), quote+"sealed:"+name+quote) {
			return true, nil
		}
	}
	return false, nil
}

// read takes a value from the terminal or standard input.
func (f *sealedFile) read(cmd *cobra.Command, name string) error {
	if err := secret.CheckName(name); err != nil {
		return usageError{err}
	}
	value, err := readValue(cmd, name)
	if err != nil {
		return err
	}
	if f.Equal(name, value) {
		clear(value)
		return fmt.Errorf("%s has this value already; nothing was written", name)
	}
	return f.Set(name, value)
}

func (f *sealedFile) list(out io.Writer, asJSON bool) error {
	type line struct {
		Name    string `json:"name"`
		Changed string `json:"changed"`
		Used    bool   `json:"used"`
	}
	lines := []line{}
	width := len("NAME")
	for _, s := range f.Names() {
		used, err := f.used(s.Name)
		if err != nil {
			return err
		}
		lines = append(lines, line{s.Name, s.Changed.Format("2006-01-02T15:04:05Z"), used})
		width = max(width, len(s.Name))
	}
	if asJSON {
		return printJSON(out, lines)
	}
	fmt.Fprintf(out, "%-*s  %-20s  %s\n", width, "NAME", "CHANGED", "USED")
	for _, l := range lines {
		fmt.Fprintf(out, "%-*s  %-20s  %s\n", width, l.Name, l.Changed, map[bool]string{true: "yes", false: "no"}[l.Used])
	}
	return nil
}

// maxInput bounds what standard input may have.
const maxInput = secret.MaxSealed / 2

func readInput(in io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = fmt.Errorf("standard input has more than %d MiB", maxInput>>20)
	}
	return slices.Clip(text), err
}
