package session

import (
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/http/aws"
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Slots of the manifest, by their places.
const (
	slotBearer uint16 = iota
	slotPassword
	slotHeader
	slotQuery
	slotAWS
	slotAWSToken
	slotSecret
)

// Attributes of a credential.
const (
	attributeUser      = "user"
	attributeHeader    = "header_name"
	attributeParameter = "query_name"
	attributeKeyID     = "access_key_id"
	attributeRegion    = "region"
	attributeService   = "service"
	attributeReplaced  = "placeholder"
)

func slots() []abi.Slot {
	return []abi.Slot{
		{Name: "bearer", Form: "bearer", Doc: "a token, sent as Authorization: Bearer TOKEN"},
		{Name: "password", Form: "basic", Doc: "a password, sent with the attribute user as Authorization: Basic …"},
		{Name: "header", Form: "header", Doc: "the value of the header that the attribute header_name names"},
		{Name: "query", Form: "query", Doc: "the value of the query parameter that the attribute query_name names"},
		{Name: "secret_access_key", Form: "aws-sigv4", Doc: "a key of AWS, with which the gateway signs requests (Signature Version 4); with the attributes access_key_id, region and service"},
		{Name: "session_token", Form: "aws-session-token", Doc: "the session token of a temporary secret_access_key"},
		{Name: "secret", Form: "header", Doc: "what stands in place of the attribute placeholder, where a header that carries a credential has that for its value, or behind the name of a scheme"},
	}
}

func attributes() []abi.CredentialAttribute {
	return []abi.CredentialAttribute{
		{Name: attributeUser, Doc: "the user of a password"},
		{Name: attributeHeader, Doc: "the header that the slot header fills, such as X-Api-Key"},
		{Name: attributeParameter, Doc: "the query parameter that the slot query fills, such as api_key"},
		{Name: attributeKeyID, Doc: "the name of a secret_access_key, such as AKIA…"},
		{Name: attributeRegion, Doc: "the region that requests are signed for, such as eu-central-1"},
		{Name: attributeService, Doc: "the service that requests are signed for, as AWS calls it in signatures: s3, dynamodb, execute-api"},
		{Name: attributeReplaced, Doc: "the word that agents have in place of a secret, at least 8 letters, digits, hyphens, dots and underscores"},
	}
}

// credential is what the gateway writes into every request, in place of what the agent has there.
type credential struct {
	headers   [2]written
	count     int
	query     bool
	parameter string
	begin     [2][]byte // "?NAME=", "NAME="
	signer    aws.Signer
	token     bool // of the signature's key: it is sent
	// placeholder is what the secret takes the place of; empty: there is none.
	placeholder string
}

// written is a header that the gateway writes.
type written struct {
	name string // in lower case
	line []byte // up to the value
	slot uint16
}

// load takes what the facts say of the credential; the text says what cannot be.
func (k *credential) load(f *abi.Facts) (wrong string) {
	*k = credential{}
	if f.Filled("bearer") {
		k.header("Authorization", slotBearer)
	}
	if f.Filled("password") {
		k.header("Authorization", slotPassword)
	}
	if f.Filled("header") {
		name, ok := f.Attribute(attributeHeader)
		n, alike := head.NameOf([]byte(name))
		if !ok || !head.IsToken([]byte(name)) || alike || n != head.Other && n != head.Plain && !n.Secret() && n != head.UserAgent {
			return "the credential's header_name is missing, or no header that it could be in"
		}
		k.header(name, slotHeader)
	}
	if k.count > 1 && k.headers[0].name == k.headers[1].name || k.count > 2 {
		return "the credential fills one header twice"
	}
	if f.Filled("secret") {
		if k.placeholder, _ = f.Attribute(attributeReplaced); !facts.IsPlaceholder(k.placeholder) {
			return "the credential's placeholder is missing, or is no word of at least 8 letters, digits, hyphens, dots and underscores"
		}
	}
	k.token = f.Filled("session_token")
	if f.Filled("secret_access_key") {
		service, _ := f.Attribute(attributeService)
		k.signer = aws.New(service, f.UpstreamTLS)
	}
	if k.signer.On && (f.Filled("bearer") || f.Filled("password") || f.Filled("query") || k.count > 0 && aws.Replaces([]byte(k.headers[0].name))) {
		return "the credential signs requests, and writes into them what the signature would have to cover or brings itself"
	}
	if k.query = f.Filled("query"); k.query {
		name, ok := f.Attribute(attributeParameter)
		if !ok || !head.IsToken([]byte(name)) || strings.ContainsAny(name, "%&+#") || len(name) > facts.MaxParameter {
			return "the credential's query_name is missing, or no name of a parameter"
		}
		k.parameter, k.begin = name, [2][]byte{[]byte("?" + name + "="), []byte(name + "=")}
	}
	return ""
}

func (k *credential) header(name string, slot uint16) {
	if k.count < len(k.headers) {
		k.headers[k.count] = written{strings.ToLower(name), []byte(name + ": "), slot}
	}
	k.count++
}

// none reports whether nothing of requests depends on it.
func (k *credential) none() bool {
	return k.count == 0 && !k.query && !k.signer.On && !k.token && k.placeholder == ""
}

// any reports whether there is anything to write.
func (k *credential) any() bool { return k.count > 0 || k.query || k.signer.On }

// replaces reports whether the gateway writes the header of this name.
func (k *credential) replaces(name []byte) bool {
	for i := range k.count {
		if head.SameName(name, k.headers[i].name) {
			return true
		}
	}
	return k.signer.On && aws.Replaces(name)
}

// writeHeaders writes the lines with the credential to the upstream.
func (k *credential) writeHeaders(c *sdk.Conn, id uint32) {
	for i := range k.count {
		c.Send(abi.Upstream, id, k.headers[i].line)
		c.Secret(id, k.headers[i].slot)
		c.Send(abi.Upstream, id, lineEnd)
	}
}

var (
	lineEnd   = []byte("\r\n")
	ampersand = []byte("&")
)

// unauthorized tells the operator when the server refuses the gateway's credential: the response that p begins with is a 401, to a request that got it.
func (s *Session) unauthorized(c *sdk.Conn, p []byte) {
	k, slot := &s.credential, slotQuery
	switch {
	case k.count > 0:
		slot = k.headers[0].slot
	case k.signer.On:
		slot = slotAWS
	case s.placed:
		slot = slotSecret
	case !k.query:
		return
	}
	end := 0
	for end < len(p) && p[end] != '\r' {
		end++
	}
	c.Refused(s.request.id, slot, p[:end])
}
