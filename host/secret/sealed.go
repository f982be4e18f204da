package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
)

// MaxSealed bounds a sealed file, in bytes, and MaxRecipients who can open it.
const (
	MaxSealed     = 4 << 20
	MaxRecipients = 64
)

// Sealed is what a sealed file holds: secrets by name. The file is one of age (age-encryption.org/v1) in armor, so that it can be kept
// in git and opened with `age -d` in an emergency; inside is JSON of the form
//
//	{"sallyport-sealed": 1, "secrets": {"NAME": {"value": "BASE64", "changed": "2026-11-23T06:00:00Z"}}}
//
// Names are inside as well: what a company has secrets for is not for everybody who reads its repository.
type Sealed struct {
	secrets map[string]sealedSecret
}

type sealedSecret struct {
	Value   []byte    `json:"value"`
	Changed time.Time `json:"changed"`
}

type sealedFile struct {
	Version int                     `json:"sallyport-sealed"`
	Secrets map[string]sealedSecret `json:"secrets"`
}

// SealedName is a secret of a sealed file, without its value.
type SealedName struct {
	Name    string
	Changed time.Time
}

// CheckName says what is wrong with a name for a secret of a sealed file.
func CheckName(name string) error {
	ok := name != "" && len(name) <= 64 && name[0] != '.' && name[0] != '-'
	for _, c := range []byte(name) {
		ok = ok && (c == '_' || c == '-' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
	}
	if !ok {
		return errors.New("the name of a sealed secret has 1 to 64 letters, digits, dots, dashes and underscores, and begins with none of the first two")
	}
	return nil
}

// CheckValue says what is wrong with a value for a secret of a sealed file.
func CheckValue(value []byte) error {
	switch {
	case len(value) == 0:
		return errors.New("the value is empty")
	case len(value) > MaxSize:
		return fmt.Errorf("the value is larger than %d KiB", MaxSize>>10)
	case bytes.IndexByte(value, 0) >= 0:
		return errors.New("the value contains a zero byte")
	case bytes.ContainsAny(value, "\r\n") && !bytes.HasPrefix(value, []byte("-----BEGIN ")):
		return errors.New("the value has more than one line, which only a key in PEM may have")
	}
	return nil
}

// Names are the secrets, sorted.
func (s *Sealed) Names() []SealedName {
	var all []SealedName
	for name, v := range s.secrets {
		all = append(all, SealedName{name, v.Changed})
	}
	slices.SortFunc(all, func(a, b SealedName) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Has reports whether there is a secret of a name.
func (s *Sealed) Has(name string) bool { _, ok := s.secrets[name]; return ok }

// Equal reports whether the secret of a name has a value.
func (s *Sealed) Equal(name string, value []byte) bool {
	return s.Has(name) && bytes.Equal(s.secrets[name].Value, value)
}

// Set gives a secret a value, which Sealed owns from then on.
func (s *Sealed) Set(name string, value []byte) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if err := CheckValue(value); err != nil {
		return fmt.Errorf("secret %s: %w", name, err)
	}
	if s.secrets == nil {
		s.secrets = map[string]sealedSecret{}
	}
	clear(s.secrets[name].Value)
	s.secrets[name] = sealedSecret{value, time.Now().UTC().Truncate(time.Second)}
	return nil
}

// Remove takes a secret out.
func (s *Sealed) Remove(name string) {
	clear(s.secrets[name].Value)
	delete(s.secrets, name)
}

// Wipe overwrites all values.
func (s *Sealed) Wipe() {
	for _, v := range s.secrets {
		clear(v.Value)
	}
	s.secrets = nil
}

// Identity opens a sealed file.
type Identity struct {
	all        []age.Identity
	passphrase string // of a file that is sealed with one
	work       int    // of trying it, a power of two
}

// ReadIdentity reads identities as age-keygen writes them (AGE-SECRET-KEY-…, a line each, # begins a comment), or a private key of SSH.
func ReadIdentity(text []byte) (*Identity, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("-----BEGIN ")) {
		id, err := agessh.ParseIdentity(text)
		if err != nil {
			return nil, errors.New("the private key of SSH cannot be read: it has to be ed25519 or RSA, without a passphrase")
		}
		return &Identity{all: []age.Identity{id}}, nil
	}
	all, err := age.ParseIdentities(bytes.NewReader(text))
	if err != nil || len(all) == 0 { // the error may repeat a line
		return nil, errors.New("it holds no identity: `age-keygen` makes one, a line that begins with AGE-SECRET-KEY-")
	}
	return &Identity{all: all}, nil
}

// scryptWork makes trying a passphrase take about a second and 256 MiB, as the command age does.
const scryptWork = 18

// PassphraseIdentity is the identity of who knows a passphrase.
func PassphraseIdentity(passphrase []byte) (*Identity, error) {
	id, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, errors.New("the passphrase is empty")
	}
	id.SetMaxWorkFactor(20)
	return &Identity{all: []age.Identity{id}, passphrase: string(passphrase), work: scryptWork}, nil
}

// IsPassphrase reports whether it is a passphrase.
func (id *Identity) IsPassphrase() bool { return id.passphrase != "" }

// OpenSealed reads the sealed file at path.
func OpenSealed(path string, id *Identity) (*Sealed, error) {
	text, err := readBounded(path, MaxSealed)
	if err != nil {
		return nil, fmt.Errorf("sealed file %s: %w", path, err)
	}
	s, err := unseal(text, id)
	if err != nil {
		return nil, fmt.Errorf("sealed file %s: %w", path, err)
	}
	return s, nil
}

func readBounded(path string, limit int64) ([]byte, error) {
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
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("it is larger than %d MiB", limit>>20)
	}
	return text, nil
}

// unseal opens the text of a sealed file.
func unseal(text []byte, id *Identity) (*Sealed, error) {
	if !bytes.HasPrefix(text, []byte(armor.Header)) {
		return nil, errors.New("it is no armored file of age (its first line is not " + armor.Header + ")")
	}
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(text)), id.all...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none) && id.passphrase != "":
		return nil, errors.New("the passphrase does not open it")
	case errors.As(err, &none):
		return nil, errors.New("the identity does not open it: it is sealed for others (`sallyport secret reencrypt`, run by one of them, adds a recipient)")
	case err != nil:
		return nil, fmt.Errorf("it is damaged or cut short: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, MaxSealed))
	defer clear(plain)
	if err != nil {
		return nil, fmt.Errorf("it is damaged or cut short: %w", err)
	}
	return readSealed(plain)
}

// readSealed reads what is inside of a sealed file. Errors do not repeat it.
func readSealed(plain []byte) (*Sealed, error) {
	var in sealedFile
	d := json.NewDecoder(bytes.NewReader(plain))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || d.More() {
		return nil, errors.New("what is sealed in it is not of the form that `sallyport secret` writes")
	}
	if in.Version != 1 {
		return nil, fmt.Errorf("what is sealed in it has version %d, this gateway knows 1", in.Version)
	}
	s := &Sealed{secrets: in.Secrets}
	for name, v := range in.Secrets {
		err := CheckName(name)
		if err == nil {
			err = CheckValue(v.Value)
		}
		if err != nil {
			s.Wipe()
			return nil, fmt.Errorf("one of its secrets is not as it should be: %w", err)
		}
	}
	return s, nil
}

// Recipients are who a file is sealed for.
type Recipients []age.Recipient

// ParseRecipients reads public keys of age (age1…) and of SSH (ssh-ed25519, ssh-rsa), one in each text.
func ParseRecipients(texts []string) (Recipients, error) {
	var all Recipients
	for _, text := range texts {
		var r age.Recipient
		var err error
		switch {
		case strings.HasPrefix(text, "ssh-"):
			r, err = agessh.ParseRecipient(text)
		case strings.HasPrefix(text, "AGE-SECRET-KEY-"):
			return nil, errors.New("a recipient is a public key (age1…); this is an identity, which belongs to whoever opens the file and into no configuration")
		default:
			var some []age.Recipient
			if some, err = age.ParseRecipients(strings.NewReader(text)); err == nil && len(some) != 1 {
				err = errors.New("more than one key")
			} else if err == nil {
				r = some[0]
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%.24q… is no recipient: it has to be a public key of age (age1…, `age-keygen -y` prints it) or of SSH (ssh-ed25519, ssh-rsa)", text)
		}
		all = append(all, r)
	}
	return all, nil
}

// Write seals s for recipients, or with the passphrase of id where there are none, and puts it in the place of the file at path: at once, mode
// 0600, or not at all. The file is opened with id before, so that nobody locks himself out; check false leaves that out.
func (s *Sealed) Write(path string, recipients Recipients, id *Identity, check bool) error {
	text, err := s.seal(recipients, id)
	if err != nil {
		return err
	}
	if check {
		again, err := unseal(text, id)
		if err != nil {
			return fmt.Errorf("what would be written could not be read again: %w", err)
		}
		again.Wipe()
	}
	return replace(path, text)
}

func (s *Sealed) seal(recipients Recipients, id *Identity) ([]byte, error) {
	if len(recipients) == 0 {
		if id == nil || id.passphrase == "" {
			return nil, errors.New("there is nobody to seal it for: write recipients into [secrets]")
		}
		r, err := age.NewScryptRecipient(id.passphrase)
		if err != nil {
			return nil, err
		}
		r.SetWorkFactor(id.work)
		recipients = Recipients{r}
	}
	inner := sealedFile{Version: 1, Secrets: s.secrets}
	if inner.Secrets == nil {
		inner.Secrets = map[string]sealedSecret{}
	}
	plain, err := json.MarshalIndent(inner, "", " ")
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, recipients...)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), a.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// replace writes a file whole or not at all.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".sealed-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	if d, err := os.Open(filepath.Dir(path)); err == nil {
		defer d.Close()
		_ = d.Sync()
	}
	return nil
}
