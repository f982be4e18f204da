package wgquick

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/host/nearest"
)

// ParseError says where a configuration is wrong and how. Line and Column count from 1, columns in bytes.
type ParseError struct {
	Line, Column int
	Message      string
}

// Error is "line:column: message".
func (e *ParseError) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message)
}

// Load reads the configuration in a file. Errors name the file; those about its text wrap a [*ParseError].
func Load(path string) (*Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read WireGuard configuration: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read WireGuard configuration: %w", err)
	}
	config, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return config, nil
}

// Parse reads a configuration. Every error is a [*ParseError].
func Parse(data []byte) (*Config, error) {
	if len(data) > MaxSize {
		return nil, &ParseError{1, 1, fmt.Sprintf("the configuration is larger than %d bytes", MaxSize)}
	}
	if !utf8.Valid(data) {
		return nil, &ParseError{1, 1, "the configuration is not UTF-8 text"}
	}
	p := parser{given: map[string]int{}}
	text := strings.TrimPrefix(string(data), "\ufeff") // Windows clients write a byte order mark
	for line := range strings.SplitSeq(text, "\n") {
		p.line++
		if err := p.parseLine(line); err != nil {
			return nil, err
		}
	}
	if err := p.config.Validate(); err != nil {
		return nil, &ParseError{p.line, 1, err.Error()}
	}
	return &p.config, nil
}

type parser struct {
	config  Config
	line    int
	section string         // as in schema, "" before the first
	given   map[string]int // line at which a section or a scalar key was given
}

// parseLine handles one line without its line feed.
func (p *parser) parseLine(line string) error {
	body, _, _ := strings.Cut(line, "#")
	text := strings.TrimSpace(body)
	at := strings.Index(body, text) + 1
	switch {
	case text == "":
		return nil
	case text[0] == '[':
		return p.openSection(text, at)
	}
	name, value, found := strings.Cut(text, "=")
	if !found {
		return p.fail(at, "expected a [section] or key = value")
	}
	valueAt := at + len(name) + 1
	valueAt += len(value) - len(strings.TrimLeft(value, " \t"))
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if p.section == "" {
		return p.fail(at, "%q comes before [Interface] or [Peer]", clip(name))
	}
	for _, k := range schema {
		if k.section == p.section && strings.EqualFold(k.name, name) {
			return p.setKey(k, value, at, valueAt)
		}
	}
	return p.unknown(name, at)
}

// openSection handles a line that starts with a bracket.
func (p *parser) openSection(text string, at int) error {
	for _, name := range []string{"Interface", "Peer"} {
		if !strings.EqualFold(text, "["+name+"]") {
			continue
		}
		if first, again := p.given[name]; again {
			return p.fail(at, "second [%s], the first is in line %d: a Sallyport tunnel has one of each", name, first)
		}
		p.given[name] = p.line
		p.section = name
		return nil
	}
	return p.fail(at, "unknown section %q; there are [Interface] and [Peer]", clip(text))
}

// setKey stores the value of a known key.
func (p *parser) setKey(k key, value string, at, valueAt int) error {
	id := k.section + "." + k.name
	if first, again := p.given[id]; again && !k.list {
		return p.fail(at, "second %s, the first is in line %d", k.name, first)
	}
	p.given[id] = p.line
	if !k.list {
		if err := k.set(&p.config, value); err != nil {
			return p.fail(valueAt, "%s: %v", k.name, err)
		}
		return nil
	}
	for item := range strings.SplitSeq(value, ",") {
		trimmed := strings.TrimSpace(item)
		itemAt := valueAt + len(item) - len(strings.TrimLeft(item, " \t"))
		if err := k.set(&p.config, trimmed); err != nil {
			return p.fail(itemAt, "%s: %v", k.name, err)
		}
		valueAt += len(item) + 1
	}
	return nil
}

// unknown makes the error for a key that the current section does not have.
func (p *parser) unknown(name string, at int) error {
	var valid []string
	for _, k := range schema {
		if strings.EqualFold(k.name, name) {
			return p.fail(at, "%s belongs in [%s], this is [%s]", k.name, k.section, p.section)
		}
		if k.section == p.section {
			valid = append(valid, k.name)
		}
	}
	return p.fail(at, "unknown key %q in [%s]; %s", clip(name), p.section, nearest.Hint(name, valid))
}

func (p *parser) fail(column int, format string, args ...any) error {
	return &ParseError{p.line, column, fmt.Sprintf(format, args...)}
}

// key is one line that a section may have; a list may be given several times and adds up.
type key struct {
	section, name string
	list          bool
	set           func(c *Config, value string) error
}

var schema = []key{
	{"Interface", "PrivateKey", false, func(c *Config, v string) error { return setParsed(&c.Interface.PrivateKey, v, ParseKey) }},
	{"Interface", "Address", true, func(c *Config, v string) error { return addParsed(&c.Interface.Address, v, parseAddress) }},
	{"Interface", "DNS", true, func(c *Config, v string) error { return addParsed(&c.Interface.DNS, v, parseDNS) }},
	{"Interface", "MTU", false, func(c *Config, v string) error { return setParsed(&c.Interface.MTU, v, numberWithin(MinMTU, MaxMTU)) }},
	{"Peer", "PublicKey", false, func(c *Config, v string) error { return setParsed(&c.Peer.PublicKey, v, ParseKey) }},
	{"Peer", "Endpoint", false, func(c *Config, v string) error { c.Peer.Endpoint = v; return checkEndpoint(v) }},
	{"Peer", "AllowedIPs", true, func(c *Config, v string) error { return addParsed(&c.Peer.AllowedIPs, v, parseNetwork) }},
	{"Peer", "PersistentKeepalive", false, func(c *Config, v string) error {
		return setParsed(&c.Peer.PersistentKeepalive, v, parseKeepalive)
	}},
}

func setParsed[T any](field *T, text string, parse func(string) (T, error)) (err error) {
	*field, err = parse(text)
	return err
}

func addParsed[T any](list *[]T, text string, parse func(string) (T, error)) error {
	value, err := parse(text)
	if err != nil {
		return err
	}
	if len(*list) == MaxList {
		return fmt.Errorf("more than %d entries", MaxList)
	}
	*list = append(*list, value)
	return nil
}

func parseDNS(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || !plain(addr) {
		return netip.Addr{}, fmt.Errorf("%q is not an IP address (search domains are not supported)", clip(text))
	}
	return addr, nil
}

// parseAddress reads an address with the length of its network, or a single address.
func parseAddress(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && plain(addr) {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil || !plain(prefix.Addr()) {
		return netip.Prefix{}, fmt.Errorf("%q is not an address such as 10.89.0.2/32 or fd00:89::2/128", clip(text))
	}
	return prefix, nil
}

// parseNetwork reads an address as parseAddress does, and clears the bits beyond the length.
func parseNetwork(text string) (netip.Prefix, error) {
	prefix, err := parseAddress(text)
	return prefix.Masked(), err
}

// parseKeepalive reads seconds or "off".
func parseKeepalive(text string) (int, error) {
	if strings.EqualFold(text, "off") {
		return 0, nil
	}
	return numberWithin(0, 65535)(text)
}

func numberWithin(low, high int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil || n < uint64(low) || n > uint64(high) {
			return 0, fmt.Errorf("%q is not a number within %d and %d", clip(text), low, high)
		}
		return int(n), nil
	}
}

// checkEndpoint accepts host:port with a name, an IPv4 address or an IPv6 address in brackets.
func checkEndpoint(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = numberWithin(1, 65535)(port)
	}
	if err == nil && strings.Contains(host, ":") {
		_, err = netip.ParseAddr(host)
	}
	if err != nil || host == "" || len(host) > 255 || strings.ContainsFunc(host, notInHost) {
		return fmt.Errorf("%q is not host:port, such as gateway.example.com:51820 or [2001:db8::1]:51820", clip(text))
	}
	return nil
}

// notInHost finds what no name and no address contains; % is for the zone of a link-local address.
func notInHost(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("-._:%", r)
}

// clip shortens a text for a message. Values in messages are only those of keys that are not secret.
func clip(text string) string {
	if len(text) <= 64 {
		return text
	}
	return strings.ToValidUTF8(text[:64], "") + "…"
}
