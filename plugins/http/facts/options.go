package facts

import (
	"errors"
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// ParseRaise reads the option raise: METHOD=class, separated by spaces.
func ParseRaise(text string) (*Raise, error) {
	r := &Raise{}
	for _, word := range strings.Fields(text) {
		method, name, ok := strings.Cut(word, "=")
		if !ok || !head.IsToken([]byte(method)) || method != strings.ToUpper(method) {
			return nil, errors.New(`option raise: "` + word + `" is not METHOD=class, as in POST=execute`)
		}
		class, ok := classOf(name)
		if !ok {
			return nil, errors.New(`option raise: "` + name + `" is not a class; there are ` + strings.Join(abi.ClassNames(), ", "))
		}
		if least := ClassOf([]byte(method)); class <= least {
			return nil, errors.New("option raise: " + method + " is of class " + least.String() + " already, and a class cannot be lowered")
		}
		r.methods, r.classes = append(r.methods, method), append(r.classes, class)
	}
	return r, nil
}

func classOf(name string) (abi.Class, bool) {
	for i, n := range abi.ClassNames() {
		if n == name {
			return abi.Class(i), true
		}
	}
	return 0, false
}

// Authorities are the names under which an endpoint may be addressed.
type Authorities struct {
	all   bool
	names []string
}

// ParseAuthorities reads the option authorities: host names, with or without a port, separated by spaces; * is every one.
func ParseAuthorities(text string) (*Authorities, error) {
	a := &Authorities{}
	for _, word := range strings.Fields(strings.ToLower(text)) {
		if word == "*" {
			a.all = true
			continue
		}
		if strings.ContainsAny(word, "/@,*") {
			return nil, errors.New(`option authorities: "` + word + `" is not a host name or address with or without a port`)
		}
		a.names = append(a.names, word)
	}
	return a, nil
}

// Allow reports whether a request with this authority is for the endpoint of that name. A name that is given without a port goes
// with every port: the endpoint has only one.
func (a *Authorities) Allow(authority []byte, endpoint string) bool {
	host, _ := head.SplitPort(authority)
	if a.all || head.Fold(host, endpoint) {
		return true
	}
	for _, n := range a.names {
		if head.Fold(host, n) || head.Fold(authority, n) {
			return true
		}
	}
	return false
}
