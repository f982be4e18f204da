package config

import (
	"strings"
	"testing"
)

// TestInspect: what a rule about answers can say, and that everything else is an error with its place.
func TestInspect(t *testing.T) {
	for _, c := range []struct{ keys, want string }{
		{"then = 'deny'\ninspect = 'response'", ""},
		{"then = 'deny'\ninspect = 'response'\nresponse = 'response.rows > 3'\nlimit = '1MiB'\nthen_long = 'allow'\nreason = 'no'", ""},
		{"then = 'judge'\njudge = 'j'\ninspect = 'response'\nthen_long = 'deny'", ""},
		{"then = 'deny'\ninspect = 'response'\nmode = 'observe'", ""},
		{"then = 'redact'\ninspect = 'response'\nredact = ['a+']", ""},
		{"then = 'redact'\ninspect = 'response'\nredact_columns = ['token']\nthen_long = 'deny'", ""},

		{"then = 'deny'\ninspect = 'request'", "inspect \"request\" is not known"},
		{"then = 'deny'\nlimit = '2KiB'", "limit changes nothing"},
		{"then = 'deny'\nthen_long = 'deny'", "then_long changes nothing"},
		{"then = 'deny'\nresponse = 'true'", "response changes nothing"},
		{"then = 'deny'\nredact = ['a']", "redact changes nothing"},
		{"then = 'deny'\nredact_columns = ['a']", "redact_columns changes nothing"},
		{"then = 'redact'", "which only answers can be"},
		{"then = 'allow'\ninspect = 'response'", "which is what happens to it without a rule"},
		{"then = 'hold'\ninspect = 'response'", "for which nobody can be asked"},
		{"then = 'redact'\ninspect = 'response'", "redacts nothing"},
		{"then = 'redact'\ninspect = 'response'\nredact = ['a']\nthen_long = 'allow'", "cannot pass; remove then_long"},
		{"then = 'redact'\ninspect = 'response'\nredact = ['a']\nmode = 'observe'", "would redact nothing"},
		{"then = 'redact'\ninspect = 'response'\nredact = ['a']\nreason = 'x'", "reason changes nothing"},
		{"then = 'deny'\ninspect = 'response'\nredact = ['a']", "redact changes nothing"},
		{"then = 'judge'\njudge = 'j'\ninspect = 'response'\nredact_columns = ['a']", "redact_columns changes nothing"},
		{"then = 'judge'\njudge = 'j'\ninspect = 'response'\napprover = 'console'", "nobody is asked to approve"},
		{"then = 'judge'\ninspect = 'response'", "needs a judge"},
		{"then = 'deny'\ninspect = 'response'\nlimit = '2MiB'", "between 1KiB and 1MiB"},
		{"then = 'deny'\ninspect = 'response'\nlimit = '1MiB'\n[limits]\nwindow = '512KiB'", "window of [limits] is 512KiB"},
		{"then = 'deny'\ninspect = 'response'\nthen_long = 'hold'", "unknown then_long"},
		{"then = 'redact'\ninspect = 'response'\nredact = ['(']", "missing closing"},
		{"then = 'redact'\ninspect = 'response'\nredact = ['a*']", "matches where there is nothing"},
		{"then = 'redact'\ninspect = 'response'\nredact = []", "redact lists nothing"},
	} {
		t.Run(c.keys, func(t *testing.T) {
			text := "[[rule]]\nname = 'r'\nwhen = 'true'\n" + c.keys + "\n[[judge]]\nname = 'j'\nprovider = 'openai'\nmodel = 'm'\npolicy = 'p'\n"
			_, err := Parse("sallyport.toml", []byte(text), Known{})
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
