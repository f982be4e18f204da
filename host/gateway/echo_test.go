package gateway

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/host/secret/mask"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

const echoed = "ghp_" + canary + "-0123456789"

// TestEchoes: what an upstream sends back of the credential nobody sees, however it is cut; what waits for the rest comes in the end.
func TestEchoes(t *testing.T) {
	set := mask.NewSet([]byte(echoed))
	stars := strings.Repeat("*", len(echoed))
	near, far := net.Pipe()
	k := withoutEchoes(pipeConn{near}, set).(*unechoed)
	k.quiet = time.Hour // however slow this machine is
	defer k.Close()
	defer far.Close()
	expect := func(want string) {
		t.Helper()
		if err := k.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(k, got); err != nil || string(got) != want {
			t.Fatalf("%q, %v, want %q", got, err, want)
		}
	}
	send := func(pieces ...string) chan error {
		done := make(chan error, 1)
		go func() {
			for _, p := range pieces {
				if _, err := io.WriteString(far, p); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		return done
	}
	done := send("hello ", echoed+", ", echoed[:10], echoed[10:]+"!")
	expect("hello " + stars + ", " + stars + "!")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// Nothing more comes: what is held back is let go after a while, though it begins like a secret.
	k.quiet = quiet
	done = send("ends with " + echoed[:9])
	expect("ends with " + echoed[:9])
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// The reader's own deadline interrupts it, and loses nothing.
	done = send(echoed[:9])
	if err := k.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Read(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	expect(echoed[:9])
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestEchoAtTheEnd: the end of the stream comes behind what was held back.
func TestEchoAtTheEnd(t *testing.T) {
	near, far := net.Pipe()
	k := withoutEchoes(pipeConn{near}, mask.NewSet([]byte(echoed)))
	go func() {
		_, _ = io.WriteString(far, "the end is "+echoed[:12])
		far.Close()
	}()
	if b, err := io.ReadAll(k); err != nil || string(b) != "the end is "+echoed[:12] {
		t.Errorf("%q, %v", b, err)
	}
	k.Close()
	if withoutEchoes(pipeConn{near}, nil) != (pipeConn{near}) {
		t.Error("a connection without secrets is wrapped")
	}
}

// credentialed is a session with a credential whose slots have these forms.
func credentialed(t *testing.T, attributes []abi.Attribute, forms ...string) *session {
	t.Helper()
	t.Setenv("SALLYPORT_TEST_TOKEN", echoed)
	s := resolved(t, "env:SALLYPORT_TEST_TOKEN")
	l := &login{credential: "c", attributes: attributes}
	for _, f := range forms {
		form, ok := secret.FormOf(f)
		if !ok {
			t.Fatal(f)
		}
		l.slots = append(l.slots, slot{name: f, form: form, secret: s, filled: true})
	}
	w := newWorld(t, endpointTable("web", "127.0.0.1:1", "none", "dev"))
	a, err := w.assemble()
	if err != nil {
		t.Fatal(err)
	}
	e := a.endpoints["web"]
	e.logins = map[string]*login{"dev": l}
	return &session{handler: &handler{log: a.log}, a: a, endpoint: e, peer: "alice", profile: "dev"}
}

// TestSecrets: each slot in its form, and nothing from a slot that is not filled, not there, or a login.
func TestSecrets(t *testing.T) {
	s := credentialed(t, []abi.Attribute{{Name: "user", Value: "me"}, {Name: "access_key_id", Value: "AKIDEXAMPLE"}, {Name: "region", Value: "us-east-1"}, {Name: "service", Value: "s3"}},
		"bearer", "basic", "header", "query", "postgres", "aws-sigv4", "aws-session-token")
	for slot, want := range []string{"Bearer " + echoed, "Basic ", echoed, echoed} {
		b, err := s.Secret(slot)
		if err != nil || !strings.HasPrefix(string(b), want) {
			t.Errorf("slot %d: %q, %v", slot, b, err)
		}
	}
	for _, slot := range []int{-1, 4, 5, 6, 7, 99} {
		if b, err := s.Secret(slot); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("slot %d: %q, %v", slot, b, err)
		}
	}
	request := []byte("GET\nb.s3.amazonaws.com\n/k\nUNSIGNED-PAYLOAD\n")
	signed, err := s.signed(5, request)
	if err != nil || !strings.HasPrefix(string(signed.Value(0)), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || string(signed.Value(3)) != echoed {
		t.Errorf("signed: %v, %v", signed, err)
	}
	for slot, r := range map[int][]byte{0: request, 5: []byte("nonsense"), 7: request} {
		if _, err := s.signed(slot, r); err == nil {
			t.Errorf("slot %d signs %q", slot, r)
		}
	}
	s.profile = "ops"
	if _, err := s.Secret(0); err == nil {
		t.Error("the credential of another profile")
	}
}

// TestWritten: a secret that its form cannot write is found when it is loaded, at its place and without its value.
func TestWritten(t *testing.T) {
	for _, c := range []struct {
		form, value   string
		user          string
		problem, warn string
		echoes        bool
	}{
		{"bearer", echoed, "", "", "token itself goes to whoever answers", true},
		{"basic", echoed, "me", "", "", true},
		{"basic", echoed, "", "token needs user as well", "", true},
		{"bearer", canary + "\r\nHost: evil", "", "token: form bearer: it holds control characters", "", false},
		{"header", canary + "\x00", "", "control characters", "", false},
		{"bearer", "abc123", "", "", "too short to be masked", false},
		{"postgres", echoed, "", "", "", false},
	} {
		s := credentialed(t, nil, c.form)
		g := s.endpoint.logins["dev"]
		if strings.Contains(c.value, "\x00") { // not in an environment
			path := t.TempDir() + "/token"
			write(t, path, []byte(c.value))
			g.slots[0].secret = resolved(t, "file:"+path)
		} else {
			t.Setenv("SALLYPORT_TEST_WRITTEN", c.value)
			g.slots[0].secret = resolved(t, "env:SALLYPORT_TEST_WRITTEN")
		}
		g.slots[0].name = "token"
		if c.user != "" {
			g.attributes = []abi.Attribute{{Name: "user", Value: c.user}}
		}
		l := &loader{a: s.a, seen: map[config.Problem]bool{}}
		k := &config.Credential{Name: config.Text{Value: "c"}, Settings: []config.Setting{{Name: config.Text{Value: "token"}}}}
		l.written(s.endpoint, k, g)
		problems, warnings := l.problems.Error(), s.a.warnings.Error()
		if !strings.Contains(problems, c.problem) || !strings.Contains(warnings, c.warn) || strings.Contains(problems+warnings, canary) {
			t.Errorf("%s of %q: problems %q, warnings %q", c.form, c.value, problems, warnings)
		}
		facts := s.endpoint.facts("alice", "dev", s.ownLogin())
		if b, _ := s.Secret(0); c.problem == "" && facts.Size("token") != len(b) {
			t.Errorf("%s of %q: the plugin is told %d bytes, %d are written", c.form, c.value, facts.Size("token"), len(b))
		}
		if (c.problem == "") != (len(l.problems) == 0) || c.echoes != (g.echoes != nil) {
			t.Errorf("%s of %q: problems %q, echoes %v", c.form, c.value, problems, g.echoes != nil)
		}
	}
}

func resolved(t *testing.T, reference string) secret.Secret {
	t.Helper()
	r, err := secret.ParseReference(reference, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	return s
}
