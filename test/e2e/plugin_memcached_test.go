package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const memcachedRules = allowConnect + `
[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write"]'
then = "allow"

[[rule]]
name = "secret keys"
when = 'memcached.keys.exists(k, k.startsWith("secret"))'
then = "deny"
reason = "that key is secret"
`

// TestMemcached: libmemcached's tools and raw bytes through the gateway; what the server holds is asked of itself.
func TestMemcached(t *testing.T) {
	ctx := shared.deadline(t, shared.gw)
	port := upstreamServer(ctx, t, func(port string) []string {
		return []string{"memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", port, "-U", "0"}
	})
	gw := exampleGateway(ctx, t, "memcached", port, memcachedRules)
	servers := fmt.Sprintf("--servers=server:%d", port)
	agent := func(args ...string) string {
		t.Helper()
		return run(t, gw.Agent(ctx, append([]string{args[0], servers}, args[1:]...)...), "")
	}
	direct(ctx, t, port, "set keep 0 0 2\r\nme\r\nset secret1 0 0 6\r\ncanary\r\nquit\r\n")

	// A real client.
	file := filepath.Join(t.TempDir(), "greeting")
	if err := os.WriteFile(file, []byte(strings.Repeat("hello ", 50_000)), 0o644); err != nil {
		t.Fatal(err)
	}
	want(t, "memccp", agent("memccp", file), "")
	want(t, "memccat", agent("memccat", "greeting"), strings.Repeat("hello ", 50_000)+"\n")
	if got := agent("memcrm", "keep"); !strings.Contains(got, "SERVER ERROR") && !strings.Contains(got, "denied") {
		t.Errorf("memcrm says %q", got)
	}
	if got := agent("memccat", "secret1"); strings.Contains(got, "canary") {
		t.Errorf("memccat got %q", got)
	}
	if got := agent("memcflush"); got == "" {
		t.Error("memcflush has nothing to say")
	}
	want(t, "what must not be touched", direct(ctx, t, port, "get keep secret1\r\nquit\r\n"), "VALUE keep 0 2\r\nme\r\nVALUE secret1 0 6\r\ncanary\r\nEND\r\n")

	// Pipelines with quiet commands: every answer in its place.
	no := "SERVER_ERROR denied: no rule allows this\r\n"
	want(t, "a pipeline", exchange(ctx, t, gw, port, "set a 0 0 1\r\n1\r\ndelete a\r\nmg a v q\r\nmg none v q\r\nflush_all\r\nget a\r\nincr a 5\r\nset b 0 0 1 noreply\r\n2\r\ndelete b noreply\r\nget b secret1\r\nmn\r\nmd a q\r\nget b\r\nquit\r\n"),
		"STORED\r\n"+no+"VA 1\r\n1\r\n"+no+"VALUE a 0 1\r\n1\r\nEND\r\n6\r\nSERVER_ERROR denied: that key is secret\r\nMN\r\n"+no+"VALUE b 0 1\r\n2\r\nEND\r\n")
	want(t, "a key in base64", exchange(ctx, t, gw, port, "mg c2VjcmV0MQ== b v\r\nquit\r\n"), "SERVER_ERROR denied: that key is secret\r\n")

	// Data that would be commands, had the server refused the line before it. The keys and flags are those that it does refuse.
	inner := "delete keep"
	for line, answer := range map[string]string{
		"set %s 0 0 11": "ERROR a key that is too long\r\n", "ms %s 11": "ERROR a key that is too long\r\n",
		"set k x 0 11 %.0s": "ERROR flags that are no number\r\n", "set k 0 0 011x %.0s": "ERROR a size that is no number\r\n",
		"ms k 11 q k c s t v h f l x I T1 F1 C1 E1 D1 %.0s": "ERROR more flags than may be\r\n",
	} {
		text := fmt.Sprintf(line, strings.Repeat("k", 251)) + "\r\n" + inner + "\r\n"
		want(t, line, exchange(ctx, t, gw, port, text), answer)
	}
	var many, answers strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&many, "set k%d 0 0 3\r\nabc\r\ndelete keep\r\n", i)
		answers.WriteString("STORED\r\n" + no)
	}
	want(t, "a long pipeline", exchange(ctx, t, gw, port, many.String()+"quit\r\n"), answers.String())
	want(t, "an unknown command", exchange(ctx, t, gw, port, "get keep\r\nnonsense\r\nflush_all\r\n"), "VALUE keep 0 2\r\nme\r\nEND\r\nERROR an unknown command\r\n")
	want(t, "the binary protocol", exchange(ctx, t, gw, port, "\x80\x08"+strings.Repeat("\x00", 22)), "ERROR the binary protocol is not understood here\r\n")
	want(t, "what must not be touched", direct(ctx, t, port, "get keep secret1 k1999\r\nquit\r\n"),
		"VALUE keep 0 2\r\nme\r\nVALUE secret1 0 6\r\ncanary\r\nVALUE k1999 0 3\r\nabc\r\nEND\r\n")
}
