package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxName is the length of names, that of a DNS label.
const maxName = 63

// name returns a string that has to be a name. One that is malformed is returned as well, so that what refers to it is not reported too.
func (d *decoder) name(k Key, v *value) Text {
	text, ok := d.text(k, v)
	if ok {
		d.nameForm(k, text)
	}
	return text
}

// nameForm reports whether the text is a name: [a-z0-9][a-z0-9.-]{0,62}.
func (d *decoder) nameForm(k Key, text Text) bool {
	for i, c := range []byte(text.Value) {
		alnum := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '-') {
			d.problem(text.At(i), "%s %s must begin with a lower-case letter or a digit and have only those, dots and hyphens%s",
				k.Name, quote(text.Value), suggestName(text.Value))
			return false
		}
	}
	if n := len(text.Value); n > maxName {
		d.problem(text.start, "%s has %d characters; names have at most %d", k.Name, n, maxName)
		return false
	}
	return true
}

// suggestName turns what was meant as a name into one, when that is easy.
func suggestName(s string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == ' ' || r == '_':
			return '-'
		case r < utf8.RuneSelf:
			return r
		}
		return -1
	}, strings.TrimSpace(s))
	if name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.')
	}) || name[0] == '-' || name[0] == '.' || len(name) > maxName {
		return ""
	}
	return fmt.Sprintf("; write %q", name)
}

// hostname returns a name that DNS can carry and that no program takes for an address or for its own machine.
func (d *decoder) hostname(k Key, v *value) Text {
	text, ok := d.text(k, v)
	if !ok || !d.nameForm(k, text) {
		return text
	}
	labels := strings.Split(text.Value, ".")
	last := labels[len(labels)-1]
	switch {
	case slices.ContainsFunc(labels, func(l string) bool { return l == "" || l[0] == '-' || l[len(l)-1] == '-' }):
		d.problem(text.start, "%s %s is no hostname: between its dots there must be letters or digits, with hyphens only inside", k.Name, quote(text.Value))
	case strings.Trim(last, "0123456789") == "":
		d.problem(text.start, "%s %s ends in a number, so programs take it for an address; add a letter", k.Name, quote(text.Value))
	case last == "localhost":
		d.problem(text.start, "%s %s never leaves the agent's machine: programs resolve localhost themselves; choose another name", k.Name, quote(text.Value))
	}
	return text
}

// line returns a text of one line of printable characters.
func (d *decoder) line(k Key, v *value, most int) Text {
	text, ok := d.text(k, v)
	if !ok {
		return Text{}
	}
	for i, r := range text.Value {
		if !unicode.IsPrint(r) {
			d.problem(text.At(i), "%s must be one line of printable characters; here is %U", k.Name, r)
			return Text{}
		}
	}
	if n := utf8.RuneCountInString(text.Value); n > most {
		d.problem(text.start, "%s has %d characters; at most %d are allowed", k.Name, n, most)
		return Text{}
	}
	return text
}

// list returns a list of strings that has at least one.
func (d *decoder) list(k Key, v *value) []Text {
	list := d.texts(k, v)
	if v.kind == kindArray && len(v.elems) == 0 {
		if k.Required {
			d.problem(v.pos, "%s lists nothing; write %s = %s", k.Name, k.Name, k.Example)
		} else {
			d.problem(v.pos, "%s lists nothing; leave the key out for %s, or write %s = %s", k.Name, k.Default, k.Name, k.Example)
		}
	}
	return list
}

// path returns an absolute path.
func (d *decoder) path(k Key, v *value) (string, bool) {
	text, ok := d.text(k, v)
	if !ok {
		return "", false
	}
	if i := strings.IndexByte(text.Value, 0); i >= 0 {
		d.problem(text.At(i), "%s has a zero byte; no path has one", k.Name)
		return "", false
	}
	if filepath.IsAbs(text.Value) {
		return filepath.Clean(text.Value), true
	}
	return filepath.Join(d.dir, text.Value), true
}

// hostPort splits host:port. The host is a hostname or an IP literal that a connection can go to.
func hostPort(s string) (host string, port uint16, err error) {
	host, p, err := net.SplitHostPort(s)
	switch {
	case err != nil && strings.Count(s, ":") > 1 && !strings.Contains(s, "["):
		return "", 0, errors.New("must be host:port, with an IPv6 address in brackets")
	case err != nil:
		return "", 0, errors.New("must be host:port")
	case host == "":
		return "", 0, errors.New("has no host")
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 || p[0] == '+' {
		return "", 0, errors.New("must end in a port from 1 to 65535")
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		switch {
		case ip.Zone() != "":
			return "", 0, errors.New("has a zone, which cannot be dialled from a configuration")
		case ip.Unmap().IsUnspecified() || ip.Unmap().IsMulticast() || ip.Unmap() == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
			return "", 0, errors.New("is not the address of one machine")
		}
		return ip.String(), uint16(n), nil
	}
	return host, uint16(n), validHost(host)
}

// validHost reports what makes a name unusable as a host. Underscores are allowed: names in use have them.
func validHost(host string) error {
	trimmed := strings.TrimSuffix(host, ".")
	if len(trimmed) > 253 {
		return errors.New("has a name longer than 253 characters")
	}
	for _, label := range strings.Split(trimmed, ".") {
		bad := strings.ContainsFunc(label, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
		})
		if label == "" || len(label) > 63 || bad {
			return errors.New("has no valid host name")
		}
	}
	if last := trimmed[strings.LastIndexByte(trimmed, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return errors.New("has a host that is neither a name nor an IP address")
	}
	return nil
}

// listen reads IP:port or :port. It returns an empty string after a mistake.
func (d *decoder) listen(k Key, text Text) string {
	host, p, err := net.SplitHostPort(text.Value)
	port, perr := strconv.ParseUint(p, 10, 16)
	if err != nil || perr != nil {
		d.problem(text.start, "listen %s must be IP:port or :port; write listen = %s", quote(text.Value), k.Example)
		return ""
	}
	if host != "" {
		ip, err := netip.ParseAddr(host)
		if err != nil || ip.IsMulticast() {
			d.problem(text.start, "listen %s must have an IP address of this machine, or none for all; write listen = %s", quote(text.Value), k.Example)
			return ""
		}
		host = ip.Unmap().String()
	}
	return net.JoinHostPort(host, strconv.FormatUint(port, 10))
}

// duration reads a duration between two bounds. After a mistake it returns the one that held before.
func (d *decoder) duration(k Key, v *value, before, least, most time.Duration) time.Duration {
	if v.kind == kindInt && v.integer > 0 && v.integer <= int64(most/time.Second) {
		d.problem(v.pos, "%s needs a unit; write %s = \"%ds\"", k.Name, k.Name, v.integer)
		return before
	}
	text, ok := d.text(k, v)
	if !ok {
		return before
	}
	t, err := time.ParseDuration(text.Value)
	switch {
	case err != nil:
		d.problem(text.start, "%s %s is no duration; write a number and ms, s or m, such as %s = %s", k.Name, quote(text.Value), k.Name, k.Example)
	case t < least || t > most:
		d.problem(text.start, "%s is %s; it must be between %s and %s", k.Name, shorten(text.Value), units(least), units(most))
	default:
		return t
	}
	return before
}

// units writes a bound as an author would.
func units(t time.Duration) string {
	switch {
	case t == 0:
	case t%time.Hour == 0:
		return strconv.Itoa(int(t/time.Hour)) + "h"
	case t%time.Minute == 0:
		return strconv.Itoa(int(t/time.Minute)) + "m"
	}
	return t.String()
}

// sizeUnits are the units of sizes.
var sizeUnits = []struct {
	name  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}

// size reads a number of bytes between two bounds: an integer, or a string with a unit. After a mistake it returns the one that
// held before.
func (d *decoder) size(k Key, v *value, before, least, most int64) int64 {
	n := v.integer
	if v.kind != kindInt {
		text, ok := d.text(k, v)
		if !ok {
			return before
		}
		digits := strings.TrimRight(text.Value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
		unit := int64(0)
		for _, u := range sizeUnits {
			if text.Value == digits+u.name {
				unit = u.bytes
			}
		}
		i, err := strconv.ParseUint(digits, 10, 63)
		if err != nil || unit == 0 {
			d.problem(text.start, "%s %s is no size; write a number and KiB, MiB or GiB, such as %s = %s", k.Name, quote(text.Value), k.Name, k.Example)
			return before
		}
		if n = int64(i); n > math.MaxInt64/unit {
			n = math.MaxInt64
		} else {
			n *= unit
		}
	}
	if n < least || n > most {
		d.problem(v.pos, "%s is out of range; it must be between %s and %s", k.Name, bytesText(least), bytesText(most))
		return before
	}
	return n
}

// bytesText writes a size with the largest unit that fits.
func bytesText(n int64) string {
	for i := len(sizeUnits) - 1; i >= 0; i-- {
		if u := sizeUnits[i]; n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}
