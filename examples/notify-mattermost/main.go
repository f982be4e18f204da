// Command notify-mattermost tells people of holds in a Mattermost channel: each is a post, which is changed when the hold is over.
//
// It needs no PDK: the few functions of Extism that it uses are declared in extism.go. Build it with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o notify-mattermost.wasm .
package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

func main() {}

// What the function returns: 1 has the gateway call again, 2 not.
const (
	done     = 0
	again    = 1
	giveUp   = 2
	maxShown = 12000 // bytes of an action; a post has 16383 characters
)

// event is what of the gateway's events is used. Its texts are safe to show already: nothing in them turns writing around or is not seen.
type event struct {
	Type  string
	State string
	Data  struct {
		Hold, Digest, Deadline, Class, Title string
		DecisionURL                          string `json:"decision_url"`
		Who                                  struct{ Peer string }
		Where                                struct{ Endpoint string }
		Fields                               []struct{ Name, Text string }
		Needs                                []struct{ Rule, Reason string }
	}
	Ended struct {
		Outcome, Reason   string
		By                []string
		Executed, Granted bool
	}
}

//go:wasmexport notify
func notify() int32 {
	var e event
	if err := json.Unmarshal(input(), &e); err != nil {
		return give(giveUp, "the event cannot be read")
	}
	server, channel := strings.TrimRight(config("url"), "/"), config("channel")
	if server == "" || channel == "" || config("token") == "" {
		return give(giveUp, "settings need url and channel, and the approver a token")
	}
	switch e.Type {
	case "hold.opened":
		text, whole := opened(&e)
		post := map[string]any{"channel_id": channel, "message": text}
		if relay := config("relay"); relay != "" && e.Data.DecisionURL != "" && whole {
			post["props"] = map[string]any{"attachments": []any{map[string]any{"actions": []any{button(&e, relay, "approve", "Approve"), button(&e, relay, "reject", "Reject")}}}}
		}
		id, code := call("POST", server+"/api/v4/posts", post)
		if code == done {
			answer, _ := json.Marshal(map[string]string{"state": id})
			output(answer)
		}
		return code
	case "hold.ended":
		if e.State == "" {
			return done
		}
		_, code := call("PUT", server+"/api/v4/posts/"+e.State+"/patch", map[string]any{"message": ended(&e), "props": map[string]any{}})
		return code
	}
	return done // what a newer gateway tells besides
}

// button is one of the two: Mattermost posts its context to the relay when it is pressed.
func button(e *event, relay, decision, label string) any {
	return map[string]any{"id": decision, "name": label, "type": "button", "integration": map[string]any{"url": relay, "context": map[string]string{
		"decision": decision, "hold": e.Data.Hold, "digest": e.Data.Digest, "decision_url": e.Data.DecisionURL}}}
}

// call makes a request of Mattermost's API, and returns the post's ID.
func call(method, url string, body any) (id string, code int32) {
	b, err := json.Marshal(body)
	if err != nil {
		return "", give(giveUp, err.Error())
	}
	status, answer := send(method, url, map[string]string{"Authorization": "Bearer " + config("token"), "Content-Type": "application/json"}, b)
	if status != 200 && status != 201 {
		if status == 429 || status >= 500 || status == 0 {
			return "", give(again, fmt.Sprintf("Mattermost answered %d", status))
		}
		return "", give(giveUp, fmt.Sprintf("Mattermost answered %d", status))
	}
	var post struct{ ID string }
	if err := json.Unmarshal(answer, &post); err != nil || strings.Trim(post.ID, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return "", give(giveUp, "Mattermost did not answer with a post")
	}
	return post.ID, done
}

func give(code int32, message string) int32 {
	fail(message)
	return code
}

// quoted makes a text a block of code in Markdown. Every line of it is indented, so none can end the block.
func quoted(s string) string { return "\n\n    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n\n" }

func head(e *event) string {
	return fmt.Sprintf("hold `%s`: %s by `%s` at `%s`", e.Data.Hold, e.Data.Class, e.Data.Who.Peer, e.Data.Where.Endpoint)
}

// opened is the post, and whether all of the action is in it.
func opened(e *event) (text string, whole bool) {
	var b strings.Builder
	b.WriteString(head(e) + quoted(e.Data.Title))
	for _, n := range e.Data.Needs {
		b.WriteString("rule" + quoted(n.Rule+": "+n.Reason))
	}
	missing := 0
	for _, f := range e.Data.Fields {
		if b.Len()+len(f.Text) > maxShown {
			missing += len(f.Text)
			continue
		}
		b.WriteString(f.Name + quoted(f.Text))
	}
	if missing > 0 {
		fmt.Fprintf(&b, "%d bytes of the action are missing here: `sallyport holds show %s`\n\n", missing, e.Data.Hold)
	}
	fmt.Fprintf(&b, "It waits until %s. `sallyport holds approve %s`", e.Data.Deadline, e.Data.Hold)
	return b.String(), missing == 0
}

func ended(e *event) string {
	text := head(e) + quoted(e.Data.Title) + e.Ended.Outcome
	if len(e.Ended.By) > 0 {
		text += quoted("by " + strings.Join(e.Ended.By, ", "))
	}
	if e.Ended.Reason != "" {
		text += quoted(e.Ended.Reason)
	}
	if e.Ended.Granted {
		text += "\n\nThe same may be done again."
	}
	return text
}
