package conversation

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testdata/lines"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// guest makes a native guest of the toy plugin.
func guest(t testing.TB, options map[string]any) (drygate.Guest, *abi.Manifest) {
	t.Helper()
	p := &lines.Plugin{}
	m, err := sdk.ConfigureNative(p, options)
	if err != nil {
		t.Fatal(err)
	}
	return sdk.NewNative(p, nil), m
}

const good = `
# A comment.
option greeting = "hi"
endpoint shelf
agent gets "hi\n"
ask connect session "open a connection" -> allow

agent sends
  "get " "a"*3
  0x0a
ask lines read "get aaa" verb="get" key="aaa" -> allow
upstream gets "get aaa\n"
upstream sends "ok\n"
agent gets "ok\n"
note answer="3"
agent sends "del b\n"
ask lines delete -> deny "no \"way\""
agent gets "denied: no \"way\"\n"
agent sends "quit\n"
agent gets "bye\n"
close
`

func TestPlay(t *testing.T) {
	s, err := Parse("good.txt", good)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(s.Steps[1].Data, []byte("get aaa\n")) || s.Facts.Endpoint != "shelf" {
		t.Errorf("%+v", s)
	}
	g, m := guest(t, s.Options)
	got, problems := s.Play(g, m, nil)
	if len(problems) > 0 {
		t.Errorf("%v\n%s", problems, got)
	}
	// As it is written by Format it plays to the same.
	text := s.Format("written again", got, m)
	again, err := Parse("again.txt", text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	g, m = guest(t, again.Options)
	other, problems := again.Play(g, m, nil)
	if same, a, b := got.Equal(other); !same || len(problems) > 0 {
		t.Errorf("%v, %s, %s in\n%s", problems, a, b, text)
	}
	for _, c := range append(s.Cuts(0), EachByte, RandomCuts(7)) {
		g, m := guest(t, s.Options)
		if same, a, b := got.Equal(s.Replay(g, m, c)); !same {
			t.Errorf("cut %v: %s, %s", c, a, b)
		}
	}
	if n := len(s.Cuts(0)); n != 7+2+5+4 || len(s.Cuts(5)) != 5 {
		t.Errorf("%d cuts", n)
	}
}

// TestProblems: each thing that is not as the script says is reported with its line.
func TestProblems(t *testing.T) {
	for change, want := range map[[2]string]string{
		{`verb="get"`, `verb="put"`}:                           `good.txt:11: field verb is "get", not "put"`,
		{`key="aaa"`, `size=unknown`}:                          "field size is 0, not unknown",
		{`key="aaa"`, `colour="red"`}:                          "no field colour",
		{`read "get aaa"`, `write "get aaa"`}:                  "the class is read, not write",
		{`"get aaa" verb`, `"get bbb" verb`}:                   `the title is "get aaa"`,
		{`key="aaa" ->`, `streaming ->`}:                       "streaming is false, not true",
		{`upstream gets "get aaa\n"`, `upstream gets ""`}:      "the upstream gets \"get aaa\\n\", not \"\"",
		{"agent gets \"ok\\n\"\n", ""}:                         "the agent gets \"ok\\n\"",
		{`note answer="3"`, `note answer="4"`}:                 "this did not happen",
		{"ask lines delete -> deny", "ask lines read -> deny"}: "the class is delete",
		{"ask lines delete -> deny \"no \\\"way\\\"\"\n", ""}:  "the plugin also asked: ask lines delete",
		{"close\n", "fail\n"}:                                  "this did not happen; what did: close",
		{"close\n", "close\nagent sends \"x\"\n"}:              "the connection is over before this",
		{"close\n", ""}:                                        "this happened besides: close",
		{"close\n", "close\nask lines read -> allow\n"}:        "this was not asked",
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		s, err := Parse("good.txt", text)
		if err != nil || text == good {
			t.Errorf("%q: %v", change, err)
			continue
		}
		g, m := guest(t, s.Options)
		_, problems := s.Play(g, m, nil)
		found := false
		for _, p := range problems {
			found = found || strings.Contains(p.Error(), want) && strings.HasPrefix(p.Error(), "good.txt:")
		}
		if !found {
			t.Errorf("%q: %v, want %q", change, problems, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for line, want := range map[string]string{
		"hello":                              `"hello" is not a word`,
		"agent":                              "sends, ends",
		"agent sends":                        "data is missing",
		"agent sends abc":                    "neither a quoted string nor hex",
		"agent sends 0xabc":                  "neither a quoted string nor hex",
		`agent sends "a`:                     "quoted string is wanted",
		`agent sends "a"*-1`:                 "repetitions",
		`agent sends "aaaa"*60000000`:        "more than",
		`agent ends now`:                     "too much",
		`agent refuses "x"`:                  "only the upstream",
		`agent is happy`:                     "shut, or scanned",
		`agent begins war`:                   "tls",
		"ask lines":                          "class",
		"ask lines read":                     "decision is missing",
		"ask lines read -> maybe":            "allow, deny",
		"ask lines read -> deny":             "quoted string",
		"ask lines read verb= -> allow":      "field verb",
		"option a":                           "= is missing",
		"option a = x":                       "option a",
		"fact moon":                          "upstream-tls",
		"note a":                             "NAME=",
		"agent ends\noption a = 1":           "stands before everything else",
		"agent ends\nupstream refuses \"x\"": "before the first step",
	} {
		if _, err := Parse("f.txt", line); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "f.txt:") {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add("fact upstream-tls\nslot password\nattribute user = \"x\"\nupstream begins tls name=\"a\" -> fails \"no\"\nauth password 0x00 -> \"y\"\nauth password -> fails \"z\"\nupstream is scanned\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f.txt", text)
		if err != nil {
			return
		}
		for i := range s.Steps {
			if len(s.Steps[i].Data) > 1<<16 {
				return
			}
		}
		g, m := guest(t, nil)
		m.Slots = []abi.Slot{{Name: "password"}}
		got, _ := s.Play(g, m, nil)
		if _, err := Parse("again.txt", s.Format("", got, m)); err != nil {
			t.Errorf("%v in\n%s", err, s.Format("", got, m))
		}
	})
}
