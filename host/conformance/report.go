package conformance

import (
	"fmt"
	"io"
	"strings"
)

// Report is what Check found.
type Report struct {
	File    string   `json:"file"`
	OK      bool     `json:"ok"`
	Module  *Listing `json:"module,omitempty"`
	Plugin  string   `json:"plugin,omitempty"`
	Version string   `json:"version,omitempty"`
	Checks  []Result `json:"checks"`
	Fuel    *Fuel    `json:"fuel,omitempty"`
	NoFuel  string   `json:"no_fuel,omitempty"` // why an admitted plugin has no figures about fuel
	Unfit   []string `json:"unfit,omitempty"`   // files that could be no fixtures, and why
}

// Result is one check.
type Result struct {
	Name   string   `json:"name"`
	OK     bool     `json:"ok"`
	Detail string   `json:"detail,omitempty"`
	Runs   int      `json:"runs,omitempty"` // connections that it took
	Faults []string `json:"faults,omitempty"`
}

// Fuel is what the plugin spends, in units for each KiB that it is shown, over the deliveries of all fixtures played whole.
type Fuel struct {
	Deliveries int   `json:"deliveries"`
	P50        int64 `json:"p50_per_kib"`
	P99        int64 `json:"p99_per_kib"`
	Most       int64 `json:"most_per_delivery"`
}

// mostFaults bounds how many faults of one check are listed.
const mostFaults = 5

// fault notes what is wrong.
func (r *Result) fault(format string, args ...any) {
	if len(r.Faults) < mostFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
	r.OK = false
}

// enough reports whether looking further would tell nothing new.
func (r *Result) enough() bool { return len(r.Faults) >= mostFaults }

// add puts a check into the report.
func (r *Report) add(c *Result) {
	r.Checks = append(r.Checks, *c)
	r.OK = r.OK && c.OK
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) {
	if r.Module != nil {
		r.Module.Print(w, r.File)
	}
	for _, f := range r.Unfit {
		fmt.Fprintf(w, "skip  %-13s %s\n", "fixture", clean(f))
	}
	for _, c := range r.Checks {
		mark := "ok  "
		if !c.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(w, "%s  %-13s %s\n", mark, c.Name, c.Detail)
		for _, f := range c.Faults {
			fmt.Fprintf(w, "      %s\n", strings.ReplaceAll(strings.TrimRight(f, "\n"), "\n", "\n      "))
		}
	}
	if f := r.Fuel; f != nil {
		fmt.Fprintf(w, "fuel  per KiB      p50 %d, p99 %d units over %d deliveries; at most %d for one delivery\n", f.P50, f.P99, f.Deliveries, f.Most)
	}
	if r.NoFuel != "" {
		fmt.Fprintf(w, "fuel  not measured: %s\n", r.NoFuel)
	}
	if r.OK {
		fmt.Fprintf(w, "%s: ok\n", r.File)
		return
	}
	n := 0
	for _, c := range r.Checks {
		if !c.OK {
			n++
		}
	}
	fmt.Fprintf(w, "%s: not admitted, checks that failed: %d\n", r.File, n)
}

// Print writes the listing for people.
func (l *Listing) Print(w io.Writer, file string) {
	fmt.Fprintf(w, "%s: %s, sha256 %s, %s lane\n", file, size(l.Bytes), l.SHA256, l.Lane)
	groups := map[string][]string{}
	var order []string
	for _, i := range l.Imports {
		if groups[i.Module] == nil {
			order = append(order, i.Module)
		}
		name := clean(i.Name)
		if i.Kind != "function" {
			name += " (" + i.Kind + ")"
		}
		groups[i.Module] = append(groups[i.Module], name)
	}
	for _, m := range order {
		fmt.Fprintf(w, "  imports %s: %s\n", clean(m), strings.Join(groups[m], ", "))
	}
	var exports []string
	for _, e := range l.Exports {
		exports = append(exports, clean(e.Name))
	}
	fmt.Fprintf(w, "  exports %s\n", strings.Join(exports, ", "))
	if l.Memory != nil {
		fmt.Fprintf(w, "  memory  %s\n", pages(*l.Memory))
	}
	for _, t := range l.Tables {
		fmt.Fprintf(w, "  table   %d entries\n", t.Min)
	}
	for _, c := range l.Custom {
		fmt.Fprintf(w, "  section %s, %s\n", clean(c.Name), size(c.Bytes))
	}
	fmt.Fprintf(w, "  code    %d functions, %s of data", l.Functions, size(l.Data))
	if l.Start {
		fmt.Fprint(w, ", a start function")
	}
	fmt.Fprintln(w)
}

// clean makes a name from a module fit for a terminal.
func clean(s string) string {
	q := fmt.Sprintf("%q", s)
	return q[1 : len(q)-1]
}

func pages(r Range) string {
	s := size(int(r.Min) << 16)
	if r.Max > 0 {
		return s + ", at most " + size(int(r.Max)<<16)
	}
	return s + ", no limit of its own"
}

func size(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
