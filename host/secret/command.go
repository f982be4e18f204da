package secret

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Commands bounds the commands of references cmd: and exec-credential:.
type Commands struct {
	Timeout time.Duration // of one run; then it and what it started are killed
	Refresh time.Duration // how long its output counts, unless it says so itself
	// Env are the names of variables of the gateway's environment that a command gets, beside PATH, HOME, USER, LANG and TMPDIR.
	Env []string
}

// The defaults of Commands, and the most that Env may name.
const (
	DefaultTimeout = 10 * time.Second
	DefaultRefresh = 5 * time.Minute
	MaxCommandEnv  = 64
)

var commandEnv = []string{"PATH", "HOME", "USER", "LANG", "TMPDIR"}

// earlier is how long before its end what a command printed is fetched anew.
const earlier = 30 * time.Second

// commandLine checks what stands behind cmd: and returns it with one space between words. There is no shell and no quoting: what needs
// them belongs into a script.
func commandLine(scheme, text string) (string, error) {
	words := strings.Fields(text)
	switch {
	case len(words) == 0 || !filepath.IsAbs(words[0]):
		return "", fmt.Errorf("a %s: reference needs a command with an absolute path, such as %[1]s:/usr/bin/vault kv get -field=password secret/prod", scheme)
	case strings.ContainsRune(text, 0):
		return "", fmt.Errorf("the command of a %s: reference contains a zero byte", scheme)
	}
	if i := strings.IndexAny(text, "\"'`$|;<>\\\n"); i >= 0 {
		return "", fmt.Errorf("the command of a %s: reference contains the character %q: its words are given to the command as they are, without a shell; put what needs one into a script", scheme, text[i])
	}
	return strings.Join(words, " "), nil
}

// run runs a command and returns what it printed, and until when that counts. Its standard error is dropped: nobody knows what stands there.
func (c *Commands) run(ctx context.Context, r Reference) (value []byte, until time.Time, err error) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	words := strings.Fields(r.place)
	cmd := exec.CommandContext(limited, words[0], words[1:]...)
	cmd.Env = c.environment(r.scheme)
	cmd.Dir = "/"
	alone(cmd)
	out := &bounded{limit: MaxSize + 3}
	cmd.Stdout = out
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	until = time.Now().Add(max(c.Refresh, time.Second))
	if c.Refresh == 0 {
		until = time.Now().Add(DefaultRefresh)
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case limited.Err() != nil:
		err = fmt.Errorf("the command did not end within %v and was killed", timeout)
	case out.over:
		err = fmt.Errorf("the command printed more than %d KiB", MaxSize>>10)
	case err != nil:
		err = commandError(err)
	case r.scheme == schemeExecCredential:
		defer clear(out.b)
		return execCredential(out.b, until)
	default:
		value, err = oneLine(out.b)
		return value, until, err
	}
	clear(out.b)
	return nil, time.Time{}, err
}

func commandError(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("the command failed with %v: run it by hand as the gateway's user to see what it says", exit.ProcessState)
	}
	var perr *os.PathError
	if errors.As(err, &perr) {
		return fmt.Errorf("the command cannot be started: %w", perr.Err)
	}
	return fmt.Errorf("the command cannot be run: %w", err)
}

func (c *Commands) environment(scheme string) []string {
	env := []string{} // nil would be the gateway's own
	for _, name := range append(commandEnv[:len(commandEnv):len(commandEnv)], c.Env...) {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	if scheme == schemeExecCredential {
		env = append(env, `KUBERNETES_EXEC_INFO={"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}`)
	}
	return env
}

// oneLine takes the line end off. Several lines are a secret only in PEM: anything else is more likely a message than a value.
func oneLine(out []byte) ([]byte, error) {
	value := bytes.TrimSuffix(bytes.TrimSuffix(out, []byte("\n")), []byte("\r"))
	switch {
	case len(value) == 0:
		return nil, errors.New("the command printed nothing")
	case bytes.IndexByte(value, 0) >= 0:
		clear(out)
		return nil, errors.New("the command printed a zero byte")
	case bytes.ContainsAny(value, "\r\n") && !bytes.HasPrefix(value, []byte("-----BEGIN ")):
		clear(out)
		return nil, errors.New("the command printed more than one line, which only a key in PEM may have")
	}
	return value, nil
}

// execCredential reads the answer of a credential plugin of Kubernetes (client.authentication.k8s.io): its token, and until when it counts.
func execCredential(out []byte, until time.Time) ([]byte, time.Time, error) {
	var answer struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Status     *struct {
			Token                 string     `json:"token"`
			ClientCertificateData string     `json:"clientCertificateData"`
			ExpirationTimestamp   *time.Time `json:"expirationTimestamp"`
		} `json:"status"`
	}
	switch err := json.Unmarshal(out, &answer); {
	case err != nil: // which would repeat what it did not understand
		return nil, time.Time{}, errors.New("the command printed no ExecCredential: it is not JSON of that form")
	case answer.Kind != "ExecCredential" || !strings.HasPrefix(answer.APIVersion, "client.authentication.k8s.io/"):
		return nil, time.Time{}, errors.New("the command printed no ExecCredential of client.authentication.k8s.io")
	case answer.Status == nil || answer.Status.Token == "":
		if answer.Status != nil && answer.Status.ClientCertificateData != "" {
			return nil, time.Time{}, errors.New("the ExecCredential holds a client certificate and no token: write client_cert and client_key for the endpoint's credential")
		}
		return nil, time.Time{}, errors.New("the ExecCredential holds no token")
	case strings.ContainsAny(answer.Status.Token, "\x00\r\n"):
		return nil, time.Time{}, errors.New("the token of the ExecCredential is more than one line")
	}
	if e := answer.Status.ExpirationTimestamp; e != nil {
		if !e.After(time.Now()) {
			return nil, time.Time{}, errors.New("the token of the ExecCredential has expired already")
		}
		until = e.Add(-min(earlier, time.Until(*e)/2))
	}
	return []byte(answer.Status.Token), until, nil
}

// bounded keeps what is written to it, up to a limit.
type bounded struct {
	b     []byte
	limit int
	over  bool
}

// Write never fails, so that the command ends by itself.
func (w *bounded) Write(p []byte) (int, error) {
	keep := p[:min(len(p), w.limit-len(w.b))]
	w.over = w.over || len(keep) < len(p)
	if grown := len(w.b) + len(keep); grown > cap(w.b) { // by hand, so that what is left behind can be wiped
		next := make([]byte, len(w.b), max(4096, 2*grown))
		copy(next, w.b)
		clear(w.b)
		w.b = next
	}
	w.b = append(w.b, keep...)
	return len(p), nil
}
