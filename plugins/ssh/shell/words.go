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
	return out
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
	for _, c := range []byte("\\*?[{}~=\x85\xa0") {
		t[c] = true
	}
	return t
}()

// quoted takes a part in double quotes.
func (w *walker) quoted(out *word, q *syntax.DblQuoted) {
	for _, part := range q.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			w.inside(part)
			out.cut(true)
			if out.text == "" {
				out.operand = false
			}
			continue
		}
		for i := 0; i < len(lit.Value); i++ {
			if c := lit.Value[i]; c == '\\' && i+1 < len(lit.Value) && strings.IndexByte("$`\"\\\n", lit.Value[i+1]) >= 0 {
				if i++; lit.Value[i] == '\n' {
					continue
				}
			}
			n := i + 1
			for n < len(lit.Value) && lit.Value[n] != '\\' {
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

// arithmetic looks at an arithmetic expression: bash evaluates what the variables in it hold, substitutions included.
func (w *walker) arithmetic(x syntax.ArithmExpr) {
	if x == nil {
		return
	}
	syntax.Walk(x, func(n syntax.Node) bool {
		if lit, ok := n.(*syntax.Lit); ok && strings.Trim(lit.Value, "0123456789") != "" {
			w.atLeast(abi.ClassExecute)
		}
		if _, ok := n.(*syntax.ParamExp); ok {
			w.atLeast(abi.ClassExecute)
		}
		return true
	})
}
