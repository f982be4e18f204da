// Package session is the SSH plugin: it follows the channels and requests of one connection (RFC 4254) and asks about each that does something. The transport
// and the logins are the host's; what is read here are records (package wire).
//
// # What is asked
//
// The connection is an action of family "connect", asked about when the agent wants to log in; its login succeeds when the upstream's has. Opening a channel of type session
// does nothing yet and belongs to it. Everything else is an action aside of family "ssh": what is started on a channel (exec, shell, subsystem), what is set for it (a
// terminal, variables, X11, the agent's keys), signals, and forwarded connections. While one is undecided, what follows on the same channel waits here, and other channels go on.
// Frames of a channel belong to the action that started it, which lasts until the channel is closed. Window changes, the end of data and keepalives belong to that as well.
//
// Channels that the server opens (connections to a forwarded port, X11, the agent's keys) pass where the request for them was allowed, and belong to it.
//
// # Data
//
// Once a command runs its data does not come here: the plugin says so with SPLICE. SFTP is read (package sftp) but for file data, of which the plugin says with TRANSFERS for
// which handles it passes in the host; and so is the standard input of commands that an
// endpoint's option inspect_stdin asks for.
//
// # Answers
//
// Where a rule looks at what comes back, the output of a command without a terminal is kept until it is over, and asked about. What is a conversation cannot be kept: whether it may
// go on unseen is asked before it begins.
//
// # Denials
//
// A request that is denied fails, and a line on the session's standard error says why. One that would have started something seems to start, says why, and ends with status 254, as a command that a
// server forces would: clients throw away what comes with a request that fails. A channel
// that is denied is refused with the reason. Nothing else of the connection notices.
package session

import (
	"errors"
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/ssh/line"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Limits.
const (
	defaultChannels = 64
	mostChannels    = 512
	maxQueue        = 256 // records that wait on a channel
	maxForwards     = 64
	maxTold         = 32 // denied requests of SFTP on a channel of which its standard error tells: libraries do not read that
	maxNotices      = 4
	maxReplies      = 256 // answers that are owed on a channel
	// maxStdin is with the record in which it is reached less than what may be written under an action that was asked about just now.
	maxStdin     = 24 << 10
	defaultStdin = 16 << 10
)

// ExitDenied is the exit status of a session whose command was denied.
const ExitDenied = 254

// Plugin is the plugin, with the options of an endpoint.
type Plugin struct {
	channels  int
	env       []string
	inspect   bool
	stdin     int
	succeeded bool // a denied command seems to have been started, and to have ended with ExitDenied
}

// Values of the option denied.
const (
	deniedFails = "failure"
	deniedExits = "exit"
)

// Manifest declares everything.
func (*Plugin) Manifest() abi.Manifest {
	return abi.Manifest{
		Name: "ssh", Version: "1.0.0", Doc: "SSH (RFC 4254) with every channel and request, SFTP and file transfers.",
		Families:   families(),
		Transport:  abi.TransportSSH,
		Companions: []abi.Companion{{Name: line.Companion}},
		Slots: []abi.Slot{
			{Name: "key", Form: "ssh-key", Doc: "an OpenSSH private key that the gateway logs in with, its certificate behind it where it has one"},
			{Name: "passphrase", Form: "ssh-passphrase", Doc: "what the key is encrypted with"},
			{Name: "password", Form: "ssh-password", Doc: "a password that the gateway logs in with"},
		},
		Attributes: []abi.CredentialAttribute{{Name: "user", Doc: "the user name that the gateway logs in with"}},
		Options: []abi.Option{
			{Name: "env", Type: abi.TypeString, Default: "LANG LC_* TERM COLORTERM TZ",
				Doc: "names of environment variables that may be asked for, separated by spaces, * at the end for whatever follows; others are left out without a question, as servers do"},
			{Name: "max_channels", Type: abi.TypeInt, Min: 1, Max: mostChannels, Default: int64(defaultChannels),
				Doc: "channels of a connection that are open at once; one more is refused"},
			{Name: "inspect_stdin", Type: abi.TypeBool, Default: false,
				Doc: "read the standard input of shells without a terminal and of commands that do more than read, up to stdin_limit or its end, before the verdict, so that rules can use ssh.stdin; nothing of it goes on before; file transfers apart. A client that leaves its standard input open waits (ssh -n does not)"},
			{Name: "stdin_limit", Type: abi.TypeInt, Min: 1, Max: maxStdin, Default: int64(defaultStdin),
				Doc: "bytes of standard input that are read at most; of a longer one ssh.stdin is unknown"},
			{Name: "denied", Type: abi.TypeString, Values: []string{deniedExits, deniedFails}, Default: deniedExits,
				Doc: "how a denied command ends: exit has it start, say why on its standard error, and exit with 254; failure has its request fail, of which most clients show no reason"},
		},
	}
}

// Configure takes the options.
func (p *Plugin) Configure(options []byte) error {
	o, err := sdk.ReadOptions(options)
	if err != nil {
		return err
	}
	p.channels, p.inspect, p.stdin = int(o.Int("max_channels")), o.Bool("inspect_stdin"), int(o.Int("stdin_limit"))
	p.succeeded = o.String("denied") == deniedExits
	p.env = strings.Fields(o.String("env"))
	for _, name := range p.env {
		if stem := strings.TrimSuffix(name, "*"); stem == "" || strings.ContainsAny(stem, "*=") {
			return errors.New(`option env: "` + name + `" is not the name of a variable, nor the beginning of one with * behind it`)
		}
	}
	return nil
}

// listed reports whether a variable may be asked for.
func (p *Plugin) listed(name string) bool {
	for _, n := range p.env {
		if stem, open := strings.CutSuffix(n, "*"); name == n || open && strings.HasPrefix(name, stem) {
			return true
		}
	}
	return false
}

// Open begins a connection.
func (p *Plugin) Open(c *sdk.Conn, f abi.Facts) sdk.Session {
	s := &Session{plugin: p, facts: f, channels: map[uint32]*channel{}, questions: map[uint32]*about{}}
	if !f.AgentTLS || !f.UpstreamTLS {
		c.Fail("an endpoint of SSH needs the host's transport on both sides")
		return s
	}
	c.StartTLS(abi.Agent)
	return s
}
