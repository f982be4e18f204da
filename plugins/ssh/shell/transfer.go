package shell

import (
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/ssh/line"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Transfer is the server of a file transfer, as a client starts it.
type Transfer = line.Transfer

// transferOf reads the servers' command lines, which only their clients write. One that has words of another kind is a program like any other.
func transferOf(name string, args []word) (*Transfer, bool) {
	switch name {
	case "scp":
		return scp(args)
	case "rsync":
		return rsync(args)
	case "git-upload-pack", "git-upload-archive", "git-receive-pack":
		return git(name, args)
	case "git":
		if len(args) > 0 && args[0].known && (args[0].text == "upload-pack" || args[0].text == "upload-archive" || args[0].text == "receive-pack") {
			return git("git-"+args[0].text, args[1:])
		}
	case "sftp-server":
		return sftp(args)
	}
	return nil, false
}

// scp reads scp -t and scp -f: source and sink of the old protocol.
func scp(args []word) (*Transfer, bool) {
	t := &Transfer{Protocol: line.SCP}
	direction, ended := byte(0), false
	for i, a := range args {
		if !a.known && !a.operand {
			return nil, false
		}
		if a.known && a.text == "--" {
			args, ended = args[i+1:], true
			break
		}
		if !strings.HasPrefix(a.text, "-") {
			args = args[i:]
			break
		}
		if strings.Trim(a.text[1:], "tfrpdvq") != "" || len(a.text) < 2 {
			return nil, false
		}
		for _, c := range []byte(a.text[1:]) {
			if c == 't' || c == 'f' {
				if direction != 0 && direction != c {
					return nil, false
				}
				direction = c
			}
		}
		if i == len(args)-1 {
			return nil, false
		}
	}
	if direction == 0 || len(args) == 0 || direction == 't' && len(args) != 1 {
		return nil, false
	}
	t.Upload, t.Class = direction == 't', abi.ClassRead
	if t.Upload {
		t.Class = abi.ClassWrite
	}
	return t, take(t, args, ended)
}

// take takes paths. One that the shell expands is taken as it begins. What looks like an option is one for programs that take them behind paths too, unless the options have ended.
func take(t *Transfer, args []word, ended bool) bool {
	for _, a := range args {
		if !a.known && !a.operand || !ended && strings.HasPrefix(a.text, "-") {
			return false
		}
		text := a.text
		if !a.known {
			text += "*"
		}
		t.Paths = append(t.Paths, text)
	}
	return true
}

// harmlessRsync are options of rsync's server that neither write elsewhere nor remove nor run anything. Those with = may have a value.
var harmlessRsync = []string{"--sender", "--partial", "--inplace", "--numeric-ids", "--ignore-existing", "--existing", "--update", "--checksum", "--stats", "--timeout=", "--bwlimit=", "--max-size=", "--min-size=", "--modify-window=", "--compress-level=", "--compress-choice=",
	"--checksum-choice=", "--no-implied-dirs", "--append", "--append-verify", "--whole-file", "--no-whole-file", "--fake-super", "--safe-links", "--munge-links", "--copy-unsafe-links", "--ignore-errors", "--list-only", "--no-r", "--dirs", "--delay-updates", "--fuzzy", "--preallocate", "--iconv=", "--sparse",
	"--size-only", "--ignore-times", "--block-size=", "--force", "--protocol=", "--from0", "--mkpath", "--new-compress", "--old-compress", "--log-format=", "--out-format=", "--specials", "--devices", "--groupmap=", "--usermap=", "--open-noatime", "--partial-dir=.rsync-partial"}

// removingRsync are those that remove files of the server.
var removingRsync = []string{"--delete", "--delete-before", "--delete-during", "--delete-delay", "--delete-after", "--delete-excluded", "--delete-missing-args", "--remove-source-files", "--max-delete="}

// rsync reads rsync --server. With -s (--secluded-args) it is told options and paths by its standard input, so that is a program like any other.
func rsync(args []word) (*Transfer, bool) {
	if len(args) == 0 || !args[0].known || args[0].text != "--server" {
		return nil, false
	}
	t := &Transfer{Protocol: line.Rsync, Upload: true, Class: abi.ClassWrite}
	removes := false
	for i, a := range args[1:] {
		if !a.known {
			return nil, false
		}
		if !strings.HasPrefix(a.text, "-") {
			if rest := args[1+i:]; a.text != "." || len(rest) < 2 || !take(t, rest[1:], false) {
				return nil, false
			}
			break
		}
		if a.text == "-" || a.text == "--" { // no client writes these
			return nil, false
		}
		name, value, valued := strings.Cut(a.text, "=")
		if valued {
			name += "="
		}
		switch {
		case a.text == "--sender":
			t.Upload, t.Class = false, abi.ClassRead
		case slices.Contains(removingRsync, name):
			removes = true
		case slices.Contains(harmlessRsync, name), slices.Contains(harmlessRsync, a.text):
			if strings.HasSuffix(name, "format=") && strings.Contains(value, "/") {
				return nil, false
			}
		case strings.HasPrefix(a.text, "--"):
			return nil, false
		default: // the short ones, with what the client can do behind e: -vlogDtpre.iLsfxCIvu
			flags, _, _ := strings.Cut(a.text[1:], "e.")
			if strings.Trim(flags, "vlogDtprzuncCdHAXUNSxWIRbmOJKkLEqyi0") != "" {
				return nil, false
			}
		}
	}
	if len(t.Paths) == 0 {
		return nil, false
	}
	if removes {
		t.Class = abi.ClassDelete
	}
	return t, true
}

// git reads the three servers of git. Their hooks are the repository owner's affair.
func git(name string, args []word) (*Transfer, bool) {
	t := &Transfer{Protocol: line.Git, Class: abi.ClassRead, Upload: name == "git-receive-pack"}
	if t.Upload {
		t.Class = abi.ClassWrite
	}
	for len(args) > 0 && args[0].known && strings.HasPrefix(args[0].text, "-") {
		if name, _, _ := strings.Cut(args[0].text, "="); name != "--strict" && name != "--no-strict" && name != "--timeout" {
			return nil, false
		}
		args = args[1:]
	}
	return t, len(args) == 1 && take(t, args, false)
}

// sftp reads sftp-server; what its client wants is in the conversation.
func sftp(args []word) (*Transfer, bool) {
	o := options{flags: "eR", values: "dflu"}
	rest, ok := o.command(args)
	return &Transfer{Protocol: line.SFTP, Class: abi.ClassSession}, ok && len(rest) == 0
}
