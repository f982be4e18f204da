package frame

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// maxResponse bounds what a server may answer with, in bytes.
const maxResponse = 1 << 20

// Client is how servers of models are spoken to: no redirect is followed, no proxy or other setting of the environment is used, and
// what comes back is bounded.
func Client() *http.Client {
	t := &http.Transport{ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10}
	return &http.Client{Transport: bounded{t}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the server redirects, which is not followed")
	}}
}

type bounded struct{ next *http.Transport }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = limited{io.LimitReader(resp.Body, maxResponse), resp.Body}
	return resp, nil
}

// CloseIdleConnections ends what is not in use.
func (b bounded) CloseIdleConnections() { b.next.CloseIdleConnections() }

type limited struct {
	io.Reader
	io.Closer
}
