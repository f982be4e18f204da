// Package console is the operator's way to a running gateway: JSON over HTTP on a Unix socket in the state directory.
//
// The socket belongs to the gateway's user and has mode 0600; besides, every caller's user is asked of the kernel
// (SO_PEERCRED), and only the gateway's own and root are answered. It is never reachable through the tunnel.
//
//	POST /v1/reload    read the configuration again; a Change, or a Failure with what is wrong
package console

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// SocketName is the socket's file in the state directory.
const SocketName = "console.sock"

// Gateway is what the console operates.
type Gateway interface {
	// Reload reads the configuration again and has new connections served by it. Its error is a *Failure when the
	// configuration is at fault; nothing has changed then.
	Reload(ctx context.Context) (*Change, error)
}

// Change is what a reload has changed.
type Change struct {
	// Policy is the hash of the configuration in effect, as receipts name it.
	Policy    string     `json:"policy"`
	Peers     Difference `json:"peers"`
	Plugins   Difference `json:"plugins"`
	Endpoints Difference `json:"endpoints"`
	Rules     Difference `json:"rules"`
	Warnings  []Problem  `json:"warnings"`
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
}

func (f *Failure) Error() string { return f.Message }

// Serve answers on l until ctx ends, and then until what was begun is answered. It closes l.
func Serve(ctx context.Context, l net.Listener, g Gateway, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler(g),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
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
		change, err := g.Reload(r.Context())
		if err != nil {
			fail(w, err)
			return
		}
		answer(w, http.StatusOK, change)
	})
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
