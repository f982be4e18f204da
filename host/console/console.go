// Package console is the operator's way to a running gateway: JSON over HTTP on a Unix socket in the state directory.
//
// The socket belongs to the gateway's user and has mode 0600; besides, every caller's user is asked of the kernel
// (SO_PEERCRED), and only the gateway's own and root are answered. It is never reachable through the tunnel.
//
//	POST /v1/reload                 read the configuration again; a Change, or a Failure with what is wrong; ?confirm gives a
//	                                confirmation that the gateway waits for
//	GET  /v1/peers                  the peers and what they do, []Peer
//	GET  /v1/holds                  what waits for a person, a HoldList; ?state= ?peer= ?endpoint= filter, ?after=REVISION waits for a change
//	GET  /v1/holds/{id}             one of them with its whole text, an approve.Status
//	POST /v1/holds/{id}/decision    a Decision; the approve.Status after it
//	GET  /v1/judges                 the judges, and what they have cost, []judge.Status
//	DELETE /v1/judges/cache         forget the answers that are kept; how many there were
//	GET  /v1/grants                 approvals that can still be used, []approve.Grant
//
// Nobody approves himself: everything about holds and grants, and confirming a reload, is refused to a process in another network namespace than the
// gateway's, such as one inside `sallyport run`, and to one of which that cannot be told. The namespace is read from /proc through a
// descriptor of the process that connected (SO_PEERPIDFD, Linux 6.5; pidfd_open of its id before that), so that an id that was given to
// another process in the meantime is noticed. Who decides is the user that the kernel names, never one that the request does.
package console

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/sallyport-dev/sallyport/host/trial"
)

// SocketName is the socket's file in the state directory.
const SocketName = "console.sock"

// Gateway is what the console operates.
type Gateway interface {
	// Reload reads the configuration again and has new connections served by it. Its error is a *Failure when the
	// configuration is at fault; nothing has changed then.
	// When the gateway waits for a confirmation, confirm gives it for what an earlier Failure showed.
	Reload(ctx context.Context, confirm bool) (*Change, error)

	// Holds are what waits for a person; nil while the gateway has them not open.
	Holds() Holds
}

// Change is what a reload has changed.
type Change struct {
	// Policy is the hash of the configuration in effect, as receipts name it.
	Policy    string     `json:"policy"`
	Peers     Difference `json:"peers"`
	Plugins   Difference `json:"plugins"`
	Endpoints Difference `json:"endpoints"`
	Rules     Difference `json:"rules"`
	// Flips are recent actions that the old and the new configuration do not agree about.
	Flips    *trial.Report `json:"flips,omitempty"`
	Warnings []Problem     `json:"warnings"`
}

// Difference names what a reload added, took away, and left with other contents.
type Difference struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"`
}

// Empty reports whether nothing differs.
func (d *Difference) Empty() bool { return len(d.Added)+len(d.Removed)+len(d.Changed) == 0 }

// Problem is something about a configuration file. Line and Column count from 1; 0 is none.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

// Failure is why something that was asked of the gateway was not done.
type Failure struct {
	Message  string    `json:"message"`
	Problems []Problem `json:"problems,omitempty"`
	// Code says in one word, for programs, why something about a hold was refused: unknown_hold, digest, decided, too_late, voted,
	// not_entitled, requester, not_grantable, invalid, stopping, or caller for who may not call at all.
	Code string `json:"code,omitempty"`
	// Flips are what a reload would let pass that waits to be confirmed.
	Flips *trial.Report `json:"flips,omitempty"`
}

func (f *Failure) Error() string { return f.Message }

// Serve answers on l until ctx ends, and then until what was begun is answered. It closes l.
func Serve(ctx context.Context, l net.Listener, g Gateway, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler(g),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withCaller,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { closed <- server.Shutdown(context.WithoutCancel(ctx)) })
	err := server.Serve(&checkedListener{Listener: l, log: log})
	if stop() {
		return err // it ended by itself
	}
	if err := <-closed; err != nil {
		return err
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func handler(g Gateway) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/reload", func(w http.ResponseWriter, r *http.Request) {
		confirm := r.URL.Query().Has("confirm")
		if confirm && !operator(w, r) {
			return // who is inside of the tunnel does not confirm that more may pass
		}
		change, err := g.Reload(r.Context(), confirm)
		if err != nil {
			fail(w, err)
			return
		}
		answer(w, http.StatusOK, change)
	})
	holdRoutes(mux, g)
	peerRoutes(mux, g)
	judgeRoutes(mux, g)
	return mux
}

func fail(w http.ResponseWriter, err error) {
	var f *Failure
	if errors.As(err, &f) {
		answer(w, http.StatusUnprocessableEntity, f)
		return
	}
	answer(w, http.StatusInternalServerError, &Failure{Message: err.Error()})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a caller that has left
}
