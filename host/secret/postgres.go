package secret

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The methods of form "postgres".
const (
	scramPlus  = "scram-sha-256-plus"
	scramPlain = "scram-sha-256"
	md5Hash    = "md5"
	cleartext  = "password"
)

// The codes of PostgreSQL's Authentication messages (its documentation, "Message Formats").
const (
	authOK           = 0
	authCleartext    = 3
	authMD5          = 5
	authSASL         = 10
	authSASLContinue = 11
	authSASLFinal    = 12
)

// postgresForm is the login of PostgreSQL's protocol. Words are the body of an Authentication message, from its code on; an
// answer is a whole message.
//
// What a server may ask for, unless the credential's methods say otherwise: over a transport whose server was verified,
// everything; over any other, SCRAM only, because it gives a false server nothing but a guess at a good password, each with
// 4,096 rounds of work, while a cleartext password is lost at once and the MD5 hash of one can be guessed a million times faster.
// SCRAM is with channel binding wherever server and transport have it. The words of AuthenticationOk are judged as well: a server
// that says so before it has proved, in SCRAM, that it knows the password is not the server.
func postgresForm() Form {
	return Form{
		Name: "postgres",
		Methods: []Method{
			{Name: scramPlus, Binding: true, Doc: "SCRAM-SHA-256 with channel binding, nothing else"},
			{Name: scramPlain, Doc: "SCRAM-SHA-256, with channel binding where server and transport have it"},
			{Name: md5Hash, Doc: "the MD5 hash of password, user and a salt"},
			{Name: cleartext, Clear: true, Doc: "the password itself"},
		},
		begin: beginPostgres,
	}
}

// postgres is one login at a PostgreSQL server.
type postgres struct {
	login    Login
	password []byte
	scram    *scram
	answered bool // an answer that logs in has been given
	over     bool
}

func beginPostgres(l Login) (Exchange, error) {
	p := &postgres{login: l, password: l.Secret.Reveal()}
	switch {
	case len(p.password) == 0:
		return nil, errors.New("the password is empty")
	case bytes.IndexByte(p.password, 0) >= 0:
		p.Close()
		return nil, errors.New("the password has a zero byte, which no PostgreSQL password can have")
	}
	return p, nil
}

// Close wipes the password and what SCRAM has derived from it.
func (p *postgres) Close() {
	clear(p.password)
	p.password, p.over = nil, true
	if p.scram != nil {
		p.scram.wipe()
	}
}

// spend wipes the password once it has been used: it is used once.
func (p *postgres) spend() { clear(p.password) }

// Step answers one Authentication message. A failed login is over.
func (p *postgres) Step(words []byte) ([]byte, error) {
	if p.over {
		return nil, errors.New("the login is over")
	}
	answer, err := p.step(words)
	if err != nil {
		p.Close()
		return nil, err
	}
	return answer, nil
}

func (p *postgres) step(words []byte) ([]byte, error) {
	if len(words) < 4 {
		return nil, errors.New("the server's authentication request is cut short")
	}
	code, rest := binary.BigEndian.Uint32(words), words[4:]
	if p.scram != nil && code != authOK && code != authSASLContinue && code != authSASLFinal {
		return nil, errors.New("the server asks for another login in the middle of SCRAM")
	}
	if p.answered && code != authOK {
		return nil, errors.New("the server asks for the password twice")
	}
	switch code {
	case authOK:
		return nil, p.accepted()
	case authCleartext:
		return p.cleartext(rest)
	case authMD5:
		return p.hashed(rest)
	case authSASL:
		return p.sasl(rest)
	case authSASLContinue:
		if p.scram == nil {
			return nil, errors.New("the server goes on with a login that was not begun")
		}
		last, err := p.scram.clientFinal(rest)
		if err != nil {
			return nil, err
		}
		return passwordMessage(last), nil
	case authSASLFinal:
		if p.scram == nil {
			return nil, errors.New("the server ends a login that was not begun")
		}
		if err := p.scram.verify(rest); err != nil {
			return nil, err
		}
		p.answered = true
		return nil, nil
	}
	return nil, fmt.Errorf("the server asks for a login of kind %d, which is none of %s", code, strings.Join(postgresForm().MethodNames(), ", "))
}

// accepted judges the server's word that the agent is logged in.
func (p *postgres) accepted() error {
	switch {
	case p.scram != nil && !p.scram.verified:
		return errors.New("the server accepts the login without proof that it knows the password; it may not be the server")
	case !p.answered && p.login.Methods != nil:
		return errors.New("the server asks for no login, and the credential's methods want one")
	}
	p.Close()
	return nil
}

// may says whether a method may be used.
func (p *postgres) may(method string) bool {
	if p.login.Methods != nil {
		return slices.Contains(p.login.Methods, method) || method == scramPlus && slices.Contains(p.login.Methods, scramPlain)
	}
	return method == scramPlus || method == scramPlain || p.login.Transport.Verified
}

func (p *postgres) refused(method string) error {
	if p.login.Methods != nil {
		return fmt.Errorf("the server asks for the login method %s, and the credential's methods allow %s only", method, strings.Join(p.login.Methods, ", "))
	}
	return fmt.Errorf("the server asks for the login method %s, which is safe only where its certificate is verified: set tls = \"verify-full\", or name the method in the credential's methods", method)
}

func (p *postgres) cleartext(rest []byte) ([]byte, error) {
	switch {
	case len(rest) != 0:
		return nil, errors.New("the server's request for a password is malformed")
	case !p.may(cleartext):
		return nil, p.refused(cleartext)
	}
	defer p.spend()
	p.answered = true
	return passwordMessage(p.password, []byte{0}), nil
}

// hashed answers with PostgreSQL's oldest hash: "md5" and md5(md5(password + user) + salt), in hex.
func (p *postgres) hashed(salt []byte) ([]byte, error) {
	switch {
	case len(salt) != 4:
		return nil, errors.New("the server's request for an MD5 hash is malformed")
	case !p.may(md5Hash):
		return nil, p.refused(md5Hash)
	case p.login.User == "":
		return nil, errors.New("the server asks for the login method md5, which hashes the user's name: give the credential its user")
	}
	defer p.spend()
	inner := slices.Concat(p.password, []byte(p.login.User))
	defer clear(inner)
	sum := md5.Sum(inner)
	p.login.Secret.canaries().add(p.login.Secret.ref.String()+", the inner MD5", sum[:])
	outer := append(hex.AppendEncode(nil, sum[:]), salt...)
	defer clear(outer)
	clear(sum[:])
	sum = md5.Sum(outer)
	p.answered = true
	return passwordMessage([]byte("md5"), hex.AppendEncode(nil, sum[:]), []byte{0}), nil
}

// sasl chooses the strongest mechanism that server, transport and credential have in common.
func (p *postgres) sasl(list []byte) ([]byte, error) {
	mechanisms, err := readMechanisms(list)
	if err != nil {
		return nil, err
	}
	plain, plus := slices.Contains(mechanisms, "SCRAM-SHA-256"), slices.Contains(mechanisms, "SCRAM-SHA-256-PLUS")
	binding := p.login.Transport.Binding
	name, header := "SCRAM-SHA-256", "n,,"
	switch {
	case plus && len(binding) > 0 && p.may(scramPlus):
		name, header = "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,"
	case !plain && plus:
		return nil, errors.New("the server offers SCRAM with channel binding only, and this transport has none: set tls for the endpoint")
	case !plain:
		return nil, errors.New("the server offers no SCRAM-SHA-256; of SASL, the gateway speaks nothing else")
	case !p.may(scramPlain):
		return nil, p.withoutBinding(len(binding) > 0)
	case len(binding) > 0:
		header = "y,," // "I could, and think that you cannot": a server that can then knows that somebody has changed its offer
	}
	if name == "SCRAM-SHA-256" {
		binding = nil
	}
	defer p.spend()
	if p.scram, err = newScram(p.password, "", header, binding); err != nil {
		return nil, err
	}
	if c := p.login.Secret.canaries(); c != nil {
		p.scram.derived = func(what string, key []byte) { c.add(p.login.Secret.ref.String()+", "+what, key) }
	}
	first := p.scram.clientFirst()
	answer := append([]byte(name), 0)
	answer = binary.BigEndian.AppendUint32(answer, uint32(len(first)))
	return passwordMessage(answer, first), nil
}

// withoutBinding says why SCRAM without channel binding is refused.
func (p *postgres) withoutBinding(could bool) error {
	switch {
	case !slices.Contains(p.login.Methods, scramPlus):
		return p.refused(scramPlain)
	case could:
		return errors.New("the server offers SCRAM without channel binding, and the credential's methods want it with; somebody may be in between")
	}
	return errors.New("the credential's methods want SCRAM with channel binding, and this transport has none (no TLS, or a certificate of a kind that has none)")
}

// readMechanisms reads a list of strings that each end in a zero byte, with an empty one at the end.
func readMechanisms(b []byte) ([]string, error) {
	var all []string
	for {
		name, rest, ok := bytes.Cut(b, []byte{0})
		switch {
		case !ok, len(name) == 0 && len(rest) > 0:
			return nil, errors.New("the server's list of login mechanisms is malformed")
		case len(name) == 0:
			return all, nil
		}
		all, b = append(all, string(name)), rest
	}
}

// passwordMessage is a message of type 'p', which all answers have.
func passwordMessage(parts ...[]byte) []byte {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	message := binary.BigEndian.AppendUint32(append(make([]byte, 0, 5+n), 'p'), uint32(4+n))
	for _, part := range parts {
		message = append(message, part...)
	}
	return message
}
