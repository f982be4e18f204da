package judge

import "github.com/sallyport-dev/sallyport/host/judge/budget"

// Status is what a judge does, for the operator.
type Status struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"` // openai, anthropic or program
	Model    string   `json:"model"`
	Timeout  string   `json:"timeout"`
	OnError  string   `json:"on_error"`
	CacheFor string   `json:"cache_for,omitempty"`
	Kept     int      `json:"cached_answers"`
	Calls    int64    `json:"calls_per_day"` // a peer's
	Tokens   int64    `json:"tokens_per_day,omitempty"`
	Rules    []string `json:"rules"`
	// Today and Past are of all peers, the latter of the last 40 days with today; Peers are today's of each.
	Today budget.Spent   `json:"today"`
	Past  budget.Spent   `json:"last_40_days"`
	Peers []budget.Spent `json:"peers_today"`
}
