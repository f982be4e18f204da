package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-dev/sallyport/host/judge"
	"github.com/sallyport-dev/sallyport/test/rig"
	"github.com/sallyport-dev/sallyport/test/standin"
)

// judging is a configuration in which a model looks at deletes, and another at updates.
func (w *world) judging(p *person, callback int, model *standin.Server) string {
	return fmt.Sprintf(`
[plugins]
postgres = "builtin"

[holds]
listen = "127.0.0.1:%[3]d"
url = "http://127.0.0.1:%[3]d"

[[approver]]
name = "ops"
webhook = "%[2]s"
secret = "env:OPS_SECRET"
timeout = "2m"

[[endpoint]]
name = "db"
address = "127.0.0.1:%[1]d"
plugin = "postgres"
profiles = ["agents"]

[[judge]]
name = "reviewer"
provider = "openai"
base_url = "%[4]s"
secret = "env:JUDGE_KEY"
model = "a-model"
policy = "Deny whoever touches Grace."
timeout = "30s"
cache_for = "10m"
input_price = "1.00"
output_price = "5.00"
calls_per_day = 6

[[judge]]
name = "second"
provider = "anthropic"
base_url = "%[5]s"
secret = "env:JUDGE_KEY"
model = "b-model"
policy = "Allow."
on_error = "hold"

[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write", "delete"]'
then = "allow"

[[rule]]
name = "a model looks at deletes"
when = 'action.class == "delete"'
then = "judge"
judge = "reviewer"

[[rule]]
name = "a model looks at updates"
when = '"update" in sql.verbs'
then = "judge"
judge = "second"

[[rule]]
name = "never the ledger"
when = 'action.class == "delete" && "ledger" in sql.writes'
then = "deny"

[[rule]]
name = "tried out"
when = 'action.class == "read"'
then = "judge"
mode = "observe"
`, w.pg.Port, p.server.URL, callback, model.BaseURL("openai"), model.BaseURL("anthropic"))
}

type judged struct {
	*held
	model *standin.Server
}

func newJudged(t *testing.T, answer func(standin.Asked) standin.Reply, people func(heldEvent) map[string]any) (*judged, context.Context) {
	t.Helper()
	h := &held{world: shared, person: newPerson(t, people), port: freePort(t)}
	j := &judged{held: h, model: standin.New(t, answer)}
	h.gw = shared.gateway(t.Context(), t, h.judging(h.person, h.port, j.model))
	h.gw.Env = append(h.gw.Env, "OPS_SECRET="+h.person.secret(), "JUDGE_KEY=sk-canary")
	ctx := shared.deadline(t, h.gw)
	h.database = shared.database(ctx, t, shop)
	serve(ctx, t, h.gw)
	return j, ctx
}

// judgedReceipt is what of a receipt the tests read.
type judgedReceipt struct {
	Kind, Outcome, Rule, Hold string
	WouldJudge                []string `json:"would_judge"`
	Judges                    []struct {
		Judge, Model, Outcome, Reason, Error string
		Cached                               bool
		Cost                                 int64
		Input                                int64 `json:"input_tokens"`
	}
}

func judgedReceipts(gw *rig.Gateway) (all []judgedReceipt) {
	for _, line := range lines(gw.Receipts()) {
		var r judgedReceipt
		if json.Unmarshal([]byte(line), &r) == nil && len(r.Judges) > 0 {
			all = append(all, r)
		}
	}
	return all
}

// byRow answers by which row a statement is about.
func byRow(a standin.Asked) standin.Reply {
	switch {
	case a.Key != "sk-canary":
		return standin.Reply{Status: 401, Raw: `{"error":{"message":"no"}}`}
	case strings.Contains(a.User, "id = 1"):
		return standin.Verdict("allow", "Ada may go")
	case strings.Contains(a.User, "id = 2"):
		return standin.Verdict("deny", "Grace stays")
	case strings.Contains(a.User, "id = 3"):
		return standin.Verdict("escalate", "who is Edsger")
	}
	return standin.Reply{Text: "I would rather not say."}
}

// TestJudged: a model allows, denies, leaves it to a person or says nothing of the form, and psql goes on; what it says is on record with
// what it cost, an earlier answer counts, the budget ends, and no key is anywhere.
func TestJudged(t *testing.T) {
	j, ctx := newJudged(t, byRow, func(e heldEvent) map[string]any {
		if strings.Contains(e.Data.Title, "update") {
			return rejects(e)
		}
		return approves(e)
	})
	got := finish(ctx, t, j.psql(ctx), `delete from customers where id = 1 returning name;
delete from customers where id = 2 returning name;
delete from customers where id = 2 returning name;
delete from customers where id = 3 returning name;
delete from customers where id = 9;
delete from ledger;
update customers set name = 'x' where id = 1 returning name;
update customers set name = 'x';
select name from customers;
`)
	if got.out != "Ada\nEdsger\nGrace\n" {
		t.Errorf("psql printed %q", got.out)
	}
	for _, want := range []string{"a model looks at deletes", "the judge reviewer denies it: Grace stays", "the judge reviewer gave no answer", "held as h", "never the ledger",
		"rejected by grace"} {
		if !strings.Contains(got.err, want) {
			t.Errorf("psql was not told %q:\n%s", want, got.err)
		}
	}
	if strings.Contains(got.err, "rather not say") {
		t.Errorf("psql was told what a model said that was not of the form:\n%s", got.err)
	}
	var outcomes []string
	for _, r := range judgedReceipts(j.gw) {
		o := r.Judges[0]
		outcomes = append(outcomes, fmt.Sprintf("%s %s %s cached=%t cost=%d", r.Outcome, o.Judge, o.Outcome, o.Cached, o.Cost))
	}
	// 700 tokens at 1.00 a million and 30 at 5.00 are 850 millionths.
	want := []string{
		"judged_allow reviewer allow cached=false cost=850",
		"judged_deny reviewer deny cached=false cost=850",
		"judged_deny reviewer deny cached=true cost=0",
		"held reviewer escalate cached=false cost=850",
		"fail_closed reviewer failed cached=false cost=850",
		"judged_allow second allow cached=false cost=0",
		"held second failed cached=false cost=0",
	}
	if fmt.Sprint(outcomes) != fmt.Sprint(want) {
		t.Errorf("on record are\n%s\nwant\n%s", strings.Join(outcomes, "\n"), strings.Join(want, "\n"))
	}
	if record := j.gw.Receipts(); strings.Contains(record, "sk-canary") || !strings.Contains(record, `"would_judge":["tried out"]`) || strings.Contains(j.gw.Log(), "sk-canary") {
		t.Error("a key is on record, or a rule that observes is not")
	}
	if n := j.model.Calls.Load(); n != 6 {
		t.Errorf("the models were asked %d times", n)
	}
	j.statusOf(ctx, t)
	// Four calls of six are made. The count outlives a restart, the answers do not.
	if err := j.gw.Stop(); err != nil {
		t.Fatal(err)
	}
	serve(ctx, t, j.gw)
	got = finish(ctx, t, j.psql(ctx), "delete from customers where id = 2;\ndelete from customers where id = 1 and true;\ndelete from customers where id = 1 and 1 = 1 returning name;\n")
	if !strings.Contains(got.err, "Grace stays") || !strings.Contains(got.err, "the budget of today is spent: 6 calls of 6") {
		t.Errorf("%+v", got)
	}
	if out, err := j.gw.Command(ctx, "receipts", "verify", "--config", j.gw.Config).CombinedOutput(); err != nil {
		t.Errorf("receipts verify: %v\n%s", err, out)
	}
}

// statusOf looks at `sallyport judges`.
func (j *judged) statusOf(ctx context.Context, t *testing.T) {
	t.Helper()
	out, err := j.gw.Command(ctx, "judges", "--json", "--config", j.gw.Config).Output()
	var list []judge.Status
	if err != nil || json.Unmarshal(out, &list) != nil || len(list) != 2 {
		t.Fatalf("%v %s", err, out)
	}
	s := list[0].Today
	if list[0].Kept != 3 || s.Calls != 4 || s.Cached != 1 || s.Allowed != 1 || s.Denied != 2 || s.Escalated != 1 || s.Failed != 1 || s.Cost != 4*850 || s.Input != 4*standin.InputTokens {
		t.Errorf("%s", out)
	}
	if out, err := j.gw.Command(ctx, "judges", "--config", j.gw.Config).Output(); err != nil || !strings.Contains(string(out), "reviewer") || !strings.Contains(string(out), "0.003400") || !strings.Contains(string(out), "4 of 6") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := j.gw.Command(ctx, "judges", "forget", "--config", j.gw.Config).Output(); err != nil || string(out) != "answers forgotten: 3\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestJudgedAgentGone: an agent that leaves, or cancels, while a model thinks has done nothing, and what the model says then lets nothing
// pass.
func TestJudgedAgentGone(t *testing.T) {
	for name, leave := range map[string]os.Signal{"vanished": syscall.SIGKILL, "cancelled": os.Interrupt} {
		t.Run(name, func(t *testing.T) {
			asked, answer := make(chan struct{}, 1), make(chan struct{})
			j, ctx := newJudged(t, func(standin.Asked) standin.Reply {
				asked <- struct{}{}
				r := standin.Verdict("allow", "")
				r.Wait = answer
				return r
			}, nil)
			run := start(t, j.psql(ctx), "delete from customers;\n")
			select {
			case <-asked:
			case <-ctx.Done():
				t.Fatal("the model was not asked")
			}
			if n := j.customers(ctx, t); n != "3" {
				t.Errorf("%s customers while the model thinks", n)
			}
			_ = run.cmd.Process.Signal(leave)
			if got := run.finish(ctx, t); leave == os.Interrupt && !strings.Contains(got.err, "57014") {
				t.Errorf("%+v", got) // psql did not wait for the model
			}
			close(answer)
			// Where the model was too slow in the end there was no answer, which is a denial as well.
			until(ctx, t, "the end", func() bool {
				r := judgedReceipts(j.gw)
				return len(r) == 1 || strings.Contains(j.gw.Receipts(), `"outcome":"withdrawn"`)
			})
			if n := j.customers(ctx, t); n != "3" || strings.Contains(j.gw.Receipts(), "judged_allow") {
				t.Errorf("%s customers\n%s", n, j.gw.Receipts())
			}
		})
	}
}
