package shell

import (
	"slices"
	"strings"
)

// noOptions is for programs that are harmless but for these options. A short one may stand among others behind one dash or have its value behind it, a long one may
// be cut short: any that could be meant counts.
func noOptions(bad ...string) func(args []word) bool {
	return func(args []word) bool {
		for _, a := range args {
			if !a.known && !a.operand {
				return false
			}
			if a.known && slices.ContainsFunc(bad, func(b string) bool { return means(a.text, b) }) {
				return false
			}
		}
		return true
	}
}

// means reports whether an argument could be the option.
func means(arg, option string) bool {
	if strings.HasPrefix(option, "--") {
		name, _, _ := strings.Cut(arg, "=")
		return len(name) > 2 && strings.HasPrefix(option, name)
	}
	return len(arg) > 1 && arg[0] == '-' && arg[1] != '-' && strings.IndexByte(arg[1:], option[1]) >= 0
}

// onlyOptions is for programs that are harmless with these arguments alone.
func onlyOptions(good ...string) func(args []word) bool {
	return func(args []word) bool {
		for _, a := range args {
			if !a.known || !slices.Contains(good, a.text) {
				return false
			}
		}
		return true
	}
}

// operands counts what is no option; negative when that is not known.
func operands(args []word) int {
	n := 0
	for _, a := range args {
		if !a.known {
			return -1
		}
		if a.text == "-" || !strings.HasPrefix(a.text, "-") {
			n++
		}
	}
	return n
}

func xxd(args []word) bool {
	n := operands(args)
	return n >= 0 && n <= 1 && noOptions("-r")(args)
}

func uniq(args []word) bool {
	n := operands(args)
	return n >= 0 && n <= 1
}

func date(args []word) bool {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case !a.known:
			return false
		case strings.HasPrefix(a.text, "+"), a.text == "-u", a.text == "-R", a.text == "--utc", a.text == "-I", strings.HasPrefix(a.text, "--iso-8601"), strings.HasPrefix(a.text, "--date="), strings.HasPrefix(a.text, "--reference="):
		case (a.text == "-d" || a.text == "-r") && i+1 < len(args) && args[i+1].known:
			i++ // its value
		default:
			return false
		}
	}
	return true
}

// number reports a word that is a whole number.
func number(a word) bool {
	digits := strings.TrimPrefix(a.text, "-")
	return a.number || a.known && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// evaluates reports whether a command of the shell takes arguments as arithmetic that are no numbers. ksh and zsh do that with what is compared or printed as one: they run
// what is substituted in a subscript.
func evaluates(name string, args []word) bool {
	switch name {
	case "exit", "return", "break", "continue", "shift":
		return slices.ContainsFunc(args, func(a word) bool { return !number(a) })
	case "test", "[":
		for i, a := range args {
			switch {
			case a.known && slices.Contains([]string{"-eq", "-ne", "-lt", "-le", "-gt", "-ge"}, a.text):
				if i > 0 && !number(args[i-1]) || i+1 < len(args) && !number(args[i+1]) {
					return true
				}
			case a.known && a.text == "-t" && i+1 < len(args) && args[i+1].text != "]" && !number(args[i+1]):
				return true
			}
		}
	case "printf":
		if len(args) > 0 && args[0].known && args[0].text == "--" {
			args = args[1:]
		}
		if len(args) < 2 {
			return false
		}
		numbers, plain := places(args[0].text)
		for i, a := range args[1:] {
			if !number(a) && (!args[0].known || !plain || len(numbers) > 0 && numbers[i%len(numbers)]) {
				return true
			}
		}
	}
	return false
}

// places says of each place of a format of printf whether a number goes there; plain is false when it has others than %s and the like.
func places(format string) (numbers []bool, plain bool) {
	plain = true
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		for i++; i < len(format) && strings.IndexByte("-+ #0123456789.'", format[i]) >= 0; i++ {
		}
		switch {
		case i == len(format) || format[i] == '%':
		case strings.IndexByte("sbqc", format[i]) >= 0:
			numbers = append(numbers, false)
		case strings.IndexByte("diouxXeEfFgGaA", format[i]) >= 0:
			numbers = append(numbers, true)
		default: // a width of its own, and what is not known
			plain = false
		}
	}
	return numbers, plain
}

// find: what -exec runs was looked at when it was unwrapped.
func find(args []word) bool {
	for _, a := range args {
		if !a.known && !a.operand {
			return false
		}
		for _, bad := range []string{"-delete", "-fprint", "-fprint0", "-fprintf", "-fls"} {
			if a.known && a.text == bad {
				return false
			}
		}
	}
	return true
}

// systemctl is harmless with verbs that show.
func systemctl(args []word) bool {
	verbs := []string{"status", "show", "is-active", "is-enabled", "is-failed", "is-system-running", "list-units", "list-unit-files", "list-timers", "list-sockets", "list-dependencies", "cat", "--version"}
	options := []string{"--no-pager", "--all", "-a", "-l", "--full", "--plain", "--no-legend", "--failed", "--user", "--system", "-q", "--quiet", "--no-ask-password"}
	verb := false
	for _, a := range args {
		switch {
		case !a.known:
			return false
		case strings.HasPrefix(a.text, "--type="), strings.HasPrefix(a.text, "--state="), strings.HasPrefix(a.text, "--property="), strings.HasPrefix(a.text, "--lines="), strings.HasPrefix(a.text, "--output="):
		case slices.Contains(verbs, a.text) && !verb:
			verb = true
		case strings.HasPrefix(a.text, "-"):
			if !slices.Contains(options, a.text) {
				return false
			}
		case !verb:
			return false
		}
	}
	return verb
}

// journalctl is harmless with options that choose and format.
func journalctl(args []word) bool {
	options := []string{"--no-pager", "-u", "-n", "-f", "-e", "-x", "-k", "-b", "-r", "-a", "-q", "-o", "-p", "-t", "-S", "-U", "-g", "-xe", "-xeu", "-fu", "--since", "--until", "--unit", "--lines", "--follow", "--reverse", "--output", "--priority", "--grep", "--identifier", "--boot", "--dmesg", "--all", "--list-boots", "--disk-usage", "--utc", "--user", "--system"}
	for _, a := range args {
		if !a.known {
			return false
		}
		if name, _, _ := strings.Cut(a.text, "="); strings.HasPrefix(name, "-") && !slices.Contains(options, name) && strings.Trim(strings.TrimPrefix(name, "-n"), "0123456789") != "" {
			return false
		}
	}
	return true
}

// rpm only queries, in the short forms.
func rpm(args []word) bool {
	if len(args) == 0 || !args[0].known || !slices.Contains([]string{"-q", "-qa", "-qi", "-ql", "-qf", "-qc", "-qd", "-V", "--version"}, args[0].text) {
		return false
	}
	for _, a := range args[1:] {
		if !a.known || strings.HasPrefix(a.text, "-") {
			return false
		}
	}
	return true
}

// sed is harmless with -n, -E, -r, -u, -s, -z and scripts that are.
func sed(args []word) bool {
	script := false
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case !a.known:
			if !script || !a.operand {
				return false
			}
		case slices.Contains([]string{"-n", "-E", "-r", "-u", "-s", "-z", "-nE", "-nr", "-En", "-rn", "--quiet", "--silent", "--regexp-extended"}, a.text):
		case a.text == "-e" || a.text == "--expression" || a.text == "-ne":
			if i++; i == len(args) || !args[i].known || !sedScript(args[i].text) {
				return false
			}
			script = true
		case strings.HasPrefix(a.text, "-") && a.text != "-":
			return false
		case !script:
			if !sedScript(a.text) {
				return false
			}
			script = true
		}
	}
	return script
}

// sedScript reports whether a script is one address, or two, with p, d, q or =, or one s with plain delimiters and flags.
func sedScript(s string) bool {
	rest := s
	for range 2 {
		rest = strings.TrimLeft(rest, "0123456789$")
		rest = strings.TrimPrefix(rest, ",")
	}
	if strings.HasPrefix(rest, "/") { // one pattern as the address
		end := strings.IndexByte(rest[1:], '/')
		if end < 0 || strings.ContainsAny(rest[:end+2], "[\\\n") {
			return false
		}
		rest = rest[end+2:]
	}
	switch rest {
	case "p", "d", "q", "=":
		return true
	}
	body, ok := strings.CutPrefix(rest, "s/")
	if !ok || strings.ContainsAny(body, "[\n;{}") {
		return false
	}
	slashes, flags := 0, ""
	for i := 0; i < len(body); i++ {
		switch {
		case slashes == 2:
			flags += body[i : i+1]
		case body[i] == '\\':
			i++
		case body[i] == '/':
			slashes++
		}
	}
	return slashes == 2 && strings.Trim(flags, "0123456789gpiI") == ""
}

// awk is harmless when its program cannot write or run anything, whatever it means.
func awk(args []word) bool {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case !a.known:
			return false
		case a.text == "-F" || a.text == "-v":
			i++
		case strings.HasPrefix(a.text, "-F"), strings.HasPrefix(a.text, "-v"):
		case strings.HasPrefix(a.text, "-"):
			return false
		default:
			for _, bad := range []string{"system", "getline", "|", ">", "@", "`"} {
				if strings.Contains(a.text, bad) {
					return false
				}
			}
			for _, file := range args[i+1:] { // files, and variables that are set
				if !file.known && !file.operand || strings.HasPrefix(file.text, "-") && file.text != "-" {
					return false
				}
			}
			return true
		}
	}
	return false
}
