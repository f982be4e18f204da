package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// word is what is known of a word when the shell has expanded it.
type word struct {
	text  string // what it is when known; else what it begins with, up to where that ends
	known bool
	// operand says that a word which is not known cannot be taken for an option, and is one word.
	operand bool
	// number says that a word which is not known is a number all the same: $? and $#.
	number bool
}

// unknown is a word that may be anything, also nothing or several.
var unknown = word{}

// special are the bytes that shells expand when they stand unquoted: globs, and braces that bash and csh expand.
const special = "*?[{}"

// word expands a word as far as that can be done from here, and walks what is substituted in it.
func (w *walker) word(x *syntax.Word) word {
	if x == nil {
		return word{known: true}
	}
	if w.steps++; w.steps > maxSteps {
		w.opaque("the line has too many words")
		return unknown
	}
	out := word{known: true}
	if x.Lit() == "[" { // the program
		return word{text: "[", known: true}
	}
	for i, part := range x.Parts {
		switch p := part.(type) {
		case *syntax.Lit:
			if i > 0 {
				w.behind(x.Parts[i-1], p.Value)
			}
			w.literal(&out, p.Value, i == 0)
		case *syntax.SglQuoted:
			if p.Dollar {
				w.opaque("$'…' is not the same in all shells")
			}
			out.append(p.Value)
		case *syntax.DblQuoted:
			if p.Dollar {
				w.opaque(`$"…" is not the same in all shells`)
			}
			w.quoted(&out, p)
		default:
			w.inside(part)
			out.cut(false)
		}
	}
	if len(x.Parts) == 1 && counts(x.Parts[0]) {
		out.operand, out.number = true, true
	}
	return out
}

// counts reports what expands to a number, whoever wrote the line.
func counts(part syntax.WordPart) bool {
	if q, ok := part.(*syntax.DblQuoted); ok && len(q.Parts) == 1 {
		part = q.Parts[0]
	}
	p, ok := part.(*syntax.ParamExp)
	return ok && p.Short && p.Param != nil && (p.Param.Value == "?" || p.Param.Value == "#")
}

// behind looks at what stands behind a parameter without braces: zsh takes a bracket there for a subscript and evaluates what is in it, also the values of variables, and it
// evaluates what stands behind :F.
func (w *walker) behind(before syntax.WordPart, value string) {
	if l, ok := before.(*syntax.Lit); ok && strings.HasSuffix(l.Value, "$") {
		w.dollar(value)
	}
	if p, ok := before.(*syntax.ParamExp); ok && p.Short && value != "" && (value[0] == '[' || value[0] == ':' && strings.Contains(value, ":F")) {
		w.opaque("zsh takes this for a subscript")
	}
}

// adjacent is behind for the parts of a text that is not taken apart.
func (w *walker) adjacent(parts []syntax.WordPart) {
	for i, part := range parts {
		if lit, ok := part.(*syntax.Lit); ok && i > 0 {
			w.behind(parts[i-1], lit.Value)
		}
	}
}

// dollar looks at a dollar sign that begins nothing in sh and bash, with what stands behind it.
func (w *walker) dollar(rest string) {
	if rest != "" && strings.IndexByte("=~^+", rest[0]) >= 0 {
		w.opaque("zsh takes this for a parameter")
	}
}

func (o *word) append(text string) {
	if o.known {
		o.text += text
	}
}

// cut says that the word is not known from here on.
func (o *word) cut(one bool) {
	if o.known {
		o.known = false
		o.operand = one && o.text != "" && o.text[0] != '-'
	} else if !one {
		o.operand = false
	}
}

// literal takes an unquoted part.
func (w *walker) literal(out *word, value string, first bool) {
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\':
			if i++; i < len(value) && value[i] != '\n' {
				out.append(value[i : i+1])
			}
			continue
		case c == '$':
			w.dollar(value[i+1:])
		case c == 0x85 || c == 0xa0:
			w.opaque("a byte stands unquoted that some shells take for a blank")
		case first && i == 0 && c == '~':
			out.append("~")
			out.cut(true)
			continue
		case first && i == 0 && c == '=': // zsh puts a program's path in place of =name
			out.append("=")
			out.cut(false)
			continue
		case c == '{' && strings.HasPrefix(value[i:], "{}"): // as of find -exec
			out.append("{}")
			i++
			continue
		case c == '{' || c == '}':
			out.cut(false)
			continue
		case strings.IndexByte(special, c) >= 0:
			out.cut(true)
			continue
		}
		n := i + 1 // a run of bytes that mean nothing
		for n < len(value) && !meaning[value[n]] {
			n++
		}
		out.append(value[i:n])
		i = n - 1
	}
}

// meaning are the bytes that mean something in an unquoted part.
var meaning = func() (t [256]bool) {
	for _, c := range []byte("\\*?[{}~=$\x85\xa0") {
		t[c] = true
	}
	return t
}()

// quoted takes a part in double quotes.
func (w *walker) quoted(out *word, q *syntax.DblQuoted) {
	for i, part := range q.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			w.inside(part)
			out.cut(true)
			if out.text == "" {
				out.operand = false
			}
			continue
		}
		if i > 0 {
			w.behind(q.Parts[i-1], lit.Value)
		}
		for i := 0; i < len(lit.Value); i++ {
			if lit.Value[i] == '$' {
				w.dollar(lit.Value[i+1:])
			}
			if c := lit.Value[i]; c == '\\' && i+1 < len(lit.Value) && strings.IndexByte("$`\"\\\n", lit.Value[i+1]) >= 0 {
				if i++; lit.Value[i] == '\n' {
					continue
				}
			}
			n := i + 1
			for n < len(lit.Value) && lit.Value[n] != '\\' && lit.Value[n] != '$' {
				n++
			}
			out.append(lit.Value[i:n])
			i = n - 1
		}
	}
}

// inside walks what is substituted in a part of a word, or anywhere else.
func (w *walker) inside(n syntax.Node) {
	if n == nil {
		return
	}
	syntax.Walk(n, func(n syntax.Node) bool {
		if w.steps++; w.steps > maxSteps {
			w.opaque("the line has too many words")
			return false
		}
		switch x := n.(type) {
		case *syntax.Word:
			w.adjacent(x.Parts)
		case *syntax.DblQuoted:
			w.adjacent(x.Parts)
		case *syntax.CmdSubst:
			if x.TempFile || x.ReplyVar {
				w.opaque("a substitution that few shells know")
			}
			w.statements(x.Stmts)
			return false
		case *syntax.ProcSubst:
			w.statements(x.Stmts)
			return false
		case *syntax.ParamExp:
			w.parameter(x)
		case *syntax.ArithmExp:
			w.arithmetic(x.X)
		case *syntax.ExtGlob:
			w.opaque("a pattern that few shells know")
		}
		return true
	})
}

// parameter looks at an expansion that does more than to expand.
func (w *walker) parameter(x *syntax.ParamExp) {
	if x.Excl || x.Names != 0 || x.Index != nil || x.Flags != nil || x.NestedParam != nil || x.Slice != nil {
		w.atLeast(abi.ClassExecute) // bash evaluates what these name
	}
	if x.Exp == nil {
		return
	}
	switch x.Exp.Op {
	case syntax.AssignUnset, syntax.AssignUnsetOrNull:
		if x.Param != nil {
			w.variable(x.Param.Value)
		}
	case syntax.OtherParamOps: // ${x@P} expands what is in the variable
		w.opaque("the value of a variable is evaluated")
	}
}

// arithmetic looks at an arithmetic expression: shells evaluate what the variables and the substitutions in it come to, and run what is substituted in that.
func (w *walker) arithmetic(x syntax.ArithmExpr) {
	if x == nil {
		return
	}
	syntax.Walk(x, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Lit:
			if strings.Trim(n.Value, "0123456789") != "" {
				w.opaque("the value of a variable is evaluated")
			}
		case *syntax.ParamExp:
			if !counts(n) {
				w.opaque("the value of a variable is evaluated")
			}
			return false
		case *syntax.CmdSubst:
			w.opaque("the output of a command is evaluated")
			return false
		}
		return true
	})
}
