package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// walker reads one line with one grammar.
type walker struct {
	terminal bool
	lang     syntax.LangVariant
	programs []string
	class    abi.Class
	why      string // it is opaque, and this is the first reason
	plain    []string
	transfer *Transfer
	calls    int // commands, wrappers apart
	depth    int // of lines within lines
	nested   int // commands within commands
	steps    int
}

// opaque says that the line may do what is not known here.
func (w *walker) opaque(why string) {
	if w.why == "" {
		w.why = why
	}
	w.class = abi.ClassOpaque
}

func (w *walker) atLeast(c abi.Class) { w.class = max(w.class, c) }

// line reads a line, the one that was sent or one within it.
func (w *walker) line(text string) {
	if w.depth++; w.depth > maxDepth {
		w.opaque("lines within lines nest too deeply")
		return
	}
	defer func() { w.depth-- }()
	if w.depth > 1 {
		if why := unreadable(text); why != "" {
			w.opaque(why)
			return
		}
	}
	file, err := syntax.NewParser(syntax.Variant(w.lang), syntax.KeepComments(true)).Parse(strings.NewReader(text), "")
	if err != nil {
		w.opaque("this is not a line of sh")
		return
	}
	w.atLeast(abi.ClassRead)
	if w.depth == 1 {
		w.plain = w.words(file)
	}
	w.statements(file.Stmts)
}

// words are those of a line without shell syntax, nil for others.
func (w *walker) words(file *syntax.File) []string {
	if len(file.Stmts) != 1 {
		return nil
	}
	s := file.Stmts[0]
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || s.Negated || s.Background || s.Coprocess || s.Disown || s.Semicolon.IsValid() || len(s.Redirs) > 0 || len(call.Assigns) > 0 || len(file.Last)+len(s.Comments) > 0 {
		return nil
	}
	dry := walker{lang: w.lang}
	var words []string
	for _, a := range call.Args {
		x := dry.word(a)
		if !x.known || dry.why != "" {
			return nil
		}
		words = append(words, x.text)
	}
	if len(words) > 0 && slices.Contains(reserved, words[0]) {
		return nil
	}
	return words
}

// reserved are words that some shells read before all others.
var reserved = []string{"time", "export", "readonly", "local", "declare", "typeset", "let", "nameref", "coproc", "function", "select", "foreach", "repeat", "noglob", "nocorrect", "[[", "and", "or", "not", "begin"}

func (w *walker) statements(list []*syntax.Stmt) {
	for _, s := range list {
		w.statement(s)
	}
}

func (w *walker) statement(s *syntax.Stmt) {
	if s == nil {
		return
	}
	if w.steps++; w.steps > maxSteps {
		w.opaque("the line has too many statements")
		return
	}
	if s.Coprocess || s.Disown {
		w.opaque("a statement that few shells know")
	}
	for _, r := range s.Redirs {
		w.redirect(r)
	}
	if s.Cmd != nil {
		w.command(s.Cmd)
	}
}

func (w *walker) command(c syntax.Command) {
	switch x := c.(type) {
	case *syntax.CallExpr:
		w.call(x)
	case *syntax.BinaryCmd:
		w.statement(x.X)
		w.statement(x.Y)
	case *syntax.Subshell:
		w.statements(x.Stmts)
	case *syntax.Block:
		w.statements(x.Stmts)
	case *syntax.IfClause:
		for ; x != nil; x = x.Else {
			w.statements(x.Cond)
			w.statements(x.Then)
		}
	case *syntax.WhileClause:
		w.statements(x.Cond)
		w.statements(x.Do)
	case *syntax.ForClause:
		if i, ok := x.Loop.(*syntax.WordIter); ok && !x.Select {
			w.variable(i.Name.Value)
			for _, item := range i.Items {
				w.word(item)
			}
		} else {
			w.opaque("a loop that few shells know")
		}
		w.statements(x.Do)
	case *syntax.CaseClause:
		w.word(x.Word)
		for _, i := range x.Items {
			for _, p := range i.Patterns {
				w.inside(p)
			}
			w.statements(i.Stmts)
		}
	case *syntax.FuncDecl: // its name may stand for a program from here on
		w.atLeast(abi.ClassExecute)
		w.calls++
		w.statement(x.Body)
	case *syntax.DeclClause:
		w.declare(x)
	case *syntax.TimeClause:
		w.enter("time")
		w.statement(x.Stmt)
	default: // of bash and others
		w.opaque("a command that few shells know")
		w.inside(c)
	}
}

// redirect looks at where a statement reads from and writes to.
func (w *walker) redirect(r *syntax.Redirect) {
	to := w.word(r.Word)
	if r.N != nil && strings.Trim(r.N.Value, "0123456789") != "" {
		w.opaque("a redirection that few shells know")
	}
	switch r.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		if r.Hdoc != nil {
			w.inside(r.Hdoc)
		}
	case syntax.RdrIn:
		if !to.known && !to.operand || socket(to.text) {
			w.atLeast(abi.ClassExecute)
		}
	case syntax.DplIn, syntax.DplOut:
		if !to.known || to.text != "-" && (to.text == "" || strings.Trim(to.text, "0123456789") != "") {
			w.atLeast(abi.ClassExecute) // >&file writes to it
		}
	default:
		if !to.known || to.text != "/dev/null" && to.text != "/dev/stdout" && to.text != "/dev/stderr" {
			w.atLeast(abi.ClassExecute)
		}
	}
}

// socket reports whether bash would connect to somewhere instead of opening a file.
func socket(path string) bool {
	return strings.HasPrefix(path, "/dev/tcp") || strings.HasPrefix(path, "/dev/udp")
}

// declare looks at export, readonly, local, declare and their kind.
func (w *walker) declare(x *syntax.DeclClause) {
	w.enter(x.Variant.Value)
	w.calls++
	if v := x.Variant.Value; v != "export" && v != "readonly" {
		w.opaque("a declaration that few shells know")
	}
	for _, a := range x.Args {
		w.assign(a)
	}
}

func (w *walker) assign(a *syntax.Assign) {
	if a.Array != nil || a.Index != nil {
		w.opaque("an array")
		return
	}
	value := w.word(a.Value)
	switch {
	case a.Name != nil:
		w.set(a.Name.Value, value)
	case !value.known: // export "$x"
		w.opaque("the name of a variable is not known")
	case strings.HasPrefix(value.text, "-"):
		w.atLeast(abi.ClassExecute)
	default:
		name, to, _ := strings.Cut(value.text, "=")
		w.set(name, word{text: to, known: true})
	}
}

// variable judges that a variable of this name is set to what is not known.
func (w *walker) variable(name string) { w.set(name, unknown) }

// set judges that a variable is set.
func (w *walker) set(name string, value word) {
	switch {
	case !identifier(name): // an element of an array: shells evaluate which
		w.opaque("the name of a variable is none")
		return
	case slices.Contains(integerVariables, name):
		if !number(value) {
			w.opaque("some shells evaluate what the variable " + name + " is set to")
		} else if name != "COLUMNS" && name != "LINES" {
			w.atLeast(abi.ClassExecute)
		}
		return
	case len(name) == 1 && name[0] >= 'a' && name[0] <= 'z', strings.HasPrefix(name, "LC_"), slices.Contains(harmlessVariables, name):
		return
	case slices.Contains(decisiveVariables, name):
		w.opaque("the variable " + name + " decides what is run")
		return
	}
	for _, p := range decisivePrefixes {
		if strings.HasPrefix(name, p) {
			w.opaque("the variable " + name + " decides what is run")
			return
		}
	}
	w.atLeast(abi.ClassExecute)
}

func (w *walker) call(x *syntax.CallExpr) {
	for _, a := range x.Assigns {
		w.assign(a)
	}
	args := make([]word, 0, len(x.Args))
	for _, a := range x.Args {
		args = append(args, w.word(a))
	}
	if len(args) > 0 {
		w.run(args)
	}
}

// run judges one command: the program's name and its arguments.
func (w *walker) run(args []word) {
	if w.nested++; w.nested > 2*maxDepth {
		w.opaque("commands within commands nest too deeply")
		return
	}
	defer func() { w.nested-- }()
	name, trusted, ok := w.program(args[0])
	if !ok {
		return
	}
	args = args[1:]
	if unwrap, ok := wrappers[name]; ok {
		if !trusted {
			w.atLeast(abi.ClassExecute)
		}
		unwrap(w, args)
		return
	}
	w.calls++
	why, ok := unreadablePrograms[name]
	if !ok {
		why, ok = unreadablePrograms[strings.TrimRight(name, "0123456789.-")] // python3.11 too
	}
	if ok {
		w.opaque(name + ": " + why)
		return
	}
	if trusted && evaluates(name, args) {
		w.opaque("some shells evaluate what stands there in place of a number")
		return
	}
	if t, ok := transferOf(name, args); ok && trusted {
		w.transfer = t
		return
	}
	w.atLeast(abi.ClassRead)
	p, known := harmless[name]
	if !known || !trusted || p.pages && w.terminal || p.check != nil && !p.check(args) {
		w.atLeast(abi.ClassExecute)
	}
}

// program enters a program's name. It is trusted when it stands where systems keep their programs.
func (w *walker) program(x word) (name string, trusted, ok bool) {
	if !x.known || x.text == "" {
		w.opaque("the name of a program is not in the line")
		return "", false, false
	}
	name, trusted = x.text, true
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		trusted = slices.Contains(systemFolders, name[:i])
		if !trusted {
			w.enter(name)
		}
		name = name[i+1:]
		if name == "" || name == "." || name == ".." {
			w.opaque("the name of a program is not in the line")
			return "", false, false
		}
	}
	if !named(name) { // an option, or an operator of find: what runs stands somewhere else
		w.opaque("the name of a program is not in the line")
		return "", false, false
	}
	w.enter(name)
	return name, trusted, true
}

// named reports whether programs have such names.
func named(s string) bool {
	return s == "[" || s == ":" || s == "." || s == "-" || s == "[[" || s == "((" || s[0] != '-' && s[0] != '+' && strings.ContainsFunc(s, func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r > 0x7f
	})
}

func identifier(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func (w *walker) enter(name string) {
	if slices.Contains(w.programs, name) {
		return
	}
	if len(w.programs) == maxPrograms {
		w.opaque("the line runs too many programs")
		return
	}
	w.programs = append(w.programs, name)
}
