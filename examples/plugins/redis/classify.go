package main

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// command is what one command is about.
type command struct {
	name    string // as in the table; of unknown commands the first word
	entry   *entry // nil: not known
	class   abi.Class
	words   int // of the name
	keys    [][]byte
	hidden  bool // keys cannot be told
	secrets bool // its arguments are not for rules and records
}

// find looks a command up.
func find(name string) *entry {
	i, ok := slices.BinarySearchFunc(commands[:], name, func(e entry, name string) int { return strings.Compare(e.name, name) })
	if !ok {
		return nil
	}
	return &commands[i]
}

// classify reads a command of total arguments, its name included, of which the first are there.
func classify(args [][]byte, total int) command {
	c := command{name: lower(args[0]), words: 1, class: opaque, hidden: true}
	if slices.Contains(containers[:], c.name) && len(args) > 1 {
		if sub := find(c.name + "|" + lower(args[1])); sub != nil {
			c.entry, c.words, c.name = sub, 2, sub.name
		} else { // the server does not know it either
			c.name, c.words = c.name+"|"+lower(args[1]), 2
			return c
		}
	} else {
		c.entry = find(c.name)
	}
	c.secrets = carriesSecrets(c.name, args)
	if c.entry == nil {
		return c
	}
	c.class = c.entry.class
	c.keys, c.hidden = c.entry.find(args, total)
	if len(args) == total && expires(c.name, args) {
		c.class = max(c.class, del)
	}
	return c
}

// lower is a name in lower case; what is no name is given as it is, cut.
func lower(b []byte) string { return strings.ToLower(string(b[:min(len(b), maxName)])) }

// carriesSecrets reports whether arguments of a command can be passwords.
func carriesSecrets(name string, args [][]byte) bool {
	switch name {
	case "auth", "config|set", "acl|setuser", "acl|genpass", "migrate", "module|loadex":
		return true
	case "hello":
		return slices.ContainsFunc(args, func(a []byte) bool { return strings.EqualFold(string(a), "auth") })
	}
	return false
}

// past is when this plugin was made, in seconds: a point in time before it has passed, whatever the server's clock says.
const past = 1_780_000_000

// expires reports whether a command that sets a time to live removes its key at once.
func expires(name string, args [][]byte) bool {
	var most int64
	switch name {
	case "expire", "pexpire":
	case "expireat":
		most = past
	case "pexpireat":
		most = past * 1000
	default:
		return false
	}
	if len(args) < 3 {
		return false
	}
	v, err := strconv.ParseInt(string(args[2]), 10, 64)
	return err != nil || v <= most
}

// find returns the keys of a command; hidden says that they cannot be told.
func (e *entry) find(args [][]byte, total int) (keys [][]byte, hidden bool) {
	switch e.keys {
	case keysRange:
		return e.rangeOf(args, total)
	case keysCounted:
		return e.counted(args)
	case keysStreams:
		i := slices.IndexFunc(args, func(a []byte) bool { return strings.EqualFold(string(a), "streams") })
		if i < 0 || len(args) != total || (len(args)-i-1)%2 != 0 {
			return nil, true
		}
		// A group or a consumer could be named STREAMS: then nobody but the server knows.
		if bytes.EqualFold(args[0], []byte("xreadgroup")) && i < 4 {
			return nil, true
		}
		return args[i+1 : i+1+(len(args)-i-1)/2], false
	case keysHidden:
		return nil, true
	}
	return nil, false
}

func (e *entry) rangeOf(args [][]byte, total int) (keys [][]byte, hidden bool) {
	last := int(e.last)
	if last < 0 {
		last += total
	}
	for i := int(e.first); i <= last && i < total; i += max(int(e.step), 1) {
		if i >= len(args) {
			return nil, true
		}
		keys = append(keys, args[i])
	}
	return keys, false
}

func (e *entry) counted(args [][]byte) (keys [][]byte, hidden bool) {
	at := int(e.first)
	if at >= len(args) {
		return nil, true
	}
	n, err := strconv.Atoi(string(args[at]))
	if err != nil || n < 0 || n > len(args)-at-1 {
		return nil, true
	}
	if e.last > 0 {
		keys = append(keys, args[e.last])
	}
	return append(keys, args[at+1:at+1+n]...), false
}

// title is the command with its keys, never with values.
func (c *command) title() string {
	var b strings.Builder
	b.WriteString(strings.ToUpper(strings.ReplaceAll(c.name, "|", " ")))
	for _, k := range c.keys {
		if b.Len()+len(k) > abi.MaxTitle-8 {
			b.WriteString(" …")
			break
		}
		b.WriteByte(' ')
		b.Write(k)
	}
	return b.String()
}
