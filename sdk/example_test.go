package sdk_test

import (
	"bytes"
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// upper is a plugin of a protocol with one command for each line. What begins with "DEL" deletes, everything else reads.
type upper struct{}

func (upper) Manifest() abi.Manifest {
	return abi.Manifest{
		Name: "upper", Version: "1.0.0", Doc: "one command for each line",
		Families: []abi.Family{
			{Name: abi.FamilyConnect, Fields: []abi.Field{}},
			{Name: "upper", Fields: []abi.Field{{Name: "command", Type: abi.TypeString, Doc: "the whole line"}}},
		},
	}
}

func (upper) Configure([]byte) error { return nil }

func (upper) Open(c *sdk.Conn, facts abi.Facts) sdk.Session {
	s := &upperSession{connect: c.Ask(0, abi.ClassSession, "connect to "+facts.Endpoint).Do(0, 0)}
	c.Dial(s.connect)
	return s
}

type upperSession struct {
	connect uint32
	length  uint64 // of the line that was asked about
}

func (s *upperSession) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if end && len(p) == 0 {
		c.Shut(side.Other())
		return 0
	}
	if side == abi.Upstream {
		c.Pass(side, 0, uint64(len(p)))
		return len(p)
	}
	n := bytes.IndexByte(p, '\n') + 1
	if n == 0 {
		return 0 // not a whole line: it is shown again with what follows
	}
	class := abi.ClassRead
	if bytes.HasPrefix(p, []byte("DEL ")) {
		class = abi.ClassDelete
	}
	line := string(p[:n-1])
	s.length = uint64(n)
	id := c.Ask(1, class, line).String(0, line).Do(s.length, 0)
	c.Pass(side, id, s.length) // void if it is denied
	return n
}

func (s *upperSession) Event(c *sdk.Conn, e abi.Event) {
	switch {
	case e.Kind == abi.KindRefused:
		c.Send(abi.Agent, 0, []byte("ERROR "+e.Reason+"\n"))
		c.Close("the upstream refused")
	case e.Kind == abi.KindVerdict && e.Outcome == abi.Deny && e.ID == s.connect:
		c.Close("not allowed to connect")
	case e.Kind == abi.KindVerdict && e.Outcome == abi.Deny:
		c.Drop(abi.Agent, s.length)
		c.Send(abi.Agent, 0, []byte("ERROR "+e.Reason+"\n"))
	}
}

// A plugin's main package has besides:
//
//	func init() { sdk.Register(upper{}) }
//	func main() {}
//
// Here it runs natively, with the test in the place of the host.
func Example() {
	manifest, err := sdk.ConfigureNative(upper{}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	guest := sdk.NewNative(upper{}, nil)
	show := func(commands []byte, _ bool, err error) {
		var c abi.Command
		for len(commands) > 0 && err == nil {
			commands, err = abi.Next(commands, &c)
			switch c.Tag {
			case abi.TagAsk:
				a, _ := abi.ReadAction(c.Data, manifest)
				fmt.Printf("%v %d: %v %q, %d bytes\n", c.Tag, c.ID, a.Class, a.Title, c.N)
			case abi.TagSend:
				fmt.Printf("%v to the %v: %q\n", c.Tag, c.Side, c.Data)
			default:
				fmt.Printf("%v %d, %d bytes\n", c.Tag, c.ID, c.N)
			}
		}
	}
	verdict := func(id uint32, o abi.Outcome) []byte {
		return abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: id, Outcome: o, Reason: "no"})
	}
	show(guest.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "prod"})))
	show(guest.Event(verdict(1, abi.Allow)))
	show(guest.Data(abi.Agent, []byte("GET a\nDEL b\n"), 0))
	show(guest.Event(verdict(2, abi.Allow)))
	show(guest.Event(verdict(3, abi.Deny)))
	// Output:
	// ASK 1: session "connect to prod", 0 bytes
	// DIAL 1, 0 bytes
	// ASK 2: read "GET a", 6 bytes
	// PASS 2, 6 bytes
	// ASK 3: delete "DEL b", 6 bytes
	// PASS 3, 6 bytes
	// DROP 0, 6 bytes
	// SEND to the agent: "ERROR no\n"
}
