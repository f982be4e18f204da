package shell

// program is one that is known to be harmless: it reads and prints, and neither writes files nor changes the system nor runs others.
type program struct {
	// why says what it does, and what could have made it graver.
	why string
	// check says whether these arguments keep it harmless; nil: all do.
	check func(args []word) bool
	// pages says that it shows its output through a pager on a terminal, from which a user can start other programs.
	pages bool
}

// systemFolders are where systems keep their programs. A name without a path is looked for in the PATH that the server sets.
var systemFolders = []string{"/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/lib/openssh", "/usr/libexec/openssh", "/usr/lib/ssh", "/usr/libexec", "/usr/lib/git-core"}

// harmless is the allow-list. What is missing is missing on purpose or unknown, and executes. Left out on purpose, though people use them to read:
// git (runs what the repository's configuration names: core.fsmonitor, diff.external, textconv), less and more and man and top and vi (run others when told to), curl and wget (write
// files, reach other machines), tar and unzip (write, and run others), dd, tee, openssl, ip (netns exec, -batch), mount, crontab, docker and kubectl, psql and mysql.
var harmless = map[string]program{
	"true": {why: "does nothing"}, "false": {why: "does nothing"}, ":": {why: "does nothing"}, "sleep": {why: "waits"}, "wait": {why: "waits"},
	"exit": {why: "ends the shell"}, "return": {why: "ends a function"}, "break": {why: "ends a loop"}, "continue": {why: "goes on with a loop"}, "shift": {why: "drops an argument"},
	"echo": {why: "prints its arguments"}, "pwd": {why: "prints the folder"}, "cd": {why: "changes the shell's folder; a program with a relative path is not trusted anyway"},
	"printf": {why: "prints; -v of bash sets a variable, and evaluates its subscript", check: noOptions("-v")},
	"test":   {why: "compares; -v of bash evaluates a subscript", check: noOptions("-v", "-R")}, "[": {why: "as test", check: noOptions("-v", "-R")},
	"set":   {why: "options of the shell that stop it, or show what it does", check: onlyOptions("-e", "-u", "-x", "-eu", "-ex", "-eux", "-euo", "-eo", "-o", "pipefail", "errexit", "nounset")},
	"umask": {why: "for files that are not written"}, "type": {why: "says what a name is"}, "which": {why: "says where a program is"}, "whereis": {why: "says where a program is"},

	"cat": {why: "prints files"}, "head": {why: "prints files"}, "tail": {why: "prints files"}, "tac": {why: "prints files"}, "nl": {why: "prints files"}, "rev": {why: "prints files"},
	"wc": {why: "counts"}, "cut": {why: "prints columns"}, "tr": {why: "maps bytes"}, "fold": {why: "breaks lines"}, "fmt": {why: "breaks lines"}, "column": {why: "prints columns"},
	"paste": {why: "prints files"}, "join": {why: "prints files"}, "comm": {why: "compares"}, "cmp": {why: "compares"}, "expand": {why: "blanks"}, "unexpand": {why: "blanks"},
	"diff": {why: "compares; --output exists nowhere, and -l runs pr", check: noOptions("-l", "--paginate")},
	"grep": {why: "searches"}, "egrep": {why: "searches"}, "fgrep": {why: "searches"}, "seq": {why: "counts"}, "strings": {why: "prints what is text"},
	"od": {why: "prints bytes"}, "hexdump": {why: "prints bytes"}, "hd": {why: "prints bytes"}, "base64": {why: "encodes; -o of macOS and the BSDs writes", check: noOptions("-o", "--output")}, "base32": {why: "encodes"},
	"xxd":   {why: "prints bytes; a second file is written to", check: xxd},
	"uniq":  {why: "drops what repeats; a second file is written to", check: uniq},
	"cksum": {why: "checksum"}, "sum": {why: "checksum"}, "md5sum": {why: "checksum"}, "sha1sum": {why: "checksum"}, "sha224sum": {why: "checksum"}, "sha256sum": {why: "checksum"},
	"sha384sum": {why: "checksum"}, "sha512sum": {why: "checksum"}, "b2sum": {why: "checksum"}, "zcat": {why: "prints a compressed file", check: noOptions()}, "bzcat": {why: "prints a compressed file", check: noOptions()}, "xzcat": {why: "prints a compressed file", check: noOptions()},
	"jq":   {why: "prints JSON; it has no means to write or run"},
	"sort": {why: "sorts; -o writes, --compress-program runs, -T writes where it is told", check: noOptions("-o", "--output", "--compress-program", "-T", "--temporary-directory")},
	"sed":  {why: "prints lines; -i, -f, w, e and files in the script write and run: only scripts of one address with p, d or q, or one plain s", check: sed},
	"awk":  {why: "prints fields; system, pipes, redirections, getline and extensions write and run", check: awk}, "gawk": {why: "as awk", check: awk}, "mawk": {why: "as awk", check: awk},
	"ls": {why: "lists"}, "dir": {why: "lists"}, "vdir": {why: "lists"}, "stat": {why: "prints what the system knows of a file"}, "du": {why: "adds sizes up"}, "df": {why: "prints what is free"},
	"tree":     {why: "lists; -o writes, -R with -H writes in every folder", check: noOptions("-o", "-R", "--output")},
	"file":     {why: "guesses what a file is; -C writes", check: noOptions("-C", "--compile")},
	"find":     {why: "lists; -delete removes, -fprint writes; what -exec runs is looked at by itself", check: find},
	"basename": {why: "cuts a path"}, "dirname": {why: "cuts a path"}, "realpath": {why: "resolves a path"}, "readlink": {why: "prints a link"}, "getfacl": {why: "prints rights"}, "lsattr": {why: "prints attributes"},
	"locate": {why: "lists"}, "getent": {why: "prints entries of the system's databases"}, "getconf": {why: "prints limits"}, "locale": {why: "prints the locale"}, "tty": {why: "prints the terminal's name"},

	"id": {why: "prints who one is"}, "whoami": {why: "prints who one is"}, "groups": {why: "prints who one is"}, "logname": {why: "prints who one is"}, "users": {why: "prints who is there"}, "who": {why: "prints who is there"},
	"w": {why: "prints who is there"}, "last": {why: "prints who was there"}, "uname": {why: "prints the system's name"}, "arch": {why: "prints the machine's kind; that of macOS runs others", check: onlyOptions("--help", "--version")}, "nproc": {why: "counts processors"},
	"uptime": {why: "prints a time"}, "free": {why: "prints memory"}, "vmstat": {why: "prints figures"}, "iostat": {why: "prints figures"}, "mpstat": {why: "prints figures"}, "ps": {why: "lists processes"}, "pgrep": {why: "lists processes"},
	"pstree": {why: "lists processes"}, "pidof": {why: "lists processes"}, "lscpu": {why: "lists hardware"}, "lsblk": {why: "lists devices"}, "lsmod": {why: "lists modules"}, "lsof": {why: "lists open files; -D writes a cache", check: noOptions("-D")},
	"printenv": {why: "prints the environment"}, "netstat": {why: "lists connections"}, "ss": {why: "lists connections; -K closes them, -D and -F use files", check: noOptions("-K", "--kill", "-D", "--diag", "-F", "--filter")},
	"date":       {why: "prints the time; -s sets it, and so does a number", check: date},
	"cal":        {why: "prints a calendar"},
	"hostname":   {why: "prints the machine's name; with a name it sets that", check: onlyOptions("-f", "-s", "-i", "-I", "-A", "-d", "--fqdn", "--short", "--long", "--ip-address", "--all-ip-addresses", "--domain")},
	"dmesg":      {why: "prints the kernel's messages; others of its options clear or change them", check: onlyOptions("-T", "-H", "-k", "-x", "-t", "--ctime", "--human"), pages: true},
	"systemctl":  {why: "prints the state of units with these verbs, changes it with others", check: systemctl, pages: true},
	"journalctl": {why: "prints the journal; options that begin otherwise remove or rotate it", check: journalctl, pages: true},
	"dpkg-query": {why: "lists packages", pages: true}, "rpm": {why: "lists packages with -q; else installs", check: rpm},
}

// wrappers run other programs, which stand in their arguments.
var wrappers map[string]func(w *walker, args []word)

// unreadablePrograms are those that make a line opaque: what they run stands where it cannot be read, or in a form that is not read here.
var unreadablePrograms = map[string]string{
	".": "runs a file in the shell", "source": "runs a file in the shell", "alias": "changes what names mean", "unalias": "changes what names mean", "enable": "changes what names mean", "hash": "changes what names mean",
	"shopt": "changes how the shell reads", "emulate": "changes how the shell reads", "bind": "commands on keys", "complete": "commands on keys", "fc": "runs what ran before", "mapfile": "can evaluate", "readarray": "can evaluate",
	"let": "evaluates", "local": "evaluates", "typeset": "evaluates", "declare": "evaluates", "getopts": "sets variables", "coproc": "of bash",
	"python": "code", "python2": "code", "python3": "code", "perl": "code", "ruby": "code", "node": "code", "nodejs": "code", "php": "code", "lua": "code", "tclsh": "code", "expect": "code", "osascript": "code", "pwsh": "code", "powershell": "code", "cmd": "code",
	"fish": "a shell of another grammar", "csh": "a shell of another grammar", "tcsh": "a shell of another grammar", "rc": "a shell of another grammar", "nu": "a shell of another grammar", "elvish": "a shell of another grammar", "xonsh": "a shell of another grammar",
	"git-shell": "a shell", "rbash": "a shell", "tmux": "a terminal", "screen": "a terminal", "parallel": "runs what it reads", "batch": "runs what it reads", "at": "runs what it reads", "make": "runs what a file says", "ed": "can run commands",
	"ex": "can run commands", "vi": "can run commands", "vim": "can run commands", "view": "can run commands", "nano": "can run commands", "emacs": "can run commands", "less": "can run commands", "more": "can run commands", "man": "can run commands", "gdb": "can run commands",
	"run-parts": "runs a folder", "ld.so": "runs a file", "capsh": "runs a shell", "su-exec": "runs others", "machinectl": "runs others", "runcon": "runs others", "newgrp": "a shell", "sg": "a shell", "login": "a shell", "dbus-run-session": "runs others",
	"nsenter": "runs others", "unshare": "runs others", "bwrap": "runs others", "firejail": "runs others", "systemd-run": "runs others", "start-stop-daemon": "runs others", "crontab": "commands in a file", "logsave": "runs others", "entr": "runs others",
	"hush": "a shell", "lash": "a shell", "yash": "a shell", "posh": "a shell", "pdksh": "a shell", "oksh": "a shell", "lksh": "a shell", "rksh": "a shell", "rzsh": "a shell",
	"pkexec": "runs others", "setpriv": "runs others", "prlimit": "runs others", "setarch": "runs others", "linux": "runs others", "numactl": "runs others", "ltrace": "runs others", "valgrind": "runs others", "perf": "runs others",
	"fakeroot": "runs others", "fakechroot": "runs others", "proot": "runs others", "schroot": "runs others", "unbuffer": "runs others", "rlwrap": "runs others", "eatmydata": "runs others", "chpst": "runs others", "softlimit": "runs others",
	"setuidgid": "runs others", "ssh-agent": "runs others", "dbus-launch": "runs others", "systemd-inhibit": "runs others", "aa-exec": "runs others", "cgexec": "runs others", "gosu": "runs others", "tini": "runs others", "dumb-init": "runs others",
	"integer": "evaluates", "float": "evaluates", "nameref": "evaluates", "private": "evaluates",
	// Words of other shells before which a command's name would hide.
	"and": "a word of fish", "or": "a word of fish", "not": "a word of fish", "begin": "a word of fish", "end": "a word of fish", "switch": "a word of csh and fish", "foreach": "a word of csh and zsh", "repeat": "a word of csh and zsh",
	"function": "a word of several shells", "select": "a word of bash", "noglob": "a word of zsh", "nocorrect": "a word of zsh", "-": "a word of zsh", "[[": "a word of bash", "((": "a word of bash", "onintr": "a word of csh", "goto": "a word of csh", "zmodload": "a word of zsh", "autoload": "a word of zsh", "zcompile": "a word of zsh", "sched": "a word of zsh",
}

// decisiveVariables decide what is run, or how words are read. In zsh some of them are lists in lower case.
var decisiveVariables = []string{"PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "PS4", "PROMPT_COMMAND", "CDPATH", "FPATH", "fpath", "path", "HOME", "SHELL", "GCONV_PATH", "PAGER", "MANPAGER", "EDITOR", "VISUAL", "BROWSER",
	"LESSOPEN", "LESSCLOSE", "LESS", "NODE_OPTIONS", "NODE_PATH", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH", "RSYNC_RSH", "SYSTEMD_PAGER", "AWKPATH", "AWKLIBPATH", "POSIXLY_CORRECT", "GREP_OPTIONS", "module_path", "aliases", "functions", "commands", "options", "builtins",
	"NLSPATH", "TERMINFO", "TERMINFO_DIRS", "TERMCAP", "HISTFILE", "ZDOTDIR", "NULLCMD", "READNULLCMD", "HOSTALIASES", "RES_OPTIONS", "LOCPATH", "MALLOC_TRACE", "TMPDIR", "OPENSSL_CONF", "OPENSSL_ENGINES", "SSLKEYLOGFILE"}

var decisivePrefixes = []string{"LD_", "DYLD_", "BASH_FUNC_", "GIT_", "PYTHON", "PERL", "RUBY", "GLIBC_", "SUDO_", "SSH_", "DPKG_", "APT_", "_RLD"}

// integerVariables are numbers for ksh or zsh: what they are set to is evaluated, and substitutions in a subscript are run.
var integerVariables = []string{"COLUMNS", "LINES", "SECONDS", "RANDOM", "HISTSIZE", "SAVEHIST", "HISTCMD", "OPTIND", "TMOUT", "LINENO", "FUNCNEST", "KEYTIMEOUT", "LISTMAX", "LOGCHECK", "MAILCHECK", "DIRSTACKSIZE", "SHLVL", "ERRNO",
	"TRY_BLOCK_ERROR", "TRY_BLOCK_INTERRUPT", "BAUD", "status", "UID", "EUID", "GID", "EGID", "PPID", "USER_ID", "KSHUID", "KSHEGID"}

// harmlessVariables change how things look, or are names that nothing else uses.
var harmlessVariables = []string{"LANG", "LANGUAGE", "TZ", "TERM", "NO_COLOR", "CLICOLOR", "COLORTERM", "file", "dir", "line", "name", "host", "user", "pid", "item", "word", "num", "count", "out", "res"}
