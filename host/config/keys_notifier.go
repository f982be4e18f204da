package config

import "crypto/sha256"

// defaultNotifierMemory is how much memory a notifier may have, in bytes.
const defaultNotifierMemory = 64 << 20

// Notifier is the program of an approver that has one.
type Notifier struct {
	// Plugin is the absolute path of its file, SHA256 the digest that it must have; empty: the approver has none.
	Plugin string
	SHA256 [sha256.Size]byte
	// Hosts are what it may call, each as host:port, Memory what it may have in bytes, Settings what it is told of the operator's.
	Hosts    []string
	Memory   int64
	Settings map[string]string

	pluginPos, sha256Pos, hostsPos, memoryPos, settingsPos Pos
}

func approverDefaults(p Pos) Approver {
	return Approver{Pos: p, Timeout: defaultApproverTimeout, Notifier: Notifier{Memory: defaultNotifierMemory}}
}

// notifierFields are the keys of [[approver]] for one that is a program.
func notifierFields() []field[Approver] {
	return []field[Approver]{
		{Key{
			Name: "plugin", Type: "string", Default: "none", Example: `"notify.wasm"`,
			Meaning:     "The file of a notifier: an Extism plugin with the function `notify`, which tells people of holds in a chat system of your own. A relative path starts at the configuration file's directory.",
			Consequence: "It runs in a sandbox, one instance for each call, without files, and without a network but for `hosts`. It tells people and decides nothing; they decide at `url` of `[holds]` with `secret`, or with `sallyport holds`.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			a.Notifier.pluginPos = v.pos
			a.Notifier.Plugin, _ = d.path(k, v)
		}},
		{Key{
			Name: "sha256", Type: "string", Default: "none", Example: `"5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"`,
			Meaning:     "The SHA-256 of the file, 64 hexadecimal digits, as `sha256sum` prints it. For `plugin` only, which needs it.",
			Consequence: "A file that is another one is not loaded.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			a.Notifier.sha256Pos = v.pos
			a.Notifier.SHA256, _ = d.sha256(k, v)
		}},
		{Key{
			Name: "hosts", Type: "list of strings", Default: "none", Example: `["chat.example.com", "localhost:8065"]`,
			Meaning:     "What the notifier may call over HTTP: host names or addresses, with a port if it is not 443. For `plugin` only.",
			Consequence: "Anything else is refused, redirects too. In clear it may speak to the machine itself only.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			a.Notifier.hostsPos = v.pos
			a.Notifier.Hosts = d.judgeHosts(k, v)
		}},
		{Key{
			Name: "memory", Type: "size", Default: `"64MiB"`, Example: `"16MiB"`,
			Meaning:     "How much memory an instance of the notifier may have, 1 MiB to 1 GiB; there are at most four at a time. For `plugin` only.",
			Consequence: "A call that needs more fails, and is tried again until the hold is over.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			a.Notifier.memoryPos = v.pos
			a.Notifier.Memory = d.size(k, v, a.Notifier.Memory, 1<<20, 1<<30)
		}},
		{Key{
			Name: "settings", Type: "table", Default: "none", Example: `{ url = "https://chat.example.com/hooks/ops" }`,
			Meaning:     "What the notifier can read as its configuration, strings; `token` is not one of them. No secret belongs here. For `plugin` only.",
			Consequence: "What they mean the program says.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			a.Notifier.settingsPos = v.pos
			a.Notifier.Settings = d.judgeSettings(k, v)
			if _, ok := a.Notifier.Settings["token"]; ok {
				d.problem(v.pos, `settings has token; write token = "env:NAME" beside settings, as a reference to a secret`)
			}
		}},
	}
}

// checkNotifier checks an approver that is a program.
func (d *decoder) checkNotifier(cfg *Config, a *Approver) {
	name, n := quote(a.Name.Value), &a.Notifier
	if n.sha256Pos.IsZero() {
		d.problem(n.pluginPos, "approver %s needs sha256, which sha256sum prints", name)
	}
	switch secret, secrets := !a.secretPos.IsZero(), !a.secretsPos.IsZero(); {
	case secret && secrets:
		d.problem(a.secretsPos, "approver %s has both secret and secrets; write all into secrets", name)
	case (secret || secrets) && cfg.Holds.ListenPos.IsZero():
		at := a.secretPos
		if secrets {
			at = a.secretsPos
		}
		d.problem(at, `approver %s needs [holds] with listen, where decisions come in that are signed with its secret`, name)
	}
}
