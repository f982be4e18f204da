package secret

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// MaxValue bounds what a secret is turned into where it is written into a message, in bytes: servers take header fields of 8 KiB.
const MaxValue = 8 << 10

// Writes says that Write gives what stands for a secret of this form.
func (f Form) Writes() bool { return f.write != nil }

// Signs says that what is written for a secret of this form depends on the request: Sign gives it.
func (f Form) Signs() bool { return f.sign != nil }

// Write is what stands for the secret in a message. Whoever calls it answers for where that goes, and wipes it.
func (f Form) Write(l Login) ([]byte, error) {
	if f.write == nil {
		return nil, fmt.Errorf("a secret of form %s is not written into messages", f.Name)
	}
	b, err := f.write(l)
	switch {
	case err != nil:
		return nil, fmt.Errorf("form %s: %w", f.Name, err)
	case len(b) > MaxValue:
		clear(b)
		return nil, fmt.Errorf("form %s: it becomes longer than %d KiB", f.Name, MaxValue>>10)
	}
	return b, nil
}

// Check finds a secret that its form cannot write, before anybody needs it. Its error does not hold the secret.
func (f Form) Check(l Login) error {
	switch {
	case f.Writes():
		b, err := f.Write(l)
		clear(b)
		return err
	case f.check != nil:
		if err := f.check(l); err != nil {
			return fmt.Errorf("form %s: %w", f.Name, err)
		}
	}
	return nil
}

// Echoes are the values that an upstream might show when it shows what it was sent: the secret, and what it was turned into.
func (f Form) Echoes(l Login) [][]byte {
	all := [][]byte{l.Secret.Reveal()}
	if f.Writes() {
		if b, err := f.Write(l); err == nil {
			_, value, ok := strings.Cut(string(b), " ") // without the name of a scheme
			if ok && f.scheme {
				b = []byte(value)
			}
			all = append(all, b)
		}
	}
	return all
}

func bearerForm() Form {
	return Form{Name: "bearer", scheme: true, write: func(l Login) ([]byte, error) {
		value := l.Secret.Reveal()
		defer clear(value)
		if err := visible(value, ""); err != nil {
			return nil, err
		}
		return append([]byte("Bearer "), value...), nil
	}}
}

// basicForm is RFC 7617: user and password in base64. The user is the credential's, and no secret.
func basicForm() Form {
	return Form{Name: "basic", Needs: []string{"user"}, scheme: true, write: func(l Login) ([]byte, error) {
		value := l.Secret.Reveal()
		defer clear(value)
		switch {
		case strings.Contains(l.User, ":"):
			return nil, errors.New(`the user holds a colon, which would end it: with "basic" a user cannot`)
		case control([]byte(l.User)):
			return nil, errors.New("the user holds control characters")
		case control(value):
			return nil, errControl
		}
		pair := append([]byte(l.User+":"), value...)
		defer clear(pair)
		l.Secret.canaries().add(l.Secret.ref.String()+", the pair of basic authentication", pair)
		return base64.StdEncoding.AppendEncode([]byte("Basic "), pair), nil
	}}
}

// headerForm is the value of a header field as it is.
func headerForm() Form {
	return Form{Name: "header", write: func(l Login) ([]byte, error) {
		value := l.Secret.Reveal()
		err := visible(value, " \t")
		if n := len(value); err == nil && (value[0] == ' ' || value[0] == '\t' || value[n-1] == ' ' || value[n-1] == '\t') {
			err = errors.New("it begins or ends with a blank, which servers remove; was it copied with one too many?")
		}
		if err != nil {
			clear(value)
			return nil, err
		}
		return value, nil
	}}
}

// queryForm is the value of a parameter in a query: everything but what RFC 3986 calls unreserved is written as %XX.
func queryForm() Form {
	return Form{Name: "query", write: func(l Login) ([]byte, error) {
		const hex = "0123456789ABCDEF"
		value := l.Secret.Reveal()
		defer clear(value)
		if control(value) {
			return nil, errControl
		}
		var b []byte
		for _, c := range value {
			if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
				b = append(b, c)
			} else {
				b = append(b, '%', hex[c>>4], hex[c&15])
			}
		}
		return b, nil
	}}
}

var errControl = errors.New("it holds control characters, such as a line end or a zero byte: write it into its file or variable without any")

// control reports control characters: in a message they would end a field and begin another.
func control(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c == 0x7f {
			return true
		}
	}
	return false
}

// visible refuses what is not visible ASCII or one of the others.
func visible(value []byte, others string) error {
	if len(value) == 0 {
		return errors.New("it is empty")
	}
	for _, c := range value {
		switch {
		case c > ' ' && c < 0x7f, strings.IndexByte(others, c) >= 0:
		case c == ' ' || c == '\t':
			return errors.New("it holds a blank, which no token does; was more than the token copied?")
		case c < ' ' || c == 0x7f:
			return errControl
		default:
			return errors.New("it holds characters beyond ASCII, which header fields do not carry")
		}
	}
	return nil
}
