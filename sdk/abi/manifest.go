package abi

// Type is the type of a field or an option.
type Type string

// The types. Options use the first three.
const (
	TypeBool    Type = "bool"
	TypeInt     Type = "int"
	TypeString  Type = "string"
	TypeStrings Type = "strings"
)

// MaxFields bounds the fields of one family.
const MaxFields = 256

// MaxSlots bounds the slots of a plugin, and its attributes.
const MaxSlots = 32

// Manifest is what a plugin says of itself: JSON, read once when it is loaded. Everything that rules and configuration may
// name is declared here, so that a misspelt word is an error at load and not a rule that never matches.
type Manifest struct {
	// Name is the plugin's own name, [a-z][a-z0-9-]*, and Version its release.
	Name    string `json:"name"`
	Version string `json:"version"`
	// Doc is one sentence for `sallyport plugin info` and the documentation.
	Doc string `json:"doc,omitempty"`
	// Families are the vocabularies of its actions; one of them is "connect" when the plugin dials.
	Families []Family `json:"families"`
	// Options are what an endpoint may set under [endpoint.options].
	Options []Option `json:"options,omitempty"`
	// Stock are the constants that the plugin may write to the upstream without an action.
	Stock []Constant `json:"stock,omitempty"`
	// Companions are the modules it brings, in the order in which it calls them.
	Companions []Companion `json:"companions,omitempty"`
	// Slots are the secrets that an endpoint's credential may fill; AUTH names one by its place here.
	Slots []Slot `json:"slots,omitempty"`
	// Attributes are what a credential may say beside its secrets, in the open.
	Attributes []CredentialAttribute `json:"attributes,omitempty"`
	// TLS is what it speaks inside of TLS; nil for a plugin whose protocol says by itself what it is.
	TLS *TLSWords `json:"tls,omitempty"`
	// Transport is what the host ends on both sides of every connection, TransportSSH, begun with the command TLS; empty: TLS, as the
	// endpoint says.
	Transport string `json:"transport,omitempty"`
}

// TransportSSH is SSH (RFC 4253 and 4252), ended by the host: the plugin reads and writes records (package sshwire).
const TransportSSH = "ssh"

// TLSWords say how a plugin's protocol uses TLS.
type TLSWords struct {
	// Protocols are the names that it knows in ALPN (RFC 7301), preferred first. An agent is never answered with another one. The
	// last is what is spoken where nothing was negotiated.
	Protocols []string `json:"protocols"`
	// First: connections begin with TLS at once, so that the name in the client's hello is all there is to tell what it is for.
	First bool `json:"first"`
}

// Slot is a secret that the host uses in the plugin's place. Form is one of those that the gateway knows (host/secret): how
// the secret leaves, and what else its use needs.
type Slot struct {
	Name string `json:"name"`
	Form string `json:"form"`
	Doc  string `json:"doc"`
}

// CredentialAttribute declares a key of a credential that is no secret.
type CredentialAttribute struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

// Family is a vocabulary of actions.
type Family struct {
	Name   string  `json:"name"`
	Doc    string  `json:"doc,omitempty"`
	Fields []Field `json:"fields"`
}

// Role says what a string field is for those who keep less than everything of an action, such as a record without texts.
type Role string

// The roles. Most fields have none.
const (
	RoleText       Role = "text"       // what the agent wrote, as it wrote it
	RoleNormalized Role = "normalized" // the same without the values in it
	RoleValues     Role = "values"     // values that belong to a text, such as bound parameters
	// RoleFingerprint is a short name for what the text is without the values in it.
	RoleFingerprint Role = "fingerprint"
)

// Derived reports whether a field says nothing that another one does not say: an action is known without it.
func (r Role) Derived() bool { return r == RoleNormalized || r == RoleFingerprint }

// Field is one word of a family, FAMILY.FIELD in a rule. Values, for strings, closes the set of what it can be.
type Field struct {
	Name   string   `json:"name"`
	Type   Type     `json:"type"`
	Role   Role     `json:"role,omitempty"`
	Values []string `json:"values,omitempty"`
	Doc    string   `json:"doc"`
}

func (f *Field) allows(v string) bool {
	if len(f.Values) == 0 {
		return true
	}
	for _, s := range f.Values {
		if s == v {
			return true
		}
	}
	return false
}

// Option is one setting of an endpoint that the plugin understands. The host checks type, values and range before the
// plugin sees it, and fills in the default.
type Option struct {
	Name    string   `json:"name"`
	Type    Type     `json:"type"`
	Values  []string `json:"values,omitempty"`
	Min     int64    `json:"min,omitempty"` // of an int
	Max     int64    `json:"max,omitempty"` // of an int
	Default any      `json:"default"`
	Doc     string   `json:"doc"`
}

// Constant is a STOCK constant: bytes that do no harm to whoever gets them, such as a protocol's "no operation".
type Constant struct {
	Name  string `json:"name"`
	Bytes []byte `json:"bytes"`
}

// Companion names a module that the plugin brings: the custom section "sallyport.companion.NAME" of its file.
type Companion struct {
	Name string `json:"name"`
}
