package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit"
)

func TestPlugin(t *testing.T) {
	testkit.Run(t, testkit.Suite{New: func() sdk.Plugin { return &plugin{} }, Build: ".", Conversations: "testdata/*.txt"})
}

func TestTable(t *testing.T) {
	if !slices.IsSortedFunc(commands[:], func(a, b entry) int { return strings.Compare(a.name, b.name) }) {
		t.Error("the table is not sorted")
	}
	for _, e := range commands {
		if base, _, _ := strings.Cut(e.name, "|"); strings.HasPrefix(base, "eval") || strings.HasPrefix(base, "fcall") || base == "script" || base == "function" {
			if e.class != abi.ClassOpaque && !strings.HasSuffix(e.name, "|help") {
				t.Errorf("%s is %v", e.name, e.class)
			}
		}
	}
}

func TestClassify(t *testing.T) {
	for line, want := range map[string]string{
		"get a":                                  "read get [a]",
		"MGET a b c":                             "read mget [a b c]",
		"mset a 1 b 2":                           "write mset [a b]",
		"unlink a b":                             "delete unlink [a b]",
		"expire a 10":                            "write expire [a]",
		"expire a 0":                             "delete expire [a]",
		"expire a -1":                            "delete expire [a]",
		"expireat a 1000":                        "delete expireat [a]",
		"zunionstore d 2 a b weights 1 2":        "write zunionstore [d a b]",
		"zunionstore d 9 a b":                    "write zunionstore hidden",
		"xread count 2 streams a b 0 0":          "read xread [a b]",
		"eval return one a":                      "opaque eval hidden",
		"eval x 1 a":                             "opaque eval [a]",
		"fcall f 0":                              "opaque fcall []",
		"config get x":                           "admin config|get []",
		"CONFIG nonsense x":                      "opaque config|nonsense hidden",
		"config":                                 "opaque config hidden",
		"sort a by nosort":                       "write sort hidden",
		"brpoplpush a b 0":                       "write brpoplpush [a b]",
		"blpop a b 0":                            "delete blpop [a b]",
		"client reply off":                       "session client|reply []",
		"client kill x":                          "admin client|kill []",
		"nonsense a":                             "opaque nonsense hidden",
		"module load x":                          "execute module|load []",
		"xreadgroup group streams c streams a 0": "write xreadgroup hidden",
	} {
		var args [][]byte
		for w := range strings.FieldsSeq(line) {
			args = append(args, []byte(w))
		}
		c := classify(args, len(args))
		keys := "hidden"
		if !c.hidden {
			keys = "[" + strings.Join(text(c.keys), " ") + "]"
		}
		if got := c.class.String() + " " + c.name + " " + keys; got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

func text(list [][]byte) (out []string) {
	for _, b := range list {
		out = append(out, string(b))
	}
	return out
}

func TestInline(t *testing.T) {
	for line, want := range map[string]string{
		`set a b`: "set|a|b", `  set  "a b"	c `: "set|a b|c", `set "a\x41\n\"" '\'\n'`: "set|aA\n\"|'\\n", `""`: "",
		`set "a`: "bad", `set "a"b`: "bad", "a\x00b": "bad", "set 'a": "bad", `a"b"`: "ab",
	} {
		words, err := splitInline([]byte(line))
		got := strings.Join(text(words), "|")
		if err != nil {
			got = "bad"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// FuzzRequest: a command reads the same however much stands behind it, and only once all of it is there.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{"*1\r\n$4\r\nPING\r\n", "get \"a b\"\r\n", "*0\r\n", "*-1\r\n", "*2\r\n$3\r\nGET\r\n$9999\r\n", "*01\r\n", "*1\n", "\r\n"} {
		f.Add([]byte(s), 100)
	}
	f.Fuzz(func(t *testing.T, p []byte, limit int) {
		limit = max(16, min(limit, 1<<16))
		r, err := readRequest(p, limit)
		if err != nil {
			return
		}
		if len(r.args) > len(p) || r.length == 0 {
			t.Fatalf("%d arguments, %d bytes", len(r.args), r.length)
		}
		again, err := readRequest(append(slices.Clone(p), "more"...), limit)
		if err != nil || again.length != r.length || len(again.args) != len(r.args) || again.missing != r.missing {
			t.Fatalf("with more behind it: %+v %v, alone %+v", again, err, r)
		}
		for n := range min(len(p), int(r.length)) {
			cut, err := readRequest(p[:n], limit)
			if err == nil && (cut.length != r.length || cut.missing != r.missing) {
				t.Fatalf("cut at %d: %+v, whole %+v", n, cut, r)
			}
		}
	})
}
