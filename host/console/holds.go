package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/user"
	"strconv"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
)

// Holds are what waits for a person; an *approve.Book is one.
type Holds interface {
	List(approve.Filter) []approve.Status
	Get(id string) (approve.Status, error)
	Vote(ctx context.Context, id string, v approve.Vote) (approve.Status, error)
	Changed(ctx context.Context, after uint64) uint64
	Grants(ctx context.Context) ([]approve.Grant, error)
}

// HoldList is the answer to GET /v1/holds.
type HoldList struct {
	// Revision counts what has changed about any hold; see Client.Holds.
	Revision uint64 `json:"revision"`
	// Holds are without their fields, the oldest first.
	Holds []approve.Status `json:"holds"`
	// LeftOut is how many more there are than an answer has room for.
	LeftOut int `json:"left_out,omitempty"`
}

// Decision is the body of POST /v1/holds/{id}/decision.
type Decision struct {
	// Decision is "approve" or "reject".
	Decision string `json:"decision"`
	// Digest is that of the action which was read, in hexadecimal.
	Digest string `json:"digest"`
	Reason string `json:"reason,omitempty"`
	// Grant allows the same action again, besides. It goes with "approve".
	Grant GrantWish `json:"grant,omitzero"`
}

// GrantWish is how often and for how long: For is a duration such as "30m"; see approve.Vote.
type GrantWish struct {
	Uses int    `json:"uses,omitempty"`
	For  string `json:"for,omitempty"`
}

const (
	// maxListed bounds the holds of one answer.
	maxListed = 5000
	// maxDecision bounds the body of a decision, in bytes.
	maxDecision = 64 << 10
	// pollTime is how long a list waits for a change.
	pollTime = 25 * time.Second
)

// holdRoutes adds the paths of holds. Who calls them from inside of the tunnel is turned away.
func holdRoutes(mux *http.ServeMux, g Gateway) {
	handle := func(pattern string, h func(http.ResponseWriter, *http.Request, Holds)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !operator(w, r) {
				return
			}
			holds := g.Holds()
			if holds == nil {
				answer(w, http.StatusServiceUnavailable, &Failure{Code: "stopping", Message: "the gateway is starting or stopping, and has no holds open"})
				return
			}
			h(w, r, holds)
		})
	}
	handle("GET /v1/holds", listHolds)
	handle("GET /v1/holds/{id}", getHold)
	handle("POST /v1/holds/{id}/decision", decideHold)
	handle("GET /v1/grants", listGrants)
}

// operator turns a request away that does not come from outside of the tunnel.
func operator(w http.ResponseWriter, r *http.Request) bool {
	err := callerOf(r.Context()).outside
	if err != nil {
		answer(w, http.StatusForbidden, &Failure{Code: "caller", Message: err.Error()})
	}
	return err == nil
}

func listHolds(w http.ResponseWriter, r *http.Request, holds Holds) {
	q := r.URL.Query()
	f := approve.Filter{State: approve.State(q.Get("state")), Peer: q.Get("peer"), Endpoint: q.Get("endpoint")}
	for name := range q {
		switch name {
		case "state", "peer", "endpoint", "after":
		default:
			invalid(w, fmt.Errorf("there is no filter %.40q; there are state, peer, endpoint and after", name))
			return
		}
	}
	if f.State != "" && !f.State.Valid() {
		invalid(w, fmt.Errorf("state %.40q: it is open, approved, rejected, expired or withdrawn", f.State))
		return
	}
	list := HoldList{}
	ctx, cancel := context.WithTimeout(r.Context(), pollTime)
	defer cancel()
	if after := q.Get("after"); after != "" {
		n, err := strconv.ParseUint(after, 10, 64)
		if err != nil {
			invalid(w, fmt.Errorf("after %.40q: it is a revision, a number", after))
			return
		}
		list.Revision = holds.Changed(ctx, n)
	} else {
		cancel() // which makes it not wait
		list.Revision = holds.Changed(ctx, 0)
	}
	list.Holds = holds.List(f)
	if n := len(list.Holds) - maxListed; n > 0 {
		list.Holds, list.LeftOut = list.Holds[:maxListed], n
	}
	answer(w, http.StatusOK, list)
}

func getHold(w http.ResponseWriter, r *http.Request, holds Holds) {
	s, err := holds.Get(r.PathValue("id"))
	if err != nil {
		failHold(w, err)
		return
	}
	answer(w, http.StatusOK, s)
}

func decideHold(w http.ResponseWriter, r *http.Request, holds Holds) {
	var d Decision
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxDecision))
	body.DisallowUnknownFields()
	if err := body.Decode(&d); err != nil {
		invalid(w, fmt.Errorf("the decision cannot be read: %w", err))
		return
	}
	v, err := d.vote()
	if err != nil {
		invalid(w, err)
		return
	}
	v.By = callerOf(r.Context()).name()
	s, err := holds.Vote(r.Context(), r.PathValue("id"), v)
	if err != nil {
		failHold(w, err)
		return
	}
	answer(w, http.StatusOK, s)
}

// vote is the decision as the operator's vote.
func (d *Decision) vote() (approve.Vote, error) {
	v := approve.Vote{Approver: approve.Console, Digest: d.Digest, Reason: d.Reason, GrantUses: d.Grant.Uses}
	switch d.Decision {
	case "approve":
		v.Approve = true
	case "reject":
	default:
		return v, fmt.Errorf("decision %.40q: it is approve or reject", d.Decision)
	}
	if d.Grant.For != "" {
		var err error
		if v.GrantFor, err = time.ParseDuration(d.Grant.For); err != nil {
			return v, fmt.Errorf("grant for %.40q: it is a duration such as 10m", d.Grant.For)
		}
	}
	return v, nil
}

func listGrants(w http.ResponseWriter, r *http.Request, holds Holds) {
	grants, err := holds.Grants(r.Context())
	if err != nil {
		failHold(w, err)
		return
	}
	if grants == nil {
		grants = []approve.Grant{}
	}
	answer(w, http.StatusOK, grants)
}

func invalid(w http.ResponseWriter, err error) {
	answer(w, http.StatusBadRequest, &Failure{Code: "invalid", Message: err.Error()})
}

// failures are what a book refuses, as status and code.
var failures = []struct {
	err    error
	status int
	code   string
}{
	{approve.ErrUnknown, http.StatusNotFound, "unknown_hold"},
	{approve.ErrDigest, http.StatusConflict, "digest"},
	{approve.ErrDecided, http.StatusConflict, "decided"},
	{approve.ErrTooLate, http.StatusConflict, "too_late"},
	{approve.ErrVoted, http.StatusConflict, "voted"},
	{approve.ErrNotEntitled, http.StatusForbidden, "not_entitled"},
	{approve.ErrRequester, http.StatusForbidden, "requester"},
	{approve.ErrNotGrantable, http.StatusConflict, "not_grantable"},
	{approve.ErrInvalid, http.StatusBadRequest, "invalid"},
	{approve.ErrClosed, http.StatusServiceUnavailable, "stopping"},
}

func failHold(w http.ResponseWriter, err error) {
	for _, f := range failures {
		if errors.Is(err, f.err) {
			answer(w, f.status, &Failure{Code: f.code, Message: err.Error()})
			return
		}
	}
	answer(w, http.StatusInternalServerError, &Failure{Message: err.Error()})
}

// caller is the process that calls, as the kernel knows it.
type caller struct {
	uid uint32
	// outside is nil when it is known to run in the gateway's network namespace, and not in one that only has the tunnel.
	outside error
}

type callerKey struct{}

// callerOf is who sent a request.
func callerOf(ctx context.Context) caller {
	if c, ok := ctx.Value(callerKey{}).(caller); ok {
		return c
	}
	return caller{outside: errors.New("it is not known who calls")}
}

// name is the caller's user, for people.
func (c caller) name() string {
	id := strconv.FormatUint(uint64(c.uid), 10)
	if u, err := user.LookupId(id); err == nil && u.Username != "" && len(u.Username) <= approve.MaxPerson {
		return u.Username
	}
	return "uid " + id
}
