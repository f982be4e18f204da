package gateway

import (
	"bufio"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// TrustPort is where the gateway's own address inside the tunnel gives out the certificate of its CA, by HTTP, as TrustPath. WireGuard
// has proved both ends to each other, so nothing else has to.
const (
	TrustPort = 80
	TrustPath = "/ca.pem"
)

// Limits of one question for the certificate.
const (
	trustTime    = 10 * time.Second
	trustRequest = 8 << 10 // bytes
)

// isTrust reports whether a connection is to where the CA's certificate is given out.
func (a *Assembly) isTrust(to netip.AddrPort) bool {
	return to == netip.AddrPortFrom(config.GatewayAddress(a.cfg.Gateway.Network), TrustPort)
}

// serveTrust answers one question.
func (h *handler) serveTrust(r *tunnel.Request) {
	if h.ca == nil {
		r.Reset()
		return
	}
	c, err := r.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	if c.SetDeadline(time.Now().Add(trustTime)) != nil {
		return
	}
	status, body := http.StatusOK, string(h.ca.PEM())
	q, err := http.ReadRequest(bufio.NewReader(io.LimitReader(c, trustRequest)))
	switch {
	case err != nil:
		status, body = http.StatusBadRequest, "not an HTTP request\n"
	case q.URL.Path != TrustPath:
		status, body = http.StatusNotFound, "here is "+TrustPath+" and nothing else\n"
	case q.Method != http.MethodGet && q.Method != http.MethodHead:
		status, body = http.StatusMethodNotAllowed, "GET it\n"
	}
	kind := "text/plain; charset=utf-8"
	if status == http.StatusOK {
		kind = "application/x-pem-file"
	}
	var b strings.Builder
	b.WriteString("HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\nContent-Type: " + kind +
		"\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n")
	if err != nil || q.Method != http.MethodHead {
		b.WriteString(body)
	}
	_, _ = io.WriteString(c, b.String()) // an agent that has left needs no answer
}
