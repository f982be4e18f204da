package program

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	extism "github.com/extism/go-sdk"
)

// Limits of what a program sends and receives, in bytes.
const (
	maxBody     = 1 << 20
	maxResponse = 512 << 10
	maxRequests = 16 // of one call
)

// web is what a program sees of the network.
type web struct {
	hosts  []string
	client *http.Client
}

// newWeb makes one. No redirect is followed, and no proxy or other setting of the environment is used.
func newWeb(hosts []string) *web {
	t := &http.Transport{ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10}
	return &web{hosts, &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the server redirects, which is not followed")
	}}}
}

// call is the state of one call.
type call struct {
	requests int
	status   int
	headers  []byte
}

type callKey struct{}

// functions are Extism's HTTP functions, as PDKs know them. What fails in one ends the program.
func (w *web) functions() []extism.HostFunction {
	i64, i32 := []extism.ValueType{extism.ValueTypeI64}, []extism.ValueType{extism.ValueTypeI32}
	request := extism.NewHostFunctionWithStack("http_request", func(ctx context.Context, p *extism.CurrentPlugin, stack []uint64) {
		offset, err := w.request(ctx, p, stack[0], stack[1])
		if err != nil {
			panic(err)
		}
		stack[0] = offset
	}, []extism.ValueType{extism.ValueTypeI64, extism.ValueTypeI64}, i64)
	status := extism.NewHostFunctionWithStack("http_status_code", func(ctx context.Context, _ *extism.CurrentPlugin, stack []uint64) {
		stack[0] = uint64(uint32(callOf(ctx).status))
	}, nil, i32)
	headers := extism.NewHostFunctionWithStack("http_headers", func(ctx context.Context, p *extism.CurrentPlugin, stack []uint64) {
		offset, err := p.WriteBytes(callOf(ctx).headers)
		if err != nil {
			panic(err)
		}
		stack[0] = offset
	}, nil, i64)
	all := []extism.HostFunction{request, status, headers}
	for i := range all {
		all[i].SetNamespace(own)
	}
	return all
}

func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{headers: []byte("{}")}
}

// request carries one out, and returns where its body is.
func (w *web) request(ctx context.Context, p *extism.CurrentPlugin, requestAt, bodyAt uint64) (uint64, error) {
	c := callOf(ctx)
	if c.requests++; c.requests > maxRequests {
		return 0, fmt.Errorf("more than %d HTTP requests in one call", maxRequests)
	}
	b, err := p.ReadBytes(requestAt)
	if err != nil {
		return 0, err
	}
	var asked struct {
		URL     string            `json:"url"`
		Method  string            `json:"method"`
		Headers map[string]string `json:"headers"`
	}
	if err := json.Unmarshal(b, &asked); err != nil {
		return 0, fmt.Errorf("the HTTP request cannot be read: %w", err)
	}
	var body []byte
	if bodyAt != 0 {
		if body, err = p.ReadBytes(bodyAt); err != nil {
			return 0, err
		}
	}
	if len(body) > maxBody {
		return 0, fmt.Errorf("an HTTP request of %d bytes", len(body))
	}
	if err := w.allows(asked.URL); err != nil {
		return 0, err
	}
	method := strings.ToUpper(asked.Method)
	if method == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, asked.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	for name, value := range asked.Headers {
		r.Header.Set(name, value)
	}
	got, err := w.send(c, r)
	if err != nil || len(got) == 0 {
		return 0, err
	}
	return p.WriteBytes(got)
}

func (w *web) send(c *call, r *http.Request) ([]byte, error) {
	resp, err := w.client.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the URL could have what the program was given in it
		}
		return nil, fmt.Errorf("an HTTP request to %s: %w", r.URL.Host, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err != nil {
		return nil, fmt.Errorf("an HTTP request to %s: %w", r.URL.Host, err)
	}
	if len(b) > maxResponse {
		return nil, fmt.Errorf("the HTTP response of %s has more than %d bytes", r.URL.Host, maxResponse)
	}
	headers := map[string]string{}
	for name, values := range resp.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	if c.headers, err = json.Marshal(headers); err != nil {
		return nil, err
	}
	c.status = resp.StatusCode
	return b, nil
}

// allows reports what is wrong with calling a URL.
func (w *web) allows(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return errors.New("an HTTP request without a plain URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("an HTTP request by %q", u.Scheme)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	host := strings.ToLower(u.Hostname())
	if at := net.JoinHostPort(host, port); !slices.Contains(w.hosts, at) {
		return fmt.Errorf("an HTTP request to %s, which is not in hosts", at)
	}
	if u.Scheme == "http" && !loopback(host) {
		return fmt.Errorf("an HTTP request to %s in clear; only this machine may be spoken to so", host)
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
