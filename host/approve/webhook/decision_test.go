package webhook

import (
	"strings"
	"testing"
	"time"
)

func TestParseDecision(t *testing.T) {
	long := strings.Repeat("ä", maxReason)
	for text, want := range map[string]Decision{
		`{"decision":"approve"}`: {Approve: true},
		`{"decision":"reject"}`:  {},
		` {"decision" : "reject", "reason":"no", "by":"alice","digest":"ab","hold":"h1"} ` + "\n": {Reason: "no", By: "alice", Digest: "ab", Hold: "h1"},
		`{"decision":"approve","grant":{"uses":3,"for":"30m"}}`:                                   {Approve: true, GrantUses: 3, GrantFor: 30 * time.Minute},
		`{"decision":"approve","grant":{}}`:                                                       {Approve: true},
		`{"decision":"approve","grant":{"uses":1}}`:                                               {Approve: true, GrantUses: 1},
		`{"decision":"reject","reason":"` + long + `"}`:                                           {Reason: long[:maxReason]},
	} {
		if d, err := ParseDecision([]byte(text)); err != nil || d != want {
			t.Errorf("%s: %+v %v, want %+v", text, d, err, want)
		}
	}
	for _, text := range []string{
		"", "null", "true", `"approve"`, "[]", "{}", `{"decision":null}`, `{"decision":true}`, `{"decision":"Approve"}`, `{"Decision":"approve"}`,
		`{"decision":"approved"}`, `{"decision":"approve"`, `{"decision":"approve"}}`, `{"decision":"approve"} {"decision":"reject"}`, `{"decision":"approve"},`,
		`{"decision":"reject","decision":"approve"}`, `{"decision":"reject","d\u0065cision":"approve"}`, `{"decision":["approve"]}`,
		`{"decision":"approve","digets":"ab"}`, `{"decision":"approve","digest":7}`, `{"decision":"approve","digest":null}`,
		`{"decision":"approve","by":"a\nb"}`, `{"decision":"approve","by":"a\u202eb"}`, `{"decision":"approve","by":"` + strings.Repeat("x", maxBy+1) + `"}`,
		`{"decision":"approve","grant":null}`, `{"decision":"approve","grant":{"uses":0}}`, `{"decision":"approve","grant":{"uses":1001}}`, `{"decision":"approve","grant":{"uses":1.5}}`,
		`{"decision":"approve","grant":{"uses":"3"}}`, `{"decision":"approve","grant":{"uses":null}}`, `{"decision":"approve","grant":{"for":30}}`, `{"decision":"approve","grant":{"for":"0s"}}`, `{"decision":"approve","grant":{"for":"1500ms"}}`,
		`{"decision":"approve","grant":{"for":"25h"}}`, `{"decision":"approve","grant":{"any":true}}`, `{"decision":"reject","grant":{"uses":1}}`,
		"{\"decision\":\"approve\",\"by\":\"\xff\"}", `{"decision":"approve"}` + strings.Repeat(" ", MaxDecision),
	} {
		if d, err := ParseDecision([]byte(text)); err == nil {
			t.Errorf("%.80s: %+v", text, d)
		}
	}
}

func FuzzParseDecision(f *testing.F) {
	for _, s := range []string{`{"decision":"approve","digest":"ab","by":"alice","reason":"r","grant":{"uses":1,"for":"1m"}}`, `{"decision":"reject"}`, `{}`, `[`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := ParseDecision(body)
		if err != nil {
			return
		}
		if len(d.By) > maxBy || len(d.Reason) > maxReason || d.GrantUses < 0 || d.GrantUses > maxGrantUses || d.GrantFor < 0 || d.GrantFor > maxGrantFor {
			t.Fatalf("beyond the bounds: %+v", d)
		}
		if !d.Approve && (d.GrantUses != 0 || d.GrantFor != 0) {
			t.Fatalf("a rejection grants: %+v", d)
		}
		if !strings.Contains(string(body), `ision`) && !strings.Contains(string(body), `\u`) {
			t.Fatalf("a decision out of nothing: %q", body)
		}
	})
}
