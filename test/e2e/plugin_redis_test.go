package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

const redisRules = allowConnect + `
[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write"]'
then = "allow"

[[rule]]
name = "secret keys"
when = '"secret" in redis.keys'
then = "deny"
reason = "that key is secret"

[[rule]]
name = "database 5 is closed"
when = 'redis.db == 5 && action.class != "session"'
then = "deny"
reason = "nobody works in database 5"
`

// TestRedis: redis-cli through the gateway, with the server's own keys and its MONITOR as witnesses.
func TestRedis(t *testing.T) {
	ctx := shared.deadline(t, shared.gw)
	port := upstreamServer(ctx, t, func(port string) []string {
		return []string{"redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"}
	})
	gw := exampleGateway(ctx, t, "redis", port, redisRules)
	p := fmt.Sprint(port)
	onServer := func(args ...string) string {
		t.Helper()
		return strings.TrimSuffix(run(t, exec.CommandContext(ctx, "redis-cli", append([]string{"-p", p}, args...)...), ""), "\n")
	}
	cli := func(stdin string, args ...string) string {
		t.Helper()
		return strings.TrimSuffix(run(t, gw.Agent(ctx, append([]string{"redis-cli", "-h", "server", "-p", p}, args...)...), stdin), "\n")
	}
	onServer("set", "keep", "me")
	onServer("set", "secret", "canary")

	// A session of redis-cli, command by command: what is allowed works, what is denied says why and nothing else suffers.
	want(t, "a session", cli("set a 1\nget a\ndel a\nget secret\nmget a secret\neval 'return redis.call(\"flushall\")' 0\nscript flush\nconfig get requirepass\nnonsense\nget a\nhset h f v\n"),
		"OK\n1\nNOPERM denied: no rule allows this\n\nNOPERM denied: that key is secret\n\nNOPERM denied: that key is secret\n\nNOPERM denied: no rule allows this\n\n"+
			"NOPERM denied: no rule allows this\n\nNOPERM denied: no rule allows this\n\nNOPERM denied: that key is secret (counts because not known: redis.keys)\n\n1\n1")
	want(t, "RESP3", cli("", "-3", "hgetall", "h"), "f v")
	want(t, "the server's key", onServer("get", "a"), "1")

	// A transaction in which something is denied does not happen, as when the server itself refuses.
	want(t, "a transaction", cli("multi\nset a 2\nexec\n"), "OK\nQUEUED\nOK")
	want(t, "a transaction with a denial", cli("multi\nset a 3\nflushall\nset a 4\nexec\nget a\n"),
		"OK\nQUEUED\nNOPERM denied: no rule allows this\n\nQUEUED\nEXECABORT Transaction discarded because of previous errors.\n\n2")

	// Pipelines, also of many commands, keep every answer in its place.
	want(t, "a pipeline", exchange(ctx, t, gw, port, "set b 1\r\n*2\r\n$3\r\nDEL\r\n$1\r\nb\r\nget b\r\nget secret\r\nincr b\r\nquit\r\n"),
		"+OK\r\n-NOPERM denied: no rule allows this\r\n$1\r\n1\r\n-NOPERM denied: that key is secret\r\n:2\r\n+OK\r\n")
	var many, answers strings.Builder
	for i := range 3000 {
		switch i % 3 {
		case 0:
			fmt.Fprintf(&many, "*3\r\n$3\r\nSET\r\n$%d\r\nk%d\r\n$2\r\nxx\r\n", len(fmt.Sprint(i))+1, i)
			answers.WriteString("+OK\r\n")
		case 1:
			many.WriteString("*2\r\n$3\r\nDEL\r\n$4\r\nkeep\r\n")
			answers.WriteString("-NOPERM denied: no rule allows this\r\n")
		default:
			many.WriteString("get keep\r\n")
			answers.WriteString("$2\r\nme\r\n")
		}
	}
	want(t, "a long pipeline", exchange(ctx, t, gw, port, many.String()+"quit\r\n"), answers.String()+"+OK\r\n")

	// A database counts once the server has switched to it.
	want(t, "databases", exchange(ctx, t, gw, port, "select 5\r\nset x 1\r\nselect 99\r\nset x 1\r\nselect 3\r\nset x 3\r\nquit\r\n"),
		"+OK\r\n-NOPERM denied: nobody works in database 5\r\n-ERR DB index is out of range\r\n"+
			"-NOPERM denied: nobody works in database 5 (counts because not known: redis.db)\r\n+OK\r\n+OK\r\n+OK\r\n")
	want(t, "database 5", onServer("-n", "5", "dbsize"), "0")
	want(t, "database 3", onServer("-n", "3", "get", "x"), "3")

	// Values that are larger than what the plugin reads.
	big := strings.Repeat("0123456789", 500_000)
	want(t, "a big value", cli(big, "-x", "set", "big"), "OK")
	want(t, "the big value's length", onServer("strlen", "big"), fmt.Sprint(len(big)))
	want(t, "the big value", cli("", "get", "big"), big)
	long := fmt.Sprintf("*5\r\n$4\r\nMSET\r\n$1\r\np\r\n$%d\r\n%s\r\n$1\r\nq\r\n$1\r\n2\r\n", len(big), big)
	want(t, "a long command whose keys cannot be told", exchange(ctx, t, gw, port, long+"get q\r\nquit\r\n"),
		"-NOPERM denied: that key is secret (counts because not known: redis.keys)\r\n$-1\r\n+OK\r\n")

	want(t, "silence", exchange(ctx, t, gw, port, "client reply off\r\ndel a\r\nset c 9\r\nclient reply on\r\nget c\r\ndel c\r\nquit\r\n"),
		"+OK\r\n$1\r\n9\r\n-NOPERM denied: no rule allows this\r\n+OK\r\n")
	if got := exchange(ctx, t, gw, port, "get a\r\n*2\r\n$3\r\nGET\r\n$+1\r\na\r\nflushall\r\n"); got != "$1\r\n2\r\n-ERR Protocol error: invalid bulk length\r\n" {
		t.Errorf("a broken command: %q", got)
	}
	want(t, "what must not be touched", onServer("mget", "keep", "secret", "c"), "me\ncanary\n9")
	if got := gw.Receipts(); strings.Contains(got, "canary") || !strings.Contains(got, `"DEL keep"`) {
		t.Error("the record does not say what was denied, or says a value")
	}
}

// TestRedisPublish: messages that nobody asked for just then reach the agent, and MONITOR on the server sees nothing that was denied.
func TestRedisPublish(t *testing.T) {
	ctx := shared.deadline(t, shared.gw)
	port := upstreamServer(ctx, t, func(port string) []string {
		return []string{"redis-server", "--port", port, "--bind", "127.0.0.1", "--save", ""}
	})
	gw := exampleGateway(ctx, t, "redis", port, redisRules)
	p := fmt.Sprint(port)
	monitor := exec.CommandContext(ctx, "redis-cli", "-p", p, "monitor")
	var seen strings.Builder
	pipe, err := monitor.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := monitor.Start(); err != nil {
		t.Fatal(err)
	}
	witnessed := make(chan struct{})
	go func() {
		defer close(witnessed)
		b := make([]byte, 64<<10)
		for {
			n, err := pipe.Read(b)
			seen.Write(b[:n])
			if err != nil || strings.Contains(seen.String(), "the end of it") {
				return
			}
		}
	}()
	until(ctx, t, "the witness", func() bool {
		return strings.Contains(run(t, exec.CommandContext(ctx, "redis-cli", "-p", p, "client", "list"), ""), "cmd=monitor")
	})

	subscriber := gw.Agent(ctx, "bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/server/%d; printf 'subscribe news\r\n' >&3; head -n 13 <&3", port))
	var got strings.Builder
	subscriber.Stdout = &got
	if err := subscriber.Start(); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "the subscription", func() bool {
		return strings.Contains(run(t, exec.CommandContext(ctx, "redis-cli", "-p", p, "publish", "news", "hello"), ""), "1")
	})
	if err := subscriber.Wait(); err != nil {
		t.Fatal(err)
	}
	want(t, "the subscriber", got.String(), "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n")

	exchange(ctx, t, gw, port, "set a 1\r\nflushall\r\nmonitor\r\neval 'return 1' 0\r\nset secret x\r\ndebug sleep 0\r\nset b 2\r\nquit\r\n")
	run(t, exec.CommandContext(ctx, "redis-cli", "-p", p, "echo", "the end of it"), "")
	select {
	case <-witnessed:
	case <-ctx.Done():
		t.Fatal(ctx.Err())
	}
	_ = monitor.Process.Kill()
	_ = monitor.Wait()
	for _, word := range []string{`"flushall"`, `"eval"`, `"secret"`, `"debug"`} {
		if strings.Contains(seen.String(), word) {
			t.Errorf("%s reached the server:\n%s", word, seen.String())
		}
	}
	for _, word := range []string{`"set" "a" "1"`, `"set" "b" "2"`} {
		if !strings.Contains(seen.String(), word) {
			t.Errorf("%s did not reach the server:\n%s", word, seen.String())
		}
	}
}
