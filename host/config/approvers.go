package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// maxSecrets is how many secrets a webhook may be signed with at a time.
const maxSecrets = 4

// number reads an integer between two bounds. After a mistake it returns the one that held before.
func (d *decoder) number(k Key, v *value, before, least, most int) int {
	switch {
	case v.kind != kindInt:
		d.wrong(k, v, "an integer")
	case v.integer < int64(least) || v.integer > int64(most):
		d.problem(v.pos, "%s is %d; it must be between %d and %d", k.Name, v.integer, least, most)
	default:
		return int(v.integer)
	}
	return before
}

// secretReference reads a reference to a secret. The text is never repeated: it may be the secret itself, written here by mistake.
func (d *decoder) secretReference(k Key, v *value) (secret.Reference, Pos) {
	text, ok := d.text(k, v)
	if !ok {
		return secret.Reference{}, v.pos
	}
	ref, err := secret.ParseReference(text.Value, d.dir)
	if err != nil {
		d.problem(text.start, "%s: %v; write %s = %s", k.Name, err, k.Name, k.Example)
	}
	return ref, text.start
}

// secretReferences reads a list of them.
func (d *decoder) secretReferences(k Key, v *value) []secret.Reference {
	if v.kind != kindArray || v.headers {
		d.wrong(k, v, "a list of references to secrets")
		return nil
	}
	if n := len(v.elems); n == 0 || n > maxSecrets {
		d.problem(v.pos, "secrets has %d references; it must have 1 to %d, such as %s = %s", n, maxSecrets, k.Name, k.Example)
		return nil
	}
	var refs []secret.Reference
	seen := map[secret.Reference]bool{}
	for _, e := range v.elems {
		ref, at := d.secretReference(k, e)
		switch {
		case ref.IsZero():
		case seen[ref]:
			d.problem(at, "%s lists %s twice; remove one", k.Name, ref)
		default:
			seen[ref] = true
			refs = append(refs, ref)
		}
	}
	return refs
}

// remote reads the URL of something that is spoken to over TLS, or on the machine itself without. What it reports never repeats the
// URL, whose path or query may be what its owner takes for a password.
func remote(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, errors.New("must be a URL")
	case u.User != nil:
		return nil, errors.New("has a user in it; no secret belongs into this file")
	case u.Fragment != "" || strings.Contains(s, "#"):
		return nil, errors.New("has a fragment, which is never sent")
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return nil, errors.New("must be written in printable ASCII without blanks")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("must begin with https://")
	}
	if _, _, err := hostPort(net.JoinHostPort(u.Hostname(), port)); err != nil {
		return nil, err
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, errors.New("must begin with https://: only what stays on this machine (localhost, 127.0.0.1, [::1]) may be spoken to in clear")
	}
	return u, nil
}

func webhookURL(s string) error {
	_, err := remote(s)
	return err
}

// callbackURL checks how approvers reach the gateway. Paths follow it.
func (d *decoder) callbackURL(k Key, text Text) bool {
	u, err := remote(text.Value)
	if err == nil && (u.RawQuery != "" || u.ForceQuery) {
		err = errors.New("has a query, and paths follow it")
	}
	if err != nil {
		d.problem(text.start, "url %v; write url = %s", err, k.Example)
	}
	return err == nil
}

func trimSlashes(s string) string { return strings.TrimRight(s, "/") }

// loopback reports whether a host is the machine itself.
func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// channelID reports whether a text looks like what Slack calls a channel, as against its name.
func channelID(s string) bool {
	if len(s) < 2 || len(s) > 32 || s[0] != 'C' && s[0] != 'G' {
		return false
	}
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// checkApprovers finds what is wrong with and between approvers and [holds], and completes the latter.
func (d *decoder) checkApprovers(cfg *Config) {
	names, secrets := first[string]{}, map[secret.Reference]Text{}
	for i := range cfg.Approvers {
		a := &cfg.Approvers[i]
		if a.Name.IsSet() {
			names.seen(d, a.Name.Value, a.Name.start, "an approver %q", a.Name)
		}
		if d.missing {
			d.checkApprover(cfg, a)
		}
		for _, ref := range a.Secrets {
			if other, ok := secrets[ref]; ok {
				d.problem(a.SecretsPos, "approver %q has the same secret %s: an answer is known to be an approver's by its secret, so each needs one of its own", other, ref)
			}
			secrets[ref] = a.Name
		}
	}
	d.checkHolds(cfg)
}

// setKey is a key of an approver that some kinds have.
type setKey struct {
	name string
	pos  Pos
}

// checkApprover checks that an approver is of one kind, with what that needs and nothing else.
func (d *decoder) checkApprover(cfg *Config, a *Approver) {
	n := &a.Notifier
	signed := []setKey{{"secret", a.secretPos}, {"secrets", a.secretsPos}}
	ofWebhook := []setKey{{"ca", a.CAPos}}
	token, ofSlack := setKey{"token", a.TokenPos}, []setKey{{"signing_secret", a.SigningSecretPos}}
	ofPlugin := []setKey{{"sha256", n.sha256Pos}, {"hosts", n.hostsPos}, {"memory", n.memoryPos}, {"settings", n.settingsPos}}
	name := quote(a.Name.Value)
	var kinds []setKey
	for _, k := range []setKey{{"webhook", a.webhookPos}, {"slack", a.slackPos}, {"plugin", n.pluginPos}} {
		if !k.pos.IsZero() {
			kinds = append(kinds, k)
		}
	}
	switch len(kinds) {
	case 0:
		d.problem(a.Pos, `approver %s has neither webhook nor slack nor plugin, so nobody is asked; write webhook = "https://…" and secret = "env:NAME"`, name)
		return
	case 1:
	default:
		d.problem(kinds[1].pos, "approver %s has both %s and %s; make it two approvers", name, kinds[0].name, kinds[1].name)
		return
	}
	var foreign []setKey
	kind := ""
	switch kinds[0].name {
	case "webhook":
		foreign, kind = slices.Concat([]setKey{token}, ofSlack, ofPlugin), "webhook"
		d.checkWebhook(a)
	case "slack":
		foreign, kind = slices.Concat(signed, ofWebhook, ofPlugin), "Slack channel"
		for _, k := range slices.Concat([]setKey{token}, ofSlack) {
			if k.pos.IsZero() {
				d.problem(a.slackPos, "approver %s needs %s, such as %s = %q", name, k.name, k.name, "env:NAME")
			}
		}
		if cfg.Holds.ListenPos.IsZero() {
			d.problem(a.slackPos, `approver %s needs [holds] with listen, where Slack reports which button was pressed`, name)
		}
	default:
		foreign, kind = slices.Concat(ofWebhook, ofSlack), "program"
		d.checkNotifier(cfg, a)
	}
	for _, k := range foreign {
		if !k.pos.IsZero() {
			d.problem(k.pos, "%s changes nothing for approver %s, which is a %s; remove it", k.name, name, kind)
		}
	}
}

// checkWebhook checks what a webhook needs.
func (d *decoder) checkWebhook(a *Approver) {
	name := quote(a.Name.Value)
	switch secret, secrets := !a.secretPos.IsZero(), !a.secretsPos.IsZero(); {
	case secret && secrets:
		d.problem(a.secretsPos, "approver %s has both secret and secrets; write all into secrets", name)
	case !secret && !secrets:
		d.problem(a.webhookPos, `approver %s needs a secret that its webhook is signed with, such as secret = "env:NAME"`, name)
	}
	if a.CA != "" && strings.HasPrefix(a.Webhook.Value, "http:") {
		d.problem(a.CAPos, "ca changes nothing for a webhook without TLS; write https:// or remove it")
	}
}

// checkHolds checks [holds] as a whole.
func (d *decoder) checkHolds(cfg *Config) {
	h := &cfg.Holds
	if d.missing && h.PerPeer > h.Total && !h.perPeerPos.IsZero() {
		d.problem(h.perPeerPos, "per_peer is %d, more than the %d that may be open in all; raise total or lower it", h.PerPeer, h.Total)
	}
	if d.missing {
		d.checkListener(h)
	}
	if h.Listen == "" {
		return
	}
	host, p, err := net.SplitHostPort(h.Listen)
	port, perr := strconv.ParseUint(p, 10, 16)
	if err != nil || perr != nil {
		return
	}
	ip, _ := netip.ParseAddr(host)
	if port == 0 {
		d.problem(h.ListenPos, "listen has port 0, so nobody would know where to call back; write listen = \"127.0.0.1:8443\"")
		return
	}
	everywhere := !ip.IsValid() || ip.IsUnspecified()
	switch {
	case !d.lost && !everywhere && cfg.Gateway.Network.Contains(ip):
		d.problem(h.ListenPos, "listen %s is inside of the tunnel's own network %s, where agents are; take an address that only approvers reach", h.Listen, cfg.Gateway.Network)
	case (everywhere || !ip.IsLoopback()) && h.Certificate == "" && h.CertificatePos.IsZero() && d.missing:
		d.problem(h.ListenPos, "listen %s can be reached from other machines and needs certificate and key; or write listen = \"127.0.0.1:%d\" behind a proxy that has them", h.Listen, port)
	case everywhere && h.URLPos.IsZero() && d.missing:
		d.problem(h.ListenPos, "listen %s is every address, so approvers must be told which one to call; write url = \"https://NAME:%d\"", h.Listen, port)
	}
	if h.URLPos.IsZero() && !everywhere {
		scheme := "http"
		if h.Certificate != "" {
			scheme = "https"
		}
		h.URL = scheme + "://" + h.Listen
	}
	for _, e := range cfg.Endpoints {
		if why := sameListener(h, ip, everywhere, uint16(port), e); why != "" {
			d.problem(e.Address.start, "address %s is where approvers call back (%s): agents must not reach it", e.Address, why)
		}
	}
}

// checkListener checks that what describes the listener is there together.
func (d *decoder) checkListener(h *Holds) {
	if h.ListenPos.IsZero() {
		for _, k := range []setKey{{"url", h.URLPos}, {"certificate", h.CertificatePos}, {"key", h.KeyPos}} {
			if !k.pos.IsZero() {
				d.problem(k.pos, `%s changes nothing without listen; write listen = "127.0.0.1:8443", or remove it`, k.name)
			}
		}
		return
	}
	switch {
	case !h.CertificatePos.IsZero() && h.KeyPos.IsZero():
		d.problem(h.CertificatePos, `certificate needs its private key; write key = "holds.key"`)
	case h.CertificatePos.IsZero() && !h.KeyPos.IsZero():
		d.problem(h.KeyPos, `key needs its certificate; write certificate = "holds.pem"`)
	}
}

// sameListener says why an endpoint's address is the one where approvers call back, empty when it is not.
func sameListener(h *Holds, ip netip.Addr, everywhere bool, port uint16, e Endpoint) string {
	if u, err := url.Parse(h.URL); err == nil && u.Host != "" {
		p := u.Port()
		if p == "" {
			p = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		if strings.EqualFold(strings.TrimSuffix(e.Host, "."), strings.TrimSuffix(u.Hostname(), ".")) && strconv.Itoa(int(e.Port)) == p {
			return "url in [holds]"
		}
	}
	if e.Port != port {
		return ""
	}
	listen := fmt.Sprintf("listen in [holds], %s", h.Listen)
	switch {
	case everywhere && loopback(e.Host), e.IP.IsValid() && e.IP == ip.Unmap():
		return listen
	case ip.IsValid() && ip.IsLoopback() && strings.HasSuffix("."+strings.ToLower(strings.TrimSuffix(e.Host, ".")), ".localhost"):
		return listen
	}
	return ""
}

// useOfApprovers warns of approvers whom nothing asks, and of a listener that nobody calls.
func (d *decoder) useOfApprovers(cfg *Config) {
	used := map[string]bool{}
	// The rules of packs name nobody, so they ask everybody.
	all := len(cfg.Gateway.Packs) > 0
	for _, r := range cfg.Rules {
		all = all || (r.Then == Hold || r.Then == ToJudge) && r.Approval.Approvers == nil
		for _, a := range r.Approval.Approvers {
			used[a.Value] = true
		}
	}
	for _, o := range cfg.Overrides {
		for _, a := range o.Approval.Approvers {
			used[a.Value] = true
		}
	}
	for _, a := range cfg.Approvers {
		if !all && !used[a.Name.Value] {
			d.warn(a.Name.start, "no rule asks the approver %q", a.Name)
		}
	}
	if len(cfg.Approvers) == 0 && cfg.Holds.Listen != "" {
		d.warn(cfg.Holds.ListenPos, "there is no [[approver]], so nobody calls back at %s", cfg.Holds.Listen)
	}
}
