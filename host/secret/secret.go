// Package secret resolves references to secrets and keeps their values out of everything that is printed.
//
// A configuration never holds a secret, only a reference to one:
//
//	env:NAME                   the value of the environment variable NAME
//	file:PATH                  the contents of a file, one line end at the end removed
//	cmd:PATH ARGUMENT…         what a command prints, one line
//	exec-credential:PATH …     the token that a credential plugin of Kubernetes prints
//	sealed:NAME                a secret of the sealed file, see [Sealed]
//
// A reference resolves to a Secret; [Store] does that for all of them. A Secret prints as secret(env:NAME) in every form that fmt,
// encoding/json and log/slog know, also inside other values; Reveal is the one way to the value, so that a search for it finds
// every place that a value can leave by.
package secret

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// MaxSize bounds a secret's value, in bytes.
const MaxSize = 64 << 10

const (
	schemeEnv            = "env"
	schemeFile           = "file"
	schemeCommand        = "cmd"
	schemeExecCredential = "exec-credential"
	schemeSealed         = "sealed"
)

// Reference says where a secret is. It holds no secret and may be printed. The zero Reference refers to nothing.
type Reference struct {
	scheme, place string
}

// ParseReference reads a reference. A relative path is taken from dir; with an empty dir it is refused. Errors
// never repeat the text, because the commonest mistake is to write the secret itself where its reference belongs.
func ParseReference(text, dir string) (Reference, error) {
	scheme, place, ok := strings.Cut(text, ":")
	switch {
	case ok && scheme == schemeEnv:
		if !envName(place) {
			return Reference{}, errors.New("an env: reference needs the name of an environment variable (letters, digits and underscores), such as env:SALLYPORT_KEY")
		}
		return Reference{schemeEnv, place}, nil
	case ok && scheme == schemeFile:
		switch {
		case place == "":
			return Reference{}, errors.New("a file: reference needs a path, such as file:/etc/sallyport/gateway.key")
		case strings.ContainsRune(place, 0):
			return Reference{}, errors.New("the path of a file: reference contains a zero byte")
		case filepath.IsAbs(place):
			return Reference{schemeFile, filepath.Clean(place)}, nil
		case dir == "":
			return Reference{}, errors.New("a file: reference needs an absolute path here, such as file:/etc/sallyport/gateway.key")
		}
		return Reference{schemeFile, filepath.Join(dir, place)}, nil
	case ok && (scheme == schemeCommand || scheme == schemeExecCredential):
		line, err := commandLine(scheme, place)
		if err != nil {
			return Reference{}, err
		}
		return Reference{scheme, line}, nil
	case ok && scheme == schemeSealed:
		if CheckName(place) != nil {
			return Reference{}, errors.New("a sealed: reference needs a name of letters, digits, dots, dashes and underscores, such as sealed:prod-db")
		}
		return Reference{schemeSealed, place}, nil
	}
	return Reference{}, errors.New("a secret is given as a reference, env:NAME, file:PATH, cmd:COMMAND or sealed:NAME, never as its value")
}

func envName(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// String returns the reference in the form in which it was written, with an absolute path.
func (r Reference) String() string {
	if r.IsZero() {
		return "none"
	}
	return r.scheme + ":" + r.place
}

// IsZero reports whether r refers to nothing.
func (r Reference) IsZero() bool { return r == Reference{} }

// IsPlain reports whether r leads to the environment or a file, which can be read without a [Store].
func (r Reference) IsPlain() bool { return r.scheme == schemeEnv || r.scheme == schemeFile }

// Resolve reads a secret of the environment or of a file; see [Store.Resolve], which reads others too.
func (r Reference) Resolve() (Secret, error) {
	value, err := r.read()
	if err != nil {
		return Secret{}, fmt.Errorf("resolve secret %s: %w", r, err)
	}
	defer clear(value)
	return newSecret(r, value), nil
}

func (r Reference) read() ([]byte, error) {
	switch r.scheme {
	case schemeEnv:
		return fromEnv(r.place)
	case schemeFile:
		return fromFile(r.place)
	case schemeSealed, schemeCommand, schemeExecCredential:
		return nil, errors.New("here only env: and file: can be used")
	}
	return nil, errors.New("the reference is empty")
}

// newSecret keeps a copy of value.
func newSecret(r Reference, value []byte) Secret {
	h := hold(value)
	return Secret{ref: r, reveal: func() []byte {
		defer runtime.KeepAlive(h)
		return bytes.Clone(h.value)
	}}
}

func fromEnv(name string) ([]byte, error) {
	value, ok := os.LookupEnv(name)
	switch {
	case !ok:
		return nil, errors.New("the environment variable is not set: set it in the environment of the gateway")
	case value == "":
		return nil, errors.New("the environment variable is empty")
	case len(value) > MaxSize:
		return nil, fmt.Errorf("the environment variable is larger than %d KiB", MaxSize>>10)
	}
	return []byte(value), nil
}

func fromFile(path string) ([]byte, error) {
	// Looking before opening: opening a named pipe would wait for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileError(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(err)
	}
	defer f.Close()
	// The mode that counts is that of what was opened.
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if err := private(path, info); err != nil {
		return nil, err
	}
	value, err := io.ReadAll(io.LimitReader(f, MaxSize+3))
	if err != nil {
		return nil, err
	}
	if n := len(value); n > 0 && value[n-1] == '\n' {
		value = value[:n-1]
		if n > 1 && value[n-2] == '\r' {
			value = value[:n-2]
		}
	}
	switch {
	case len(value) > MaxSize:
		return nil, fmt.Errorf("the file is larger than %d KiB", MaxSize>>10)
	case len(value) == 0:
		return nil, errors.New("the file is empty")
	}
	return value, nil
}

// fileError leaves out the path, which the reference names already.
func fileError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the file does not exist")
	}
	var perr *fs.PathError
	if errors.As(err, &perr) {
		return fmt.Errorf("%s: %w", perr.Op, perr.Err)
	}
	return err
}

// private refuses files that anybody may read or write, or that a group may write. A group may read: that is how orchestrators
// hand secrets to an unprivileged process.
func private(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if mode := info.Mode().Perm(); mode&0o026 != 0 {
		return fmt.Errorf("the file's mode is %#o, so others can read or change it: run chmod 600 %q", mode, path)
	}
	return nil
}

// Secret is a resolved secret. Copies share its value. The zero Secret is empty.
type Secret struct {
	ref Reference
	// A function, because fmt prints the fields of a value inside an unexported field without asking its methods, and follows
	// pointers there when a verb does not fit. It cannot look into a function.
	reveal func() []byte
	// watched gives the canaries of a test, in the same way; nil: there are none.
	watched func() *Wanted
}

func (s Secret) canaries() *Wanted {
	if s.watched == nil {
		return nil
	}
	return s.watched()
}

// Reveal returns a copy of the value. Whoever calls it answers for where the value goes.
func (s Secret) Reveal() []byte {
	if s.reveal == nil {
		return nil
	}
	return s.reveal()
}

// Equal reports whether the value is the given one.
func (s Secret) Equal(value []byte) bool {
	if s.reveal == nil {
		return false
	}
	own := s.Reveal()
	defer clear(own)
	return subtle.ConstantTimeCompare(own, value) == 1
}

// Reference says where the secret came from.
func (s Secret) Reference() Reference { return s.ref }

// String returns where the secret came from, never its value.
func (s Secret) String() string { return "secret(" + s.ref.String() + ")" }

// Format implements fmt.Formatter, so that no verb and no flag prints the value.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText implements encoding.TextMarshaler, which XML, YAML and TOML writers use.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
