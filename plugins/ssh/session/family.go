package session

import (
	"strings"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Families, as indices into the manifest.
const (
	familyConnect uint16 = iota
	familySSH
	familyResponse
)

// Fields of family connect.
const (
	connectUser uint16 = iota
	connectClient
)

// Fields of family ssh.
const (
	fieldKind uint16 = iota
	fieldUser
	fieldCommand
	fieldArgv
	fieldCommandOpaque
	fieldPrograms
	fieldTerminal
	fieldStdin
	fieldSubsystem
	fieldName
	fieldValue
	fieldHost
	fieldPort
	fieldOperation
	fieldPaths
	fieldPathsNormal
	fieldDirection
)

// Kinds of actions.
const (
	kindExec          = "exec"
	kindShell         = "shell"
	kindPty           = "pty"
	kindSubsystem     = "subsystem"
	kindEnv           = "env"
	kindForward       = "forward"
	kindStreamlocal   = "streamlocal"
	kindRemoteForward = "remote-forward"
	kindAgentForward  = "agent-forward"
	kindX11           = "x11"
	kindTun           = "tun"
	kindSignal        = "signal"
	kindSFTP          = "sftp"
	kindOther         = "other"
)

// Directions of a file transfer.
const (
	upload   = "upload"
	download = "download"
)

func families() []abi.Family {
	return []abi.Family{
		{Name: abi.FamilyConnect, Doc: "The connection.", Fields: []abi.Field{
			{Name: "user", Type: abi.TypeString, Doc: "the user name that the agent logs in with; the gateway may log in as another one"},
			{Name: "client", Type: abi.TypeString, Doc: "what the agent's program calls itself: SSH-2.0-OpenSSH_9.2"},
		}},
		{Name: "ssh", Doc: "What is done on a connection: channels and requests.", Fields: []abi.Field{
			{Name: "kind", Type: abi.TypeString, Values: []string{kindExec, kindShell, kindPty, kindSubsystem, kindEnv, kindForward, kindStreamlocal, kindRemoteForward, kindAgentForward, kindX11, kindTun, kindSignal, kindSFTP, kindOther},
				Doc: "what it is: forward is direct-tcpip (ssh -L, -D, -J, -W), sftp one request of a conversation of SFTP, other what is not known here"},
			{Name: "user", Type: abi.TypeString, Doc: "the user name that the agent logged in with"},
			{Name: "command", Type: abi.TypeString, Role: abi.RoleText, Doc: "exec: the command line as sent; empty for other kinds; unknown when it is no UTF-8 or longer than 16 KiB"},
			{Name: "argv", Type: abi.TypeStrings, Role: abi.RoleValues, Doc: "exec: its words, where it has no shell syntax but quotes; unknown where command_opaque"},
			{Name: "command_opaque", Type: abi.TypeBool, Doc: "exec: the command line has shell syntax, so that argv is unknown"},
			{Name: "programs", Type: abi.TypeStrings, Doc: "exec: the programs that it runs, those in pipes, lists, substitutions and behind sh -c, sudo, env, xargs and their like included; by the last part of their name, and by the whole path where that is not a system's folder; unknown when it may run others"},
			{Name: "terminal", Type: abi.TypeBool, Doc: "the session has a terminal"},
			{Name: "stdin", Type: abi.TypeString, Role: abi.RoleValues, Doc: "the standard input of a shell or command; unknown without the option inspect_stdin, past stdin_limit, and when it is no UTF-8; empty for kinds that have none"},
			{Name: "subsystem", Type: abi.TypeString, Doc: "subsystem: its name"},
			{Name: "name", Type: abi.TypeString, Doc: "env: the variable; signal: the signal without SIG; other: the request or the type of the channel"},
			{Name: "value", Type: abi.TypeString, Role: abi.RoleValues, Doc: "env: the variable's value"},
			{Name: "host", Type: abi.TypeString, Doc: "forward: where to; remote-forward: the address that the server listens at"},
			{Name: "port", Type: abi.TypeInt, Doc: "forward: where to; remote-forward: the port that the server listens at, 0: one of its choice; else 0"},
			{Name: "operation", Type: abi.TypeString, Doc: "sftp: open, opendir, stat, lstat, setstat, lsetstat, fsetstat, remove, rmdir, mkdir, rename, hardlink, symlink, readlink, realpath, statvfs, expand-path, home-directory, or an extension's name; exec: scp, rsync, git or sftp where it is the server of one; streamlocal and remote-forward: connect or listen"},
			{Name: "paths", Type: abi.TypeStrings, Doc: "sftp: the paths as sent; exec: those of scp, rsync and git; streamlocal: the socket"},
			{Name: "paths_normal", Type: abi.TypeStrings, Doc: "sftp: the paths absolute and without . and .., symbolic links not followed; unknown when one is relative and the folder that the server starts in was not asked for"},
			{Name: "direction", Type: abi.TypeString, Values: []string{"", upload, download}, Doc: "of a file transfer: upload is towards the server"},
		}},
		responseFamily,
	}
}

// action is what is asked about.
type action struct {
	kind  string
	class abi.Class
	title string

	command       string
	argv          []string
	opaque        bool // the command has shell syntax
	programs      []string
	unresolved    bool // there may be other programs
	unread        bool // the command itself cannot be shown
	terminal      bool
	stdin         string
	stdinUnknown  bool
	subsystem     string
	name, value   string
	host          string
	port          uint32
	operation     string
	paths         []string
	normal        []string
	normalUnknown bool
	direction     string
}

// maxText bounds each text of an action, in bytes, and maxList all of a list: together they fit.
const maxText = 16 << 10

// ask asks about a. Nothing more of the agent is read before the first answer, so that what follows happens in the same order however it comes.
func (s *Session) ask(c *sdk.Conn, a *action) uint32 {
	b := c.Ask(familySSH, a.class, title(a.kind, a.title))
	b.String(fieldKind, a.kind)
	text(b, fieldUser, s.user, false)
	text(b, fieldCommand, a.command, a.unread)
	list(b, fieldArgv, a.argv, a.opaque)
	b.Bool(fieldCommandOpaque, a.opaque)
	list(b, fieldPrograms, a.programs, a.unresolved)
	b.Bool(fieldTerminal, a.terminal)
	if a.stdinUnknown || !utf8.ValidString(a.stdin) || len(a.stdin) > b.Room()-maxText/2 {
		b.Unknown(fieldStdin)
	} else {
		b.String(fieldStdin, a.stdin)
	}
	text(b, fieldSubsystem, a.subsystem, false)
	text(b, fieldName, a.name, false)
	text(b, fieldValue, a.value, false)
	text(b, fieldHost, a.host, false)
	b.Int(fieldPort, int64(a.port))
	text(b, fieldOperation, a.operation, false)
	list(b, fieldPaths, a.paths, false)
	list(b, fieldPathsNormal, a.normal, a.normalUnknown)
	b.String(fieldDirection, a.direction)
	s.first = b.Do(0, abi.AskAside)
	c.Pause(abi.Agent)
	return s.first
}

// spare is what is left for the fields behind one.
const spare = 512

// text gives a string, or says that it is not known.
func text(b *sdk.AskBuilder, field uint16, v string, unknown bool) {
	if unknown || !utf8.ValidString(v) || len(v) > maxText || len(v)+spare > b.Room() {
		b.Unknown(field)
		return
	}
	b.String(field, v)
}

// list gives strings likewise.
func list(b *sdk.AskBuilder, field uint16, v []string, unknown bool) {
	size := spare
	for _, e := range v {
		size += 4 + len(e)
		unknown = unknown || !utf8.ValidString(e)
	}
	if unknown || size > b.Room() {
		b.Unknown(field)
		return
	}
	b.Strings(field, v)
}

// title is a line for people: what it is, and the beginning of what was said.
func title(kind, what string) string {
	what = printable(what)
	if what == "" {
		return kind
	}
	t := kind + ": " + what
	if len(t) <= abi.MaxTitle {
		return t
	}
	t = t[:abi.MaxTitle-len("…")]
	for !utf8.ValidString(t) {
		t = t[:len(t)-1]
	}
	return t + "…"
}

// printable puts a ? in place of what is no text.
func printable(s string) string {
	if len(s) > 4*abi.MaxTitle {
		s = s[:4*abi.MaxTitle]
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '?'
		}
		return r
	}, s)
}
