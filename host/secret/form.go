package secret

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Form is a way in which a secret leaves the gateway: what it is turned into, and what is never done with it. A plugin's manifest
// names the form of each of its slots. A form either logs in (Begin), or is written into messages (Write), or signs them (Sign):
//
//	postgres           a login
//	bearer             "Bearer " and the secret
//	basic              "Basic " and user and secret in base64; needs the attribute user
//	header             the value of a header field
//	query              the value of a parameter in a query, percent-encoded
//	clickhouse         a string of ClickHouse's native protocol: its length and its bytes
//	aws-sigv4          signs a request with a secret access key; needs access_key_id, region and service
//	aws-session-token  goes with a temporary access key
//	ssh-key            a private key of SSH, perhaps with its certificate, for the login of the transport
//	ssh-passphrase     goes with an ssh-key that is encrypted
//	ssh-password       a password for the login of the transport
type Form struct {
	Name string
	// Methods are what `methods` of a credential can name, strongest first.
	Methods []Method
	// Needs are the attributes of a credential without which the form cannot be used.
	Needs []string
	// With is the form of another slot whose secret goes with this one; empty: none.
	With string

	begin  func(Login) (Exchange, error)                     // a login
	write  func(Login) ([]byte, error)                       // or: written into messages
	sign   func(Login, *Request, time.Time) (*Signed, error) // or: what is written depends on the request
	check  func(Login) error                                 // of what is not written
	scheme bool                                              // what is written begins with the name of a scheme
	apart  bool                                              // it is for the transport's own login
}

// Method is one way to log in.
type Method struct {
	Name, Doc string
	// Clear says that the secret itself is sent, so that whoever receives it can use it.
	Clear bool
	// Binding says that the method needs the channel binding of a transport with TLS.
	Binding bool
}

// Transport says what is known of the transport that a login goes over.
type Transport struct {
	// Verified says that it is encrypted to an upstream whose certificate was verified.
	Verified bool
	// Binding is the channel binding tls-server-end-point; nil when there is none.
	Binding []byte
}

// Login is what an exchange needs.
type Login struct {
	Secret Secret
	// User is the name that the upstream is told, when the credential says it; else empty.
	User string
	// Methods are those that may be used; nil: those that the form takes for safe on this transport.
	Methods   []string
	Transport Transport
	// Attribute is what the credential says beside its secrets; nil: nothing.
	Attribute func(name string) string
	// Token is the secret of the slot of the form's With.
	Token Secret
}

func (l Login) attribute(name string) string {
	if l.Attribute == nil {
		return ""
	}
	return l.Attribute(name)
}

// Exchange is one login. It is used by one goroutine at a time. Errors never hold a secret, nor anything derived from one; after
// an error every further step fails.
type Exchange interface {
	// Step returns the answer to the server's words. An empty answer means that nothing is to be sent.
	Step(words []byte) (answer []byte, err error)
	// Close wipes what the exchange holds. It may be called more than once.
	Close()
}

// Forms returns the forms in which secrets can leave.
func Forms() []Form {
	return []Form{postgresForm(), bearerForm(), basicForm(), headerForm(), queryForm(), awsForm(), awsTokenForm(), clickhouseForm(), sshKeyForm(), sshPassphraseForm(), sshPasswordForm()}
}

// FormOf returns the form of this name.
func FormOf(name string) (Form, bool) {
	forms := Forms()
	if i := slices.IndexFunc(forms, func(f Form) bool { return f.Name == name }); i >= 0 {
		return forms[i], true
	}
	return Form{}, false
}

// Method returns the method of this name.
func (f Form) Method(name string) (Method, bool) {
	if i := slices.IndexFunc(f.Methods, func(m Method) bool { return m.Name == name }); i >= 0 {
		return f.Methods[i], true
	}
	return Method{}, false
}

// MethodNames are the names of the methods, strongest first.
func (f Form) MethodNames() []string {
	var names []string
	for _, m := range f.Methods {
		names = append(names, m.Name)
	}
	return names
}

// Begin begins a login. The caller closes the exchange.
func (f Form) Begin(l Login) (Exchange, error) {
	if f.begin == nil {
		return nil, errors.New("a secret of this form cannot log in")
	}
	for _, name := range l.Methods {
		if _, ok := f.Method(name); !ok {
			return nil, fmt.Errorf("form %s has no method %q; it has %s", f.Name, name, strings.Join(f.MethodNames(), ", "))
		}
	}
	return f.begin(l)
}
