//go:build !wasip1

package conversation

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// Format writes a script with what happened in it as a conversation file, which parses and plays to the same transcript. comment is
// written at the top.
func (s *Script) Format(comment string, happened drygate.Transcript, m *abi.Manifest) string {
	var b strings.Builder
	for line := range strings.Lines(comment) {
		fmt.Fprintf(&b, "# %s\n", strings.TrimRight(line, "\n"))
	}
	s.formatSetup(&b)
	given := 0 // stimuli
	for i := range s.Steps {
		st := &s.Steps[i]
		switch st.Does {
		case Sends:
			fmt.Fprintf(&b, "\n%v sends %s\n", st.Side, data(st.Data))
		case Ends:
			fmt.Fprintf(&b, "\n%v ends\n", st.Side)
		case Decides:
			if st.Verdict.Outcome == abi.Allow {
				fmt.Fprint(&b, "\nperson approves\n")
			} else {
				fmt.Fprintf(&b, "\nperson rejects %q\n", st.Verdict.Reason)
			}
		case Unseen:
			fmt.Fprintf(&b, "\n# %d bytes of the %v that are not recorded stand here as zeros.\n%v sends \"\\x00\"*%d\n", st.N, st.Side, st.Side, st.N)
		}
		if st.Does != Opens {
			given++
		}
		for k := range happened {
			if e := &happened[k]; e.Stimulus == given {
				formatEntry(&b, e, m)
			}
		}
	}
	return b.String()
}

// formatEntry writes an expectation.
func formatEntry(b *strings.Builder, e *drygate.Entry, m *abi.Manifest) {
	switch e.Kind {
	case drygate.Dial, drygate.Done:
	case drygate.Gets:
		fmt.Fprintf(b, "%v gets %s\n", e.Side, data(slices.Concat(make([]byte, e.Unseen), e.Bytes)))
	case drygate.Auth:
		fmt.Fprintf(b, "auth %s %s\n", m.Slots[e.Slot].Name, data(e.Bytes))
	case drygate.Relogin:
		fmt.Fprintf(b, "relogin %s %s\n", m.Slots[e.Slot].Name, data(e.Bytes))
	default:
		fmt.Fprintln(b, e)
	}
}

// data is bytes as a line has them.
func data(p []byte) string {
	if len(p) == 0 {
		return `""`
	}
	return drygate.Quote(p)
}

func (s *Script) formatSetup(b *strings.Builder) {
	for _, name := range slices.Sorted(maps.Keys(s.Options)) {
		v, err := json.Marshal(s.Options[name])
		if err == nil {
			fmt.Fprintf(b, "option %s = %s\n", name, v)
		}
	}
	f := &s.Facts
	for _, w := range []struct{ key, value, usual string }{{"endpoint", f.Endpoint, "endpoint"}, {"peer", f.Peer, "peer"}, {"profile", f.Profile, "profile"}} {
		if w.value != w.usual && w.value != "" && !strings.ContainsAny(w.value, " \t\"") {
			fmt.Fprintf(b, "%s %s\n", w.key, w.value)
		}
	}
	for _, w := range []struct {
		on   bool
		fact string
	}{{f.UpstreamTLS, "upstream-tls"}, {f.AgentTLS, "agent-tls"}, {f.AgentTLSRequired, "agent-tls-required"}, {f.Inspect, "inspect"}} {
		if w.on {
			fmt.Fprintf(b, "fact %s\n", w.fact)
		}
	}
	for _, slot := range f.Slots {
		fmt.Fprintf(b, "slot %s\n", slot)
	}
	for _, a := range f.Attributes {
		fmt.Fprintf(b, "attribute %s = %q\n", a.Name, a.Value)
	}
	if s.Refuse != "" {
		fmt.Fprintf(b, "upstream refuses %q\n", s.Refuse)
	}
}
