package facts

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// FamilyWebSocket is that of the messages of WebSockets.
const FamilyWebSocket = 2

// Fields of family websocket.
const (
	messageType uint16 = iota
	messageText
	messageJSON
	messageLength
	messageAuthority
	messagePath
	messagePathNormal
	messageProtocol
)

// messages declares the family.
func messages() abi.Family {
	return abi.Family{Name: "websocket", Doc: "One message of the agent in a WebSocket, where the option inspect_websocket is set.", Fields: []abi.Field{
		{Name: "type", Type: abi.TypeString, Values: []string{"text", "binary"}, Doc: "what the message says that it is"},
		{Name: "text", Type: abi.TypeString, Role: abi.RoleText, Doc: "the message; unknown past body_limit, when it is no UTF-8, and when it is binary"},
		{Name: "json", Type: abi.TypeStrings, Role: abi.RoleValues, Doc: "every value of a JSON text as pointer=value, as http.json; unknown when the text is, or is no JSON that all read alike"},
		{Name: "length", Type: abi.TypeInt, Doc: "bytes of the message; unknown when it was not read to its end"},
		{Name: "authority", Type: abi.TypeString, Doc: "http.authority of the request that the WebSocket began with"},
		{Name: "path", Type: abi.TypeString, Doc: "its http.path"},
		{Name: "path_normal", Type: abi.TypeString, Doc: "its http.path_normal"},
		{Name: "protocol", Type: abi.TypeString, Doc: "the subprotocols that the agent offered (Sec-WebSocket-Protocol); empty without"},
	}}
}

// Socket is what is known of a WebSocket from the request that it began with.
type Socket struct {
	Authority, Path, PathNormal, Protocol string
}

// NewSocket copies what is needed of a request.
func NewSocket(authority, path, protocol []byte) *Socket {
	if len(path) == 0 {
		path = root
	}
	var room [8 << 10]byte
	normal, _ := Normal(room[:0], path)
	lower := make([]byte, len(authority))
	for i, c := range authority {
		lower[i] = lowerCase[c]
	}
	return &Socket{Authority: string(lower), Path: string(path), PathNormal: string(normal), Protocol: string(protocol)}
}

// AskMessage makes the question about a message. known: text is all of it.
func (a *Action) AskMessage(c *sdk.Conn, s *Socket, isText, known bool, message []byte) *sdk.AskBuilder {
	kind, class := "binary", abi.ClassOpaque
	readable := isText && known && validText(message)
	if isText {
		kind = "text"
	}
	if readable {
		class = abi.ClassWrite
	}
	title := kind + " message to " + s.PathNormal
	b := c.Ask(FamilyWebSocket, class, title[:min(len(title), abi.MaxTitle)])
	b.String(messageType, kind).String(messageAuthority, s.Authority).String(messagePath, s.Path).String(messagePathNormal, s.PathNormal).String(messageProtocol, s.Protocol)
	if known {
		b.Int(messageLength, int64(len(message)))
	} else {
		b.Unknown(messageLength)
	}
	const head = 2 + 1 + 4 // of a field
	if !readable || b.Room() < 3*head+len(message) {
		b.Unknown(messageText).Unknown(messageJSON)
		return b
	}
	b.String(messageText, text(message))
	list, ok := a.json.flatten(message, a.values[:])
	size := 2 * head
	for _, v := range list {
		size += 4 + len(v)
	}
	if ok && size <= b.Room() {
		b.Strings(messageJSON, list)
	} else {
		b.Unknown(messageJSON)
	}
	return b
}
