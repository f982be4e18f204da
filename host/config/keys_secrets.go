package config

import (
	"time"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// Secrets is the table [secrets]: where references to secrets lead.
type Secrets struct {
	// Sealed is the sealed file, an absolute path; empty: there is none.
	Sealed    string
	SealedPos Pos
	// Identity refers to what opens it: the environment or a file. Passphrase says that whoever starts the gateway is asked instead.
	Identity    secret.Reference
	Passphrase  bool
	IdentityPos Pos
	// Recipients are who `sallyport secret` seals it for, public keys of age or SSH.
	Recipients    []Text
	RecipientsPos Pos
	// Commands bounds the commands of references.
	Commands secret.Commands
}

// byPassphrase is the identity of who is asked for a passphrase.
const byPassphrase = "passphrase"

func secretsDefaults() Secrets {
	return Secrets{Commands: secret.Commands{Timeout: secret.DefaultTimeout, Refresh: secret.DefaultRefresh}}
}

func secretsFields() []field[Secrets] {
	return []field[Secrets]{
		{Key{
			Name: "sealed", Type: "string", Default: "none", Example: `"secrets.age"`,
			Meaning:     "The sealed file: secrets that are encrypted with age, which `sallyport secret` writes and references `sealed:NAME` read. A relative path starts at the configuration file's directory.",
			Consequence: "It can be kept in git beside this file. Needs `identity`. A file that is there and cannot be opened, and a reference to a name that is not in it, keep the gateway from starting. When it changes, new connections use what it holds then.",
		}, func(d *decoder, k Key, v *value, s *Secrets) {
			if path, ok := d.path(k, v); ok {
				s.Sealed, s.SealedPos = path, v.pos
			}
		}},
		{Key{
			Name: "identity", Type: `secret or "passphrase"`, Default: "none", Example: `"file:/etc/sallyport/identity"`,
			Meaning:     "What opens the sealed file: `env:NAME` or `file:PATH` with an identity of age (`age-keygen`) or a private key of SSH, or `\"passphrase\"`.",
			Consequence: "Needs `sealed`. With `\"passphrase\"` the file is sealed with one instead of for recipients, and whoever starts the gateway is asked for it at the terminal; a gateway that starts without a terminal does not start.",
		}, func(d *decoder, k Key, v *value, s *Secrets) {
			s.IdentityPos = v.pos
			if v.kind == kindString && v.text.Value == byPassphrase {
				s.Passphrase = true
				return
			}
			s.Identity, _ = d.secretReference(k, v)
			if !s.Identity.IsZero() && !s.Identity.IsPlain() {
				d.problem(v.pos, `identity opens the sealed file, so it is read before commands and sealed secrets: write "env:NAME", "file:PATH" or "passphrase"`)
				s.Identity = secret.Reference{}
			}
		}},
		{Key{
			Name: "recipients", Type: "list of strings", Default: "none", Example: `["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]`,
			Meaning:     "Who can open the sealed file: public keys of age (`age1…`) or SSH (`ssh-ed25519 …`), at most 64. The gateway's own must be among them.",
			Consequence: "`sallyport secret` seals for them whenever it writes the file; after a change `sallyport secret reencrypt` does. Somebody who is taken off the list keeps what he has seen: rotate it. Not with `identity = \"passphrase\"`.",
		}, func(d *decoder, k Key, v *value, s *Secrets) {
			s.Recipients, s.RecipientsPos = d.texts(k, v), v.pos
			if len(s.Recipients) > secret.MaxRecipients {
				d.problem(v.pos, "recipients has %d keys, the limit is %d", len(s.Recipients), secret.MaxRecipients)
			}
			for _, r := range s.Recipients {
				if _, err := secret.ParseRecipients([]string{r.Value}); err != nil {
					d.problem(r.start, "recipients: %v", err)
				}
			}
		}},
		{Key{
			Name: "command_timeout", Type: "duration", Default: `"10s"`, Example: `"3s"`,
			Meaning:     "How long a command of a reference `cmd:` or `exec-credential:` may take, 100ms to 1m.",
			Consequence: "Then it is killed, with everything that it started. At start and reload that is an error; later the connection that needed it uses the value from before, and the gateway's log says so.",
		}, func(d *decoder, k Key, v *value, s *Secrets) {
			s.Commands.Timeout = d.duration(k, v, s.Commands.Timeout, 100*time.Millisecond, time.Minute)
		}},
		{Key{
			Name: "command_env", Type: "list of strings", Default: "none", Example: `["VAULT_ADDR", "VAULT_TOKEN"]`,
			Meaning:     "Variables of the gateway's environment that commands get, beside PATH, HOME, USER, LANG and TMPDIR; at most 64 names.",
			Consequence: "Everything else in the gateway's environment stays hidden from them.",
		}, func(d *decoder, k Key, v *value, s *Secrets) {
			for _, name := range d.texts(k, v) {
				if _, err := secret.ParseReference("env:"+name.Value, ""); err != nil {
					d.problem(name.start, "command_env lists %s, which is no name of a variable; write command_env = %s", quote(name.Value), k.Example)
				}
				s.Commands.Env = append(s.Commands.Env, name.Value)
			}
			if len(s.Commands.Env) > secret.MaxCommandEnv {
				d.problem(v.pos, "command_env has %d names, the limit is %d", len(s.Commands.Env), secret.MaxCommandEnv)
			}
		}},
		{Key{
			Name: "refresh", Type: "duration", Default: `"5m"`, Example: `"1h"`,
			Meaning:     "How long the output of a command counts, 1s to 24h, where it does not say so itself as an ExecCredential does.",
			Consequence: "The first connection behind that waits for the command to run again; so long a value that was changed elsewhere may be refused by its upstream.",
		}, func(d *decoder, k Key, v *value, s *Secrets) {
			s.Commands.Refresh = d.duration(k, v, s.Commands.Refresh, time.Second, 24*time.Hour)
		}},
	}
}

// checkSecrets checks that the sealed file can be opened by somebody.
func (d *decoder) checkSecrets(cfg *Config) {
	for _, own := range []struct {
		name string
		r    secret.Reference
		at   Pos
	}{{"private_key", cfg.Gateway.PrivateKey, cfg.Gateway.PrivateKeyPos}, {"ca_key", cfg.Gateway.CA.Key, cfg.Gateway.CA.KeyPos}} {
		if !own.r.IsZero() && !own.r.IsPlain() {
			d.problem(own.at, `%s is read by other commands than the gateway too, which open no sealed file and run nothing; write "env:NAME" or "file:PATH"`, own.name)
		}
	}
	s := &cfg.Secrets
	hasIdentity := s.Passphrase || !s.Identity.IsZero()
	switch {
	case s.Sealed != "" && s.IdentityPos.IsZero():
		d.problem(s.SealedPos, `sealed needs identity, which opens it; write identity = "file:/etc/sallyport/identity" (age-keygen makes one)`)
	case s.Sealed == "" && hasIdentity:
		d.problem(s.IdentityPos, `identity opens the sealed file, and there is none; write sealed = "secrets.age" or remove it`)
	case s.Sealed == "" && len(s.Recipients) > 0:
		d.problem(s.RecipientsPos, `recipients can open the sealed file, and there is none; write sealed = "secrets.age" or remove them`)
	case s.Passphrase && len(s.Recipients) > 0:
		d.problem(s.RecipientsPos, `a file that is sealed with a passphrase has no recipients; remove them, or write another identity`)
	}
}
