// Command pack puts companion modules into a plugin:
//
//	pack -o OUT IN NAME=FILE...
//
// reads the plugin IN, puts each FILE into it as the companion NAME, in place of one that is there under that name, and writes
// OUT, which may be IN. With
//
//	pack -l IN
//
// it lists the companions that IN has: name and size in bytes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/pack"
)

const usage = `usage: pack -o OUT IN NAME=FILE...   put companion modules into a plugin
       pack -l IN                    list those it has
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the exit status: 0, 1 for a failure, 2 for wrong arguments.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("pack", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	out := flags.String("o", "", "")
	list := flags.Bool("l", false, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case *list && *out == "" && flags.NArg() == 1:
	case !*list && *out != "" && flags.NArg() >= 2:
	default:
		flags.Usage()
		return 2
	}
	in := flags.Arg(0)
	var err error
	if *list {
		err = show(stdout, in)
	} else {
		err = put(*out, in, flags.Args()[1:])
	}
	if err != nil {
		fmt.Fprintln(stderr, "pack:", err)
		return 1
	}
	return 0
}

func show(w io.Writer, in string) error {
	module, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	companions, err := pack.List(module)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	for _, c := range companions {
		if _, err := fmt.Fprintf(w, "%s\t%d\n", c.Name, len(c.Module)); err != nil {
			return err
		}
	}
	return nil
}

func put(out, in string, pairs []string) error {
	module, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	var companions []pack.Companion
	for _, pair := range pairs {
		name, file, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("%q is not NAME=FILE", pair)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		companions = append(companions, pack.Companion{Name: name, Module: b})
	}
	packed, err := pack.Put(module, companions...)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	return replace(out, packed)
}

// replace writes a file whole or not at all.
func replace(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
