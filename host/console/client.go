package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/sallyport-dev/sallyport/host/approve"
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
// ErrNotRunning when there is none. Confirm is for a reload that an earlier Failure showed with its flips.
func (c *Client) Reload(ctx context.Context, confirm bool) (*Change, error) {
	var change Change
	path := "/v1/reload"
	if confirm {
		path += "?confirm"
	}
	if err := c.call(ctx, http.MethodPost, path, nil, &change); err != nil {
		return nil, err
	}
	return &change, nil
}

// Holds lists holds, without their fields. With after it waits, up to 25 seconds, until something has changed since that revision,
// which an earlier list had.
func (c *Client) Holds(ctx context.Context, f approve.Filter, after *uint64) (*HoldList, error) {
	q := url.Values{}
	for name, value := range map[string]string{"state": string(f.State), "peer": f.Peer, "endpoint": f.Endpoint} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if after != nil {
		q.Set("after", strconv.FormatUint(*after, 10))
	}
	var list HoldList
	if err := c.call(ctx, http.MethodGet, "/v1/holds?"+q.Encode(), nil, &list); err != nil {
		return nil, err
	}
	return &list, nil
}

// Hold returns one hold with all of its text.
func (c *Client) Hold(ctx context.Context, id string) (*approve.Status, error) {
	var s approve.Status
	if err := c.call(ctx, http.MethodGet, "/v1/holds/"+url.PathEscape(id), nil, &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// Decide casts the operator's vote, and returns the hold as it is then.
func (c *Client) Decide(ctx context.Context, id string, d Decision) (*approve.Status, error) {
	var s approve.Status
	if err := c.call(ctx, http.MethodPost, "/v1/holds/"+url.PathEscape(id)+"/decision", d, &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// Grants lists approvals that can still be used.
func (c *Client) Grants(ctx context.Context) ([]approve.Grant, error) {
	var grants []approve.Grant
	if err := c.call(ctx, http.MethodGet, "/v1/grants", nil, &grants); err != nil {
		return nil, err
	}
	return grants, nil
}

// call sends a request with a body, unless it is nil, and reads the result.
func (c *Client) call(ctx context.Context, method, path string, body, result any) error {
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://gateway"+path, sent)
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
	answered := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode == http.StatusOK {
		if err := answered.Decode(result); err != nil {
			return fmt.Errorf("read the gateway's answer: %w", err)
		}
		return nil
	}
	f := &Failure{}
	if err := answered.Decode(f); err != nil || f.Message == "" {
		return fmt.Errorf("the gateway answers %s", resp.Status)
	}
	return f
}
