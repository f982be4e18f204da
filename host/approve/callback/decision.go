package callback

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/slack"
	"github.com/sallyport-dev/sallyport/host/approve/webhook"
)

// maxHold is the length of a hold's ID in a URL.
const maxHold = 128

// Result is the answer to a decision that counts.
type Result struct {
	Hold string `json:"hold"`
	// State is the hold's now: "open" when more approvals are needed.
	State approve.State `json:"state"`
	// Granted: there is a grant now. When the agent had gone before, nothing was executed.
	Granted bool   `json:"granted"`
	Receipt string `json:"receipt,omitempty"`
}

// refusal is the answer to one that does not.
type refusal struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	// Whoever asked may have left.
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, code int, word, message string) {
	answer(w, code, refusal{word, message})
}

// read returns a request's body, or answers that it is too large.
func read(w http.ResponseWriter, r *http.Request, most int64) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err == nil {
		return body, true
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		refuse(w, http.StatusRequestEntityTooLarge, "malformed", "the body is too large")
	} else {
		refuse(w, http.StatusBadRequest, "malformed", "the body does not arrive")
	}
	return nil, false
}

// decision takes what a webhook's receiver decided.
func (s *Server) decision(w http.ResponseWriter, r *http.Request) {
	hold := r.PathValue("id")
	if len(hold) > maxHold {
		refuse(w, http.StatusNotFound, "unknown", "no hold has such an ID")
		return
	}
	m, err := webhook.ReadMessage(r.Header)
	if err != nil {
		refuse(w, http.StatusUnauthorized, "signature", err.Error())
		return
	}
	body, ok := read(w, r, webhook.MaxDecision)
	if !ok {
		return
	}
	now := time.Now()
	from, err := s.signer(m, body, now)
	if err != nil {
		s.log.Warn("a decision with a wrong signature was refused", "remote", r.RemoteAddr, "error", err)
		refuse(w, http.StatusUnauthorized, "signature", err.Error())
		return
	}
	log := s.log.With("approver", from.Name(), "hold", hold)
	switch first, err := s.seen.first(from.Name(), m.ID, now, m.Time.Add(webhook.Tolerance)); {
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, "unavailable", err.Error())
		return
	case !first:
		log.Warn("a repeated decision was refused", "remote", r.RemoteAddr)
		refuse(w, http.StatusConflict, "replayed", "this webhook-id was used before; a new decision needs a new one")
		return
	}
	d, err := webhook.ParseDecision(body)
	switch {
	case err != nil:
	case d.Digest == "":
		err = errors.New(`there is no "digest"; it must be that of the webhook`)
	case d.Hold != "" && d.Hold != hold:
		err = errors.New(`"hold" is another than in the URL`)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "malformed", err.Error())
		return
	}
	// A vote is not taken back by leaving.
	status, err := s.vote(context.WithoutCancel(r.Context()), hold, d.Vote(from.Name()))
	if err != nil {
		code, word := errOf(err)
		if code >= 500 {
			// It did not count, for no fault of its sender.
			s.seen.forget(from.Name(), m.ID)
		}
		log.Warn("a decision does not count", "approve", d.Approve, "error", err)
		refuse(w, code, word, err.Error())
		return
	}
	answer(w, http.StatusOK, Result{Hold: hold, State: status.State, Granted: status.Ending.Granted, Receipt: status.Ending.Receipt})
}

// signer returns the approver that signed a message.
func (s *Server) signer(m webhook.Message, body []byte, now time.Time) (Signer, error) {
	err := webhook.ErrSignature
	for _, a := range s.approvers.Load().signers {
		switch e := a.Keys().Verify(m, body, now); {
		case e == nil:
			return a, nil
		case !errors.Is(e, webhook.ErrSignature):
			err = e
		}
	}
	return nil, err
}

// click takes a button that was pressed in Slack. Slack wants an answer within three seconds, so people are told after it.
func (s *Server) click(w http.ResponseWriter, r *http.Request) {
	body, ok := read(w, r, slack.MaxBody)
	if !ok {
		return
	}
	c, err := slack.Read(s.approvers.Load().slacks, r.Header, body)
	switch {
	case errors.Is(err, slack.ErrSignature):
		s.log.Warn("a request with a wrong signature of Slack's was refused", "remote", r.RemoteAddr)
		refuse(w, http.StatusUnauthorized, "signature", err.Error())
		return
	case errors.Is(err, slack.ErrIgnored):
		w.WriteHeader(http.StatusOK)
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, "malformed", err.Error())
		return
	}
	now := time.Now()
	switch first, err := s.seen.first(c.Approver.Name(), r.Header.Get("X-Slack-Signature"), now, now.Add(2*webhook.Tolerance)); {
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, "unavailable", err.Error())
		return
	case !first:
		s.log.Warn("a repeated request of Slack's was refused", "remote", r.RemoteAddr)
		refuse(w, http.StatusConflict, "replayed", "this request was used before")
		return
	}
	// A vote is not taken back by leaving.
	ctx := context.WithoutCancel(r.Context())
	status, err := s.vote(ctx, c.Hold, c.Vote)
	if err != nil {
		s.log.Warn("a decision does not count", "approver", c.Approver.Name(), "hold", c.Hold, "approve", c.Vote.Approve, "error", err)
	}
	w.WriteHeader(http.StatusOK)
	select {
	case s.answers <- struct{}{}:
		// The request that is being answered is counted, so this is counted in time.
		s.group.Go(func() {
			defer func() { <-s.answers }()
			c.Answer(ctx, status, err)
		})
	default:
		s.log.Warn("too many buttons are pressed; who pressed one is not told what came of it", "hold", c.Hold)
	}
}
