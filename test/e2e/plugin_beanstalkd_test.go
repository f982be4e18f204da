package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestBeanstalkd: beaneater, a Ruby client, and raw bytes through the gateway; the plugin runs in the Extism lane.
func TestBeanstalkd(t *testing.T) {
	ctx := shared.deadline(t, shared.gw)
	port := upstreamServer(ctx, t, func(port string) []string { return []string{"beanstalkd", "-l", "127.0.0.1", "-p", port} })
	gw := exampleGateway(ctx, t, "beanstalkd", port, allowConnect+`
[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write"]'
then = "allow"

[[rule]]
name = "payments are closed"
when = 'beanstalk.command == "put" && beanstalk.tube == "payments"'
then = "deny"
reason = "nobody pays"
`)
	script := `
require "beaneater"
b = Beaneater.new("server:` + fmt.Sprint(port) + `")
b.tubes["mail"].put("hello " * 10_000)
job = b.tubes["mail"].reserve(5)
puts job.body.length
begin; job.delete; rescue => e; puts e.class; end
puts b.tubes["mail"].stats.current_jobs_reserved
begin; b.tubes["payments"].put("money"); rescue => e; puts e.class; end
begin; b.tubes["mail"].pause(60); rescue => e; puts e.class; end
b.tubes["mail"].put("again")
puts b.tubes["mail"].peek(:ready).body
b.close
`
	want(t, "beaneater", run(t, gw.Agent(ctx, "ruby", "-"), script), "60000\nBeaneater::UnknownCommandError\n1\nBeaneater::UnknownCommandError\nBeaneater::UnknownCommandError\nagain\n")

	direct(ctx, t, port, "put 1 0 60 4\r\nkeep\r\nquit\r\n")
	no := "UNKNOWN_COMMAND denied: no rule allows this\r\n"
	got := exchange(ctx, t, gw, port, "delete 3\r\nuse payments\r\nput 1 0 60 2\r\nab\r\nuse default\r\npeek-ready\r\nquit\r\n")
	want(t, "a pipeline", got, no+"USING payments\r\nUNKNOWN_COMMAND denied: nobody pays\r\nUSING default\r\nFOUND 3 4\r\nkeep\r\n")
	// A body that would be a command, had the server refused the line before it.
	want(t, "a body as a command", exchange(ctx, t, gw, port, "put 1 0 x 8\r\ndelete 3\r\n"), "BAD_FORMAT\r\n")
	want(t, "what must not be touched", direct(ctx, t, port, "peek 3\r\nquit\r\n"), "FOUND 3 4\r\nkeep\r\n")
	var many, answers strings.Builder
	for i := range 500 {
		many.WriteString("delete 3\r\nput 1 0 60 3\r\nabc\r\n")
		fmt.Fprintf(&answers, "%sINSERTED %d\r\n", no, i+4)
	}
	want(t, "a long pipeline", exchange(ctx, t, gw, port, many.String()+"quit\r\n"), answers.String())
}
