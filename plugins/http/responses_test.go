package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/http/session"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// lookedAt plays requests and what is answered, whole and in pieces, where the answers to paths with "look" in them are looked at, up to 400 bytes: those with "secret" in what is known
// of them, or of which the text is not known, are withheld, a value with "mask" is masked; too long ones pass only on paths with "long".
func lookedAt(t *testing.T, options map[string]any, says ...string) (got, server string, asked []*drygate.Entry) {
	t.Helper()
	var first drygate.Transcript
	for _, piece := range []int{0, 1, 7} {
		p := &session.Plugin{}
		m, err := sdk.ConfigureNative(p, options)
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Contains(says[0], "long")
		cfg := drygate.Config{Guest: sdk.NewNative(p, companion), Manifest: m, Facts: abi.Facts{Endpoint: "api", Inspect: true},
			Decide: func(e *drygate.Entry) (v drygate.Verdict) {
				if e.Response == nil {
					if strings.Contains(e.Action.Title, "look") {
						v.Inspect = 400
					}
					return v
				}
				text := e.Action.Values[abi.ResponseText]
				if e.Response.Truncated && !long || !text.Known && !long || strings.Contains(text.Str, "secret") {
					v.Outcome, v.Reason = abi.Deny, "not that"
					return v
				}
				for i := range e.Response.Values {
					v := &e.Response.Values[i]
					if raw := v.Raw(e.Response.Kept, nil); !v.Given && v.Format != abi.FormatFixed && bytes.Contains(raw, []byte("mask")) {
						for _, p := range v.Pieces {
							copy(e.Response.Kept[p.Start:p.End], bytes.Repeat([]byte("*"), int(p.End-p.Start)))
						}
					}
				}
				return v
			}}
		if piece > 0 {
			cfg.Piece = func(abi.Side, uint64, int) int { return piece }
		}
		g := drygate.New(cfg)
		g.Open()
		for i, p := range says {
			if p == "END" {
				g.End(abi.Side(i % 2))
				continue
			}
			g.Send(abi.Side(i%2), []byte(p))
		}
		log := g.Transcript()
		if log.Breached() != "" || log.Crashed() != nil {
			t.Fatalf("in pieces of %d: %q %v %+v", piece, log.Breached(), log.Crashed(), log.End())
		}
		if piece == 0 {
			first = append(first, log...)
			got, server = string(log.Gets(abi.Agent)), string(log.Gets(abi.Upstream))
			for _, e := range log.Asks() {
				if e.Response != nil {
					asked = append(asked, e)
				}
			}
			continue
		}
		if same, ours, theirs := first.Equal(log); !same {
			t.Errorf("in pieces of %d: %s, and %s", piece, ours, theirs)
		}
	}
	return got, server, asked
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func counted(head, body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// TestResponses: what came back is looked at before the agent has a byte of it, and goes on as it came, masked, or not at all.
func TestResponses(t *testing.T) {
	const json = "Content-Type: application/json\r\n"
	chunked := func(head, trailers string, chunks ...string) string {
		s := "HTTP/1.1 200 OK\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n"
		for _, c := range chunks {
			s += fmt.Sprintf("%x\r\n%s\r\n", len(c), c)
		}
		return s + "0\r\n" + trailers + "\r\n"
	}
	many := strings.Repeat("0123456789", 60)
	for _, c := range []struct {
		name, path, answer string
		want               string // "": as it came
		withheld           bool
		ends               bool   // the connection, behind it
		text               string // of the question; "": not compared; "?": unknown
		columns            string
		rows               int64
	}{
		{name: "text", answer: counted("", "hello\n"), text: "hello\n", rows: 1},
		{name: "text with a secret", answer: counted("", "a secret\n"), withheld: true},
		{name: "text that is masked", answer: counted("", "mask!"), want: counted("", "*****")},
		{name: "nothing", answer: "HTTP/1.1 204 No Content\r\n\r\n"},
		{name: "nothing, with a secret beside it", answer: "HTTP/1.1 204 No Content\r\nX-A: secret\r\n\r\n", withheld: true},
		{name: "a redirection to a secret", answer: "HTTP/1.1 302 Found\r\nLocation: /?k=secret\r\nContent-Length: 0\r\n\r\n", withheld: true},
		{name: "a redirection", answer: "HTTP/1.1 302 Found\r\nLocation: /?k=open\r\nContent-Length: 0\r\n\r\n", text: "Location: /?k=open"},
		{name: "a cookie", answer: counted("Set-Cookie: a=secret\r\n", "x"), withheld: true},
		{name: "a name", answer: counted("X-secret: a\r\n", "x"), withheld: true},
		{name: "words of a status line", answer: "HTTP/1.1 200 secret\r\nContent-Length: 0\r\n\r\n", withheld: true},
		{name: "other words of a status line", answer: "HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n", text: "Fine"},
		{name: "JSON", answer: counted(json, `{"a":"x","b":[1,true],"c":{"a":"y"}}`), columns: "a b c", rows: 1,
			text: "Content-Type: application/json\nx\t1\ntrue\ny\na\nb\nc"},
		{name: "JSON in rows", answer: counted(json, `[{"a":"x","b":1},{"a":"y","b":2}]`), columns: "a b", rows: 2, text: "Content-Type: application/json\nx\t1\ny\t2\na\nb"},
		{name: "JSON with a secret in escapes", answer: counted(json, `{"a":"\u0073ecret"}`), withheld: true},
		{name: "JSON with a secret as a name", answer: counted(json, `{"\u0073ecret":1}`), withheld: true},
		{name: "JSON with other escapes", answer: counted(json, `{"\u0073ecre":"\u0073ecre"}`), columns: "secre", rows: 1},
		{name: "JSON that is masked", answer: counted(json, `{"a":"mask","b":"open"}`), want: counted(json, `{"a":"****","b":"open"}`)},
		{name: "JSON that says it is text", answer: counted("Content-Type: text/plain\r\n", `{"a":"\u0073ecret"}`), withheld: true},
		{name: "what is no JSON", answer: counted(json, `OK`), text: "Content-Type: application/json\nOK", rows: 1},
		{name: "what is no JSON, in escapes", answer: counted(json, `{"a":"\u0073ecret"`), withheld: true, text: "?"},
		{name: "lines of JSON", answer: counted("", "{\"a\":1}\n{\"a\":2}\n"), columns: "a", rows: 2, text: "1\n2\na"},
		{name: "chunks", answer: chunked("", "", "hel", "lo"), text: "hello", rows: 1},
		{name: "a secret in two chunks", answer: chunked("", "", "se", "cret"), withheld: true},
		{name: "a value in two chunks, masked", answer: chunked(json, "", `{"a":"ma`, `sk"}`), want: chunked(json, "", `{"a":"**`, `**"}`)},
		{name: "a secret in a trailer", answer: chunked("", "X-T: secret\r\n", "hello"), withheld: true},
		{name: "a trailer", answer: chunked("", "X-T: open\r\n", "hello")},
		{name: "a secret in an extension", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=secret\r\nx\r\n0\r\n\r\n", withheld: true},
		{name: "an extension", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=open\r\nx\r\n0;b=c\r\n\r\n"},
		{name: "compressed", answer: counted("Content-Encoding: gzip\r\n", zipped("hello")), text: "Content-Encoding: gzip\nhello", rows: 1},
		{name: "a secret, compressed", answer: counted("Content-Encoding: gzip\r\n", zipped("a secret")), withheld: true},
		{name: "compressed JSON", answer: counted(json+"Content-Encoding: gzip\r\n", zipped(`{"a":"\u0041"}`)), text: "Content-Type: application/json\nContent-Encoding: gzip\nA\na", columns: "a", rows: 1},
		{name: "compressed JSON with a secret", answer: counted(json+"Content-Encoding: gzip\r\n", zipped(`{"a":"\u0073ecret"}`)), withheld: true},
		{name: "a bomb", answer: counted("Content-Encoding: gzip\r\n", zipped(strings.Repeat("0", 100<<10))), withheld: true, text: "?"},
		{name: "not what its coding says", answer: counted("Content-Encoding: gzip\r\n", "secre"), withheld: true, text: "?"},
		{name: "a coding that nobody knows", answer: counted("Content-Encoding: rot13\r\n", "frperg"), withheld: true, text: "?"},
		{name: "compressed, and not said so", answer: counted("", zipped("a secret")), withheld: true, text: "?"},
		{name: "another charset", answer: counted("Content-Type: text/plain; charset=utf-16le\r\n", "s\x00e\x00c\x00"), withheld: true, text: "?"},
		{name: "an old charset", answer: counted("Content-Type: text/plain; charset=iso-8859-1\r\n", "caf\xe9"), rows: 1},
		{name: "a part of something", answer: "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/9\r\nContent-Length: 4\r\n\r\nsecr", withheld: true, text: "?"},
		{name: "up to the end", answer: "HTTP/1.1 200 OK\r\n\r\nhello", ends: true, text: "hello", rows: 1},
		{name: "a secret up to the end", answer: "HTTP/1.1 200 OK\r\n\r\na secret", ends: true, withheld: true},
		{name: "an interim response", answer: "HTTP/1.1 103 Early Hints\r\nLink: </open>\r\n\r\n" + counted("", "x"), want: counted("", "x")},
		{name: "an interim response with a secret", answer: "HTTP/1.1 103 Early Hints\r\nLink: </secret>\r\n\r\n" + counted("", "x"), want: counted("", "x")},
		{name: "too long", answer: counted("", many), withheld: true},
		{name: "too long, and it may be", path: "/look/long", answer: counted("", many)},
		{name: "too long in its beginning, and it may be but for that", path: "/look/long", answer: counted("", "secret"+many), withheld: true},
		{name: "too long in chunks", answer: chunked("", "", many, many), withheld: true, ends: true},
		{name: "too long in chunks, and it may be", path: "/look/long", answer: chunked("", "X-T: a\r\n", "x", many, many)},
		{name: "too long in many chunks, and it may be", path: "/look/long", answer: chunked("", "", strings.Split(many[:599], "9")...)},
		{name: "too long up to the end, and it may be", path: "/look/long", answer: "HTTP/1.1 200 OK\r\n\r\n" + many, ends: true},
		{name: "a head that is too long", answer: counted("X-A: "+many+"\r\n", "x"), withheld: true, ends: true},
		{name: "a head that is too long, and it may be", path: "/look/long", answer: counted("X-A: "+many+"\r\n", "x")},
		{name: "a bomb, and it may be", path: "/look/long", answer: counted("Content-Encoding: gzip\r\n", zipped(strings.Repeat("0", 100<<10)))},
		{name: "events", answer: counted("Content-Type: text/event-stream\r\n", "data: 1\n\n"), withheld: true, ends: true},
		{name: "events, and they may be", path: "/look/long", answer: counted("Content-Type: text/event-stream\r\n", "data: secret\n\n")},
		{name: "one that is not looked at", path: "/open", answer: counted("X-A: secret\r\n", "secret")},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := c.path
			if path == "" {
				path = "/look"
			}
			request := "GET " + path + " HTTP/1.1\r\nHost: api\r\n\r\n"
			says := []string{request, c.answer}
			if c.ends && strings.HasPrefix(c.answer, "HTTP/1.1 200 OK\r\n\r\n") {
				says = append(says, "", "END")
			} else if !c.ends {
				says = append(says, "GET /after HTTP/1.1\r\nHost: api\r\n\r\n", counted("", "after"))
			}
			got, _, asked := lookedAt(t, nil, says...)
			if !c.ends {
				var ok bool
				if got, ok = strings.CutSuffix(got, counted("", "after")); !ok {
					t.Fatalf("the connection does not go on behind it: %q", got)
				}
			}
			want := c.want
			if want == "" {
				want = c.answer
			}
			if c.withheld {
				if !strings.HasPrefix(got, "HTTP/1.1 403 Forbidden\r\n") || !strings.Contains(got, `"the request was carried out, and its response is withheld: not that"`) || strings.Contains(got, "ecr") ||
					c.ends != strings.Contains(got, "Connection: close") && !strings.HasPrefix(c.answer, "HTTP/1.1 200 OK\r\n\r\n") {
					t.Errorf("it was answered %q", got)
				}
			} else if got != want {
				t.Errorf("it got %q, not %q", got, want)
			}
			if path == "/open" {
				if len(asked) != 0 {
					t.Errorf("%d questions", len(asked))
				}
				return
			}
			if len(asked) != 1 {
				t.Fatalf("%d questions", len(asked))
			}
			v := asked[0].Action.Values
			if text := v[abi.ResponseText]; c.text != "" && (text.Known != (c.text != "?") || text.Known && text.Str != c.text) {
				t.Errorf("text %t %q, not %q", text.Known, text.Str, c.text)
			}
			if c.columns != "" && strings.Join(v[abi.ResponseColumns].List, " ") != c.columns || c.rows != 0 && v[abi.ResponseRows].Int != c.rows {
				t.Errorf("columns %v, %d rows", v[abi.ResponseColumns], v[abi.ResponseRows].Int)
			}
		})
	}
}

// TestResponseRequests: the request goes on as it is, but for what asks for compression, and only where its answer is looked at.
func TestResponseRequests(t *testing.T) {
	_, server, _ := lookedAt(t, nil, "GET /look HTTP/1.1\r\nHost: api\r\nAccept-Encoding: gzip\r\nX-A: 1\r\n\r\n", counted("", "x"),
		"GET /open HTTP/1.1\r\nHost: api\r\nAccept-Encoding: gzip\r\nX-A: 1\r\n\r\n", counted("", "x"))
	if want := "GET /look HTTP/1.1\r\nHost: api\r\nX-A: 1\r\n\r\nGET /open HTTP/1.1\r\nHost: api\r\nAccept-Encoding: gzip\r\nX-A: 1\r\n\r\n"; server != want {
		t.Errorf("the server got %q", server)
	}
	const post = "POST /look HTTP/1.1\r\nHost: api\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
	got, server, _ := lookedAt(t, nil, post, "HTTP/1.1 100 secret\r\n\r\n", "ab", counted("", "x"))
	if want := "HTTP/1.1 100 Continue\r\n\r\n" + counted("", "x"); got != want || server != post+"ab" {
		t.Errorf("it got %q, the server %q", got, server)
	}
	got, _, _ = lookedAt(t, nil, "HEAD /look HTTP/1.1\r\nHost: api\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 6\r\n\r\n",
		"HEAD /look HTTP/1.1\r\nHost: api\r\n\r\n", "HTTP/1.1 200 OK\r\nX-A: secret\r\nContent-Length: 6\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 6\r\n\r\nHTTP/1.1 403 Forbidden\r\n") || !strings.HasSuffix(got, "\r\n\r\n") {
		t.Errorf("to HEAD it got %q", got)
	}
	got, _, _ = lookedAt(t, nil, "GET /look HTTP/1.1\r\nHost: api\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsecre", "", "END")
	if !strings.HasPrefix(got, "HTTP/1.1 502 Bad Gateway\r\n") || strings.Contains(got, "secre") {
		t.Errorf("cut off it got %q", got)
	}
}

// TestResponsesAndBodies: what is looked at does not depend on how requests come: in chunks, one behind the other, or still on their way when they are answered.
func TestResponsesAndBodies(t *testing.T) {
	const chunked = "POST /look HTTP/1.1\r\nHost: api\r\nTransfer-Encoding: chunked\r\n\r\n"
	const end = "2\r\nab\r\n0\r\n\r\n"
	const get = "GET /look HTTP/1.1\r\nHost: api\r\n\r\n"
	plain := counted("", "x")
	for _, c := range []struct {
		name string
		says []string
		want string // with 403 for an answer that is withheld
	}{
		{"chunks", []string{chunked + end, plain}, plain},
		{"one behind the other", []string{get + get + get, plain, "", counted("", "secret"), "", plain}, plain + "403" + plain},
		{"answered early", []string{chunked, plain, end + get, plain}, plain + plain},
		{"withheld early", []string{chunked, counted("", "secret"), end + get, plain}, "403" + plain},
		{"too long, early", []string{chunked, counted("", strings.Repeat("a", 500)), end + get, plain}, "403" + plain},
		{"the last one", []string{"GET /look HTTP/1.0\r\nHost: api\r\n\r\n", counted("Connection: close\r\n", "x")}, counted("Connection: close\r\n", "x")},
	} {
		got, server, _ := lookedAt(t, nil, c.says...)
		for strings.Contains(got, "HTTP/1.1 403 ") {
			from := strings.Index(got, "HTTP/1.1 403 ")
			got = got[:from] + "403" + got[from+strings.Index(got[from:], "}\n")+2:]
		}
		sent := ""
		for i := 0; i < len(c.says); i += 2 {
			sent += c.says[i]
		}
		if got != c.want || server != sent {
			t.Errorf("%s: it got %q, not %q; the server got %q", c.name, got, c.want, server)
		}
	}
}

// TestResponseTunnels: what has no end is asked about at once, and passes under that.
func TestResponseTunnels(t *testing.T) {
	const upgrade = " HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	for _, options := range []map[string]any{nil, {"inspect_websocket": true}} {
		got, _, asked := lookedAt(t, options, "GET /look/long"+upgrade, switched+"\x81\x01a", "\x81\x81\x00\x00\x00\x00b", "\x81\x01b")
		if want := switched + "\x81\x01a\x81\x01b"; got != want || len(asked) == 0 || !asked[0].Response.Truncated {
			t.Errorf("%v: it got %q", options, got)
		}
		got, _, _ = lookedAt(t, options, "GET /look"+upgrade, switched+"\x81\x06secret")
		if !strings.HasPrefix(got, "HTTP/1.1 403 Forbidden\r\n") || strings.Contains(got, "secret\"") || strings.Contains(got, "\x81") {
			t.Errorf("%v: it got %q", options, got)
		}
	}
	got, _, _ := lookedAt(t, nil, "CONNECT look.long:443 HTTP/1.1\r\nHost: look.long:443\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nabc", "def", "ghi")
	if got != "HTTP/1.1 200 OK\r\n\r\nabcghi" {
		t.Errorf("in a tunnel it got %q", got)
	}
}

// FuzzResponses: whatever a server answers where answers are looked at, the guest breaks no rule of the gate, and where the bytes are cut makes no difference.
func FuzzResponses(f *testing.F) {
	f.Add([]byte(counted("Content-Type: application/json\r\n", `{"a":"x"}`)), false)
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n"+counted("", "after")), true)
	f.Add([]byte("HTTP/1.1 200 OK\r\n\r\n"+strings.Repeat("a", 500)), true)
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 600\r\n\r\n"+strings.Repeat("a", 500)), false)
	f.Fuzz(func(t *testing.T, p []byte, long bool) {
		if len(p) > 4096 {
			return
		}
		path := "/look"
		if long {
			path = "/look/long"
		}
		request := "GET " + path + " HTTP/1.1\r\nHost: api\r\n\r\n"
		var first drygate.Transcript
		for _, piece := range []int{0, 1} {
			plugin := &session.Plugin{}
			m, err := sdk.ConfigureNative(plugin, nil)
			if err != nil {
				t.Fatal(err)
			}
			cfg := drygate.Config{Guest: sdk.NewNative(plugin, companion), Manifest: m, Facts: abi.Facts{Endpoint: "api", Inspect: true},
				Decide: func(e *drygate.Entry) (v drygate.Verdict) {
					switch {
					case e.Response == nil && e.Action.Family.Name == "http":
						v.Inspect = 100
					case e.Response != nil && e.Response.Truncated && !strings.Contains(e.Action.Title, "long"):
						v.Outcome = abi.Deny
					}
					return v
				}}
			if piece > 0 {
				cfg.Piece = func(abi.Side, uint64, int) int { return piece }
			}
			g := drygate.New(cfg)
			g.Open()
			g.Send(abi.Agent, []byte(request))
			g.Send(abi.Upstream, p)
			if !g.Over() {
				g.Send(abi.Agent, []byte(request))
				g.End(abi.Upstream)
			}
			log := g.Transcript()
			if log.Breached() != "" || log.Crashed() != nil {
				t.Fatalf("in pieces of %d: %q %v\n%s", piece, log.Breached(), log.Crashed(), log)
			}
			if piece == 0 {
				first = append(first, log...)
			} else if same, x, y := drygate.Transcript.Equal(drygate.BeforeRace(first, log)); !same {
				t.Fatalf("whole: %s\ncut: %s", x, y)
			}
		}
	})
}
