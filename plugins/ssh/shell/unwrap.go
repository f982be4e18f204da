package shell

import (
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// options says how the options of a wrapper are read, so that it is certain where its command begins. An option that is not here makes the line opaque.
type options struct {
	flags  string   // short ones without a value
	values string   // short ones with a value
	long   []string // long ones without a value, or with one behind =
	valued []string // long ones whose value may be the next word
}

// command drops a wrapper's options; ok is false when it is not certain which words those are.
func (o *options) command(args []word) (rest []word, ok bool) {
	for len(args) > 0 {
		a := args[0]
		switch {
		case !a.known && !a.operand:
			return nil, false
		case !a.known || a.text == "-" || !strings.HasPrefix(a.text, "-"):
			return args, true
		case a.text == "--":
			return args[1:], true
		}
		n, ok := o.width(a.text)
		if !ok || n > len(args) {
			return nil, false
		}
		if n == 2 && !args[1].known { // it could be several words, or none
			return nil, false
		}
		args = args[n:]
	}
	return nil, true
}

// width is how many words an option has.
func (o *options) width(text string) (n int, ok bool) {
	if strings.HasPrefix(text, "--") {
		name, _, valued := strings.Cut(text, "=")
		if slices.Contains(o.valued, name) {
			if valued {
				return 1, true
			}
			return 2, true
		}
		return 1, slices.Contains(o.long, name)
	}
	for i := 1; i < len(text); i++ {
		switch {
		case strings.IndexByte(o.values, text[i]) >= 0:
			if i == len(text)-1 {
				return 2, true
			}
			return 1, true
		case strings.IndexByte(o.flags, text[i]) < 0:
			return 0, false
		}
	}
	return 1, true
}

// unwrapping makes a wrapper that has options, then positional words of its own, then the command. least is the class of using it at all.
func unwrapping(o options, positional int, least abi.Class) func(w *walker, args []word) {
	return func(w *walker, args []word) {
		w.atLeast(least)
		rest, ok := o.command(args)
		if !ok || len(rest) < positional {
			w.opaque("where the command of a wrapper begins is not certain")
			return
		}
		for _, p := range rest[:positional] {
			if !p.known {
				w.opaque("where the command of a wrapper begins is not certain")
				return
			}
		}
		if rest = rest[positional:]; len(rest) > 0 {
			w.run(rest)
		}
	}
}

// The table refers to functions that refer to it.
func init() {
	read, execute := abi.ClassRead, abi.ClassExecute
	wrappers = map[string]func(w *walker, args []word){
		"sudo": sudo, "doas": unwrapping(options{flags: "n", values: "u"}, 0, execute),
		"env": env, "nice": unwrapping(options{values: "n", valued: []string{"--adjustment"}}, 0, read),
		"ionice":  unwrapping(options{flags: "t", values: "cn"}, 0, read),
		"timeout": unwrapping(options{flags: "v", values: "ks", long: []string{"--preserve-status", "--foreground", "--verbose"}, valued: []string{"--signal", "--kill-after"}}, 1, read),
		"nohup":   unwrapping(options{}, 0, execute), "setsid": unwrapping(options{flags: "cfw"}, 0, execute),
		"stdbuf": unwrapping(options{values: "ioe"}, 0, read), "time": unwrapping(options{flags: "p"}, 0, read),
		"chrt": chrt, "taskset": unwrapping(options{flags: "a", values: "c"}, 1, execute),
		"chroot": unwrapping(options{long: []string{"--skip-chdir"}, valued: []string{"--userspec", "--groups"}}, 1, execute),
		"strace": strace, "builtin": unwrapping(options{}, 0, read),
		"busybox": unwrapping(options{}, 0, read), "toybox": unwrapping(options{}, 0, read), "command": command, "exec": unwrapping(options{flags: "cl", values: "a"}, 0, read),
		"flock": flock, "xargs": xargs, "find": findExec, "eval": eval, "trap": trap, "watch": watch, "script": script, "su": su, "runuser": su, "ssh": remote, "read": readInto, "unset": unset, "export": export, "readonly": export,
		"sh": interpreter, "bash": interpreter, "dash": interpreter, "ash": interpreter, "ksh": interpreter, "mksh": interpreter, "zsh": interpreter,
	}
}

func sudo(w *walker, args []word) {
	w.atLeast(abi.ClassExecute)
	o := options{flags: "AbEHnPSkK", values: "ugpCTRDh", long: []string{"--non-interactive", "--preserve-env", "--set-home", "--stdin"}, valued: []string{"--user", "--group"}}
	rest, ok := o.command(args)
	if !ok { // -i, -s and -e among them: a shell, or an editor
		w.opaque("options of sudo that are not read")
		return
	}
	if rest = w.assignments(rest); len(rest) > 0 {
		w.run(rest)
	}
}

// assignments drops NAME=value words and judges them.
func (w *walker) assignments(args []word) []word {
	for len(args) > 0 {
		name, value, is := strings.Cut(args[0].text, "=")
		if !is {
			break
		}
		if !args[0].known && !args[0].operand { // env a=$x ls runs what stands behind the first blank of x
			w.opaque("where the command of a wrapper begins is not certain")
		}
		w.set(name, word{text: value, known: args[0].known})
		args = args[1:]
	}
	return args
}

// chrt may do without the priority where it means nothing.
func chrt(w *walker, args []word) {
	w.atLeast(abi.ClassExecute)
	o := options{flags: "bfiorR"}
	rest, ok := o.command(args)
	if !ok || len(rest) == 0 || !number(rest[0]) {
		w.opaque("where the command of a wrapper begins is not certain")
		return
	}
	if len(rest) > 1 {
		w.run(rest[1:])
	}
}

// strace can write to a command as well as to a file.
func strace(w *walker, args []word) {
	w.atLeast(abi.ClassExecute)
	o := options{flags: "fFcqtrTvxy", values: "eso"}
	rest, ok := o.command(args)
	if !ok || slices.ContainsFunc(args[:len(args)-len(rest)], func(a word) bool { return strings.ContainsAny(a.text, "|!") }) {
		w.opaque("options of strace that are not read")
		return
	}
	if len(rest) > 0 {
		w.run(rest)
	}
}

func env(w *walker, args []word) {
	o := options{flags: "i0v", values: "uC", long: []string{"--ignore-environment", "--null", "--debug"}, valued: []string{"--unset", "--chdir"}}
	rest, ok := o.command(args)
	if !ok { // -S among them
		w.opaque("options of env that are not read")
		return
	}
	if len(rest) > 0 && rest[0].known && rest[0].text == "-" {
		rest = rest[1:]
	}
	for _, a := range args[:len(args)-len(rest)] { // -u PATH
		if strings.HasPrefix(a.text, "-u") || strings.HasPrefix(a.text, "--unset") {
			w.atLeast(abi.ClassExecute)
		}
	}
	w.atLeast(abi.ClassRead)
	if rest = w.assignments(rest); len(rest) > 0 {
		w.run(rest)
	}
}

func command(w *walker, args []word) {
	if len(args) > 0 && args[0].known && (args[0].text == "-v" || args[0].text == "-V") {
		w.atLeast(abi.ClassRead)
		return
	}
	unwrapping(options{flags: "p"}, 0, abi.ClassRead)(w, args)
}

// known joins words that a program gives to a shell, with blanks between them; what is not known makes the line opaque.
func (w *walker) known(args []word) (string, bool) {
	texts := make([]string, 0, len(args))
	for _, a := range args {
		if !a.known {
			w.opaque("commands that are not in the line")
			return "", false
		}
		texts = append(texts, a.text)
	}
	return strings.Join(texts, " "), true
}

func (w *walker) within(args ...word) {
	if text, ok := w.known(args); ok {
		w.line(text)
	}
}

func eval(w *walker, args []word) { w.within(args...) }

func trap(w *walker, args []word) {
	if len(args) > 0 && args[0].known && args[0].text == "--" {
		args = args[1:]
	}
	if len(args) > 0 && args[0].known && strings.HasPrefix(args[0].text, "-") {
		w.atLeast(abi.ClassExecute)
		return
	}
	if len(args) > 0 {
		w.within(args[0])
	}
}

func watch(w *walker, args []word) {
	o := options{flags: "bcdegtwx", values: "n", long: []string{"--differences", "--no-title", "--errexit", "--exec", "--precise"}, valued: []string{"--interval"}}
	rest, ok := o.command(args)
	if !ok {
		w.opaque("options of watch that are not read")
		return
	}
	for _, a := range args[:len(args)-len(rest)] { // no shell reads it then
		if a.text == "--exec" || !strings.HasPrefix(a.text, "--") && strings.IndexByte(a.text, 'x') > 0 {
			if len(rest) > 0 {
				w.run(rest)
			}
			return
		}
	}
	w.within(rest...)
}

func flock(w *walker, args []word) {
	w.atLeast(abi.ClassExecute)
	o := options{flags: "sxuneoF", values: "wE"}
	rest, ok := o.command(args)
	switch {
	case !ok || len(rest) == 0 || !rest[0].known:
		w.opaque("options of flock that are not read")
	case len(rest) > 1 && rest[1].known && (rest[1].text == "-c" || rest[1].text == "--command"):
		w.within(rest[2:]...)
	case len(rest) > 1:
		w.run(rest[1:])
	}
}

func script(w *walker, args []word) {
	w.atLeast(abi.ClassExecute)
	commands := 0
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case !a.known:
			w.opaque("what script runs is not in the line")
			return
		case (a.text == "-c" || a.text == "-qc" || a.text == "--command") && i+1 < len(args):
			i++
			w.within(args[i])
			commands++
		case strings.HasPrefix(a.text, "-") && !slices.Contains([]string{"-q", "-e", "-f", "-a", "--quiet", "--return", "--flush", "--append"}, a.text):
			w.opaque("options of script that are not read")
			return
		}
	}
	if commands != 1 {
		w.opaque("script starts a shell")
	}
}

func su(w *walker, args []word) {
	w.atLeast(abi.ClassExecute)
	found := false
	for i, a := range args {
		switch {
		case !a.known:
			w.opaque("who or what su runs is not in the line")
			return
		case a.text == "-c" && i+1 < len(args):
			w.within(args[i+1])
			found = true
		case strings.HasPrefix(a.text, "-") && a.text != "-" && a.text != "-l": // runuser -u has no shell
			w.opaque("options of su that are not read")
			return
		}
	}
	if !found {
		w.opaque("su starts a shell")
	}
}

// interpreter is a shell: with -c a line within the line, with a file a program that is not known, without both what it is given to read.
func interpreter(w *walker, args []word) {
	for i, a := range args {
		switch {
		case !a.known && !a.operand:
			w.opaque("a shell with arguments that are not in the line")
			return
		case a.known && strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && len(a.text) > 1 && strings.Trim(a.text[1:], "ceuxlv") == "":
			if strings.IndexByte(a.text, 'l') >= 0 {
				w.atLeast(abi.ClassExecute) // it reads start-up files
			}
			if strings.IndexByte(a.text, 'c') < 0 {
				continue
			}
			if i+1 < len(args) && args[i+1].known && !strings.HasPrefix(args[i+1].text, "-") && !strings.HasPrefix(args[i+1].text, "+") {
				w.line(args[i+1].text)
			} else {
				w.opaque("the commands of a shell are not in the line")
			}
			return
		case a.known && strings.HasPrefix(a.text, "-"), a.known && strings.HasPrefix(a.text, "+"):
			w.opaque("options of a shell that are not read")
			return
		default: // a script
			w.calls++
			w.atLeast(abi.ClassExecute)
			return
		}
	}
	w.opaque("a shell that reads its commands from the standard input")
}

// remote looks at what ssh runs somewhere else.
func remote(w *walker, args []word) {
	w.calls++
	w.atLeast(abi.ClassExecute)
	o := options{flags: "46AaCfGgKkMNnqTtVvXxYys", values: "BbcDEFIiJLlmOopQRSWw"}
	rest, ok := o.command(args)
	if !ok || len(rest) == 0 {
		w.opaque("options of ssh that are not read")
		return
	}
	for i, a := range args[:len(args)-len(rest)] {
		text := strings.ToLower(a.text)
		if strings.HasPrefix(text, "-f") || strings.Contains(text, "command") || i > 0 && args[i-1].text == "-F" {
			w.opaque("options of ssh that run commands")
			return
		}
	}
	if rest = rest[1:]; len(rest) == 0 {
		w.opaque("a shell on another machine")
		return
	}
	w.within(rest...)
}

func readInto(w *walker, args []word) {
	w.atLeast(abi.ClassRead)
	for _, a := range args {
		switch {
		case !a.known:
			w.opaque("the name of a variable is not known")
		case strings.HasPrefix(a.text, "-"):
			if a.text != "-r" {
				w.atLeast(abi.ClassExecute)
			}
		default:
			w.variable(a.text)
		}
	}
}

func unset(w *walker, args []word) { readInto(w, args) }

// export is export and readonly, as sh has them: commands like others.
func export(w *walker, args []word) {
	w.calls++
	for _, a := range args {
		name, value, _ := strings.Cut(a.text, "=")
		switch {
		case !a.known && (name == a.text || !a.operand): // export a=$x has as many variables as x has words
			w.opaque("the name of a variable is not known")
		case strings.HasPrefix(name, "-"):
			if a.text != "-p" {
				w.atLeast(abi.ClassExecute)
			}
		case name == a.text: // it gets no value
			w.set(name, word{text: "0", known: true})
		default:
			w.set(name, word{text: value, known: a.known})
		}
	}
}
