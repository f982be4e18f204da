package receipt

import "time"

// Judgment is what one judge said about an action.
type Judgment struct {
	// Rule had it judged; Judge is its name and Model what was asked: a model, or "sha256:…" of a program.
	Rule, Judge, Model string
	// Outcome is allow, deny, escalate or failed; Reason is the judge's own, Error why there was no answer.
	Outcome, Reason, Error string
	// Digest is of everything that the answer is about, in hexadecimal. Cached says that an earlier answer counted.
	Digest string
	Cached bool
	// Input and Output are tokens, Cost is in millionths of the operator's currency; of this question alone.
	Input, Output, Cost int64
	Took                time.Duration
}

// JudgmentEntry is a Judgment as it stands in a file.
type JudgmentEntry struct {
	Rule    string `json:"rule"`
	Judge   string `json:"judge"`
	Model   string `json:"model"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
	Error   string `json:"error"`
	Digest  string `json:"digest"`
	Cached  bool   `json:"cached"`
	Input   int64  `json:"input_tokens"`
	Output  int64  `json:"output_tokens"`
	Cost    int64  `json:"cost"`
	Took    int64  `json:"took_ms"`
}

// judgments writes what judges said, the members of each in the order of their names.
func judgments(b []byte, all []Judgment) []byte {
	if len(all) == 0 {
		return b
	}
	b = append(b, `,"judges":[`...)
	count := func(name string, n int64) {
		if n > 0 {
			b = number(b, name, uint64(n))
		}
	}
	for i, j := range all[:min(len(all), MaxNames)] {
		if i > 0 {
			b = append(b, ',')
		}
		begin := len(b)
		b = flag(b, `,"cached":`, j.Cached)
		count(`,"cost":`, j.Cost)
		b = member(b, `,"digest":`, j.Digest)
		b = member(b, `,"error":`, j.Error)
		count(`,"input_tokens":`, j.Input)
		b = appendString(append(b, `,"judge":`...), cut(j.Judge, 256))
		b = member(b, `,"model":`, j.Model)
		b = member(b, `,"outcome":`, j.Outcome)
		count(`,"output_tokens":`, j.Output)
		b = member(b, `,"reason":`, j.Reason)
		b = appendString(append(b, `,"rule":`...), cut(j.Rule, 256))
		count(`,"took_ms":`, j.Took.Milliseconds())
		b[begin] = '{' // in place of the first comma
		b = append(b, '}')
	}
	return append(b, ']')
}
