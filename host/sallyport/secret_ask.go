package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// readValue reads a secret: from the terminal, which does not show it, and twice; or all of standard input, without a line end at its end.
func readValue(cmd *cobra.Command, name string) ([]byte, error) {
	if !isTerminal(cmd.InOrStdin()) {
		text, err := readInput(cmd.InOrStdin())
		if err != nil {
			return nil, err
		}
		return bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r")), nil
	}
	return askTwice(cmd, "Value of "+name)
}

// askTwice asks until both answers are the same, three times.
func askTwice(cmd *cobra.Command, what string) ([]byte, error) {
	for range 3 {
		first, err := ask(cmd, what)
		if err != nil {
			return nil, err
		}
		second, err := ask(cmd, "Again")
		same := err == nil && bytes.Equal(first, second)
		clear(second)
		if same {
			return first, nil
		}
		clear(first)
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "sallyport: they differ; once more")
	}
	return nil, errors.New("the answers differ; nothing was written")
}

// ask reads a line from the terminal without showing it.
func ask(cmd *cobra.Command, what string) ([]byte, error) {
	f, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		var err error
		if f, err = os.OpenFile("/dev/tty", os.O_RDWR, 0); err != nil {
			return nil, errors.New("there is no terminal to ask at")
		}
		defer f.Close()
	}
	fmt.Fprint(cmd.ErrOrStderr(), what+": ")
	text, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return nil, fmt.Errorf("read from the terminal: %w", err)
	}
	return text, nil
}

// passphrase asks for the passphrase of the sealed file, the first time it is needed, and remembers it: a gateway opens the file again when it
// changes. anew: the file does not exist yet, so the passphrase is chosen now.
func passphrase(cmd *cobra.Command, anew bool) func() ([]byte, error) {
	var mu sync.Mutex
	var known []byte
	return func() ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		if known == nil {
			question := ask
			if anew {
				question = askTwice
			}
			text, err := question(cmd, "Passphrase of the sealed file")
			if err != nil {
				return nil, err
			}
			known = text
		}
		return bytes.Clone(known), nil
	}
}
