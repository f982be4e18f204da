package secret

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// server is a PostgreSQL server's part of a login, written from the RFCs and the protocol's documentation.
type server struct {
	password   string
	mechanisms []string
	binding    []byte // of the certificate that this server itself shows; nil without TLS
	iterations int

	first, challenge string
	header           string
}

func words(code uint32, data ...string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, code), strings.Join(data, "")...)
}

func (s *server) offer() []byte {
	return words(authSASL, strings.Join(s.mechanisms, "\x00"), "\x00\x00")
}

// begin reads a SASLInitialResponse and returns the challenge.
func (s *server) begin(t *testing.T, message []byte) []byte {
	t.Helper()
	body := unwrap(t, message)
	name, rest, _ := bytes.Cut(body, []byte{0})
	if len(rest) < 4 || int(binary.BigEndian.Uint32(rest)) != len(rest)-4 {
		t.Fatalf("a malformed SASLInitialResponse: %q", message)
	}
	first := string(rest[4:])
	parts := strings.SplitN(first, ",", 3)
	s.header = parts[0] + "," + parts[1] + ","
	s.first = parts[2]
	wantPlus := parts[0] == "p=tls-server-end-point"
	if wantPlus != (string(name) == "SCRAM-SHA-256-PLUS") {
		t.Errorf("mechanism %s with header %s", name, s.header)
	}
	nonce := strings.TrimPrefix(s.first, "n=,r=")
	s.challenge = fmt.Sprintf("r=%s,s=%s,i=%d", nonce+"server", base64.StdEncoding.EncodeToString([]byte("salt and pepper.")), max(s.iterations, 4096))
	return words(authSASLContinue, s.challenge)
}

var errProof = errors.New("the server refuses")

// end checks a SASLResponse and returns the server's signature.
func (s *server) end(t *testing.T, message []byte) ([]byte, error) {
	t.Helper()
	final := string(unwrap(t, message))
	without, proof64, _ := strings.Cut(final, ",p=")
	bound := s.header
	switch {
	case s.header[0] == 'p':
		bound += string(s.binding)
	case s.header[0] == 'y' && s.binding != nil:
		return nil, errProof // the client believes that this server has no channel binding: somebody changed the offer
	}
	if !strings.HasPrefix(without, "c="+base64.StdEncoding.EncodeToString([]byte(bound))+",r=") {
		return nil, errProof
	}
	auth := s.first + "," + s.challenge + "," + without
	salted := salt256(prepare([]byte(s.password)), []byte("salt and pepper."), max(s.iterations, 4096))
	stored := sha256.Sum256(mac(salted, []byte("Client Key")))
	signature := mac(stored[:], []byte(auth))
	proof, err := base64.StdEncoding.DecodeString(proof64)
	if err != nil || len(proof) != len(signature) {
		return nil, errProof
	}
	for i := range proof {
		proof[i] ^= signature[i]
	}
	if sum := sha256.Sum256(proof); !hmac.Equal(sum[:], stored[:]) {
		return nil, errProof
	}
	return words(authSASLFinal, "v=", base64.StdEncoding.EncodeToString(mac(mac(salted, []byte("Server Key")), []byte(auth)))), nil
}

func unwrap(t *testing.T, message []byte) []byte {
	t.Helper()
	if len(message) < 5 || message[0] != 'p' || int(binary.BigEndian.Uint32(message[1:])) != len(message)-1 {
		t.Fatalf("a malformed message: %q", message)
	}
	return message[5:]
}

const plus, plain = "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"

func begin(t *testing.T, value string, l Login) Exchange {
	t.Helper()
	t.Setenv("SALLYPORT_TEST_SECRET", value)
	var err error
	if l.Secret, err = (Reference{schemeEnv, "SALLYPORT_TEST_SECRET"}).Resolve(); err != nil {
		t.Fatal(err)
	}
	form, _ := FormOf("postgres")
	x, err := form.Begin(l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

// logIn goes through SCRAM with a server.
func logIn(t *testing.T, x Exchange, s *server) error {
	t.Helper()
	answer, err := x.Step(s.offer())
	if err != nil {
		return err
	}
	if answer, err = x.Step(s.begin(t, answer)); err != nil {
		return err
	}
	last, err := s.end(t, answer)
	if err != nil {
		return err
	}
	if answer, err = x.Step(last); err != nil || len(answer) != 0 {
		return errors.Join(err, fmt.Errorf("an answer to the last word: %q", answer))
	}
	answer, err = x.Step(words(authOK))
	if len(answer) != 0 {
		t.Errorf("an answer to AuthenticationOk: %q", answer)
	}
	return err
}

// TestSCRAM: each offer, transport and configuration, and how the login ends: by name of the mechanism, or with an error.
func TestSCRAM(t *testing.T) {
	bound := Transport{Verified: true, Binding: []byte("certificate")}
	for _, c := range []struct {
		what      string
		offers    []string
		binding   string // of the server's own certificate
		transport Transport
		methods   []string
		header    string
		err       string
	}{
		{"without TLS", []string{plain}, "", Transport{}, nil, "n,,", ""},
		{"bound", []string{plus, plain}, "certificate", bound, nil, "p=tls-server-end-point,,", ""},
		{"bound, the other order", []string{plain, plus}, "certificate", bound, nil, "p=tls-server-end-point,,", ""},
		{"a certificate without binding", []string{plus, plain}, "", Transport{Verified: true}, nil, "n,,", ""},
		{"a server without binding", []string{plain}, "", bound, nil, "y,,", ""},
		{"bound as wanted", []string{plus, plain}, "certificate", bound, []string{scramPlus}, "p=tls-server-end-point,,", ""},
		{"bound where possible", []string{plus, plain}, "certificate", bound, []string{scramPlain}, "p=tls-server-end-point,,", ""},
		// Attacks.
		{"a man in the middle who hides PLUS", []string{plain}, "certificate", bound, nil, "y,,", "the server refuses"},
		{"a man in the middle with another certificate", []string{plus, plain}, "certificate", Transport{Binding: []byte("his")}, nil, "p=tls-server-end-point,,", "the server refuses"},
		{"PLUS is wanted and not offered", []string{plain}, "certificate", bound, []string{scramPlus}, "", "somebody may be in between"},
		{"PLUS is wanted and there is no TLS", []string{plain}, "", Transport{}, []string{scramPlus}, "", "this transport has none"},
		{"only PLUS is offered and there is no TLS", []string{plus}, "", Transport{}, nil, "", "this transport has none"},
		{"SCRAM is not wanted", []string{plain}, "", Transport{}, []string{md5Hash}, "", "credential's methods allow md5 only"},
		{"weaker mechanisms", []string{"SCRAM-SHA-1", "PLAIN"}, "", bound, nil, "", "no SCRAM-SHA-256"},
		{"no mechanism", nil, "", bound, nil, "", "malformed"},
	} {
		s := &server{password: canary, mechanisms: c.offers}
		if c.binding != "" {
			s.binding = []byte(c.binding)
		}
		err := logIn(t, begin(t, canary, Login{Methods: c.methods, Transport: c.transport}), s)
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v", c.what, err)
		}
		if s.header != c.header {
			t.Errorf("%s: header %q", c.what, s.header)
		}
	}
	if err := logIn(t, begin(t, "wrong", Login{}), &server{password: canary, mechanisms: []string{plain}}); err != errProof {
		t.Errorf("a wrong password: %v", err)
	}
	if err := logIn(t, begin(t, "\u2168 \u00aa\u00ad", Login{}), &server{password: "IX a", mechanisms: []string{plain}, iterations: 5000}); err != nil {
		t.Errorf("a password that is prepared: %v", err)
	}
}

// TestStolen: words from one login are worth nothing in another.
func TestStolen(t *testing.T) {
	s := &server{password: canary, mechanisms: []string{plain}}
	first := begin(t, canary, Login{})
	answer, err := first.Step(s.offer())
	if err != nil {
		t.Fatal(err)
	}
	stolen := s.begin(t, answer)
	second := begin(t, canary, Login{})
	if _, err := second.Step(s.offer()); err != nil {
		t.Fatal(err)
	}
	if answer, err := second.Step(stolen); err == nil || answer != nil || !strings.Contains(err.Error(), "belongs to another login") {
		t.Errorf("a challenge of another login: %q, %v", answer, err)
	}
	// The twin: it works where it belongs.
	if _, err := first.Step(stolen); err != nil {
		t.Error(err)
	}
}

// TestMethods: what else a server may ask for, on which transport, with which methods.
func TestMethods(t *testing.T) {
	clear, hash := words(authCleartext), words(authMD5, "salt")
	inner := md5.Sum([]byte(canary + "agent_rw"))
	outer := md5.Sum([]byte(hex.EncodeToString(inner[:]) + "salt"))
	hashed := "md5" + hex.EncodeToString(outer[:]) + "\x00"
	verified := Transport{Verified: true}
	for _, c := range []struct {
		what      string
		words     []byte
		transport Transport
		methods   []string
		answer    string
		err       string
	}{
		{"cleartext, verified", clear, verified, nil, canary + "\x00", ""},
		{"cleartext, named", clear, Transport{}, []string{cleartext}, canary + "\x00", ""},
		{"cleartext, not verified", clear, Transport{}, nil, "", "safe only where its certificate is verified"},
		{"cleartext, not verified but bound", clear, Transport{Binding: []byte("x")}, nil, "", "safe only"},
		{"cleartext, not named", clear, verified, []string{scramPlain, md5Hash}, "", "allow scram-sha-256, md5 only"},
		{"MD5, verified", hash, verified, nil, hashed, ""},
		{"MD5, named", hash, Transport{}, []string{md5Hash}, hashed, ""},
		{"MD5, not verified", hash, Transport{}, nil, "", "safe only"},
		{"MD5, not named", hash, verified, []string{scramPlain}, "", "allow scram-sha-256 only"},
		{"MD5 without salt", words(authMD5), verified, nil, "", "malformed"},
		{"cleartext with more", words(authCleartext, "x"), verified, nil, "", "malformed"},
		{"Kerberos", words(7), verified, nil, "", "a login of kind 7"},
		{"a challenge out of the blue", words(authSASLContinue, challenge), verified, nil, "", "not begun"},
		{"an end out of the blue", words(authSASLFinal, signature), verified, nil, "", "not begun"},
		{"nothing", nil, verified, nil, "", "cut short"},
		{"half a code", []byte{0, 0}, verified, nil, "", "cut short"},
		{"mechanisms without an end", words(authSASL, plain), verified, nil, "", "malformed"},
		{"mechanisms and more", words(authSASL, plain, "\x00\x00x"), verified, nil, "", "malformed"},
		{"no login wanted", words(authOK), Transport{}, nil, "", ""},
		{"no login wanted, methods", words(authOK), verified, []string{scramPlain}, "", "methods want one"},
	} {
		x := begin(t, canary, Login{User: "agent_rw", Methods: c.methods, Transport: c.transport})
		answer, err := x.Step(c.words)
		if c.err != "" {
			if err == nil || answer != nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), canary) {
				t.Errorf("%s: %q, %v", c.what, answer, err)
			}
			// And then nothing is answered any more.
			if answer, err := x.Step(words(authSASL, plain, "\x00\x00")); err == nil || answer != nil {
				t.Errorf("%s: the login goes on: %q", c.what, answer)
			}
			continue
		}
		if err != nil || c.answer != "" && string(unwrap(t, answer)) != c.answer {
			t.Errorf("%s: %q, %v", c.what, answer, err)
		}
		// The password leaves once.
		if again, err := x.Step(c.words); err == nil || again != nil {
			t.Errorf("%s: a second answer %q", c.what, again)
		}
	}
	x := begin(t, canary, Login{Transport: verified})
	if answer, err := x.Step(hash); err == nil || answer != nil || !strings.Contains(err.Error(), "give the credential its user") {
		t.Errorf("MD5 without a user: %q, %v", answer, err)
	}
}

// TestProof: in SCRAM a server that does not prove that it knows the password is not the server, whatever it says.
func TestProof(t *testing.T) {
	for _, steps := range []int{1, 2} {
		s := &server{password: canary, mechanisms: []string{plain}}
		x := begin(t, canary, Login{Transport: Transport{Verified: true}})
		answer, err := x.Step(s.offer())
		if err == nil && steps == 2 {
			_, err = x.Step(s.begin(t, answer))
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Step(words(authOK)); err == nil || !strings.Contains(err.Error(), "without proof") {
			t.Errorf("after %d steps: %v", steps, err)
		}
	}
	for _, other := range [][]byte{words(authCleartext), words(authMD5, "salt"), (&server{mechanisms: []string{plain}}).offer()} {
		s := &server{password: canary, mechanisms: []string{plain}}
		x := begin(t, canary, Login{User: "u", Transport: Transport{Verified: true}})
		if _, err := x.Step(s.offer()); err != nil {
			t.Fatal(err)
		}
		if answer, err := x.Step(other); err == nil || answer != nil {
			t.Errorf("a change of mind in the middle of SCRAM was answered with %q", answer)
		}
	}
}

func TestBegin(t *testing.T) {
	form, ok := FormOf("postgres")
	if _, other := FormOf("postgre"); !ok || other || len(Forms()) < 2 {
		t.Fatal("forms")
	}
	for _, method := range form.Methods {
		if m, ok := form.Method(method.Name); !ok || m != method || m.Doc == "" {
			t.Errorf("%+v", method)
		}
	}
	if _, err := form.Begin(Login{}); err == nil {
		t.Error("no password")
	}
	t.Setenv("SALLYPORT_TEST_SECRET", canary)
	s, err := Reference{schemeEnv, "SALLYPORT_TEST_SECRET"}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := form.Begin(Login{Secret: s, Methods: []string{"scram"}}); err == nil || !strings.Contains(err.Error(), "it has scram-sha-256-plus, ") {
		t.Errorf("an unknown method: %v", err)
	}
	if _, err := (Form{}).Begin(Login{Secret: s}); err == nil {
		t.Error("no form")
	}
	zero := Secret{reveal: func() []byte { return []byte("a\x00b") }}
	if _, err := form.Begin(Login{Secret: zero}); err == nil || !strings.Contains(err.Error(), "zero byte") {
		t.Errorf("a zero byte: %v", err)
	}
}

// TestWiped: what the exchange held is gone after its end, and it prints nothing of it before.
func TestWiped(t *testing.T) {
	x := begin(t, canary, Login{Transport: Transport{Verified: true}}).(*postgres)
	held := x.password
	if string(held) != canary {
		t.Fatal("the password is not where this test looks for it")
	}
	s := &server{password: canary, mechanisms: []string{plain}}
	answer, err := x.Step(s.offer())
	if err != nil {
		t.Fatal(err)
	}
	prepared := x.scram.password
	if _, err := x.Step(s.begin(t, answer)); err != nil {
		t.Fatal(err)
	}
	x.Close()
	x.Close()
	for _, b := range [][]byte{held, prepared} {
		if bytes.Trim(b, "\x00") != nil && len(bytes.Trim(b, "\x00")) > 0 {
			t.Errorf("still there: %q", b)
		}
	}
	if x.password != nil || x.scram.password != nil || x.scram.signature != nil {
		t.Error("still referred to")
	}
}

// FuzzPostgres: whatever a server says in whatever order, the password itself leaves only where it may, and nothing panics.
func FuzzPostgres(f *testing.F) {
	f.Add(words(authSASL, plain, "\x00\x00"), words(authSASLContinue, challenge), words(authSASLFinal, signature), false)
	f.Add(words(authMD5, "salt"), words(authCleartext), words(authOK), true)
	f.Add([]byte{}, []byte{0, 0, 0, 10, 0}, words(authSASL, plus, "\x00", plain, "\x00\x00"), false)
	f.Fuzz(func(t *testing.T, a, b, c []byte, verified bool) {
		form := postgresForm()
		x, err := form.Begin(Login{Secret: Secret{reveal: func() []byte { return []byte(canary) }}, User: "u", Transport: Transport{Verified: verified}})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		for _, w := range [][]byte{a, b, c} {
			if len(w) > 4 && bytes.Contains(w, []byte("i=")) && len(w) > 200 {
				return // no long computations
			}
			answer, err := x.Step(w)
			if err != nil && (answer != nil || strings.Contains(err.Error(), canary)) {
				t.Fatalf("%q: %q, %v", w, answer, err)
			}
			if len(answer) > 0 && (answer[0] != 'p' || int(binary.BigEndian.Uint32(answer[1:])) != len(answer)-1) {
				t.Fatalf("%q: a malformed answer %q", w, answer)
			}
			if bytes.Contains(answer, []byte(canary)) && (!verified || !bytes.Equal(w, words(authCleartext))) {
				t.Fatalf("%q: the password left", w)
			}
		}
	})
}
