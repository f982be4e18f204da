// Package facts says what an HTTP request is, in the words of the manifest, whichever version of HTTP it came in: the path as rules
// can compare it, the method that it amounts to, its headers without credentials, its body. It is written for a guest: an [Action] is
// made once and nothing is allocated for a request.
package facts

import (
	"github.com/sallyport-dev/sallyport/plugins/http/answer"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Families, as indices into the manifest.
const (
	FamilyConnect = 0
	FamilyHTTP    = 1
	// FamilyResponse is behind that of messages.
	FamilyResponse = 3
)

// Fields of family connect.
const (
	connectTLS uint16 = iota
)

// Fields of family http.
const (
	fieldMethod uint16 = iota
	fieldScheme
	fieldAuthority
	fieldPath
	fieldPathNormal
	fieldAmbiguous
	fieldQuery
	fieldHeaders
	fieldContentType
	fieldContentLength
	fieldBody
	fieldJSON
	fieldOverride
	fieldUpgrade
	fieldVersion
	fieldTLS
	fieldServerName
	fieldGatewayCredential
)

// Families declares them.
func Families() []abi.Family {
	return []abi.Family{
		{Name: abi.FamilyConnect, Doc: "The connection.", Fields: []abi.Field{
			{Name: "tls", Type: abi.TypeBool, Doc: "the agent speaks TLS with the gateway"},
		}},
		{Name: "http", Doc: "One request.", Fields: []abi.Field{
			{Name: "method", Type: abi.TypeString, Doc: "the method of the request line: GET"},
			{Name: "scheme", Type: abi.TypeString, Values: []string{"http", "https"}, Doc: "https when the agent speaks TLS with the gateway"},
			{Name: "authority", Type: abi.TypeString, Doc: "the host, with the port if that is written, in lower case; of CONNECT, where to"},
			{Name: "path", Type: abi.TypeString, Doc: "the path as sent, without the query; * for OPTIONS *, empty for CONNECT"},
			{Name: "path_normal", Type: abi.TypeString, Doc: "the path decoded and normalised: no dot segments, doubled or encoded slashes, backslashes, parameters behind ;"},
			{Name: "ambiguous", Type: abi.TypeBool, Doc: "two servers could read the path differently"},
			{Name: "query", Type: abi.TypeString, Role: abi.RoleValues, Doc: "what stands behind the ?, as sent; empty without"},
			{Name: "headers", Type: abi.TypeStrings, Role: abi.RoleValues, Doc: "every header as name: value, the name in lower case; those that carry credentials by their name alone; unknown when there are too many"},
			{Name: "content_type", Type: abi.TypeString, Doc: "the media type of the body in lower case, without parameters; empty without"},
			{Name: "content_length", Type: abi.TypeInt, Doc: "bytes of the body as sent; unknown when it comes in chunks"},
			{Name: "body", Type: abi.TypeString, Role: abi.RoleText, Doc: "the body, decoded; unknown unless the option inspect_body is set, past body_limit, and when it is no UTF-8"},
			{Name: "json", Type: abi.TypeStrings, Role: abi.RoleValues, Doc: "every value of a JSON body as pointer=value (RFC 6901): /user/name=bob; unknown when the body is, or is no JSON that all read alike"},
			{Name: "override", Type: abi.TypeString, Doc: "the method that headers or parameters put in place of the request's own, the gravest; empty without; unknown for a form that is not read"},
			{Name: "upgrade", Type: abi.TypeString, Doc: "the protocol that the connection shall go on with, in lower case: websocket; tunnel for CONNECT; empty without"},
			{Name: "version", Type: abi.TypeString, Values: []string{"1.0", "1.1", "2"}, Doc: "the version of HTTP"},
			{Name: "tls", Type: abi.TypeBool, Doc: "the agent speaks TLS with the gateway"},
			{Name: "server_name", Type: abi.TypeString, Doc: "the name that it asked for by TLS (SNI), in lower case; empty without"},
			{Name: "gateway_credential", Type: abi.TypeBool, Doc: "the gateway puts a credential into the request"},
		}},
		messages(),
		answer.Family(),
	}
}
