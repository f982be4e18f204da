package abi

// Facts is what a guest learns when its connection opens: names of the configuration, nothing of the network and no secret.
type Facts struct {
	Endpoint string
	Peer     string
	Profile  string

	// UpstreamTLS: the configuration promises TLS to the upstream. Nothing but constants goes there before TLS is up.
	UpstreamTLS bool
	// AgentTLS: TLS may be begun on the agent's side.
	AgentTLS bool
	// AgentTLSRequired: the agent must use TLS. No byte of it passes before TLS is up.
	AgentTLSRequired bool
	// Inspect: some rule looks at what comes back, so verdicts may say how much of it is to be kept.
	Inspect bool
	// Slots are the names of the manifest's slots that the credential fills.
	Slots []string
	// Sizes are how many bytes SECRET writes for each of Slots, 0 for one that it does not write; nil: it writes none of them.
	Sizes []uint32
	// Attributes are what the credential says beside its secrets.
	Attributes []Attribute
}

// Attribute is one public word of a credential, such as the user to log in as.
type Attribute struct{ Name, Value string }

// Filled reports whether the credential fills the slot of this name.
func (f *Facts) Filled(slot string) bool {
	for _, s := range f.Slots {
		if s == slot {
			return true
		}
	}
	return false
}

// Size is how many bytes SECRET writes for the slot of this name; 0: it is not filled, or not written.
func (f *Facts) Size(slot string) int {
	for i, s := range f.Slots {
		if s == slot && i < len(f.Sizes) {
			return int(f.Sizes[i])
		}
	}
	return 0
}

// Attribute is the value of an attribute of the credential, and whether it has one.
func (f *Facts) Attribute(name string) (value string, ok bool) {
	for _, a := range f.Attributes {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

const (
	factUpstreamTLS uint8 = 1 << iota
	factAgentTLS
	factAgentTLSRequired
	factInspect
)

// AppendFacts appends f as sallyport_open reads it.
func AppendFacts(b []byte, f *Facts) []byte {
	b = appendString(b, f.Endpoint)
	b = appendString(b, f.Peer)
	b = appendString(b, f.Profile)
	var flags uint8
	for _, set := range []struct {
		on   bool
		flag uint8
	}{{f.UpstreamTLS, factUpstreamTLS}, {f.AgentTLS, factAgentTLS}, {f.AgentTLSRequired, factAgentTLSRequired}, {f.Inspect, factInspect}} {
		if set.on {
			flags |= set.flag
		}
	}
	b = append(b, flags)
	b = le.AppendUint32(b, uint32(len(f.Slots)))
	for _, s := range f.Slots {
		b = appendString(b, s)
	}
	b = le.AppendUint32(b, uint32(len(f.Attributes)))
	for _, a := range f.Attributes {
		b = appendString(b, a.Name)
		b = appendString(b, a.Value)
	}
	if len(f.Sizes) > 0 {
		b = le.AppendUint32(b, uint32(len(f.Sizes)))
		for _, n := range f.Sizes {
			b = le.AppendUint32(b, n)
		}
	}
	return b
}

// ReadFacts reads what AppendFacts wrote. Flags that are not known and facts that a later version adds at the end are ignored.
func ReadFacts(b []byte) (Facts, error) {
	r := reader{b: b}
	f := Facts{Endpoint: r.str(), Peer: r.str(), Profile: r.str()}
	flags := r.u8()
	f.UpstreamTLS = flags&factUpstreamTLS != 0
	f.AgentTLS = flags&factAgentTLS != 0
	f.AgentTLSRequired = flags&factAgentTLSRequired != 0
	f.Inspect = flags&factInspect != 0
	for n := r.count(4); n > 0 && r.err == nil; n-- {
		f.Slots = append(f.Slots, r.str())
	}
	for n := r.count(8); n > 0 && r.err == nil; n-- {
		f.Attributes = append(f.Attributes, Attribute{r.str(), r.str()})
	}
	if len(r.b) > 0 {
		for n := r.count(4); n > 0 && r.err == nil; n-- {
			f.Sizes = append(f.Sizes, r.u32())
		}
	}
	if r.err != nil {
		return Facts{}, wrap("facts", r.err)
	}
	return f, nil
}
