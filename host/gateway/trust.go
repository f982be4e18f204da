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
	"github.com/sallyport-dev/sallyport/host/placeholder"
	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// TrustPort is where the gateway's own address inside the tunnel gives out the certificate of its CA, by HTTP, as TrustPath. WireGuard
// has proved both ends to each other, so nothing else has to.
const (
	TrustPort = 80
	TrustPath = "/ca.pem"
	// EnvPath is where a peer gets the placeholders for the environment of its commands.
	EnvPath = "/env.json"
	// KnownHostsPath is where a peer gets the lines of known_hosts for its endpoints of SSH.
	KnownHostsPath = "/ssh_known_hosts"
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

// environment are the placeholders of a peer.
func (a *Assembly) environment(peer string) (list []placeholder.Variable) {
	for i := range a.cfg.Peers {
		if p := &a.cfg.Peers[i]; p.Name.Value == peer {
			for _, v := range p.Env {
				list = append(list, placeholder.Variable{Name: v.Name.Value, Value: v.Value.Value})
			}
		}
	}
	return list
}

// knownHosts are the lines of known_hosts for the endpoints of SSH that a profile has.
func (h *handler) knownHosts(by *serving, profile string) string {
	lines, err := knownHosts(by.a.cfg, profile, func(name string) (netip.Addr, bool) {
		if by.table == nil {
			return netip.Addr{}, false
		}
		return by.table.Resolve(profile, name)
	})
	if err != nil {
		h.log.Error("agents cannot be told the gateway's SSH host key", "error", err)
	}
	return lines
}

// serveTrust answers one question of a peer with these placeholders and these lines of known_hosts.
func (h *handler) serveTrust(r *tunnel.Request, env []placeholder.Variable, known string) {
	if h.ca == nil && len(env) == 0 && known == "" {
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
	status, kind, body := http.StatusOK, "", ""
	q, err := http.ReadRequest(bufio.NewReader(io.LimitReader(c, trustRequest)))
	switch {
	case err != nil:
		status, body = http.StatusBadRequest, "not an HTTP request\n"
	case q.URL.Path != EnvPath && (q.URL.Path != TrustPath || h.ca == nil) && (q.URL.Path != KnownHostsPath || known == ""):
		status, body = http.StatusNotFound, "here are "+TrustPath+", "+EnvPath+" and "+KnownHostsPath+", as far as there is something to say, and nothing else\n"
	case q.Method != http.MethodGet && q.Method != http.MethodHead:
		status, body = http.StatusMethodNotAllowed, "GET it\n"
	case q.URL.Path == KnownHostsPath:
		body = known
	case q.URL.Path == EnvPath:
		kind, body = "application/json", string(placeholder.Encode(env))
	default:
		kind, body = "application/x-pem-file", string(h.ca.PEM())
	}
	if kind == "" {
		kind = "text/plain; charset=utf-8"
	}
	var b strings.Builder
	b.WriteString("HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\nContent-Type: " + kind +
		"\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n")
	if err != nil || q.Method != http.MethodHead {
		b.WriteString(body)
	}
	_, _ = io.WriteString(c, b.String()) // an agent that has left needs no answer
}
