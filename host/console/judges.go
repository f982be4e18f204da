package console

import (
	"context"
	"net/http"

	"github.com/sallyport-dev/sallyport/host/judge"
)

// JudgeKeeper is a Gateway that tells about its judges.
type JudgeKeeper interface {
	Judges() []judge.Status
	// ForgetAnswers forgets the answers of judges that are kept, and returns how many.
	ForgetAnswers() int
}

// Forgotten is how many answers of judges were forgotten.
type Forgotten struct {
	Answers int `json:"forgotten"`
}

func judgeRoutes(mux *http.ServeMux, g Gateway) {
	k, ok := g.(JudgeKeeper)
	if !ok {
		return
	}
	mux.HandleFunc("GET /v1/judges", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, k.Judges()) })
	mux.HandleFunc("DELETE /v1/judges/cache", func(w http.ResponseWriter, r *http.Request) {
		if !operator(w, r) {
			return
		}
		answer(w, http.StatusOK, Forgotten{k.ForgetAnswers()})
	})
}

// Judges are the judges of the gateway, and what they have cost.
func (c *Client) Judges(ctx context.Context) ([]judge.Status, error) {
	var list []judge.Status
	err := c.call(ctx, http.MethodGet, "/v1/judges", nil, &list)
	return list, err
}

// ForgetAnswers has the gateway forget the answers of judges that are kept.
func (c *Client) ForgetAnswers(ctx context.Context) (int, error) {
	var f Forgotten
	err := c.call(ctx, http.MethodDelete, "/v1/judges/cache", nil, &f)
	return f.Answers, err
}
