package receipt

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// MaxUnsigned bounds the records between two checkpoints.
const MaxUnsigned = 1000

// keyWord begins a public key where people see it.
const keyWord = "ed25519:"

// PublicKey is what checkpoints are verified with.
type PublicKey ed25519.PublicKey

// String is the key as `sallyport receipts key` prints it and ParseKey reads it.
func (k PublicKey) String() string { return keyWord + base64.StdEncoding.EncodeToString(k) }

// ID names the key in checkpoints: the first 16 hexadecimal digits of its SHA-256.
func (k PublicKey) ID() string {
	sum := sha256.Sum256(k)
	return hex.EncodeToString(sum[:8])
}

// Public is the public half of a key.
func Public(key ed25519.PrivateKey) PublicKey { return PublicKey(key.Public().(ed25519.PublicKey)) }

// ParseKey reads a public key.
func ParseKey(s string) (PublicKey, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(s), keyWord)
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(b) != ed25519.PublicKeySize {
		return nil, errors.New("it is not a key of receipts: ed25519: and 44 characters of base64, as `sallyport receipts key` prints it")
	}
	return b, nil
}

// ReadKeys reads a file of public keys, one on a line.
func ReadKeys(path string) ([]PublicKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var keys []PublicKey
	lines := bufio.NewScanner(io.LimitReader(f, 1<<20))
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		k, err := ParseKey(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		keys = append(keys, k)
	}
	return keys, lines.Err()
}

// KeysFile is the file of the public keys of the log at path, which stands beside it.
func KeysFile(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ".pub" }

// LoadKey reads the key that checkpoints are signed with, and makes it when there is no file: PKCS #8 in PEM, mode 0600.
func LoadKey(path string) (ed25519.PrivateKey, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("the key of checkpoints: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("the key of checkpoints: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the key of checkpoints: %s can be used by others than its owner (mode %04o); chmod 600 it", path, info.Mode().Perm())
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("the key of checkpoints: %s is not PEM", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("the key of checkpoints: %s holds no Ed25519 key", path)
	}
	return key, nil
}

func makeKey(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make the key of checkpoints: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make the key of checkpoints: %w", err)
	}
	if err := create(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return nil, fmt.Errorf("make the key of checkpoints: %w", err)
	}
	return key, nil
}

// create writes a whole new file, durably, or none.
func create(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(path)
}

// loadKey takes the key, and puts its public half beside the receipts for those who verify.
func (l *Log) loadKey() error {
	if l.options.KeyFile == "" {
		return nil
	}
	key, err := LoadKey(l.options.KeyFile)
	if err != nil {
		return err
	}
	public := Public(key)
	l.key, l.keyID = key, public.ID()
	path := KeysFile(l.path)
	known, err := ReadKeys(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if slices.ContainsFunc(known, func(k PublicKey) bool { return bytes.Equal(k, public) }) {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(public.String() + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// statement is what a checkpoint signs: itself but for what follows from it, and by the hash of the record before it everything
// before it.
func statement(id, prev, when string) []byte {
	return []byte("sallyport-checkpoint-1\n" + id + "\n" + prev + "\n" + when + "\n")
}

// sign appends a checkpoint, if there is a key and something to sign. The lock is held.
func (l *Log) sign() bool {
	if l.key == nil || l.next.unsigned == 0 || l.broken != nil {
		return false
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	id := string(l.encoder.appendID(nil, l.next.seq))
	sig := ed25519.Sign(l.key, statement(id, hex.EncodeToString(l.next.prev[:]), now.Format(timeLayout)))
	begin := len(l.pending)
	if _, err := l.put(&Record{Kind: Checkpoint, Time: now, key: l.keyID, sig: base64.StdEncoding.EncodeToString(sig)}); err != nil {
		return false // the log is broken, which everybody else is told
	}
	l.next.unsigned = 0
	if len(l.options.Anchors) > 0 {
		l.batch.signed = append(l.batch.signed, Signed{Seq: l.next.seq - 1, ID: id, Line: string(l.pending[begin : len(l.pending)-1])})
	}
	return true
}

// checkSignature verifies a checkpoint with one of the keys.
func checkSignature(e *Entry, keys map[string]PublicKey) error {
	key, ok := keys[e.Key]
	if !ok {
		return fmt.Errorf("it is signed with the key %q, which is none of those that are known", e.Key)
	}
	sig, err := base64.StdEncoding.DecodeString(e.Sig)
	if err != nil || !ed25519.Verify(ed25519.PublicKey(key), statement(e.ID, e.Prev, e.Time), sig) {
		return errors.New("its signature is wrong: the checkpoint was forged")
	}
	return nil
}
