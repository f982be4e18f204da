package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
)

// ErrNotRunning says that no gateway has the state directory.
var ErrNotRunning = errors.New("no gateway is running with this state")

// maxAnswer bounds what a gateway may answer, in bytes.
const maxAnswer = 16 << 20

// Client calls the gateway that runs with a state directory.
type Client struct {
	dir  string
	http http.Client
}

// NewClient makes a client of the gateway whose state is in dir; Close lets its connections go.
func NewClient(dir string) *Client {
	return &Client{dir: dir, http: http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return dial(dir) },
	}}}
}

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Reload has the gateway read its configuration again. The error is a *Failure when the gateway says what is wrong, and wraps
// ErrNotRunning when there is none.
func (c *Client) Reload(ctx context.Context) (*Change, error) {
	var change Change
	if err := c.call(ctx, http.MethodPost, "/v1/reload", &change); err != nil {
		return nil, err
	}
	return &change, nil
}

func (c *Client) call(ctx context.Context, method, path string, result any) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://gateway"+path, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(r)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s: %w", filepath.Join(c.dir, SocketName), ErrNotRunning)
	case err != nil:
		return fmt.Errorf("ask the gateway: %w", err)
	}
	defer resp.Body.Close()
	body := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode == http.StatusOK {
		if err := body.Decode(result); err != nil {
			return fmt.Errorf("read the gateway's answer: %w", err)
		}
		return nil
	}
	f := &Failure{}
	if err := body.Decode(f); err != nil || f.Message == "" {
		return fmt.Errorf("the gateway answers %s", resp.Status)
	}
	return f
}
