package secret

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// The exchange of RFC 7677, section 3.
const (
	vectorNonce = "rOprNGfwEbeRWgbNEkqO"
	vectorFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
	challenge   = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	vectorFinal = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	signature   = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

func vector() *scram {
	return &scram{password: []byte("pencil"), user: "user", header: "n,,", nonce: []byte(vectorNonce)}
}

func TestVectors(t *testing.T) {
	s := vector()
	if got := s.clientFirst(); string(got) != vectorFirst {
		t.Errorf("first: %s", got)
	}
	final, err := s.clientFinal([]byte(challenge))
	if err != nil || string(final) != vectorFinal {
		t.Fatalf("final: %s, %v", final, err)
	}
	if err := s.verify([]byte(signature)); err != nil || !s.verified {
		t.Errorf("the server's signature: %v", err)
	}
	// PBKDF2-HMAC-SHA-256, RFC 7914, section 11.
	if got := hex.EncodeToString(salt256([]byte("passwd"), []byte("salt"), 1)); got != "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" {
		t.Errorf("salted: %s", got)
	}
	if got := hex.EncodeToString(salt256([]byte("Password"), []byte("NaCl"), 80000)); got != "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56" {
		t.Errorf("salted: %s", got)
	}
}

// TestChallenges: what a server may not send.
func TestChallenges(t *testing.T) {
	for what, c := range map[string]struct{ message, want string }{
		"one iteration":         {"r=" + vectorNonce + "x,s=W22ZaJ0=,i=1", "makes the password easy to guess"},
		"4095 iterations":       {"r=" + vectorNonce + "x,s=W22ZaJ0=,i=4095", "makes the password easy to guess"},
		"0 iterations":          {"r=" + vectorNonce + "x,s=W22ZaJ0=,i=0", "malformed"},
		"negative iterations":   {"r=" + vectorNonce + "x,s=W22ZaJ0=,i=-4096", "easy to guess"},
		"many iterations":       {"r=" + vectorNonce + "x,s=W22ZaJ0=,i=1000001", "the most is 1000000"},
		"endless iterations":    {"r=" + vectorNonce + "x,s=W22ZaJ0=,i=99999999999999999999", "malformed"},
		"a plus sign":           {"r=" + vectorNonce + "x,s=W22ZaJ0=,i=+4096", "malformed"},
		"an octal number":       {"r=" + vectorNonce + "x,s=W22ZaJ0=,i=04096", "malformed"},
		"no iterations":         {"r=" + vectorNonce + "x,s=W22ZaJ0=,i=", "malformed"},
		"another's nonce":       {"r=AAAANGfwEbeRWgbNEkqOx,s=W22ZaJ0=,i=4096", "belongs to another login"},
		"the nonce in front":    {"r=x" + vectorNonce + ",s=W22ZaJ0=,i=4096", "belongs to another login"},
		"only our nonce":        {"r=" + vectorNonce + ",s=W22ZaJ0=,i=4096", "adds nothing"},
		"half our nonce":        {"r=" + vectorNonce[:10] + ",s=W22ZaJ0=,i=4096", "belongs to another login"},
		"an unprintable nonce":  {"r=" + vectorNonce + "\x00,s=W22ZaJ0=,i=4096", "malformed"},
		"a long nonce":          {"r=" + vectorNonce + strings.Repeat("x", mostNonce) + ",s=W22ZaJ0=,i=4096", "malformed"},
		"no salt":               {"r=" + vectorNonce + "x,s=,i=4096", "salt"},
		"a bad salt":            {"r=" + vectorNonce + "x,s=W22ZaJ0,i=4096", "salt"},
		"a long salt":           {"r=" + vectorNonce + "x,s=" + strings.Repeat("AAAA", 400) + ",i=4096", "salt"},
		"a mandatory extension": {"m=x,r=" + vectorNonce + "x,s=W22ZaJ0=,i=4096", "malformed"},
		"another order":         {"s=W22ZaJ0=,r=" + vectorNonce + "x,i=4096", "malformed"},
		"nothing":               {"", "malformed"},
		"an error":              {"e=other-error", "malformed"},
	} {
		s := vector()
		if got, err := s.clientFinal([]byte(c.message)); err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
		// After a bad one no other is answered.
		if got, err := s.clientFinal([]byte(challenge)); err == nil || got != nil {
			t.Errorf("%s: a second challenge was answered", what)
		}
	}
	s := vector()
	if got, err := s.clientFinal([]byte(challenge + ",x=an optional extension, that nobody knows")); err != nil || !bytes.HasPrefix(got, []byte("c=biws,")) {
		t.Errorf("an optional extension: %v", err)
	}
	for what, last := range map[string]string{
		"another's":  "v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		"none":       "v=",
		"a part":     "v=6rriTRBi23Wp",
		"an error":   "e=invalid-proof",
		"nothing":    "",
		"not base64": "v=???",
	} {
		s := vector()
		if _, err := s.clientFinal([]byte(challenge)); err != nil {
			t.Fatal(err)
		}
		if err := s.verify([]byte(last)); err == nil || s.verified {
			t.Errorf("%s: the server's signature was accepted", what)
		}
		if err := s.verify([]byte(signature)); err == nil {
			t.Errorf("%s: a second one was accepted", what)
		}
	}
	if err := vector().verify([]byte("v=")); err == nil {
		t.Error("a signature before the challenge")
	}
}

func TestPrepare(t *testing.T) {
	for in, want := range map[string]string{
		"":                 "",
		"pencil":           "pencil",
		"a\tb\x7f":         "a\tb\x7f",         // ASCII is never touched
		"I\u00adX":         "IX",               // RFC 4013, section 3
		"\u00aa":           "a",                //
		"\u2168":           "IX",               //
		"a\u00a0b":         "a b",              // another space
		"a\u200bb":         "a b",              // PostgreSQL: a space, not nothing
		"\u00ad":           "\u00ad",           // nothing would be left
		"\u0627\u0031":     "\u0627\u0031",     // refused by the rule for directions, so as it is
		"\u0627a\u0627":    "\u0627a\u0627",    // mixed directions
		"\u0627\u0628":     "\u0627\u0628",     // fine
		"caf\u0065\u0301":  "caf\u00e9",        // composed
		"\ufb01":           "fi",               // a ligature
		"x\u00e9\u0007":    "x\u00e9\u0007",    // a control character: as it is
		"\xff\xfe":         "\xff\xfe",         // not UTF-8
		"\U0001f600\u00ad": "\U0001f600\u00ad", // not assigned in Unicode 3.2: as it is
		"\ue000\u00ad":     "\ue000\u00ad",     // private use
	} {
		given := []byte(in)
		if got := string(prepare(given)); got != want || string(given) != in {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
