package clickhouse

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/session"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/zstd/zstdtest"
	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/decode/undo"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/test/chserver"
)

// companion is the plugin's companions, natively.
func companion(k int, in, out []byte) (int, error) {
	if k == session.CompanionZSTD {
		got, err := zstdtest.Twin{}.Call(k, in, out)
		return len(got), err
	}
	coding, limit, body, err := decode.ReadCall(in)
	if err != nil {
		return 0, err
	}
	n, err := undo.Decode(coding, body, out, limit)
	if err == decode.ErrTooLarge {
		return 0, errors.New(decode.TooLarge)
	}
	return n, err
}

// overHTTP has a gateway before the server's HTTP interface.
func overHTTP(t testing.TB, change func(g *gateway)) *gateway {
	return newGateway(t, func(g *gateway) {
		g.server = fmt.Sprintf("127.0.0.1:%d", server.HTTP)
		g.options, g.words = map[string]any{"protocol": "http"}, false
		g.facts.Endpoint = "127.0.0.1"
		if change != nil {
			change(g)
		}
	})
}

// ask sends a request, and returns the status and the body of the answer.
func (g *gateway) ask(t testing.TB, method, query string, body io.Reader, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.l.Addr().String()+"/"+query, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, strings.TrimRight(string(b), "\n")
}

func q(text string) string { return "?query=" + url.QueryEscape(text) }

func gzipped(text string) *bytes.Buffer {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return &b
}

// TestHTTP asks the distribution's server in every way that its HTTP interface has.
func TestHTTP(t *testing.T) {
	direct(t, "DROP TABLE IF EXISTS web; CREATE TABLE web (id UInt64, s String) ENGINE = Memory")
	g := overHTTP(t, nil)
	want := func(name string, status int, text string, gotStatus int, got string) {
		t.Helper()
		if gotStatus != status || !strings.Contains(got, text) {
			t.Errorf("%s: %d %.300q", name, gotStatus, got)
		}
	}
	do := func(name, text, method, query string, body io.Reader, headers ...string) {
		t.Helper()
		status, got := g.ask(t, method, query, body, headers...)
		want(name, 200, text, status, got)
	}
	do("greeting", "Ok.", "GET", "", nil)
	do("ping", "Ok.", "GET", "ping", nil)
	do("in the URL", "42", "GET", q("SELECT 42"), nil)
	do("in the body", "43", "POST", "", strings.NewReader("SELECT 43"))
	do("in both", "44", "POST", q("SELECT"), strings.NewReader(" 44"))
	do("in chunks", "45", "POST", "", io.MultiReader(strings.NewReader("SELECT "), strings.NewReader("45")))
	do("database and settings", "default", "GET", q("SELECT currentDatabase()")+"&database=default&max_threads=1", nil)
	do("gzip", "46", "POST", "", gzipped("SELECT 46"), "Content-Encoding: gzip")
	do("an INSERT in the URL", "", "POST", q("INSERT INTO web FORMAT TSV"), strings.NewReader("1\ta\n2\tb\n"))
	big := strings.Repeat("7\tsome text that is long enough to be large\n", 40000)
	do("a large INSERT", "", "POST", q("INSERT INTO web FORMAT TSV"), strings.NewReader(big))
	do("a large INSERT in chunks", "", "POST", q("INSERT INTO web FORMAT TSV"), io.MultiReader(strings.NewReader(big)))
	do("an INSERT in the body", "", "POST", "", strings.NewReader("INSERT INTO web VALUES (3, 'c')"))
	do("the rows", "80003", "POST", "", strings.NewReader("SELECT count() FROM web"))
	do("a large answer", "999999", "GET", q("SELECT number FROM system.numbers LIMIT 1000000"), nil)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, _ := w.CreateFormFile("ext", "ext.tsv")
	_, _ = io.WriteString(part, "5\n6\n")
	_ = w.Close()
	do("an external table", "11", "POST", q("SELECT sum(a) FROM ext")+"&ext_structure="+url.QueryEscape("a UInt32"), &form, "Content-Type: "+w.FormDataContentType())

	status, got := g.ask(t, "GET", q("SELECT nothing_like_this"), nil)
	want("an error of the server", 404, "Code: 47", status, got)
	for name, ask := range map[string]func() (int, string){
		"in the URL":  func() (int, string) { return g.ask(t, "GET", q("SELECT 'forbidden-h'"), nil) },
		"in the body": func() (int, string) { return g.ask(t, "POST", "", strings.NewReader("SELECT 'forbidden-h'")) },
		"in both": func() (int, string) {
			return g.ask(t, "POST", q("SELECT 'forbid"), strings.NewReader("den-h', 'forbidden-h'"))
		},
		"in chunks": func() (int, string) {
			return g.ask(t, "POST", "", io.MultiReader(strings.NewReader("SELECT 'forbid"), strings.NewReader("den-h'")))
		},
		"in gzip": func() (int, string) {
			return g.ask(t, "POST", "", gzipped("SELECT 'forbidden-h'"), "Content-Encoding: gzip")
		},
		"a large INSERT": func() (int, string) {
			return g.ask(t, "POST", q("INSERT INTO forbidden_h FORMAT TSV"), strings.NewReader(big[:600000]))
		},
	} {
		status, got := ask()
		want(name, 403, `Code: 497. DB::Exception: that is forbidden (rule "no forbidden", receipt r-1). (ACCESS_DENIED)`, status, got)
	}
	if saw(t, "INSERT INTO forbidden_h") {
		t.Error("the server was given what was denied")
	}
	do("afterwards", "1", "GET", q("SELECT 1"), nil)
}

// TestHTTPFacts looks at what is said of requests.
func TestHTTPFacts(t *testing.T) {
	g := overHTTP(t, func(g *gateway) {
		g.decide = func(*abi.Action) gate.Verdict { return gate.Verdict{Outcome: abi.Deny, Reason: "no"} }
	})
	last := func() *abi.Action { all := g.asked(); return all[len(all)-1] }
	g.ask(t, "POST", q("SELECT 1")+"&max_threads=3&user=me&password=x&param_a=b&database=db&Readonly=0&query_id=7", nil)
	a := last()
	if got := fmt.Sprint(value(a, "settings").List, value(a, "outside").List, value(a, "params").List, " ", value(a, "user").Str, " ", value(a, "database").Str, " ", value(a, "interface").Str, " ", value(a, "readonly").Bool); got != "[max_threads=3 readonly=0] [max_threads readonly] [a=b] me db http false" {
		t.Error(got)
	}
	if g.ask(t, "GET", q("SELECT 1")+"&session_id=s", nil); value(last(), "changed").Known || !value(last(), "readonly").Bool {
		t.Error("a session")
	}
	// The text is the one that the server runs, whatever it comes in; it is unknown where only a part of it was read.
	for name, c := range map[string]struct {
		ask  func() (int, string)
		text string
	}{
		"in the URL":  {func() (int, string) { return g.ask(t, "GET", q("SELECT 2"), nil) }, "SELECT 2"},
		"in the body": {func() (int, string) { return g.ask(t, "POST", "", strings.NewReader("SELECT 2")) }, "SELECT 2"},
		"in both":     {func() (int, string) { return g.ask(t, "POST", q("SELECT "), strings.NewReader("2")) }, "SELECT \n2"},
		"in gzip": {func() (int, string) {
			return g.ask(t, "POST", "", gzipped("SELECT 2"), "Content-Encoding: gzip")
		}, "SELECT 2"},
		"in a form": {func() (int, string) {
			return g.ask(t, "POST", q("SELECT 2"), strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"param_a\"\r\n\r\nb\r\n--x--\r\n"), "Content-Type: multipart/form-data; boundary=x")
		}, "SELECT 2"},
		"before its data": {func() (int, string) {
			return g.ask(t, "POST", q("INSERT INTO t FORMAT TSV"), strings.NewReader(strings.Repeat("1\n", 200<<10)))
		}, "INSERT INTO t FORMAT TSV"},
		"with more data than are read": {func() (int, string) {
			return g.ask(t, "POST", "", strings.NewReader("INSERT INTO t FORMAT TSV "+strings.Repeat("1\n", 200<<10)))
		}, ""},
		"longer than is read": {func() (int, string) {
			return g.ask(t, "POST", "", strings.NewReader("SELECT '"+strings.Repeat("x", 300<<10)+"'"))
		}, ""},
	} {
		c.ask()
		if v := value(last(), "text"); v.Known != (c.text != "") || v.Str != c.text {
			t.Errorf("%s: the text is %.100q", name, v.Str)
		}
	}
	for name, ask := range map[string]func() (int, string){
		"two queries":           func() (int, string) { return g.ask(t, "GET", q("SELECT 1")+"&query=SELECT+2", nil) },
		"a query in upper case": func() (int, string) { return g.ask(t, "GET", "?QUERY=SELECT+2", nil) },
		"a broken escape":       func() (int, string) { return g.ask(t, "GET", "?query=SELECT%2", nil) },
	} {
		if status, got := ask(); status != 400 {
			t.Errorf("%s: %d %q", name, status, got)
		}
	}
	for name, ask := range map[string]func() (int, string){
		"a path":            func() (int, string) { return g.ask(t, "GET", "other"+q("SELECT 1"), nil) },
		"frames":            func() (int, string) { return g.ask(t, "POST", "?decompress=1", strings.NewReader("xyz")) },
		"an unknown coding": func() (int, string) { return g.ask(t, "POST", "", strings.NewReader("xyz"), "Content-Encoding: lz4") },
		"a header":          func() (int, string) { return g.ask(t, "GET", q("SELECT 1"), nil, "X-ClickHouse-Role: admin") },
		"settings before data": func() (int, string) {
			return g.ask(t, "POST", q("INSERT INTO t FORMAT TSV"), strings.NewReader("SETTINGS a = 1\n"+strings.Repeat("1\n", 200<<10)))
		},
		"a form of something": func() (int, string) {
			return g.ask(t, "POST", q("SELECT 1"), strings.NewReader("--x\r\nnothing"), "Content-Type: multipart/form-data; boundary=x")
		},
		"what is longer than all": func() (int, string) {
			return g.ask(t, "POST", "", strings.NewReader("SELECT '"+strings.Repeat("x", 300<<10)+"'"))
		},
	} {
		ask()
		if last().Class != abi.ClassOpaque {
			t.Errorf("%s: %v", name, last().Class)
		}
	}
}

// TestHTTPLogin has the gateway log in, whatever the agent says.
func TestHTTPLogin(t *testing.T) {
	g := overHTTP(t, func(g *gateway) {
		g.facts.Slots = []string{"http_password"}
		g.facts.Attributes = []abi.Attribute{{Name: "user", Value: chserver.User}, {Name: "database", Value: "system"}}
		g.secret = []byte(chserver.Password)
	})
	for _, c := range []struct {
		query   string
		headers []string
	}{
		{q("SELECT currentDatabase()"), nil},
		{q("SELECT currentDatabase()") + "&user=nobody&password=nothing&database=elsewhere", nil},
		{"?user=nobody&" + q("SELECT currentDatabase()")[1:], []string{"X-ClickHouse-User: nobody", "X-ClickHouse-Key: nothing", "X-ClickHouse-Database: elsewhere"}},
		{q("SELECT currentDatabase()"), []string{"Authorization: Basic bm9ib2R5Om5vdGhpbmc="}},
	} {
		if status, got := g.ask(t, "POST", c.query, nil, c.headers...); status != 200 || got != "system" {
			t.Errorf("%s %q: %d %q", c.query, c.headers, status, got)
		}
	}
	if n := direct(t, "SELECT count() > 3 FROM system.query_log WHERE user = '"+chserver.User+"' AND interface = 2"); n == "" {
		t.Error("the log has nothing")
	}
}

// TestCurl has a client that waits for 100, and one that speaks HTTP/1.0.
func TestCurl(t *testing.T) {
	direct(t, "DROP TABLE IF EXISTS curl; CREATE TABLE curl (s String) ENGINE = Memory")
	g := overHTTP(t, nil)
	cmd := exec.CommandContext(t.Context(), "curl", "-sS", "-H", "Expect: 100-continue", "--data-binary", "@-", "http://"+g.l.Addr().String()+"/"+q("INSERT INTO curl FORMAT TSV"))
	cmd.Stdin = strings.NewReader(strings.Repeat("some line\n", 200000))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%q, %v", out, err)
	}
	out, err := exec.CommandContext(t.Context(), "curl", "-sS", "-0", "http://"+g.l.Addr().String()+"/"+q("SELECT count() FROM curl")).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "200000" {
		t.Fatalf("%q, %v", out, err)
	}
	out, err = exec.CommandContext(t.Context(), "curl", "-sS", "-d", "SELECT 'forbidden'", "http://"+g.l.Addr().String()+"/", "--next", "-sS", "-d", "SELECT 8", "http://"+g.l.Addr().String()+"/").CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "(ACCESS_DENIED)\n8") {
		t.Fatalf("%q, %v", out, err)
	}
	k, err := net.Dial("tcp", g.l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	fmt.Fprint(k, "GET /?query=SELECT%201 HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n")
	if b, _ := io.ReadAll(k); !strings.HasPrefix(string(b), "HTTP/1.1 400") {
		t.Errorf("%q", b)
	}
}
