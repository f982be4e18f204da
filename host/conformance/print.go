package conformance

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/recording"
	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
)

// PrintManifest writes a manifest for people who write rules.
func PrintManifest(w io.Writer, m *abi.Manifest) {
	fmt.Fprintf(w, "\n%s %s", m.Name, clean(m.Version))
	if m.Doc != "" {
		fmt.Fprintf(w, ": %s", clean(m.Doc))
	}
	fmt.Fprintln(w)
	for _, f := range m.Families {
		fmt.Fprintf(w, "\nactions of family %s", f.Name)
		if f.Doc != "" {
			fmt.Fprintf(w, ": %s", clean(f.Doc))
		}
		fmt.Fprintln(w)
		for _, d := range f.Fields {
			fmt.Fprintf(w, "  %s.%s %s%s: %s\n", f.Name, d.Name, d.Type, values(d.Values), clean(d.Doc))
		}
	}
	if len(m.Options) > 0 {
		fmt.Fprintln(w, "\noptions of an endpoint")
	}
	for _, o := range m.Options {
		limits := ""
		if o.Min < o.Max {
			limits = fmt.Sprintf(" from %d to %d", o.Min, o.Max)
		}
		fmt.Fprintf(w, "  %s %s%s%s, default %v: %s\n", o.Name, o.Type, values(o.Values), limits, o.Default, clean(o.Doc))
	}
	if len(m.Slots) > 0 || len(m.Attributes) > 0 {
		fmt.Fprintln(w, "\na credential may have")
	}
	for _, s := range m.Slots {
		fmt.Fprintf(w, "  %s, a secret of form %s: %s\n", s.Name, s.Form, clean(s.Doc))
	}
	for _, a := range m.Attributes {
		fmt.Fprintf(w, "  %s: %s\n", a.Name, clean(a.Doc))
	}
	if len(m.Stock) > 0 {
		fmt.Fprintln(w, "\nconstants that it may write to the upstream without an action")
	}
	for _, s := range m.Stock {
		fmt.Fprintf(w, "  %s: %q\n", clean(s.Name), s.Bytes)
	}
}

func values(v []string) string {
	if len(v) == 0 {
		return ""
	}
	return " (" + clean(strings.Join(v, ", ")) + ")"
}

// PrintSpeeds writes a table for people.
func PrintSpeeds(w io.Writer, all []Speed) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "fixture\tconnections\tnew guest\tdelivery p50\tp99\tper action\tper connection\tMB/s")
	for _, s := range all {
		if s.Failed != "" {
			fmt.Fprintf(t, "%s\tfailed: %s\n", s.Fixture, s.Failed)
			continue
		}
		fmt.Fprintf(t, "%s\t%d\t%v\t%v\t%v\t%v\t%v\t%.1f\n", s.Fixture, s.Connections, round(s.New), round(s.P50), round(s.P99), round(s.PerAction), round(s.Connection), s.PerSecond/1e6)
	}
	t.Flush()
}

// round keeps three digits.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}

// Print writes what a plugin asked about in a replay.
func (r *Replayed) Print(w io.Writer) {
	for _, c := range r.Calls {
		for _, s := range c.Commands {
			if strings.HasPrefix(s, "ASK ") || strings.HasPrefix(s, "CLOSE ") || strings.HasPrefix(s, "NOTE ") {
				fmt.Fprintln(w, s)
			}
		}
		if strings.HasPrefix(c.Call, "verdict") {
			fmt.Fprintln(w, "  "+c.Call)
		}
		if c.Error != "" {
			fmt.Fprintln(w, "the plugin failed: "+c.Error)
		}
	}
	if !r.Complete {
		fmt.Fprintln(w, "the recording has no end: the connection went on, or the gateway was killed")
	}
	if r.Same {
		fmt.Fprintf(w, "outputs %s, as recorded\n", r.Now)
		return
	}
	fmt.Fprintf(w, "outputs %s, recorded were %s\n%s\n", r.Now, r.Recorded, r.Differs)
	if !r.SamePlug {
		fmt.Fprintf(w, "the plugin is %s, recorded was %s\n", r.SHA256, r.Recording.PluginSHA256)
	}
	if r.Masked {
		fmt.Fprintln(w, "secrets are masked in this recording, which can make the difference")
	}
}

// Conversation makes a conversation file of a recording: what the plugin does with it is what it expects.
func Conversation(ctx context.Context, m *Module, name string, rec *recording.Recording) (string, error) {
	s, err := ScriptOf(name, rec)
	if err != nil {
		return "", err
	}
	e, err := m.Configure(ctx, s.Options)
	if err != nil {
		return "", err
	}
	defer e.Close()
	g, err := e.Guest(ctx)
	if err != nil {
		return "", err
	}
	got := s.Replay(g, m.Manifest, conversation.Cut{})
	comment := fmt.Sprintf("Connection %s to %s, made from a recording.", rec.Header.Connection, rec.Header.Endpoint)
	return s.Format(comment, got, m.Manifest), nil
}
