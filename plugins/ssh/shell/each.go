package shell

import (
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// xargs runs a command for what it reads.
func xargs(w *walker, args []word) {
	o := options{flags: "0prtx", values: "adEILnPs", long: []string{"--null", "--no-run-if-empty", "--verbose", "--max-lines", "--replace", "--exit"}, valued: []string{"--max-args", "--max-procs", "--delimiter"}}
	rest, ok := o.command(args)
	if !ok { // -i, -l and -e among them, which have a value only behind them
		w.opaque("options of xargs that are not read")
		return
	}
	w.atLeast(abi.ClassRead)
	if len(rest) == 0 { // it echoes
		return
	}
	// With -I the words that are read may stand anywhere, else behind the others.
	command := slices.Clone(rest)
	for i := range command {
		if len(rest) < len(args) && i > 0 && replaced(args[:len(args)-len(rest)]) {
			command[i] = unknown
		}
	}
	if sign, ok := replacement(args[:len(args)-len(rest)]); !ok || sign != "" && strings.Contains(command[0].text, sign) { // busybox puts it there too
		w.opaque("the name of a program is read by xargs")
		return
	}
	w.run(append(command, unknown))
}

func replaced(options []word) bool {
	return slices.ContainsFunc(options, func(a word) bool {
		return strings.HasPrefix(a.text, "-") && strings.IndexByte(a.text, 'I') > 0 || strings.HasPrefix(a.text, "--replace")
	})
}

// replacement is what -I has xargs replace, empty without; ok is false when that is not certain.
func replacement(options []word) (sign string, ok bool) {
	for i, a := range options {
		at := strings.IndexByte(a.text, 'I')
		switch {
		case !replaced(options[i : i+1]):
			continue
		case sign != "":
			return "", false
		case a.text == "--replace":
			sign = "{}"
		case strings.HasPrefix(a.text, "--"):
			_, sign, _ = strings.Cut(a.text, "=")
		case at+1 < len(a.text):
			sign = a.text[at+1:]
		case i+1 < len(options):
			sign = options[i+1].text
		}
		if sign == "" {
			return "", false
		}
	}
	return sign, true
}

// findExec looks at find and at what its -exec runs.
func findExec(w *walker, args []word) {
	w.calls++
	w.atLeast(abi.ClassRead)
	for i := 0; i < len(args); i++ {
		if !args[i].known || !slices.Contains([]string{"-exec", "-execdir", "-ok", "-okdir"}, args[i].text) {
			continue
		}
		inner := []word{}
		for i++; i < len(args) && (!args[i].known || args[i].text != ";"); i++ {
			a := args[i]
			if a.known && a.text == "+" {
				if len(inner) == 0 || !args[i-1].known || args[i-1].text != "{}" { // an argument for some, the end for others
					w.opaque("where the command of find ends is not certain")
					return
				}
				break
			}
			if strings.Contains(a.text, "{}") {
				a = word{text: "./", operand: len(inner) > 0} // a path, which begins as the ones that find was given
				if a.operand && strings.HasPrefix(args[i].text, "-") {
					a = unknown
				}
			}
			inner = append(inner, a)
		}
		if len(inner) == 0 {
			w.opaque("find -exec without a command")
			return
		}
		w.run(inner)
	}
	if !find(args) {
		w.atLeast(abi.ClassExecute)
	}
}
