package config

import (
	"strconv"
	"time"
)

// judgeKey is the key of a rule or an override that names a judge.
func judgeKey[T any](of func(*T) *Text) field[T] {
	return field[T]{Key{
		Name: "judge", Type: "string", Default: "none", Example: `"reviewer"`,
		Meaning:     "Who judges: the name of a `[[judge]]`. Needed with `then = \"judge\"`, and only there.",
		Consequence: "The action waits until the judge has answered, and the agent is told nothing meanwhile. A judge can allow, deny, or escalate, which makes it a hold for the approvers of this rule.",
	}, func(d *decoder, k Key, v *value, t *T) { *of(t) = d.name(k, v) }}
}

// judgeFields are the keys of [[judge]].
func judgeFields() []field[Judge] {
	fields := []field[Judge]{
		{Key{
			Name: "name", Type: "string", Required: true, Example: `"support-reviewer"`,
			Meaning:     "What the judge is called: a name like a peer's. Unique among judges.",
			Consequence: "Rules refer to it by `judge`, and receipts say what it answered.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.Name = d.name(k, v) }},
		{Key{
			Name: "provider", Type: `"openai" or "anthropic"`, Default: "none", Example: `"anthropic"`,
			Meaning:     "The API of a model judge: `\"openai\"` is any server that speaks chat completions with structured outputs (OpenAI, vLLM, Ollama, OpenRouter), `\"anthropic\"` the Messages API. A judge has either this or `plugin`.",
			Consequence: "The action's class, title and fields are sent to that server, with what the agent wrote. docs/judges.md says how.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.Provider = d.provider(k, v) }},
		{Key{
			Name: "model", Type: "string", Default: "none", Example: `"claude-haiku-4-5"`,
			Meaning:     "The model, as its server calls it. For `provider` only, which needs it.",
			Consequence: "Answers are kept by it as well: another model is asked anew.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.Model = d.line(k, v, 200) }},
		{Key{
			Name: "policy", Type: "string", Default: "none", Example: `"Allow what a support agent needs. Deny whole tables."`,
			Meaning:     "What the model decides by, in the operator's words, at most 16 KiB. For `provider` only, which needs it.",
			Consequence: "It is the only text that the model is told to obey; what the agent wrote is shown as data.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.Policy = d.multiline(k, v, 16<<10) }},
		{Key{
			Name: "base_url", Type: "string", Default: "the provider's own", Example: `"http://127.0.0.1:11434/v1"`,
			Meaning:     "Where the server is: `https://`, or `http://` on the machine itself. For `openai` it ends in `/v1` as a rule. For `provider` only.",
			Consequence: "Requests go there and nowhere else: redirects are not followed.",
		}, func(d *decoder, k Key, v *value, j *Judge) {
			if text, ok := d.text(k, v); ok {
				u, err := remote(text.Value)
				if err == nil && (u.RawQuery != "" || u.ForceQuery) {
					d.problem(text.start, "base_url has a query, and paths follow it; write base_url = %s", k.Example)
					return
				}
				if err != nil {
					d.problem(text.start, "base_url %v; write base_url = %s", err, k.Example)
					return
				}
				j.BaseURL = trimSlashes(text.Value)
			}
		}},
		{Key{
			Name: "secret", Type: "secret", Default: "none", Example: `"env:JUDGE_API_KEY"`,
			Meaning:     "The API key: a reference ([secrets.md](secrets.md)). For `provider` only. Without it none is sent.",
			Consequence: "The gateway reads it when it starts. It is sent to the server of the judge only, and no variable of the environment is used that is not named here.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.Secret, j.SecretPos = d.secretReference(k, v) }},
		{Key{
			Name: "max_tokens", Type: "integer", Default: strconv.Itoa(defaultMaxTokens), Example: "512",
			Meaning:     "How many tokens an answer may have, 16 to 8192. For `provider` only.",
			Consequence: "An answer that is cut there is not of the form, and counts as none.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.MaxTokens = d.number(k, v, j.MaxTokens, 16, 8192) }},
	}
	fields = append(append(fields, programFields()...), judgeLimitFields()...)
	for i := range fields { // which kind has which is checked when all are read
		read, name := fields[i].read, fields[i].Name
		fields[i].read = func(d *decoder, k Key, v *value, j *Judge) {
			j.set[name] = v.pos
			read(d, k, v, j)
		}
	}
	return fields
}

// programFields are the keys of a program judge.
func programFields() []field[Judge] {
	return []field[Judge]{
		{Key{
			Name: "plugin", Type: "string", Default: "none", Example: `"judge.wasm"`,
			Meaning:     "The file of a program judge: an Extism plugin with the function `judge`. A relative path starts at the configuration file's directory. A judge has either this or `provider`.",
			Consequence: "It runs in a sandbox, one instance for each question, without files, and without a network but for `hosts`.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.Plugin, _ = d.path(k, v) }},
		{Key{
			Name: "sha256", Type: "string", Default: "none", Example: `"5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"`,
			Meaning:     "The SHA-256 of the file, 64 hexadecimal digits, as `sha256sum` prints it. For `plugin` only, which needs it.",
			Consequence: "A file that is another one is not loaded.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.SHA256, _ = d.sha256(k, v) }},
		{Key{
			Name: "hosts", Type: "list of strings", Default: "none", Example: `["scan.internal", "localhost:8080"]`,
			Meaning:     "What the program may call over HTTP: host names or addresses, with a port if it is not 443. For `plugin` only.",
			Consequence: "Anything else is refused, redirects too. In clear it may speak to the machine itself only.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.Hosts = d.judgeHosts(k, v) }},
		{Key{
			Name: "memory", Type: "size", Default: `"64MiB"`, Example: `"16MiB"`,
			Meaning:     "How much memory the program may have, 1 MiB to 1 GiB. For `plugin` only.",
			Consequence: "A program that needs more fails, and gives no answer.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.Memory = d.size(k, v, j.Memory, 1<<20, 1<<30) }},
		{Key{
			Name: "settings", Type: "table", Default: "none", Example: `{ url = "http://localhost:8080/scan" }`,
			Meaning:     "What the program can read as its configuration, strings. No secret belongs here. For `plugin` only.",
			Consequence: "What they mean the program says.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.Settings = d.judgeSettings(k, v) }},
	}
}

// judgeLimitFields are the keys that every judge has.
func judgeLimitFields() []field[Judge] {
	return []field[Judge]{
		{Key{
			Name: "timeout", Type: "duration", Default: `"10s"`, Example: `"3s"`,
			Meaning:     "How long an answer may take, the waiting for `concurrency` counted, `100ms` to `5m`.",
			Consequence: "When it is over there is no answer, and `on_error` says what becomes of the action.",
		}, func(d *decoder, k Key, v *value, j *Judge) {
			j.Timeout = d.duration(k, v, j.Timeout, 100*time.Millisecond, 5*time.Minute)
		}},
		{Key{
			Name: "on_error", Type: `"deny" or "hold"`, Default: `"deny"`, Example: `"hold"`,
			Meaning:     "What becomes of an action without an answer: the judge cannot be reached, is slow, says what is not of the form, or may not be asked because a limit is reached.",
			Consequence: "`\"hold\"` has the approvers of the rule asked in its place. It never passes by itself.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.OnError = d.onError(k, v) }},
		{Key{
			Name: "cache_for", Type: "duration", Default: "not at all", Example: `"1h"`,
			Meaning:     "For how long an answer counts for the same action of the same peer, `1s` to `24h`.",
			Consequence: "The judge is not asked again, and the receipt says so. Answers are kept in memory, by a digest of the judge, its policy and model, and everything that it was shown; denials and escalations too.",
		}, func(d *decoder, k Key, v *value, j *Judge) {
			j.CacheFor = d.duration(k, v, 0, time.Second, 24*time.Hour)
		}},
		{Key{
			Name: "max_input", Type: "size", Default: `"16KiB"`, Example: `"64KiB"`,
			Meaning:     "How much of what the agent wrote the judge may be shown, 256 bytes to 256 KiB.",
			Consequence: "What is longer is not cut but not judged: there is no answer.",
		}, func(d *decoder, k Key, v *value, j *Judge) {
			j.MaxInput = int(d.size(k, v, int64(j.MaxInput), 256, 256<<10))
		}},
		{Key{
			Name: "concurrency", Type: "integer", Default: strconv.Itoa(defaultConcurrency), Example: "16",
			Meaning:     "How many questions the judge may be asked at a time, 1 to 256.",
			Consequence: "Others wait, within their timeout. One peer has at most half of it, rounded up.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.Concurrency = d.number(k, v, j.Concurrency, 1, 256) }},
		{Key{
			Name: "calls_per_day", Type: "integer", Default: strconv.Itoa(defaultCallsPerDay), Example: "200",
			Meaning:     "How often one peer may have the judge asked in a day (UTC), 1 to 10000000. Answers that were kept do not count.",
			Consequence: "Past it there is no answer until the next day. The count is kept over restarts; `sallyport judges` shows it.",
		}, func(d *decoder, k Key, v *value, j *Judge) {
			j.CallsPerDay = d.number(k, v, j.CallsPerDay, 1, 10_000_000)
		}},
		{Key{
			Name: "tokens_per_day", Type: "integer", Default: strconv.Itoa(defaultTokensPerDay), Example: "50000",
			Meaning:     "How many tokens, of questions and answers together, one peer may spend in a day (UTC), 1000 to 2000000000. For `provider` only.",
			Consequence: "Past it there is no answer until the next day. A question that may go past it is not asked.",
		}, func(d *decoder, k Key, v *value, j *Judge) {
			j.TokensPerDay = d.number(k, v, j.TokensPerDay, 1000, 2_000_000_000)
		}},
		{Key{
			Name: "input_price", Type: "string", Default: "not counted", Example: `"1.00"`,
			Meaning:     "What a million tokens of questions cost, in the currency that you count in, with at most six decimals. For `provider` only.",
			Consequence: "Receipts and `sallyport judges` say what each answer cost.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.InputPrice = d.price(k, v) }},
		{Key{
			Name: "output_price", Type: "string", Default: "not counted", Example: `"5.00"`,
			Meaning:     "The same for a million tokens of answers.",
			Consequence: "Receipts and `sallyport judges` say what each answer cost.",
		}, func(d *decoder, k Key, v *value, j *Judge) { j.OutputPrice = d.price(k, v) }},
	}
}

func (d *decoder) provider(k Key, v *value) Provider {
	text, ok := d.text(k, v)
	if !ok {
		return ""
	}
	switch p := Provider(text.Value); p {
	case OpenAI, Anthropic:
		return p
	}
	d.problem(text.start, "unknown provider %s%s", quote(text.Value), d.hint(text.Value, []string{string(OpenAI), string(Anthropic)}))
	return ""
}

func (d *decoder) onError(k Key, v *value) OnError {
	text, ok := d.text(k, v)
	if !ok {
		return ErrorDeny
	}
	switch o := OnError(text.Value); o {
	case ErrorDeny, ErrorHold:
		return o
	}
	d.problem(text.start, "unknown on_error %s%s", quote(text.Value), d.hint(text.Value, []string{string(ErrorDeny), string(ErrorHold)}))
	return ErrorDeny
}
