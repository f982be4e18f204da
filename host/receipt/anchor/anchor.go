// Package anchor keeps checkpoints of receipts elsewhere: in a file on another disk, or with a receiver on another machine.
//
// What is kept is the line of the checkpoint as it stands in the receipts: one JSON object with its number, the hash of everything
// before it, and a signature. Kept where whoever can change the receipts cannot, it shows later that nothing before it was
// changed or cut off (`sallyport receipts verify --anchor`).
package anchor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/sallyport-dev/sallyport/host/receipt"
)

// File appends checkpoints to a file and syncs it.
type File struct{ Path string }

// Name is what logs and records call it.
func (f File) Name() string { return f.Path }

// Keep appends one line, or leaves the file as it was.
func (f File) Keep(_ context.Context, s receipt.Signed) (err error) {
	file, err := os.OpenFile(f.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", f.Path)
	}
	if _, err := file.WriteString(s.Line + "\n"); err != nil {
		return errors.Join(err, file.Truncate(size))
	}
	return file.Sync()
}

// Webhook sends checkpoints to a receiver, signed by Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature). The body
// is the line. Every answer of the 200s counts as kept; redirects are not followed.
type Webhook struct {
	url    string
	sign   Sign
	client *http.Client
}

// Sign sets the headers webhook-id, webhook-timestamp and webhook-signature of a message.
type Sign func(h http.Header, id string, at time.Time, body []byte)

// NewWebhook makes one.
func NewWebhook(to string, sign Sign) *Webhook {
	return &Webhook{url: to, sign: sign, client: &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Name is what logs and records call it: the URL without what may be secret in it.
func (w *Webhook) Name() string {
	name, _, _ := strings.Cut(w.url, "?")
	return name
}

// Keep sends one line. An attempt that is repeated has the same webhook-id, so that the receiver can tell.
func (w *Webhook) Keep(ctx context.Context, s receipt.Signed) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, strings.NewReader(s.Line))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "sallyport")
	w.sign(r.Header, s.ID, time.Now(), []byte(s.Line))
	answer, err := w.client.Do(r)
	var tells *url.Error // the whole URL, which may have a secret in it
	if errors.As(err, &tells) {
		return fmt.Errorf("%s: %w", w.Name(), tells.Err)
	}
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered %s", w.Name(), answer.Status)
	}
	return nil
}
