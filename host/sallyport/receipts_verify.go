package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/host/receipt"
)

func newVerify() *cobra.Command {
	var from source
	var keys []string
	var anchor string
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Verify that no receipt was changed, removed, inserted or moved",
		Long: `Recomputes the chain of hashes over all files, checks the signatures of checkpoints, and names the first line that does not
fit. Without --key the keys are taken from the file beside the receipts (receipts.pub), which whoever changes the receipts may be
able to change too. Lines that were cut off at the end can only be found with --anchor: the file or what the receiver of the
configuration's anchor has stored.

` + exitCodes,
		Example: `  sallyport receipts verify --config sallyport.toml
  sallyport receipts verify --dir /backup/receipts --key key.pub --anchor /mnt/elsewhere/sallyport.anchor`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, single, err := from.path()
			if err != nil {
				return err
			}
			o := receipt.VerifyOptions{Single: single}
			if o.Keys, err = publicKeys(keys); err != nil {
				return err
			}
			if anchor != "" {
				f, err := os.Open(anchor)
				if err != nil {
					return fmt.Errorf("the anchor: %w", err)
				}
				defer f.Close()
				o.Anchor = f
			}
			return verify(cmd, path, o, asJSON)
		},
	}
	from.flags(c)
	c.Flags().StringArrayVar(&keys, "key", nil, "a public `KEY` as `sallyport receipts key` prints it, or a file of them; can be repeated")
	c.Flags().StringVar(&anchor, "anchor", "", "a `FILE` of checkpoints that were kept elsewhere")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return c
}

// publicKeys reads keys, and files of them.
func publicKeys(words []string) ([]receipt.PublicKey, error) {
	var all []receipt.PublicKey
	for _, w := range words {
		k, err := receipt.ParseKey(w)
		if err == nil {
			all = append(all, k)
			continue
		}
		in, unread := receipt.ReadKeys(w)
		switch {
		case errors.Is(unread, fs.ErrNotExist):
			return nil, usageError{fmt.Errorf("--key %s: %w, and there is no such file", w, err)}
		case unread != nil:
			return nil, fmt.Errorf("--key: %w", unread)
		case len(in) == 0:
			return nil, fmt.Errorf("--key %s: there is no key in it", w)
		}
		all = append(all, in...)
	}
	return all, nil
}

func verify(cmd *cobra.Command, path string, o receipt.VerifyOptions, asJSON bool) error {
	r, err := receipt.VerifyWith(path, o)
	var bad *receipt.BadLine
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	out := cmd.OutOrStdout()
	switch {
	case asJSON:
		problem := ""
		if bad != nil {
			problem = bad.Error()
		}
		if err := json.NewEncoder(out).Encode(map[string]any{"ok": bad == nil, "problem": problem, "files": r.Files, "first": r.First, "records": r.Records,
			"last_hash": r.Hash, "torn": r.Torn, "removed_files": r.Removed, "checkpoints": r.Checkpoints, "signatures_checked": r.Checkpoints > 0 && !r.Unchecked,
			"unsigned": r.Unsigned, "anchored": r.Anchored, "foreign_anchored": r.Foreign}); err != nil {
			return err
		}
	case bad == nil:
		fmt.Fprintf(out, "%s: %d records, the chain is whole, the last hash is %s\n", path, r.Records, r.Hash)
		fmt.Fprint(out, about(&r, o.Anchor != nil))
	default:
		fmt.Fprintf(out, "%v\n", bad)
	}
	if bad != nil {
		return status(exitFailure)
	}
	return nil
}

// about says what a good result rests on.
func about(r *receipt.Result, anchor bool) string {
	var b strings.Builder
	if r.First > 0 {
		fmt.Fprintf(&b, "they begin with record %d; files before it are not here\n", r.First)
	}
	if r.Torn > 0 {
		fmt.Fprintf(&b, "incomplete last lines that a crash left were set aside: %d\n", r.Torn)
	}
	if r.Removed > 0 {
		fmt.Fprintf(&b, "files that retention removed: %d\n", r.Removed)
	}
	switch {
	case r.Checkpoints == 0:
		b.WriteString("there are no checkpoints: nothing is signed\n")
	case r.Unchecked:
		fmt.Fprintf(&b, "checkpoints: %d, not checked: there is no key; name it with --key\n", r.Checkpoints)
	default:
		fmt.Fprintf(&b, "checkpoints: %d, every signature is right; %d records behind the last one are not signed yet\n", r.Checkpoints, r.Unsigned)
	}
	if anchor {
		fmt.Fprintf(&b, "anchored checkpoints: %d found, up to record %d\n", r.Anchored, r.AnchoredTo-1)
	}
	if r.Foreign > 0 {
		fmt.Fprintf(&b, "the anchor has %d checkpoints of other logs\n", r.Foreign)
	}
	return b.String()
}

func newReceiptsKey() *cobra.Command {
	var config string
	c := &cobra.Command{
		Use:   "key",
		Short: "Print the public key that checkpoints are verified with",
		Long: `Prints the public key of the gateway's checkpoints. Keep it where those cannot change it who can change the receipts, and give it
to 'sallyport receipts verify --key'. The private key is made when the gateway starts for the first time.

` + exitCodes,
		Example: `  sallyport receipts key --config sallyport.toml > key.pub`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(config)
			if err != nil {
				return err
			}
			path := gateway.ReceiptsKey(cfg)
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("there is no key yet: %s does not exist; `sallyport serve %s` makes it", path, config)
			}
			key, err := receipt.LoadKey(path)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), receipt.Public(key))
			return err
		},
	}
	c.Flags().StringVarP(&config, "config", "c", defaultConfig, "the gateway's configuration `FILE`")
	return c
}
